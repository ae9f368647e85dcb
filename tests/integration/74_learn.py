# SPDX-License-Identifier: Apache-2.0
"""Keys learned from signed mail of strangers, through a real Postfix: the answer goes out encrypted
with nobody doing anything. Made by openssl, gpg and sq; opened by openssl and gpg."""
import base64
import contextlib
import json
import sqlite3
import time
from pathlib import Path

import foreign
from lib import ALICE, BOSS, opened_by, script, stranger

from demo import people as cast
from demo.pki import Authority, GnuPG
from demo.process import run, wait_for
from demo.site import as_bytes, message

POLICY = ('internal domains "firma.example"\n'
          'outgoing to "*.strict.example" require smime, pgp, portal\n'
          'outgoing require smime, pgp\n')
# Their keys are nowhere but in their mail.
LEA = cast.Person("lea@learn.example", "Lea Lern", smime="rsa:2048", where="mail")
SPLIT = cast.Person("split@learn.example", "Two Certificates", where="mail")
AUTO = cast.Person("auto@pgp.example", "Auto Crypt", pgp=True, where="mail")
ATTA = cast.Person("atta@pgp.example", "Atta Ched", pgp=True, where="mail")
TEXT = cast.Person("text@pgp.example", "In the Text", pgp=True, where="mail")
INSIDE = cast.Person("inside@pgp.example", "Inside", pgp=True, where="mail")
FLOOD = cast.Person("flood@flood.example", "Flood", pgp=True, where="mail")
PEOPLE = (*cast.CAST, LEA, AUTO, ATTA, TEXT, INSIDE, FLOOD)


def from_outside(site, sender, inner, extra="", to=ALICE):
    """Gives the message to Postfix as a stranger's server would; what Alice gets of it."""
    site.empty_out()
    content = foreign.mail(sender, [to], inner, extra=extra)
    with stranger(site) as smtp:
        smtp.sendmail(sender, [to], as_bytes(content))
    return site.arrived(1)[0].content


def learned(site, address=None):
    words = [address] if address else []
    return json.loads(site.sealpost.run("key", "list", "--learned", "--json", *words).stdout)


def wait_learned(site, address, state="learned", count=1, seconds=60):
    """The rows of that address when as many are in this state: learning waits for nobody."""
    end = time.monotonic() + seconds
    while True:
        rows = learned(site, address)
        if sum(row["state"] == state for row in rows) >= count:
            return rows
        assert time.monotonic() < end, rows
        time.sleep(0.1)


def answer(site, to, layers):
    """Alice answers; what arrives there, opened with the recipient's own key."""
    site.empty_out()
    site.submit(ALICE, to, message(ALICE, to, "Re: x", "Streng geheim\n"))
    copy = site.arrived(1)[0]
    assert b"Streng geheim" not in copy.content
    opened = opened_by(site, to, copy)
    assert opened.layers == layers, opened.layers
    assert "Streng geheim" in opened.mail.get_content()
    return copy.content


def unanswerable(site, to):
    """Whether explain says why Alice's answer cannot be encrypted: (reason of the rung, keys)."""
    said, status = site.sealpost.explain(ALICE, [to], message(ALICE, to, "Re: x", "x\n").as_bytes())
    assert status == 77, said
    return said["recipients"][0]


def fingerprint(path):
    if path.suffix == ".pem":
        text = run(["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"]).stdout
        return text.decode().strip().split("=")[1].replace(":", "").lower()
    listed = run(["gpg", "--batch", "--with-colons", "--show-keys", path]).stdout.decode()
    return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:"))


def armoured(site, person, name="public.asc"):
    return site.cabinet(person, name).read_bytes()


def autocrypt(address, armour, more=""):
    key = run(["gpg", "--batch", "--dearmor"], stdin=armour).stdout
    lines = base64.b64encode(key).decode()
    folded = "".join(f"\r\n {lines[i:i + 76]}" for i in range(0, len(lines), 76))
    return f"Autocrypt: addr={address}; prefer-encrypt=mutual;{more} keydata={folded}\r\n"


