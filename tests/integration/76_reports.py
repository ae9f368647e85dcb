# SPDX-License-Identifier: Apache-2.0
"""Receipts and delivery reports, and what programs make of them: the report stays where programs look for it,
nothing that a rule requires is lost by it. Automatic mail (RFC 3834), and what the envelope says of
reports (RFC 3461), on every way that a message can take."""
import contextlib
import email
import email.policy
import re
import smtplib

import foreign
from lib import ALICE, BOSS, copy_for, opened_by, refused, script, stranger

from demo import people as cast
from demo.opening import entity_of, fields_of, split, unprotected
from demo.process import run, wait_for
from demo.round import portal_link
from demo.site import as_bytes, message

SOFIA, PETER, VERA, OTTO = (person.address for person in (cast.SOFIA, cast.PETER, cast.VERA, cast.OTTO))
ARCHIVE = "archive@archive.example"
POLICY = f"""\
internal domains "firma.example"
outgoing header "Auto-Submitted" is "auto-notified" reject "is"
outgoing header "Auto-Submitted" has "auto-x-" reject "has"
outgoing subject has "[sign]"    plain sign
outgoing subject has "[keys]"    require smime, pgp sign as from
outgoing subject has "[must]"    require smime, pgp sign
outgoing subject has "[hidden]"  require smime, pgp sign sign as from  hide subject
outgoing subject has "[tls]"     require tls sign
outgoing subject has "[portal]"  require portal sign
outgoing subject has "[plain]"   plain
outgoing to "archive.example"    plain
outgoing                         require smime, pgp, verified tls, portal
copy outgoing subject has "[copy]" to "{ARCHIVE}"
"""
# Bytes that a signature could not leave as they are: 8bit, a long line, blanks at a line's end.
WORDS = ("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
         f"Gelesen: Grüße \r\nFrom here on {'lang ' * 190}\r\n").encode()
ABOUT = b"Content-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\nMessage-ID: <1@smime.example>\r\n"
RECEIPT = (b"Content-Type: message/disposition-notification\r\n\r\nReporting-UA: desk; mailer\r\n"
           b"Final-Recipient: rfc822;alice@firma.example\r\nOriginal-Message-ID: <1@smime.example>\r\n"
           b"Disposition: manual-action/MDN-sent-manually; displayed\r\n")
STATUS = (b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.firma.example\r\n\r\n"
          b"Final-Recipient: rfc822;nobody@firma.example\r\nAction: failed\r\nStatus: 5.1.1\r\n")
