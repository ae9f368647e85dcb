# SPDX-License-Identifier: Apache-2.0
"""Incoming mail that comes otherwise than the books have it, or not as it was sent: keys of old, ciphertexts that open to
nothing, texts without a type, what relays make of signed mail, signatures that stay for clients to verify."""
import base64
import contextlib
import email
import email.policy
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from importlib import import_module

import foreign
from lib import Tap

from demo import people as cast
from demo.pki import S_MIME
from demo.process import run

incoming = import_module("27_incoming")
ALICE, BOSS, PETER, SOFIA = cast.ALICE, cast.BOSS, cast.PETER, cast.SOFIA
ENTITY, GOOD, layers, opened, signatures = (getattr(incoming, name) for name in (
    "ENTITY", "GOOD", "layers", "opened", "signatures"))
TEXT = ENTITY.split(b"\r\n\r\n")[1]


def found(work, entity, sender=SOFIA.address, **options):
    """(what explain says, the message as it would be delivered)"""
    answer, files = work.explain(entity, ALICE, sender=sender, **options)
    return answer["variants"][0], files[0]


def parsed(mail):
    return email.message_from_bytes(mail, policy=email.policy.default)


def details(mail):
    value = re.search(rb"(?im)^X-Sealpost-Incoming:((?:.*\r\n[ \t])*.*)\r\n", mail)
    return re.sub(r"\s+", " ", value.group(1).decode()) if value else ""


# --- keys ---

def issued(work, key, name, *options):
    """A certificate for Alice over this key."""
    cert = work.folder / f"{name}.pem"
    request = run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=Alice", "-addext",
                   f"subjectAltName=email:{ALICE.address}"]).stdout
    run(["openssl", "x509", "-req", "-copy_extensions", "copyall", "-out", cert, "-CA",
         work.authority.intermediate, "-CAkey", work.authority.folder / "intermediate.key", *options], stdin=request)
    return cert


def encrypted_with(cert, *options):
    return incoming.crlf(run(["openssl", "cms", "-encrypt", "-binary", *(options or ["-aes-256-gcm"]), cert],
                             stdin=ENTITY).stdout)


def keys(work, tap):
    other = work.folder / "other.key"
    run(["openssl", "genrsa", "-out", other, "2048"])
    with tap.case("S/MIME: an expired certificate of hers opens what was encrypted to it, by name and by key id"):
        old = issued(work, other, "old", "-days", "-1")
        work.sealpost.run("key", "import", "--for", ALICE.address, old, other)
        for options in ((), ("-aes-256-cbc", "-keyid")):
            variant, mail = found(work, encrypted_with(old, *options))
            assert variant["layers"][0]["result"] == "opened" and TEXT in mail, variant
        variant, mail = found(work, work.encrypted(ENTITY, ALICE))
        assert layers(variant) == [opened()] and TEXT in mail, "and the one that has not expired"
    with tap.case("PGP: an expired key opens what was encrypted to it"):
        made = foreign.GnuPG()
        try:
            made.gpg("--faked-system-time", "20200101T000000!", "--quick-gen-key", f"Alice <{ALICE.address}>",
                     "future-default", "default", "1y")
            armour = made.gpg("--faked-system-time", "20200102T000000!", "--armor", "-r", ALICE.address, "--encrypt", stdin=ENTITY).stdout
            path = work.folder / "expired.asc"
            path.write_bytes(made.export(ALICE.address, secret=True))
        finally:
            made.close()
        work.sealpost.run("key", "import", path)
        listed = work.sealpost.run("key", "list", ALICE.address).stdout.decode()
        assert "expired" in listed, listed
        variant, mail = found(work, incoming.pgp_mime(armour))
        assert layers(variant) == [opened("pgp-encrypted")] and TEXT in mail, variant
    with tap.case("a signature by the key of user@domain is not one of user+tag@domain"):
        for entity, who in ((work.pgp_signed(ENTITY), PETER.address), (work.signed(ENTITY), SOFIA.address)):
            assert signatures(found(work, entity, who)[0]) == [("good", who, True)]
            variant, mail = found(work, entity, who.replace("@", "+pay@"))
            assert signatures(variant) == [("good", who, False)] and b"=pass" not in results(mail), variant
    with tap.case("another's key under her certificate's name and number: shut, whatever the padding looks like"):
        serial = run(["openssl", "x509", "-noout", "-serial", "-in", work.cabinet(ALICE, "cert.pem")]).stdout
        wrong = issued(work, other, "wrong", "-set_serial", "0x" + serial.decode().strip().split("=")[1])
        for options in ((), ("-aes-256-cbc",)):
            entity = encrypted_with(wrong, *options)
            variant, mail = found(work, entity)
            assert layers(variant)[0][1:] == ("shut", "damaged") and entity in mail, variant


