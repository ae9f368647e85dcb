# SPDX-License-Identifier: Apache-2.0
"""Mail from the sendmail command, delivery notices and what the envelope carries."""
from lib import ALICE, copy_for, opened_by, script

from demo import people as cast
from demo.site import message

POLICY = """\
internal domains "firma.example"
outgoing subject has "[keys]"  require smime, pgp
outgoing to "tls.example"      require verified tls
outgoing                       require smime, pgp, portal
"""
SOFIA = cast.SOFIA.address


with script() as tap, tap.site(policy=POLICY) as site:
    # Postfix does not tell a milter the next hop of such mail: the setting has to
    site.sealpost.gateway.stop()
    site.sealpost.set("mta", nexthop=f"[localhost]:{site.sinks['tls.example'].port}")
    site.sealpost.start_gateway()

    with tap.case("sendmail: signed and encrypted as any other"):
        site.postfix.sendmail(ALICE, [SOFIA], f"From: {ALICE}\nSubject: cron\n\nGrüße\n".encode())
        assert opened_by(site, cast.SOFIA, site.arrived(1)[0]).signers == [ALICE]
        site.empty_out()

    with tap.case("sendmail to several on several ways"):
        people = [cast.SOFIA, cast.PETER, cast.VERA, cast.OTTO]
        site.postfix.sendmail(ALICE, [p.address for p in people],
                              f"From: {ALICE}\nSubject: cron\n\nGrüße\n".encode())
        copies = site.arrived(4)
        assert opened_by(site, cast.PETER, copy_for(copies, cast.PETER)).signers == [ALICE]
        assert copy_for(copies, cast.VERA).facts["tls"]
        site.empty_out()

    with tap.case("sendmail, refused: the sender gets a bounce, nobody else anything"):
        site.postfix.sendmail(ALICE, [cast.OTTO.address],
                              f"From: {ALICE}\nSubject: [keys] cron\n\nx\n".encode())
        bounce = site.arrived(1)[0]
        assert bounce.sender == "" and bounce.recipients == [ALICE], bounce
        assert b"5.7.1" in bounce.content
        site.empty_out()

    with tap.case("sendmail while the directory is down: waits, and goes through later"):
        site.slapd.stop()
        site.postfix.sendmail(ALICE, ["somebody.new@smime.example", SOFIA],
                              f"From: {ALICE}\nSubject: cron\n\nx\n".encode())
        assert site.postfix.in_queue() and not site.outbox.copies()
        site.slapd.start()
        site.postfix.sendmail(ALICE, [cast.PETER.address],  # wakes the pickup service
                              f"From: {ALICE}\nSubject: wake\n\nx\n".encode())
        assert opened_by(site, cast.SOFIA, copy_for(site.arrived(3), SOFIA)).layers
        site.empty_out()

    with tap.case("what the envelope asks for goes along, in place and resubmitted"):
        for people in ([cast.SOFIA], [cast.SOFIA, cast.PETER]):
            addresses = [p.address for p in people]
            site.submit(ALICE, addresses, message(ALICE, ", ".join(addresses), "x", "y\n"),
                        mail_options=["RET=HDRS", "ENVID=abc+2Bdef"],
                        rcpt_options=["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;first@home.example"])
            for copy in site.arrived(len(people)):
                assert "RET=HDRS" in copy.facts["mail"], copy.facts
                assert "ENVID=abc+2Bdef" in copy.facts["mail"], copy.facts
                assert "NOTIFY=FAILURE,DELAY" in copy.facts["rcpt"][0], copy.facts
                assert "ORCPT=rfc822;first@home.example" in copy.facts["rcpt"][0], copy.facts
            site.empty_out()

    with tap.case("a bounce of encrypted mail carries no plain text"):
        site.sinks["smime.example"].refuse["DATA"] = "554 5.6.0 not liked"
        site.submit(ALICE, SOFIA, message(ALICE, SOFIA, "x", "Streng geheim\n"))
        bounce = site.arrived(1)[0]
        assert bounce.recipients == [ALICE] and b"geheim" not in bounce.content
        site.sinks["smime.example"].refuse.clear()
        site.empty_out()

    with tap.case("an address whose server has gone away: deferred in Postfix, encrypted in its queue"):
        site.sinks["smime.example"].refuse["RCPT"] = "451 4.2.0 later"
        site.submit(ALICE, SOFIA, message(ALICE, SOFIA, "x", "Streng geheim\n"))
        site.sinks["smime.example"].refuse.clear()
        assert opened_by(site, cast.SOFIA, site.arrived(1)[0]).signers == [ALICE]
