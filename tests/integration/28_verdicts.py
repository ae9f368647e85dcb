# SPDX-License-Identifier: Apache-2.0
"""What is claimed about messages that were made to deceive (SEALPOST_CORPUS, see its README): signed
parts beside unsigned ones, signers who are not the sender, two signers, ciphertext wrapped into a
foreign mail, certificate paths that must fail. `sealpost explain --incoming` with all keys and roots
of the family."""
import csv
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from lib import BUILD, SRC, Tap

from demo.process import run
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

    def explain(self, path):
        """(the variant, the message as it would be delivered) for the family's own recipient."""
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        content = (CORPUS / path).read_bytes()
        answer, status = self.sealpost.explain("x@outside.example", [OWNERS[self.name]], content,
                                               "--incoming", "--output", str(out))
        assert status == 0, answer
        return answer["variants"][0], (out / "1.eml").read_bytes()


if __name__ == "__main__":
    import json
    for family in FAMILIES:
        folder = tempfile.mkdtemp(prefix="sv-")
        try:
            work = Family(family, folder)
            print(work.sealpost.run("key", "list", check=False).stdout.decode())
            for row in work.rows:
                if row["kind"].startswith("mime"):
                    v, out = work.explain(row["path"])
                    subject = re.search(rb"(?im)^subject:.*(\n[ \t].*)*", out)
                    print("==", row["path"], row["structure"], row["signature"], row["signer"])
                    for l in v["layers"]:
                        print("     L", l["part"], l["kind"], l["result"], l.get("reason"))
                    for s in v["signatures"]:
                        print("     S", s["part"], s["kind"], s["covers"], s["result"], s["signer"], s["matches_from"])
                    print("     W", v["warnings"], subject.group(0) if subject else None)
        finally:
            shutil.rmtree(folder)
