# SPDX-License-Identifier: Apache-2.0
"""A virus scanner behind the gateway, as doc/postfix.md has it: what is hidden in encrypted mail is seen
by it and refused while the sender waits, and nobody gets the message."""
import time

import scanner
from foreign import entity, gpg_encrypted, mail, openssl_encrypted, openssl_signed, sq_encrypted
from lib import ALICE, BOSS, refused, script, stranger

from demo import people as cast
from demo.ports import Ports
from demo.site import as_bytes, message

POLICY = 'internal domains "firma.example"\noutgoing require smime, pgp\n'
SOFIA, PETER = cast.SOFIA.address, cast.PETER.address
VIRUS, CLEAN = scanner.attachment(), entity("Nothing bad in here.\r\n")


def from_outside(site, sender, recipients, content):
    """From a client at another address, as XCLIENT tells Postfix."""
    with stranger(site) as smtp:
        smtp.sendmail(sender, recipients, as_bytes(content))


def forms(site):
    """(name, sender, how to make it of an entity for these recipients)"""
    return [
        ("plain", SOFIA, lambda inner, to: inner),
        ("S/MIME, encrypted", SOFIA, lambda inner, to: openssl_encrypted(site, to, inner)),
        ("S/MIME, GCM", SOFIA,
         lambda inner, to: openssl_encrypted(site, to, inner, "-aes-256-gcm")),
        ("S/MIME, signed and encrypted", SOFIA, lambda inner, to: openssl_encrypted(
            site, to, openssl_signed(site, SOFIA, inner))),
        ("S/MIME, opaque signed", SOFIA,
         lambda inner, to: openssl_signed(site, SOFIA, inner, opaque=True)),
        ("PGP by gpg", PETER, lambda inner, to: gpg_encrypted(site, PETER, to, inner)),
        ("PGP by sq", PETER, lambda inner, to: sq_encrypted(site, PETER, to, inner)),
    ]


def nobody_got_it(site):
    site.postfix.wait_empty()
    time.sleep(0.5)
    assert not site.outbox.copies(), site.outbox.copies()


def run(tap, site, found):
    for name, sender, make in forms(site):
        with tap.case(f"{name}: the clean message arrives, the virus is refused and nobody gets it"):
            site.empty_out()
            found.seen.clear()
            from_outside(site, sender, [ALICE], mail(sender, [ALICE], make(CLEAN, [ALICE])))
            assert b"Nothing bad" in site.arrived(1)[0].content
            assert [bad for _, bad in found.seen] == [False], found.seen
            site.empty_out()
            content = mail(sender, [ALICE], make(VIRUS, [ALICE]))
            assert scanner.infected(content) == (name == "plain")
            code, text = refused(from_outside, site, sender, [ALICE], content)
            assert code == 550 and "5.7.1" in text and "Virus" in text, (code, text)
            assert [bad for _, bad in found.seen] == [False, True], found.seen
            nobody_got_it(site)
    for name, sender, make in forms(site)[1:]:
        if "opaque" in name:
            continue
        with tap.case(f"{name}, to two of whom one has the key: neither gets it"):
            site.empty_out()
            content = mail(sender, [BOSS, ALICE], make(VIRUS, [ALICE]))
            for recipients in ([BOSS, ALICE], [ALICE, BOSS]):
                code, text = refused(from_outside, site, sender, recipients, content)
                assert code == 550 and "5.7.1" in text, (code, text)
                nobody_got_it(site)
            from_outside(site, sender, [BOSS, ALICE],
                         mail(sender, [BOSS, ALICE], make(CLEAN, [ALICE])))
            assert len(site.arrived(2)) == 2
    with tap.case("for somebody without the key: it stays shut, and arrives"):
        site.empty_out()
        content = mail(SOFIA, [BOSS], openssl_encrypted(site, [ALICE], VIRUS))
        from_outside(site, SOFIA, [BOSS], content)
        assert not scanner.infected(site.arrived(1)[0].content)
    with tap.case("outgoing, from a client that is logged in: seen before it is encrypted"):
        site.empty_out()
        content = mail(ALICE, [SOFIA], VIRUS)
        code, text = refused(site.submit_as, ALICE, ALICE, [SOFIA], content)
        assert code == 550 and "Virus" in text, (code, text)
        nobody_got_it(site)
        site.submit_as(ALICE, ALICE, [SOFIA], message(ALICE, SOFIA, "x", "Nothing bad\n"))
        assert b"pkcs7-mime" in site.arrived(1)[0].content


def main():
    ports = Ports()
    found = scanner.Scanner(ports.next())
    try:
        with script() as tap, tap.site(people=cast.CAST, policy=POLICY, portal=False,
                                       postfix_settings={"scanner_milter": found.milter}) as site:
            run(tap, site, found)
    finally:
        found.close()
        ports.close()


main()
