# SPDX-License-Identifier: Apache-2.0
"""The portal's HTTP by raw sockets: what every parser must read alike, TLS, sizes, deadlines."""
import contextlib
import os
import re
import signal
import socket
import ssl
import time
import warnings

from portal_lib import Visitor, portal_script, read_all

from lib import BUILD

from demo.process import run, wait_for

LIMIT = 16 * 1024


def status(answer):
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found.group(1)) if found else None


def ended(sock):
    """Has the other side closed it?"""
    sock.settimeout(0.5)
    try:
        return sock.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def head(site, *lines, request="GET /login HTTP/1.1", host=True, body=b""):
    own = [f"Host: localhost:{site.port}".encode()] if host else []
    return b"\r\n".join([request.encode(), *own, *(
        line if isinstance(line, bytes) else line.encode() for line in lines)]) + b"\r\n\r\n" + body


def answers(site):
    with contextlib.suppress(OSError):
        return status(site.raw(head(site, "Connection: close"))) == 200


# What must never get a page. The expected status; None: nothing at all, the connection just ends.
FORM = "POST /login HTTP/1.1"
SMUGGLING = [
    ("Content-Length together with Transfer-Encoding", FORM,
     ["Content-Length: 4", "Transfer-Encoding: chunked"], {400}),
    ("two equal Content-Length", FORM, ["Content-Length: 3", "Content-Length: 3"], {400}),
    ("two differing Content-Length", FORM, ["Content-Length: 3", "Content-Length: 4"], {400}),
    ("Transfer-Encoding twice", FORM,
     ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], {400}),
    ("Transfer-Encoding alone", FORM, ["Transfer-Encoding: chunked"], {400}),
    ("Transfer-Encoding of another coding", FORM, ["Transfer-Encoding: gzip, chunked"], {400, None}),
    ("an unknown Transfer-Encoding", FORM, ["Transfer-Encoding: gurk"], {400, None}),
    ("Content-Length of 2^64-1", FORM, ["Content-Length: 18446744073709551615"], {400, 413, None}),
    ("a negative Content-Length", FORM, ["Content-Length: -1"], {400, None}),
    ("Content-Length with a plus sign", FORM, ["Content-Length: +3"], {400, None}),
    ("Content-Length as a list", FORM, ["Content-Length: 3, 3"], {400, None}),
    ("Content-Length in hex", FORM, ["Content-Length: 0x3"], {400, None}),
    ("a form without a length", FORM, [], {411}),
    ("a GET with a body", "GET /login HTTP/1.1", ["Content-Length: 3"], {400}),
    ("a blank before the colon", "GET /login HTTP/1.1", ["X-A : b"], {400}),
    ("an empty header name", "GET /login HTTP/1.1", [": b"], {400}),
    ("a header line without a colon", "GET /login HTTP/1.1", ["nonsense"], {400, None}),
    ("NUL in a value", "GET /login HTTP/1.1", [b"X-A: a\0b"], {400}),
    ("a bare CR in a value", "GET /login HTTP/1.1", [b"X-A: a\rX-B: b"], {400}),
    ("8-bit bytes in a value", "GET /login HTTP/1.1", [b"X-A: \xff"], {400}),
    ("NUL in a Content-Length", FORM, [b"Content-Length: 3\0 0"], {400}),
    ("bare LF as a line end", "GET /login HTTP/1.1", [b"X-A: a\nX-B: b"], {400}),
    ("a folded line", "GET /login HTTP/1.1", ["X-A: a\r\n b"], {400}),
    ("blanks around a value", "GET /login HTTP/1.1", ["X-A:  a "], {400}),
    ("two Host fields", "GET /login HTTP/1.1", ["Host: evil.example"], {400}),
    ("HTTP/1.0", "GET /login HTTP/1.0", [], {505}),
    ("HTTP/1.9", "GET /login HTTP/1.9", [], {505}),
    ("HTTP/2.0", "GET /login HTTP/2.0", [], {505}),
    ("absolute-form", "GET https://evil.example/login HTTP/1.1", [], {400}),
    ("asterisk-form", "OPTIONS * HTTP/1.1", [], {400, 405}),
    ("CONNECT", "CONNECT evil.example:443 HTTP/1.1", [], {400, 405}),
    ("another method", "DELETE /login HTTP/1.1", [], {405}),
    ("101 header fields", "GET /login HTTP/1.1", [f"X-{n}: b" for n in range(101)], {431}),
    ("a head of 40 KB", "GET /login HTTP/1.1", ["X-A: " + "b" * 40000], {400, 413, 431, None}),
    ("a path of 2 KB", "GET /" + "a" * 2048 + " HTTP/1.1", [], {400, 414, None}),
]

