# SPDX-License-Identifier: Apache-2.0
"""What the reader is told of mail that came in through a real Postfix: tags in the Subject, fields on
top, and nothing of it forged by others."""
import base64
import email
import email.policy
import re
import resource
import signal
from email.header import Header

from foreign import (entity, gpg_encrypted, gpg_signed, mail, multipart, openssl_encrypted, openssl_signed,
                     sq_encrypted)
from lib import ALICE, BOSS, copy_for, refused, script, stranger

from demo import people as cast
from demo.pki import Authority, GnuPG
from demo.process import run, wait_for
from demo.site import as_bytes

POLICY = 'internal domains "firma.example"\noutgoing require smime, pgp\n'
SOFIA, PETER, EVE = cast.SOFIA.address, cast.PETER.address, "eve@elsewhere.example"
TEXT = entity("Grüße\r\n")
TAGS = {"subject_tags": "encrypted, signed, warning", "subject_language": "de"}
NAME = "gw.firma.example"


def from_outside(site, recipients, content, sender=SOFIA):
    """The one copy that arrives of what a client at another address sends."""
    site.empty_out()
    with stranger(site) as smtp:
        smtp.sendmail(sender, recipients, as_bytes(content))
    return site.arrived_for(len(recipients))


def told(site, content, sender=SOFIA):
    return Told(from_outside(site, [ALICE], content, sender)[0].content)


def crlf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class Told:
    """A delivered message as Python's parser sees it."""

    def __init__(self, content):
        self.content = content
        self.mail = email.message_from_bytes(content, policy=email.policy.default)
        head = content.split(b"\r\n\r\n", 1)[0] + b"\r\n"
        self.fields = [(name.decode().lower(), value) for name, value in
                       re.findall(rb"(?m)^([!-9;-~]+):((?:.*\r\n[ \t])*.*)\r\n", head)]

    def all(self, name):
        return [value for field, value in self.fields if field == name.lower()]

    @property
    def subject(self):
        return re.sub(r"\s+", " ", str(self.mail["Subject"]))

    @property
    def details(self):
        found = self.all("X-Sealpost-Incoming")
        assert len(found) <= 1, found
        return re.sub(r"\s+", " ", found[0].decode()) if found else ""

    @property
    def results(self):
        found = [x for x in self.all("Authentication-Results") if NAME.encode() in x]
        assert len(found) <= 1, found
        return re.sub(r"\s+", " ", found[0].decode()) if found else ""


