# SPDX-License-Identifier: Apache-2.0
"""What arrived, opened by other programs than ours: openssl and gpg, as the people outside have them.

A copy is taken apart layer by layer: each layer is named, opened with the person's own key, and
what was inside goes on. No trust in anything the gateway says about it.
"""
import email
import email.policy
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from .pki import GnuPG
from .process import Failed, run

LAYERS_MAX = 6


@dataclass
class Opened:
    layers: list = field(default_factory=list)   # "smime-encrypted", "smime-signed", "pgp-encrypted+signed"
    signers: list = field(default_factory=list)  # addresses, as certificate or user ID say
    keys: list = field(default_factory=list)     # whose keys it is encrypted to: serials, key ids
    entity: bytes = b""                          # the MIME entity in the middle

    @property
    def mail(self):
        return email.message_from_bytes(self.entity, policy=email.policy.default)


def split(content):
    """(header block, body) of a message or entity."""
    if content.startswith(b"\r\n"):
        return b"", content[2:]
    head, _, body = content.partition(b"\r\n\r\n")
    return head + b"\r\n", body


def entity_of(content):
    """The MIME entity of a message: its content header fields and its body."""
    head, body = split(content)
    fields = re.split(rb"\r\n(?![ \t])", head.rstrip(b"\r\n"))
    kept = [f for f in fields if f.lower().startswith(b"content-")]
    return b"".join(f + b"\r\n" for f in kept) + b"\r\n" + body


HP_MARK = re.compile(rb';\r\n hp="(?:cipher|clear)"; protected-headers="v1"')


def fields_of(content):
    """The header fields, folded as they are, in order: [(name, the whole field)]."""
    fields = re.split(rb"\r\n(?![ \t])", split(content)[0].rstrip(b"\r\n"))
    return [(f.partition(b":")[0].decode("latin-1"), f) for f in fields if f]


def unprotected(entity):
    """An entity that Sealpost protected, as its writer made it: without the header fields that
    RFC 9788 puts in front, and without its mark on Content-Type."""
    return HP_MARK.sub(b"", entity_of(entity), count=1)


def _kind(entity):
    mail = email.message_from_bytes(split(entity)[0], policy=email.policy.default)
    kind, protocol = mail.get_content_type(), (mail.get_param("protocol") or "").lower()
    if kind in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        return "smime-opaque-signed" if mail.get_param("smime-type") == "signed-data" \
            else "smime-encrypted"
    if kind == "multipart/signed":
        return "pgp-signed" if "pgp" in protocol else "smime-signed"
    if kind == "multipart/encrypted" and "pgp" in protocol:
        return "pgp-encrypted"
    return None


class Opener:
    """Opens with the keys of one person out of the cabinet; signatures are checked against the CA
    and against the PGP keys of `senders`."""

    def __init__(self, cabinet, address, senders=()):
        self._cabinet, self._address = cabinet, address
        self._root = cabinet.authority.root
        self._gnupg = None
        self._senders = senders

    def close(self):
        if self._gnupg:
            self._gnupg.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def open(self, content, layers=None):
        """Failed if a layer does not open or a signature does not hold. layers: look no deeper
        (what is inside may only look like one)."""
        opened = Opened(entity=entity_of(content))
        for _ in range(LAYERS_MAX):
            kind = _kind(opened.entity)
            if kind is None or len(opened.layers) == layers:
                return opened
            opened.layers.append(kind)
            getattr(self, "_" + kind.replace("-", "_"))(opened)
        raise Failed(f"more than {LAYERS_MAX} layers")

    def _smime_encrypted(self, opened):
        key, cert = (self._cabinet(self._address, name) for name in ("key.pem", "cert.pem"))
        printed = run(["openssl", "cms", "-cmsout", "-print", "-noout"], stdin=opened.entity).stdout
        opened.keys += re.findall(r"serialNumber: (\S+)", printed.decode("utf-8", "replace"))
        # -debug_decrypt: a wrong key is an error instead of random bytes
        opened.entity = run(["openssl", "cms", "-decrypt", "-binary", "-debug_decrypt",
                             "-recip", cert, "-inkey", key], stdin=opened.entity).stdout

    def _smime_signed(self, opened):
        with tempfile.TemporaryDirectory() as folder:
            signer = Path(folder) / "signer.pem"
            opened.entity = run(["openssl", "cms", "-verify", "-CAfile", self._root,
                                 "-purpose", "smimesign", "-signer", signer],
                                stdin=opened.entity).stdout
            addresses = run(["openssl", "x509", "-noout", "-email", "-in", signer]).stdout
        opened.signers += addresses.decode().split()

    _smime_opaque_signed = _smime_signed

    def _home(self):
        if self._gnupg is None:
            self._gnupg = GnuPG()
            for address in {self._address, *self._senders}:
                for name in ("public.asc", "secret.asc"):
                    path = self._cabinet(address, name)
                    if path.exists() and (name == "public.asc" or address == self._address):
                        self._gnupg.take(path.read_bytes())
        return self._gnupg

    def _parts(self, entity):
        return email.message_from_bytes(entity, policy=email.policy.compat32).get_payload()

    def _status(self, opened, status):
        text = status.decode("utf-8", "replace")
        opened.keys += re.findall(r"ENC_TO ([0-9A-F]+)", text)
        for line in re.findall(r"GOODSIG [0-9A-F]+ (.*)", text):
            opened.signers += re.findall(r"<([^>]+)>", line)
        if re.search(r"\[GNUPG:\] (BADSIG|ERRSIG|DECRYPTION_FAILED)", text):
            raise Failed(f"gpg: {text}")

    def _pgp_encrypted(self, opened):
        version, data = self._parts(opened.entity)
        if b"Version: 1" not in version.get_payload(decode=True):
            raise Failed("multipart/encrypted without its Version: 1")
        with tempfile.TemporaryDirectory() as folder:
            status = Path(folder) / "status"
            opened.entity = self._home().gpg("--status-file", status, "--decrypt",
                                             stdin=data.get_payload(decode=True)).stdout
            words = status.read_bytes()
        if b"GOODMDC" not in words:
            raise Failed("encrypted without integrity protection")
        if b"GOODSIG" in words:
            opened.layers[-1] += "+signed"
        self._status(opened, words)

    def _pgp_signed(self, opened):
        boundary = email.message_from_bytes(opened.entity).get_boundary().encode()
        pieces = re.split(rb"\r?\n?--" + re.escape(boundary) + rb"(?:--)?[ \t]*\r?\n?", split(
            opened.entity)[1])
        signed, signature = pieces[1], email.message_from_bytes(pieces[2]).get_payload(decode=True)
        with tempfile.TemporaryDirectory() as folder:
            paths = {name: Path(folder) / name for name in ("status", "data", "sig")}
            paths["data"].write_bytes(signed)
            paths["sig"].write_bytes(signature)
            self._home().gpg("--status-file", paths["status"], "--verify", paths["sig"],
                             paths["data"])
            self._status(opened, paths["status"].read_bytes())
        opened.entity = signed