with portal_script() as (tap, site):
    visitor = Visitor(site)

    with tap.case("a plain request gets the page"):
        assert status(site.raw(head(site, "Connection: close"))) == 200
        assert status(site.raw(head(site, "Connection: close", "Accept-Language: ",
                                    request="GET /login?a=%20&b HTTP/1.1"))) == 200

    for what, request, lines, wanted in SMUGGLING:
        with tap.case(f"refused: {what}"):
            answer = site.raw(head(site, *lines, request=request, body=b"abc"), wait=3)
            assert status(answer) in wanted, answer[:300]
            # one answer (the library sends its own 400 twice): the rest was no second request
            assert len(set(re.findall(rb"HTTP/1\.1 \d+", answer))) <= 1, answer
            assert b"<form" not in answer

    with tap.case("a smuggled second request is never answered"):
        inner = head(site, request="GET /robots.txt HTTP/1.1")
        answer = site.raw(head(site, "Content-Length: 0", "Transfer-Encoding: chunked",
                               request=FORM, body=b"0\r\n\r\n" + inner), wait=3)
        assert status(answer) == 400 and answer.count(b"HTTP/1.1 ") == 1, answer
        assert b"Disallow" not in answer

    with tap.case("no Host, another Host, another port"):
        assert status(site.raw(head(site, host=False))) == 400
        for other in ("evil.example", f"evil.example:{site.port}", "localhost", "localhost:1"):
            got = site.raw(head(site, f"Host: {other}", "Connection: close", host=False))
            assert status(got) == 421, (other, got[:100])

    with tap.case("the fields that every answer has"):
        for path in ("/login", "/nothing", "/static/style.css", "/m/" + "A" * 43):
            fields = visitor.get(path).headers
            assert fields["Strict-Transport-Security"].startswith("max-age=31536000")
            assert fields["X-Content-Type-Options"] == "nosniff"
            assert fields["Referrer-Policy"] == "no-referrer"
            assert "default-src 'none'" in fields["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in fields["Content-Security-Policy"]
            assert "script-src" not in fields["Content-Security-Policy"]
            assert fields["X-Frame-Options"] == "DENY"
            assert fields["Server"] is None
        assert Visitor(site).get("/login").headers["Cache-Control"] == "no-store"

    with tap.case("the cookie: host only, secure, not for scripts, random"):
        cookies = {Visitor(site).get("/login").headers["Set-Cookie"] for _ in range(3)}
        assert len(cookies) == 3
        for cookie in cookies:
            assert re.fullmatch(r"__Host-sealpost=[\w-]{43}; Path=/; Secure; HttpOnly; "
                                r"SameSite=Lax", cookie), cookie
        assert Visitor(site).get("/static/style.css").headers["Set-Cookie"] is None

    with tap.case("languages: Accept-Language decides"):
        for language, word in (("de", "Anmelden"), ("de-AT,en;q=0.5", "Anmelden"),
                               ("en-GB", "Log in"), ("fr, en;q=0.3, de;q=0.2", "Log in"),
                               ("fr", "Anmelden"), ("", "Anmelden"), (";;q=,,", "Anmelden")):
            page = Visitor(site, language).get("/login")
            assert f"<h1>{word}</h1>" in page.text, (language, page.text)

    with tap.case("HEAD is a GET without its body"):
        answer = visitor.request("HEAD", "/login")
        assert answer.status == 200 and answer.body == b""

    with tap.case("paths: only exactly those that are there"):
        for path in ("//login", "/login/", "/LOGIN", "/%6cogin", "/login%00", "/m/", "/m/..",
                     "/static/../login", "/static/texts.ini", "/message/x/part/"):
            assert visitor.get(path).status == 404, path

    warnings.simplefilter("ignore", DeprecationWarning)
    with tap.case("TLS 1.0 and 1.1 are refused, 1.2 and 1.3 spoken"):
        for version, good in ((ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False),
                              (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            try:
                with site.connect(context) as sock:
                    spoken = sock.version()
            except (ssl.SSLError, ConnectionError):
                spoken = None
            assert bool(spoken) == good, (version, spoken)

    with tap.case("no suite without forward secrecy or with CBC"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for cipher in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
            context.set_ciphers(f"{cipher}:@SECLEVEL=0")
            try:
                with site.connect(context):
                    raise AssertionError(f"{cipher} was taken")
            except (ssl.SSLError, ConnectionError):
                pass

    with tap.case("a body over the limit is refused before it is read"):
        for size, wanted in ((LIMIT + 1, 413), (10 ** 12, 413)):
            answer = site.raw(head(site, f"Content-Length: {size}", request=FORM), wait=3)
            assert status(answer) == wanted, answer[:200]
        assert status(site.raw(head(
            site, f"Content-Length: {LIMIT}", "Connection: close", request=FORM,
            body=b"a" * LIMIT))) == 400

    with tap.case("not a form: refused"):
        visitor.get("/login")
        for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json"):
            answer = visitor.post("/login", address="a", headers={"Content_Type": kind})
            assert answer.status == 400, kind
        for body in ("csrf=%zz", "csrf=%00", "csrf=%ff%fe", "a=1&a=2",
                     "&".join(f"f{n}=1" for n in range(40))):
            answer = visitor.request("POST", "/login", body,
                                     Content_Type="application/x-www-form-urlencoded")
            assert answer.status == 400, body

    with tap.case("a client that dribbles is cut off at the deadline"):
        start = time.monotonic()
        slow, silent = site.connect(), site.connect()
        half_body = site.connect()
        half_body.sendall(head(site, "Content-Length: 1000", request=FORM, body=b"a" * 10))
        plain = socket.create_connection(("127.0.0.1", site.port))  # no TLS handshake at all
        try:
            for byte in head(site, "X-Slow: " + "a" * 200):
                slow.sendall(bytes([byte]))
                half_body.sendall(b"b")
                time.sleep(0.25)
                assert time.monotonic() - start < 90, "still connected after 90 s"
            raise AssertionError("it was let finish")
        except (ssl.SSLError, ConnectionError):
            pass
        assert time.monotonic() - start > 15, time.monotonic() - start
        for sock in (silent, half_body, plain):
            sock.settimeout(60)
            assert read_all(sock) == b""
            sock.close()
        assert time.monotonic() - start < 150
        assert visitor.get("/login").status == 200

    with tap.case("one address gets only so many connections, and they come free again"):
        site.stop()
        site.set(connections_per_address=5)
        site.start()
        held = []
        try:
            with contextlib.suppress(OSError):
                for _ in range(12):
                    held.append(site.connect())
                    held[-1].sendall(b"G")
            held = [sock for sock in held if not ended(sock)]
            assert 1 <= len(held) <= 5, len(held)
        finally:
            for sock in held:
                sock.close()
        wait_for(lambda: answers(site), 60, "a free place")

    with tap.case("SIGHUP: the renewed certificate for new connections, a broken one is refused"):
        def serial(sock):
            return sock.getpeercert()["serialNumber"]
        first = site.connect()
        chain = site.authority.server("localhost").read_bytes()
        (site.folder / "portal.pem").write_bytes(b"broken")
        site.child.signal(signal.SIGHUP)
        wait_for(lambda: "old certificate stays" in site.log.read_text(), 60, "a line in the log")
        with site.connect() as sock:
            assert serial(sock) == serial(first)
        (site.folder / "portal.pem").write_bytes(chain)
        for _ in range(3):
            site.child.signal(signal.SIGHUP)
        wait_for(lambda: "certificate read anew" in site.log.read_text(), 60, "a line in the log")
        with site.connect() as sock:
            assert serial(sock) != serial(first)
        first.sendall(head(site, "Connection: close"))
        assert status(read_all(first)) == 200
        assert answers(site)

    with tap.case("SIGHUP gives nobody more connections: those of before count, and come free"):
        site.stop()
        site.set(connections=6)
        site.start()
        held = []

        def hold():
            with contextlib.suppress(OSError):
                held.append(site.connect())
                held[-1].sendall(b"G")
        try:
            for _ in range(3):
                for _ in range(4):
                    hold()
                before = site.log.read_text().count("certificate read anew")
                site.child.signal(signal.SIGHUP)
                wait_for(lambda: site.log.read_text().count("certificate read anew") > before, 60,
                         "a line in the log")
            for _ in range(12):
                hold()
            open_now = sum(not ended(sock) for sock in held)
            assert len(held) >= 4 and open_now <= 6, (len(held), open_now)
        finally:
            for sock in held:
                sock.close()
        wait_for(lambda: answers(site), 60, "a free place")

    with tap.case("what it cannot start with is said, with the file's or the setting's name"):
        def start(exit_status, word, **settings):
            conf = site.folder / "wrong.conf"
            conf.write_text("\n".join(["[portal]", *(f"{k} = {v}" for k, v in {
                "listen": f"inet:127.0.0.1:{site.new_port()}", "url": site.url, "certificate": "portal.pem",
                "key": "portal.pem", "user": "" if os.geteuid() else "root", **settings}.items())]) + "\n")
            done = run([BUILD / "portal/sealpost-portal", "--config", conf], check=False)
            assert done.returncode == exit_status, (done.returncode, done.stderr)
            assert word in done.stderr.decode(), done.stderr
        (site.folder / "open.pem").write_bytes((site.folder / "portal.pem").read_bytes())
        (site.folder / "open.pem").chmod(0o644)
        (site.folder / "no.pem").write_text("nothing")
        start(78, "open.pem", key="open.pem")
        if os.geteuid() == 0:
            start(78, "started as root", user="")
        start(78, "certificate and key", certificate="no.pem")
        start(78, "[portal] url", url="http://localhost")
        start(78, "[portal] url", url=site.url + "/portal")
        start(78, "[portal] imprint", imprint="javascript:alert(1)")
        start(78, "[portal] privacy", privacy="/privacy")
        start(78, '[portal] languages: "fr" is none of', languages="de, fr")
        start(78, "colour", colour="blue")
        start(78, "[portal] certificate: ", certificate="missing.pem")
        start(71, str(site.port), listen=f"inet:127.0.0.1:{site.port}")

    with tap.case("the log has no paths"):
        log = site.log.read_text()
        assert "GET login 200" in log and "/login" not in log and "/m/" not in log
