# SPDX-License-Identifier: Apache-2.0
"""What incoming rules demand: encryption, signature, TLS. Through a real Postfix, with messages made
by openssl and gpg; and what `sealpost explain --incoming` says of them."""
import ssl

import foreign
from lib import ALICE, BOSS, copy_for, refused, script, stranger

from demo import people as cast
from demo.site import as_bytes

SOFIA, PETER, CARL = cast.SOFIA.address, cast.PETER.address, cast.CARL.address
POLICY = """\
internal domains "firma.example"
outgoing require smime, pgp
incoming from "bank.example" require tls 1.3
incoming from "tls.example" require tls
incoming subject has "[late]" require tls 1.2
incoming subject has "[sealed]" require smime or pgp
incoming subject has "[smime]" require smime
incoming subject has "[pgp]" require pgp
incoming subject has "[signed]" require signature
incoming subject has "[both]" require signature require smime or pgp require tls
incoming subject has "[never]" reject "Not here"
copy incoming subject has "[copy]" to "archive@firma.example"
"""
INNER = foreign.entity("Geheim\n")


def send(site, subject, inner, sender=SOFIA, to=(ALICE,), tls=None, shown=None):
    site.empty_out()
    content = foreign.mail(shown or sender, to, inner, subject)
    with stranger(site, tls) as smtp:
        smtp.sendmail(sender, list(to), as_bytes(content))


def refuses(site, words, *args, **kwargs):
    code, text = refused(send, site, *args, **kwargs)
    assert code == 550 and text.startswith("5.7.1 Not accepted for <") and words in text, (code, text)
    assert not site.postfix.in_queue() and not site.outbox.copies()


def passes(site, *args, count=1, **kwargs):
    send(site, *args, **kwargs)
    return site.arrived_for(count)


def smime(site, inner=INNER, signer=SOFIA, to=(ALICE,), cipher="-aes-256-cbc"):
    signed = foreign.openssl_signed(site, signer, inner) if signer else inner
    return foreign.openssl_encrypted(site, to, signed, cipher)


def forms(site):
    """{name: an entity that sofia could have sent}"""
    return {
        "plain": INNER, "signed": foreign.openssl_signed(site, SOFIA, INNER),
        "opaque": foreign.openssl_signed(site, SOFIA, INNER, opaque=True),
        "cbc": smime(site), "gcm": smime(site, cipher="-aes-256-gcm"),
        "unsigned": smime(site, signer=None), "unsigned gcm": smime(site, signer=None, cipher="-aes-256-gcm"),
        "of another": smime(site, signer=ALICE),
        "for boss": smime(site, to=(BOSS,)), "for boss gcm": smime(site, to=(BOSS,), cipher="-aes-256-gcm"),
        "triple": foreign.openssl_signed(site, SOFIA, smime(site)),
        "called so": INNER.replace(b"text/plain", b"application/pkcs7-mime"),
        "cut": change(smime(site), lambda raw: raw[:-40]),
        "attached": foreign.multipart("multipart/mixed", "", [INNER, smime(site)]),
        "signed part": foreign.multipart("multipart/mixed", "",
                                         [foreign.openssl_signed(site, SOFIA, INNER), INNER]),
    }


ENCRYPTED = {"cbc", "gcm", "unsigned", "unsigned gcm", "of another", "triple"}
SIGNED = {"signed", "opaque", "cbc", "gcm", "triple"}


