# SPDX-License-Identifier: Apache-2.0
"""What is claimed about messages that were made to deceive (SEALPOST_CORPUS, see its README): signed
parts beside unsigned ones, signers who are not the sender, two signers, ciphertext wrapped into a
foreign mail, certificate paths that must fail. `sealpost explain --incoming` with all keys and roots
of the family."""
import csv
import email
import email
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from lib import BUILD, PATIENCE, SRC, Tap

from demo.sealpost import Sealpost

CORPUS = Path(os.environ.get("SEALPOST_CORPUS", SRC.parent / "shared/corpus"))
FAMILIES = ("johnny-you-are-fired", "covert-content-attacks", "notmuch-crypto", "thunderbird-smime",
            "nist-pkits-smime")
# Who the mail of a family is for.
OWNERS = {"johnny-you-are-fired": "johnny@bigcorporation.de",
          "covert-content-attacks": "manager@bigcorporation.de",
          "notmuch-crypto": "test_suite@notmuchmail.org", "thunderbird-smime": "bob@example.com",
          "nist-pkits-smime": "someone@firma.example"}


def manifest(family):
    with open(CORPUS / "manifest.tsv", encoding="utf-8") as table:
        return [row for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
                if row["family"] == family]


class Family:
    """One family's keys in a store of its own."""

    def __init__(self, name, folder):
        self.name, self.folder = name, Path(folder)
        self.sealpost = Sealpost(BUILD, self.folder / "sealpost", self.folder, self.folder, None)
        self.sealpost.init(OWNERS[name].split("@")[1])
        self.sealpost.set("keystore", system_roots="false")
        self.sealpost.set("gateway", message_time=PATIENCE)
        self.sealpost.set("incoming", subject_tags="encrypted, signed, warning")
        domain = OWNERS[name].split("@")[1]
        self.sealpost.set_policy(f'internal domains "{domain}"\noutgoing require smime\n')
        self.rows = manifest(name)
        for row in self.rows:
            if row["kind"].startswith("mime"):
                continue
            path = CORPUS / row["path"]
            if row["kind"] == "certificate" and " CA" in row["note"]:
                self._import(row, "--trusted", path)
            elif row["kind"] in ("certificate", "pkcs12", "private-key", "pgp-public-key",
                                 "pgp-secret-key"):
                self._import(row, path)

    def _import(self, row, *words):
        secret = {"-": None, "?": None, "(empty)": ""}.get(row["passphrase"], row["passphrase"])
        options = []
        if secret is not None:
            path = self.folder / "passphrase"
            path.touch(0o600)
            path.write_text(secret + "\n", "utf-8")
            options = ["--passphrase-file", path]
        self.sealpost.run("key", "import", *options, *words, check=False)

    def mails(self, *words):
        """The rows of messages whose path holds one of the words (all, if there is none)."""
        return [row for row in self.rows if row["kind"].startswith("mime") and
                (not words or any(word in row["path"] for word in words))]

    def explain(self, row):
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        content = (CORPUS / row["path"]).read_bytes()
        answer, status = self.sealpost.explain("x@outside.example", [OWNERS[self.name]], content,
                                               "--incoming", "--output", str(out))
        assert status == 0, answer
        return Verdict(row["path"], answer, content, (out / "1.eml").read_bytes())


