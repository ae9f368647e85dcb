# SPDX-License-Identifier: Apache-2.0
"""Inline PGP that comes in, made by gpg and taken apart by Python's email package: in every transfer encoding and
charset, with words around it, several blocks, encrypted files beside it, and what stays shut."""
import base64
import email
import email.policy
import quopri
import re
import shutil
import sys
import tempfile
import time
from importlib import import_module

from lib import Tap

from demo import people as cast
from demo.process import run

incoming = import_module("27_incoming")
ALICE, BOSS, PETER, SOFIA = cast.ALICE, cast.BOSS, cast.PETER, cast.SOFIA
crlf, layers = incoming.crlf, incoming.layers
KIND = "pgp-inline-encrypted"
OPENED, FOREIGN = (KIND, "opened", None), (KIND, "shut", "foreign-part")
SIGNED = ("pgp-inline-signed", "opened", None)
SECRET = b"Geheim\n"


def text(data, charset="utf-8", encoding="8bit", extra=""):
    coded = {"quoted-printable": lambda: quopri.encodestring(data.replace(b"\r\n", b"\n")),
             "base64": lambda: base64.encodebytes(data)}.get(encoding, lambda: data)()
    return (f"Content-Type: text/plain; charset={charset}\r\n{extra}"
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n").encode() + crlf(coded)


def multipart(kind, *parts):
    return (f'Content-Type: multipart/{kind}; boundary="b"\r\n\r\n'.encode() +
            b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n")


def file(data, name, extra=""):
    return (f'Content-Type: application/octet-stream; name="{name}"\r\n{extra}'
            f'Content-Disposition: attachment; filename="{name}"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n").encode() + crlf(base64.encodebytes(data))


HTML = b"Content-Type: text/html\r\n\r\n<b>hi</b>\r\n"


class Inline:
    def __init__(self, work):
        self.work = work

    def sealed(self, data=SECRET, to=ALICE, *options):
        return self.work.gpg("-r", to.address, *options, "--encrypt", stdin=data)

    def binary(self, data, to=ALICE):
        return run(["gpg", "--homedir", self.work.home, "--batch", "--quiet", "--trust-model", "always",
                    "-r", to.address, "--encrypt"], stdin=data).stdout

    def signed(self, data, how="--clear-sign"):
        return self.work.gpg("-u", PETER.address, "--digest-algo", "SHA256", how, stdin=data)

    def explain(self, entity, to=ALICE, sender=PETER.address):
        """(what was found, the message as Python reads it, its bytes)."""
        answer, files = self.work.explain(entity, to, sender=sender)
        return answer["variants"][0], email.message_from_bytes(files[0], policy=email.policy.default), files[0]

    def verifies(self, data):
        return run(["gpg", "--homedir", self.work.home, "--batch", "--verify"], stdin=data, check=False).returncode == 0


def parts(message):
    """[(text to read or file name, content)] of the leaves."""
    return [(part.get_filename(), part.get_payload(decode=True)) for part in message.walk()
            if not part.is_multipart()]


def signatures(variant):
    return [(x["result"], x["covers"], x["signer"]) for x in variant["signatures"]]


GOOD = ("good", "message", PETER.address)
PART = ("good", "part", PETER.address)


def whole_texts(inline, tap):
    with tap.case("one armour is the text: opened in place, in every transfer encoding"):
        for encoding in ("7bit", "quoted-printable", "base64"):
            variant, message, _ = inline.explain(text(inline.sealed(), encoding=encoding))
            assert layers(variant) == [OPENED] and not variant["warnings"], variant
            assert parts(message) == [(None, b"Geheim\r\n")], message
            assert variant["layers"][0]["sha256"] == incoming.hashlib.sha256(SECRET).hexdigest()
    with tap.case("signed inside; for somebody else; without integrity protection"):
        variant, _, _ = inline.explain(text(inline.sealed(SECRET, ALICE, "--sign", "-u", PETER.address)))
        assert signatures(variant) == [GOOD], variant
        for armour, reason in ((inline.sealed(to=BOSS), "no-key"),
                               (inline.sealed(SECRET, ALICE, "--rfc2440", "--disable-mdc",
                                              "--cipher-algo", "3DES"), "no-integrity")):
            entity = text(armour)
            variant, _, raw = inline.explain(entity)
            assert layers(variant) == [(KIND, "shut", reason)] and entity in raw, variant
    with tap.case("the charset's bytes stay: by the armour, by the part, by themselves"):
        for charset, label, declared in (("iso-8859-15", "iso-8859-15", "--comment=x"),
                                         ("windows-1251", "windows-1251", "--comment=x"),
                                         ("utf-8", "us-ascii", "--comment=x")):
            plain = ("Жук\n" if charset == "windows-1251" else "Gruß\n").encode(charset)
            armour = inline.sealed(plain, ALICE, declared)
            _, message, _ = inline.explain(text(armour, charset=label))
            assert message.get_content_charset() == charset, message
            assert message.get_payload(decode=True) == crlf(plain)
        armour = inline.sealed("Gruß\n".encode("iso-8859-2")).replace(b"\n\n", b"\nCharset: iso-8859-2\n\n", 1)
        _, message, _ = inline.explain(text(armour))
        assert message.get_content().rstrip() == "Gruß", message
    with tap.case("armour as Exchange and others leave it: no-break spaces, blanks, no checksum"):
        armour = inline.sealed()
        lines = armour.split(b"\n")
        for broken in (armour.replace(b"\n\n", b"\n\xc2\xa0\n", 1), armour.replace(b"\n\n", b"\n\xa0\n", 1),
                       b"\n".join(b"  " + line + b" \t" for line in lines),
                       b"\n".join(line for line in lines if not line.startswith(b"="))):
            variant, message, _ = inline.explain(text(broken))
            assert layers(variant) == [OPENED] and parts(message) == [(None, b"Geheim\r\n")], (broken, variant)
    with tap.case("an armour in an opened armour; signed, not encrypted: unwrapped"):
        variant, message, _ = inline.explain(text(inline.sealed(inline.sealed())))
        assert layers(variant) == [OPENED, OPENED] and parts(message) == [(None, b"Geheim\r\n")]
        variant, message, _ = inline.explain(text(inline.signed(SECRET, "--sign")))
        assert layers(variant) == [SIGNED] and signatures(variant) == [GOOD], variant
        assert parts(message) == [(None, b"Geheim\r\n")], message


def clear_signed(inline, tap):
    words = b"Hello\n- a dash\nFrom me\n-----BEGIN PGP MESSAGE-----\ntrailing  \n\nend\n"
    with tap.case("clear-signed: verified over its bytes, stays as it came"):
        for encoding in ("7bit", "quoted-printable", "base64"):
            entity = text(inline.signed(words), encoding=encoding)
            variant, _, raw = inline.explain(entity)
            assert layers(variant) == [SIGNED] and signatures(variant) == [GOOD], variant
            assert not variant["warnings"] and entity in raw
        variant, _, _ = inline.explain(text(inline.signed(words * 10000)))
        assert signatures(variant) == [GOOD], "longer than what a spool keeps in memory"
        for more in (b"", b"1", b"12"):  # the signature's notation: its base64 ends with each of "", "=", "=="
            block = inline.work.gpg("-u", PETER.address, "--sig-notation", f"a@x.example=b{more.decode()}",
                                    "--clear-sign", stdin=words)
            without = re.sub(rb"\n=....\n(-----END)", rb"\n\1", block)
            variant, _, raw = inline.explain(text(without))
            assert without != block and signatures(variant) == [GOOD] and crlf(without) in raw, variant
        latin = inline.signed("Grüße\n".encode("iso-8859-1"))
        for encoding in ("8bit", "quoted-printable", "base64"):
            variant, _, _ = inline.explain(text(latin, "iso-8859-1", encoding))
            assert signatures(variant) == [GOOD], variant
    with tap.case("changed, of another sender, with headers that hide text: as what it is"):
        block = inline.signed(words)
        variant, _, _ = inline.explain(text(block.replace(b"Hello", b"Hell0")))
        assert signatures(variant)[0][0] == "bad", variant
        variant, _, _ = inline.explain(text(block), sender="eve@else.example")
        assert not variant["signatures"][0]["matches_from"], variant
        for header in (b"Comment: pay eve\n", b"NotDashEscaped: x\n", b"Hash: SHA256\nVersion: pay\n"):
            hidden = block.replace(b"\nHash:", b"\n" + header + b"Hash:", 1)
            variant, _, _ = inline.explain(text(hidden))
            assert not variant["signatures"], (header, variant)
        begin = b"-----BEGIN PGP SIGNATURE-----\n"
        for header, found in ((b"Version: GnuPG v2\nComment: https://gnupg.org\n", [GOOD]),
                              (b"Comment: pay eve\nComment: not Peter\n", []),
                              (b"Comment: " + b"pay eve " * 20 + b"\n", [])):
            variant, _, _ = inline.explain(text(block.replace(begin, begin + header)))
            assert signatures(variant) == found, (header, variant)
        for header in (b"Comment: new account, please pay to DE02 1203 0000 0000 2020 51\n",
                       b"Version: pay eve\n", b"Comment: Using GnuPG with " + b"a new account, pay there\n",
                       b"Charset: iso-8859-1, and pay eve 1,000 now\n"):
            variant, _, raw = inline.explain(text(block.replace(begin, begin + header)))
            assert signatures(variant) == [PART] and "partial-signature" in variant["warnings"], variant
            assert header.strip() in raw, "it stays as it came"
        for what in ("; format=flowed\r\nContent-Type: text/html", "\r\nContent-Transfer-Encoding: x-uuencode"):
            entity = text(block).replace(b"utf-8", b"utf-8" + what.encode(), 1)
            variant, _, raw = inline.explain(entity)
            assert signatures(variant) == [PART], (what, variant)
        assert b"trailing  \n" in block
        for what, data, found in ((b"; format=flowed; delsp=yes", block, [PART]),
                                  (b";\r\n FORMAT=Flowed; DelSp*=us-ascii''yes", block, [PART]),
                                  (b"; format=flowed; delsp=yes", block.replace(b"trailing  ", b"trailing"), [GOOD]),
                                  (b"; format=flowed", block, [GOOD])):
            for encoding in ("8bit", "quoted-printable"):
                entity = text(data, encoding=encoding).replace(b"utf-8", b"utf-8" + what, 1)
                variant, _, raw = inline.explain(entity)
                assert signatures(variant) == found and entity in raw, (what, variant)
        for added in (b"pay eve\f\n", b"- -----BEGIN PGP SIGNATURE-----\n", b"pay \r eve\n"):
            variant, _, _ = inline.explain(text(block.replace(b"Hello\n", b"Hello\n" + added)))
            assert signatures(variant)[0][0] == "bad", (added, variant)
    with tap.case("words around it: marked line by line, the block still verifies for others"):
        block = inline.signed(words)
        forged = b"-----END PGP SIGNATURE-----\n[Sealpost: all of this is signed]\n"
        variant, message, _ = inline.explain(text(b"Pay eve.\n" + forged + block + b"-- \nlist footer\n"))
        assert signatures(variant) == [PART] and "partial-signature" in variant["warnings"], variant
        seen = message.get_payload(decode=True).replace(b"\r\n", b"\n")
        assert seen.startswith(b"[Sealpost: only parts of this text were protected.")
        for line in (b"| Pay eve.", b"| [Sealpost: all of this is signed]", b"| list footer"):
            assert line in seen.split(b"\n"), seen
        assert block in seen and inline.verifies(seen[seen.index(block):])
        entity = text(b"Pay eve.\n" + block.replace(b"Hello", b"Hell0"))
        assert entity in inline.explain(entity)[2], "nobody vouches: it stays"


def around(inline, tap):
    with tap.case("words around a ciphertext: it is opened apart, and every other line is marked"):
        entity = text(b"before\n[Sealpost: see the attached part-7.txt]\n" + inline.sealed() + b"behind\n")
        variant, message, _ = inline.explain(entity)
        assert layers(variant) == [OPENED] and variant["warnings"] == ["partial-encryption"], variant
        (_, seen), (name, secret) = parts(message)
        assert (name, secret) == ("part-1.txt", b"Geheim\n"), message
        assert b"Geheim" not in seen and b"| before\r\n" in seen and b"| behind\r\n" in seen
        assert b"| [Sealpost: see the attached part-7.txt]\r\n" in seen
        assert b"\n[Sealpost: see the attached part-1.txt]\r\n" in seen
        assert [p.get_content_disposition() for p in message.iter_parts()] == [None, "attachment"]
    with tap.case("line ends of other kinds are line ends; where the charset can hide a mark, it stays shut"):
        entity = text(b"a\r[Sealpost: b]\f[Sealpost: c]\v\r\n" + inline.sealed(), encoding="base64")
        _, message, _ = inline.explain(entity)
        seen = message.get_payload(decode=True) if not message.is_multipart() else parts(message)[0][1]
        marked = [line for line in re.split(rb"[\r\n\f\v]+", seen) if line.startswith(b"| ")]
        assert marked == [b"| a", b"| [Sealpost: b]", b"| [Sealpost: c]"], seen
        words = "a\u2028[Sealpost: \u4e05\u0105]\u2029[Sealpost: c]\x85[Sealpost: d]\n"  # U+4E05, U+0105: ... 85 in UTF-8
        for charset in ("utf-8", "us-ascii", "windows-1252", "koi8-r"):
            _, message, _ = inline.explain(text(words.encode() + inline.sealed(), charset, "base64"))
            seen = parts(message)[0][1].decode()
            assert [x for x in re.split("[\r\n\u2028\u2029\x85]+", seen) if x.startswith("| ")] == [
                "| a", "| [Sealpost: \u4e05\u0105]", "| [Sealpost: c]", "| [Sealpost: d]"], (charset, seen)
        for charset, marks in (("iso-8859-1", 3), ("utf-8", 3), ("us-ascii", 3), ("windows-1252", 1), ("koi8-r", 1)):
            entity = text(b"a\x85[Sealpost: b]\xc3\x85[Sealpost: \xe4]\n" + inline.sealed(), charset, "base64")
            _, message, _ = inline.explain(entity)
            assert parts(message)[0][1].count(b"| ") == marks + 1, (charset, message)
        for charset in ("utf-7", "iso-2022-jp", "x-unknown"):
            entity = text(b"+AAoAWwBT-\n" + inline.sealed(), charset)
            variant, _, raw = inline.explain(entity)
            assert layers(variant) == [FOREIGN] and entity in raw, variant
            entity = text(b"+AAoAWwBT-\n" + inline.signed(b"hi\n"), charset)
            variant, _, raw = inline.explain(entity)
            assert signatures(variant) == [PART] and entity in raw, variant
            variant, message, _ = inline.explain(text(inline.sealed(), charset))
            assert layers(variant) == [OPENED], variant
    with tap.case("for somebody else: as it came"):
        entity = text(b"before\n" + inline.sealed(to=BOSS))
        variant, _, raw = inline.explain(entity)
        assert layers(variant) == [(KIND, "shut", "no-key")] and entity in raw, variant
    with tap.case("several blocks: each a part of its own, what does not open stays"):
        entity = text(inline.sealed(b"one\n") + inline.sealed(to=BOSS) + inline.signed(b"clear\n") +
                      inline.sealed(b"two\n", ALICE, "--sign", "-u", PETER.address))
        variant, message, _ = inline.explain(entity)
        assert layers(variant) == [OPENED, (KIND, "shut", "no-key"), SIGNED, OPENED], variant
        assert signatures(variant) == [PART, PART]
        (_, seen), *apart = parts(message)
        assert apart == [("part-1.txt", b"one\n"), ("part-2.txt", b"two\n")]
        assert b"one" not in seen and b"two" not in seen and seen.count(b"BEGIN PGP MESSAGE") == 1
    with tap.case("more blocks than anybody needs: none is opened, and it is quick"):
        start = time.monotonic()
        entity = text(inline.sealed() * 40)
        variant, _, raw = inline.explain(entity)
        assert entity in raw and b"Geheim" not in raw and time.monotonic() - start < 60, variant
        begun = text(b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nx\n" * 50000)
        assert begun in inline.explain(begun)[2]


def multiparts(inline, tap):
    with tap.case("in a multipart/mixed, alone: it takes the message's place"):
        variant, message, _ = inline.explain(multipart("mixed", text(inline.sealed())))
        assert layers(variant) == [OPENED] and not variant["warnings"], variant
        assert parts(message) == [(None, b"Geheim\r\n")] and not message.is_multipart()
    with tap.case("with encrypted files: each is opened, and is a file"):
        entity = multipart("mixed", text(inline.sealed()), file(inline.binary(b"\0pdf"), "Grüße.pdf.pgp".encode("ascii", "ignore").decode()),
                           file(inline.sealed(b"<b>html</b>"), "page.html.asc", "Content-ID: <a@b>\r\n"),
                           file(inline.binary(b"x", BOSS), "other.gpg"))
        variant, message, _ = inline.explain(entity)
        assert layers(variant) == [OPENED, OPENED, OPENED, (KIND, "shut", "no-key")], variant
        assert [x["part"] for x in variant["layers"]] == ["1.1", "1.2", "1.3", "1.4"]
        found = parts(message)
        assert found[:3] == [(None, b"Geheim\r\n"), ("Gre.pdf", b"\0pdf"), ("page.html", b"<b>html</b>")]
        assert found[3][0] == "other.gpg" and message.get_content_type() == "multipart/mixed"
        leaves = list(message.iter_parts())
        assert leaves[2]["Content-ID"] == "<a@b>" and leaves[2].get_content_type() == "application/octet-stream"
        assert [p.get_content_disposition() for p in leaves[1:]] == ["attachment"] * 3
    with tap.case("two encrypted texts: only the first is text to read"):
        entity = multipart("mixed", text(inline.sealed(b"Dear Alice, ...\n")), text(inline.sealed()))
        variant, message, _ = inline.explain(entity)
        assert layers(variant) == [OPENED, OPENED] and "partial-encryption" in variant["warnings"]
        found = parts(message)
        assert found[0] == (None, b"Dear Alice, ...\r\n") and found[-1] == ("part-1.txt", b"Geheim\n"), found
        assert all(b"Geheim" not in data for name, data in found if name is None)
    with tap.case("beside foreign parts: shut, as it came"):
        for entity, found in (
                (multipart("mixed", text(b"look\n"), text(inline.sealed())), [FOREIGN]),
                (multipart("related", HTML, text(inline.sealed())), [FOREIGN]),
                (multipart("alternative", text(inline.sealed()), HTML), [FOREIGN]),
                (multipart("mixed", text(inline.sealed()), multipart("alternative", HTML).replace(b'"b"', b'"c"').replace(b"--b", b"--c")), [FOREIGN]),
                (multipart("mixed", text(b"see file\n"), file(inline.binary(SECRET), "a.pdf.pgp")), [FOREIGN]),
                (multipart("mixed", HTML, incoming.pgp_mime(inline.sealed(incoming.ENTITY)).replace(b'"b"', b'"c"').replace(b"--b", b"--c")),
                 [("pgp-encrypted", "shut", "foreign-part")])):
            variant, _, raw = inline.explain(entity)
            assert layers(variant) == found and variant["warnings"] == ["partial-encryption"], variant
            assert entity in raw and b"Geheim" not in raw
    with tap.case("with a key or a blank text: they stay beside what was opened"):
        key = b"Content-Type: application/pgp-keys\r\n\r\n" + crlf(inline.work.gpg("--export", PETER.address))
        variant, message, _ = inline.explain(multipart("mixed", text(b"\n"), text(inline.sealed()), key))
        assert layers(variant) == [OPENED] and b"Geheim" in parts(message)[1][1], variant
        assert b"BEGIN PGP PUBLIC KEY" in parts(message)[2][1]
        for name in ("ATT00001.txt", "att2.TXT"):
            rest = text(b"\n \n", extra=f'Content-Disposition: attachment; filename="{name}"\r\n')
            variant, message, _ = inline.explain(multipart("mixed", text(inline.sealed()), rest))
            assert layers(variant) == [OPENED] and not variant["warnings"], variant
            assert parts(message)[0][1] == b"Geheim\r\n" and parts(message)[1][0] == name, message
        named = key.replace(b"keys\r\n", b'keys; name="0x1.asc"\r\n', 1)
        variant, _, _ = inline.explain(multipart("mixed", text(inline.signed(b"hi\n")), named))
        assert signatures(variant) == [GOOD], variant
    with tap.case("what only calls itself a key, or has a name that says more: foreign"):
        program = file(b"MZ, a program", "invoice.exe").replace(b"octet-stream", b"pgp-keys")
        for other in (program, program.replace(b"invoice.exe", b"key.asc"),
                      b"Content-Type: application/pgp-signature\r\n\r\npay eve\r\n",
                      key.replace(b"\r\n\r\n", b"\r\n\r\npay eve\r\n", 1),
                      key.replace(b"keys\r\n", b'keys; name="pay eve.txt"\r\n', 1),
                      *(text(words, extra=f'Content-Disposition: attachment; filename="{name}"\r\n') for words, name in (
                          (b"\n", "pay eve.txt"), (b"\n", "ATT00001 pay eve.txt"), (b"\n", "ATT00001.txt.exe"),
                          (b"\n", "ATT00001.html"), (b"\n", "ATT.txt"), (b"x", "ATT00001.txt")))):
            entity = multipart("mixed", text(inline.sealed()), other)
            variant, _, raw = inline.explain(entity)
            assert layers(variant) == [FOREIGN] and entity in raw, (other, variant)
            variant, _, _ = inline.explain(multipart("mixed", text(inline.signed(b"hi\n")), other))
            assert signatures(variant) == [PART], (other, variant)
    with tap.case("in HTML: opened if the markup holds nothing else; the HTML form of a text goes with it"):
        lines = inline.sealed().decode().split("\n")
        markup = "".join(f"<div>{line.replace('+', '&#43;').replace('=', '&#x3d;') or '&nbsp;'}</div><br>\r\n" for line in lines)
        html = ("Content-Type: text/html\r\n\r\n<html><style>p { a: b }</style><!-- x --><body>" + markup + "</body>\r\n").encode()
        plain = text("\n".join(lines).encode())
        for entity in (html, multipart("mixed", html), multipart("alternative", plain, html)):
            variant, message, _ = inline.explain(entity)
            assert layers(variant) == [OPENED] and not variant["warnings"], variant
            assert parts(message) == [(None, b"Geheim\r\n")] and message.get_content_type() == "text/plain"
        variant, _, _ = inline.explain(multipart("alternative", plain, *[html] * 15))
        assert layers(variant) == [OPENED], variant
        variant, _, _ = inline.explain(multipart("alternative", plain, *[html] * 16))
        assert layers(variant) == [FOREIGN], "more of them than are looked at"
        entity = html.replace(b"<body>", b"<body>Hello")
        variant, _, raw = inline.explain(entity)
        assert not variant["layers"] and entity in raw, variant
        _, _, raw = inline.explain(html.replace(b"<body>", b'<body><img src="http://evil/?'))
        assert b"Geheim" in raw and b"evil" not in raw, "what surrounds it is not delivered"
        variant, _, raw = inline.explain(multipart("alternative", text(inline.sealed()), html.replace(b"<body>", b"<body>Hi")))
        assert layers(variant) == [FOREIGN] and b"Geheim" not in raw, variant
    with tap.case("inside a clear signature: what is signed is not made anew"):
        entity = inline.work.pgp_signed(multipart("mixed", text(b"hi\n"), text(inline.sealed())).replace(b'"b"', b'"c"').replace(b"--b", b"--c"))
        variant, _, raw = inline.explain(entity)
        assert layers(variant) == [("pgp-signed", "opened", None), FOREIGN] and entity in raw, variant
    with tap.case("documents, and quoted armour: left alone"):
        quoted = text(b"> " + inline.sealed().replace(b"\n", b"\n> "))
        attached = multipart("mixed", text(b"hi\n"), text(inline.sealed(), extra='Content-Disposition: attachment; filename="a.txt"\r\n'))
        report = multipart("report; report-type=delivery-status", text(b"failed\n"), text(inline.sealed()))
        for entity in (quoted, attached, report):
            variant, _, raw = inline.explain(entity)
            assert not variant["layers"] and entity in raw, variant


def owners(inline, tap):
    with tap.case("for two of whom one has the key: the other sees nothing; for both: one copy"):
        entity = text(b"hi\n" + inline.sealed())
        answer, files = inline.work.explain(entity, ALICE, BOSS, sender=PETER.address)
        assert [r["way"] for r in answer["recipients"]] == ["opened", "unchanged"], answer
        secret = base64.b64encode(SECRET)
        assert secret in files[0] and secret not in files[1] and entity in files[1]
        inline.work.sealpost.run("key", "import", "--for", BOSS.address,
                                 inline.work.cabinet(ALICE, "secret.asc"))
        answer, _ = inline.work.explain(entity, ALICE, BOSS, sender=PETER.address)
        assert len(answer["variants"]) == 1, answer


def main():
    tap, folder = Tap(), tempfile.mkdtemp(prefix="sn-")
    try:
        inline = Inline(incoming.Work(folder))
        for part in (whole_texts, clear_signed, around, multiparts, owners):
            part(inline, tap)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


main()