ABUSE = (b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: desk/1\r\nVersion: 1\r\n")


def report(kind, status):
    return foreign.multipart("multipart/report", f";\r\n\treport-type={kind}", [WORDS, status, ABOUT], "=_report")


REPORTS = {"receipt": report("disposition-notification", RECEIPT), "delivery report": report("delivery-status", STATUS),
           "feedback": report("feedback-report", ABUSE)}
MDN = REPORTS["receipt"]
# A letter that calls itself one.
DRESSED = {"another type inside": foreign.multipart("multipart/report", "; report-type=disposition-notification",
                                                    [WORDS, WORDS]),
           "a type that is none": foreign.multipart("multipart/report", "; report-type=plain", [WORDS, WORDS]),
           "not at the root": foreign.multipart("multipart/mixed", "", [MDN, WORDS]),
           "in words": foreign.multipart("multipart/mixed", "; x=\"multipart/report; report-type=delivery-status\"",
                                         [WORDS, STATUS])}


def outgoing(site, entity, to, tag, sender="", author=ALICE, extra="", **options):
    """As sent, with CRLF. A receipt has the null sender (RFC 8098, section 3)."""
    site.empty_out()
    people = [to] if isinstance(to, str) else to
    content = as_bytes(foreign.mail(author, people, entity, f"{tag} read", extra=extra))
    site.submit(sender, people, content, **options)
    return content


def kept(sent, copy):
    """Byte for byte, but for what the way writes on it."""
    def fields(content):
        return sorted(field for name, field in fields_of(content)
                      if name.lower() not in ("received", "return-path"))
    return split(sent)[1] == split(copy.content)[1] and fields(sent) == fields(copy.content)


def root(content):
    return email.message_from_bytes(content, policy=email.policy.default).get_content_type()


def log_lines(site, before, to):
    return [line for line in site.sealpost.gateway_log()[before:].splitlines() if f"to=<{to}>" in line]


def signed_only(site, tap):
    for name, entity in REPORTS.items():
        with tap.case(f"{name}, a rule that only signs: it leaves as it is, and the log says why"):
            before = len(site.sealpost.gateway_log())
            for sender in ("", ALICE):
                sent = outgoing(site, entity, VERA, "[sign]", sender)
                assert kept(sent, site.arrived(1)[0]), site.outbox.copies()
            lines = log_lines(site, before, VERA)
            assert len(lines) == 2 and all(" way=plain " in x and " signed=no-report " in x for x in lines), lines
    with tap.case("the same by TLS and in the portal: as it is"):
        sent = outgoing(site, MDN, VERA, "[tls]")
        copy = site.arrived(1)[0]
        assert copy.facts["tls"] and kept(sent, copy), copy.content
        outgoing(site, MDN, OTTO, "[portal]")
        notice = email.message_from_bytes(site.arrived(1)[0].content, policy=email.policy.default)
        site.sealpost.get(portal_link(notice, site.sealpost.portal_url))
        out = site.folder / "explained"
        content = as_bytes(foreign.mail(ALICE, [OTTO], MDN, "[portal] x"))
        answer, _ = site.sealpost.explain("", [OTTO], content, "--output", str(out))
        assert answer["recipients"][0]["way"] == "portal" and answer["recipients"][0]["unsigned"] == "report"
        assert (out / "1.eml").read_bytes() == content
    with tap.case("what only looks like one is signed as any letter"):
        for name, entity in {**DRESSED, "a letter": WORDS}.items():
            outgoing(site, entity, VERA, "[sign]", ALICE)
            opened = opened_by(site, cast.VERA, site.arrived(1)[0], 1)
            assert opened.layers == ["smime-signed"] and opened.signers == [ALICE], name
    with tap.case("explain says it, in JSON and in words, once"):
        content = as_bytes(foreign.mail(ALICE, [VERA], MDN, "[sign] x"))
        answer, status = site.sealpost.explain("", [VERA], content)
        assert status == 0 and answer["recipients"][0]["unsigned"] == "report", answer
        assert not answer["variants"][0]["layers"] and answer["variants"][0]["signed_as"] is None
        text = site.sealpost.run("explain", "--from", ALICE, "--to", VERA, stdin=content).stdout.decode()
        assert text.count("not signed: a receipt or delivery report") == 1, text
        letter = as_bytes(foreign.mail(ALICE, [VERA], WORDS, "[sign] x"))
        answer, _ = site.sealpost.explain(ALICE, [VERA], letter)
        assert answer["recipients"][0]["unsigned"] is None and answer["variants"][0]["signed_as"] == ALICE
    with tap.case("of nobody of ours it is refused as before"):
        code, text = refused(outgoing, site, MDN, VERA, "[sign]", author="x@elsewhere.example")
        assert code == 550 and text.startswith("5.7.1 "), (code, text)


def encrypted(site, tap):
    for tag in ("[keys]", "[hidden]"):
        for name, entity in REPORTS.items():
            with tap.case(f"{name}, {tag}: encrypted and signed; with both off, its root is the report"):
                for person, layers in ((cast.SOFIA, ["smime-encrypted", "smime-signed"]),
                                       (cast.PETER, ["pgp-encrypted+signed"])):
                    sent = outgoing(site, entity, person.address, tag)
                    copy = site.arrived(1)[0]
                    opened = opened_by(site, person, copy)
                    assert opened.layers == layers and opened.signers == [ALICE], opened.layers
                    assert unprotected(opened.entity) == entity_of(sent), opened.entity
                    assert root(opened.entity) == "multipart/report" and b'hp="cipher"' in opened.entity
                    assert str(opened.mail["Subject"]) == f"{tag} read"
                    assert (b"\r\nSubject: [...]\r\n" in copy.content) == (tag == "[hidden]")
    with tap.case("explain names its layers"):
        content = as_bytes(foreign.mail(ALICE, [SOFIA], MDN, "[keys] x"))
        answer, _ = site.sealpost.explain("", [SOFIA], content)
        kinds = [layer["kind"] for layer in answer["variants"][0]["layers"]]
        assert kinds == ["smime-encrypted", "smime-signed"] and answer["recipients"][0]["unsigned"] is None
    with tap.case("what a rule requires stays required: encryption, a hidden subject, a signature"):
        for tag in ("[keys]", "[hidden]"):
            code, text = refused(outgoing, site, MDN, OTTO, tag)
            assert code == 550 and text.startswith("5.7.1 Not sent: protection is required"), (code, text)
        for to in (SOFIA, PETER):
            code, text = refused(outgoing, site, MDN, to, "[must]")
            assert code == 550 and "demands a signature" in text, (code, text)
        assert not site.outbox.copies() and not site.postfix.in_queue()
    with tap.case("one to several, each on their own way"):
        sent = outgoing(site, MDN, [SOFIA, PETER, VERA], "read")
        copies = site.arrived(3)
        for person in (cast.SOFIA, cast.PETER):
            assert unprotected(opened_by(site, person, copy_for(copies, person)).entity) == entity_of(sent)
        assert kept(sent, copy_for(copies, VERA)) and copy_for(copies, VERA).facts["tls"]


def incoming(site, content, sender, to=(ALICE,), **options):
    site.empty_out()
    with stranger(site) as smtp:
        smtp.sendmail(sender, list(to), as_bytes(content), **options)
    return site.arrived_for(len(to))


def opened_here(site, tap):
    """As other programs put it in, and as we do."""
    sealed = {"clear-signed": foreign.openssl_signed(site, SOFIA, MDN),
              "opaque": foreign.openssl_signed(site, SOFIA, MDN, opaque=True), "unsigned": MDN}
    for name, inner in sealed.items():
        with tap.case(f"a receipt that comes in, S/MIME, {name}: delivered with the report at the root"):
            content = foreign.openssl_encrypted(site, [ALICE], inner)
            copy = incoming(site, foreign.mail(SOFIA, [ALICE], content), "")[0]
            assert entity_of(copy.content) == MDN, copy.content
            assert (b"smime=pass" in copy.content) == (name != "unsigned"), copy.content
    for name, inner, sign in (("in one", MDN, True), ("signed inside", foreign.gpg_signed(site, PETER, MDN), False)):
        with tap.case(f"the same by PGP, {name}"):
            content = foreign.gpg_encrypted(site, PETER, [ALICE], inner, sign)
            copy = incoming(site, foreign.mail(PETER, [ALICE], content), "")[0]
            assert entity_of(copy.content) == MDN and b"pgp=pass" in copy.content, copy.content
    with tap.case("signed alone it stays as it came; a letter's signature stays for its reader"):
        for inner in (sealed["clear-signed"], foreign.gpg_signed(site, PETER, MDN)):
            sender = SOFIA if inner is sealed["clear-signed"] else PETER
            copy = incoming(site, foreign.mail(sender, [ALICE], inner), "")[0]
            assert root(copy.content) == "multipart/signed" and copy.content.endswith(split(inner)[1])
        letter = foreign.openssl_signed(site, SOFIA, WORDS)
        copy = incoming(site, foreign.mail(SOFIA, [ALICE], foreign.openssl_encrypted(site, [ALICE], letter)), SOFIA)[0]
        assert root(copy.content) == "multipart/signed", copy.content
    with tap.case("Auto-Submitted that stands inside alone is seen by who must not answer"):
        inner = (f"From: {SOFIA}\r\nSubject: x\r\nAuto-Submitted: auto-replied (away);\r\n x=y\r\n"
                 f"HP-Outer: From: {SOFIA}\r\nHP-Outer: Subject: x\r\n"
                 "Content-Type: text/plain; hp=\"cipher\"\r\n\r\nAway\r\n").encode()
        copy = incoming(site, foreign.mail(SOFIA, [ALICE], foreign.openssl_encrypted(site, [ALICE], inner)), SOFIA)[0]
        assert b"\r\nAuto-Submitted: auto-replied (away);\r\n x=y\r\n" in copy.content, copy.content


def about_opened(site, kind):
    """Reports that quote a message which we have opened, whole or its header, by (name, quoted part)."""
    inner = (f"From: {PETER if kind == 'pgp' else SOFIA}\r\nSubject: Geheim I\r\nHP-Outer: Subject: [...]\r\n"
             "Content-Type: text/plain; hp=\"cipher\"\r\n\r\nGeheim II\r\n").encode()
    author = PETER if kind == "pgp" else SOFIA
    sealed = foreign.gpg_encrypted(site, PETER, [ALICE], inner) if kind == "pgp" else \
        foreign.openssl_encrypted(site, [ALICE], foreign.openssl_signed(site, SOFIA, inner))
    got = incoming(site, foreign.mail(author, [ALICE], sealed, "[...]"), author)[0].content
    assert b"\r\nSubject: Geheim I\r\n" in got and b"Geheim II" in got, got
    head = got.split(b"\r\n\r\n")[0] + b"\r\n"
    encoded = b"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: %s\r\n\r\n%s"
    return author, {"whole": b"Content-Type: message/rfc822\r\n\r\n" + got,
                    "its header": b"Content-Type: text/rfc822-headers\r\n\r\n" + head,
                    "its header, base64": encoded % (b"base64", foreign.base64_lines(head)),
                    "its header, quoted-printable": encoded % (b"quoted-printable", head.replace(b"=", b"=3D"))}


def quoting_opened(site, tap):
    for kind in ("smime", "pgp"):
        author, quoted = about_opened(site, kind)
        for name, part in quoted.items():
            with tap.case(f"a report in the clear about what we opened, {kind}, {name}: what was encrypted is cut"):
                for report_type, status in (("delivery-status", STATUS), ("disposition-notification", RECEIPT)):
                    entity = foreign.multipart("multipart/report", f"; report-type={report_type}", [WORDS, status, part])
                    sent = outgoing(site, entity, VERA, "[plain]")
                    parsed = email.message_from_bytes(site.arrived(1)[0].content)
                    parts = parsed.get_payload()
                    assert parsed.get_content_type() == "multipart/report" and len(parts) == 3 and not parsed.defects
                    assert [p.get_content_type() for p in parts] == \
                        [p.get_content_type() for p in email.message_from_bytes(sent).get_payload()]
                    left = parts[2].get_payload(decode=True) or parts[2].get_payload(0).as_bytes()
                    assert b"Geheim" not in left and b"Subject:" not in left and b"Received" in left, left
                    assert b"X-Sealpost-Incoming" in left and b"Message-ID" in left, left
                    assert parts[0].get_payload(decode=True) == split(WORDS)[1], parts[0]
            with tap.case(f"... {kind}, {name}: encrypted, and to one of us, it is whole"):
                entity = foreign.multipart("multipart/report", "; report-type=delivery-status", [WORDS, STATUS, part])
                person = cast.PETER if kind == "pgp" else cast.SOFIA
                sent = outgoing(site, entity, author, "[keys]")
                assert unprotected(opened_by(site, person, site.arrived(1)[0]).entity) == entity_of(sent)
                sent = outgoing(site, entity, BOSS, "x")
                assert kept(sent, site.arrived(1)[0])
        with tap.case(f"... {kind}: a report of another kind, that would only be signed: refused, and nothing leaves"):
            def other(part):
                return foreign.multipart("multipart/report", "; report-type=delivery-status", [WORDS, WORDS, part])
            for name in ("whole", "its header, base64"):
                code, text = refused(outgoing, site, other(quoted[name]), VERA, "[sign]", ALICE)
                assert code == 550 and "quotes mail that came encrypted" in text, (code, text)
                assert not site.outbox.copies() and not site.postfix.in_queue()
            outgoing(site, other(ABOUT), VERA, "[sign]", ALICE)
            assert opened_by(site, cast.VERA, site.arrived(1)[0], 1).layers == ["smime-signed"]
        with tap.case(f"... {kind}: beside a footer it is cut, too; in a text, as old servers write, it is refused"):
            entity = foreign.multipart("multipart/mixed", "", [foreign.multipart(
                "multipart/report", "; report-type=delivery-status", [WORDS, STATUS, quoted["whole"]], "=_report"), WORDS])
            outgoing(site, entity, VERA, "[plain]")
            left = site.arrived(1)[0].content
            assert b"Geheim" not in left and b"Action: failed" in left and b"X-Sealpost-Incoming" in left, left
            text = b"Content-Type: text/plain\r\n\r\nI could not deliver this:\r\n\r\n" + split(quoted["whole"])[1]
            code, answer = refused(outgoing, site, text, VERA, "[plain]")
            assert code == 550 and "quotes mail that came encrypted" in answer, (code, answer)
            assert not site.outbox.copies() and not site.postfix.in_queue()
            sent = outgoing(site, text, author, "[keys]")
            assert unprotected(opened_by(site, cast.PETER if kind == "pgp" else cast.SOFIA,
                                         site.arrived(1)[0]).entity) == entity_of(sent)
        with tap.case(f"... {kind}: explain says it"):
            entity = foreign.multipart("multipart/report", "; report-type=delivery-status",
                                       [WORDS, STATUS, quoted["whole"]])
            content = as_bytes(foreign.mail(ALICE, [VERA], entity, "[plain] x"))
            answer, _ = site.sealpost.explain("", [VERA], content)
            assert answer["variants"][0]["cut"] is True, answer
            text = site.sealpost.run("explain", "--from", ALICE, "--to", VERA, stdin=content).stdout.decode()
            assert "what it quotes of a message that came encrypted is cut" in text, text
            answer, _ = site.sealpost.explain("", [VERA], as_bytes(foreign.mail(ALICE, [VERA], MDN, "[plain] x")))
            assert answer["variants"][0]["cut"] is False, answer


def fields_and_rules(site, tap):
    with tap.case("rules can ask for Auto-Submitted, in any case, in each field of that name"):
        for field, word in (("Auto-Submitted: auto-notified", "is"), ("AUTO-SUBMITTED: Auto-Notified", "is"),
                            ("Auto-Submitted: no\r\nAuto-Submitted:\r\n auto-notified", "is"),
                            ("Auto-Submitted: auto-x-reply; owner=\"a@b\" (away)", "has"),
                            ("auto-submitted: (x) Auto-X-Reply", "has")):
            letter = as_bytes(message(ALICE, SOFIA, "x", "y\n"))
            answer, status = site.sealpost.explain(ALICE, [SOFIA], field.encode() + b"\r\n" + letter)
            assert status == 77 and answer["reply"] == f"550 5.7.1 {word}", (field, answer)
    with tap.case("... and nothing else counts as automatic: no Precedence, no words"):
        for field in ("Auto-Submitted: no", "Precedence: bulk", "Precedence: auto-notified", "X-Loop: auto-x-",
                      "X-Auto-Submitted: auto-notified"):
            letter = as_bytes(message(ALICE, SOFIA, "auto-notified: out of office", "auto-x-\n"))
            answer, status = site.sealpost.explain(ALICE, [SOFIA], field.encode() + b"\r\n" + letter)
            assert status == 0 and answer["recipients"][0]["way"] == "smime", (field, answer)
    with tap.case("what asks for receipts, or says that a program wrote it, leaves on every way as it was"):
        asked = (f"Disposition-Notification-To: Alice <{ALICE}>\r\nReturn-Receipt-To: <{ALICE}>\r\n"
                 "Disposition-Notification-Options: x=optional,y\r\nAuto-Submitted: auto-generated (x); y=z\r\n")
        outgoing(site, WORDS, [SOFIA, PETER, VERA], "ask", ALICE, extra=asked)
        for copy in site.arrived(3):
            assert all(f"\r\n{line}\r\n".encode() in copy.content for line in asked.splitlines()), copy.content


def refused_outside(site, server, send):
    """What comes back to us when that server outside knows nobody."""
    site.sinks[server].refuse["RCPT"] = "550 5.1.1 nobody"
    before = len(site.postfix.log_text())
    try:
        send()
        wait_for(lambda: "status=bounced" in site.postfix.log_text()[before:], 60, "its refusal")
        site.postfix.wait_empty()
    finally:
        site.sinks[server].refuse.clear()
    return site.outbox.copies()


@contextlib.contextmanager
def refusing_notices(site):
    """Our own Postfix takes nothing for otto from the gateway: that is its answer to RCPT."""
    table = site.postfix.config / "refused"
    table.write_text(f"{OTTO} 550 5.1.1 nobody\n", "ascii")
    port = site.postfix.ports["resubmit"]

    def answer():
        with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.ehlo()
            smtp.mail(ALICE)
            return smtp.rcpt(OTTO)[0]
        return None

    def restrict(restrictions, code):
        run(["postconf", "-c", site.postfix.config, "-P",
             f"127.0.0.1:{port}/inet/smtpd_recipient_restrictions={restrictions}"])
        site.postfix.reload()
        wait_for(lambda: answer() == code, 60, "Postfix to reload")
    restrict(f"check_recipient_access,texthash:{table}", 550)
    try:
        yield
    finally:
        restrict("", 250)


def untold(site):
    """How many messages wait in the portal whose notice was given up."""
    return len(re.findall(r"\buntold\b", site.sealpost.run("portal", "messages", OTTO).stdout.decode()))


def notices(site, tap):
    with tap.case("a notice of the portal says that a program wrote it, and has its message's envelope"):
        outgoing(site, WORDS, OTTO, "x", ALICE, mail_options=["ENVID=QQ314", "RET=FULL"],
                 rcpt_options=["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;o@home.example"])
        copy = site.arrived(1)[0]
        notice = email.message_from_bytes(copy.content, policy=email.policy.default)
        assert notice.get_all("Auto-Submitted") == ["auto-generated"] and notice["Precedence"] is None
        assert copy.sender == ALICE and "RET=HDRS" in copy.facts["mail"] and "ENVID=QQ314" in copy.facts["mail"]
        assert "NOTIFY=FAILURE,DELAY" in copy.facts["rcpt"][0]
        assert "ORCPT=rfc822;o@home.example" in copy.facts["rcpt"][0], copy.facts
    with tap.case("of automatic mail (null sender): a null sender too, and still somebody to answer to"):
        outgoing(site, WORDS, OTTO, "x", extra="Auto-Submitted: auto-replied\r\n")
        copy = site.arrived(1)[0]
        notice = email.message_from_bytes(copy.content, policy=email.policy.default)
        assert copy.sender == "" and ALICE in notice["Reply-To"], copy
        assert notice.get_all("Auto-Submitted") == ["auto-generated"]
    with tap.case("a notice that cannot be delivered: a report to who wrote, without the link; none if none is wanted"):
        back = refused_outside(site, "web.example", lambda: outgoing(site, WORDS, OTTO, "x", ALICE))
        assert [copy.recipients for copy in back] == [[ALICE]] and back[0].sender == "", back
        assert site.sealpost.portal_url.encode() not in back[0].content
        assert not refused_outside(site, "web.example", lambda: outgoing(site, WORDS, OTTO, "x"))
        assert not refused_outside(site, "web.example", lambda: outgoing(
            site, WORDS, OTTO, "x", ALICE, rcpt_options=["NOTIFY=NEVER"]))
    with tap.case("... and when Postfix refuses the notice for good: one report of ours, with what it said"), \
            refusing_notices(site):
        outgoing(site, WORDS, OTTO, "x", ALICE)
        back = site.arrived(1)[0]
        told = email.message_from_bytes(back.content, policy=email.policy.default)
        assert back.sender == "" and back.recipients == [ALICE] and site.sealpost.portal_url not in str(told)
        assert told.get_content_type() == "multipart/report", told
        assert told.get_payload(1).get_payload(1)["Status"] == "5.1.1", told
        assert untold(site) == 1
        outgoing(site, WORDS, OTTO, "x")
        outgoing(site, WORDS, OTTO, "x", ALICE, rcpt_options=["NOTIFY=NEVER"])
        wait_for(lambda: untold(site) == 3, 60, "the notices to be given up")
        site.postfix.wait_empty()
        assert not site.outbox.copies()


def envelope(site, tap):
    with tap.case("split: each recipient's own NOTIFY and ORCPT, and BODY, RET, ENVID for all"):
        site.empty_out()
        wishes = {SOFIA: "NOTIFY=NEVER", PETER: "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;p+2Bq@home.example",
                  VERA: "NOTIFY=DELAY ORCPT=rfc822;v@home.example", OTTO: "ORCPT=rfc822;o@home.example"}
        with smtplib.SMTP("127.0.0.1", site.smtp_port, timeout=120) as smtp:
            smtp.ehlo()
            smtp.mail(ALICE, ["BODY=8BITMIME", "RET=FULL", "ENVID=a+2Bb"])
            for address, wish in wishes.items():
                assert smtp.rcpt(address, wish.split())[0] == 250
            assert smtp.data(as_bytes(foreign.mail(ALICE, list(wishes), WORDS)))[0] == 250
        copies = site.arrived(4)
        for address, wish in wishes.items():
            copy = copy_for(copies, address)
            given, = copy.facts["rcpt"]
            # Postfix adds an ORCPT of its own where there was none.
            assert set(wish.split()) <= set(given.split()) and ("NOTIFY" in given) == ("NOTIFY" in wish), (wish, given)
            assert "ENVID=a+2Bb" in copy.facts["mail"], copy.facts
            assert f"RET={'HDRS' if address == OTTO else 'FULL'}" in copy.facts["mail"], copy.facts
            assert address == OTTO or "BODY=8BITMIME" in copy.facts["mail"], copy.facts
    with tap.case("split: what Postfix says of a failure names what the sender's program gave"):
        def send():
            outgoing(site, WORDS, [SOFIA, PETER], "x", ALICE, mail_options=["ENVID=QQ314"],
                     rcpt_options=["ORCPT=rfc822;first@home.example"])
        back = [c for c in refused_outside(site, "smime.example", send) if c.recipients == [ALICE]]
        assert len(back) == 1 and b"Original-Envelope-Id: QQ314" in back[0].content, back
        assert b"Original-Recipient: rfc822;first@home.example" in back[0].content, back[0].content
        assert re.search(rb"\r\nAuto-Submitted: auto-replied\r\n", back[0].content) and root(back[0].content) == \
            "multipart/report"
    with tap.case("split: addresses in UTF-8"):
        people = ["jörg@tls.example", PETER]
        outgoing(site, WORDS, people, "Grüße", ALICE, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        copy = copy_for(site.arrived(2), people[0])
        assert "SMTPUTF8" in copy.facts["mail"] and "BODY=8BITMIME" in copy.facts["mail"], copy.facts
    with tap.case("what comes in and is split: the same, and nothing opened ever comes back whole"):
        sealed = foreign.openssl_encrypted(site, [ALICE], WORDS)
        copies = incoming(site, foreign.mail(SOFIA, [ALICE, BOSS], sealed), SOFIA, (ALICE, BOSS),
                          mail_options=["RET=FULL", "ENVID=QQ314", "BODY=8BITMIME"],
                          rcpt_options=["NOTIFY=FAILURE", "ORCPT=rfc822;x@y.example"])
        assert len(copies) == 2, copies
        for copy in copies:
            assert {"ENVID=QQ314", "BODY=8BITMIME"} <= set(copy.facts["mail"].split()), copy.facts
            assert {"NOTIFY=FAILURE", "ORCPT=rfc822;x@y.example"} <= set(copy.facts["rcpt"][0].split()), copy.facts
            opened = b"Gelesen" in copy.content
            assert opened == (copy.recipients == [ALICE]) and ("RET=HDRS" in copy.facts["mail"]) == opened, copy.facts
    with tap.case("a copy that a rule adds: its failure is told nobody; the others' is"):
        outgoing(site, WORDS, SOFIA, "[copy]", ALICE)
        copy = copy_for(site.arrived(2), ARCHIVE)
        assert "NOTIFY=NEVER" in copy.facts["rcpt"][0], copy.facts
        back = refused_outside(site, "*", lambda: outgoing(site, WORDS, SOFIA, "[copy]", ALICE,
                                                           rcpt_options=["NOTIFY=FAILURE,DELAY"]))
        assert [copy.recipients for copy in back] == [[SOFIA]], back
        back = refused_outside(site, "*", lambda: outgoing(site, WORDS, ARCHIVE, "x", ALICE))
        assert [copy.recipients for copy in back] == [[ALICE]], back


with script() as tap, tap.site(policy=POLICY) as site:
    for part in (signed_only, encrypted, opened_here, quoting_opened, fields_and_rules, notices, envelope):
        part(site, tap)