def content(site, tap):
    entities = forms(site)
    for tag, good, words in (("[sealed]", ENCRYPTED, "S/MIME or PGP"),
                             ("[smime]", ENCRYPTED, "be encrypted for this address with S/MIME"),
                             ("[pgp]", set(), "be encrypted for this address with PGP"),
                             ("[signed]", SIGNED, "valid signature of the address in From")):
        with tap.case(f"{tag}: what has it passes, all else is refused"):
            for name, entity in entities.items():
                answer, status = site.sealpost.explain(
                    SOFIA, [ALICE], foreign.mail(SOFIA, [ALICE], entity, f"x {tag}"), "--incoming")
                assert status == (0 if name in good else 77), (name, status, answer)
                if status == 77:
                    assert answer["verdict"] == "reject" and words in answer["reply"], answer
                    assert answer["reply"].startswith("550 5.7.1 Not accepted for <alice@"), answer
                    assert tag in answer["recipients"][0]["rule"]["text"] and not answer["variants"]
    with tap.case("the same in the dialogue"):
        passes(site, "[sealed]", entities["cbc"])
        refuses(site, "S/MIME or PGP", "[sealed]", entities["signed"])
        passes(site, "[signed]", entities["cbc"])
        refuses(site, "valid signature", "[signed]", entities["cbc"], shown="eve@else.example")
        refuses(site, "valid signature", "[signed]", entities["of another"])
    with tap.case("PGP: encrypted counts, its signature too; a damaged one does not"):
        sealed = foreign.gpg_encrypted(site, PETER, [ALICE], INNER)
        for tag in ("[pgp]", "[sealed]", "[signed]"):
            passes(site, tag, sealed, sender=PETER)
        refuses(site, "S/MIME", "[smime]", sealed, sender=PETER)
        refuses(site, "valid signature", "[signed]",
                foreign.gpg_encrypted(site, PETER, [ALICE], INNER, sign=False), sender=PETER)
        middle = len(sealed) // 2
        damaged = sealed[:middle] + sealed[middle:middle + 8][::-1] + sealed[middle + 8:]
        refuses(site, "PGP", "[pgp]", damaged, sender=PETER)
    with tap.case("one of two recipients has no key: refused as a whole, with that recipient's name"):
        code, text = refused(send, site, "[sealed]", entities["gcm"], to=(ALICE, CARL))
        assert code == 550 and f"<{CARL}>" in text, text
    with tap.case("what cannot be looked into has nothing: too large, not readable"):
        deep = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (i, i)
                        for i in range(60)) + INNER
        refuses(site, "valid signature", "[signed]", deep)
        passes(site, "x", deep)


def change(entity, edit):
    """The entity with its CMS bytes changed."""
    head, body = entity.split(b"\r\n\r\n", 1)
    raw = bytearray(foreign.unbase64(body))
    return head + b"\r\n\r\n" + foreign.base64_lines(bytes(edit(raw)))


def oracle(site, tap):
    """A captured message comes again, changed. Where the cipher does not protect it, answers say
    nothing of what is inside: neither whether it opened nor how it ends."""
    with tap.case("[sealed], CBC: the padding right or wrong, the answer is the same"):
        captured = smime(site, INNER * 30, signer=None)
        # The last byte of the padding; changed in the last block, one of 256 would be right again.
        wrong = change(captured, lambda raw: raw[:-17] + bytes([raw[-17] ^ 1]) + raw[-16:])
        assert b"Geheim" in passes(site, "[sealed]", captured)[0].content
        kept = passes(site, "[sealed]", wrong)[0].content
        assert b"Geheim" not in kept and b"shut (damaged)" in kept, kept
    with tap.case("[signed], CBC: nothing may be put behind the signed part"):
        good, bad = (b"", b"\r\n"), (b" ", b"\x01\x8f", b"\r\n\r\nmore text\r\n", b"\r\n--")
        signed = foreign.openssl_signed(site, SOFIA, INNER)
        opaque = foreign.openssl_signed(site, SOFIA, INNER, opaque=True)
        for inner in (signed, opaque):
            for end in good + bad:
                entity = foreign.openssl_encrypted(site, [ALICE], inner.rstrip() + end, "-aes-256-cbc")
                _, status = site.sealpost.explain(
                    SOFIA, [ALICE], foreign.mail(SOFIA, [ALICE], entity, "[signed]"), "--incoming")
                assert status == (0 if end in good else 77), (end, status)
    with tap.case("... with a cipher that protects it, that is the sender's own text"):
        entity = foreign.openssl_encrypted(site, [ALICE], signed + b"more\r\n", "-aes-256-gcm")
        _, status = site.sealpost.explain(
            SOFIA, [ALICE], foreign.mail(SOFIA, [ALICE], entity, "[signed]"), "--incoming")
        assert status == 0, status