def tags(site, tap):
    signed = openssl_signed(site, SOFIA, TEXT)
    with tap.case("the tags, in German, of S/MIME and PGP; the rest of the Subject as it was"):
        found = told(site, mail(SOFIA, [ALICE], openssl_encrypted(site, [ALICE], signed)))
        assert found.subject == f"[verschlüsselt] [signiert: {SOFIA}] x", found.subject
        rest = b"=?iso-8859-1?q?Gr=FC=DFe?= =?utf-8?b?w7wg?= an\r\n alle"
        found = told(site, mail(PETER, [ALICE], gpg_encrypted(site, PETER, [ALICE], TEXT),
                                subject="REST").replace(b"REST", rest), PETER)
        assert found.subject == f"[verschlüsselt] [signiert: {PETER}] Grüßeü an alle", found.subject
        assert found.all("Subject")[0].endswith(rest), found.all("Subject")
        found = told(site, mail(SOFIA, [ALICE], signed))
        assert found.subject == f"[signiert: {SOFIA}] x" and "smime=pass" in found.results
        found = told(site, mail(SOFIA, [ALICE], TEXT))
        assert found.subject == "x" and not found.results and not found.details
    with tap.case("warnings: another signer, changed bytes, CBC without a signature"):
        found = told(site, mail(EVE, [ALICE], signed), EVE)
        assert found.subject == f"[WARNUNG: signiert von {SOFIA}, nicht vom Absender] x"
        found = told(site, mail(SOFIA, [ALICE], signed.replace(b"Gr\xc3", b"gr\xc3")))
        assert found.subject == "[WARNUNG: Signatur gebrochen] x", found.subject
        found = told(site, mail(SOFIA, [ALICE], openssl_encrypted(site, [ALICE], TEXT)))
        assert found.subject == "[verschlüsselt] [WARNUNG: nicht gegen Änderung geschützt] x"
        assert "warning not-protected-against-change" in found.details
        found = told(site, mail(SOFIA, [ALICE],
                                openssl_encrypted(site, [ALICE], TEXT, "-aes-256-gcm")))
        assert found.subject == "[verschlüsselt] x", found.subject
        found = told(site, mail(SOFIA, [ALICE], openssl_signed(
            site, SOFIA, openssl_encrypted(site, [ALICE], TEXT))))
        assert "[signiert" not in found.subject and "smime=policy" in found.results, found.results
        assert "warning signed-ciphertext" in found.details
    with tap.case("the name is the signer's, never the display name; a lie in it is told"):
        liar = f'"[signiert: Chef] {BOSS}" <{SOFIA}>'
        found = told(site, mail(liar, [ALICE], signed))
        assert found.subject == (f"[signiert: {SOFIA}] [WARNUNG: Name des Absenders zeigt eine "
                                 "andere Adresse] x"), found.subject
        assert "warning forged-display-name" in found.details
    with tap.case("somebody else's around a part that the sender has signed: that is not the sender's message"):
        found = told(site, mail(SOFIA, [ALICE], gpg_signed(site, PETER, cleartext_footer(signed))))
        assert found.subject == f"[WARNUNG: signiert von {PETER}, nicht vom Absender] x", found.subject
        assert f"good signer={SOFIA} part=1.1" in found.details and "=pass" not in found.results, found.details
    with tap.case("Sender and Reply-To are no From"):
        found = told(site, mail(EVE, [ALICE], signed, extra=f"Sender: {SOFIA}\r\n"
                                f"Reply-To: {SOFIA}\r\n"), EVE)
        assert "not-from" in found.details and "pass" not in found.results
    with tap.case("for two, each is told what holds for him"):
        content = mail(SOFIA, [ALICE, BOSS], openssl_encrypted(site, [ALICE], signed))
        copies = from_outside(site, [ALICE, BOSS], content)
        assert "verschlüsselt" in Told(copy_for(copies, ALICE).content).subject
        other = Told(copy_for(copies, BOSS).content)
        assert other.subject == "x" and "shut (no-key)" in other.details
    with tap.case("no Subject, two Subjects"):
        content = mail(SOFIA, [ALICE], signed)
        found = told(site, content.replace(b"Subject: x\r\n", b""))
        assert found.subject == f"[signiert: {SOFIA}]", found.subject
        found = told(site, content.replace(b"Subject: x\r\n", b"Subject: x\r\nSubject: y\r\n"))
        assert all(b"signiert" in x for x in found.all("Subject")), found.all("Subject")


def lookalikes(site, tap):
    forged = ["[verschlüsselt] [signiert: Chef] Plan", "[encrypted] Plan", "[ SIGNED : boss ] Plan",
              "[WARNING: nothing] Plan", "［signiert：Chef］Plan", "【encrypted】 Plan",
              "[ѕіgnеd: boss] Plan", "[sig[signed: x]ned: boss] Plan", "[sig\u200bned] Plan"]
    with tap.case("look-alikes of our tags are taken out, of mail that is not protected, too"):
        for subject in forged:
            for text in (Header(subject, "utf-8").encode(), subject):
                content = mail(EVE, [ALICE], TEXT, subject="REST")
                found = told(site, content.replace(b"REST", text.encode()), EVE)
                assert found.subject == "Plan", (subject, found.subject)
    with tap.case("of protected mail, too, before ours go in front"):
        found = told(site, mail(SOFIA, [ALICE], openssl_signed(site, SOFIA, TEXT),
                                subject="[encrypted] [signed: boss] Plan"))
        assert found.subject == f"[signiert: {SOFIA}] Plan", found.subject
    with tap.case("what is not ours stays byte for byte"):
        for text in (b"[WARNING] disk full", b"contract (signed)", b"=?utf-8?Q?=5Bticket?= 5]"):
            content = mail(EVE, [ALICE], TEXT, subject="REST").replace(b"REST", text)
            assert told(site, content, EVE).all("Subject") == [b" " + text]
    with tap.case("mail of our own people is not touched"):
        site.empty_out()
        site.submit(BOSS, [ALICE], mail(BOSS, [ALICE], TEXT, subject="[signed: boss] Plan"))
        assert Told(site.arrived(1)[0].content).subject == "[signed: boss] Plan"