# --- what is inside ---

def insides(work, tap):
    with tap.case("CBC that opens to garbage is not opened: a wrong key may look like that"):
        entity = work.encrypted(bytes(range(256)) * 9, ALICE)
        variant, mail = found(work, entity)
        assert layers(variant) == [("smime-encrypted", "shut", "damaged")] and entity in mail, variant
    with tap.case("AES-GCM where nothing checks it: shut, and called the sender's program's fault"):
        whole = work.encrypted(ENTITY, ALICE)
        head, body = whole.split(b"\r\n\r\n", 1)
        cbc, gcm = bytes.fromhex("60864801650304012a"), bytes.fromhex("60864801650304012e")
        raw = base64.b64decode(body)
        assert cbc in raw
        entity = head + b"\r\n\r\n" + foreign.base64_lines(raw.replace(cbc, gcm))
        variant, mail = found(work, entity)
        assert layers(variant) == [("smime-encrypted", "shut", "no-integrity")] and entity in mail, variant
        assert variant["warnings"] == ["misplaced-cipher"], variant
        assert "shut (no-integrity) AES-256-GCM" in details(mail) and "misplaced-cipher" in details(mail), mail
    with tap.case("an invitation inside is the message itself: its type with its parameters, its bytes"):
        calendar = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
        inner = b"content-TYPE: text/calendar; Method=REQUEST; charset=utf-8\r\n\r\n" + calendar
        mixed = foreign.multipart("multipart/alternative", "", [ENTITY, inner])
        for entity in (work.encrypted(inner, ALICE, cipher="-aes-256-gcm"), work.pgp_encrypted(inner, ALICE),
                       work.signed(inner, "-nodetach"), work.encrypted(work.signed(inner, "-nodetach"), ALICE)):
            message = parsed(found(work, entity)[1])
            assert message.get_content_type() == "text/calendar" and message.get_param("method") == "REQUEST", message
            assert message.get_all("Content-Type") and len(message.get_all("Content-Type")) == 1
            assert message.get_payload(decode=True) == calendar, message
        message = parsed(found(work, work.encrypted(mixed, ALICE))[1])
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/calendar"], message
    with tap.case("no type, or an empty one, is text/plain: inside, signed, around an armour"):
        bare = b"\r\nGeheim\r\n"
        for front in (b"", b"Content-Type:\r\n", b"Content-Type: \r\n \r\n"):
            for entity in (work.encrypted(front + bare, ALICE), work.signed(front + bare, "-nodetach"),
                           work.pgp_encrypted(front + bare, ALICE)):
                variant, mail = found(work, entity)
                assert variant["layers"][0]["result"] == "opened", variant
                message = parsed(mail)
                assert message.get_content_type() == "text/plain" and not message.is_multipart(), mail
                assert message.get_payload(decode=True) == b"Geheim\r\n" and message.get_content_charset() in (
                    None, "us-ascii"), mail
            variant, mail = found(work, work.signed(front + bare))
            assert signatures(variant) == [GOOD] and front + bare in mail, variant
            armour = incoming.crlf(work.gpg("-r", ALICE.address, "--encrypt", stdin=b"Geheim\n"))
            variant, mail = found(work, front + b"\r\n" + armour)
            assert layers(variant) == [opened("pgp-inline-encrypted")] and b"Geheim" in mail, variant
    with tap.case("made by gpgsm: opened, its signature good"):
        with contextlib.closing(foreign.Gpgsm(work, SOFIA, [ALICE])) as gpgsm:
            variant, mail = found(work, gpgsm.signed_and_encrypted(SOFIA.address, [ALICE.address], ENTITY))
        assert layers(variant) == [opened(), opened("smime-signed")] and signatures(variant) == [GOOD], variant
        assert not variant["warnings"] and ENTITY in mail, variant


