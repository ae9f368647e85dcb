# SPDX-License-Identifier: Apache-2.0
"""A private portal for tests: its folder, certificate, daemon; deposits; a visitor without a browser."""
import contextlib
import http.client
import os
import re
import shutil
import socket
import sqlite3
import ssl
import sys
import tempfile
import urllib.parse
from email.message import EmailMessage
from pathlib import Path

from lib import BUILD, Tap

from demo.pki import Authority
from demo.ports import Ports
from demo.process import Child, Children, Failed, Stopped, catch_signals, port_answers, run

OTTO, ALICE = "otto@web.example", "alice@firma.example"
PASSWORD = "Pferd Klammer Batterie"
SUBJECT = "Gehaltsabrechnung Jänner 4711"
TEXT = "Sehr geehrter Herr Otto, hier das Gewünschte: Kennwort Mirabelle."
FILE_NAME = "Vertragsentwurf – Käufer.bin"
FILE = bytes(range(256)) * 1500 + b"Anhangstext Zwetschge"


def mail(html=None, attachment=FILE, name=FILE_NAME):
    message = EmailMessage()
    message["From"] = f"Alice Ärmel <{ALICE}>"
    message["To"] = OTTO
    message["Subject"] = SUBJECT
    message["Message-ID"] = "<portal-test@firma.example>"
    message.set_content(TEXT + "\n<b>kein HTML</b>\n")
    if html:
        message.add_alternative(html, subtype="html")
    if attachment is not None:
        message.add_attachment(attachment, maintype="application", subtype="octet-stream",
                               filename=name)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class PortalSite:
    """One portal in a folder of its own; stop() and start() keep what it has stored."""

    def __init__(self, folder, **settings):
        self.folder = Path(folder)
        self.state = self.folder / "state" / "portal"
        self.state.mkdir(parents=True)
        self.conf = self.folder / "sealpost.conf"
        self.log = self.folder / "portal.log"
        self._ports = Ports()
        self.port = self._ports.next()
        self.url = f"https://localhost:{self.port}"
        self.authority = Authority(self.folder / "ca")
        shutil.copy(self.authority.server("localhost"), self.folder / "portal.pem")
        self.tls = ssl.create_default_context(cafile=str(self.authority.root))
        self.codes = {}  # path of a link: what the notice says beside it
        self._children = Children()
        self.set(**settings)
        self.start()

    def set(self, **settings):
        lines = ["[portal]", f"listen = inet:127.0.0.1:{self.port}", f"url = {self.url}",
                 "certificate = portal.pem", "key = portal.pem", "sender = sealpost@firma.example",
                 "organisation = Firma & Söhne"]
        if os.geteuid() == 0:
            lines.append("user = root")
        lines += [f"{key} = {value}" for key, value in settings.items()]
        self.conf.write_text("\n".join(lines) + "\n", "utf-8")

    def start(self):
        self.child = self._children.add(Child(
            "portal", [BUILD / "portal/sealpost-portal", "--config", self.conf], self.log,
            ready=lambda: port_answers(self.port)))

    def stop(self):
        status = self.child.stop()
        if status != 0:
            raise Failed(f"the portal ended with status {status}: {self.log.read_text()[-3000:]}")

    def cpu_time(self):
        """Seconds of work that the daemon has done so far."""
        fields = Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def new_port(self):
        return self._ports.next()

    def close(self):
        self._children.close()
        self._ports.close()

    def deposit(self, content, digest, recipient=OTTO, check=True, subject=SUBJECT):
        """The path of the link; None for a retry; the CompletedProcess if check is False."""
        done = run([BUILD / "tests/integration/portal_deposit", self.conf, recipient, ALICE,
                    subject, digest], stdin=content, check=check)
        if not check:
            return done
        url, *code = done.stdout.decode().split()
        path = None if url == "retry" else urllib.parse.urlsplit(url).path
        self.codes[path] = "".join(code)
        return path

    def dump(self):
        """All that stands in the database but the audit trail, as SQL."""
        with contextlib.closing(sqlite3.connect(self.state / "portal.db")) as db:
            return [line for line in db.iterdump() if not line.startswith('INSERT INTO "event"')]

    def events(self, number):
        return [row[0] for row in self.sql("SELECT kind FROM event WHERE message = ? ORDER BY rowid",
                                           number)]

    def sql(self, text, *values):
        with contextlib.closing(sqlite3.connect(self.state / "portal.db")) as db, db:
            return db.execute(text, values).fetchall()

    def found_in_files(self, words):
        """Which of these words stand in any file of the portal (database, WAL, log)."""
        files = [p for p in self.folder.rglob("*") if p.is_file() and "ca" not in p.parts]
        assert any(p.name.startswith("portal.db") for p in files)
        return [(p.name, w) for p in files for w in words
                if w.encode() in p.read_bytes() or w.encode("latin-1", "replace") in p.read_bytes()]

    def raw(self, data, wait=5, context=None):
        """What comes back for these bytes on a connection of their own, until it is closed; wait: the
        seconds in which more has to come, once there is something."""
        with self.connect(context) as sock:
            sock.sendall(data)
            return read_all(sock, wait)

    def connect(self, context=None):
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return (context or self.tls).wrap_socket(sock, server_hostname="localhost")


