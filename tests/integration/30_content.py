# SPDX-License-Identifier: Apache-2.0
"""Every form that mail comes in arrives inside the encryption as it was written, and signed mail holds,
by a next hop that takes no 8-bit text: Postfix rewrites for it whatever is not 7-bit."""
import email
import email.policy

from lib import ALICE, copy_for, opened_by, script

from demo import people as cast
from demo.opening import entity_of, unprotected
from demo.site import as_bytes, message

POLICY = """\
internal domains "firma.example"
outgoing to "web.example"  plain sign
outgoing to "tls.example"  plain
outgoing                   require smime, pgp
"""
HEAD = "From: Alice =?utf-8?Q?=C3=84hrenfeld?= <alice@firma.example>\nTo: {to}\n" \
       "Subject: =?utf-8?B?R3LDvMOfZSDigJMg0L/RgNC40LLQtdGC?=\n" \
       "Date: Wed, 25 Nov 2026 10:00:00 +0100\nMessage-ID: <{number}@firma.example>\n" \
       "X-Folded: one\n two\n\tthree\nMIME-Version: 1.0\n"
CALENDAR = ("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Frühstück\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n")


def nested():
    mail = message("a@b", "c@d", "x", "Grüße als Text\n")
    mail.add_alternative("<p>Grüße als <b>HTML</b> <img src='cid:bild'></p>", subtype="html")
    mail.get_payload()[1].add_related(b"\x89PNG\r\n\x1a\n\0\xff", "image", "png", cid="<bild>")
    mail.add_attachment(bytes(range(256)) * 40, "application", "octet-stream",
                        filename="Übersicht für März.bin")
    inner = message("x@y", "z@w", "Innen: ä", "weitergeleitet: ö\n")
    mail.add_attachment(inner)
    return _without_head(mail.as_bytes().decode("utf-8", "surrogateescape"))


def calendar():
    mail = message("a@b", "c@d", "x", "Einladung\n")
    mail.add_alternative(CALENDAR, subtype="calendar", params={"method": "REQUEST"})
    return _without_head(mail.as_bytes().decode("utf-8", "surrogateescape"))


def _without_head(text):
    head, body = text.split("\n\n", 1)
    fields = head.replace("\n ", "\1").split("\n")
    kept = [f.replace("\1", "\n ") for f in fields if f.lower().startswith("content-")]
    return "\n".join(kept) + "\n\n" + body


# A forwarded mail that is signed, and not in 7 bits: none of its bytes may change.
SIGNED_8BIT = "mail that is signed and 8-bit, attached"
SIGNED_INSIDE = ("Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: message/rfc822\n"
                 "Content-Transfer-Encoding: 8bit\n\nFrom: x@y\nSubject: innen\nMIME-Version: 1.0\n"
                 "Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\n\n"
                 "--s\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
                 "Unterschriebene Grüße\n--s\nContent-Type: application/pgp-signature\n\nx\n--s--\n--m--\n")

FORMS = {
    "8bit UTF-8": "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
                  "Äpfel, naïve, Ünïcode: 你好\n",
    "8bit Latin-1": "Content-Type: text/plain; charset=iso-8859-1\n"
                    "Content-Transfer-Encoding: 8bit\n\nGr\udcfc\udcdfe\n",
    "quoted-printable": "Content-Type: text/plain; charset=utf-8\n"
                        "Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =\nweiter=20\n",
    "base64": "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
              "PHA+R3LDvMOfZTwvcD4K\n",
    "format=flowed": "Content-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes\n\n"
                     "a flowed \nparagraph\n\n-- \nAlice \n",
    "no MIME at all": "\njust text\n",
    "empty body": "Content-Type: text/plain; charset=utf-8\n\n",
    "From and dots at the line's start": "Content-Type: text/plain\n\nFrom here\n.\n..two\n",
    "trailing blanks": "Content-Type: text/plain\n\nblank \ntab\t\n   \n\n\n",
    "nested multipart, attached message, file names": nested(),
    "calendar invitation": calendar(),
    "a long line": "Content-Type: text/plain\n\n" + "x" * 5000 + "\n",
    SIGNED_8BIT: SIGNED_INSIDE,
}


