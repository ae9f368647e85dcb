# SPDX-License-Identifier: Apache-2.0
"""All that the daemons log in a run that goes well and badly, at the most talkative level, holds no
subject, text, file name, password, token or link; and with hash_addresses no address."""
import contextlib
import re
import signal
import smtplib
import types
import urllib.parse

import foreign
from lib import ALICE, BOSS, opened_by, refused, script, stranger
from portal_lib import Visitor

from demo import people as cast
from demo.process import wait_for
from demo.round import portal_code, portal_link
from demo.site import as_bytes, message

SUBJECT, TEXT = "Gehaltserhöhung Betreffwort", "Geheimtext Pflaumenkuchen"
FILE_NAME, FILE = "Vertragsentwurf-Quitte.bin", b"Anhangsinhalt Mispel" * 9
PASSWORD, WRONG = "Pferd Klammer Batterie", "falsches Kennwort Schlehe"
POLICY = """\
internal domains "firma.example"
outgoing subject has "[no]"  reject "Ablehnung mit Text"
outgoing                     require smime, pgp, verified tls, portal
incoming to "boss@firma.example" require smime or pgp
"""
# Words of ours that stand where content could: a rule's text is the administrator's, not the mail's.
CONTENT = ("Betreffwort", "Gehaltserh", "Pflaumenkuchen", "Quitte", "Mispel", "Klammer", "Schlehe",
           "Aufschrift", "Umschlagtext")


def mail(sender, *to, subject=SUBJECT):
    made = message(sender, ", ".join(to), subject, TEXT + "\n")
    made.add_attachment(FILE, "application", "octet-stream", filename=FILE_NAME)
    return made


def outgoing(site):
    """Each way, all at once, refused, nonsense. Gives link and code of the portal's notice."""
    site.submit(ALICE, cast.OTTO.address, mail(ALICE, cast.OTTO.address))
    notice = opened_by(site, cast.OTTO, site.arrived(1)[0]).mail
    outside = [cast.SOFIA.address, cast.PETER.address, cast.VERA.address]
    for to in [[address] for address in outside] + [[*outside, cast.OTTO.address]]:
        site.submit(ALICE, to, mail(ALICE, *to))
    refused(site.submit, ALICE, outside[0], mail(ALICE, outside[0], subject="[no] Betreffwort"))
    for broken in (b"multipart/mixed; boundary=Umschlagtext\n\nPflaumenkuchen",
                   b"application/pkcs7-mime; name=Quitte.p7m\n\nPflaumenkuchen",
                   b"text/plain; charset=Umschlagtext\nContent-Transfer-Encoding: Mispel\n\nx"):
        head = (f"From: {ALICE}\nTo: {outside[0]}\nSubject: {SUBJECT}\nMIME-Version: 1.0\n"
                "Content-Type: ").encode()
        with contextlib.suppress(smtplib.SMTPException):
            site.submit(ALICE, outside[0], head + broken)
    return portal_link(notice, site.sealpost.portal_url), portal_code(notice)


def from_outside(site, recipient, content):
    with stranger(site) as smtp:
        smtp.sendmail(cast.SOFIA.address, recipient, as_bytes(content))


def incoming(site):
    """Opened, with keys to learn; not for us; damaged; plain; refused by rule."""
    entity = foreign.entity(TEXT + "\n")
    signed = foreign.openssl_signed(site, cast.SOFIA.address, entity)
    sealed = foreign.openssl_encrypted(site, [ALICE], signed)
    other = foreign.openssl_encrypted(site, [cast.SOFIA.address], signed)
    pgp = foreign.gpg_encrypted(site, cast.PETER.address, [ALICE], entity)
    for inner in (sealed, other, sealed[:len(sealed) // 2], signed, entity, pgp, pgp[:-300]):
        content = foreign.mail(f'"Aufschrift" <{cast.SOFIA.address}>', [ALICE], inner, "Betreffwort")
        from_outside(site, ALICE, content)
    refused(from_outside, site, BOSS, content)


def failures(site):
    """The directory gone, a broken policy, a store that cannot be read."""
    site.slapd.stop()
    refused(site.submit, ALICE, "unbekannt@smime.example", mail(ALICE, "unbekannt@smime.example"))
    site.slapd.start()
    site.sealpost.set_policy(POLICY + 'outgoing to "x" frobnicate\n')
    site.sealpost.gateway.signal(signal.SIGHUP)
    wait_for(lambda: "reload refused" in logs(site)["gateway.log"], 60, "the refusal")
    site.sealpost.set_policy(POLICY)


def at_the_portal(site, link, code):
    """First visit, wrong and right passwords, reading, downloads, forged requests. The secrets."""
    port = urllib.parse.urlsplit(site.sealpost.portal_url).port
    path = urllib.parse.urlsplit(link).path
    otto = Visitor(types.SimpleNamespace(port=port, tls=site.sealpost.tls, codes={path: code}))
    otto.get(path + "?Umschlagtext")
    secrets = [path.rsplit("/", 1)[-1], otto.cookie.split("=", 1)[1], otto.last.field("csrf")]
    otto.post(path, password=WRONG, repeated=PASSWORD)
    otto.open_link(path, PASSWORD)
    number = re.search(r"/message/[\w-]+", otto.get("/").text).group(0)
    page = otto.get(number).text
    assert "Pflaumenkuchen" in page and "Quitte" in page
    assert FILE in otto.get(re.search(rf"{number}/part/[\d.]+", page).group(0)).body
    otto.get(number + "/mail")
    otto.get("/Umschlagtext")
    otto.post("/login", csrf="Umschlagtext", address=cast.OTTO.address, password=WRONG)
    otto.get("/login")
    otto.post("/login", address=cast.OTTO.address, password=WRONG)
    otto.log_in(PASSWORD, cast.OTTO.address)
    return [*secrets, otto.cookie.split("=", 1)[1]]


def logs(site):
    return {name: (site.log / name).read_text("utf-8", "replace")
            for name in ("gateway.log", "portal.log")}


def found(site, words):
    """Places in the logs."""
    return [(name, word, line) for name, text in logs(site).items() for word in words
            for line in text.splitlines() if word.lower() in line.lower()]


with script() as tap, tap.site(policy=POLICY, settings={
        "sealpost": {"log_level": "debug", "hash_addresses": "true"}}) as site:
    secrets = []
    with tap.case("a run with much that may happen"):
        link, code = outgoing(site)
        incoming(site)
        failures(site)
        secrets += at_the_portal(site, link, code)
        text = logs(site)
        for word in ("way=smime", "way=pgp", "way=portal", "way=verified-tls", "way=opened",
                     "result=reject", "result=defer", "reload refused"):
            assert word in text["gateway.log"], word
        for way, key in (("smime", "[0-9a-f]{64}"), ("pgp", "[0-9A-F]{40}")):  # the key that was chosen
            assert re.search(rf" way={way} .* key={key} ", text["gateway.log"]), way
        for word in ("link-open", "login-check", "download", "403"):
            assert word in text["portal.log"], word

    with tap.case("no subject, text, file name, password, token or link in any log"):
        bad = found(site, [*CONTENT, *secrets])
        assert not bad, bad

    with tap.case("addresses are hashed: none stands there, one is the same each time"):
        people = {*(person.address for person in cast.CAST), "unbekannt@smime.example", BOSS}
        bad = found(site, [*people, *(address.split("@")[0] + "@" for address in people)])
        assert not bad, bad
        hashes = set(re.findall(r" from=<([^>]*)> client=", logs(site)["gateway.log"]))
        assert 2 <= len(hashes) <= 4, hashes  # alice, sofia; the null sender is empty