def gpg_made(armour, how, content):
    gnupg = GnuPG()
    try:
        gnupg.take(armour)
        return gnupg.gpg("--armor", how, "--digest-algo", "SHA256", stdin=content).stdout
    finally:
        gnupg.close()


def gpg_signed(armour, inner):
    """multipart/signed by the secret key in this armour (RFC 3156)."""
    return signed_with(gpg_made(armour, "--detach-sign", inner), inner)


def clear_signed(armour, around=""):
    return foreign.entity(around + gpg_made(armour, "--clear-sign", b"Hallo\n").decode())


def sq_signed(site, person, inner):
    return signed_with(run(["sq", "sign", "--detached", "--signer-key",
                            site.cabinet(person, "secret.asc")], stdin=inner).stdout, inner)


def signed_with(signature, inner):
    part = b"Content-Type: application/pgp-signature\r\n\r\n" + foreign._crlf(signature)
    return foreign.multipart("multipart/signed", '; micalg=pgp-sha256;\r\n'
                             ' protocol="application/pgp-signature"', [inner, part])


def with_key(text, armour):
    return foreign.multipart("multipart/mixed", "", [
        foreign.entity(text), attached_key(armour)], boundary="=_inner")


def attached_key(armour):
    return (b"Content-Type: application/pgp-keys; name=key.asc\r\n"
            b"Content-Disposition: attachment; filename=key.asc\r\n\r\n" + foreign._crlf(armour))


def new_pgp(address, expires="never"):
    """(secret, public) of a new key."""
    gnupg = GnuPG()
    try:
        gnupg.generate(f"New <{address}>", expires)
        return gnupg.export(address, secret=True), gnupg.export(address)
    finally:
        gnupg.close()


def smime(site, tap):
    with tap.case("S/MIME, signed by openssl: the answer is encrypted, nobody did anything"):
        before = unanswerable(site, LEA.address)
        assert [r["reason"] for r in before["rungs"]] == ["no-key", "no-key"], before
        got = from_outside(site, LEA.address,
                           foreign.openssl_signed(site, LEA, foreign.entity("Hallo\n")))
        assert b"smime=pass (good)" in got, got
        row = wait_learned(site, LEA.address)[0]
        assert row["id"] == fingerprint(site.cabinet(LEA, "cert.pem")) and row["type"] == "smime"
        assert row["origin"] == "signature" and row["reason"] is None and row["opens"] == [], row
        answer(site, LEA.address, ["smime-encrypted", "smime-signed"])
        said, _ = site.sealpost.explain(ALICE, [LEA.address],
                                        message(ALICE, LEA.address, "x", "x\n").as_bytes())
        assert [(k["source"], k["usable"]) for k in said["recipients"][0]["keys"]] == \
            [("learned", True)], said
    with tap.case("the same again: known, nothing is written"):
        log = site.sealpost.gateway_log()
        from_outside(site, LEA.address,
                     foreign.openssl_signed(site, LEA, foreign.entity("Hallo\n"), opaque=True))
        time.sleep(1)
        assert site.sealpost.gateway_log().count("origin=signature") == \
            log.count("origin=signature")
        assert len(learned(site, LEA.address)) == 1
    with tap.case("not learned: another From, a broken signature, a CA that nobody trusts, no signature"):
        signed = foreign.openssl_signed(site, LEA, foreign.entity("Hallo\n"))
        key, cert = Authority(site.folder / "pki-eve").person("Eve", "eve4@learn.example")
        unknown = foreign._crlf(run(["openssl", "cms", "-sign", "-binary", "-signer", cert, "-inkey",
                                     key], stdin=foreign.entity("Hallo\n")).stdout)
        for sender, inner in (("eve@learn.example", signed),
                              ("eve2@learn.example", signed.replace(b"Hallo", b"Hullo")),
                              ("eve3@learn.example", foreign.entity("Hallo\n")),
                              ("eve4@learn.example", unknown),
                              ("eve5@learn.example", partly(made(site, "eve5@learn.example"))),
                              ("eve6@learn.example", badly(site, made(site, "eve6@learn.example")))):
            got = from_outside(site, sender, inner)
            assert sender[:4] not in ("eve5", "eve6") or b"smime good signer=" + sender.encode() in got, got
        time.sleep(1)
        assert {row["address"] for row in learned(site)} == {LEA.address}, learned(site)
    with tap.case("our own people's mail from outside teaches nothing"):
        from_outside(site, BOSS, foreign.openssl_signed(site, cast.BOSS, foreign.entity("Hallo\n")))
        time.sleep(1)
        assert not learned(site, BOSS)


