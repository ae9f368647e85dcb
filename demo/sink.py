# SPDX-License-Identifier: Apache-2.0
"""The world outside: small SMTP servers that keep every copy as it came.

Each message becomes OUT/NNNN.eml: `X-Envelope-From:`, one `X-Envelope-To:` line per recipient,
then the bytes as received. NNNN.json beside it says what does not fit there: which server, TLS,
the ESMTP parameters. The .eml appears complete, by rename, after its .json.
"""
import json
import os
import re
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path

LINE_LIMIT = 65536
SIZE_LIMIT = 400 * 1024 * 1024
_PATH = re.compile(r"(?i)(?:FROM|TO):\s*<([^>]*)>\s*(.*)")


@dataclass
class Copy:
    """One delivered copy, read back from OUT."""
    path: Path
    sender: str
    recipients: list
    content: bytes = field(repr=False)
    facts: dict

    @classmethod
    def load(cls, path):
        sender, recipients = "", []
        rest = path.read_bytes()
        while rest.startswith(b"X-Envelope-"):
            line, rest = rest.split(b"\r\n", 1)
            name, value = line.decode("utf-8").split(": ", 1)
            if name == "X-Envelope-From":
                sender = value
            else:
                recipients.append(value)
        facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
        return cls(path, sender, recipients, rest, facts)


class Outbox:
    """The folder OUT: numbers and writes what the servers of one site receive."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._number = 0

    def store(self, sender, recipients, content, facts):
        lines = [f"X-Envelope-From: {sender}"] + [f"X-Envelope-To: {r}" for r in recipients]
        envelope = "".join(line + "\r\n" for line in lines).encode("utf-8")
        with self._lock:
            self._number += 1
            name = f"{self._number:04d}"
            self._write(name + ".json", json.dumps(facts, indent=1).encode() + b"\n")
            self._write(name + ".eml", envelope, content)

    def empty(self):
        """Both files of a copy go, or none."""
        with self._lock:
            for path in self.folder.iterdir():
                path.unlink()

    def _write(self, name, *parts):
        draft = self.folder / ("." + name)
        with open(draft, "wb") as file:
            for part in parts:
                file.write(part)
        os.rename(draft, self.folder / name)

    def copies(self):
        return [Copy.load(path) for path in sorted(self.folder.glob("[0-9]*.eml"))]


class _Session(socketserver.StreamRequestHandler):
    """One SMTP session. Refusals come from server.refuse: {"RCPT" or "DATA": reply}."""

    def setup(self):
        self.tls = None
        self.params = {}
        self._reset()
        super().setup()

    def _reset(self):
        self.sender, self.recipients, self.rcpt_params = None, [], []

    def _reply(self, *lines):
        for at, line in enumerate(lines):
            code, text = line.split(" ", 1)
            mark = " " if at == len(lines) - 1 else "-"
            self.wfile.write(f"{code}{mark}{text}\r\n".encode())

    def handle(self):
        try:
            self._reply(f"220 {self.server.name} ESMTP")
            while True:
                line = self.rfile.readline(LINE_LIMIT)
                if not line or not self._command(line.decode("utf-8", "replace").rstrip("\r\n")):
                    return
        except OSError:
            return  # the client went away

    def _command(self, line):
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        handler = getattr(self, "_do_" + verb.lower(), None)
        if verb == "QUIT":
            self._reply("221 bye")
            return False
        if handler is None or not verb.isalpha():
            self._reply("502 5.5.1 not known here")
            return True
        return handler(rest) is not False

    def _do_ehlo(self, _rest):
        offers = ["PIPELINING", f"SIZE {SIZE_LIMIT}", "DSN"]
        if self.server.eight_bit:
            offers += ["8BITMIME", "SMTPUTF8"]
        if self.server.tls_context and not self.tls:
            offers.append("STARTTLS")
        self._reply(f"250 {self.server.name}", *("250 " + offer for offer in offers))

    def _do_helo(self, _rest):
        self._reply(f"250 {self.server.name}")

    def _do_noop(self, _rest):
        self._reply("250 ok")

    def _do_rset(self, _rest):
        self._reset()
        self._reply("250 ok")

    def _do_starttls(self, _rest):
        if not self.server.tls_context or self.tls:
            self._reply("502 5.5.1 no TLS here")
            return True
        self._reply("220 go on")
        try:
            self.connection = self.server.tls_context.wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError):
            return False
        self.tls = self.connection.version()
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self._reset()
        return True

    def _do_mail(self, rest):
        match = _PATH.fullmatch(rest)
        if not match:
            self._reply("501 5.5.4 MAIL FROM:<address>")
            return
        self._reset()
        self.sender, self.params = match.group(1), {"mail": match.group(2)}
        self._reply("250 2.1.0 ok")

    def _do_rcpt(self, rest):
        match = _PATH.fullmatch(rest)
        if not match or self.sender is None:
            self._reply("501 5.5.4 RCPT TO:<address> after MAIL")
        elif "RCPT" in self.server.refuse:
            self._reply(self.server.refuse["RCPT"])
        else:
            self.recipients.append(match.group(1))
            self.rcpt_params.append(match.group(2))
            self._reply("250 2.1.5 ok")

    def _do_data(self, _rest):
        if not self.recipients:
            self._reply("503 5.5.1 nobody to give it to")
            return True
        self._reply("354 go on")
        content = self._read_content()
        if content is None:
            return False
        if "DATA" in self.server.refuse:
            self._reply(self.server.refuse["DATA"])
        else:
            facts = {"server": self.server.name, "port": self.server.port, "tls": self.tls,
                     "mail": self.params["mail"], "rcpt": self.rcpt_params}
            self.server.outbox.store(self.sender, self.recipients, content, facts)
            self._reply("250 2.0.0 kept")
        self._reset()
        return True

    def _read_content(self):
        lines, size = [], 0
        while True:
            line = self.rfile.readline(LINE_LIMIT)
            if line == b".\r\n":
                return b"".join(lines)
            size += len(line)
            if not line or size > SIZE_LIMIT:
                return None
            lines.append(line[1:] if line.startswith(b".") else line)


class Sink(socketserver.ThreadingTCPServer):
    """One server of the world outside, answering in threads of this process."""
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, name, port, outbox, certificate=None):
        """certificate: PEM file with key and chain; without it STARTTLS is not offered."""
        self.name, self.port, self.outbox, self.refuse = name, port, outbox, {}
        self.eight_bit = True  # False: an old one, to which mail must be brought down to 7 bits
        self.tls_context = None
        if certificate:
            self.tls_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls_context.load_cert_chain(certificate)
        super().__init__(("127.0.0.1", port), _Session)
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