def cut(whole, *ends):
    """An entity in base64 with its bytes cut at these places."""
    head, body = whole.split(b"\r\n\r\n", 1)
    return [head + b"\r\n\r\n" + foreign.base64_lines(base64.b64decode(body)[:end]) for end in ends]


def recipients(whole, count):
    """The recipients' entries of an enveloped-data, so many times."""
    head, body = whole.split(b"\r\n\r\n", 1)
    raw, der = base64.b64decode(body), incoming.der
    items = re.findall(rb"(?m)^ *(\d+):d=3 +hl=(\d+) +l= *(\d+) ", run(
        ["openssl", "asn1parse", "-inform", "DER"], stdin=raw).stdout)
    (start, front, size), content = [tuple(map(int, item)) for item in items][1:3]
    infos = raw[start + front:start + front + size]
    return head + b"\r\n\r\n" + foreign.base64_lines(
        der(0x30, der(6, bytes.fromhex("2a864886f70d010703")), der(0xa0, der(
            0x30, der(2, b"\0"), der(0x31, infos * count), raw[content[0]:content[0] + sum(content[1:])]))))


def claims(work, tap):
    cbc, opaque = work.encrypted(ENTITY * 50, ALICE), work.signed(ENTITY, "-nodetach")
    gcm = work.encrypted(ENTITY * 50, ALICE, cipher="-aes-256-gcm")
    pgp = work.pgp_encrypted(ENTITY * 20, ALICE).split(b"\r\n")
    middle = len(pgp) // 2
    pgp_broken = (b"\r\n".join(pgp[:middle] + pgp[middle + 3:]), b"\r\n".join(pgp[:middle] + [b"--b--", b""]),
                  b"\r\n".join(pgp[:middle] + [pgp[middle][::-1]] + pgp[middle + 1:]), incoming.pgp_mime(b"hello"))
    damaged = {"smime-encrypted": cut(cbc, -40, 900, 5, 0), "smime-auth-encrypted": cut(gcm, -40, 900, 5),
               "smime-opaque-signed": cut(opaque, -40, 900, 5), "pgp-encrypted": pgp_broken,
               "smime-signed": [re.sub(rb"(?s)(p7s\"\r\n\r\n).{60}", rb"\1AAAA", work.signed(ENTITY))],
               "pgp-signed": [re.sub(rb"(?s)-----BEGIN PGP SIG.*END PGP SIGNATURE-----", b"", work.pgp_signed(ENTITY))]}
    for kind, entities in damaged.items():
        with tap.case(f"{kind}, cut or garbled: as it came, and the header says why"):
            for entity in entities:
                variant, mail = found(work, entity)
                assert layers(variant) == [(kind, "shut", "damaged")] and mail.endswith(entity), (entity, variant)
                assert details(mail).startswith(f" {kind} shut (damaged)") and not variant["signatures"], mail
                inside = work.pgp_encrypted(entity, ALICE, options=())
                variant, mail = found(work, inside)
                assert layers(variant) == [opened("pgp-encrypted"), (kind, "shut", "damaged")], (entity, variant)
    with tap.case("more recipients than are read: too large, and said so"):
        variant, mail = found(work, recipients(work.encrypted(ENTITY, ALICE), 1))
        assert layers(variant) == [opened()], variant
        entity = recipients(work.encrypted(ENTITY, ALICE), 4000)
        variant, mail = found(work, entity)
        assert layers(variant) == [("smime-encrypted", "shut", "too-large")] and mail.endswith(entity), variant
    with tap.case("certificates alone, and other kinds of signed or encrypted, claim nothing"):
        certs = run(["openssl", "crl2pkcs7", "-nocrl", "-certfile", work.authority.root, "-outform", "DER"]).stdout
        for entity in (incoming.pkcs7(certs, "certs-only"), incoming.pkcs7(b"cut", "certs-only"),
                       ENTITY.replace(b"text/plain", b"application/octet-stream; name=contract.p7m"),
                       foreign.multipart("multipart/signed", "; protocol=\"x/y\"", [ENTITY, ENTITY]),
                       foreign.multipart("multipart/encrypted", "; protocol=\"x/y\"", [ENTITY, ENTITY])):
            variant, mail = found(work, entity)
            assert not variant["layers"] and not details(mail) and mail.endswith(entity), variant