class Verdict:
    """What explain said of one message, and what would be delivered."""

    def __init__(self, path, answer, came, delivered):
        self.path, variant = path, answer["variants"][0]
        self.way = answer["recipients"][0]["way"]
        self.layers = [(x["part"], x["kind"], x["result"]) for x in variant["layers"]]
        self.signatures = variant["signatures"]
        self.warnings = variant["warnings"]
        self.head, _, self.body = delivered.partition(b"\r\n\r\n")
        self.came = crlf(came).partition(b"\r\n\r\n")[2]
        for layer in variant["layers"]:
            assert set(layer) >= {"part", "kind", "result", "reason", "algorithm", "key", "sha256"}
        for signature in self.signatures:
            assert set(signature) >= {"part", "kind", "covers", "result", "signer", "matches_from",
                                      "key"}, path

    def each(self, *names):
        return [tuple(x[name] for name in names) for x in self.signatures]

    def field(self, name):
        found = re.findall(rb"(?im)^" + name + rb":((?:.*\r\n[ \t])*.*)", self.head)
        assert len(found) <= 1, (self.path, found)
        return re.sub(rb"\r\n[ \t]+", b" ", found[0]).decode() if found else ""

    @property
    def tags(self):
        return re.findall(r"\[[^\]]*\]", self.field(b"Subject"))

    def seen(self):
        """What a reader sees without opening a file."""
        message = email.message_from_bytes(self.head + b"\r\n\r\n" + self.body)
        return b"\n".join(part.get_payload(decode=True) for part in message.walk() if
                          not part.is_multipart() and part.get_content_disposition() != "attachment")

    def passed(self):
        return re.search(r"=pass\b", self.field(b"Authentication-Results"))

    def shown(self):
        """The bytes of all parts that are no attached files."""
        parts = email.message_from_bytes(self.head + b"\r\n\r\n" + self.body).walk()
        return b"".join(part.get_payload(decode=True) or b"" for part in parts
                        if part.get_content_disposition() != "attachment")

    def stays(self):
        """Delivered byte for byte but for the fields on top."""
        assert self.way == "unchanged" and self.body == self.came, self.path


def crlf(data):
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def johnny(family, tap):
    with tap.case("johnny 01-cms: bad or not signed, and nobody is named"):
        rows = family.mails("01-cms")
        assert len(rows) == 4
        for row in rows:
            found = family.explain(row)
            found.stays()
            assert all(x == ("bad", False) for x in found.each("result", "matches_from")), row
            assert bool(found.signatures) == ("c1_" in row["path"] or "c2_" in row["path"]), row
            for name in (b"Authentication-Results", b"X-Sealpost-Incoming"):
                assert "bigcorporation" not in found.field(name), row
            assert not found.passed() and "signed:" not in found.field(b"Subject")
    with tap.case("johnny 03-mime: only a part is signed; warned, and nothing is moved"):
        rows = family.mails("03-mime")
        assert len(rows) == 7
        for row in rows:
            found = family.explain(row)
            inside = "m1-pgp-inline" in row["path"]  # words before the block, in the same text
            if inside:
                assert found.seen().startswith(b"[Sealpost: only parts of this text were protected")
            else:
                found.stays()
            assert not found.passed() and "[signed" not in found.field(b"Subject"), row
            assert found.each("part", "covers", "signer") == [
                ("1" if inside else "1.2", "part", "manager@bigcorporation.de")], found.signatures
            assert found.each("result")[0][0] == ("good" if "pgp" in row["path"] else "expired")
            assert "partial-signature" in found.warnings, row
            assert "only a part is signed" in found.field(b"Subject"), row
    with tap.case("johnny 04-id: signed by eve; she is the sender only where From says so"):
        rows = family.mails("04-id")
        assert len(rows) == 15
        for row in rows:
            found = family.explain(row)
            match = "i2-from-contains" in row["path"] or "i3-from-signer-others" in row["path"]
            good = "good" if "pgp" in row["path"] else "expired"
            assert found.each("result", "covers", "signer", "matches_from") == [
                (good, "message", "eve@bigcorporation.de", match)], (row, found.signatures)
            assert bool(found.passed()) == match, row
            assert "signed: manager" not in found.field(b"Subject"), row
            several = "sender-sender" in row["path"] or "signer-sender-smime" in row["path"]
            assert ("several-from" in found.warnings) == (several or "from1" in row["path"]), row
            shown = ("sender-signer-" in row["path"] or "signer-sender-" in row["path"]) and \
                "/i2-" in row["path"]
            assert ("forged-display-name" in found.warnings) == shown, (row, found.warnings)
    with tap.case("johnny valid-signed: the signer is the sender"):
        for row in family.mails("valid-signed/eve-pgp-mime", "valid-signed/manager"):
            found = family.explain(row)
            who = "eve" if "eve" in row["path"] else "manager"
            assert found.each("signer", "matches_from", "covers") == [
                (f"{who}@bigcorporation.de", True, "message")], row
            assert ("[signed: " in found.field(b"Subject")) == ("pgp" in row["path"]), row
            assert not found.warnings, row


