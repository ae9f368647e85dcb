# SPDX-License-Identifier: Apache-2.0
"""Header protection (RFC 9788, and the older protected-headers="v1"), both ways: what openssl, gpg and
Python's email find in our mail, what we make of other programs' samples (SEALPOST_CORPUS), our own
mail opened again, and attacks. `sealpost explain`, the gateway's own pipeline without an MTA."""
import email
import email.policy
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from lib import BUILD, PATIENCE, SRC, Tap

from demo import people as cast
from demo.opening import Opener, entity_of, fields_of, split, unprotected
from demo.pki import Authority
from demo.process import run
from demo.sealpost import Sealpost

CORPUS = Path(os.environ.get("SEALPOST_CORPUS", SRC.parent / "shared/corpus"))
ALICE, BOSS, SOFIA, PETER = cast.ALICE, cast.BOSS, cast.SOFIA, cast.PETER
SUBJECT = "Kündigung: Ähre & Co <vertraulich>"
HEAD = (f"From: Alice Ährenfeld <{ALICE.address}>\r\n"
        "To: =?utf-8?q?Sof=C3=ADa?= <sofia@smime.example>,\r\n\tpeter@pgp.example\r\n"
        "Subject: =?utf-8?b?S8O8bmRpZ3VuZzogw4RocmUgJiBDbyA8dmVydHJhdWxpY2g+?=\r\n"
        "Thread-Topic: =?utf-8?b?S8O8bmRpZ3VuZw==?=\r\n"
        "Date: Wed, 25 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@firma.example>\r\n"
        "References: <0@smime.example>\r\n <00@smime.example>\r\nIn-Reply-To: <0@smime.example>\r\n"
        "Received: from laptop\r\nBcc: secret@web.example\r\nX-Sealpost-Route: tls x\r\n"
        "MIME-Version: 1.0\r\n").encode()
TEXTS = {
    "7bit": "Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n\r\nworld\r\n",
    "8bit": "Content-Type: text/plain; charset=utf-8; format=flowed\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n",
    "base64": "Content-Type: text/plain; charset=iso-8859-1\r\n"
              "Content-Transfer-Encoding: base64\r\n\r\nR3L832UKd2VpdGVyCg==\r\n",
    "no type": "\r\nplain\r\n",
    "html, quoted-printable": "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: "
                              "quoted-printable\r\n\r\n<html><body style=3D\"x\"><p>gr=C3=BC=C3="
                              "9F</p></body></html>\r\n",
    "alternatives and a file":
        'Content-Type: multipart/mixed; boundary="m"\r\n\r\n--m\r\n'
        'Content-Type: multipart/alternative; boundary="a"\r\n\r\n--a\r\n'
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
        "\r\nGr=C3=BC=C3=9Fe\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>text</p>\r\n--a--\r\n"
        "--m\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=x.txt\r\n\r\n"
        "Name: not a header\r\n\r\nx\r\n--m--\r\n",
    "a file alone": "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n",
}


