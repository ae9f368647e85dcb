# SPDX-License-Identifier: Apache-2.0
"""Certificates and keys, made when they are needed: a small CA with openssl, PGP keys with gpg."""
import os
import shutil
import tempfile
import time
from pathlib import Path

from .process import run

S_MIME = ("keyUsage=critical,digitalSignature,keyEncipherment\n"
          "extendedKeyUsage=emailProtection\n")
S_MIME_EC = S_MIME.replace("keyEncipherment", "keyAgreement")
SERVER = ("keyUsage=critical,digitalSignature\n"
          "extendedKeyUsage=serverAuth\n")


class Authority:
    """A root and an intermediate CA; certificates come from the intermediate, as in real life."""

    def __init__(self, folder, name="Demo"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root = self.folder / "root.pem"
        self.intermediate = self.folder / "intermediate.pem"
        extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
        self._make("root", f"/O=Sealpost demo/CN={name} Root CA", extensions, "rsa:2048", None)
        self._make("intermediate", f"/O=Sealpost demo/CN={name} Mail CA", extensions, "rsa:2048",
                   "root")

    def _make(self, name, subject, extensions, algorithm, issuer, days=365):
        key, cert = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        config = self.folder / f"{name}.cnf"
        config.write_text("[req]\nprompt=no\nstring_mask=utf8only\ndistinguished_name=dn\n[dn]\n[v3]\n"
                          f"{extensions}subjectKeyIdentifier=hash\n", "utf-8")
        if algorithm == "ec":
            new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        else:
            new = ["-newkey", algorithm]
        signer = []
        if issuer:
            signer = ["-CA", self.folder / f"{issuer}.pem", "-CAkey", self.folder / f"{issuer}.key"]
        run(["openssl", "req", "-x509", *new, "-noenc", "-keyout", key, "-out", cert, "-utf8",
             "-config", config, "-extensions", "v3", "-subj", subject, "-days", days, "-sha256",
             *signer])
        config.unlink()
        os.chmod(key, 0o600)
        return key, cert

    def person(self, name, address, algorithm="rsa:2048", days=365, usage=None):
        """(key file, certificate file) of a person; the address is in the rfc822Name."""
        usage = usage or (S_MIME_EC if algorithm == "ec" else S_MIME)
        return self._make(address.replace("/", "_"), f"/CN={name}",
                          f"{usage}basicConstraints=critical,CA:FALSE\nsubjectAltName=email:{address}\n",
                          algorithm, "intermediate", days)

    def expired(self, key, address):
        """Another certificate for that key, which ended yesterday."""
        cert = self.folder / f"{address}.old.pem"
        request = run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=x", "-addext",
                       f"subjectAltName=email:{address}"]).stdout
        run(["openssl", "x509", "-req", "-copy_extensions", "copyall", "-out", cert, "-days", "-1",
             "-CA", self.intermediate, "-CAkey", self.folder / "intermediate.key"], stdin=request)
        return cert

    def crl(self, revoked, name="crl", days=30, by="intermediate", only=""):
        """A PEM file in which the CA revokes the certificates in these files; days < 0: overdue; only: what it
        speaks of ("onlyCA=TRUE", RFC 5280 5.2.5), else of all."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "index").write_text("")
        config = folder / "ca.cnf"
        config.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/index\ndefault_md=sha256\n"
                          "crl_extensions=x\n[x]\nauthorityKeyIdentifier=keyid\n"
                          + (f"issuingDistributionPoint=critical,@only\n[only]\n{only}\n" if only else ""),
                          "utf-8")
        command = ["openssl", "ca", "-config", config, "-cert", self.folder / f"{by}.pem",
                   "-keyfile", self.folder / f"{by}.key"]
        for cert in revoked:
            run([*command, "-revoke", cert])
        start = time.gmtime(time.time() + min(0, days * 86400) - 60)
        end = time.gmtime(time.time() + days * 86400)
        run([*command, "-gencrl", "-out", folder / "crl.pem",
             "-crl_lastupdate", time.strftime("%Y%m%d%H%M%SZ", start),
             "-crl_nextupdate", time.strftime("%Y%m%d%H%M%SZ", end)])
        return folder / "crl.pem"

    def server(self, *hosts):
        """One PEM file with key and chain, for a TLS server with these names."""
        names = ",".join(f"DNS:{host}" for host in hosts)
        key, cert = self._make(f"server-{hosts[0]}", f"/CN={hosts[0]}",
                               f"{SERVER}subjectAltName={names}\n", "ec", "intermediate")
        both = self.folder / f"server-{hosts[0]}.chain.pem"
        both.touch(0o600)
        both.write_bytes(key.read_bytes() + cert.read_bytes() + self.intermediate.read_bytes())
        return both


class GnuPG:
    """A private GnuPG home with a short name (its agent's socket has to fit); close() ends it."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="spg-", dir="/tmp"))
        (self.home / "gpg.conf").write_text(
            "no-auto-key-locate\nno-auto-key-retrieve\ntrust-model always\nno-random-seed-file\n")

    def gpg(self, *args, stdin=None, check=True):
        return run(["gpg", "--homedir", self.home, "--batch", "--no-tty", "--yes",
                    "--pinentry-mode", "loopback", "--passphrase", "", *args],
                   stdin=stdin, check=check)

    def generate(self, user_id, expires="never"):
        """A signing key with an encryption subkey (Ed25519 and Curve25519)."""
        self.gpg("--quick-gen-key", user_id, "future-default", "default", expires)

    def export(self, address, secret=False):
        return self.gpg("--armor", "--export-secret-keys" if secret else "--export",
                        f"<{address}>").stdout

    def take(self, data):
        self.gpg("--import", stdin=data)

    def close(self):
        run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False)
        shutil.rmtree(self.home, ignore_errors=True)