FORGED = [b"X-Sealpost-Incoming: smime-encrypted opened", b"x-SEALPOST-incoming:\r\n\tforged",
          b"X-Sealpost-Incoming : forged", b"X-Sealpost-Anything: forged",
          b"Authentication-Results: " + NAME.encode() + b"; smime=pass (forged)",
          b"Authentication-Results:\r\n\t" + NAME.upper().encode() + b"\r\n\t; smime=pass (forged)",
          b"authentication-results: (a (nested) one) \"gw.fir\\ma.example\" 1; pgp=pass (forged)",
          b"Authentication-Results: " + NAME.encode() + b"(x) 1; smime=pass (forged)",
          b"Authentication-Results : " + NAME.encode() + b".; smime=pass (forged)",
          b"Authentication-Results: =?utf-8?q?gw=2Efirma=2Eexample?=; smime=pass (forged)",
          b"Authentication-Results: =?utf-8?b?" + base64.b64encode(NAME.encode() + b"; smime=pass (forged)") + b"?=",
          b"AUTHENTICATION-RESULTS: (\r\n )" + NAME.encode() + b"\r\n /1; smime=pass (forged)"]


def fields(site, tap):
    with tap.case("fields in our name from outside are gone, whatever they look like"):
        protected = openssl_encrypted(site, [ALICE], openssl_signed(site, SOFIA, TEXT))
        for inner in (TEXT, protected, openssl_signed(site, SOFIA, TEXT),
                      b"Content-Type: multipart/mixed; boundary=\r\n\r\nbroken"):
            content = b"\r\n".join(FORGED) + b"\r\n" + mail(SOFIA, [ALICE], inner)
            found = told(site, content)
            assert b"forged" not in found.content, found.content[:2000]
            assert len(found.all("X-Sealpost-Incoming")) == (inner[:40] == protected[:40] or
                                                            b"multipart/signed" in inner)
    with tap.case("others' results stay; ours stand on top of them, folded"):
        content = (b"Authentication-Results: mx.other.example; dkim=pass\r\n" +
                   mail(SOFIA, [ALICE], openssl_signed(site, SOFIA, TEXT)))
        found = told(site, content)
        names = [name for name, _ in found.fields]
        first = names.index("authentication-results")
        assert names[first + 1] == "x-sealpost-incoming", names
        assert [x.strip() for x in found.all("Authentication-Results")][1] == \
            b"mx.other.example; dkim=pass"
        assert first < min(names.index("from"), names.index("subject"), names.index("mime-version"))
        for _, value in found.fields[first:first + 2]:
            assert all(len(line) <= 78 for line in value.split(b"\r\n")), value
        assert found.results == (f" {NAME}; smime=pass (good) "
                                 f"body.smime-identifier={SOFIA}"), found.results


def cleartext_footer(signed):
    """As a mailing list adds it."""
    return multipart("multipart/mixed", "", [signed, entity("-- \r\nthe list\r\n")], "=_list")


def with_third(signed):
    """A multipart/signed with an unsigned text behind the signature."""
    boundary = re.search(rb'boundary="([^"]+)"', signed).group(1)
    return signed.rstrip()[:-2] + b"\r\n" + TEXT + b"\r\n--" + boundary + b"--\r\n"


def surroundings(signed):
    """The same signed part and signature; around them what only some programs pass over."""
    head, body = signed.split(b"\r\n\r\n", 1)
    boundary = re.search(rb'boundary="([^"]+)"', head).group(1)
    evil = b"Content-Type: text/html\r\n\r\n<b>pay at once</b>\r\n"
    start, end = signed.rsplit(b"\r\nContent-Type: application/", 1)
    fields, rest = end.split(b"\r\n\r\n", 1)
    quoted = b'"' + boundary + b'"'
    return {"two boundaries": head.replace(quoted, quoted + b"; boundary=evil") +
                b"\r\n\r\n--evil\r\n" + evil + b"--evil--\r\n" + body,
            "a comment": head.replace(b"/signed;", b"/signed (; boundary=evil);") + b"\r\n\r\n" + body,
            "encoded": head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body,
            "a longer delimiter": head + b"\r\n\r\n--" + boundary + b"x\r\n" + evil + body,
            "a signature that shows": start + b"\r\nContent-Type: text/html" + b"".join(
                b"\r\n" + line for line in fields.split(b"\r\n") if b"Encoding" in line) +
                b"\r\n\r\n" + (b"<b>pay at once</b>\r\n" if b"BEGIN PGP" in rest else b"") + rest}


