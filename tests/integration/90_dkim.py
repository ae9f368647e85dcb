# SPDX-License-Identifier: Apache-2.0
"""opendkim signs after us, on both listeners: what arrives encrypted verifies."""
from lib import ALICE, opened_by, script

from demo import people as cast
from demo.site import message

with script() as tap, tap.site(dkim=True) as site:
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

    with tap.case("a changed copy does not verify: the check itself works"):
        copy = site.outbox.copies()[0]
        try:
            site.dkim.verify(copy.content.replace(b"Subject: ", b"Subject: x"))
        except Exception:
            pass
        else:
            raise AssertionError("a forged subject verified")
