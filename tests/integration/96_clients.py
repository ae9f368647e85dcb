# SPDX-License-Identifier: Apache-2.0
"""Mail as the clients of others write it, from outside through Postfix to an employee: opened, the
right verdict, and the content as it was written. mutt is the real one; Thunderbird, Outlook and what
Exchange makes of PGP/MIME are built here as they are seen on the wire, with openssl and gpg."""
import base64
import contextlib
import email
import re
import smtplib
from importlib import import_module

import foreign
from lib import ALICE, script
from mutt import Mutt

from demo import people as cast
from demo.opening import entity_of, split
from demo.process import run
from demo.site import as_bytes

incoming = import_module("27_incoming")
XAVER = cast.Person("xaver@outside.example", "Xaver Äußerer", smime="rsa:2048", pgp=True)
POLICY = 'internal domains "firma.example"\noutgoing require smime, pgp\n'
TEXT = "Grüße aus der Ferne.\nA line that ends in blanks  \n-- \nFrom here on\n"


def delivered(site, content):
    """What Alice gets of a stranger's message."""
    site.empty_out()
    with smtplib.SMTP("127.0.0.1", site.smtp_port, source_address=("127.0.0.2", 0)) as smtp:
        smtp.sendmail(XAVER.address, [ALICE], content)
    copy, = site.arrived(1)
    return copy.content


def field(content, name):
    """All fields of that name, unfolded, in one text."""
    head = split(content)[0]
    found = re.findall(rb"(?mi)^" + name.encode() + rb":((?:.*\r\n[ \t])*.*)\r\n", head)
    return " ".join(b"\n".join(found).decode().split())


def check(content, technology, layers, signed=True):
    """What our fields say: these layers, opened, and the sender's signature or none."""
    details, results = field(content, "X-Sealpost-Incoming"), field(content, "Authentication-Results")
    assert re.findall(r"([a-z-]+) opened", details) == layers, details
    assert "shut" not in details, details
    assert (f"signature {technology} good signer={XAVER.address}" in details) == signed, details
    assert (f"{technology}=pass" in results) == signed, results


def texts(content):
    """The text parts as they are read, and all attachments."""
    mail = email.message_from_bytes(content)
    return [(part.get_content_type(), part.get_filename(),
             part.get_payload(decode=True).replace(b"\r\n", b"\n"))
            for part in mail.walk() if not part.is_multipart()
            and part.get_content_type() not in ("application/pkcs7-signature",
                                                "application/pgp-signature")]


def mutt(tap, site):
    layers = {("smime", True, False): ["smime-signed"], ("smime", False, True): ["smime-encrypted"],
              ("smime", True, True): ["smime-encrypted", "smime-signed"],
              ("pgp", True, False): ["pgp-signed"], ("pgp", False, True): ["pgp-encrypted"],
              ("pgp", True, True): ["pgp-encrypted"]}
    extra = site.folder / "zahlen.bin"
    extra.write_bytes(bytes(range(256)) * 20)
    with contextlib.closing(Mutt(site, XAVER, [cast.ALICE])) as client:
        for (technology, sign, encrypt), expected in layers.items():
            words = " and ".join(["signed"] * sign + ["encrypted"] * encrypt)
            with tap.case(f"mutt, {technology}, {words}"):
                other = "pgp" if technology == "smime" else "smime"
                settings = [f"crypt_auto{technology}=yes", f"crypt_auto{other}=no",
                            *["crypt_autosign"] * sign, *["crypt_autoencrypt"] * encrypt]
                sent = client.written(ALICE, "Grüße", TEXT, *settings, attach=[extra])
                content = delivered(site, sent)
                check(content, technology, expected, sign)
                (_, _, text), (_, name, data) = texts(content)
                assert text.decode() == TEXT and (name, data) == (extra.name, extra.read_bytes())
                if sign and not encrypt:
                    assert split(content)[1] == split(sent)[1], "a signed body was changed"


