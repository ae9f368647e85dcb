# SPDX-License-Identifier: Apache-2.0
"""opendkim signs after us, on both listeners: what arrives encrypted verifies."""

from lib import ALICE, BOSS, opened_by, script, stranger

from demo import people as cast
from demo.process import run
from demo.site import as_bytes, message


def forged(site):
    """In the name of one of ours, by a client outside, encrypted to alice."""
    entity = run(["openssl", "cms", "-encrypt", "-aes256", site.cabinet(cast.ALICE, "cert.pem")],
                 stdin=b"Content-Type: text/plain\r\n\r\nGeheim\r\n").stdout
    with stranger(site) as smtp:
        head = f"From: {BOSS}\nTo: {ALICE}\nSubject: s\nMessage-ID: <i@x>\n"
        smtp.sendmail(BOSS, [ALICE, BOSS], as_bytes(head.encode() + entity))


with script() as tap, tap.site(dkim=True, people=cast.CAST) as site:
    for name, people in (("in place", [cast.SOFIA]), ("enforced TLS", [cast.VERA]),
                         ("split and resubmitted", [cast.SOFIA, cast.PETER, cast.VERA, cast.OTTO])):
        with tap.case(f"the DKIM signature holds: {name}"):
            site.empty_out()
            addresses = [person.address for person in people]
            site.submit(ALICE, addresses, message(ALICE, ", ".join(addresses), "Grüße", "äöü\n"))
            for copy in site.arrived(len(people)):
                assert copy.content.count(b"DKIM-Signature:") == 1, copy.content[:600]
                site.dkim.verify(copy.content)
                opened_by(site, copy.recipients[0], copy)

    with tap.case("a stranger's mail in our name that had to be split is not signed"):
        site.empty_out()
        forged(site)
        copies = site.arrived(2)
        assert [b"Geheim" in copy.content for copy in copies].count(True) == 1, copies
        assert all(b"DKIM-Signature:" not in copy.content for copy in copies), copies

    with tap.case("a changed copy does not verify: the check itself works"):
        site.empty_out()
        site.submit(ALICE, [cast.SOFIA.address], message(ALICE, cast.SOFIA.address, "x", "y\n"))
        copy = site.arrived(1)[0]
        try:
            site.dkim.verify(copy.content.replace(b"Subject: ", b"Subject: x"))
        except Exception:
            pass
        else:
            raise AssertionError("a forged subject verified")
