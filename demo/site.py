# SPDX-License-Identifier: Apache-2.0
"""The whole site in one folder. `with Site(folder) as site:` has it running, and nothing after.

    FOLDER/pki       the demo's certificate authority
    FOLDER/people    one folder per person with what they have (demo.env: PEOPLE)
    FOLDER/out       what the servers outside got (demo.env: OUT)
    FOLDER/slapd, sealpost, log

Unix sockets have short names only, and Postfix's user must be able to enter each folder above
them. So Postfix's own folders and the sockets stand in a new folder under /tmp that goes away
with the site; all else works at any depth, below /root too.
"""
import fcntl
import os
import re
import shutil
import smtplib
import tempfile
import time
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from . import people as cast
from .dkim import Dkim
from .pki import Authority
from .ports import Ports
from .postfix import Postfix, stop_leftover
from .process import Children, Failed, wait_for
from .sasl import PASSWORD, Sasl
from .sealpost import POLICY, Sealpost
from .sink import Outbox, Sink
from .slapd import Slapd

MARK = ".sealpost-site"
PARTS = ("pki", "people", "out", "slapd", "sealpost", "log", "dkim", "bin", "demo.env")
# The servers outside: domain -> does it offer TLS, and with whose name in the certificate.
# Postfix reaches them as [localhost]:port, so only that name verifies.
SERVERS = {"smime.example": None, "pgp.example": None, "tls.example": "localhost",
           "wrong-name.example": "elsewhere.example", "web.example": None, "*": None}


