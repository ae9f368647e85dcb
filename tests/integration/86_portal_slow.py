# SPDX-License-Identifier: Apache-2.0
"""A recipient who fetches many messages at once, and slowly, holds only so many opened copies."""
import contextlib
import os
import socket

from portal_lib import OTTO, Visitor, mail, portal_script

from demo.process import wait_for

VERA = "vera@web.example"
MESSAGES, ALLOWED = 15, 12
SIZE = 8 << 20


def opened_copies(site):
    """How many opened messages the portal holds outside of memory."""
    folder = f"/proc/{site.child.pid}/fd"
    links = []
    for number in os.listdir(folder):
        with contextlib.suppress(OSError):
            links.append(os.readlink(f"{folder}/{number}"))
    return sum("/run/portal" in link and "(deleted)" in link for link in links)


def fetch_slowly(site, visitor, number):
    """A download of which almost nothing is read; the first line of its answer."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.settimeout(60)
    raw.connect(("127.0.0.1", site.port))
    sock = site.tls.wrap_socket(raw, server_hostname="localhost")
    sock.sendall(f"GET /message/{number}/mail HTTP/1.1\r\nHost: localhost:{site.port}\r\n"
                 f"Cookie: {visitor.cookie}\r\n\r\n".encode())
    return sock, sock.recv(12)


with portal_script() as (tap, site):
    otto, vera = Visitor(site), Visitor(site)
    otto.open_link(site.deposit(mail(attachment=os.urandom(SIZE)), "0"))
    for digest in range(1, MESSAGES):
        site.deposit(mail(attachment=os.urandom(SIZE)), str(digest))
    vera.open_link(site.deposit(mail(), "v", recipient=VERA))
    ids = [row[0] for row in site.sql("SELECT id FROM message WHERE recipient = ?", OTTO)]
    held = []

    with tap.case(f"{MESSAGES} slow downloads: {ALLOWED} go on, the others are told to come later"):
        answers = []
        for message in ids:
            sock, line = fetch_slowly(site, otto, message)
            held.append(sock)
            answers.append(line.split()[-1])
        assert answers == [b"200"] * ALLOWED + [b"503"] * (MESSAGES - ALLOWED), answers
        assert opened_copies(site) == ALLOWED, opened_copies(site)

    with tap.case("others are not hindered"):
        assert vera.get("/").status == 200
        vera_id = site.sql("SELECT id FROM message WHERE recipient = ?", VERA)[0][0]
        assert vera.get(f"/message/{vera_id}").status == 200

    with tap.case("ended downloads give their places back"):
        for sock in held:
            sock.close()
        wait_for(lambda: otto.get(f"/message/{ids[-1]}").status == 200, 60, "a place")
        wait_for(lambda: opened_copies(site) == 2, 60, "the copies gone")  # one a session