def made(site, who):
    """A text, signed with a new certificate that the CA vouches for."""
    key, cert = site.authority.person("Eve", who)
    return foreign._crlf(run(["openssl", "cms", "-sign", "-binary", "-signer", cert, "-inkey", key, "-certfile",
                              site.authority.intermediate], stdin=foreign.entity("Hallo\n")).stdout)


def partly(signed):
    return foreign.multipart("multipart/mixed", "", [signed, foreign.entity("A footer\n")], boundary="=_list")


def badly(site, signed):
    """Inside a signature of Peter's that does not hold."""
    return signed_with(gpg_made(armoured(site, cast.PETER, "secret.asc"), "--detach-sign", b"else"), signed)


def two_certificates(site, tap):
    folder = Path(site.cabinet.folder) / SPLIT.address
    folder.mkdir()
    for name, usage in (("sign", "digitalSignature"), ("crypt", "keyEncipherment")):
        key, cert = site.authority.person(
            SPLIT.name, SPLIT.address, "rsa:2048",
            usage=f"keyUsage=critical,{usage}\nextendedKeyUsage=emailProtection\n")
        (folder / f"{name}.pem").write_bytes(cert.read_bytes())
        (folder / f"{name}-key.pem").write_bytes(key.read_bytes())
    with tap.case("one certificate to sign, one to encrypt: the latter is learned"):
        inner = foreign.entity("Hallo\n")
        both = folder / "both.pem"
        both.write_bytes((folder / "crypt.pem").read_bytes() +
                         site.authority.intermediate.read_bytes())
        signed = foreign._crlf(run(
            ["openssl", "cms", "-sign", "-binary", "-signer", folder / "sign.pem", "-inkey",
             folder / "sign-key.pem", "-certfile", both], stdin=inner).stdout)
        from_outside(site, SPLIT.address, signed)
        row = wait_learned(site, SPLIT.address)[0]
        assert row["id"] == fingerprint(folder / "crypt.pem"), row
        (folder / "cert.pem").write_bytes((folder / "crypt.pem").read_bytes())
        (folder / "key.pem").write_bytes((folder / "crypt-key.pem").read_bytes())
        answer(site, SPLIT.address, ["smime-encrypted", "smime-signed"])


