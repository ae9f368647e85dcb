# SPDX-License-Identifier: Apache-2.0
"""The configuration of doc/postfix.md by itself: routes, resubmission, DKIM, sizes. No gateway."""
import smtplib

from lib import copy_for, refused, script

from demo.process import wait_for
from demo.site import as_bytes, message

ALICE, VERA = "alice@firma.example", "vera@tls.example"


def routed(site, how, server):
    mail = message(ALICE, VERA, "Grüße", "Wie geht's?\n")
    mail["X-Sealpost-Route"] = f"{how} [localhost]:{site.sinks[server].port}"
    return as_bytes(mail)


def resubmit(site, content):
    with smtplib.SMTP("127.0.0.1", site.postfix.ports["resubmit"]) as smtp:
        smtp.sendmail(ALICE, [VERA], content)


def deferred(site, why):
    wait_for(lambda: why in site.postfix.log_text(), 60, f"'{why}' in the log")
    assert site.postfix.in_queue(), "the message is not in the queue"
    assert not site.outbox.copies(), "a copy left all the same"
    site.postfix.drop_queue()


def leaves(site, how, server):
    resubmit(site, routed(site, how, server))
    copy = site.arrived(1)[0]
    assert copy.facts["server"] == server and copy.facts["tls"], copy.facts
    assert b"X-Sealpost-Route" not in copy.content
    site.dkim.verify(copy.content)
    site.empty_out()


with script() as tap, tap.site(build=None, dkim=True) as site:
    with tap.case("a resubmitted copy leaves as it is, with a DKIM signature that holds"):
        mail = as_bytes(message(ALICE, VERA, "plain", ".a dot\n"))
        resubmit(site, mail)
        copy = site.arrived(1)[0]
        assert copy.content.endswith(mail), copy.content
        site.dkim.verify(copy.content)
        site.empty_out()

    with tap.case("route tls: TLS whatever the certificate, the header is gone, DKIM holds"):
        leaves(site, "tls", "tls.example")
        leaves(site, "tls", "wrong-name.example")

    with tap.case("route verified-tls: a certificate with the next hop's name"):
        leaves(site, "verified-tls", "tls.example")

    with tap.case("route tls to a server without STARTTLS: deferred"):
        resubmit(site, routed(site, "tls", "web.example"))
        deferred(site, "TLS is required, but was not offered")

    with tap.case("route verified-tls and another name in the certificate: deferred"):
        resubmit(site, routed(site, "verified-tls", "wrong-name.example"))
        deferred(site, "Server certificate not verified")

    with tap.case("a route that the table does not know: on hold"):
        resubmit(site, routed(site, "pigeon", "web.example"))
        deferred(site, "route that this configuration does not know")

    with tap.case("a client's own route header does nothing, and does not leave"):
        site.submit(ALICE, VERA, routed(site, "tls", "web.example"))
        copy = site.arrived(1)[0]
        assert copy.facts["server"] == "tls.example", copy.facts
        assert b"X-Sealpost-Route" not in copy.content
        site.empty_out()

    with tap.case("a route header inside an attached message means nothing"):
        mail = message(ALICE, VERA, "look", "see there\n")
        inner = message(ALICE, VERA, "inner", "x\n")
        inner["X-Sealpost-Route"] = f"tls [localhost]:{site.sinks['web.example'].port}"
        mail.add_attachment(inner)
        resubmit(site, as_bytes(mail))
        assert copy_for(site.arrived(1), VERA).facts["server"] == "tls.example"
        site.empty_out()

    with tap.case("logged in, alice writes as herself and as nobody else"):
        site.submit_as(ALICE, ALICE, VERA, message(ALICE, VERA, "x", "y\n"))
        site.arrived(1)
        site.empty_out()
        code, text = refused(site.submit_as, ALICE, "boss@firma.example", VERA,
                             message("boss@firma.example", VERA, "x", "y\n"))
        assert code == 553 and "not owned by user" in text, (code, text)

    with tap.case("the queue takes more than the listener"):
        size = "SIZE=150000000"
        with smtplib.SMTP("127.0.0.1", site.smtp_port) as smtp:
            smtp.ehlo()
            assert smtp.mail(ALICE, [size])[0] == 552
        with smtplib.SMTP("127.0.0.1", site.postfix.ports["resubmit"]) as smtp:
            smtp.ehlo()
            assert smtp.mail(ALICE, [size])[0] == 250

    with tap.case("a server outside that refuses: the sender hears of it"):
        site.sinks["web.example"].refuse["RCPT"] = "550 5.1.1 nobody of that name"
        site.submit(ALICE, "nobody@web.example", message(ALICE, "nobody@web.example", "x", "y\n"))
        bounce = site.arrived(1)[0]
        assert bounce.sender == "" and bounce.recipients == [ALICE], bounce
