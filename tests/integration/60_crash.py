# SPDX-License-Identifier: Apache-2.0
"""The gateway is killed hard between resubmission and answer; the sender tries again; everybody
gets exactly one copy.

A relay stands between gateway and resubmission listener. It passes on the answers for the first
N copies and holds back all that follows. When the journal has these copies, and the portal's
notice is out (a matter of its own), the gateway is killed.
"""
import smtplib
import socket
import socketserver
import sqlite3
import threading
import time

from lib import ALICE, refused, script

from demo import people as cast
from demo.process import wait_for
from demo.site import as_bytes, message

PEOPLE = [cast.SOFIA, cast.PETER, cast.VERA, cast.OTTO]
ADDRESSES = [person.address for person in PEOPLE]


class Relay(socketserver.ThreadingTCPServer):
    """Passes SMTP through; after `left` accepted copies it stops that and calls strike().

    The portal's notices pass at any time: they are not part of the message's own way.
    """
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, port, onward):
        self.onward, self.left, self.strike = onward, None, None
        self.open = threading.Event()
        self.open.set()
        super().__init__(("127.0.0.1", port), Session)
        threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True).start()

    def copy_accepted(self):
        if self.left:
            self.left -= 1
            if self.left == 0:
                self.open.clear()  # until strike() opens it again
                threading.Thread(target=self.strike, daemon=True).start()


class Session(socketserver.BaseRequestHandler):
    def handle(self):
        self._copy = False
        with socket.create_connection(("127.0.0.1", self.server.onward)) as self._onward:
            threading.Thread(target=self._forward, daemon=True).start()
            while data := self._receive(self._onward):
                if self._copy:
                    self.server.open.wait()
                self._send(data)
                if b" queued as " in data and self._copy:
                    self.server.copy_accepted()

    def _forward(self):
        while data := self._receive(self.request):
            if b"RCPT TO:" in data:
                self._copy = cast.OTTO.address.encode() not in data
            self._onward.sendall(data)
        try:
            self._onward.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _send(self, data):
        try:
            self.request.sendall(data)
        except OSError:
            pass  # the gateway is dead already

    @staticmethod
    def _receive(sock):
        try:
            return sock.recv(65536)
        except OSError:
            return b""


def journalled(site):
    with sqlite3.connect(f"file:{site.sealpost.folder}/state/journal.db?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM copy WHERE way != ''").fetchone()[0]


def notices(site):
    return site.sealpost.gateway_log().count("notices sent=1")


def crash_after(site, relay, count, content):
    """Sends content to everybody while the gateway dies after `count` copies; then again."""
    site.empty_out()
    copies, sent = journalled(site) + 1 + count, notices(site) + 1  # the deposit counts too

    dead = threading.Event()

    def strike():
        try:
            wait_for(lambda: journalled(site) == copies and notices(site) == sent, 45,
                     "the journal and the notice")
        finally:
            site.sealpost.gateway.kill()
            dead.set()
            relay.open.set()

    relay.left, relay.strike = count, strike
    code, _ = refused(site.submit, ALICE, ADDRESSES, content)
    assert code == 451 and dead.wait(60), code
    code, _ = refused(site.submit, ALICE, ADDRESSES, content)
    assert code == 451, code
    site.sealpost.start_gateway()
    site.submit(ALICE, ADDRESSES, content)
    each_once(site)


def each_once(site):
    site.arrived_for(len(PEOPLE))
    time.sleep(0.7)  # a late double would come now
    site.postfix.wait_empty()
    served = sorted(r for copy in site.outbox.copies() for r in copy.recipients)
    assert served == sorted(ADDRESSES), served


def hang_up_after_data(site, content):
    """A client that is gone before the answer comes."""
    with smtplib.SMTP("127.0.0.1", site.smtp_port) as smtp:
        smtp.ehlo()
        smtp.mail(ALICE)
        for address in ADDRESSES:
            smtp.rcpt(address)
        smtp.docmd("DATA")
        smtp.send(content + b".\r\n")
        smtp.close()


with script() as tap, tap.site() as site:
    relay = Relay(site.new_port(), site.postfix.ports["resubmit"])
    site.sealpost.gateway.stop()
    site.sealpost.set("mta", resubmit=f"inet:127.0.0.1:{relay.server_address[1]}")
    site.sealpost.start_gateway()

    for count in (1, 2):
        with tap.case(f"killed after copy {count} of 3"):
            mail = message(ALICE, "all@firma.example", f"crash {count}", "Grüße\n")
            crash_after(site, relay, count, as_bytes(mail))

    with tap.case("the same for a mail program that sets no Message-ID and no Date"):
        crash_after(site, relay, 2, as_bytes(f"From: {ALICE}\nSubject: bare\n\nx\n"))

    with tap.case("all went well, but the client did not hear it and sends again"):
        site.empty_out()
        again = as_bytes(message(ALICE, "all@firma.example", "answer lost", "x\n"))
        hang_up_after_data(site, again)
        each_once(site)
        site.submit(ALICE, ADDRESSES, again)
        each_once(site)

    with tap.case("an equal text sent on purpose is a second message"):
        site.empty_out()
        for number in (1, 2):
            site.submit(ALICE, ADDRESSES, message(ALICE, "all@firma.example", "twice", "x\n"))
            site.arrived_for(number * len(PEOPLE))

    relay.shutdown()