def autocrypt(site):
    key = run(["gpg", "--dearmor"], stdin=site.cabinet(XAVER, "public.asc").read_bytes()).stdout
    data = base64.encodebytes(key).decode().replace("\n", "\r\n ").rstrip()
    return f"Autocrypt: addr={XAVER.address}; prefer-encrypt=mutual; keydata=\r\n {data}\r\n"


def thunderbird_inner(site, subject):
    """multipart/mixed with protected headers, in it the text and the sender's key."""
    key = site.cabinet(XAVER, "public.asc").read_bytes().replace(b"\n", b"\r\n")
    attached = (b"Content-Type: application/pgp-keys; name=\"OpenPGP_0x1234.asc\"\r\n"
                b"Content-Disposition: attachment; filename=\"OpenPGP_0x1234.asc\"\r\n"
                b"Content-Description: OpenPGP public key\r\n"
                b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + key.replace(b"=", b"=3D"))
    text = foreign.multipart("multipart/mixed", "", [
        b"Content-Type: text/plain; charset=UTF-8; format=flowed\r\nContent-Transfer-Encoding: base64\r\n"
        b"\r\n" + base64.encodebytes(TEXT.replace("\n", "\r\n").encode()).replace(b"\n", b"\r\n"),
        attached], boundary="------------inner")
    inner = foreign.multipart("multipart/mixed", '; protected-headers="v1"', [text],
                              boundary="------------outer")
    head = f"From: {XAVER.address}\r\nTo: {ALICE}\r\nSubject: {subject}\r\n".encode()
    kind, rest = inner.split(b"\r\n", 1)
    return kind + b"\r\n" + head + rest


def thunderbird(tap, site):
    for sign in (True, False):
        with tap.case(f"Thunderbird, OpenPGP, encrypted{' and signed' * sign}: subject restored, key attached"):
            inner = thunderbird_inner(site, "Der wahre Betreff")
            sealed = foreign.gpg_encrypted(site, XAVER.address, [ALICE], inner, sign)
            content = delivered(site, foreign.mail(XAVER.address, [ALICE], sealed, "...",
                                                   autocrypt(site)))
            check(content, "pgp", ["pgp-encrypted"], sign)
            assert field(content, "Subject").endswith("Der wahre Betreff"), field(content, "Subject")
            assert split(content)[1] == split(inner)[1]
    for opaque in (False, True):
        with tap.case(f"Thunderbird, S/MIME, signed ({'opaque' if opaque else 'detached'}), then encrypted"):
            inner = foreign.entity(TEXT, "text/plain; charset=UTF-8; format=flowed")
            signed = foreign.openssl_signed(site, XAVER, inner, opaque)
            content = delivered(site, foreign.mail(XAVER.address, [ALICE],
                                                   foreign.openssl_encrypted(site, [ALICE], signed)))
            check(content, "smime", ["smime-encrypted",
                                     "smime-opaque-signed" if opaque else "smime-signed"])
            (_, _, text), = texts(content)
            assert text.decode() == TEXT
            assert inner in content or opaque and split(inner)[1] == split(content)[1]


