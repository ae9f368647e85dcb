# SPDX-License-Identifier: Apache-2.0
"""A private slapd with the people whose keys a directory has: inetOrgPerson, and pgpKey."""
import base64
import shutil
from pathlib import Path

from .process import Child, Failed, port_answers, run

BASE = "dc=directory,dc=example"
SCHEMA = "/etc/ldap/schema"

CONFIG = """\
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
attributetype ( 1.3.6.1.4.1.3401.8.2.11 NAME 'pgpKey'
    EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
objectclass ( 1.3.6.1.4.1.3401.8.2.99 NAME 'pgpPerson' SUP top AUXILIARY MAY pgpKey )
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
{extra}
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw secret
directory {folder}/db
maxsize 33554432
dbnosync
index mail eq
access to * by * read
"""


def _line(name, value):
    if isinstance(value, str):
        value = value.encode("utf-8")
    return f"{name}:: {base64.b64encode(value).decode()}\n"


def _der(pem_file):
    return run(["openssl", "x509", "-in", pem_file, "-outform", "DER"]).stdout


class Slapd:
    """start(), stop() and start() again: the entries stay."""

    def __init__(self, folder, port, children, extra=""):
        self.folder, self.port, self._children = Path(folder).resolve(), port, children
        self.url = f"ldap://127.0.0.1:{port}"
        self.base = BASE
        (self.folder / "db").mkdir(parents=True, exist_ok=True)
        # A copy of our own: Debian's AppArmor profile for /usr/sbin/slapd allows no other folders.
        self._program = self.folder / "slapd"
        shutil.copy("/usr/sbin/slapd", self._program)
        self._config = self.folder / "slapd.conf"
        self._config.write_text(CONFIG.format(schema=SCHEMA, folder=self.folder, base=BASE,
                                              extra=extra), "utf-8")
        self._load("dn: " + BASE + "\nobjectClass: dcObject\nobjectClass: organization\n"
                   "dc: directory\no: Directory of the demo\n")
        self._child = None

    def _load(self, ldif):
        run([self._program, "-Tadd", "-q", "-f", self._config, "-b", BASE], stdin=ldif.encode("utf-8"))

    def add_person(self, person, certificates=(), pgp=None):
        """Before start(). certificates: PEM files or DER bytes (garbage too); pgp: armour."""
        text = (_line("dn", f"cn={person.address},{BASE}") +
                "objectClass: inetOrgPerson\n" + ("objectClass: pgpPerson\n" if pgp else "") +
                _line("cn", person.address) + _line("sn", person.name) +
                _line("mail", person.address))
        for certificate in certificates:
            der = certificate if isinstance(certificate, bytes) else _der(certificate)
            text += _line("userCertificate;binary", der)
        if pgp:
            text += _line("pgpKey", pgp)
        self._load(text)

    def start(self):
        self._child = self._children.add(Child(
            "slapd", [self._program, "-d", "0", "-f", self._config, "-h", self.url],
            self.folder / "slapd.log", ready=lambda: port_answers(self.port)))

    def stop(self):
        if self._child.stop() is None:
            raise Failed("slapd did not end")
