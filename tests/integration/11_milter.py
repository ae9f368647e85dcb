# SPDX-License-Identifier: Apache-2.0
"""The milter's socket, spoken to without an MTA: what an MTA says of one client or message must not
count for another, hang-ups, many connections at once, and programs that do not speak the protocol."""
import json
import re
import signal
import socket
import struct
import time

from lib import ALICE, script

from demo import people as cast
from demo.process import wait_for

STRANGER, LOOPBACK, OUTSIDE = b"203.0.113.9", b"127.0.0.1", "x@outside.example"
# Version 6 as Postfix offers it.
OFFER = struct.pack(">III", 6, 0x1ff, 0x1fffff)
NR_HDR, LEADSPC = 0x80, 0x100000
HEADERS = [(b"From", ALICE.encode()), (b"To", b"someone"), (b"Subject", b"x"),
           (b"Message-ID", b"<1@outside.example>")]
MANY = 150
# The stages of the lists of macros, by the command that they come with.
STAGES = {"C": 0, "M": 2, "R": 3}


def packet(code, data=b""):
    return struct.pack(">I", 1 + len(data)) + code + data


def strings(*words):
    return b"".join(word + b"\0" for word in words)


def connect(address=STRANGER, family=b"4"):
    return packet(b"C", strings(b"client.example") + family + struct.pack(">H", 4711) + strings(address))


def content(queue_id=b"4abc"):
    fields = b"".join(packet(b"D", b"L" + strings(b"i", queue_id)) +
                      packet(b"L", strings(name, b" " + value)) for name, value in HEADERS)
    return (fields + packet(b"D", b"N" + strings(b"i", queue_id)) + packet(b"N") +
            packet(b"B", b"Hello.\r\n"))


class Mta:
    """One connection, as Postfix has it."""

    def __init__(self, where, offer=OFFER, client=connect()):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(where)
        if not offer:
            return
        self.send(packet(b"O", offer))
        code, data = self.read()
        assert code == b"O", code
        self.options = struct.unpack(">III", data[:12])[2]
        lists = re.findall(rb"(?s)(.{4})([^\0]*)\0", data[12:])
        self.asked = {struct.unpack(">I", stage)[0]: names.decode().split() for stage, names in lists}
        if client:
            self.send(client)

    def macros(self, command, known):
        """Of those that were asked for, those that have a value: Postfix sends no others, and an empty
        list where there are none."""
        known = {"j": "mx.firma.example", **known}
        pairs = [word.encode() for name in self.asked[STAGES[command]] if name in known
                 for word in (name, known[name])]
        return packet(b"D", command.encode() + strings(*pairs))

    def envelope(self, sender, recipients, login="", hops=None):
        mail = {"{auth_authen}": login} if login else {}
        said = self.macros("M", mail) + packet(b"M", strings(b"<%s>" % sender.encode()))
        for recipient in recipients:
            hop = (hops or {}).get(recipient)
            said += self.macros("R", {"{rcpt_host}": hop} if hop else {})
            said += packet(b"R", strings(b"<%s>" % recipient.encode()))
        return said

    def send(self, data):
        self.socket.sendall(data)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            got = self.socket.recv(size - len(data))
            if not got:
                raise EOFError
            data += got
        return data

    def read(self):
        size, code = struct.unpack(">Ic", self._exactly(5))
        return code, self._exactly(size - 1)

    def verdict(self):
        """(what it is, the edits before it)."""
        edits = []
        while True:
            code, data = self.read()
            if code in b"cadrty":
                return code + data, edits
            edits.append((code, data))

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def logged(site, queue_id):
    """The log's line of that message."""
    found = []

    def is_there():
        found[:] = re.findall(rf"id={queue_id} to=.*", site.sealpost.gateway_log())
        return found
    wait_for(is_there, 60, f"{queue_id} in the log")
    return found[0]


def unhurt(site, where):
    """Whatever came before: the next message goes through, encrypted."""
    assert site.sealpost.gateway.running(), "it has ended"
    with Mta(where, client=connect(LOOPBACK)) as mta:
        mta.send(mta.envelope(ALICE, [cast.SOFIA.address]) + content() + packet(b"E"))
        verdict, edits = mta.verdict()
    assert verdict == b"c", verdict
    assert not any(code == b"b" and b"Hello" in data for code, data in edits), edits
    assert any(b"application/pkcs7-mime" in data for code, data in edits if code != b"b"), edits


def strange(where, said):
    """Somebody who says this and hangs up."""
    with Mta(where, offer=None) as mta:
        mta.send(said)
        mta.socket.shutdown(socket.SHUT_WR)
        try:
            while mta.socket.recv(4096):
                pass
        except ConnectionResetError:
            pass