def read_all(sock, wait=None):
    got = b""
    try:
        while piece := sock.recv(65536):
            got += piece
            sock.settimeout(wait or sock.gettimeout())
    except (TimeoutError, ConnectionError, ssl.SSLError):
        pass
    return got


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode("utf-8")

    def field(self, name):
        found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', self.text)
        return found.group(1) if found else None


class Visitor:
    """Keeps its cookie, as a browser would; forms get the token of the page seen last."""

    def __init__(self, site, language="de", address=None):
        self.site, self.language, self.cookie, self.last = site, language, None, None
        self._source = (address, 0) if address else None

    def request(self, method, path, body=None, **headers):
        connection = http.client.HTTPSConnection("localhost", self.site.port, timeout=120,
                                                 context=self.site.tls,
                                                 source_address=self._source)
        fields = {"Accept-Language": self.language}
        if self.cookie:
            fields["Cookie"] = self.cookie
        fields.update({key.replace("_", "-"): value for key, value in headers.items()})
        with contextlib.closing(connection):
            connection.request(method, path, body, fields)
            answer = Answer(connection.getresponse())
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        if answer.body and "text/html" in (answer.headers["Content-Type"] or ""):
            self.last = answer
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, path, csrf=None, headers=None, **fields):
        if csrf is None:
            csrf = self.last.field("csrf")
        body = urllib.parse.urlencode({"csrf": csrf, **fields})
        return self.request("POST", path, body,
                            **{"Content_Type": "application/x-www-form-urlencoded",
                               **(headers or {})})

    def open_link(self, path, password=PASSWORD, repeated=None):
        """The first visit: a password, then where it leads to."""
        page = self.get(path)
        assert page.status == 200, page.status
        answer = self.post(path, code=self.site.codes[path], password=password,
                           repeated=repeated or password)
        assert answer.status == 303, (answer.status, answer.text)
        return answer.headers["Location"]

    def log_in(self, password=PASSWORD, address=OTTO):
        self.get("/login")
        return self.post("/login", address=address, password=password)


@contextlib.contextmanager
def portal_script(**settings):
    """The frame of the portal's scripts: (tap, site)."""
    catch_signals()
    for program in ("portal/sealpost-portal", "tests/integration/portal_deposit"):
        if not os.access(BUILD / program, os.X_OK):
            print(f"Bail out! {program} has not been built")
            sys.exit(1)
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="sealpost-portal-", dir="/tmp")
    try:
        with contextlib.closing(PortalSite(folder, **settings)) as site:
            yield tap, site
            with tap.case("the portal ends cleanly"):
                site.stop()
                assert b"Sanitizer" not in site.log.read_bytes(), site.log.read_text()[-4000:]
    except Stopped as reason:
        print(f"Bail out! {reason}")
        sys.exit(1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


__all__ = ["ALICE", "FILE", "FILE_NAME", "OTTO", "PASSWORD", "SUBJECT", "TEXT", "PortalSite",
           "Visitor", "mail", "portal_script", "read_all"]