def transport(site, tap):
    old, new = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    with tap.case("TLS: refused at RCPT, that recipient alone; over TLS it passes"):
        for sender, tls, words in (("a@tls.example", None, "TLS"), ("a@bank.example", None, "TLS 1.3"),
                                   ("a@bank.example", old, "TLS 1.3")):
            with stranger(site, tls) as smtp:
                smtp.mail(sender)
                code, text = smtp.rcpt(ALICE)
                assert code == 550 and text.startswith(b"5.7.1 Not accepted for <alice@"), text
                assert words.encode() in text, text
        passes(site, "x", INNER, sender="a@tls.example", tls=old)
        passes(site, "x", INNER, sender="a@bank.example", tls=new)
        passes(site, "x", INNER)
    with tap.case("a rule that needs the header: refused at the end of the message"):
        for sender, shown, tag in ((SOFIA, None, "[late]"), (SOFIA, "ceo@bank.example", "x"),
                                   ("", "ceo@bank.example", "x"),
                                   (SOFIA, "Ceo ceo@bank.example", "x")):
            refuses(site, "TLS", tag, INNER, sender=sender, shown=shown or SOFIA)
            passes(site, tag, INNER, sender=sender, shown=shown or SOFIA, tls=new)
    with tap.case("explain: --tls says what the client came over"):
        mail = foreign.mail("a@bank.example", [ALICE], INNER)
        for options, status in (((), 77), (("--tls", "1.2"), 77), (("--tls", "1.3"), 0)):
            answer, got = site.sealpost.explain("a@bank.example", [ALICE], mail, "--incoming", *options)
            assert got == status, answer
    with tap.case("several demands: each is asked"):
        good = smime(site)
        refuses(site, "TLS", "[both]", good)
        refuses(site, "encrypted", "[both]", foreign.openssl_signed(site, SOFIA, INNER), tls=new)
        refuses(site, "signature", "[both]", smime(site, signer=None), tls=new)
        passes(site, "[both]", good, tls=new)


def others(site, tap):
    with tap.case("reject: with its text"):
        code, text = refused(send, site, "[never]", INNER)
        assert (code, text) == (550, "5.7.1 Not here"), (code, text)
    with tap.case("copy incoming: as it came, opened for nobody"):
        copies = passes(site, "[copy]", smime(site), count=2)
        assert b"Geheim" in copy_for(copies, ALICE).content
        archived = copy_for(copies, "archive@firma.example").content
        assert b"Geheim" not in archived and b"pkcs7-mime" in archived, archived
    with tap.case("over message_limit: as it came, and said so; refused where copies would be cut short"):
        large = foreign.entity("x" * 70 + "\n" + ("y" * 70 + "\n") * 5000 + "the end\n")
        copy = passes(site, "x", large)[0].content
        assert copy.endswith(b"\r\nthe end\r\n") and b"X-Sealpost-Incoming: warning too-large" in copy, copy[-80:]
        code, text = refused(send, site, "[copy]", large)
        assert code == 552 and not site.outbox.copies(), (code, text)
        refuses(site, "signature", "[signed]", large)
    with tap.case("sealpost policy test knows incoming rules"):
        path = site.folder / "expected"
        path.write_text('expect from "a@bank.example" to "alice@firma.example": require tls 1.3\n'
                        'expect from "a@b.example" to "alice@firma.example" subject "[both]":\n'
                        '\trequire smime or pgp require signature require tls (line 10)\n'
                        'expect from "a@b.example" to "alice@firma.example" subject "[sealed]":\n'
                        '\trequire pgp or smime\n')
        done = site.sealpost.run("policy", "test", path)
        assert b"3 expectations, 0 not met" in done.stdout, done


with script() as tap, tap.site(people=cast.CAST, policy=POLICY, portal=False,
                               settings={"gateway": {"message_limit": "300K"}}) as site:
    for part in (content, oracle, transport, others):
        part(site, tap)