# --- signed ---

def relays(work, tap):
    """multipart/signed as a relay leaves it that makes another multipart of it."""
    for kind, whole, sender in (("smime", work.signed(ENTITY), SOFIA.address),
                                ("pgp", work.pgp_signed(ENTITY), PETER.address)):
        for other in (b"multipart/mixed", b"multipart/related"):
            lost = whole.replace(b"multipart/signed", other)
            with tap.case(f"{kind}, {other.decode()}: the bytes are what they were, so that part is signed"):
                variant, mail = found(work, lost, sender)
                assert [(s["part"], s["covers"]) for s in variant["signatures"]] == [("1.1", "part")], variant
                assert signatures(variant) == [("good", sender, True)] and lost in mail, variant
                assert variant["warnings"] == ["partial-signature"] and b"=pass" not in results(mail), mail
            for what, old, new in (("changed", b"Geheim", b"Geheim "), ("in another encoding", b"8bit", b"7bit"),
                                   ("with a footer", b"Geheim\r\n", b"Geheim\r\n-- \r\nThe list\r\n")):
                with tap.case(f"{kind}, {other.decode()}, {what}: destroyed on the way, and nobody forged"):
                    broken = lost.replace(old, new)
                    assert broken != lost
                    variant, mail = found(work, broken, sender)
                    assert layers(variant) == [(f"{kind}-signed", "shut", "damaged")] and broken in mail, variant
                    assert not variant["signatures"] and variant["warnings"] == ["signature-destroyed"], variant
                    assert b"fail" not in results(mail) and "warning signature-destroyed" in details(mail), mail
        with tap.case(f"{kind}: what is no signature of a text beside it is left alone"):
            lost = whole.replace(b"multipart/signed", b"multipart/mixed")
            head, rest = re.split(rb"(?<=\r\nContent-Type: )application/[a-z0-9-]*-signature", lost)
            named = lost.replace(b"smime.p7s", b"offer.pdf.p7s") if kind == "smime" else \
                head + b'application/pgp-signature; name="offer.pdf.asc"' + rest
            text = head + b"text/plain" + rest
            assert named != lost
            for entity in (named, text):
                variant, mail = found(work, entity.replace(b"Geheim", b"Hello"), sender)
                assert not variant["layers"] and not variant["warnings"] and not details(mail), variant


def results(mail):
    head = mail.split(b"\r\n\r\n")[0].replace(b"Authentication-Results: GATEWAY; smime=pass", b"")
    return b"".join(re.findall(rb"(?im)^Authentication-Results:(?:.*\r\n[ \t])*.*", head))