class Work:
    def __init__(self, folder):
        self.folder = Path(folder)
        authority = Authority(self.folder / "ca")
        self.cabinet = cast.Cabinet(self.folder / "people", authority)
        self.cabinet.furnish((ALICE, BOSS, SOFIA, PETER))
        self.intermediate = authority.intermediate
        self.here = self._install("firma.example", authority, (ALICE, BOSS), (SOFIA, PETER))
        self.there = self._install("smime.example", authority, (SOFIA,), (ALICE, BOSS))
        self.pgp = self._install("pgp.example", authority, (PETER,), (ALICE,))

    def _install(self, domain, authority, own, others):
        folder = self.folder / domain
        folder.mkdir()
        sealpost = Sealpost(BUILD, folder / "sealpost", folder, folder, None)
        sealpost.init(domain)
        sealpost.set("keystore", system_roots="false")
        sealpost.set("gateway", message_time=PATIENCE)
        sealpost.run("key", "import", "--trusted", authority.root)
        files = [self.cabinet(p, name) for p in own for name in ("cert.pem", "key.pem", "secret.asc")]
        files += [self.cabinet(p, name) for p in others for name in ("cert.pem", "public.asc")]
        sealpost.run("key", "import", authority.intermediate, *[f for f in files if f.exists()])
        self.set_policy(sealpost, domain, "outgoing require smime, pgp")
        return sealpost

    @staticmethod
    def set_policy(sealpost, domain, rules):
        sealpost.set_policy(f'internal domains "{domain}"\n{rules}\n')

    def explain(self, sealpost, sender, to, message, *options):
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        answer, status = sealpost.explain(sender, to, message, *options, "--output", str(out))
        assert status == 0, answer
        return answer["variants"], [(out / v["file"]).read_bytes() for v in answer["variants"]]

    def send(self, message, *people, rules=None):
        if rules:
            self.set_policy(self.here, "firma.example", rules)
        return self.explain(self.here, ALICE.address, [p.address for p in people], message)

    def inside(self, person, copy):
        with Opener(self.cabinet, person.address, [ALICE.address]) as opener:
            return opener.open(copy)

    def receive(self, sealpost, person, message, sender=ALICE.address):
        variants, files = self.explain(sealpost, sender, [person.address], message, "--incoming")
        return variants[0], files[0]

    def encrypted(self, entity, *people, signer=None):
        """As openssl makes it: encrypted, and signed by that person inside."""
        if signer:
            entity = self.signed(entity, signer, "-nodetach")
        return crlf(run(["openssl", "cms", "-encrypt", "-binary", "-aes-256-gcm",
                         *[self.cabinet(p, "cert.pem") for p in people]], stdin=entity).stdout)

    def signed(self, entity, who, *options):
        return crlf(run(["openssl", "cms", "-sign", "-binary", "-signer",
                         self.cabinet(who, "cert.pem"), "-inkey", self.cabinet(who, "key.pem"),
                         "-certfile", self.intermediate, *options], stdin=entity).stdout)


