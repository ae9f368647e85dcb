# SPDX-License-Identifier: Apache-2.0
"""An attachment of 30 MB on every way, byte for byte; and the size that is too much."""
import hashlib
import os
import smtplib

from lib import ALICE, accepted, copy_for, opened_by, script

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
