# SPDX-License-Identifier: Apache-2.0
"""Mail as other people's programs make it: openssl, gpgsm, gpg and sq, with the keys of PEOPLE.

Each function takes a MIME entity (bytes, CRLF) and gives an entity again; mail() puts the header
of a message in front.
"""
import base64
import email
import shutil
import tempfile
from email.utils import formatdate, make_msgid
from pathlib import Path

from lib import SRC  # noqa: F401  (puts the demo's folder on the path)

from demo.pki import GnuPG
from demo.process import Failed, run


def entity(text, kind="text/plain; charset=utf-8"):
    data = text.encode("utf-8").replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode() + data


def mail(sender, recipients, inner, subject="x", extra=""):
    head = (f"From: {sender}\r\nTo: {', '.join(recipients)}\r\nSubject: {subject}\r\n"
            f"Date: {formatdate()}\r\nMessage-ID: {make_msgid(domain='outside.example')}\r\n"
            f"{extra}")
    mime = b"" if b"MIME-Version:" in inner.split(b"\r\n\r\n")[0] else b"MIME-Version: 1.0\r\n"
    return head.encode("utf-8") + mime + inner


def _crlf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def multipart(kind, parameters, parts, boundary="=_foreign"):
    """parts: entities (bytes)."""
    head = f'Content-Type: {kind}; boundary="{boundary}"{parameters}\r\n\r\n'.encode()
    mark = f"--{boundary}".encode()
    return head + b"".join(mark + b"\r\n" + p + b"\r\n" for p in parts) + mark + b"--\r\n"


def unbase64(body):
    return base64.b64decode(body)


def base64_lines(data):
    return _crlf(base64.encodebytes(data))


# S/MIME by openssl

def openssl_signed(site, sender, inner, opaque=False):
    keys = [site.cabinet(sender, name) for name in ("cert.pem", "key.pem")]
    return _crlf(run(["openssl", "cms", "-sign", "-binary", "-signer", keys[0], "-inkey", keys[1],
                      "-certfile", site.authority.intermediate,
                      *(["-nodetach"] if opaque else [])], stdin=inner).stdout)


def openssl_encrypted(site, recipients, inner, *options):
    certs = [site.cabinet(recipient, "cert.pem") for recipient in recipients]
    return _crlf(run(["openssl", "cms", "-encrypt", "-binary", *(options or ["-aes256"]), *certs],
                     stdin=inner).stdout)


# S/MIME by gpgsm