class Site:
    """build: the build tree whose daemons run; without it, Postfix passes mail on as it is.
    domain: the company's, where `people` has its employees. settings: {section: {key: value}} of
    sealpost.conf. dkim: opendkim signs after us."""

    def __init__(self, folder, build=None, *, domain=cast.INTERNAL, people=cast.CAST, policy=POLICY,
                 settings=None, postfix_settings=None, dkim=False, portal=True,
                 say=lambda text: None):
        self.folder = Path(folder).resolve()
        self.domain = domain
        self._build, self._people, self._say = build, people, say
        self._policy, self._settings = policy, settings or {}
        self._postfix_settings = postfix_settings or {}
        self._with_dkim, self._with_portal = dkim, portal
        self.children = Children()
        self.sinks = {}
        self.running = False
        self.slapd = self.sealpost = self.dkim = self.sasl = self._ports = self._lock = self._short = None

    def __enter__(self):
        os.umask(0o022)  # whoever started us may have a narrower one; Postfix's user must come in
        try:
            self._claim()
            self._start()
            self.running = True
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    # Claiming the folder

    def _claim(self):
        """The folder is ours if it is new, empty or from an earlier run; a second run at the same
        time is refused."""
        if re.search(r"""[\s"'#$,;\\]""", str(self.folder)):
            raise Failed(f"{self.folder}: slapd and Postfix take no names with blanks or any of \" ' # $ , ; \\")
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / MARK
        if not mark.exists() and any(self.folder.iterdir()):
            raise Failed(f"{self.folder} holds other files; give an empty or new folder")
        self._lock = open(mark, "a+", encoding="ascii")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failed(f"{self.folder} is in use by another run") from None
        self._clear_leftover()
        for part in PARTS:
            path = self.folder / part
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self._short = Path(tempfile.mkdtemp(prefix="sp-", dir="/tmp"))
        self._short.chmod(0o711)
        self._lock.write(str(self._short))
        self._lock.flush()
        self.log = self.folder / "log"
        self.log.mkdir()

    def _clear_leftover(self):
        """What an earlier run that was killed hard has left: its folder's name is in the mark."""
        self._lock.seek(0)
        earlier = Path(self._lock.read().strip() or "/nowhere")
        self._lock.truncate(0)
        if earlier.parent == Path("/tmp") and earlier.name.startswith("sp-") and earlier.is_dir():
            stop_leftover(earlier / "postfix")
            shutil.rmtree(earlier, ignore_errors=True)

    # Starting it

    def _start(self):
        self._ports = Ports()
        self.authority = Authority(self.folder / "pki")
        self.cabinet = cast.Cabinet(self.folder / "people", self.authority)
        self.cabinet.furnish(self._people)
        self._say(f"keys and certificates for {len(self._people)} people")
        self._start_slapd()
        self._open_sinks()
        self._ports_of = {name: self._ports.next() 
                          for name in ("smtp", "submission", "resubmit", "incoming")}
        if self._with_dkim:
            self.dkim = Dkim(self.folder / "dkim", self.domain, self._ports.next(), self.children)
            self.dkim.start()
        if self._build:
            self._start_sealpost()
        self._start_postfix()
        if self._build:
            self._say(f"gateway at {self.sealpost.socket}")

    def _start_slapd(self):
        self.slapd = Slapd(self.folder / "slapd", self._ports.next(), self.children)
        for person in self._people:
            if person.where == "ldap":
                self.slapd.add_person(
                    person, [self.cabinet(person, "cert.pem")] if person.smime else [],
                    self.cabinet(person, "public.asc").read_text() if person.pgp else None)
        self.slapd.start()
        self._say(f"slapd at {self.slapd.url}")

    def _open_sinks(self):
        self.outbox = Outbox(self.folder / "out")
        for domain, host in {**SERVERS, self.domain: None}.items():
            certificate = self.authority.server(host) if host else None
            self.sinks[domain] = Sink(domain if domain != "*" else "elsewhere.example",
                                      self._ports.next(), self.outbox, certificate)
        self._say("servers outside: " + ", ".join(d for d in SERVERS if d != "*"))

    def _start_sealpost(self):
        self.sealpost = Sealpost(self._build, self.folder / "sealpost", self._short, self.log,
                                 self.children)
        self.sealpost.init(self.domain)
        self.sealpost.set_policy(self._policy)
        for section, values in self._basic_settings().items():
            self.sealpost.set(section, **values)
        for section, values in self._settings.items():
            self.sealpost.set(section, **values)
        self.sealpost.run("policy", "check")
        self._import_keys()
        self._say(f"sealpost.conf and store in {self.sealpost.folder}")
        if self._with_portal:
            self.sealpost.start_portal(self.authority, self._ports.next())
            self._say(f"portal at {self.sealpost.portal_url}")
        self.sealpost.start_gateway()

    def _basic_settings(self):
        return {"mta": {"resubmit": f"inet:127.0.0.1:{self._ports_of['resubmit']}",
                        "resubmit_incoming": f"inet:127.0.0.1:{self._ports_of['incoming']}",
                        "tls_ca_file": self.authority.root},
                "keystore": {"system_roots": "false"},
                "ldap demo": {"uri": self.slapd.url, "base": self.slapd.base,
                              "starttls": "false"},
                "portal": {"sender": f"post@{self.domain}", "organisation": "Firma Example"}}

    def _is_ours(self, person):
        return person.address.endswith("@" + self.domain)

    def _import_keys(self):
        """Employees' own keys; of people outside, the public ones that are not in the directory."""
        self.sealpost.run("key", "import", "--trusted", self.authority.root)
        files = [self.authority.intermediate]
        for person in self._people:
            if self._is_ours(person):
                names = ["key.pem", "cert.pem"] * bool(person.smime) + ["secret.asc"] * person.pgp
            elif person.where == "store":
                names = ["cert.pem"] * bool(person.smime) + ["public.asc"] * person.pgp
            else:
                continue
            files += [self.cabinet(person, name) for name in names]
        self.sealpost.run("key", "import", *files)

    def _start_postfix(self):
        self.smtp_port = self._ports_of["smtp"]
        self.sasl = Sasl(self._short / "auth", [p.address for p in self._people if self._is_ours(p)])
        self.postfix = Postfix(self._short / "postfix", self.log / "mail.log", self._ports_of,
                               self.children)
        transport = self.postfix.config / "transport"
        settings = {"myhostname": f"mx.{self.domain}", "relay_domains": self.domain,
                    "transport_maps": f"texthash:{transport}",
                    "smtp_tls_CAfile": self.authority.root,
                    "smtpd_sasl_path": self._short / "auth",
                    "smtpd_tls_chain_files": self.authority.server(f"mx.{self.domain}")}
        settings.update(self._postfix_settings)
        self.postfix.configure(f"unix:{self.sealpost.socket}" if self.sealpost else "",
                               self.dkim.milter if self.dkim else "", settings)
        transport.write_text("".join(_route(domain, sink.port)
                                     for domain, sink in self.sinks.items()))
        self.postfix.start()
        self._say(f"Postfix takes mail at 127.0.0.1:{self.smtp_port}")

    def close(self):
        self.running = False
        self.children.close()
        for sink in self.sinks.values():
            sink.close()
        self.sinks.clear()
        if self.sasl:
            self.sasl.close()
        if self._ports:
            self._ports.close()
        if self._short:
            shutil.rmtree(self._short, ignore_errors=True)
            self._lock.truncate(0)
        if self._lock:
            self._lock.close()

    # Using it

    def submit(self, sender, recipients, content, *, mail_options=(), rcpt_options=()):
        """Gives a message to Postfix as a mail program would. smtplib's exceptions on refusal."""
        if isinstance(recipients, str):
            recipients = [recipients]
        with smtplib.SMTP("127.0.0.1", self.smtp_port, local_hostname="client.firma.example",
                          timeout=300) as smtp:
            smtp.sendmail(sender, recipients, as_bytes(content), mail_options, rcpt_options)

    def submit_as(self, login, sender, recipients, content):
        """The same at the submission listener, logged in."""
        with smtplib.SMTP("127.0.0.1", self._ports_of["submission"], timeout=300) as smtp:
            smtp.starttls()
            smtp.login(login, PASSWORD)
            smtp.sendmail(sender, recipients, as_bytes(content))

    def arrived_for(self, count, seconds=120):
        """Waits until `count` recipients have been served and the queue is empty: nothing more is on
        its way then. Gives all copies."""
        def served():
            return sum(len(copy.recipients) for copy in self.outbox.copies())
        wait_for(lambda: served() >= count, seconds, f"{count} recipients outside to be served")
        self.postfix.wait_empty(seconds)
        if served() != count:
            raise Failed(f"{served()} recipients were served, not {count}")
        return self.outbox.copies()

    def arrived(self, count, seconds=120):
        """The same where each recipient has a copy of their own."""
        copies = self.arrived_for(count, seconds)
        if len(copies) != count:
            raise Failed(f"{len(copies)} copies came out, not {count}")
        return copies

    def add_route(self, domain, port):
        """Mail for one more domain goes to this port."""
        with open(self.postfix.config / "transport", "a", encoding="ascii") as transport:
            transport.write(_route(domain, port))
        self.postfix.reload()

    def new_port(self):
        """One more free port, for what a test puts beside the site."""
        return self._ports.next()

    def start_over(self):
        """Forgets what is under way."""
        self.postfix.drop_queue()
        self.empty_out()

    def empty_out(self):
        self.outbox.empty()


def _route(domain, port):
    return f"{domain} smtp:[localhost]:{port}\n"


def as_bytes(content):
    """SMTP's line ends, whatever was given."""
    data = content.as_bytes() if isinstance(content, EmailMessage) else content
    if isinstance(data, str):
        data = data.encode("utf-8")
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def message(sender, to, subject, text, **headers):
    """A plain message as a mail program writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = formatdate(time.time()), make_msgid(domain=cast.INTERNAL)
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail
