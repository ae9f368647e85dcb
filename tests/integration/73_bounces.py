# SPDX-License-Identifier: Apache-2.0
"""What was opened, and is refused further in: no notice that Postfix makes of it, to whomever, carries
anything of the text that was encrypted. A real internal server refuses after Postfix has accepted."""
import email

import foreign
from lib import ALICE, BOSS, script, stranger

from demo import people as cast
from demo.process import wait_for
from demo.site import as_bytes

SOFIA, PETER = cast.SOFIA.address, cast.PETER.address
POSTMASTER = "postmaster@mx.firma.example"
# The last rule is about notices alone: none of them comes over TLS.
POLICY = f"""\
internal domains "firma.example", "mx.firma.example"
outgoing require smime, pgp
incoming to "{POSTMASTER}" require tls
"""
SECRET = b"Geheimnis"
POSTFIX = {"notify_classes": "bounce, 2bounce, delay, resource, software",
           "delay_warning_time": "1s", "bounce_queue_lifetime": "2s"}
REFUSED, LATER = "554 5.6.0 not liked", "451 4.3.0 later"


def sealed(site, kind, sender, to):
    """An entity that sender has encrypted to these people, its text secret."""
    inner = (f"From: {sender}\r\nTo: {to[0]}\r\nSubject: {SECRET.decode()} I\r\n"
             "HP-Outer: Subject: [...]\r\nHP-Outer: From: " + sender + "\r\n"
             "Content-Type: text/plain; charset=utf-8; hp=\"cipher\"\r\n\r\n"
             f"{SECRET.decode()} II\r\n").encode()
    if kind == "pgp":
        return foreign.gpg_encrypted(site, sender, to, inner)
    return foreign.openssl_encrypted(site, to, foreign.openssl_signed(site, sender, inner))


def send(site, kind, sender, to, mail_options=(), rcpt_options=()):
    """From a client at another address. An empty sender is the null sender."""
    author = sender or (PETER if kind == "pgp" else SOFIA)
    content = as_bytes(foreign.mail(author, to, sealed(site, kind, author, to[:1]), "[...]"))
    site.empty_out()
    with stranger(site) as smtp:
        smtp.sendmail(sender, to, content, mail_options, rcpt_options)


def notices(site, *addresses):
    """Waits for a notice to each of these addresses, checks all that came, gives them by address."""
    def there():
        got = {address for copy in site.outbox.copies() for address in copy.recipients}
        return got >= set(addresses)
    wait_for(there, 120, f"notices to {addresses}; now {[c.recipients for c in site.outbox.copies()]}")
    found = {}
    for copy in site.outbox.copies():
        assert SECRET not in copy.content, copy.content
        assert b"In-Reply" not in copy.content and copy.sender in ("", "double-bounce@mx.firma.example")
        assert b"X-Sealpost-Incoming" in copy.content, "not of our message"
        assert b"\r\nAuto-Submitted: auto-" in copy.content.split(b"\r\n\r\n")[0], copy.content
        found[copy.recipients[0]] = copy.content
    return found


def opened_first(site, kind, sender):
    """The message is one that opens, its Subject too, else nothing below proves anything."""
    send(site, kind, sender, [ALICE])
    content = site.arrived(1)[0].content
    assert SECRET + b" I\r\n" in content and SECRET + b" II\r\n" in content, content


with script() as tap, tap.site(people=cast.CAST, policy=POLICY, postfix_settings=POSTFIX,
                               settings={"gateway": {"message_limit": "30K"}}, portal=False) as site:
    inside, outside = site.sinks["firma.example"], site.sinks
    for kind, sender in (("smime", SOFIA), ("pgp", PETER)):
        domain = sender.split("@")[1]
        with tap.case(f"{kind}: it opens"):
            opened_first(site, kind, sender)
        for at in ("RCPT", "DATA"):
            for to in ([ALICE], [ALICE, BOSS]):
                with tap.case(f"{kind}: refused at {at}, for {len(to)}: the bounce and postmaster's copy"):
                    inside.refuse[at] = REFUSED
                    send(site, kind, sender, to)
                    bounce = notices(site, sender, POSTMASTER)[sender]
                    site.postfix.wait_empty()
                    assert b"Diagnostic-Code: smtp; 554 5.6.0 not liked" in bounce
                    inside.refuse.clear()
        with tap.case(f"{kind}: the sender asks for all of it back (RET=FULL): headers"):
            inside.refuse["DATA"] = REFUSED
            send(site, kind, sender, [ALICE], ["RET=FULL", "ENVID=QQ314"], ["NOTIFY=FAILURE"])
            bounce = notices(site, sender)[sender]
            assert b"Original-Envelope-Id: QQ314" in bounce and b"text/rfc822-headers" in bounce
            site.postfix.wait_empty()
            inside.refuse.clear()
        with tap.case(f"{kind}: delayed: the warning, then it arrives"):
            inside.refuse["DATA"] = LATER
            send(site, kind, sender, [ALICE, BOSS])
            warning = notices(site, sender, POSTMASTER)[sender]
            assert b"Action: delayed" in warning
            site.empty_out()  # before it may arrive
            inside.refuse.clear()
            site.postfix.flush()
            wait_for(lambda: any(SECRET in copy.content for copy in site.outbox.copies()), 60, "it")
            site.postfix.wait_empty()
        with tap.case(f"{kind}: no gateway when the notice is made: it waits, and so does the message"):
            inside.refuse["DATA"] = LATER
            send(site, kind, sender, [ALICE])
            notices(site, sender, POSTMASTER)
            site.empty_out()
            before = len(site.postfix.log_text())
            site.sealpost.gateway.stop()
            try:
                inside.refuse["DATA"] = REFUSED
                site.postfix.flush()
                wait_for(lambda: "status=deferred (bounce failed)" in site.postfix.log_text()[before:],
                         60, "a notice that cannot be made")
                assert site.postfix.in_queue() and not site.outbox.copies()
            finally:
                site.sealpost.start_gateway()
            site.postfix.flush()
            assert b"Action: failed" in notices(site, sender)[sender]
            site.postfix.wait_empty()
        with tap.case(f"{kind}: a null sender: the double bounce to postmaster"):
            inside.refuse["DATA"] = REFUSED
            send(site, kind, "", [ALICE])
            notices(site, POSTMASTER)
            site.postfix.wait_empty()
        with tap.case(f"{kind}: the sender's server refuses the bounce: to postmaster"):
            outside[domain].refuse["DATA"] = REFUSED
            send(site, kind, sender, [ALICE])
            notices(site, POSTMASTER)
            site.postfix.wait_empty()
            notices(site, POSTMASTER)
            outside[domain].refuse.clear()
            inside.refuse.clear()
    with tap.case("mail that was not opened comes back as Postfix does it"):
        site.empty_out()
        inside.refuse["DATA"] = REFUSED
        for inner, text in ((foreign.entity("Offen\n"), b"Offen"),
                            (sealed(site, "smime", SOFIA, [BOSS]), b"pkcs7-mime")):
            with stranger(site) as smtp:
                smtp.sendmail(SOFIA, [ALICE], as_bytes(foreign.mail(SOFIA, [ALICE], inner, "My words")))
            notice = wait_for(lambda: [c for c in site.outbox.copies() if c.recipients == [SOFIA]], 60,
                              "the bounce")[0]
            assert b"Subject: My words" in notice.content and text in notice.content, notice.content
            site.postfix.wait_empty()
            site.empty_out()
    with tap.case("a notice over message_limit: the words and the header that it quotes, and an end"):
        inside.refuse["DATA"] = REFUSED
        entity = foreign.entity("Offen\n" + ("x" * 70 + "\n") * 600)
        with stranger(site) as smtp:
            smtp.sendmail(SOFIA, [ALICE], as_bytes(foreign.mail(SOFIA, [ALICE], entity, "My words")))
        notice = wait_for(lambda: [c for c in site.outbox.copies() if c.recipients == [SOFIA]], 60, "the bounce")[0]
        assert b"Subject: My words" in notice.content and b"x" * 70 not in notice.content, notice.content
        parsed = email.message_from_bytes(notice.content)
        assert [p.get_content_type() for p in parsed.get_payload()][1:] == ["message/delivery-status", "message/rfc822"]
        assert not parsed.defects and b"554 5.6.0 not liked" in notice.content, parsed.defects
        site.postfix.wait_empty()
