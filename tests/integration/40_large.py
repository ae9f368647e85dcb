# SPDX-License-Identifier: Apache-2.0
"""An attachment of 30 MB on every way, byte for byte; and the size that is too much, to the byte."""
import hashlib
import os
import smtplib

from lib import ALICE, accepted, copy_for, opened_by, refused, script

from demo import people as cast
from demo.site import as_bytes, message

DATA = os.urandom(30 * 1024 * 1024)


def attachment_hash(opened):
    part = next(opened.mail.iter_attachments())
    assert part.get_filename() == "Daten für März.bin"
    return hashlib.sha256(part.get_payload(decode=True)).hexdigest()


def large():
    mail = message(ALICE, "everybody@firma.example", "groß", "siehe Anhang\n")
    mail.add_attachment(DATA, "application", "octet-stream", filename="Daten für März.bin")
    return as_bytes(mail)


LIMIT = 400 * 1024
# As doc/postfix.md has it: 250 MB in the queue for 100 MB at the listeners and message_limit.
QUEUE = LIMIT * 5 // 2
SIGNED = 'internal domains "firma.example"\noutgoing to "web.example" plain sign\noutgoing require smime, pgp, portal\n'


def of_size(size, to, subject, body):
    """A message of that many bytes whose text grows as much as any: cyclically these bytes, 60 a line."""
    head = (f"From: {ALICE}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x>\r\n"
            "Date: Wed, 25 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=iso-8859-1\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n").encode()
    line = (body * 60)[:60] + b"\r\n"
    text = line * ((size - len(head)) // len(line))
    rest = size - len(head) - len(text)
    return head + text + (b"x" * (rest - 2) + b"\r\n" if rest > 1 else b"x" * rest)


def at_the_limit(tap):
    people = {"smime": cast.SOFIA, "pgp": cast.PETER, "signed": cast.OTTO, "portal": cast.VERA}
    # Every byte to be quoted; one in three, the most that stays quoted-printable; none.
    bodies = {"base64": b"\xe4\xf6\xfc", "quoted": b"ab\xe4", "ascii": b"abc"}
    with tap.site(policy=SIGNED, settings={"gateway": {"message_limit": str(LIMIT)}},
                  postfix_settings={"message_size_limit": str(QUEUE)}) as site:
        for way, person in people.items():
            with tap.case(f"{way}: as large as message_limit allows, whatever it grows by; not a byte more"):
                for kind, body in bodies.items():
                    sent = of_size(LIMIT, person.address, f"{way}-{kind}", body)
                    assert len(sent) == LIMIT
                    site.submit(ALICE, person.address, sent)
                    copy = site.arrived(1)[0]
                    assert way == "portal" or len(copy.content) > LIMIT
                    if way != "portal":
                        text = opened_by(site, person, copy).mail.get_payload(decode=True)
                        assert text.rstrip() == sent.split(b"\r\n\r\n", 1)[1].rstrip()
                    site.empty_out()
                code, words = refused(site.submit, ALICE, person.address,
                                      of_size(LIMIT + 1, person.address, f"{way}-over", b"abc"))
                assert code == 552 and words.startswith("5.3.4"), (code, words)
                assert not site.outbox.copies() and not site.postfix.in_queue()


with script() as tap, tap.site() as site:
    want = hashlib.sha256(DATA).hexdigest()

    with tap.case("30 MB to four people on four ways at once"):
        people = [cast.SOFIA, cast.PETER, cast.VERA, cast.OTTO]
        # a slow machine needs more than one go; what left in the first stays done
        accepted(site.submit, ALICE, [person.address for person in people], large())
        copies = site.arrived(4)
        for person in people[:3]:
            assert attachment_hash(opened_by(site, person, copy_for(copies, person))) == want, person
        assert len(copy_for(copies, cast.OTTO).content) < 100_000

    with tap.case("30 MB in place, one recipient"):
        site.empty_out()
        accepted(site.submit, ALICE, cast.SOFIA.address, large())
        assert attachment_hash(opened_by(site, cast.SOFIA, site.arrived(1)[0])) == want

    with tap.case("nothing of it is left on the disk"):
        spool = site.sealpost.folder / "spool"
        assert not [p for p in spool.rglob("*") if p.is_file()], list(spool.rglob("*"))

    with tap.case("over the listener's limit: refused before the data"):
        with smtplib.SMTP("127.0.0.1", site.smtp_port) as smtp:
            smtp.ehlo()
            assert smtp.mail(ALICE, ["SIZE=200000000"])[0] == 552

    at_the_limit(tap)