class Gpgsm:
    """A gpgsm home with one person's key and everybody's certificates."""

    def __init__(self, site, owner, others):
        self.home = Path(tempfile.mkdtemp(prefix="spm-", dir="/tmp"))
        roots = [site.authority.root, site.authority.intermediate]
        fingerprint = run(["openssl", "x509", "-noout", "-fingerprint", "-sha1", "-in", roots[0]])
        mark = fingerprint.stdout.decode().strip().split("=")[1]
        (self.home / "trustlist.txt").write_text(f"{mark} S relax\n")
        (self.home / "gpgsm.conf").write_text("disable-crl-checks\ndisable-dirmngr\n")
        (self.home / "gpg-agent.conf").write_text("allow-loopback-pinentry\n")
        certs = roots + [site.cabinet(person, "cert.pem") for person in others]
        self.run("--import", *certs)
        self._take_key(site, owner)

    def _take_key(self, site, owner):
        """gpgsm 2.2 derives a wrong key from one PKCS#12 salt in eighty and says that the
        passphrase is wrong: where it does not take a bundle, it gets another one."""
        for again in reversed(range(5)):
            bundle = run(["openssl", "pkcs12", "-export", "-passout", "pass:x", "-macalg", "sha1",
                          "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES",
                          "-inkey", site.cabinet(owner, "key.pem"),
                          "-in", site.cabinet(owner, "cert.pem")]).stdout
            try:
                self.run("--pinentry-mode", "loopback", "--passphrase-fd", "0", "--import",
                         self._file(bundle), stdin=b"x\n")
                return
            except Failed:
                if not again:
                    raise

    def _file(self, data):
        path = self.home / "bundle.p12"
        path.write_bytes(data)
        return path

    def run(self, *words, stdin=None):
        return run(["gpgsm", "--homedir", self.home, "--batch", "--no-tty", "--yes", *words],
                   stdin=stdin).stdout

    def signed_and_encrypted(self, sender, recipients, inner):
        signature = self.run("--pinentry-mode", "loopback", "--passphrase-fd", "0", "--detach-sign",
                             "--base64", "--local-user", f"<{sender}>", self._inner(inner),
                             stdin=b"x\n")
        part = (b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n" + _crlf(signature))
        both = multipart("multipart/signed", '; micalg=sha-256;\r\n'
                         ' protocol="application/pkcs7-signature"', [inner, part])
        to = [word for recipient in recipients for word in ("--recipient", f"<{recipient}>")]
        sealed = self.run("--encrypt", "--base64", *to, stdin=both)
        return (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
                b"Content-Transfer-Encoding: base64\r\n\r\n" + _crlf(sealed))

    def opened(self, sealed):
        """Decrypts the body of a pkcs7-mime entity and verifies the multipart/signed inside; gives
        the signed part. Failed if either does not hold."""
        both = self.run("--pinentry-mode", "loopback", "--passphrase-fd", "0", "--assume-base64",
                        "--decrypt", self._inner(sealed), stdin=b"x\n")
        boundary = email.message_from_bytes(both).get_boundary().encode()
        pieces = both.split(b"\r\n--" + boundary)
        signed = pieces[1].split(b"\r\n", 1)[1]
        signature = self.home / "signature"
        signature.write_bytes(pieces[2].split(b"\r\n\r\n", 1)[1])
        self.run("--assume-base64", "--verify", signature, self._inner(signed))
        return signed

    def _inner(self, inner):
        path = self.home / "inner"
        path.write_bytes(inner)
        return path

    def close(self):
        run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False)
        shutil.rmtree(self.home, ignore_errors=True)


# PGP/MIME by gpg and sq

def pgp_mime(armour):
    return multipart("multipart/encrypted", ';\r\n protocol="application/pgp-encrypted"', [
        b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n",
        b"Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\n" + _crlf(armour)])


def gpg_encrypted(site, sender, recipients, inner, sign=True):
    gnupg = GnuPG()
    try:
        gnupg.take(site.cabinet(sender, "secret.asc").read_bytes())
        for recipient in recipients:
            gnupg.take(site.cabinet(recipient, "public.asc").read_bytes())
        to = [word for recipient in recipients for word in ("--recipient", f"<{recipient}>")]
        how = ["--sign", "--local-user", f"<{sender}>"] if sign else []
        return pgp_mime(gnupg.gpg("--armor", *how, "--encrypt", *to, stdin=inner).stdout)
    finally:
        gnupg.close()


def gpg_signed(site, sender, inner):
    gnupg = GnuPG()
    try:
        gnupg.take(site.cabinet(sender, "secret.asc").read_bytes())
        signature = gnupg.gpg("--armor", "--detach-sign", "--digest-algo", "SHA256", stdin=inner).stdout
    finally:
        gnupg.close()
    return multipart("multipart/signed", '; micalg=pgp-sha256;\r\n'
                     ' protocol="application/pgp-signature"', [
                         inner, b"Content-Type: application/pgp-signature\r\n\r\n" + _crlf(signature)])


def sq_encrypted(site, sender, recipients, inner):
    to = [word for recipient in recipients
          for word in ("--recipient-cert", site.cabinet(recipient, "public.asc"))]
    return pgp_mime(run(["sq", "encrypt", "--signer-key", site.cabinet(sender, "secret.asc"), *to],
                        stdin=inner).stdout)


def sq_opened(site, recipient, sender, armour):
    """Failed unless it decrypts and the sender's signature is good."""
    return run(["sq", "decrypt", "--recipient-key", site.cabinet(recipient, "secret.asc"),
                "--signer-cert", site.cabinet(sender, "public.asc"), "--signatures", "1"],
               stdin=armour).stdout