def pgp(site, tap):
    with tap.case("PGP by Autocrypt, signed by gpg: used, but its signature is not called good"):
        got = from_outside(site, AUTO.address,
                           gpg_signed(armoured(site, AUTO, "secret.asc"), foreign.entity("Hallo\n")),
                           autocrypt(AUTO.address, armoured(site, AUTO)))
        assert b"pgp=neutral (untrusted" in got, got
        row = wait_learned(site, AUTO.address)[0]
        assert row["id"] == fingerprint(site.cabinet(AUTO, "public.asc"))
        assert row["origin"] == "autocrypt", row
        answer(site, AUTO.address, ["pgp-encrypted+signed"])
        again = from_outside(site, AUTO.address, gpg_signed(
            armoured(site, AUTO, "secret.asc"), foreign.entity("Hallo\n")))
        assert b"pgp=neutral (untrusted" in again, again
    with tap.case("PGP by an attached key, signed by sq; by a key block in the text; inside encrypted"):
        from_outside(site, ATTA.address,
                     sq_signed(site, ATTA, with_key("Hallo\n", armoured(site, ATTA))))
        assert wait_learned(site, ATTA.address)[0]["origin"] == "attached"
        answer(site, ATTA.address, ["pgp-encrypted+signed"])
        text = "Mein Schlüssel:\n" + armoured(site, TEXT).decode()
        from_outside(site, TEXT.address, sq_signed(site, TEXT, foreign.entity(text)))
        assert wait_learned(site, TEXT.address)[0]["origin"] == "text"
        answer(site, TEXT.address, ["pgp-encrypted+signed"])
        inner = with_key("Hallo\n", armoured(site, INSIDE))
        got = from_outside(site, INSIDE.address,
                           foreign.gpg_encrypted(site, INSIDE.address, [ALICE], inner))
        assert b"Hallo" in got and b"pgp=neutral (untrusted" in got, got
        assert wait_learned(site, INSIDE.address)[0]["origin"] == "attached"
        answer(site, INSIDE.address, ["pgp-encrypted+signed"])
    with tap.case("not learned: a key that did not sign, a name that is not the key's, gossip, unsigned"):
        secret, public = new_pgp("eve@pgp.example")
        other, _ = new_pgp("other@pgp.example")
        plain = foreign.entity("Hallo\n")
        field = autocrypt("eve@pgp.example", public)
        for sender, inner, extra in (
                ("eve@pgp.example", gpg_signed(other, plain), field),
                ("eve@pgp.example", plain, field),
                ("eve@pgp.example", gpg_signed(secret, plain).replace(b"Hallo", b"Hullo"), field),
                ("eve@pgp.example", gpg_signed(secret, plain), field.replace("crypt:", "crypt-Gossip:")),
                ("eve@pgp.example", gpg_signed(secret, plain), field + field),
                ("eve@pgp.example", clear_signed(secret, "Zahlt an Eve.\n"), field),
                ("eve@pgp.example", gpg_signed(secret, plain), field.replace("mutual;", "mutual; x=y;")),
                ("eve2@pgp.example", gpg_signed(secret, with_key("Hallo\n", public)), field)):
            from_outside(site, sender, inner, extra)
        time.sleep(1)
        assert not learned(site, "eve@pgp.example") and not learned(site, "eve2@pgp.example")
        from_outside(site, "eve@pgp.example", clear_signed(secret), field)
        assert wait_learned(site, "eve@pgp.example")[0]["origin"] == "autocrypt"
    with tap.case("twenty keys of one message are looked at, whatever they are worth"):
        secret, public = new_pgp("many@pgp.example")
        _, stranger = new_pgp("stranger@pgp.example")
        for parts, state in ((4, 0), (3, 1)):
            got = from_outside(site, "many@pgp.example", gpg_signed(secret, foreign.multipart(
                "multipart/mixed", "", [attached_key(stranger * 5)] * parts +
                [attached_key(public)], boundary="=_inner")))
            assert (b"pgp=neutral (untrusted" in got) == bool(state), got
            if state:
                wait_learned(site, "many@pgp.example")
    with tap.case("what the administrator or the directory has is not touched"):
        from_outside(site, cast.SOFIA.address,
                     foreign.openssl_signed(site, cast.SOFIA, foreign.entity("Hallo\n")))
        secret, public = new_pgp(cast.PETER.address)
        got = from_outside(site, cast.PETER.address, gpg_signed(secret, foreign.entity("Hallo\n")),
                           autocrypt(cast.PETER.address, public))
        assert b"pgp=neutral (no-key" in got, got
        time.sleep(1)
        assert not learned(site, cast.SOFIA.address) and not learned(site, cast.PETER.address)
        answer(site, cast.PETER.address, ["pgp-encrypted+signed"])