def covert(family, tap):
    with tap.case("covert 00: the whole message opens"):
        secrets = []
        for row in family.mails("00-original"):
            found = family.explain(row)
            assert found.way == "opened" and found.tags == ["[encrypted]"], row
            secrets += [line for line in found.body.split(b"\r\n") if len(line) > 8]
        assert secrets and not any(secret in found.came for secret in secrets)
    with tap.case("covert 01-enc: a ciphertext beside other parts stays shut, or is a file apart"):
        rows = [row for row in family.mails("01-enc") if "00-original" not in row["path"]]
        assert len(rows) == 11
        for row in rows:
            found = family.explain(row)
            # Nothing foreign in it: two inline ciphertexts, of the attacker and of his victim. The
            # second is never a text to read, and so never quoted.
            apart = row["path"].endswith("-dbl.eml") and row["kind"] == "mime-pgp-inline"
            if apart:
                assert all(result == "opened" for _, _, result in found.layers), row
                assert "partial-encryption" in found.warnings, row
            else:
                found.stays()
                assert not any(result == "opened" for _, _, result in found.layers), row
            assert "[encrypted]" not in found.tags, row
            assert not any(secret in found.seen() for secret in secrets), row
    with tap.case("covert 02-sig: conditional style is neither vouched for nor touched"):
        rows = family.mails("02-sig")
        assert len(rows) == 4
        for row in rows:
            found = family.explain(row)
            found.stays()
            assert not found.signatures and not found.field(b"Authentication-Results"), row


def notmuch(family, tap):
    with tap.case("notmuch: verdicts, and headers from inside only where they count"):
        for row in family.mails():
            found = family.explain(row)
            good = row["signature"] == "good"
            assert found.each("result") == [("good",)] * good, row
            assert ("[encrypted]" in found.tags) == any(
                kind == "pgp-encrypted" and result == "opened"
                for _, kind, result in found.layers), row
            if "phony" in row["path"] or "misplaced" in row["path"]:
                assert "Subject Unavailable" in found.field(b"Subject"), row


def outer_word(row):
    """What we must say of the outermost signature."""
    word = row["signature"].split(",")[0]
    return "weak" if word == "good" and "SHA1" in row["path"] else word


def thunderbird(family, tap):
    rows = family.mails()
    with tap.case("thunderbird: the outer verdict, as it is"):
        for row in rows:
            found = family.explain(row)
            if row["signature"] == "-" or "outer-pgp" in row["path"]:
                continue
            assert found.signatures[0]["result"] == outer_word(row), (row, found.signatures)
            if outer_word(row) != "good":
                assert "[signed" not in found.field(b"Subject"), row
    with tap.case("thunderbird: signed ciphertext, a list's footer, a foreign key"):
        for row in family.mails("alice.env.dsig", "alice.env.sig"):
            found = family.explain(row)
            assert "not-protected-against-change" in found.warnings, row
            assert not found.passed() and "[signed" not in found.field(b"Subject"), row
        found = family.explain(family.mails("in.mixed")[0])
        assert found.each("part", "covers", "result") == [("1.1", "part", "good")]
        assert "partial-signature" in found.warnings and not found.passed()
        found.stays()
        for row in family.mails("outer-pgp"):
            found = family.explain(row)
            assert found.each("result")[0][0] in ("no-key", "bad"), row
            assert found.way == "unchanged" and not found.passed(), row
    with tap.case("thunderbird: encrypted parts in multipart/alternative stay shut"):
        found = family.explain(family.mails("multipart-alternative")[0])
        found.stays()
        assert not any(result == "opened" for _, _, result in found.layers)


def pkits(family, tap):
    with tap.case("nist-pkits: no path of SHA-1 and long ago is good, whatever the digests say"):
        rows = family.mails()
        assert len(rows) > 100
        for row in rows:
            found = family.explain(row)
            assert found.signatures and not found.passed(), row
            assert all(result in ("weak", "untrusted", "expired", "revoked", "unsupported", "bad")
                       for (result,) in found.each("result")), row


def main():
    tap = Tap()
    if not (CORPUS / "manifest.tsv").exists():
        tap.skip("verdicts", "no corpus (SEALPOST_CORPUS)")
        sys.exit(tap.finish())
    for name, part in zip(FAMILIES, (johnny, covert, notmuch, thunderbird, pkits)):
        folder = tempfile.mkdtemp(prefix="sv-")
        try:
            part(Family(name, folder), tap)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


main()