with script() as tap, tap.site(people=(cast.ALICE, cast.SOFIA, cast.PETER, cast.CARL)) as site:
    where = str(site.sealpost.socket)

    with tap.case("a message goes through, encrypted; the MTA need not wait in between"):
        with Mta(where) as mta:
            assert mta.options & LEADSPC and mta.options & NR_HDR, mta.options
            assert "{auth_authen}" in mta.asked[STAGES["M"]], mta.asked
        unhurt(site, where)

    with tap.case("a login counts for its message, not for the next one of the session"):
        for end in (packet(b"E"), packet(b"A")):
            name = "4end" + chr(end[4])
            with Mta(where) as mta:
                mta.send(mta.envelope(OUTSIDE, [ALICE], login="alice") + content(b"4login") + end)
                if end == packet(b"E"):
                    mta.verdict()
                    assert "client=login" in logged(site, "4login")
                mta.send(mta.envelope(OUTSIDE, [ALICE]) + content(name.encode()) + packet(b"E"))
                mta.verdict()
            assert "client=stranger" in logged(site, name)

    with tap.case("... nor a next hop for the next recipient: no list is empty, which libmilter overlooks"):
        with Mta(where) as mta:
            for command in "CMR":
                assert len(mta.macros(command, {})) > len(packet(b"D", b"M")), command

    with tap.case("a key that is deleted while the message comes in is not used"):
        with Mta(where, client=connect(LOOPBACK)) as mta:
            mta.send(mta.envelope(ALICE, [cast.PETER.address]))
            time.sleep(1)  # it has been looked up
            found = json.loads(site.sealpost.run("key", "list", "--json", cast.PETER.address).stdout)
            site.sealpost.run("key", "delete", found[0]["id"])
            mta.send(content(b"4deleted") + packet(b"E"))
            assert mta.verdict()[0] == b"d"
        assert "way=portal" in logged(site, "4deleted")
        site.arrived(1)
        site.empty_out()

    with tap.case("clients: IPv6, with its prefix and without; one without an address is a stranger"):
        for number, (client, word) in enumerate((
                (connect(b"::1", b"6"), "network"), (connect(b"IPv6:0:0::1", b"6"), "network"),
                (connect(b"2001:db8::1", b"6"), "stranger"),
                (packet(b"C", strings(b"localhost") + b"U"), "stranger"),
                (packet(b"C", strings(b"localhost") + b"L\0\0" + strings(b"/x")), "stranger"))):
            with Mta(where, client=client) as mta:
                mta.send(mta.envelope(OUTSIDE, [ALICE]) + content(b"4client%d" % number) + packet(b"E"))
                mta.verdict()
            assert f"client={word}" in logged(site, f"4client{number}"), client

    with tap.case("the MTA hangs up before its answer: nothing leaves by another door"):
        gateway = site.sealpost.gateway
        with Mta(where, client=connect(LOOPBACK)) as mta:
            mta.send(mta.envelope(ALICE, [cast.SOFIA.address, cast.OTTO.address]))
            gateway.signal(signal.SIGSTOP)
            try:
                mta.send(content(b"4gone") + packet(b"E"))
                mta.close()
            finally:
                gateway.signal(signal.SIGCONT)
        unhurt(site, where)
        assert not site.outbox.copies()

    with tap.case("programs that do not speak the protocol, or not in order: nothing happens"):
        begun = packet(b"O", OFFER) + connect(LOOPBACK)
        message = packet(b"M", strings(b"<x@y>")) + packet(b"R", strings(b"<x@y>")) + content()
        for said in (b"", b"GET / HTTP/1.0\r\n\r\n", packet(b"O", OFFER[:11]), packet(b"?"),
                     *(packet(bytes([code]), strings(b"<x@y>", b"x")) for code in b"ABCDEHKLMNOQRTU"),
                     message + packet(b"E"), connect() + message + packet(b"E"),
                     begun + packet(b"C", b"name"), begun + packet(b"R", strings(b"<x@y>")),
                     begun + message + packet(b"E") + begun + message + packet(b"E"),
                     # another client by the same connection
                     begun + message + packet(b"E") + packet(b"K") + connect() + message + packet(b"E")):
            strange(where, said)
        unhurt(site, where)

    with tap.case("many connections that say nothing hold up nobody"):
        idle = [Mta(where) for _ in range(MANY)]
        unhurt(site, where)
        for mta in idle:
            mta.send(mta.envelope(OUTSIDE, [ALICE]) + content() + packet(b"E"))
        assert [mta.verdict()[0] for mta in idle] == [b"c"] * MANY
        for mta in idle:
            mta.close()

    with tap.case("told to end with connections open: it ends"):
        idle = [Mta(where) for _ in range(3)]
        idle[1].send(idle[1].envelope(ALICE, [cast.SOFIA.address]) + content())
        assert site.sealpost.gateway.stop() == 0
