# SPDX-License-Identifier: Apache-2.0
"""What we send is read by implementations that share no code with ours: gpgsm and Sequoia's sq."""
import contextlib
import email

from foreign import Gpgsm, sq_opened
from lib import ALICE, copy_for, script

from demo import people as cast
from demo.opening import entity_of, split, unprotected
from demo.process import Failed
from demo.site import as_bytes, message

SOFIA, PETER = cast.SOFIA.address, cast.PETER.address


def must_fail(call, *args):
    try:
        call(*args)
    except Failed:
        return
    raise AssertionError("a changed message was taken for good")


with script() as tap, tap.site() as site:
    mail = message(ALICE, f"{SOFIA}, {PETER}", "Grüße", "Äpfel und Birnen\n")
    mail.add_attachment(bytes(range(256)) * 200, "application", "octet-stream", filename="Öl.bin")
    sent = as_bytes(mail)
    site.submit(ALICE, [SOFIA, PETER], sent)
    copies = site.arrived(2)

    with tap.case("gpgsm decrypts and verifies S/MIME"):
        sealed = split(copy_for(copies, SOFIA).content)[1]
        with contextlib.closing(Gpgsm(site, SOFIA, [ALICE])) as gpgsm:
            assert unprotected(gpgsm.opened(sealed)) == entity_of(sent)
            must_fail(gpgsm.opened, sealed[:2000] + b"AAAA" + sealed[2004:])

    with tap.case("sq decrypts and verifies PGP"):
        parts = email.message_from_bytes(copy_for(copies, PETER).content).get_payload()
        armour = parts[1].get_payload(decode=True)
        assert unprotected(sq_opened(site, PETER, ALICE, armour)) == entity_of(sent)
        must_fail(sq_opened, site, PETER, cast.BOSS, armour)
