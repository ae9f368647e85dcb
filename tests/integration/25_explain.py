# SPDX-License-Identifier: Apache-2.0
"""`sealpost explain`: its JSON and exit status as a contract, its files, and that nothing else
happens. Messages that a client has encrypted are made by openssl and gpg here."""
import shutil
import sys
import tempfile

from lib import Office, Tap

from demo import people as cast
from demo.process import run

ALICE, SOFIA, PETER = cast.ALICE, cast.SOFIA, cast.PETER
POLICY = """\
internal domains "firma.example"
outgoing to "rejected.example" reject "no mail there"
outgoing to "strict.example"   require smime, pgp
outgoing to "signed.example"   plain sign
outgoing to "tls.example"      require verified tls
outgoing to "outlook.example" invitation  prefer tls
outgoing subject has "[x]"     require smime, pgp, portal  remove tag
outgoing                       require smime, pgp, portal
incoming from "bad.example"    reject
"""
MAIL = (f"From: Alice <{ALICE.address}>\nTo: {SOFIA.address}\nBcc: hidden@x.example\n"
        "X-Sealpost-Route: forged\nSubject: s\nMessage-ID: <1@x>\n"
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße\n").encode()
TOP = {"direction", "verdict", "recipients", "variants", "warnings"}
RECIPIENT = {"address", "direction", "variant", "rule", "way", "transport", "rungs", "keys", "unsigned"}
VARIANT = {"number", "file", "recipients", "signed_as", "layers", "signatures", "warnings"}


class Work(Office):
    def __init__(self, folder):
        super().__init__(folder, POLICY, ALICE, SOFIA, PETER)
        self.take_keys(ALICE, "cert.pem", "key.pem", "secret.asc")
        self.take_keys(SOFIA, "cert.pem")
        self.take_keys(PETER, "public.asc")

    def explain(self, *to, content=MAIL, sender=ALICE.address, options=()):
        return self.sealpost.explain(sender, to, content, *options)

    def status(self, *words, content=b""):
        return self.sealpost.run(*words, stdin=content, check=False)

    def state(self):
        """All files of the installation, with their bytes."""
        return {path: path.read_bytes() for path in self.sealpost.folder.rglob("*")
                if path.is_file() and not path.name.endswith(("-wal", "-shm"))}


def one(answer):
    assert TOP <= answer.keys(), answer
    for recipient in answer["recipients"]:
        assert RECIPIENT <= recipient.keys(), recipient
        assert {"file", "line", "text"} <= recipient["rule"].keys()
        assert all({"way", "possible", "reason", "text"} <= r.keys() for r in recipient["rungs"])
        assert all({"type", "id", "source", "usable", "reason"} <= k.keys()
                   for k in recipient["keys"])
    assert all(VARIANT <= variant.keys() for variant in answer["variants"]), answer["variants"]
    return answer["recipients"][0]


def delivered(work, tap):
    with tap.case("S/MIME: rule, rungs, keys, layers, signature; status 0"):
        answer, status = work.explain(SOFIA.address)
        who, variant = one(answer), answer["variants"][0]
        assert (answer["direction"], answer["verdict"], status) == ("outgoing", "deliver", 0)
        assert "reply" not in answer
        assert who["rule"]["line"] == 8 and who["rule"]["file"].endswith("sealpost.policy")
        assert [r["way"] for r in who["rungs"]] == ["smime", "pgp", "portal"]
        assert [r["possible"] for r in who["rungs"]] == [True, False, True]
        assert who["rungs"][1]["reason"] == "no-key"
        assert (who["way"], who["transport"], who["variant"]) == ("smime", "any", 1)
        key = who["keys"][0]
        assert (key["type"], key["source"], key["usable"]) == ("smime", "store", True)
        assert variant["signed_as"] == ALICE.address
        assert [layer["kind"] for layer in variant["layers"]] == ["smime-encrypted", "smime-signed"]
        assert variant["layers"][0]["key"] == key["id"] and len(variant["layers"][0]["sha256"]) == 64
        signature = variant["signatures"][0]
        assert (signature["kind"], signature["covers"], signature["result"],
                signature["signer"], signature["matches_from"]) == \
            ("smime", "message", "good", ALICE.address, True)
    with tap.case("PGP"):
        answer, _ = work.explain(PETER.address)
        assert one(answer)["way"] == "pgp"
        assert answer["variants"][0]["layers"][0]["kind"] == "pgp-encrypted"
        assert answer["variants"][0]["signatures"][0]["kind"] == "pgp"
    with tap.case("an invitation goes by a rule of its own"):
        calendar = b"text/calendar; method=Request; charset=utf-8"
        answer, _ = work.explain("a@outlook.example", content=MAIL.replace(b"text/plain; charset=utf-8", calendar))
        assert one(answer)["rule"]["line"] == 6 and "invitation" in one(answer)["rule"]["text"], answer
        answer, _ = work.explain("a@outlook.example")
        assert one(answer)["rule"]["line"] == 8, answer
    with tap.case("signed alone; a rule's transport; portal; internal"):
        answer, _ = work.explain("a@signed.example")
        assert one(answer)["way"] == "plain"
        assert [l["kind"] for l in answer["variants"][0]["layers"]] == ["smime-signed"]
        answer, _ = work.explain("a@tls.example")
        assert (one(answer)["way"], one(answer)["transport"]) == ("verified-tls", "verified-tls")
        answer, _ = work.explain("a@x.example")
        assert one(answer)["way"] == "portal" and not answer["variants"][0]["layers"]
        answer, _ = work.explain("bob@firma.example")
        assert (answer["direction"], one(answer)["way"]) == ("internal", "unchanged")


def refused(work, tap):
    with tap.case("refused: 77 with the reply; a rule's own text"):
        answer, status = work.explain("a@strict.example")
        assert (answer["verdict"], status) == ("reject", 77) and not answer["variants"]
        assert answer["reply"].startswith("550 5.7.1 ") and "a@strict.example" in answer["reply"]
        answer, status = work.explain("a@rejected.example", SOFIA.address)
        assert status == 77 and answer["reply"] == "550 5.7.1 no mail there"
    with tap.case("deferred: 75 where a directory is down"):
        text = work.sealpost.conf.read_text("utf-8")
        work.sealpost.conf.write_text(text + "\n[ldap gone]\nuri = ldap://127.0.0.1:1\n"
                                      "starttls = false\nbase = o=x\n", "utf-8")
        answer, status = work.explain("a@x.example")
        assert (answer["verdict"], status) == ("defer", 75)
        assert answer["reply"].startswith("451 4.4.3 ")
        assert one(answer)["rungs"][2] == {**one(answer)["rungs"][2], "possible": False,
                                           "reason": "lookup-failed"}
        work.sealpost.conf.write_text(text, "utf-8")
    with tap.case("wrong use 64, wrong configuration 78"):
        assert work.status("explain", "--from", "a@x").returncode == 64
        assert work.status("explain", "--from", "a@x", "--to", "b@x", "--wrong").returncode == 64
        assert work.status("explain", "--from", "a@x", "--to", "b@x", "--client", "nobody").returncode == 64
        assert work.status("explain", "--config", "/nowhere", "--from", "a", "--to",
                           "b").returncode == 78
        work.sealpost.set_policy(POLICY + "outgoing requier smime\n")
        assert work.status("explain", "--from", "a@x", "--to", "b@x").returncode == 78
        work.sealpost.set_policy(POLICY)


def strangers(work, tap):
    with tap.case("--incoming and --client: who is trusted, what a stranger gets"):
        answer, status = work.explain("bob@firma.example", options=("--incoming",))
        assert (answer["direction"], one(answer)["way"], status) == ("incoming", "unchanged", 0)
        assert answer["variants"][0]["signed_as"] is None
        answer, _ = work.explain(SOFIA.address, options=("--client", "198.51.100.1"))
        assert one(answer)["way"] == "unchanged"
        answer, _ = work.explain(SOFIA.address, options=("--client", "127.0.0.1"))
        assert one(answer)["way"] == "smime"
        _, status = work.explain("bob@firma.example", sender="x@bad.example",
                                 options=("--incoming",))
        assert status == 77
    with tap.case("connection and sender contradict each other: said"):
        inside, outside = ["foreign-name-from-inside"], ["own-name-from-outside"]
        for sender, name, client, want in (
                (ALICE.address, ALICE.address, "127.0.0.1", []),
                ("", ALICE.address, "127.0.0.1", []),
                ("x@web.example", ALICE.address, "127.0.0.1", inside),
                (ALICE.address, f"{ALICE.address}, x@web.example", "127.0.0.1", inside),
                ("x@web.example", "x@web.example", "198.51.100.1", []),
                (ALICE.address, "x@web.example", "198.51.100.1", outside),
                ("x@web.example", f"Boss <{ALICE.address.upper()}>", "198.51.100.1", outside)):
            content = f"From: {name}\nSubject: s\n\nx\n".encode()
            options = ("--client", client)
            answer, _ = work.explain("bob@firma.example", content=content, sender=sender, options=options)
            assert answer["warnings"] == want, (sender, name, client, answer["warnings"])
            told = work.status("explain", *options, "--from", sender, "--to", "bob@firma.example",
                               content=content).stdout
            assert (b"\nWarning: the " in told) == bool(want), told


def files(work, tap):
    with tap.case("--output: a file for each variant; what must not leave is gone"):
        out = work.folder / "out"
        answer, _ = work.explain(SOFIA.address, PETER.address, "bob@firma.example",
                                 options=("--output", str(out)))
        assert sorted(p.name for p in out.iterdir()) == [v["file"] for v in answer["variants"]]
        for path in out.iterdir():
            content = path.read_bytes()
            assert b"Bcc:" not in content and b"forged" not in content
            assert b"\r\n\r\n" in content and b"Message-ID: <1@x>\r\n" in content
        inside = run(["openssl", "cms", "-decrypt", "-binary", "-in", out / "1.eml", "-inkey",
                      work.cabinet(SOFIA, "key.pem")]).stdout
        assert "Grüße".encode() in inside and b"Content-Transfer-Encoding: 8bit" in inside
    with tap.case("the tag goes, whatever its case and form"):
        tagged = MAIL.replace(b"Subject: s", "Subject: =?utf-8?q?Re:_=5BX=5D_Gr=C3=BC=C3=9Fe?=".encode())
        work.explain(SOFIA.address, content=tagged, options=("--output", str(out)))
        fields = (out / "1.eml").read_bytes().split(b"\r\n\r\n")[0]
        assert b"Subject: =?" in fields and b"=5B" not in fields and b"[" not in fields, fields


def clients_own(work, tap):
    """Messages that the client has encrypted already."""
    smime = run(["openssl", "cms", "-encrypt", "-aes256", "-from", ALICE.address, "-to", "a@x",
                 "-subject", "s", work.cabinet(SOFIA, "cert.pem")], stdin=b"hello\n").stdout
    armour = run(["gpg", "--batch", "--armor", "--trust-model", "always", "--recipient-file",
                  work.cabinet(PETER, "public.asc"), "--encrypt"], stdin=b"hello\n").stdout
    head = f"From: {ALICE.address}\nMIME-Version: 1.0\n".encode()
    pgp = head + (b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; '
                  b'boundary="b"\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n\n'
                  b"--b\nContent-Type: application/octet-stream\n\n" + armour + b"\n--b--\n")
    mangled = pgp.replace(b"multipart/encrypted; protocol=\"application/pgp-encrypted\";",
                          b"multipart/mixed;")
    inline = head + b"Content-Type: text/plain\n\n" + armour
    octets = smime.replace(b"application/pkcs7-mime; smime-type=enveloped-data;",
                           b"application/octet-stream;")
    with tap.case("encrypted by the client: left alone, in each form"):
        for content in (smime, octets, pgp, mangled, inline):
            answer, _ = work.explain("a@strict.example", content=content)
            assert answer["verdict"] == "deliver", content[:400]
            assert one(answer)["way"] == "unchanged"
            assert one(answer)["rungs"][0]["reason"] == "already-protected"
    with tap.case("what only looks like it is not: names, substrings, broken or partial ones"):
        fakes = (
            inline.replace(b"\n\n", b"\n\nclear text first\n", 1),
            inline + b"\nclear text behind\n",
            head + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n"
                   b"Content-Transfer-Encoding: base64\n\nR2VoZWlt\n",
            head + b'Content-Type: application/octet-stream; name="contract.p7m"\n\nplain\n',
            pgp.replace(armour, b"-----BEGIN PGP MESSAGE-----\n\nclear\n-----END PGP MESSAGE-----"),
            head + b"Content-Type: multipart/encrypted\n\nnothing\n",
            head + b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nclear\n--b\n'
            + smime.split(b"\n\n", 1)[0].split(b"MIME-Version: 1.0\n")[1] + b"\n\n"
            + smime.split(b"\n\n", 1)[1] + b"\n--b--\n",
        )
        for content in fakes:
            answer, status = work.explain("a@strict.example", content=content)
            assert (answer["verdict"], status) == ("reject", 77), content[:500]


def limits(work, tap):
    """What the gateway would refuse, explain says to be refused; what fails here is no verdict."""
    with tap.case("too many fields, too large: 77 with the reply; a stranger's passes, as in the gateway"):
        work.sealpost.set("gateway", message_limit="200000")
        large = MAIL + b"x\n" * 300_000
        for content in (b"X: y\n" * 3000 + MAIL, large):
            answer, status = work.explain(SOFIA.address, content=content)
            assert (answer["verdict"], status) == ("reject", 77) and answer["reply"].startswith("552 "), answer
        answer, status = work.explain(ALICE.address, content=large, options=["--incoming"])
        assert status == 0 and one(answer)["way"] == "unchanged", answer
        work.sealpost.set("gateway", message_limit="100M")
    with tap.case("no place for the files, none for the answer; nothing to read: neither 0 nor a verdict"):
        command = [str(work.sealpost.command), "--config", str(work.sealpost.conf), "explain", "--json",
                   "--from", ALICE.address, "--to", SOFIA.address]
        done = run([*command, "--output", "/proc/none"], stdin=MAIL, check=False)
        assert done.returncode == 73 and not done.stdout, done
        for words, status in (("0</ >/dev/null", 74), (">/dev/full", 74), (">&-", 0), ("2>&- <&-", 0)):
            done = run(["sh", "-c", f'"$@" {words}', "sh", *command], stdin=MAIL, check=False)
            assert done.returncode == status, (words, done)


def expired(work, tap):
    """An own certificate that is over: not used, and said so; refused where the rule wants a signature."""
    eva = "eva@firma.example"
    key, cert = work.authority.person("Eva", eva)
    content = MAIL.replace(ALICE.address.encode(), eva.encode())
    with tap.case("an expired own certificate: encrypted without a signature, or refused; both say why"):
        work.sealpost.run("key", "import", key, work.authority.expired(key, eva))
        answer, _ = work.explain(SOFIA.address, sender=eva, content=content)
        variant = answer["variants"][0]
        assert (variant["signed_as"], variant["warnings"]) == (None, ["expired"]), variant
        assert [layer["kind"] for layer in variant["layers"]] == ["smime-encrypted"]
        told = work.status("explain", "--from", eva, "--to", SOFIA.address, content=content).stdout
        assert b"not signed: expired" in told, told
        answer, status = work.explain("a@signed.example", sender=eva, content=content)
        assert status == 77 and "signature" in answer["reply"] and "(expired)" in answer["reply"], answer
    with tap.case("... and the new one beside it is used"):
        work.sealpost.run("key", "import", key, cert)
        answer, _ = work.explain(SOFIA.address, sender=eva, content=content)
        assert answer["variants"][0]["signed_as"] == eva and not answer["variants"][0]["warnings"]


def main():
    tap, folder = Tap(), tempfile.mkdtemp(prefix="se-")
    try:
        work = Work(folder)
        before = work.state()
        for part in (delivered, refused, strangers, files, clients_own):
            part(work, tap)
        with tap.case("nothing was stored, delivered or left behind"):
            assert work.state() == before
            assert not (work.sealpost.folder / "state" / "journal.db").exists()
        expired(work, tap)
        with tap.case("the text for people names rule, ways and verdict"):
            done = work.status("explain", "--from", ALICE.address, "--to", "a@strict.example",
                               content=MAIL)
            for words in (b"sealpost.policy:3", b"no S/MIME certificate", b"Verdict: reject: 550"):
                assert words in done.stdout, done.stdout
        limits(work, tap)
        with tap.case("odd input: no input at all, NUL, bare CR, a name that is none"):
            for content in (b"", b"\0\0\0", b"\r\r\n\n", b"From: \r\n injected\r\nX: y", b"\xff: \xfe"):
                answer, _ = work.explain(SOFIA.address, content=content)
                assert answer["verdict"] == "deliver" and one(answer)["way"] == "smime"
            answer, status = work.explain("x\r\nRCPT TO:<y@z>", content=MAIL)
            assert status == 77 and "\n" not in answer["reply"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


main()
