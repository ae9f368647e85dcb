# SPDX-License-Identifier: Apache-2.0
"""The demo's round: one message on each way, then one to everybody; each copy that left is opened
by other programs and shown. What left otherwise than it should counts as a failure."""
import re
from email.utils import formataddr

from . import people as cast
from .opening import Opener
from .process import Failed
from .site import as_bytes, message

TEXT = "Liebe Grüße aus der Demo.\nThe meeting is at ten.\n"
SECRET = "The meeting is at ten."
# Whom the play has, the way that each must get, and the layers that must be found.
WAYS = ((cast.SOFIA, "smime", ["smime-encrypted", "smime-signed"]),
        (cast.PETER, "pgp", ["pgp-encrypted+signed"]),
        (cast.VERA, "verified-tls", []),
        (cast.OTTO, "portal", []))


def structure(opened):
    """The layers and what is in them, in one line."""
    return " > ".join(opened.layers + [outline(opened.mail)])


def outline(mail):
    kind = mail.get_content_type()
    if mail.is_multipart():
        return f"{kind}[{', '.join(outline(part) for part in mail.iter_parts())}]"
    name = mail.get_filename()
    return f"{kind} \"{name}\"" if name else kind


def text_of(mail):
    body = mail.get_body(("plain",))
    return body.get_content() if body else ""


def portal_link(mail, portal_url):
    """The link in a notice."""
    found = re.search(re.escape(portal_url) + r"/[^\s<>\"']+", text_of(mail))
    if not found:
        raise Failed("the notice has no link to the portal")
    return found.group(0)


def portal_code(mail):
    """What the notice wants to be typed with its link; None for who has an account."""
    found = re.search(r"code: (\d{3} \d{3})\s", text_of(mail), re.IGNORECASE)
    return found and found.group(1)


class Round:
    def __init__(self, site, say):
        self._site, self._say = site, say
        self.failures = []

    def run(self):
        sender = formataddr((cast.ALICE.name, cast.ALICE.address))
        number = 0
        for group in ([way] for way in WAYS):
            number += 1
            self._send(number, sender, group)
        self._send(number + 1, sender, WAYS)
        return not self.failures

    def _send(self, number, sender, ways):
        addresses = [person.address for person, _, _ in ways]
        mail = message(sender, ", ".join(addresses), f"Grüße {number}", TEXT)
        mail.add_attachment("1;2;3\n", subtype="csv", filename="Zahlen für März.csv")
        content = as_bytes(mail)
        self._say(f"\nMessage {number}: {cast.ALICE.address} to {', '.join(addresses)}")
        before = len(self._site.outbox.copies())
        reasons, _ = self._site.sealpost.explain(cast.ALICE.address, addresses, content)
        self._site.submit(cast.ALICE.address, addresses, content)
        copies = self._site.arrived(before + len(ways))[before:]
        for person, way, layers in ways:
            try:
                self._show(person, way, layers, copies, reasons)
            except (Failed, KeyError, IndexError, ValueError) as error:
                self.failures.append(person.address)
                self._say(f"  {person.address}: NOT AS IT SHOULD BE: {error}")

    def _show(self, person, way, layers, copies, reasons):
        mine = [copy for copy in copies if person.address in copy.recipients]
        if len(mine) != 1 or mine[0].recipients != [person.address]:
            raise Failed(f"{len(mine)} copies")
        copy = mine[0]
        with Opener(self._site.cabinet, person.address, [cast.ALICE.address]) as opener:
            opened = opener.open(copy.content)
        self._check(way, layers, copy, opened)
        reason = next(r for r in reasons["recipients"] if r["address"] == person.address)
        if reason["way"] != way:
            raise Failed(f"explain says {reason['way']}")
        self._say(f"  {person.address}: {way}")
        self._say(f"    structure  {structure(opened)}")
        self._say(f"    key        {self._key(way, reason, opened)}")
        rule = reason["rule"]
        self._say(f"    rule       {rule['file']}:{rule['line']}: {rule['text']}")
        self._say(f"    transport  {self._transport(reason, copy)}")
        if way == "portal":
            self._say(f"    link       {portal_link(opened.mail, self._site.sealpost.portal_url)}")
            self._say(f"    code       {portal_code(opened.mail) or 'none: has an account'}")
        self._say(f"    file       {copy.path}")

    def _check(self, way, layers, copy, opened):
        if opened.layers != layers:
            raise Failed(f"layers {opened.layers} instead of {layers}")
        if layers and (SECRET.encode() in copy.content or opened.signers != [cast.ALICE.address]):
            raise Failed(f"signed by {opened.signers}, or not encrypted")
        if way == "portal":
            link = portal_link(opened.mail, self._site.sealpost.portal_url)
            page = self._site.sealpost.get(link)
            if SECRET.encode() in copy.content or SECRET in text_of(opened.mail) or SECRET in page:
                raise Failed("the notice, or its page before any log-in, tells the content")
        elif text_of(opened.mail).splitlines() != TEXT.splitlines():
            raise Failed("another text than was sent")
        if way == "verified-tls" and not copy.facts["tls"]:
            raise Failed("it left without TLS")

    @staticmethod
    def _key(way, reason, opened):
        if not opened.layers:
            return "none: sealed for the link in the notice" if way == "portal" else "none"
        used = next(key for key in reason["keys"] if key["type"] == way and key["usable"])
        return f"{used['id'][:16]}… from {used['source']}; signed by {', '.join(opened.signers)}"

    @staticmethod
    def _transport(reason, copy):
        used = copy.facts["tls"] or "no TLS"
        return f"{reason['transport']}; {copy.facts['server']} got it with {used}"