def opaque(work, tap):
    whole = work.signed(ENTITY, "-nodetach")
    body = whole.split(b"\r\n\r\n", 1)[1]
    sealed = work.encrypted(whole, ALICE, cipher="-aes-256-gcm")
    twice = whole.replace(b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n", 1)
    with tap.case("unwrapped, the header tells who signed, and with which key"):
        for entity in (whole, sealed):
            variant, mail = found(work, entity)
            assert signatures(variant) == [GOOD] and TEXT in mail and b"pkcs7" not in mail, variant
            assert f"signer={SOFIA.address} key={variant['signatures'][0]['key']}" in details(mail), mail
    work.sealpost.set("incoming", unwrap_signed="false")
    with tap.case("[incoming] unwrap_signed = false: verified, told, and delivered as it came"):
        variant, mail = found(work, whole)
        assert layers(variant) == [opened("smime-opaque-signed")] and signatures(variant) == [GOOD], variant
        assert mail.endswith(whole) and b"smime=pass (good)" in results(mail) and not variant["warnings"], mail
    with tap.case("... inside a cipher: that is taken off, no more"):
        variant, mail = found(work, sealed)
        assert [kind for kind, _, _ in layers(variant)] == ["smime-auth-encrypted", "smime-opaque-signed"], variant
        assert signatures(variant) == [GOOD] and mail.endswith(body) and parsed(mail).get_content_type() in (
            "application/pkcs7-mime", "application/x-pkcs7-mime"), mail
    with tap.case("... around a cipher: that is opened, as it is in a clear signature"):
        variant, mail = found(work, work.signed(work.encrypted(ENTITY, ALICE), "-nodetach"))
        assert TEXT in mail and variant["signatures"][0]["result"] == "good", variant
        assert "signed-ciphertext" in variant["warnings"], variant
    with tap.case("... changed, and where a reader may make another thing of it: not good"):
        raw = bytearray(base64.b64decode(body))
        raw[raw.index(b"Geheim")] ^= 1
        variant, mail = found(work, whole[:-len(body)] + foreign.base64_lines(bytes(raw)))
        assert [s[0] for s in signatures(variant)] == ["bad"] and b"smime=fail" in results(mail), variant
        wrapped = work.signed(twice, who=work.foreign)
        variant, mail = found(work, wrapped)
        assert [(s["covers"], s["result"]) for s in variant["signatures"]] == [
            ("message", "untrusted"), ("part", "good")] and b"=pass" not in results(mail), variant
        variant, mail = found(work, whole + b"\r\n\r\nPay now!\r\n")
        assert [(s["covers"], s["result"]) for s in variant["signatures"]] == [("part", "good")], variant
        assert b"=pass" not in results(mail) and "partial-signature" in variant["warnings"], variant
    work.sealpost.set("incoming", unwrap_signed="true")


class Listener:
    """Counts who comes; answers nobody."""

    def __init__(self):
        self.count = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/x"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                self._socket.accept()[0].close()
                self.count += 1

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def remote(work, tap):
    with tap.case("nothing is fetched: no issuer, no CRL, no OCSP answer, no key, no picture, no part"), \
            contextlib.closing(Listener()) as there:
        key, cert = work.authority.person("Rita", "rita@smime.example", usage=S_MIME + (
            f"authorityInfoAccess=OCSP;URI:{there.url},caIssuers;URI:{there.url}\n"
            f"crlDistributionPoints=URI:{there.url}\n"))
        signed = incoming.crlf(run(["openssl", "cms", "-sign", "-binary", "-signer", cert, "-inkey", key],
                                   stdin=ENTITY).stdout)
        made = foreign.GnuPG()
        try:
            made.generate("Rolf <rolf@pgp.example>")
            detached = made.gpg("--armor", "--detach-sign", "--sig-keyserver-url", there.url, stdin=ENTITY).stdout
            cleared = made.gpg("--clear-sign", "--sig-keyserver-url", there.url, stdin=b"Hallo\n").stdout
        finally:
            made.close()
        pgp = foreign.multipart("multipart/signed", '; protocol="application/pgp-signature"', [
            ENTITY, b"Content-Type: application/pgp-signature\r\n\r\n" + incoming.crlf(detached)])
        html = (f"Content-Type: text/html\r\n\r\n<img src='{there.url}'><link rel=stylesheet href='{there.url}'>"
                "\r\n").encode()
        part = f"Content-Type: message/external-body; access-type=URL; URL=\"{there.url}\"\r\n\r\n{html}\r\n".encode()
        for entity, result in ((signed, "good"), (work.encrypted(signed, ALICE), "good"), (pgp, "no-key"),
                               (b"Content-Type: text/plain\r\n\r\n" + incoming.crlf(cleared), "no-key")):
            words = [s[0] for s in signatures(found(work, entity, "rita@smime.example")[0])]
            assert words == [result], (words, entity)  # the store has the intermediate
        for entity in (html, part, foreign.multipart("multipart/mixed", "", [html, part]), work.signed(html),
                       work.encrypted(html, ALICE), work.pgp_encrypted(part, ALICE)):
            found(work, entity)
        assert there.count == 0
        socket.create_connection(("127.0.0.1", int(there.url.split(":")[2].split("/")[0]))).close()
        deadline = time.monotonic() + 60
        while there.count == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert there.count == 1, "the listener itself does not hear"


# --- what stands around ---

def sources(work, tap):
    clear = work.gpg("-u", PETER.address, "--digest-algo", "SHA256", "--clear-sign", stdin=b"Hallo\n")
    text = b"Content-Type: text/plain\r\n\r\n" + incoming.crlf(clear)
    key = b"Content-Type: application/pgp-keys\r\n\r\n" + incoming.crlf(work.gpg("--export", PETER.address))
    signed = work.signed(ENTITY).replace(b"MIME-Version: 1.0\r\n", b"", 1)
    kinds = ((signed, SOFIA.address), (work.pgp_signed(ENTITY), PETER.address),
             (foreign.multipart("multipart/mixed", "", [text, key]), PETER.address))

    with tap.case("signed, but not called MIME: some programs show its source, with a stranger's words before it"):
        for entity, who in kinds:
            entity = entity.replace(b"\r\n\r\n", b"\r\n\r\nPay at once.\r\n", 1)
            for mime in (b"", b"MIME-Version: 2.0\r\n", b"MIME-Version: 1.0\r\nMIME-Version: x\r\n"):
                variant, mail = found(work, entity, who, mime=mime)
                assert signatures(variant) == [("good", who, True)] and b"=pass" not in results(mail), (mime, variant)
                assert variant["signatures"][0]["covers"] == "part" and variant["warnings"] == ["partial-signature"]
            variant, mail = found(work, entity.replace(b"Pay at once.\r\n", b"") + b"Pay at once.\r\n", who, mime=b"")
            assert b"=pass" not in results(mail) and variant["warnings"] == ["partial-signature"], variant
    with tap.case("... nothing there but its parts: all of it"):
        for entity, who in kinds:
            entity = entity.replace(b"This is an S/MIME signed message\r\n\r\n", b"")
            for mime in (b"", b"MIME-Version: 2.0\r\n"):
                variant, mail = found(work, entity, who, mime=mime)
                assert b"=pass" in results(mail) and not variant["warnings"], (mime, variant)
    with tap.case("... called so in any way that programs have, or made so by us: all of it"):
        for entity, who in kinds:
            for mime in (b"mime-version:1.0\r\n", b"MIME-Version: 1.0 (Mac OS X Mail 16.0)\r\n",
                         b"MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n"):
                variant, mail = found(work, entity, who, mime=mime)
                assert b"=pass" in results(mail) and not variant["warnings"], (mime, variant)
        for entity, who in kinds[:2] + ((text, PETER.address),):
            sealed = work.encrypted(entity, ALICE, cipher="-aes-256-gcm").replace(b"MIME-Version: 1.0\r\n", b"", 1)
            variant, mail = found(work, sealed, who, mime=b"")
            assert b"=pass" in results(mail) and parsed(mail)["MIME-Version"] == "1.0", variant
    with tap.case("... a ciphertext that calls itself signed, and has no parts: opened as the file that it is"):
        armour = incoming.crlf(work.gpg("--sign", "-u", PETER.address, "-r", ALICE.address, "--encrypt", stdin=ENTITY))
        for mime in (b"", b"MIME-Version: 2.0\r\n", b"MIME-Version: 1.0\r\n"):
            variant, mail = found(work, b'Content-Type: multipart/signed; name="x.pgp"\r\n\r\n' + armour, PETER.address, mime=mime)
            assert signatures(variant) == [("good", PETER.address, True)], (mime, variant)
            assert parsed(mail).get_payload(decode=True) == ENTITY, mail
    with tap.case("inline PGP inside of AES-CBC: what may stand unseen behind it makes it no proof against change"):
        body = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + foreign.base64_lines(clear)
        for more in (b"", b"\xff\xfe -!-"):  # no letters of base64: readers leave them out
            for cipher, warnings in (("-aes-256-cbc", [] if not more else ["not-protected-against-change"]),
                                     ("-aes-256-gcm", [])):
                variant, mail = found(work, work.encrypted(body + more, ALICE, cipher=cipher), PETER.address)
                assert signatures(variant) == [("good", PETER.address, True)], variant
                assert variant["warnings"] == warnings, (more, cipher, variant["warnings"])


def files(work, tap):
    with tap.case("a file, signed or encrypted without a word of what it is: attached, no byte of it is lost"):
        file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 9 + b"x" * 2000
        opaque = work.signed(file, "-nodetach").replace(b"smime.p7m", b"offer.pdf.p7m")
        for entity, who, name in (
                (opaque, SOFIA.address, "offer.pdf"),
                (work.encrypted(file, ALICE, cipher="-aes-256-gcm"), SOFIA.address, "smime"),
                (work.encrypted(work.signed(file, "-nodetach"), ALICE), SOFIA.address, "smime"),
                (work.pgp_encrypted(file, ALICE), PETER.address, None)):
            variant, mail = found(work, entity, who)
            part = parsed(mail)
            assert all(layer["result"] == "opened" for layer in variant["layers"]), variant
            assert part.get_content() == file and part.get_content_disposition() == "attachment", part
            assert part.get_content_type() == "application/octet-stream" and (part.get_filename() or None) == name
            assert max(map(len, mail.split(b"\r\n"))) < 998
    with tap.case("... a text stays one, in whatever charset"):
        for text in (b"Hallo\r\n", b"Gr\xfc\xdfe\r\n", "Grüße\r\n".encode(), b"\x1b$B4A;z\x1b(B\r\n"):
            _, mail = found(work, work.encrypted(work.signed(text, "-nodetach"), ALICE, cipher="-aes-256-gcm"))
            assert mail.endswith(b"\r\n\r\n" + text) and b"attachment" not in mail.split(b"\r\n\r\n")[0], mail


def asked(work, tap):
    with tap.case("a directory is asked for the sender's keys whether it opened, or not, or was for another"), \
            contextlib.closing(Listener()) as there:
        conf = work.sealpost.conf.read_text("utf-8")
        work.sealpost.set("ldap there", uri=there.url.replace("http", "ldap").removesuffix("/x"), starttls="false")
        counts = {}
        for cipher, at in (("-aes-256-cbc", -17), ("-aes-256-gcm", -1)):  # the padding's length; the tag
            signed = work.encrypted(work.signed(ENTITY), ALICE, cipher=cipher)
            head, body = signed.split(b"\r\n\r\n", 1)
            raw = bytearray(base64.b64decode(body))
            raw[at] ^= 0x80
            for name, entity, result in (
                    ("signed", signed, None), ("plain", work.encrypted(ENTITY, ALICE, cipher=cipher), None),
                    ("damaged", head + b"\r\n\r\n" + foreign.base64_lines(bytes(raw)), "damaged"),
                    ("no-key", work.encrypted(work.signed(ENTITY), SOFIA, cipher=cipher), "no-key")):
                before = there.count
                variant, _ = found(work, entity, "nobody@outside.example")
                assert layers(variant)[0][2] == result, (name, variant)
                counts[name + cipher] = there.count - before
        work.sealpost.conf.write_text(conf, "utf-8")
        assert len(set(counts.values())) == 1 and counts["signed-aes-256-cbc"] > 0, counts


def silent(work, tap):
    with tap.case("directories that take connections and say nothing hold no mail up that came in"), \
            contextlib.ExitStack() as stack:
        conf = work.sealpost.conf.read_text("utf-8")
        work.sealpost.set("gateway", message_time="12s")
        for name in ("one", "two", "three"):
            port = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            work.sealpost.set(f"ldap {name}", uri=f"ldap://127.0.0.1:{port}", starttls="false", timeout="5s")
        variant, mail = found(work, work.encrypted(ENTITY, ALICE), "nobody@outside.example")
        work.sealpost.conf.write_text(conf, "utf-8")
        assert layers(variant)[0][2] is None and TEXT in mail, variant


def main():
    tap, folder = Tap(), tempfile.mkdtemp(prefix="su-")
    try:
        work = incoming.Work(folder)
        for part in (insides, claims, relays, opaque, keys, remote, sources, files, asked, silent):
            part(work, tap)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


main()
