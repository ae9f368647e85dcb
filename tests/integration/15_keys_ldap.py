# SPDX-License-Identifier: Apache-2.0
"""Keys from real directories: what is found, what is refused and why, and what is not an answer."""
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from lib import BUILD, script

from demo.people import Person
from demo.pki import Authority, GnuPG
from demo.ports import Ports
from demo.process import Children, run
from demo.slapd import BASE, Slapd, _line

SOFIA, PETER, GARBAGE, MOVED, OLD, STRANGER, CHAINED, ALIAS = (
    Person(f"{name}@smime.example", name.capitalize())
    for name in ("sofia", "peter", "garbage", "moved", "old", "stranger", "chained", "alias"))

ACTIVE_DIRECTORY = """\
attributetype ( 1.2.840.113556.1.2.210 NAME 'proxyAddresses'
    EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.2.840.113556.1.5.9999 NAME 'adPerson' SUP top AUXILIARY MAY proxyAddresses )
"""
TLS = """\
TLSCertificateFile {chain}
TLSCertificateKeyFile {chain}
"""


def server_chain(authority):
    """By number: libldap takes the name "localhost" for the name of the machine."""
    key, cert = authority._make("server", "/CN=directory",
                                "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1\n",
                                "ec", "intermediate")
    chain = authority.folder / "server.chain.pem"
    chain.write_bytes(key.read_bytes() + cert.read_bytes() + authority.intermediate.read_bytes())
    return chain


class Directory(Slapd):
    """ldap:// with StartTLS and ldaps:// on a port of its own."""

    def __init__(self, folder, ports, children, chain, more=""):
        super().__init__(folder, ports.next(), children,
                         extra=ACTIVE_DIRECTORY + TLS.format(chain=chain) + more)
        self.plain = f"ldap://127.0.0.1:{self.port}"
        self.tls = f"ldaps://127.0.0.1:{ports.next()}"
        self.url = f"{self.plain} {self.tls}"

    def add_entry(self, name, **attributes):
        text = _line("dn", f"cn={name},{BASE}") + "objectClass: inetOrgPerson\nobjectClass: adPerson\n"
        text += _line("cn", name) + _line("sn", name)
        for attribute, value in attributes.items():
            text += _line(attribute.replace("_binary", ";binary"), value)
        self._load(text)