def changed(site, tap):
    secret, public = new_pgp(AUTO.address)
    field = autocrypt(AUTO.address, public)
    old = fingerprint(site.cabinet(AUTO, "public.asc"))
    with tap.case("another key for the same address: kept aside, reported, the first one is used"):
        for _ in range(2):
            got = from_outside(site, AUTO.address, gpg_signed(secret, foreign.entity("Hallo\n")), field)
            assert b"warning changed-key" in got and b"pgp=neutral (untrusted" in got, got
        rows = wait_learned(site, AUTO.address, "changed")
        assert [r["state"] for r in rows] == ["learned", "changed"] and rows[0]["id"] == old, rows
        listed = site.sealpost.run("key", "list", "--learned", AUTO.address).stdout.decode()
        assert f"{rows[1]['id']}  OpenPGP key, changed," in listed, listed
        wait_for(lambda: f"key={rows[1]['id']} origin=autocrypt result=changed" in site.sealpost.gateway_log(),
                 60, "the change in the log")
        answer(site, AUTO.address, ["pgp-encrypted+signed"])
    new = rows[1]["id"]
    with tap.case("approved: the new one is used, and its signature is good"):
        said = site.sealpost.run("key", "approve", new[:16]).stdout.decode()
        assert new in said and "approved" in said, said
        kept = site.cabinet(AUTO, "secret.asc").read_bytes()
        site.cabinet(AUTO, "secret.asc").write_bytes(secret)
        answer(site, AUTO.address, ["pgp-encrypted+signed"])
        got = from_outside(site, AUTO.address, gpg_signed(secret, foreign.entity("Hallo\n")))
        assert b"pgp=pass (good)" in got, got
        site.cabinet(AUTO, "secret.asc").write_bytes(kept)
    with tap.case("rejected: not used, and remembered"):
        site.sealpost.run("key", "reject", new, old)
        assert [r["reason"] for r in unanswerable(site, AUTO.address)["rungs"]] == ["no-key"] * 2
        got = from_outside(site, AUTO.address, gpg_signed(secret, foreign.entity("Hallo\n")), field)
        assert b"pgp=neutral (no-key" in got, got
        time.sleep(1)
        assert {r["state"] for r in learned(site, AUTO.address)} == {"rejected"}
        site.sealpost.run("key", "delete", new)
        assert len(learned(site, AUTO.address)) == 1
        wrong = site.sealpost.run("key", "approve", "0123456789", check=False)
        assert wrong.returncode == 64 and b"no such key was learned" in wrong.stderr, wrong
    with tap.case("one key, two addresses: approved for the one that is named, rejected for both"):
        secret, public = new_pgp("eve@two.example")
        names = ["bob@two.example", "eve@two.example"]
        for name in names:
            from_outside(site, name, gpg_signed(secret, foreign.entity("Hallo\n")),
                         autocrypt(name, public))
            key = wait_learned(site, name)[0]["id"]
        said = site.sealpost.run("key", "approve", key, check=False)
        assert said.returncode == 64 and " ".join(names).encode() in said.stderr, said
        assert [learned(site, name)[0]["state"] for name in names] == ["learned"] * 2
        site.sealpost.run("key", "approve", "--for", names[1].upper(), key)
        assert [learned(site, name)[0]["state"] for name in names] == ["learned", "approved"]
        site.sealpost.run("key", "reject", key)
        assert [learned(site, name)[0]["state"] for name in names] == ["rejected"] * 2
    with tap.case("the same key with another date: brought up to date"):
        renewed = GnuPG()
        try:
            renewed.take(armoured(site, TEXT, "secret.asc"))
            print_id = fingerprint(site.cabinet(TEXT, "public.asc"))
            renewed.gpg("--quick-set-expire", print_id, "3y")
            public = renewed.export(TEXT.address)
        finally:
            renewed.close()
        before = learned(site, TEXT.address)[0]
        from_outside(site, TEXT.address, sq_signed(site, TEXT, foreign.entity("Hallo\n")),
                     autocrypt(TEXT.address, public))
        end = time.monotonic() + 60
        while (row := learned(site, TEXT.address)[0])["until"] == before["until"]:
            assert time.monotonic() < end, row
            time.sleep(0.1)
        assert row["state"] == "learned" and row["id"] == before["id"], row