def parts(site, tap):
    signed = openssl_signed(site, SOFIA, TEXT)
    opaque = openssl_signed(site, SOFIA, TEXT, opaque=True)
    attached = (b"Content-Type: message/rfc822\r\n\r\nFrom: " + SOFIA.encode() +
                b"\r\nSubject: inner\r\n" + signed)
    cases = {"a list's footer": (cleartext_footer(signed), "1.1"),
             "an opaque part": (cleartext_footer(opaque), "1.1"),
             "an attached message": (multipart("multipart/mixed", "", [TEXT, attached]), "1.2.1"),
             "a third part behind the signature": (with_third(signed), "1")}
    with tap.case("a part is signed: told as a part, and delivered byte for byte"):
        for name, (inner, part) in cases.items():
            found = told(site, mail(SOFIA, [ALICE], inner))
            assert f"signature smime good signer={SOFIA} part={part}" in found.details, \
                (name, found.details)
            assert "warning partial-signature" in found.details, name
            assert f"policy (good, covers part {part} only)" in found.results, found.results
            assert found.subject == "[WARNUNG: nur ein Teil ist signiert] x", (name, found.subject)
            assert found.content.endswith(inner), name
    with tap.case("two types outside: readers may take either, so nothing is told of the whole"):
        twice = signed.replace(b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n", 1)
        found = told(site, mail(SOFIA, [ALICE], twice))
        assert "=pass" not in found.results and "[signiert" not in found.subject, found.results
    with tap.case("what some program may show around what is signed: then that is a part"):
        for name, sender, inner in (("smime", SOFIA, signed), ("pgp", PETER, gpg_signed(site, PETER, TEXT))):
            for what, changed in surroundings(inner).items():
                found = told(site, mail(sender, [ALICE], changed), sender)
                assert f"signature {name} good signer={sender} part=1" in found.details, (what, found.details)
                assert "=pass" not in found.results and "[signiert" not in found.subject, (what, found.results)
                wrapped = gpg_signed(site, PETER, changed) if sender == SOFIA else openssl_signed(site, SOFIA, changed)
                found = told(site, mail(sender, [ALICE], wrapped), sender)
                assert "=pass" not in found.results and "[signiert" not in found.subject, (what, found.results)
    with tap.case("captured, wrapped once more, a third part behind: the inner one is a part"):
        for name, sender, inner in (("smime", SOFIA, signed), ("pgp", PETER, gpg_signed(site, PETER, TEXT))):
            for wrapped in (openssl_signed(site, ALICE, inner), gpg_signed(site, PETER, inner)):
                found = told(site, mail(sender, [ALICE], with_third(wrapped)), sender)
                assert f"signature {name} good signer={sender} part=1.1" in found.details, found.details
                assert "warning partial-signature" in found.details, found.details
                assert "=pass" not in found.results and "[signiert" not in found.subject, found.results
                assert found.content.endswith(with_third(wrapped)), name
    with tap.case("encrypted, wrapped, a third part behind: it stays shut, and nothing is lost"):
        for sender, sealed in ((SOFIA, openssl_encrypted(site, [ALICE], signed)),
                               (PETER, gpg_encrypted(site, PETER, [ALICE], TEXT))):
            for wrapped in (openssl_signed(site, ALICE, sealed), gpg_signed(site, PETER, sealed)):
                found = told(site, mail(sender, [ALICE], with_third(wrapped)), sender)
                assert "encrypted opened" not in found.details, found.details
                assert found.content.endswith(with_third(wrapped)), found.content
    with tap.case("a signed part with changed bytes; a signed document is none"):
        broken = cleartext_footer(signed.replace(b"Gr\xc3", b"gr\xc3"))
        found = told(site, mail(SOFIA, [ALICE], broken))
        assert "smime=fail (bad" in found.results and "Signatur gebrochen" in found.subject
        document = opaque.replace(b"smime.p7m", b"contract.p7m")
        found = told(site, mail(SOFIA, [ALICE], cleartext_footer(document)))
        assert not found.details and found.subject == "x", found.details
    with tap.case("a bounce that quotes signed mail is left alone"):
        report = multipart("multipart/report", "; report-type=delivery-status",
                           [TEXT, b"Content-Type: message/delivery-status\r\n\r\n"
                            b"Reporting-MTA: dns; x\r\n\r\n", attached])
        assert not told(site, mail(SOFIA, [ALICE], report)).details
    with tap.case("signed as a whole and with signed mail attached: the whole counts"):
        whole = openssl_signed(site, SOFIA, multipart("multipart/mixed", "", [TEXT, attached],
                                                      "=_whole"))
        found = told(site, mail(SOFIA, [ALICE], whole))
        assert found.subject == f"[signiert: {SOFIA}] x" and "warning" not in found.details
    with tap.case("hundreds of signed parts: some are looked at, and it arrives"):
        found = told(site, mail(SOFIA, [ALICE], multipart("multipart/mixed", "", [signed] * 300)))
        assert found.details.count("signature smime good") == 16, found.details
    with tap.case("more encrypted parts than the MTA takes words about: it arrives, with some of them"):
        inner = multipart("multipart/mixed", "", [openssl_encrypted(site, [ALICE], TEXT)] * 1500)
        found = told(site, mail(SOFIA, [ALICE], inner))
        assert found.details.count("shut (foreign-part)") > 100 and "and more; warning partial" in found.details
        assert found.content.endswith(inner)
    with tap.case("a header of thousands of fields, each to be looked for by the MTA: refused at once"):
        fields = b"".join(b"Authentication-Results: %s; x=%d\r\n" % (NAME.encode(), n) for n in range(15_000))
        code, text = refused(from_outside, site, [ALICE], fields + mail(SOFIA, [ALICE], TEXT))
        assert code == 552, (code, text)
    with tap.case("a long Subject that has to be written anew: it arrives, cut"):
        content = mail(SOFIA, [ALICE], TEXT, subject="REST").replace(b"REST", b"[signed: x] " + "ü".encode() * 25_000)
        found = told(site, content)
        assert found.subject.startswith("ü" * 100) and found.subject.endswith("ü…"), found.subject[-100:]
    with tap.case("an encrypted mail with a part signed inside"):
        inner = openssl_encrypted(site, [ALICE], cleartext_footer(signed), "-aes-256-gcm")
        found = told(site, mail(SOFIA, [ALICE], inner))
        assert found.subject == "[verschlüsselt] [WARNUNG: nur ein Teil ist signiert] x"


def openpgp(site, tap):
    with tap.case("OpenPGP, by somebody whose key we know, but not the sender"):
        content = mail(EVE, [ALICE], sq_encrypted(site, PETER, [ALICE], TEXT))
        found = told(site, content, EVE)
        assert "not-from" in found.details and "pgp=pass" not in found.results, found.results
        content = mail(EVE, [ALICE], gpg_encrypted(site, PETER, [ALICE], TEXT))
        found = told(site, content, EVE)
        assert f"signature pgp good signer={PETER} not-from" in found.details, found.details
        assert found.subject == (f"[verschlüsselt] [WARNUNG: signiert von {PETER}, nicht vom "
                                 "Absender] x"), found.subject


def work_for(site, recipients, content):
    """What `sealpost explain` and all that it starts take of the processor, in seconds."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = spent()
    answer, _ = site.sealpost.explain(PETER, recipients, content, "--incoming", "--client", "192.0.2.66")
    assert len(answer["variants"]) == 1 and len(answer["recipients"]) == len(recipients), answer
    assert answer["variants"][0]["signatures"][0]["result"] == "good", answer
    return spent() - before


def for_many(site, tap):
    with tap.case("signed, to a whole company: verified once, and told everybody"):
        content = mail(PETER, ["all@firma.example"], gpg_signed(site, PETER, TEXT))
        everybody = [ALICE] + [f"nobody{n}@firma.example" for n in range(400)]
        once = min(work_for(site, [ALICE], content) for _ in range(3))
        many = work_for(site, everybody, content)
        assert many < 10 * once, (many, once)


def signed_by(site, pair, *options):
    """By openssl with a certificate of our own making."""
    key, cert = pair
    return crlf(run(["openssl", "cms", "-sign", "-binary", "-signer", cert, "-inkey", key, "-certfile",
                     site.authority.intermediate, *options], stdin=TEXT).stdout)


def certificates(site, tap):
    who = "nora@elsewhere.example"
    person = site.authority.person
    stranger = Authority(site.folder / "stranger")

    def verdict(inner):
        found = told(site, mail(who, [ALICE], inner), who)
        return (re.search(r"signature smime (\S+)", found.details).group(1),
                re.search(r"smime=(\w+)", found.results).group(1), found.subject)

    with tap.case("certificates: good, expired, not for mail, weak digest, of a CA that nobody knows"):
        good = person("Nora", who)
        assert verdict(signed_by(site, good)) == ("good", "pass", f"[signiert: {who}] x")
        wrong = person("Nora", who, usage="extendedKeyUsage=serverAuth\n")
        assert verdict(signed_by(site, wrong)) == (
            "wrong-usage", "policy", "[WARNUNG: Zertifikat nicht für Signaturen] x")
        assert verdict(signed_by(site, person("Nora", who), "-md", "sha1")) == (
            "weak", "policy", "[WARNUNG: Signatur zu schwach] x")
        assert verdict(signed_by(site, stranger.person("Nora", who))) == (
            "untrusted", "neutral", "[WARNUNG: Signatur nicht vertrauenswürdig] x")
        key, _ = person("Nora", who)
        assert verdict(signed_by(site, (key, site.authority.expired(key, who)))) == (
            "expired", "policy", "[WARNUNG: Signatur abgelaufen] x")
    with tap.case("revoked: as soon as the store has the CRL, for this certificate alone"):
        key, cert = person("Nora", who)
        signed = signed_by(site, (key, cert))
        assert verdict(signed)[0] == "good"
        site.sealpost.run("key", "import", site.authority.crl([cert], "nora"))
        assert verdict(signed) == ("revoked", "policy", "[WARNUNG: Signatur widerrufen] x")
        assert verdict(signed_by(site, person("Nora", who)))[0] == "good"
    with tap.case("an OpenPGP key that nobody knows: said, but no reason to warn"):
        gnupg = GnuPG()
        try:
            gnupg.generate(f"Nora <{who}>")
            signature = gnupg.gpg("--armor", "--detach-sign", stdin=TEXT).stdout
        finally:
            gnupg.close()
        inner = multipart("multipart/signed", "; protocol=\"application/pgp-signature\"", [
            TEXT, b"Content-Type: application/pgp-signature\r\n\r\n" + crlf(signature)])
        found = told(site, mail(who, [ALICE], inner), who)
        assert "signature pgp no-key" in found.details and "pgp=neutral" in found.results
        assert found.subject == "x"


def switched(site, tap):
    content = mail(SOFIA, [ALICE], openssl_signed(site, SOFIA, TEXT),
                   subject="[encrypted] [signed: boss] Plan")

    def reload(**values):
        site.sealpost.set("incoming", **values)
        before = site.sealpost.gateway_log().count("reloaded")
        site.sealpost.gateway.signal(signal.SIGHUP)
        wait_for(lambda: site.sealpost.gateway_log().count("reloaded") > before, 60, "the reload")

    with tap.case("in English; only some of the tags; none: the Subject stays as it came"):
        reload(subject_language="en")
        assert told(site, content).subject == f"[signed: {SOFIA}] Plan"
        reload(subject_tags="encrypted")
        assert told(site, content).subject == "Plan"
        reload(subject_tags="")
        assert told(site, content).subject == "[encrypted] [signed: boss] Plan"
    with tap.case("explain tells people the same"):
        text = site.sealpost.run("explain", "--incoming", "--from", SOFIA, "--to", ALICE,
                                 stdin=content).stdout.decode()
        assert f"signature smime good signer={SOFIA}" in text, text
    with tap.case("a tag or a language that does not exist: refused by name"):
        for values, word in (({"subject_tags": "encrypted, seen"}, "seen"),
                             ({"subject_tags": "", "subject_language": "fr"}, "fr")):
            site.sealpost.set("incoming", **values)
            done = site.sealpost.run("explain", "--from", SOFIA, "--to", ALICE, stdin=content,
                                     check=False)
            assert done.returncode == 78 and word in done.stderr.decode(), done


with script() as TAP, TAP.site(people=cast.CAST, policy=POLICY, portal=False,
                               settings={"incoming": TAGS, "sealpost": {"hostname": NAME}}) as SITE:
    for each in (tags, lookalikes, fields, parts, openpgp, for_many, certificates, switched):
        each(SITE, TAP)
