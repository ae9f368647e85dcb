# SPDX-License-Identifier: Apache-2.0
"""Who is in the play: employees of firma.example and the people outside whom they write to."""
import os
from dataclasses import dataclass
from pathlib import Path

from .pki import GnuPG
from .process import run

INTERNAL = "firma.example"


@dataclass(frozen=True)
class Person:
    address: str
    name: str
    smime: str = ""       # kind of key, as pki.Authority.person takes it
    pgp: bool = False
    where: str = "store"  # outside people: where the gateway finds their key: store, ldap

    @property
    def internal(self):
        return self.address.endswith("@" + INTERNAL)

    @property
    def user_id(self):
        return f"{self.name} <{self.address}>"


ALICE = Person("alice@firma.example", "Alice Ährenfeld", smime="rsa:3072", pgp=True)
BOSS = Person("boss@firma.example", "Berta Boss", smime="rsa:2048", pgp=True)
CARL = Person("carl@firma.example", "Carl Keyless")
SOFIA = Person("sofia@smime.example", "Sofía Smith", smime="rsa:2048", where="ldap")
PETER = Person("peter@pgp.example", "Peter Pütz", pgp=True)
VERA = Person("vera@tls.example", "Vera Tilse")
OTTO = Person("otto@web.example", "Otto Web")

CAST = (ALICE, BOSS, CARL, SOFIA, PETER, VERA, OTTO)


class Cabinet:
    """PEOPLE: one folder per address with what that person has: key.pem and cert.pem, secret.asc.

    public.asc lies there too, as what the person gives away.
    """

    def __init__(self, folder, authority):
        self.folder, self.authority = Path(folder), authority
        self.folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, person_or_address, name):
        address = getattr(person_or_address, "address", person_or_address)
        return self.folder / address / name

    def key_id(self, person):
        """The name that this person's key has in a message encrypted to it, as opening.Opened.keys
        has it: the certificate's serial number, or the encryption subkey's id."""
        if person.smime:
            serial = run(["openssl", "x509", "-noout", "-serial", "-in", self(person, "cert.pem")])
            return "0x" + serial.stdout.decode().strip().split("=")[1]
        listed = run(["gpg", "--batch", "--with-colons", "--show-keys", self(person, "public.asc")])
        return next(line.split(":")[4] for line in listed.stdout.decode().splitlines()
                    if line.startswith("sub:"))

    def furnish(self, people):
        for person in people:
            (self.folder / person.address).mkdir(exist_ok=True)
            if person.smime:
                self._smime(person)
        with_pgp = [person for person in people if person.pgp]
        if with_pgp:
            self._pgp(with_pgp)

    def _smime(self, person):
        key, cert = self.authority.person(person.name, person.address, person.smime)
        os.rename(key, self(person, "key.pem"))
        os.rename(cert, self(person, "cert.pem"))

    def _pgp(self, people):
        gnupg = GnuPG()
        try:
            for person in people:
                gnupg.generate(person.user_id)
                secret = self(person, "secret.asc")
                secret.touch(0o600)
                secret.write_bytes(gnupg.export(person.address, secret=True))
                self(person, "public.asc").write_bytes(gnupg.export(person.address))
        finally:
            gnupg.close()