def levels(site, tap):
    """Last: it restarts nothing, explain and the command read the settings anew."""
    with tap.case("[learn] keys = approved: only after approval, or where a rule says so"):
        site.sealpost.set("learn", keys="approved")
        outcome = unanswerable(site, LEA.address)
        assert [(k["source"], k["reason"]) for k in outcome["keys"]] == [("learned", "not-approved")]
        assert [r["reason"] for r in outcome["rungs"]] == ["no-usable-key", "no-key"], outcome
        site.sealpost.set_policy(POLICY.replace("outgoing require smime, pgp\n",
                                                "outgoing require smime, pgp keys from learned\n"))
        mail = message(ALICE, LEA.address, "x", "x\n").as_bytes()
        said, status = site.sealpost.explain(ALICE, [LEA.address], mail)
        assert status == 0 and said["recipients"][0]["way"] == "smime", said
        assert said["recipients"][0]["keys"][0]["usable"], said
        site.sealpost.set_policy(POLICY)
        site.sealpost.run("key", "approve", learned(site, LEA.address)[0]["id"])
        said, status = site.sealpost.explain(ALICE, [LEA.address], mail)
        assert status == 0 and said["recipients"][0]["way"] == "smime", said
    with tap.case("off: explain says so by learning nothing; what was approved stays"):
        inner = foreign.mail(ATTA.address, [ALICE],
                             sq_signed(site, ATTA, with_key("Hallo\n", armoured(site, ATTA))))
        said, _ = site.sealpost.explain(ATTA.address, [ALICE], inner, "--incoming")
        assert [(x["origin"], x["result"]) for x in said["variants"][0]["learned"]] == \
            [("attached", "known")], said
        site.sealpost.set("learn", keys="off")
        said, _ = site.sealpost.explain(ATTA.address, [ALICE], inner, "--incoming")
        assert said["variants"][0]["learned"] == [], said
        said, status = site.sealpost.explain(ALICE, [LEA.address], mail)
        assert status == 0, said
        assert not unanswerable(site, ATTA.address)["keys"]
        site.sealpost.set("learn", keys="use")


def locked(site, tap):
    with tap.case("the store is locked: the mail arrives, the log says so"):
        secret, public = new_pgp("late@late.example")
        field = autocrypt("late@late.example", public)
        mail = gpg_signed(secret, foreign.entity("Hallo\n"))
        with contextlib.closing(sqlite3.connect(site.sealpost.folder / "state/keystore.db",
                                                isolation_level=None)) as store:
            store.execute("BEGIN IMMEDIATE")
            assert b"Hallo" in from_outside(site, "late@late.example", mail, field)
            end = time.monotonic() + 60
            while "key not learned from=<late@late.example>" not in site.sealpost.gateway_log():
                assert time.monotonic() < end
                time.sleep(0.1)
            store.execute("ROLLBACK")
        assert not learned(site, "late@late.example")
        from_outside(site, "late@late.example", mail, field)
        wait_learned(site, "late@late.example")


def flooding(site, tap):
    with tap.case("limits: for one address, for one domain; the mail itself arrives"):
        for i in range(7):
            secret, public = new_pgp(FLOOD.address)
            got = from_outside(site, FLOOD.address, gpg_signed(secret, foreign.entity("Hallo\n")),
                               autocrypt(FLOOD.address, public))
            assert b"Hallo" in got
        time.sleep(2)
        rows = learned(site, FLOOD.address)
        assert [r["state"] for r in rows] == ["learned"] + ["changed"] * 4, rows
        for i in range(5):
            secret, public = new_pgp(f"{i}@flood.example")
            from_outside(site, f"{i}@flood.example", gpg_signed(secret, foreign.entity("Hallo\n")),
                         autocrypt(f"{i}@flood.example", public))
        time.sleep(2)
        count = sum(r["address"].endswith("@flood.example") for r in learned(site))
        assert count == 8, learned(site)


with script() as tap, tap.site(people=PEOPLE, policy=POLICY, portal=False,
                               settings={"learn": {"per_domain": 8}}) as site:
    smime(site, tap)
    two_certificates(site, tap)
    pgp(site, tap)
    changed(site, tap)
    locked(site, tap)
    levels(site, tap)
    flooding(site, tap)
