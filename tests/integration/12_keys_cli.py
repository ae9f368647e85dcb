# SPDX-License-Identifier: Apache-2.0
"""`sealpost key` from the outside; what it writes is read by openssl, gpg and sq."""
import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import BUILD, Tap

from demo.pki import Authority, GnuPG
from demo.process import run

PASSPHRASE = "Vögel im Käfig"


class Place:
    """An installation as `sealpost init` makes it, and people's files beside it."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = folder / "firma/sealpost.conf"
        run([BUILD / "cli/sealpost", "init", "--domain", "firma.example", folder / "firma"])
        self.authority = Authority(folder / "pki")
        self.sofia_key, self.sofia = self.authority.person("Sofia", "sofia@smime.example")
        self.alice_key, self.alice = self.authority.person("Alice", "alice@firma.example", "ec")
        self.passphrase = self.file("passphrase", PASSPHRASE + "\n", 0o600)

    def file(self, name, content, mode=0o644):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def key(self, *args, status=0):
        done = subprocess.run([BUILD / "cli/sealpost", "key", args[0], "--config", self.conf,
                               *args[1:]], capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace")
        assert status in (None, done.returncode), (done.returncode, done.stdout, done.stderr)
        return done

    def listed(self, *address):
        return json.loads(self.key("list", "--json", *address).stdout)

    def one(self, address):
        found = self.listed(address)
        assert len(found) == 1, found
        return found[0]

    def convert(self, name, *openssl):
        path = self.folder / name
        run(["openssl", *openssl, "-out", path])
        return path


def installation(tap, here):
    with tap.case("init: a small complete installation, private, and nothing that exists is touched"):
        folder = here.folder / "firma"
        modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
        assert modes["master.key"] == 0o600 and modes["keystore.db"] == 0o600, modes
        assert all(not mode & 0o007 for mode in modes.values()), modes
        assert {"sealpost.conf", "sealpost.policy", "state", "spool", "run", "portal.db"} <= modes.keys(), modes
        assert here.listed() == []
        check = run([BUILD / "cli/sealpost", "policy", "check", "--config", here.conf]).stdout
        assert b"no errors, 0 warnings" in check and b"@DOMAIN@" not in (folder / "sealpost.policy").read_bytes()
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for name in ("sealpost.conf", "master.key", "sealpost.policy"):
            again = run([BUILD / "cli/sealpost", "init", "--domain", "firma.example", folder], check=False)
            assert again.returncode == 73 and b"exists already" in again.stderr, again
            assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
            (folder / name).rename(folder / "away")  # each of them is reason enough
            again = run([BUILD / "cli/sealpost", "init", "--domain", "firma.example", folder], check=False)
            (folder / "away").rename(folder / name)
            assert again.returncode == 73, (name, again)
    with tap.case("a command that is used wrongly says how it is used; status 64"):
        for words in (["accounts", "x"], ["messages", "x"], ["messages", "a@x.example", "b@x.example"], ["events"],
                      ["events", "x"], ["expire", "x"], ["forget"], ["forget", "x"]):
            done = run([BUILD / "cli/sealpost", "--config", here.conf, "portal", *words], check=False)
            assert done.returncode == 64 and f"sealpost portal {words[0]}: ".encode() in done.stderr, done


def at_terminal(command, answers):
    """Runs it with a terminal of its own and types an answer at each prompt; what was shown, the status."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], [str(word) for word in command])
    shown = b""
    with contextlib.suppress(OSError):  # the other end has gone
        while data := os.read(terminal, 4096):
            shown += data
            if shown.endswith(b": ") and answers:
                os.write(terminal, answers.pop(0).encode() + b"\n")
    os.close(terminal)
    return shown.decode("utf-8", "replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def imports(tap, here):
    with tap.case("a private key alone is refused, with its reason; status 1"):
        done = here.key("import", here.sofia_key, status=1)
        assert "without its certificate" in done.stderr and not done.stdout, done
    with tap.case("several files, the key before its certificate, one that is missing"):
        done = here.key("import", here.alice_key, here.folder / "missing.pem", here.alice, status=1)
        assert "missing.pem" in done.stderr and "alice@firma.example" in done.stdout, done
        assert here.one("alice@firma.example")["private"]
    with tap.case("imported twice is no error"):
        done = here.key("import", here.alice)
        assert "already there" in done.stdout, done
    with tap.case("untrusted until a root is trusted; CAs alone are intermediates"):
        here.key("import", here.sofia, here.authority.intermediate, here.authority.root)
        assert here.one("sofia@smime.example")["reason"] == "untrusted"
        here.key("import", "--trusted", here.authority.root)
        assert here.one("sofia@smime.example")["usable"]
        assert "untrusted" not in here.key("import", here.sofia).stdout
    with tap.case("DER, PKCS#7 and PKCS#12 in old and new clothes"):
        for name, owner in (("old", "olga@smime.example"), ("new", "nora@smime.example")):
            key, cert = here.authority.person(name, owner)
            extra = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40"] if name == "old" else []
            p12 = here.convert(f"{name}.p12", "pkcs12", "-export", "-inkey", key, "-in", cert,
                               "-passout", f"file:{here.passphrase}", *extra)
            here.key("import", p12, status=1)
            here.key("import", "--passphrase-file", here.passphrase, p12)
            assert here.one(owner)["private"] and here.one(owner)["usable"]
        for form, owner in (("DER", "dora@smime.example"), ("PKCS7", "pia@smime.example")):
            cert = here.authority.person(form, owner)[1]
            command = (["x509", "-outform", "DER", "-in", cert] if form == "DER" else
                       ["crl2pkcs7", "-nocrl", "-certfile", cert])
            here.key("import", here.convert(form, *command))
            assert here.one(owner)["usable"]
    with tap.case("a person at a terminal is asked for the passphrase, again if it is wrong; it is not shown"):
        key, cert = here.authority.person("Theo", "theo@smime.example")
        p12 = here.convert("theo.p12", "pkcs12", "-export", "-inkey", key, "-in", cert, "-passout",
                           f"file:{here.passphrase}")
        shown, status = at_terminal([BUILD / "cli/sealpost", "key", "import", "--config", here.conf, p12],
                                    ["falsch", PASSPHRASE])
        assert status == 0 and shown.count("Passphrase of ") == 2, (status, shown)
        assert "falsch" not in shown and PASSPHRASE not in shown, shown
        assert here.one("theo@smime.example")["private"]
    with tap.case("an encrypted private key opens with the passphrase of the file"):
        key, cert = here.authority.person("Eva", "eva@smime.example")
        locked = here.convert("eva.key", "pkcs8", "-topk8", "-in", key, "-v2", "aes-256-cbc",
                              "-passout", f"file:{here.passphrase}")
        done = here.key("import", cert, locked, status=1)
        assert "passphrase" in done.stderr, done
        here.key("import", "--passphrase-file", here.passphrase, locked)
        assert here.one("eva@smime.example")["private"]
    flaws(tap, here)


def flaws(tap, here):
    with tap.case("what cannot be used is taken, and said to be so"):
        sign_only = here.authority.person("Sig", "sig@smime.example",
                                          usage="keyUsage=critical,digitalSignature\n")[1]
        small = here.authority.person("Small", "small@smime.example", "rsa:1024")[1]
        done = here.key("import", sign_only, small)
        assert "but wrong-usage" in done.stdout and "but weak-key" in done.stdout, done
        assert here.one("sig@smime.example")["reason"] == "wrong-usage"
    with tap.case("--for binds a key to an address that it does not name"):
        cert = here.authority.person("Office", "office@internal.example")[1]
        here.key("import", "--for", "Büro@SMIME.example", cert)
        found = here.one("büro@smime.example")
        assert found["bound"] == ["büro@smime.example"] and found["usable"], found
        assert json.loads(here.key("lookup", "--json", "büro@smime.example").stdout)["keys"][0]["usable"]
    with tap.case("--trusted makes a certificate of a stranger's CA good by itself"):
        stranger = Authority(here.folder / "foreign", "Foreign")
        cert = stranger.person("Fremd", "fremd@smime.example")[1]
        other = stranger.person("Ander", "ander@smime.example")[1]
        here.key("import", "--trusted", cert)
        assert ", but untrusted: no trusted root leads to it" in here.key("import", other).stdout
        assert here.one("fremd@smime.example")["usable"]
        assert here.one("ander@smime.example")["reason"] == "untrusted"
    with tap.case("wrong use, wrong files"):
        here.key("import", status=64)
        here.key("import", "--for", "nobody", here.sofia, status=64)
        here.key("import", "--frob", here.sofia, status=64)
        here.key("show", "12345678", status=64)
        here.key("list", "not an address", status=64)
        here.passphrase.chmod(0o644)
        here.key("import", "--passphrase-file", here.passphrase, here.sofia, status=78)
        here.passphrase.chmod(0o600)
        here.key("import", here.file("text", "hello\n"), here.file("empty", ""), here.folder,
                 status=1)
    with tap.case("a file without end is given up; one of two kinds loses none of them in silence"):
        done = here.key("import", "/dev/zero", status=1)
        assert "larger than" in done.stderr, done
        armour = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nx\n-----END PGP PUBLIC KEY BLOCK-----\n"
        for parts in ((here.sofia.read_text(), armour), (armour, here.sofia.read_text())):
            done = here.key("import", here.file("mixed", "".join(parts)), status=1)
            assert "one file" in done.stderr and not done.stdout, done
    with tap.case("garbage: what was not found in it, and no word of a library's guesses"):
        for garbage in (b"\x1f\x8b" * 500, b"0\x82\xff\xff", b"?\xff\xff\xff\xff\xff", b"\xff" * 90,
                        here.convert("public.pem", "pkey", "-in", here.sofia_key, "-pubout").read_bytes()):
            done = here.key("import", here.file("garbage", garbage), status=1)
            assert done.stderr.split(": ", 1)[1] in (
                "no certificate, CRL or private key in it\n",
                "broken certificate, CRL or private key\n", "no OpenPGP key in it\n"), done
    with tap.case("names cannot steer a terminal or turn the line around"):
        cert = here.authority.person("a\u202ekcatta\u009b31m\u2028", "odd@smime.example")[1]
        here.key("import", cert)
        for args in (("show", "odd@smime.example"), ("import", cert)):
            text = here.key(*args).stdout
            assert "a?kcatta?31m?" in text and not set("\u202e\u009b\u2028") & set(text), text


def revocations(tap, here):
    paul = here.authority.person("Paul", "paul@smime.example")[1]
    rita = here.authority.person("Rita", "rita@smime.example")[1]
    here.key("import", paul, rita)
    overdue = here.authority.crl([paul], "overdue", days=-9)
    current = here.authority.crl([paul, rita], "current")
    with tap.case("a CRL of a CA that is not in the store is refused, one of a stranger's key too"):
        stranger = Authority(here.folder / "stranger")  # the same names, other keys
        foreign = stranger.crl([], "foreign")
        done = here.key("import", foreign, status=1)
        assert "no CA certificate in the store verifies it" in done.stderr, done
        broken = here.file("broken.crl", current.read_bytes().replace(b"\nMI", b"\nMJ", 1))
        here.key("import", broken, status=1)
        assert here.one("paul@smime.example")["usable"]
    with tap.case("a CRL that speaks of other certificates of its CA says nothing of these"):
        part = here.authority.crl([], "part", only="onlyCA=TRUE")
        assert "0 revoked" in here.key("import", part).stdout
        assert here.one("paul@smime.example")["usable"], here.one("paul@smime.example")
        here.key("delete", next(entry["id"] for entry in here.listed() if entry["type"] == "crl"))
    with tap.case("an overdue CRL revokes, a newer one takes its place, an older one does not"):
        done = here.key("import", overdue)
        assert "overdue, still counts" in done.stdout and "1 revoked" in done.stdout, done
        assert here.one("paul@smime.example")["reason"] == "revoked"
        assert here.one("rita@smime.example")["usable"]
        der = here.convert("current.crl", "crl", "-in", current, "-outform", "DER")
        assert "newer" in here.key("import", der).stdout
        assert "already there" in here.key("import", overdue).stdout
        assert here.one("rita@smime.example")["reason"] == "revoked"
        assert here.one("sofia@smime.example")["usable"]
        answer = json.loads(here.key("lookup", "--json", "rita@smime.example", status=1).stdout)
        assert [key["reason"] for key in answer["keys"]] == ["revoked"], answer
    with tap.case("listed; deleted by its fingerprint; taken from PKCS#7, too"):
        found = [entry for entry in here.listed() if entry["type"] == "crl"]
        assert [entry["revoked"] for entry in found] == [2], found
        assert "CRL " + found[0]["id"] in here.key("list").stdout
        assert "deleted" in here.key("delete", found[0]["id"][:12]).stdout
        assert here.one("rita@smime.example")["usable"]
        here.key("import", here.convert("crl.p7", "crl2pkcs7", "-in", current, "-certfile",
                                        here.authority.root))
        assert here.one("rita@smime.example")["reason"] == "revoked"


def exports(tap, here):
    sofia, alice = here.one("sofia@smime.example"), here.one("alice@firma.example")
    with tap.case("a certificate comes out as it went in"):
        pem = here.key("export", sofia["id"][:12].upper()).stdout
        out = here.file("out.pem", pem)
        assert run(["openssl", "x509", "-in", out, "-outform", "DER"]).stdout == \
            run(["openssl", "x509", "-in", here.sofia, "-outform", "DER"]).stdout
    with tap.case("a private key leaves only under a passphrase, for openssl to open"):
        out = here.folder / "out.p12"
        here.key("export", "--secret", alice["id"], status=64)
        here.key("export", "--secret", "--passphrase-file", here.passphrase, "--output", out,
                 alice["id"])
        assert out.stat().st_mode & 0o777 == 0o600
        opened = run(["openssl", "pkcs12", "-in", out, "-noenc", "-passin",
                      f"file:{here.passphrase}"]).stdout
        assert opened.count(b"BEGIN CERTIFICATE") == 2 and b"BEGIN PRIVATE KEY" in opened
        here.key("export", "--secret", "--passphrase-file", here.passphrase, sofia["id"], status=75)
    with tap.case("deleted is gone, private part and all"):
        fingerprint = here.one("eva@smime.example")["id"]
        assert "deleted" in here.key("delete", fingerprint[:8]).stdout
        assert not here.listed("eva@smime.example")
        here.key("delete", fingerprint, status=64)
    with tap.case("show tells what, whose and why not"):
        text = here.key("show", "sig@smime.example").stdout
        assert "wrong-usage" in text and "sig@smime.example" in text and "RSA 2048" in text, text
    with tap.case("no private key is readable in the files of the store"):
        der = run(["openssl", "pkey", "-in", here.alice_key, "-outform", "DER"]).stdout
        number = der.index(b"\x04\x20") + 2
        secret = der[number:number + 32]
        for path in (here.folder / "firma").rglob("*"):
            assert not path.is_file() or secret not in path.read_bytes(), path


def revoke(gnupg, fingerprint):
    """By the certificate that gpg made along with the key."""
    revocation = (gnupg.home / f"openpgp-revocs.d/{fingerprint}.rev").read_text("utf-8")
    gnupg.take(revocation[revocation.index(":-----BEGIN") + 1:].encode())


def others_revocation():
    """The packet with which another key was revoked."""
    gnupg = GnuPG()
    try:
        gnupg.generate("Olaf <olaf@pgp.example>")
        olaf = gnupg.gpg("--with-colons", "-k", "olaf@pgp.example").stdout.decode()
        revoke(gnupg, olaf.split("fpr:::::::::")[1].split(":")[0])
        packets = gnupg.gpg("--export", "olaf@pgp.example").stdout
        return packets[packet_end(packets, 1):packet_end(packets, 2)]
    finally:
        gnupg.close()


def packet_end(data, number):
    """Of the first packets of an OpenPGP file as gpg writes it, the end of that one."""
    at = 0
    for _ in range(number):
        size = 1 << (data[at] & 3)
        at += 1 + size + int.from_bytes(data[at + 1:at + 1 + size], "big")
    return at


def openpgp(tap, here):
    gnupg, other = GnuPG(), GnuPG()
    try:
        gnupg.generate("Peter <peter@pgp.example>")
        public = here.file("peter.asc", gnupg.export("peter@pgp.example"))
        secret = here.file("peter.key", gnupg.export("peter@pgp.example", secret=True))
        with tap.case("an OpenPGP key, then its secret part, then an update"):
            assert ": added" in here.key("import", public).stdout
            assert not here.one("peter@pgp.example")["private"]
            assert ": updated" in here.key("import", secret).stdout
            assert here.one("peter@pgp.example")["private"]
            assert "already there" in here.key("import", public).stdout
            fingerprint = here.one("peter@pgp.example")["id"]
            gnupg.gpg("--quick-add-uid", fingerprint, "Petra <petra@pgp.example>")
            here.key("import", here.file("new.asc", gnupg.export("petra@pgp.example")))
            found = here.one("petra@pgp.example")
            assert found["private"] and found["usable"] and len(found["addresses"]) == 2, found
        with tap.case("sq reads the exported public key"):
            out = here.file("peter.out", here.key("export", fingerprint).stdout)
            assert fingerprint in run(["sq", "inspect", out]).stdout.decode()
        with tap.case("gpg opens the exported secret key with the passphrase, and only with it"):
            out = here.folder / "peter.sec"
            here.key("export", "--secret", "--passphrase-file", here.passphrase, "-o", out,
                     fingerprint)
            other.take(out.read_bytes())
            text = here.file("text", "hello\n")
            sign = ["gpg", "--homedir", other.home, "--batch", "--yes", "--pinentry-mode",
                    "loopback", "--passphrase-file"]
            assert run([*sign, here.file("wrong", "no\n"), "-b", text], check=False).returncode != 0
            run([*sign, here.passphrase, "-b", text])
        with tap.case("a key without a user ID: refused, unless it brings a known one up to date"):
            gnupg.generate("Nils <nils@pgp.example>")
            whole = here.file("nils.asc", gnupg.export("nils@pgp.example"))
            nils = gnupg.gpg("--with-colons", "-k", "nils@pgp.example").stdout.decode()
            nils = nils.split("fpr:::::::::")[1].split(":")[0]
            revoke(gnupg, nils)
            bare = here.file("bare.asc", gnupg.gpg("--armor", "--export-filter", "keep-uid=mbox = none",
                                                   "--export", nils).stdout)
            assert b"user ID packet" not in gnupg.gpg("--list-packets", bare).stdout
            done = here.key("import", bare, status=1)
            assert "without a user ID" in done.stderr and nils in done.stderr, done
            here.key("import", whole)
            assert here.one("nils@pgp.example")["usable"]
            packets = gnupg.gpg("--export-filter", "keep-uid=mbox = none", "--export", nils).stdout
            key, revocation = packet_end(packets, 1), packet_end(packets, 2)
            for forged in (packets[:revocation - 1] + bytes([packets[revocation - 1] ^ 1]) + packets[revocation:],
                           packets[:key] + others_revocation() + packets[revocation:], packets[:key]):
                done = here.key("import", here.file("forged.pgp", forged), status=None)
                assert here.one("nils@pgp.example")["usable"], ("not signed by its owner", done)
            assert nils in here.key("import", bare).stdout
            found = here.one("nils@pgp.example")
            assert (found["reason"], found["addresses"]) == ("revoked", ["nils@pgp.example"]), found
        with tap.case("a revoked key stays, and says so"):
            revoke(gnupg, fingerprint)
            here.key("import", here.file("gone.asc", gnupg.export("peter@pgp.example")))
            assert here.one("peter@pgp.example")["reason"] == "revoked"
    finally:
        gnupg.close()
        other.close()


frame = Tap()
place = Path(tempfile.mkdtemp(prefix="sealpost-keys-", dir="/tmp"))
os.umask(0o077)
try:
    site = Place(place)
    installation(frame, site)
    imports(frame, site)
    revocations(frame, site)
    exports(frame, site)
    openpgp(frame, site)
finally:
    shutil.rmtree(place, ignore_errors=True)
sys.exit(frame.finish())