def outlook(tap, site):
    tnef = incoming.tnef("IPM.Microsoft Mail.Note", (b"a.txt", b"attached"))
    inner = foreign.multipart("multipart/mixed", "", [
        foreign.entity(TEXT),
        b"Content-Type: application/ms-tnef; name=\"winmail.dat\"\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename=\"winmail.dat\"\r\n\r\n" +
        base64.encodebytes(tnef).replace(b"\n", b"\r\n")], boundary="----=_NextPart_000_0000_01DC")
    keys = [site.cabinet(XAVER, name) for name in ("cert.pem", "key.pem")]
    # -stream: BER with indefinite lengths, as Outlook writes it
    ber = run(["openssl", "cms", "-sign", "-binary", "-nodetach", "-stream", "-outform", "DER", "-signer",
               keys[0], "-inkey", keys[1], "-certfile", site.authority.intermediate], stdin=inner).stdout
    assert ber[:2] == b"\x30\x80"
    kinds = {"application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"": "as Outlook names it",
             "application/x-pkcs7-mime;\r\n\tname=\"smime.p7m\"": "the old type, no smime-type",
             "application/octet-stream; name=\"smime.p7m\"": "octet-stream"}
    for kind, what in kinds.items():
        entity = (f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "
                  "attachment; filename=\"smime.p7m\"\r\n\r\n").encode() + \
            base64.encodebytes(ber).replace(b"\n", b"\r\n")
        with tap.case(f"Outlook, opaque signature in BER, {what}; winmail.dat is left alone"):
            content = delivered(site, foreign.mail(XAVER.address, [ALICE], entity,
                                                   extra="Thread-Index: AdxYz==\r\n"))
            check(content, "smime", ["smime-opaque-signed"])
            assert "tnef" not in field(content, "X-Sealpost-Incoming")
            assert entity_of(content).endswith(split(inner)[1]), content
            assert texts(content)[1][1:] == ("winmail.dat", tnef)
    with tap.case("Outlook, a document that is called contract.p7m stays a document"):
        entity = foreign.entity(TEXT).replace(b"text/plain", b"application/octet-stream; name=contract.p7m;")
        content = delivered(site, foreign.mail(XAVER.address, [ALICE], entity))
        assert entity_of(content) == entity and not field(content, "X-Sealpost-Incoming")


def exchange(tap, site):
    inner = foreign.entity(TEXT)
    sealed = foreign.gpg_encrypted(site, XAVER.address, [ALICE], inner)
    version, data = email.message_from_bytes(sealed).get_payload()
    armour = as_bytes(data.get_payload())
    assert b"Version: 1" in as_bytes(version.get_payload())
    parts = [b"Content-Type: application/pgp-encrypted; name=\"ATT00001.dat\"\r\n"
             b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;"
             b" filename=\"ATT00001.dat\"\r\n\r\n" + base64.b64encode(b"Version: 1\r\n") + b"\r\n",
             b"Content-Type: application/octet-stream; name=\"noname\"\r\n"
             b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;"
             b" filename=\"noname\"\r\n\r\n" + base64.encodebytes(armour).replace(b"\n", b"\r\n")]
    empty = b"Content-Type: text/plain; charset=\"us-ascii\"\r\n\r\n\r\n"
    for what, all_parts in (("two parts", parts), ("an empty text in front", [empty, *parts])):
        with tap.case(f"Exchange has made multipart/mixed of PGP/MIME, {what}"):
            mangled = foreign.multipart("multipart/mixed", "", all_parts, boundary="_003_MANGLED_")
            content = delivered(site, foreign.mail(XAVER.address, [ALICE], mangled))
            check(content, "pgp", ["pgp-encrypted"])
            assert entity_of(content) == inner, content
    with tap.case("Exchange has put S/MIME into a winmail.dat (TNEF)"):
        signed = foreign.openssl_signed(site, XAVER, inner, opaque=True)
        sealed = split(foreign.openssl_encrypted(site, [ALICE], signed))[1]
        wrapped = incoming.winmail(incoming.tnef("IPM.Note.SMIME", (b"smime.p7m", base64.b64decode(sealed))))
        content = delivered(site, foreign.mail(XAVER.address, [ALICE], wrapped))
        check(content, "smime", ["tnef", "smime-encrypted", "smime-opaque-signed"])
        assert entity_of(content) == inner, content


SETTINGS = {"sealpost": {"trusted_networks": "127.0.0.1/32"}}
with script() as tap, tap.site(people=(cast.ALICE, XAVER), policy=POLICY, settings=SETTINGS,
                               portal=False) as site:
    for part in (mutt, thunderbird, outlook, exchange):
        part(tap, site)