def tree(mail):
    """What a reader gets, whatever the transfer encoding: types, parameters, names, bytes."""
    params = {k: v for k, v in (mail.get_params() or [])[1:] if k not in ("boundary",)}
    if mail.get_content_type() == "message/rfc822":
        return ("message/rfc822", tree(mail.get_payload(0)), mail.get_payload(0)["Subject"])
    if mail.is_multipart():
        return (mail.get_content_type(), [tree(part) for part in mail.get_payload()])
    content = mail.get_payload(decode=True)
    if mail.get_content_maintype() == "text":
        params.pop("charset", None) if params.get("charset") == "us-ascii" else None
        content = content.replace(b"\r\n", b"\n")
    return (mail.get_content_type(), params, mail.get_filename(), mail["Content-ID"], content)


def parsed(content):
    return email.message_from_bytes(content, policy=email.policy.SMTP)


def seven_bit(entity):
    lines = entity.split(b"\r\n")
    assert all(byte < 128 for byte in entity), "8-bit bytes in the signed part"
    assert max(map(len, lines)) <= 998, "a line too long in the signed part"


def check(site, copy, sent):
    """Inside the encryption: the very bytes. Signed only: 7-bit, the same to a reader."""
    opened = opened_by(site, copy.recipients[0], copy)
    assert opened.layers and opened.signers == [ALICE], opened.layers
    inside = unprotected(opened.entity)
    want, got = tree(parsed(sent)), tree(parsed(inside))
    assert got == want, f"\n{got}\ninstead of\n{want}"
    if opened.layers == ["smime-signed"]:
        seven_bit(opened.entity)
    else:
        want = entity_of(sent)
        assert inside == (want if b"\r\n\r\n" in want and want[:2] != b"\r\n"
                          else b"Content-Type: text/plain\r\n" + want), inside
    assert parsed(copy.content)["Subject"] == "Grüße – привет"
    assert b"X-Folded: one\r\n two\r\n\tthree\r\n" in copy.content


with script() as tap, tap.site(policy=POLICY) as site:
    for domain in ("smime.example", "pgp.example", "web.example", "tls.example"):
        site.sinks[domain].eight_bit = False
    with tap.case("what nobody signs is rewritten on the way: the next hop is as meant"):
        sent = as_bytes((HEAD.format(to=cast.VERA.address, number="plain")
                         + FORMS["8bit UTF-8"]).encode("utf-8", "surrogateescape"))
        site.submit(ALICE, [cast.VERA.address], sent)
        copy = site.arrived(1)[0]
        assert not sent.isascii() and b"Transfer-Encoding: quoted-printable" in copy.content, copy.content
        assert copy.content.isascii(), copy.content

    for number, (form, text) in enumerate(FORMS.items()):
        with tap.case(form):
            site.empty_out()
            people = [cast.SOFIA.address, cast.PETER.address, cast.OTTO.address]
            sent = as_bytes((HEAD.format(to=", ".join(people), number=number)
                             + text).encode("utf-8", "surrogateescape"))
            site.submit(ALICE, people, sent)
            copies = site.arrived(3)
            for copy in copies:
                check(site, copy, sent)
            opaque = b"smime-type=signed-data" in copy_for(copies, cast.OTTO).content
            assert opaque == (form == SIGNED_8BIT), form

    with tap.case("addresses in UTF-8 (SMTPUTF8)"):
        site.empty_out()
        mail = as_bytes(f"From: {ALICE}\nTo: jürgen@smime.example\nSubject: Grüße\n\nx\n")
        site.submit(ALICE, ["jürgen@firma.example"], mail, mail_options=["SMTPUTF8"])
        assert site.arrived(1)[0].recipients == ["jürgen@firma.example"]
