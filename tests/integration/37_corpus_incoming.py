# SPDX-License-Identifier: Apache-2.0
"""Every message of the corpus (SEALPOST_CORPUS) through `sealpost explain --incoming`, against its line of the manifest: what
is opened, the bytes inside, what is said of each signature. Raw CMS and OpenPGP comes wrapped as mail. One store for
each family, all its private keys bound to one recipient. Whole on the sanitizer build, too, where it takes some minutes."""
import base64
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib import BUILD, PATIENCE, SRC, Tap

from demo.sealpost import Sealpost

CORPUS = Path(os.environ.get("SEALPOST_CORPUS", SRC.parent / "shared/corpus"))
READER = "reader@firma.example"
# Families whose messages need the keys of another.
RELATED = {"rfc9788-header-protection": ["rfc9216-lamps-certs"], "thunderbird-openpgp": ["thunderbird-smime"],
           "thunderbird-smime": ["thunderbird-openpgp"]}
KEYS = ("certificate", "pkcs12", "private-key", "pgp-secret-key", "pgp-public-key")
SECRET = ("pkcs12", "private-key", "pgp-secret-key")
# No message may take longer; the sanitizers and a busy machine have their part in it.
SECONDS_MAX = 60


def manifest():
    with open(CORPUS / "manifest.tsv", encoding="utf-8") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


class Family:
    def __init__(self, name, rows, folder):
        self.folder = Path(folder)
        self.sealpost = Sealpost(BUILD, self.folder / "sealpost", self.folder, self.folder / "log", None)
        self.sealpost.init("firma.example")
        self.sealpost.set("keystore", system_roots="false")
        self.sealpost.set("gateway", message_time=PATIENCE)
        self.sealpost.set_policy('internal domains "firma.example"\noutgoing require smime\n')
        families = [name, *RELATED.get(name, [])]
        keys = [row for row in rows if row["family"] in families and row["kind"] in KEYS and
                "revocation" not in row["path"]]
        self.take([row for row in keys if row["kind"] not in SECRET])
        by_passphrase = defaultdict(list)
        for row in keys:
            if row["kind"] in SECRET:
                by_passphrase[row["passphrase"]].append(row)
        for passphrase, group in by_passphrase.items():
            certificates = [row for row in keys if row["kind"] == "certificate"]
            self.take(group + certificates, "--for", READER, *self.passphrase(passphrase))
        self.take([row for row in keys if row["kind"] == "certificate" and
                   "CA" in row["note"].split("; ")], "--trusted")

    def passphrase(self, word):
        if word in "-?":
            return ()
        path = self.folder / "passphrase"
        path.touch(0o600)
        path.write_text(("" if word == "(empty)" else word) + "\n", "utf-8")
        return "--passphrase-file", path

    def take(self, rows, *options):
        if rows:
            self.sealpost.run("key", "import", *options, *[CORPUS / row["path"] for row in rows], check=False)

    def explain(self, content):
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        start = time.monotonic()
        done = subprocess.run([self.sealpost.command, "--config", self.sealpost.conf, "explain", "--incoming", "--json",
                               "--output", out, "--from", "x@outside.example", "--to", READER],
                              input=content, capture_output=True, timeout=SECONDS_MAX, check=False)
        assert done.returncode == 0, (done.returncode, done.stdout[:300], done.stderr[-2000:])
        return json.loads(done.stdout)["variants"][0], (out / "1.eml").read_bytes(), time.monotonic() - start


# --- the messages ---

def content_of(row):
    raw = (CORPUS / row["path"]).read_bytes()
    head = b"From: x@outside.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    if row["kind"] == "cms":
        return head + (b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"
                       b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(der(raw)))
    if row["kind"] == "pgp-message":
        armour = raw if raw.lstrip().startswith(b"-----BEGIN") else \
            b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(raw) + b"-----END PGP MESSAGE-----\n"
        return head + (pgp_mime(armour) if "encrypted" in row["structure"] else
                       b"Content-Type: text/plain\r\n\r\n" + armour)
    return raw


