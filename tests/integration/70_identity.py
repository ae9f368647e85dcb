# SPDX-License-Identifier: Apache-2.0
"""Whose message is it: nobody is signed for but by themselves."""

from lib import ALICE, BOSS, opened_by, refused, script, stranger

from demo import people as cast
from demo.process import wait_for
from demo.site import as_bytes, message

POLICY = """\
internal domains "firma.example"
outgoing from "tickets@firma.example"     require smime, pgp  sign as from
outgoing subject has "[must be signed]"   require smime, pgp  sign
outgoing                                  require smime, pgp
"""
SOFIA = cast.SOFIA.address
TICKETS = cast.Person("tickets@firma.example", "Ticket System", smime="rsa:2048")


def send(site, sender, content, recipient=SOFIA):
    """Submits, and gives what arrived, opened; the headers too."""
    site.empty_out()
    site.submit(sender, recipient, as_bytes(content))
    copy = site.arrived(1)[0]
    return opened_by(site, recipient, copy), copy


def as_stranger(site, sender, recipient, content):
    """From a client at another address, as XCLIENT tells Postfix."""
    site.empty_out()
    with stranger(site) as smtp:
        smtp.sendmail(sender, [recipient], as_bytes(content))


def text(sender, recipient=SOFIA, subject="x"):
    return f"From: {sender}\nTo: {recipient}\nSubject: {subject}\nMessage-ID: <1@x>\n" \
           "Date: Wed, 25 Nov 2026 10:00:00 +0100\n\nGrüße\n"


with script() as tap, tap.site(people=cast.CAST + (TICKETS,), policy=POLICY) as site:
    with tap.case("alice as alice: signed"):
        assert send(site, ALICE, text(f"Alice <{ALICE}>"))[0].signers == [ALICE]

    with tap.case("alice's spelling does not matter"):
        assert send(site, "Alice@Firma.Example", text("ALICE@firma.example"))[0].signers == [ALICE]

    with tap.case("alice with From: boss is not signed, neither as boss nor as alice"):
        opened, _ = send(site, ALICE, text(f"Boss <{BOSS}>"))
        assert opened.layers == ["smime-encrypted"] and not opened.signers, opened

    with tap.case("boss's name, alice's address: signed as alice"):
        assert send(site, ALICE, text(f'"{BOSS}" <{ALICE}>'))[0].signers == [ALICE]

    with tap.case("two From lines; two addresses in From; a group: not signed"):
        for sender in (f"{ALICE}\nFrom: {BOSS}", f"{ALICE}, {BOSS}", f"Team: {ALICE}, {BOSS};",
                       "undisclosed:;"):
            opened, _ = send(site, ALICE, text(sender))
            assert opened.layers == ["smime-encrypted"] and not opened.signers, (sender, opened)

    with tap.case("a null sender is signed only where a rule says so"):
        opened, _ = send(site, "", text(ALICE))
        assert not opened.signers and opened.layers == ["smime-encrypted"], opened
        opened, _ = send(site, "", text(f"Tickets <{TICKETS.address}>"))
        assert opened.signers == [TICKETS.address], opened

    with tap.case("a sender without a key: encrypted, not signed"):
        opened, _ = send(site, cast.CARL.address, text(cast.CARL.address))
        assert opened.layers == ["smime-encrypted"], opened

    with tap.case("... and refused where the rule demands a signature"):
        code, _ = refused(send, site, cast.CARL.address,
                          text(cast.CARL.address, subject="[must be signed]"))
        assert code in (550, 554), code
        assert not site.postfix.in_queue()

    with tap.case("a stranger who writes as alice to boss: incoming, passed on, not signed"):
        content = text(ALICE, BOSS)
        as_stranger(site, ALICE, BOSS, content)
        copy = site.arrived(1)[0]
        assert copy.content.endswith(as_bytes(content)), copy.content
        wait_for(lambda: "client=stranger warning=own-name-from-outside" in site.sealpost.gateway_log(),
                 60, "the warning in the log")
        assert "client=network warning" not in site.sealpost.gateway_log()

    with tap.case("a stranger who writes to the world: not relayed"):
        code, _ = refused(as_stranger, site, ALICE, SOFIA, text(ALICE))
        assert code == 454 or code == 554, code

    with tap.case("headers that only we may set are removed"):
        content = text(ALICE, BOSS).replace("Subject:", "X-Sealpost-Incoming: all good\n"
                                            "x-sealpost-route: tls [localhost]:25\nSubject:")
        as_stranger(site, "mallory@web.example", BOSS, content)
        assert b"sealpost-" not in site.arrived(1)[0].content.lower()
        _, copy = send(site, ALICE, content.replace(f"To: {BOSS}", f"To: {SOFIA}"))
        assert b"sealpost-" not in copy.content.lower()

    with tap.case("what a client has encrypted end to end is left alone"):
        opened, copy = send(site, ALICE, text(ALICE))
        again = copy.content[copy.content.index(b"From: "):]
        site.empty_out()
        site.submit(ALICE, SOFIA, again)
        assert site.arrived(1)[0].content.endswith(again)
