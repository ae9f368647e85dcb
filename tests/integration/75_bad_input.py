# SPDX-License-Identifier: Apache-2.0
"""What a hostile or broken client can send: protected or refused, never in the clear, never a crash.

Every message goes to one recipient with a certificate and one for the portal, so that the whole
way is walked; the mark in each must not be readable in anything that leaves.
"""
import base64
import email
import email.policy
import smtplib
import socket

from lib import ALICE, opened_by, script

from demo import people as cast
from demo.process import wait_for
from demo.site import as_bytes

MARK = b"Zwetschgenmus"
TO = [cast.SOFIA.address, cast.OTTO.address]
HEAD = f"From: {ALICE}\nTo: {', '.join(TO)}\nMessage-ID: <{{0}}@x>\nSubject: x\n".encode()
MIXED = b"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"


def nested(levels):
    text = b"Content-Type: text/plain\n\n" + MARK + b"\n"
    for level in range(levels):
        text = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n%s\n--b%d--\n" % (
            level, level, text, level)
    return b"MIME-Version: 1.0\n" + text


def armour(kind):
    return b"-----BEGIN PGP %s-----\n\n%s\n-----END PGP %s-----\n" % (
        kind, base64.b64encode(MARK * 9), kind)


CASES = {
    "ten thousand header fields": b"".join(b"X-%d: y\n" % n for n in range(10_000)) + b"\n" + MARK,
    "a header line of 1 MB": b"X-Long: " + b"y" * 1_000_000 + b"\n\n" + MARK,
    "a folded header of 1 MB": b"X-Long: z\n" + b" folded further\n" * 60_000 + b"\n" + MARK,
    "NUL bytes": b"X-Nul: a\0b\n\n" + MARK + b"\0\0\n",
    "8-bit bytes in header names": b"X-\xc3\xbc: y\n\xff\xfe: z\n\n" + MARK,
    "a line that is no header": b"what is this\n\n" + MARK,
    "no body at all": b"",
    "multipart without a boundary": b"MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n" + MARK,
    "multipart without its parts": MIXED + b"\n" + MARK,
    "multipart that never ends": MIXED + b"\n--b\n\n" + MARK + b"\n--b\nContent-Type: text/html",
    "a thousand levels": nested(1000),
    "ten thousand parts": MIXED + b"\n" + b"--b\n\n" + MARK + b"\n--b\n\nx" * 10_000 + b"\n--b--\n",
    "two Content-Type fields": b"Content-Type: text/plain\n" + MIXED + b"\n--b\n\n" + MARK,
    "garbage in Content-Type": b"Content-Type: ;;=\"\\\n\n" + MARK,
    "an unknown transfer encoding": b"Content-Transfer-Encoding: x-rot13\n\n" + MARK,
    "broken base64": b"Content-Transfer-Encoding: base64\n\n!!!!" + MARK + b"\n",
    "a charset that nobody has": b"Content-Type: text/plain; charset=\"\xc3\xbc\0x\"\n\n" + MARK,
    "pretends to be S/MIME": b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n"
                             b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(MARK * 9),
    "pretends to be PGP/MIME": b"MIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary=b;\n"
                               b" protocol=\"application/pgp-encrypted\"\n\n--b\n"
                               b"Content-Type: application/pgp-encrypted\n\nVersion: 1\n\n--b\n"
                               b"Content-Type: application/octet-stream\n\n" + armour(b"MESSAGE")
                               + b"\n--b--\n",
    "pretends to be inline PGP": b"\n" + armour(b"MESSAGE") + MARK,
    "pretends to be signed": b"MIME-Version: 1.0\nContent-Type: multipart/signed; boundary=b;\n"
                             b" protocol=\"application/pkcs7-signature\"; micalg=sha-256\n\n--b\n\n"
                             + MARK + b"\n--b\nContent-Type: application/pkcs7-signature\n\nAAAA\n--b--\n",
    "line ends in encoded words": b"Subject: =?utf-8?q?a=0D=0ABcc:_evil=40web.example=0D=0A=0D=0Ax?=\n"
                                  b"X-Sealpost-Route: tls [localhost]:1\nReply-To: =?utf-8?b?DQpYOiB5?=\n"
                                  b"\n" + MARK,
}


def give(site, content):
    """True if it was taken. A refusal is fine, a lost connection is not."""
    try:
        site.submit(ALICE, TO, content)
    except smtplib.SMTPResponseException as error:
        assert error.smtp_code in (550, 552, 554, 451), error
        return False
    return True


def no_header_of(content, name):
    mail = email.message_from_bytes(content, policy=email.policy.compat32)
    assert mail[name] is None, f"{name}: {mail[name]}"


def check(site, copies):
    for copy in copies:
        assert MARK not in copy.content and base64.b64encode(MARK)[:12] not in copy.content, copy
        no_header_of(copy.content, "Bcc")
        no_header_of(copy.content, "X")
        no_header_of(copy.content, "X-Sealpost-Route")
        if cast.SOFIA.address in copy.recipients:
            opened = opened_by(site, cast.SOFIA, copy, layers=2)
            assert opened.layers[:1] == ["smime-encrypted"], opened.layers


def raw(site, data):
    """Bytes after DATA as they are, over a bare socket; the server's answer to them."""
    with socket.create_connection(("127.0.0.1", site.smtp_port), timeout=300) as sock:
        stream = sock.makefile("rb")
        stream.readline()
        for line in ("HELO x", f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{TO[0]}>", "DATA"):
            sock.sendall(line.encode() + b"\r\n")
            answer = stream.readline()
            assert answer[:1] in b"23", answer
        sock.sendall(data + b"\r\n.\r\n")
        return stream.readline()


with script() as tap, tap.site() as site:
    pid = site.sealpost.gateway.pid
    for number, (name, content) in enumerate(CASES.items()):
        with tap.case(name):
            head = HEAD.replace(b"{0}", b"%d" % number)
            if b"Subject:" in content:
                head = head.replace(b"Subject: x\n", b"")
            taken = give(site, as_bytes(head + content))
            check(site, site.arrived_for(2 if taken else 0))
            site.empty_out()

    with tap.case("bare CR and bare LF"):
        head = as_bytes(HEAD.replace(b"{0}", b"bare"))
        for body in (b"\r\na\rb" + MARK, b"\r\na\nb" + MARK, b"Y: y\rBcc: evil@web.example\r\n\r\n" + MARK):
            if raw(site, head + body).startswith(b"250"):
                check(site, site.arrived_for(1))
            site.empty_out()

    with tap.case("addresses that are hard to read"):
        for address in ('"a b"@smime.example', '"a\\"b"@smime.example', "a!b@smime.example",
                        "@relay.example:sofia@smime.example", "x" * 64 + "@smime.example"):
            try:
                site.submit(ALICE, [address], as_bytes(HEAD + b"\n" + MARK))
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException):
                continue
            wait_for(site.outbox.copies, 60, f"something for {address}")
            check(site, site.arrived_for(1))
            site.empty_out()

    with tap.case("it is still the same gateway, and it works"):
        assert site.sealpost.gateway.running() and site.sealpost.gateway.pid == pid
        site.submit(ALICE, TO[:1], as_bytes(HEAD + b"\nall well\n"))
        assert opened_by(site, cast.SOFIA, site.arrived(1)[0]).signers == [ALICE]