def pgp_mime(armour):
    return (b"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n"
            b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" + armour + b"\r\n--b--\r\n")


def der(raw):
    armour = re.search(rb"-----BEGIN [^-]+-----(.*?)-----END", raw, re.S)
    return base64.b64decode(armour.group(1)) if armour else raw


# --- what is right ---

ENCRYPTED = re.compile(r"enveloped|pgp-encrypted")
GOOD = {"good", "untrusted", "expired", "revoked", "wrong-usage", "weak"}


def is_foreign(row):
    """An encrypted part beside others, or in an attached message: it stays shut (covert content attacks, EFAIL). Not
    so where all of them are inline PGP, or say nothing: an OpenPGP key, a signature's file."""
    found = re.search(r"\[(.*)\]", row["structure"])
    if not found or not ENCRYPTED.search(found.group(1)):
        return False
    items = [item for item in re.split(r"[\[\],]", found.group(1)) if item not in ("related", "")]
    return row["path"] not in SILENT and not all(item.startswith("inline:") for item in items)


# The plain part is an OpenPGP key or signature, or a blank text.
SILENT = {"flowcrypt-openpgp/encrypted_msg_info_text_with_pub_key_mod_after_revoked.txt",
          "flowcrypt-openpgp/open_pgp_inline_with_inline_image.txt",
          "chatmail-openpgp/google-workspace-mixed-up.eml"}


def can_open(row):
    """We open with private keys alone, no passphrases of messages or bare content keys; what gpg cannot, we cannot."""
    return row["key"] not in ("password", "content-key", "none") and row["open_by"] != "sq"


def is_aead(row):
    """Tag 20: gpg 2.2 reads it, but GPGME 1.18 does not always hear of its protection, and refuses then."""
    return any(form in row["note"] for form in ("version 5 session key", "AEAD packet"))


def is_unread(variant):
    """What calls itself a layer, and cannot be read as one."""
    return not variant["signatures"] and all(
        (x["result"], x["reason"]) == ("shut", "damaged") for x in variant["layers"])


def judge_layers(row, variant):
    layers = [x for x in variant["layers"] if x["kind"].endswith("encrypted")]
    opened = [x for x in layers if x["result"] == "opened"]
    if is_foreign(row):
        if all((x["result"], x.get("reason")) == ("shut", "foreign-part") for x in layers):
            return None
        return "a part beside foreign ones was opened"
    if is_aead(row):
        return None
    if row["open"] == "yes" and can_open(row):
        if row["kind"] == "cms" and any(x.get("reason") == "damaged" for x in layers):
            return None  # what is inside is no mail
        if not layers or len(opened) < len(layers):
            return "not opened"
        if len(row["inner_sha256"]) == 64 and row["inner_sha256"] not in [x["sha256"] for x in opened]:
            return "other bytes inside"
    elif row["open"] != "-" and layers and len(opened) == len(layers):
        return "opened"
    elif row["open"] == "-" and layers:
        return None if row["structure"] == "cms-unreadable" and is_unread(variant) else "nothing is encrypted"
    return None


def fits(word, result, row):
    if word == "good":  # of nobody whom From names, by a key that has ended: not looked up
        return result in GOOD or (result == "no-key" and "key expired" in row["note"])
    if word == "bad":  # we try the bytes as they are before their CRLF form
        return result in ("bad", "unsupported") or (result == "good" and "would hold with LF" in row["note"])
    if word == "untrusted":  # agrees, but with a digest that gpg refuses
        return result in ("weak", "unsupported", "untrusted")
    if word == "no-key":  # with the key that it carries, we may know better
        return result in (word, "unsupported") or "carries a PGP public key" in row["note"]
    return result != "good"


def judge_signatures(row, variant):
    words = [] if row["signature"] == "-" else row["signature"].split(",")
    results = [x["result"] for x in variant["signatures"]]
    note = row["note"]
    if is_foreign(row) or any(x["result"] == "shut" for x in variant["layers"]):
        return None  # what is inside is not seen
    if "?" in words or any(why in note for why in ("no signer in the CMS", "attack 01-cms", "cannot check it")):
        return None if "good" not in results else "good"  # nothing that could be verified
    if "mixed line ends" in note:
        return None  # an MTA makes all of them CRLF
    if row["kind"] == "pgp-message" and not results and "good" not in words:
        return None  # malformed: no block at all
    if len(words) != len(results):
        return f"signatures {results}"
    wrong = [r for word, r in zip(words, results) if not fits(word, r, row)]
    return f"signatures {results}" if wrong else None


def judge_content(row, variant, delivered, content):
    """What was not opened is delivered as it came."""
    if row["kind"] != "mime-plain":
        return None
    stripped = is_unread(variant) and b"multipart/signed" in content.lower()
    if (variant["layers"] or variant["signatures"]) and not stripped:
        return "something found in plain mail"
    body = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[1:]
    if not body or b"\0" in content:  # no body; NUL cannot come by mail
        return None
    body = body[0][-2000:]
    return None if crlf(delivered).endswith(crlf(body)) else "plain mail was changed"


def crlf(data):
    return re.sub(rb"(?<!\r)\n", b"\r\n", data)


def judge(row, family):
    content = content_of(row)
    try:
        variant, delivered, seconds = family.explain(content)
    except (subprocess.TimeoutExpired, AssertionError, ValueError, LookupError) as error:
        return f"{row['path']}: {error!r}"[:3000]
    faults = [judge_layers(row, variant), judge_signatures(row, variant),
              judge_content(row, variant, delivered, content)]
    faults = [fault for fault in faults if fault]
    if not faults:
        return None
    found = [(x["kind"], x["result"], x.get("reason")) for x in variant["layers"]]
    return (f"{row['path']}: {'; '.join(faults)}: {row['structure']} open={row['open']} signature={row['signature']} "
            f"({row['note']}), but {found} {variant['warnings']} in {seconds:.1f} s")


def run_family(name, rows):
    folder = tempfile.mkdtemp(prefix="sc-", dir="/tmp")
    try:
        messages = [row for row in rows if row["family"] == name and is_message(row)]
        family = Family(name, rows, folder)
        return len(messages), [fault for row in messages if (fault := judge(row, family))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_message(row):
    return row["kind"].startswith("mime-") or row["kind"] in ("cms", "pgp-message")


def main():
    tap, rows = Tap(), manifest()
    names = sorted({row["family"] for row in rows if is_message(row)} & set(sys.argv[1:] or
                   [row["family"] for row in rows]),
                   key=lambda name: -sum(row["family"] == name for row in rows))
    with ThreadPoolExecutor(2) as pool:
        results = dict(zip(names, pool.map(lambda name: run_family(name, rows), names)))
    for name, (count, faults) in sorted(results.items()):
        with tap.case(f"{name}: {count} messages"):
            assert not faults, "\n".join(faults)
    sys.exit(tap.finish())


if not (CORPUS / "manifest.tsv").exists():
    print(f"1..0 # SKIP no corpus in {CORPUS} (SEALPOST_CORPUS)")
    sys.exit(0)
main()