def crlf(data):
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def parsed(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def names(content):
    return [name.lower() for name, _ in fields_of(content)]


def content_of(leaf):
    """Its text, or bytes, with line ends of one kind."""
    content = leaf.get_content()
    return content.replace("\r\n", "\n") if isinstance(content, str) else content


def mark(mail):
    return mail.get_param("hp"), mail.get_param("protected-headers")


def outers(entity):
    """What HP-Outer says, as {name: field}."""
    found = [f[len(b"HP-Outer: "):] for name, f in fields_of(entity) if name == "HP-Outer"]
    return {f.partition(b":")[0].decode(): f for f in found}


KEPT = [f for name, f in fields_of(HEAD) if name not in ("Received", "Bcc", "X-Sealpost-Route",
                                                         "MIME-Version")]


def outgoing(work, tap):
    with tap.case("encrypted: every field inside as outside, HP-Outer for each, the content as it was"):
        for form, text in TEXTS.items():
            message = HEAD + text.encode()
            for person, copy in zip((SOFIA, PETER), work.send(message, SOFIA, PETER)[1]):
                entity = work.inside(person, copy).entity
                assert mark(parsed(entity)) == ("cipher", "v1"), (form, entity[:300])
                inner = [f for n, f in fields_of(entity) if n != "HP-Outer" and
                         not n.startswith("Content-")]
                assert inner == KEPT, (form, inner)
                assert list(outers(entity).values()) == KEPT
                want = entity_of(message)
                assert unprotected(entity) in (want, b"Content-Type: text/plain\r\n" + want), form
                assert [f for n, f in fields_of(copy) if n in ("Subject", "References", "Date")] == \
                    [f for n, f in fields_of(HEAD) if n in ("Subject", "References", "Date")]
    with tap.case("signed only: hp=clear, no HP-Outer, seven bits"):
        message = HEAD + TEXTS["8bit"].encode()
        _, files = work.send(message, SOFIA, rules="outgoing plain sign")
        opened = work.inside(SOFIA, files[0])
        assert opened.layers == ["smime-signed"] and opened.entity.isascii()
        mail = parsed(opened.entity)
        assert mark(mail) == ("clear", "v1") and mail["Subject"] == SUBJECT
        assert "hp-outer" not in names(opened.entity) and "bcc" not in names(opened.entity)
        assert parsed(files[0])["Subject"] == SUBJECT
    with tap.case("signed by the client: its layer stays as it is"):
        sent = HEAD + work.signed(b"Content-Type: text/plain\r\n\r\nx\r\n", ALICE)
        _, files = work.send(sent, SOFIA, rules="outgoing require smime, pgp")
        with Opener(work.cabinet, SOFIA.address) as opener:
            assert opener.open(files[0], layers=1).entity == entity_of(sent)


def hidden(work, tap):
    rules = "outgoing require smime, pgp, tls hide subject"
    with tap.case("hide subject: [...] outside, all of it inside, readable for old programs"):
        for form, text in TEXTS.items():
            message = HEAD + text.encode()
            variants, files = work.send(message, SOFIA, PETER, rules=rules)
            for person, copy, variant in zip((SOFIA, PETER), files, variants):
                assert variant["hide_subject"] and parsed(copy)["Subject"] == "[...]"
                assert "thread-topic" not in names(copy)
                assert b"K\xc3\xbcndigung" not in copy and b"S8O8bmRp" not in copy
                entity = work.inside(person, copy).entity
                mail = parsed(entity)
                assert mail["Subject"] == SUBJECT and mark(mail) == ("cipher", "v1")
                assert outers(entity)["Subject"] == b"Subject: [...]"
                assert "Thread-Topic" not in outers(entity)
                check_display(form, mail, parsed(message))
    with tap.case("the same on a copy that is not encrypted: stays outside, and explain says so"):
        variants, files = work.send(HEAD + TEXTS["7bit"].encode(), cast.VERA,
                                    rules="outgoing prefer smime hide subject")
        assert not variants[0]["hide_subject"] and parsed(files[0])["Subject"] == SUBJECT
    with tap.case("signed by the client: its bytes become a part, the subject is hidden all the same"):
        inner = work.signed(b"Content-Type: text/plain\r\n\r\nx\r\n", ALICE)
        variants, files = work.send(HEAD + inner, SOFIA, rules=rules)
        opened = work.inside(SOFIA, files[0])
        mail = parsed(opened.entity)
        assert opened.signers == [ALICE.address] and parsed(files[0])["Subject"] == "[...]"
        assert mail["Subject"] == SUBJECT and mail.get_content_type() == "multipart/mixed"
        assert entity_of(inner) in opened.entity


def check_display(form, mail, sent):
    """RFC 9788, 4.5.3: without the element, the texts are those that were written."""
    if form == "a file alone":
        assert mail.get_content() == sent.get_content()
        return
    leaves = [p for p in mail.walk() if not p.is_multipart()]
    for leaf, wrote in zip(leaves, [p for p in sent.walk() if not p.is_multipart()]):
        text, want = content_of(leaf), content_of(wrote)
        if leaf.is_attachment():
            assert text == want and leaf.get_param("hp-legacy-display") is None
            continue
        assert leaf.get_param("hp-legacy-display") == "1", (form, leaf.items())
        if leaf.get_content_subtype() == "html":
            div = re.search(r'\s*<div class="header-protection-legacy-display">\s*<pre>\s*(.*?)\s*'
                            r"</pre>\s*</div>", text, re.S)
            assert div.group(1) == ("Subject: K&#252;ndigung: &#196;hre &amp; Co "
                                    "&lt;vertraulich&gt;"), text
            text = text.replace(div.group(0), "")
        else:
            first, text = text.split("\n\n", 1)
            assert first == "Subject: " + SUBJECT, (form, first)
        assert text == want, (form, text, want)


def again(work, tap):
    with tap.case("our own mail opened by us: header and texts as they were sent"):
        for form, text in TEXTS.items():
            message = HEAD + text.encode()
            for rules in ("outgoing require smime, pgp", "outgoing require smime, pgp hide subject"):
                _, files = work.send(message, SOFIA, PETER, rules=rules)
                for sealpost, person, copy in ((work.there, SOFIA, files[0]),
                                               (work.pgp, PETER, files[1])):
                    variant, mail = work.receive(sealpost, person, copy)
                    assert ("Subject" in variant["restored"]) == ("hide" in rules), (form, variant)
                    said = re.search(rb";\r\n\trestored (.*)\r\n", mail)
                    assert (said.group(1).decode().split(", ") if said else []) == variant["restored"]
                    assert not variant["warnings"] or variant["warnings"] == \
                        ["not-protected-against-change"], variant
                    got, sent = parsed(mail), parsed(message)
                    for name in ("From", "To", "Subject", "Date", "Message-ID", "References",
                                 "Thread-Topic"):
                        assert got.get_all(name) == sent.get_all(name), (form, name, got.items())
                    check_delivered(form, person, mail, message)


def check_delivered(form, person, mail, message):
    """PGP: the content that was sent. S/MIME: it keeps its signature, and so its bytes."""
    if person is SOFIA:
        assert parsed(mail).get_content_type() == "multipart/signed"
        return
    got, want = list(texts(parsed(mail))), list(texts(parsed(message)))
    assert got == want, (form, got)
    assert b"hp=" not in mail and b"hp-legacy" not in mail and b"protected-headers" not in mail


def payload(*fields, hp="cipher", text="secret words"):
    head = "".join(f + "\r\n" for f in fields)
    return (f'{head}Content-Type: text/plain; charset=utf-8; hp="{hp}"\r\n\r\n{text}\r\n').encode()


def attacks(work, tap):
    outer = f"From: Sofia <{SOFIA.address}>\r\nSubject: [...]\r\nTo: {ALICE.address}\r\n".encode()
    hp_outer = (f"HP-Outer: From: Sofia <{SOFIA.address}>", "HP-Outer: Subject: [...]",
                f"HP-Outer: To: {ALICE.address}")

    def receive(entity, head=outer):
        return work.receive(work.here, ALICE, head + entity, sender=SOFIA.address)

    with tap.case("fields that only we, the way or nobody may set stay inside"):
        evil = ("Received: from evil", "Bcc: eve@else.example", "X-Sealpost-Incoming: pgp-signed",
                "X-SEALPOST-Route: tls evil", "Return-Path: <eve@else.example>",
                "Authentication-Results: GATEWAY; smime=pass", "Delivered-To: loop",
                "Disposition-Notification-To: eve@else.example", "Content-Disposition: inline")
        variant, mail = receive(work.encrypted(payload("Subject: s", f"From: {SOFIA.address}", *evil,
                                                       *hp_outer), ALICE))
        assert parsed(mail)["Subject"] == "s" and b"evil" not in mail and b"eve@" not in mail
        assert names(mail).count("x-sealpost-incoming") == 1 and "received" not in names(mail)
        assert names(mail).count("authentication-results") == 1
    with tap.case("no line break gets out, in whatever form"):
        for value in ("a\r\n b\r\n\tc", "a\rBcc: eve@else.example",
                      "=?utf-8?q?a=0D=0ABcc:_eve@else.example?=", "a\x0bb\x0cc\x00d",
                      "=?utf-8?b?" + "DQpCY2M6IGV2ZUBlbHNlLmV4YW1wbGUNCg==" + "?="):
            _, mail = receive(work.encrypted(payload(f"Subject: {value}", f"To: {value}",
                                                     f"From: {SOFIA.address}", *hp_outer), ALICE))
            assert names(mail).count("subject") == 1 and "bcc" not in names(mail), mail
            assert b"\nBcc" not in mail and b"\rBcc" not in mail and b"\x0b" not in split(mail)[0]
    with tap.case("a protected From of somebody else: outer From, warning, no signature of his"):
        inside = payload("From: Boss <boss@firma.example>", "Subject: s", *hp_outer)
        for entity in (work.encrypted(inside, ALICE), work.encrypted(inside, ALICE, signer=SOFIA)):
            variant, mail = receive(entity)
            assert parsed(mail)["From"] == f"Sofia <{SOFIA.address}>", mail
            assert "protected-from-differs" in variant["warnings"], variant
            assert parsed(mail)["Subject"] == "s"
    with tap.case("... signed by him: his From, and his signature"):
        variant, mail = receive(work.encrypted(inside, ALICE, signer=BOSS))
        assert parsed(mail)["From"] == "Boss <boss@firma.example>"
        assert [(s["result"], s["signer"], s["matches_from"]) for s in variant["signatures"]] == \
            [("good", BOSS.address, True)] and not variant["warnings"], variant
    with tap.case("misplaced: in a part, in an attached message, on the layer's own root"):
        part = payload("Subject: evil", f"From: {SOFIA.address}")
        mixed = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' + part + b"\r\n--b--\r\n"
        attached = b"Content-Type: message/rfc822\r\n\r\n" + part
        signed = work.signed(b"Content-Type: text/plain\r\n\r\nx\r\n", SOFIA)
        layer = b"Subject: evil\r\n" + signed.replace(b"multipart/signed;",
                                                      b'multipart/signed; hp="cipher";', 1)
        plain = payload("X: y")
        for entity in (*(work.encrypted(e, ALICE) for e in (mixed, attached, layer)), mixed, plain):
            variant, mail = receive(entity)
            assert parsed(mail)["Subject"] == "[...]", mail
            assert not variant.get("restored"), variant
    with tap.case("signed only: the subject that was signed, and word of the change; broken: neither"):
        entity = work.signed(payload("Subject: true", f"From: Sofia <{SOFIA.address}>",
                                     f"To: {ALICE.address}", hp="clear"), SOFIA)
        variant, mail = receive(entity, outer.replace(b"[...]", b"true"))
        assert not variant["warnings"] and not variant["restored"], variant
        variant, mail = receive(entity)
        assert variant["warnings"] == ["header-changed"] and parsed(mail)["Subject"] == "true"
        assert split(mail)[1] == split(entity)[1]
        variant, mail = receive(entity.replace(b"secret", b"public"))
        assert parsed(mail)["Subject"] == "[...]" and "header-changed" in variant["warnings"]
    with tap.case("a field added outside on the way is reported"):
        entity = work.encrypted(payload("Subject: s", f"From: Sofia <{SOFIA.address}>",
                                        f"To: {ALICE.address}", *hp_outer), ALICE, signer=SOFIA)
        assert not receive(entity)[0]["warnings"]
        assert receive(entity, outer + b"Reply-To: eve@else.example\r\n")[0]["warnings"] == \
            ["header-changed"]
    with tap.case("text that only looks like a display element stays"):
        for text in ("Dear Alice\r\n\r\nmore", "Subject: x"):
            entity = payload("Subject: s", text=text).replace(b"; hp=", b'; hp-legacy-display="1"; hp=')
            _, mail = receive(work.encrypted(entity, ALICE))
            assert text.encode() in mail
        entity = payload("Subject: s", hp="clear", text="Subject: s\r\n\r\nx")
        _, mail = receive(work.encrypted(entity.replace(b"; hp=", b'; hp-legacy-display="1"; hp='),
                                         ALICE))
        assert b"Subject: s\r\n\r\nx" in split(mail)[1]
    with tap.case("a display element that cannot be taken out, for there is no room for another field: stays"):
        fill = [f"X-{n}: y" for n in range(2_000 - 2)]  # HEADERS_MAX, with Subject and Content-Type
        for fields, stays in ((fill, True), (fill[1:], False)):
            entity = payload("Subject: s", *fields, text="Subject: s\r\n\r\nGr\u00fc\u00dfe")
            _, mail = receive(work.encrypted(entity.replace(b"; hp=", b'; hp-legacy-display="1"; hp='), ALICE))
            assert (b"Subject: s\r\n\r\nGr" in split(mail)[1]) == stays, mail[-200:]


def whole(work, tap):
    """A message that was put into the layer as a whole (RFC 8551, section 3.1), against one that is forwarded."""
    same = f"From: Sofia <{SOFIA.address}>\r\nMessage-ID: <1@smime.example>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n"
    outer = f"{same}Subject: [...]\r\nTo: {ALICE.address}\r\n".encode()
    hidden = f"Subject: Geheim\r\nCc: {BOSS.address}\r\nReceived: from evil\r\nX-Evil: evil\r\nMIME-Version: 1.0\r\n"
    text = "Content-Type: text/plain; x=y\r\n\r\nsecret words\r\n"
    other = same.replace("<1@", "<2@")

    def wrapped(inside, params="", **options):
        entity = f"MIME-Version: 1.0\r\nContent-Type: message/rfc822{params}\r\n\r\n{inside}".encode()
        return work.encrypted(entity, ALICE, **options), entity

    def receive(entity, head=outer):
        return work.receive(work.here, ALICE, head + entity, sender=SOFIA.address)

    with tap.case("the message itself, wrapped: it is the message, with its hidden fields"):
        for inside, params in ((same + hidden + text, ""), (same + hidden + text, "; forwarded=no"),
                               (other + hidden + text, '; forwarded="No"')):
            variant, mail = receive(wrapped(inside, params, signer=SOFIA)[0])
            message = parsed(mail)
            assert message["Subject"] == "Geheim" and message["Cc"] == BOSS.address, mail
            assert {"Subject", "Cc"} <= set(variant["restored"]) and not variant["warnings"], variant
            assert split(mail)[1] == b"secret words\r\n" and message.get_param("x") == "y", mail
            assert b"evil" not in mail and names(mail).count("message-id") == names(mail).count("mime-version") == 1
    with tap.case("a message that is forwarded, or cannot be told from one: an attachment as before"):
        foreign = same.replace("Sofia", "Boss").replace(SOFIA.address, BOSS.address)
        layer = work.signed(b"Content-Type: text/plain\r\n\r\nx\r\n", SOFIA).decode()
        for inside, params in ((same + hidden + text, "; forwarded=yes"), (same + hidden + text, "; forwarded=x"),
                               (other + hidden + text, ""), (same.replace("2024", "2023") + hidden + text, ""),
                               (foreign + hidden + text, ""), (foreign + hidden + text, "; forwarded=no"),
                               (same + same + hidden + text, "; forwarded=no"), (hidden + text, "; forwarded=no"),
                               (same + hidden + "Content-Type: text/html\r\n" + text, "; forwarded=no"),
                               (same + hidden + text.replace("x=y", "hp=cipher"), "; forwarded=no"),
                               (same + hidden + layer, "; forwarded=no"),
                               # more than the MTA takes as a field of the message's own
                               (same + hidden + "Content-Description: x" + "\r\n words" * 9000 + "\r\n" + text,
                                "; forwarded=no")):
            entity, inner = wrapped(inside, params)
            variant, mail = receive(entity)
            assert parsed(mail)["Subject"] == "[...]" and not variant["restored"], (inside, params, mail)
            assert mail.endswith(inner.split(b"\r\n\r\n", 1)[1]), mail
    with tap.case("in a part beside others, or not in a layer: an attachment as before"):
        _, inner = wrapped(same + hidden + text, "; forwarded=no")
        mixed = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n' + inner + b"\r\n--b--\r\n"
        for entity in (work.encrypted(mixed, ALICE), inner.replace(b"MIME-Version: 1.0\r\n", b"", 1)):
            variant, mail = receive(entity)
            assert parsed(mail)["Subject"] == "[...]" and not variant.get("restored"), mail
    with tap.case("... in an encoding, which a message may not have (RFC 2046, section 5.2.1): as it came"):
        for encoding in ("base64", "quoted-printable", "x-none"):
            entity, inner = wrapped(same + hidden + text, f"\r\nContent-Transfer-Encoding: {encoding}")
            variant, mail = receive(entity)
            assert parsed(mail)["Subject"] == "[...]" and not variant["restored"], mail
            assert mail.endswith(inner.split(b"\r\n\r\n", 1)[1]), mail
    with tap.case("clear-signed: the subject that was signed, and the rest as it came"):
        entity = work.signed(wrapped(same + hidden + text)[1], SOFIA)
        variant, mail = receive(entity)
        assert parsed(mail)["Subject"] == "Geheim" and variant["warnings"] == ["header-changed"], variant
        assert split(mail)[1] == split(entity)[1]
        variant, mail = receive(entity.replace(b"secret", b"public"))
        assert parsed(mail)["Subject"] == "[...]", mail


# Samples of other programs: the keys, for whom, the message's text as its makers give it.
LAMPS, SAMPLES = "rfc9216-lamps-certs", "rfc9788-header-protection"
OLD, NOTMUCH = "autocrypt-protected-headers", "notmuch-crypto"
OWNERS = {
    SAMPLES: ("alice@smime.example", {"alice": f"{LAMPS}/alice.p12", "bob": f"{LAMPS}/bob.p12"},
              f"{LAMPS}/ca.rsa.crt"),
    OLD + "/smime": ("bob@smime.example", {"bob": f"{OLD}/keys/bob.p12"}, f"{OLD}/keys/sample-ca.pem"),
    OLD + "/pgpmime": ("bob@openpgp.example", {
        None: [f"{OLD}/keys/bob_openpgp.example.sec.asc", f"{OLD}/keys/alice_openpgp.example.pub.asc"]},
        None),
    NOTMUCH + "/protected-headers/": ("test_suite@notmuchmail.org", {
        None: [f"{NOTMUCH}/keys/openpgp4-secret-key.asc"]}, None),
}
# notmuch's tests: the subject that each is to be shown with.
SHOWN = {"double-wrapped-with-phony-protected-header": "Subject Unavailable",
         "misplaced-protected-header": "Subject Unavailable",
         "no-protected-header-attribute": "Subject Unavailable",
         "wrapped-protected-header": "[mailing-list] Subject Unavailable",
         "encrypted-signed": "Rhinoceros dinner",
         "protected-with-legacy-display": "Interrupting Cow",
         "subjectless-protected-header": "This is a protected header",
         "simple-signed-mail": "This is a signed message"}


class Samples:
    def __init__(self, folder, family):
        self.folder, self.family = folder, family
        self.owner, keys, root = OWNERS[family]
        self.sealpost = Sealpost(BUILD, folder / "sealpost", folder, folder, None)
        self.sealpost.init(self.owner.split("@")[1])
        self.sealpost.set("keystore", system_roots="false")
        self.sealpost.set("gateway", message_time=PATIENCE)
        if root:
            self.sealpost.run("key", "import", "--trusted", CORPUS / root)
        for secret, paths in keys.items():
            options = []
            if secret:
                path = folder / "passphrase"
                path.touch(0o600)
                path.write_text(secret + "\n", "utf-8")
                options, paths = ["--passphrase-file", path], [paths]
            self.sealpost.run("key", "import", *options, *[CORPUS / p for p in paths])

    def messages(self):
        """(name, the message that is delivered, the inside as its makers say it; None: not given)."""
        folder, _, start = self.family.partition("/")
        if start.endswith("/"):
            folder, start = f"{folder}/{start}", ""
        for path in sorted((CORPUS / folder).glob(f"{start}*.eml")):
            out = self.folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            answer, status = self.sealpost.explain("x@outside.example", [self.owner],
                                                   path.read_bytes(), "--incoming", "--output",
                                                   str(out))
            assert status == 0, answer
            wanted = None
            for suffix in (".unwrapped.txt", ".inner.inner.txt", ".inner.txt"):
                if wanted is None and path.with_suffix(suffix).exists():
                    wanted = path.with_suffix(suffix).read_bytes()
            yield path.stem, (out / "1.eml").read_bytes(), path.read_bytes(), wanted


def without_display(text):
    """By the RFC's words, in Python's: what is left of a text that begins with an element."""
    if "<div" in text:
        return re.sub(r'\s*<div class="header-protection-legacy-display">.*?</div>', "", text,
                      count=1, flags=re.S)
    return text.split("\n\n", 1)[1]


def texts(mail, display=False):
    """The leaves' contents; display: marked elements left out as a reader that knows them does."""
    for leaf in mail.walk():
        if leaf.is_multipart():
            continue
        content = content_of(leaf)
        if display and leaf.get_param("hp-legacy-display") == "1":
            content = without_display(content)
        yield (leaf.get_content_type(), content)


def corpus(folder, tap):
    for family in OWNERS:
        with tap.case(f"samples of {family}"):
            here = folder / re.sub(r"\W", "-", family)
            here.mkdir()
            count = 0
            for name, delivered, sent, wanted in Samples(here, family).messages():
                mail, count = parsed(delivered), count + 1
                if wanted is None:
                    assert mail["Subject"] == SHOWN.get(name, parsed(sent)["Subject"]), name
                    continue
                want = parsed(crlf(wanted))
                if want.get_content_type() == "message/rfc822":  # RFC 8551, section 3.1
                    assert ("restored Subject" in mail["X-Sealpost-Incoming"]) == ("enc" in name), mail["X-Sealpost-Incoming"]
                    want, sent = want.get_payload(0), crlf(wanted).split(b"\r\n\r\n", 1)[1]
                    assert want["Message-ID"] and mail.get_content_type() == want.get_content_type(), name
                if mark(want) != (None, None):
                    for field in ("Subject", "From", "To", "Date", "Message-ID", "References"):
                        assert mail.get_all(field) == want.get_all(field), (name, field)
                    assert mark(mail) == (None, None), name
                else:
                    assert mail["Subject"] == parsed(sent)["Subject"], name
                hp = want.get_param("hp") == "cipher"
                assert list(texts(mail)) == list(texts(want, hp)), (name, list(texts(mail)))
            assert count >= 3, count


def main():
    tap, folder = Tap(), Path(tempfile.mkdtemp(prefix="shp-"))
    try:
        work = Work(folder)
        outgoing(work, tap)
        hidden(work, tap)
        again(work, tap)
        attacks(work, tap)
        whole(work, tap)
        if (CORPUS / "manifest.tsv").exists():
            corpus(folder, tap)
        else:
            tap.skip("samples of other programs", f"no corpus in {CORPUS} (SEALPOST_CORPUS)")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


main()
