# SPDX-License-Identifier: Apache-2.0
"""Imports every key and certificate of the corpus (SEALPOST_CORPUS): each is taken or refused with a
reason, what other tools read is taken, nothing breaks. Best on the sanitizer build."""
import csv
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from lib import BUILD, SRC, Tap

CORPUS = Path(os.environ.get("SEALPOST_CORPUS", SRC.parent / "shared/corpus"))
KINDS = ("certificate", "pkcs12", "private-key", "pgp-public-key", "pgp-secret-key")
# What the manifest says of files that we need not take: other formats and versions, keys that GnuPG
# refuses or cannot export, revocations alone.
EXCUSES = ("reads no key here", "invalid", "revocation certificate", "S-expression", "cannot read",
           "does not open", "subkey alone", "expired")
LOOSE = {"schleuder-openpgp/keys/schleuder_at_example_public_key_minimal_base64.txt",
         "openpgp-interop/messages/gnupg-v1-002-decrypt.asc"}


def rows():
    with open(CORPUS / "manifest.tsv", encoding="utf-8") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["kind"] in KINDS:
                yield row


def by_passphrase():
    groups = defaultdict(list)
    for row in rows():
        word = {"-": None, "?": None, "(empty)": ""}.get(row["passphrase"], row["passphrase"])
        groups[word].append(row)
    return groups


class Installation:
    def __init__(self, folder):
        self.folder, self.conf = folder, folder / "sealpost.conf"
        self.conf.write_text("[keystore]\nsystem_roots = false\n", "utf-8")
        self.secret("master.key", secrets.token_hex(32))
        subprocess.run([BUILD / "tests/integration/asker", self.conf], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def secret(self, name, text):
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text + "\n", "utf-8")
        return path

    def key(self, *args):
        return subprocess.run([BUILD / "cli/sealpost", "--config", self.conf, "key", *args],
                              capture_output=True, stdin=subprocess.DEVNULL, check=False)

    def import_all(self, passphrase, paths):
        """{path: the lines about it}, and what has no file's name in front."""
        options = []
        if passphrase is not None:
            options = ["--passphrase-file", self.secret("passphrase", passphrase)]
        done = self.key("import", *options, *[CORPUS / path for path in paths])
        assert done.returncode in (0, 1), (done.returncode, done.stderr[-3000:])
        about, rest = defaultdict(list), []
        for stream, taken in ((done.stdout, True), (done.stderr, False)):
            for line in stream.decode("utf-8", "replace").splitlines():
                path = line.removeprefix(f"{CORPUS}/").split(": ")[0]
                if line.startswith(f"{CORPUS}/") and path in paths:
                    about[path].append((taken, line))
                else:
                    rest.append(line)
        return about, rest


def has_to_be_taken(row):
    return (row["open"] != "no" and row["passphrase"] != "?" and row["kind"] != "private-key"
            and row["path"] not in LOOSE and not any(why in row["note"] for why in EXCUSES))


def judge(row, lines):
    """Several files may hold the same key: it is printed for the first of them alone."""
    refused = [line for taken, line in lines if not taken]
    if has_to_be_taken(row) and refused:
        return refused[0]
    return None


def main(tap, folder):
    here = Installation(folder)
    taken = refused = 0
    for passphrase, group in by_passphrase().items():
        paths = [row["path"] for row in group]
        with tap.case(f"{len(paths)} files, passphrase {passphrase!r}"):
            about, rest = here.import_all(passphrase, paths)
            assert not rest, "\n".join(rest[:40])
            wrong = [fault for row in group if (fault := judge(row, about[row["path"]]))]
            assert not wrong, "\n".join(wrong)
            for lines in about.values():
                taken += sum(was for was, _ in lines)
                refused += sum(not was for was, _ in lines)
    with tap.case("the store lists what was taken"):
        done = here.key("list", "--json")
        assert done.returncode == 0 and not done.stderr, done.stderr[-3000:]
        keys = json.loads(done.stdout)
        print(f"# {taken} things taken, {refused} files refused; {len(keys)} keys in the store, "
              f"{sum(key['private'] for key in keys)} with their private part")
        assert len(keys) > 200 and all(key["usable"] == (key["reason"] is None) for key in keys)
    with tap.case("each of them is described, and exported in public"):
        for key in keys[::10]:
            for command in ("show", "export"):
                done = here.key(command, key["id"])
                assert done.returncode == 0 and done.stdout and not done.stderr, done


if not (CORPUS / "manifest.tsv").exists():
    print(f"1..0 # SKIP no corpus in {CORPUS} (SEALPOST_CORPUS)")
    sys.exit(0)
frame = Tap()
place = Path(tempfile.mkdtemp(prefix="sealpost-keys-", dir="/tmp"))
try:
    main(frame, place)
finally:
    shutil.rmtree(place, ignore_errors=True)
sys.exit(frame.finish())