class Keys:
    """One sealpost.conf with one [ldap] section, and its store."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = folder / "sealpost.conf"
        key = folder / "master.key"
        key.touch(0o600)
        key.write_text(secrets.token_hex(32) + "\n", "ascii")

    def configure(self, uri, ca, *, cache=0, **settings):
        settings = {"uri": uri, "base": BASE, "timeout": "30s", "ca_file": ca, **settings}
        self.conf.write_text(
            "[keystore]\nsystem_roots = false\n"
            f"cache_positive = {cache}\ncache_negative = {cache}\n"
            "[ldap main]\n"
            + "".join(f"{key} = {value}\n" for key, value in settings.items()), "utf-8")

    def sealpost(self, *args):
        return subprocess.run([BUILD / "cli/sealpost", "--config", self.conf, "key", *args],
                              capture_output=True, check=False, timeout=120)

    def lookup(self, address):
        """(exit status, [(type, result)], failure)"""
        done = self.sealpost("lookup", "--json", "--", getattr(address, "address", address))
        assert done.stdout, done.stderr.decode()
        answer = json.loads(done.stdout)
        return (done.returncode,
                [(key["type"], "usable" if key["usable"] else key["reason"])
                 for key in answer["keys"]], answer["failure"])

    @contextlib.contextmanager
    def asker(self):
        """One process that stays; ask() gives its answer."""
        with subprocess.Popen([BUILD / "tests/integration/asker", self.conf], encoding="utf-8",
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            def ask(*words):
                process.stdin.write(" ".join(words) + "\n")
                process.stdin.flush()
                return process.stdout.readline().strip().rstrip(";")
            assert process.stdout.readline() == "ready\n"
            yield ask
            process.stdin.close()


@contextlib.contextmanager
def silent_server():
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", ports.next()), backlog=50) as server:
        yield server.getsockname()[1]


FOUND = (0, [("smime", "usable")], None)
NOBODY = (1, [], None)


def failed(answer):
    status, keys, failure = answer
    return status == 75 and not keys and failure == "lookup"


def is_within(seconds, call, *args):
    start = time.monotonic()
    result = call(*args)
    took = time.monotonic() - start
    assert took < seconds, f"{took:.1f} s"
    return result


def fill(directory, authority, foreign, gnupg):
    directory.add_person(SOFIA, [authority.person("Sofia", SOFIA.address)[1]])
    gnupg.generate(PETER.user_id)
    directory.add_person(PETER, pgp=gnupg.export(PETER.address))
    directory.add_person(GARBAGE, [b"this is no certificate", b"\x30\x82\xff\xff"],
                         pgp="-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnonsense\n")
    directory.add_person(MOVED, [authority.person("Other", "other@smime.example")[1]])
    directory.add_person(STRANGER, [foreign.person("Stranger", STRANGER.address)[1]])
    chained = foreign.person("Chained", CHAINED.address)[1]
    bundle = run(["openssl", "crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile", chained,
                  "-certfile", foreign.intermediate]).stdout
    directory.add_entry("chained", mail=CHAINED.address, userSMIMECertificate=bundle)
    der = run(["openssl", "x509", "-outform", "DER", "-in",
               authority.person("Alias", ALIAS.address)[1]]).stdout
    directory.add_entry("alias", mail="alias@internal.example",
                        proxyAddresses=f"SMTP:{ALIAS.address}", userCertificate_binary=der)


def run_cases(tap, folder, children):
    authority, foreign = Authority(folder / "pki"), Authority(folder / "foreign", "Foreign")
    gnupg = GnuPG()
    try:
        directory = Directory(folder / "slapd", ports, children, server_chain(authority))
        fill(directory, authority, foreign, gnupg)
    finally:
        gnupg.close()
    directory.start()
    keys = Keys(folder)
    keys.configure(directory.plain, authority.root)
    with keys.asker():
        pass  # makes the store
    for root in (authority.root, authority.intermediate):
        keys.sealpost("import", "--trusted", root)
    answers(tap, keys)
    transport(tap, keys, directory, authority, foreign)
    outages(tap, keys, directory, authority)
    long_running(tap, keys, directory, authority)


def answers(tap, keys):
    with tap.case("a certificate and an OpenPGP key are found, over StartTLS"):
        assert keys.lookup(SOFIA) == FOUND
        assert keys.lookup("Sofia@SMIME.example") == FOUND
        assert keys.lookup("sofia+news@smime.example") == FOUND
        assert keys.lookup(PETER) == (0, [("pgp", "usable")], None)
    with tap.case("nobody is nobody, and no failure"):
        assert keys.lookup("nobody@smime.example") == NOBODY
    for address in ("*@smime.example", "*)(uid=*@smime.example", "sofia*@smime.example",
                    "sofia\\2a@smime.example", "\\@smime.example", "x)(|(mail=*@smime.example",
                    "sofia@smime.example)(cn=*", "müller@smime.example"):
        with tap.case(f"an address cannot change the filter: {address}"):
            done = keys.sealpost("lookup", "--", address)
            assert done.returncode in (1, 64) and b"usable" not in done.stdout, done
    with tap.case("each refusal has its reason"):
        status, found, failure = keys.lookup(GARBAGE)
        assert (status, failure) == (1, None), (status, failure)
        assert found == [("smime", "malformed")] * 2 + [("pgp", "malformed")] or \
            sorted(found) == [("pgp", "malformed")] + [("smime", "malformed")] * 2, found
        assert keys.lookup(MOVED) == (1, [("smime", "address-mismatch")], None)
        assert keys.lookup(STRANGER) == (1, [("smime", "untrusted")], None)
    with tap.case("a PKCS#7 value brings its intermediate along"):
        assert keys.lookup(CHAINED) == (1, [("smime", "untrusted")], None)
        keys.sealpost("import", "--trusted", keys.folder / "foreign/root.pem")
        assert keys.lookup(CHAINED) == FOUND
        assert keys.lookup(STRANGER) == (1, [("smime", "untrusted")], None)


def transport(tap, keys, directory, authority, foreign):
    with tap.case("LDAPS"):
        keys.configure(directory.tls, authority.root)
        assert keys.lookup(SOFIA) == FOUND
    with tap.case("a server of another authority is refused, over StartTLS and LDAPS"):
        for uri in (directory.plain, directory.tls):
            keys.configure(uri, foreign.root)
            assert failed(keys.lookup(SOFIA))
    with tap.case("a server of another name is refused"):
        for uri in (directory.plain, directory.tls):
            keys.configure(uri.replace("127.0.0.1", "localhost"), authority.root)
            assert failed(keys.lookup(SOFIA))
    with tap.case("without TLS only where the configuration says so"):
        keys.configure(directory.plain, "/nonexistent.pem")
        assert failed(keys.lookup(SOFIA))
        keys.configure(directory.plain, authority.root, starttls="false")
        assert keys.lookup(SOFIA) == FOUND
    with tap.case("the preset for Active Directory"):
        keys.configure(directory.plain, authority.root)
        assert keys.lookup(ALIAS) == NOBODY
        keys.configure(directory.plain, authority.root, type="active-directory")
        assert keys.lookup(ALIAS) == FOUND
    with tap.case("binding: the right password, a wrong one, a file that others can read"):
        password = keys.folder / "password"
        password.touch(0o600)
        password.write_text("secret\n", "ascii")
        keys.configure(directory.plain, authority.root, bind_dn=f"cn=admin,{BASE}",
                       password_file=password)
        assert keys.lookup(SOFIA) == FOUND
        password.write_text("wrong\n", "ascii")
        assert failed(keys.lookup(SOFIA))
        password.write_text("\n", "ascii")
        assert keys.sealpost("lookup", SOFIA.address).returncode == 78, "an empty password"
        password.write_text("secret\n", "ascii")
        password.chmod(0o644)
        assert keys.sealpost("lookup", SOFIA.address).returncode == 78
        password.chmod(0o600)
        with keys.asker() as ask:
            password.unlink()
            assert ask("ask", SOFIA.address) == "failure lookup"
    with tap.case("a base that is not there is no answer"):
        keys.configure(directory.plain, authority.root, base="dc=elsewhere")
        assert failed(keys.lookup(SOFIA))
    with tap.case("wrong settings are named"):
        for setting, value in (("filter", "(mail=x)"), ("scope", "all"), ("type", "novell"),
                               ("uri", "http://localhost"), ("certificate_attributes", "")):
            keys.configure(**{"uri": directory.plain, "ca": authority.root,
                              "pgp_attributes": "", setting: value})
            done = keys.sealpost("lookup", SOFIA.address)
            assert done.returncode == 78 and f"[ldap main] {setting}".encode() in done.stderr, done


def outages(tap, keys, directory, authority):
    with tap.case("a second server stands in for the first"):
        keys.configure(f"ldap://127.0.0.1:{ports.next()} {directory.plain}", authority.root)
        assert keys.lookup(SOFIA) == FOUND
    for kind in ("ldap", "ldaps", "no TLS"):
        with tap.case(f"a server that never answers costs the time limit, no more ({kind})"):
            with silent_server() as port:
                scheme = "ldaps" if kind == "ldaps" else "ldap"
                keys.configure(f"{scheme}://127.0.0.1:{port}", authority.root, timeout="2s",
                               starttls="false" if kind == "no TLS" else "true")
                assert failed(is_within(25, keys.lookup, SOFIA))
    with tap.case("what the store has counts while the directory is down"):
        keys.configure(f"ldap://127.0.0.1:{ports.next()}", authority.root)
        assert failed(keys.lookup(SOFIA))
        keys.sealpost("import", keys.folder / f"pki/{SOFIA.address}.pem")
        assert keys.lookup(SOFIA) == (0, [("smime", "usable")], "lookup")
        fingerprint = json.loads(keys.sealpost("list", "--json", SOFIA.address).stdout)[0]["id"]
        assert keys.sealpost("delete", fingerprint).returncode == 0


def long_running(tap, keys, directory, authority):
    usable = "smime ldap main usable"
    keys.configure(directory.plain, authority.root)
    with keys.asker() as ask:
        with tap.case("a running process: stopped server is a failure, started again it is used"):
            assert ask("ask", SOFIA.address) == usable
            directory.stop()
            assert ask("ask", SOFIA.address) == "failure lookup"
            directory.start()
            assert ask("ask", SOFIA.address) == usable
        with tap.case("a connection that the server closed is replaced at once"):
            directory.stop()
            directory.start()
            assert ask("ask", SOFIA.address) == usable
        with tap.case("many at the same time, equal and different"):
            many = [SOFIA.address, PETER.address, "nobody@smime.example"] * 20
            found = ask("ask", *many).split("|")
            assert [part.strip().rstrip(";") for part in found] == \
                [usable, "pgp ldap main usable", ""] * 20, found
        with tap.case("what the command line imports is seen at once"):
            key, cert = authority.person("Own", "own@firma.example")
            assert ask("sign", "own@firma.example") == "none -"
            assert keys.sealpost("import", key, cert).returncode == 0
            assert ask("ask", "own@firma.example") == "smime store usable"
            assert ask("sign", "own@firma.example").startswith("smime ")
    caching(tap, keys, directory, authority)
    bursts(tap, keys, authority)


def caching(tap, keys, directory, authority):
    keys.configure(directory.plain, authority.root, cache="1h")
    with keys.asker() as ask:
        with tap.case("answers are kept, failures are not"):
            assert ask("ask", SOFIA.address) == "smime ldap main usable"
            assert ask("ask", "nobody@smime.example") == ""
            directory.stop()
            assert ask("ask", SOFIA.address) == "smime ldap main usable"
            assert ask("ask", "nobody@smime.example") == ""
            assert ask("ask", PETER.address) == "failure lookup"
            directory.start()
            assert ask("ask", PETER.address) == "pgp ldap main usable"


def bursts(tap, keys, authority):
    with silent_server() as port, tap.case("a burst does not queue up behind a silent server"):
        keys.configure(f"ldap://127.0.0.1:{port}", authority.root, timeout="2s")
        with keys.asker() as ask:
            many = [f"a{i}@smime.example" for i in range(100)]
            found = is_within(40, ask, "ask", *many).split("|")
            assert [part.strip().rstrip(";") for part in found] == ["failure lookup"] * 100, found


with script() as tap:
    top, ports, children = Path(tempfile.mkdtemp(prefix="sealpost-keys-", dir="/tmp")), Ports(), Children()
    try:
        run_cases(tap, top, children)
    finally:
        children.close()
        ports.close()
        shutil.rmtree(top, ignore_errors=True)
