# SPDX-License-Identifier: Apache-2.0
"""Incoming mail through a real Postfix: opened in place, split where only one may read it, and never
sent back in the clear by a bounce."""
import email
import email.policy

from lib import ALICE, BOSS, copy_for, script, stranger

from demo import people as cast
from demo.process import run
from demo.site import as_bytes

POLICY = 'internal domains "firma.example"\noutgoing require smime, pgp\n'
SOFIA = cast.SOFIA.address


def encrypted(site, *people, entity=b"Content-Type: text/plain\r\n\r\nGeheim\r\n", options=()):
    cert = site.cabinet(cast.SOFIA, "cert.pem")
    signed = run(["openssl", "cms", "-sign", "-signer", cert, "-inkey",
                  site.cabinet(cast.SOFIA, "key.pem"), "-certfile", site.authority.intermediate,
                  *options], stdin=entity).stdout
    entity = run(["openssl", "cms", "-encrypt", "-aes256",
                  *[site.cabinet(p, "cert.pem") for p in people]], stdin=signed).stdout
    return f"From: {SOFIA}\nTo: {ALICE}\nSubject: s\nMessage-ID: <i@x>\n".encode() + entity


def from_outside(site, recipients, content):
    """From a client at another address, as XCLIENT tells Postfix."""
    site.empty_out()
    with stranger(site) as smtp:
        smtp.sendmail(SOFIA, recipients, as_bytes(content))


with script() as tap, tap.site(people=cast.CAST, policy=POLICY) as site:
    with tap.case("to its owner: opened in place, the result on top"):
        from_outside(site, [ALICE], encrypted(site, cast.ALICE))
        content = site.arrived(1)[0].content
        assert b"Geheim" in content and b"smime=pass (good)" in content, content
        assert b"pkcs7-mime" not in content
        assert content.index(b"X-Sealpost-Incoming") < content.index(b"Subject: s")

    with tap.case("a subject that was hidden is restored, before the scanner and the reader see it"):
        hidden = (b'Content-Type: text/plain; hp="cipher"; hp-legacy-display="1"\r\n'
                  b"Subject: =?utf-8?q?M=C3=A4rz?=\r\nFrom: Sofia <" + SOFIA.encode() + b">\r\n"
                  b"Bcc: x@evil.example\r\nReceived: from evil\r\nX-Sealpost-Route: tls evil\r\n"
                  b"HP-Outer: Subject: [...]\r\nHP-Outer: From: " + SOFIA.encode() + b"\r\n"
                  b"HP-Outer: To: " + ALICE.encode() + b"\r\n\r\nSubject: x\r\n\r\nGeheim\r\n")
        content = encrypted(site, cast.ALICE, entity=hidden, options=["-nodetach"])
        from_outside(site, [ALICE], content.replace(b"Subject: s\n", b"Subject: [...]\n"))
        mail = email.message_from_bytes(site.arrived(1)[0].content, policy=email.policy.default)
        assert mail.get_all("Subject") == ["März"] and mail["From"] == f"Sofia <{SOFIA}>"
        assert mail["Bcc"] is None and "evil" not in str(mail), mail
        assert mail.get_content().strip() == "Geheim", mail

    with tap.case("to somebody else too: each their copy, the other's stays shut"):
        from_outside(site, [ALICE, BOSS], encrypted(site, cast.ALICE))
        copies = site.arrived_for(2)
        assert b"Geheim" in copy_for(copies, ALICE).content
        other = copy_for(copies, BOSS).content
        assert b"Geheim" not in other and b"shut (no-key)" in other, other

    with tap.case("captured, and sent to somebody else alone: shut"):
        from_outside(site, [BOSS], encrypted(site, cast.ALICE))
        assert b"Geheim" not in site.arrived(1)[0].content

    with tap.case("refused further in: the bounce carries nothing of what was opened"):
        site.sinks["firma.example"].refuse["DATA"] = "554 5.6.0 not liked"
        for recipients, count in (([ALICE], 1), ([ALICE, BOSS], 2)):
            from_outside(site, recipients, encrypted(site, cast.ALICE))
            bounces = site.arrived_for(count)
            assert all(bounce.recipients == [SOFIA] for bounce in bounces)
            assert not any(b"Geheim" in bounce.content for bounce in bounces)
            assert any(b"text/rfc822-headers" in bounce.content for bounce in bounces)
        site.sinks["firma.example"].refuse.clear()
