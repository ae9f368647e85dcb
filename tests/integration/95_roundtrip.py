# SPDX-License-Identifier: Apache-2.0
"""Two companies, each with a gateway, a Postfix and keys of its own: what leaves one comes in at
the other. What is written arrives as it was written, and the report says who wrote it. DKIM: the
sender's opendkim signs after his gateway, the receiver's verifies before hers."""
import email
import email.policy
import re
import smtplib
from email.message import EmailMessage

import foreign
from lib import copy_for, script

from demo import people as cast
from demo.dkim import SELECTOR
from demo.opening import entity_of, split, unprotected
from demo.process import Child, port_answers, run
from demo.site import as_bytes, message

ANNA = cast.Person("anna@firma.example", "Anna Ähre", smime="rsa:3072", pgp=True)
BERT = cast.Person("bert@firma.example", "Bert Baum", pgp=True)
DORA = cast.Person("dora@partner.example", "Dora Dötsch", smime="rsa:2048", pgp=True)
EMIL = cast.Person("emil@partner.example", "Emil Esser", smime="ec")
FRITZ = cast.Person("fritz@partner.example", "Fritz Funk", smime="rsa:2048", pgp=True)
GERD = cast.Person("gerd@partner.example", "Gerd Groß", pgp=True)
COMPANIES = {"firma.example": (ANNA, BERT), "partner.example": (DORA, EMIL, FRITZ, GERD)}
POLICY = """\
internal domains "{domain}"

outgoing subject has "[pgp]"  require pgp
outgoing                      require smime, pgp
"""
RECEIPT = foreign.multipart("multipart/report", ";\r\n report-type=disposition-notification", [
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n".encode(),
    b"Content-Type: message/disposition-notification\r\n\r\n"
    b"Disposition: manual-action/MDN-sent-manually; displayed\r\n"])
TECHNOLOGIES = {"smime": "hello", "pgp": "[pgp] hello"}


def options(domain):
    """The sites talk to each other from 127.0.0.2, which neither of them trusts."""
    return {"domain": domain, "people": COMPANIES[domain], "dkim": True, "portal": False,
            "policy": POLICY.format(domain=domain),
            "settings": {"sealpost": {"trusted_networks": "127.0.0.1/32"}},
            "postfix_settings": {"smtp_bind_address": "127.0.0.2"}}


def introduce(here, there):
    """`here` gets to know the keys of the people `there`, its CA and its DKIM key."""
    here.sealpost.run("key", "import", "--trusted", there.authority.root)
    files = [there.authority.intermediate]
    for person in COMPANIES[there.domain]:
        files += [there.cabinet(person, name) for name in
                  ["cert.pem"] * bool(person.smime) + ["public.asc"] * person.pgp]
    here.sealpost.run("key", "import", *files)
    verify_dkim(here, there)


def verify_dkim(here, there):
    """opendkim, with the other's key in a file instead of DNS, in front of all other milters."""
    folder, port = here.folder / "dkim", here.new_port()
    keys, config = folder / "public-keys", folder / "verify.conf"
    keys.write_bytes(f"{SELECTOR}._domainkey.{there.domain} ".encode() + there.dkim.record() + b"\n")
    config.write_text(f"Mode v\nSocket inet:{port}@127.0.0.1\nTestPublicKeys {keys}\n"
                      f"AuthservID dkim.{here.domain}\nSyslog no\nBackground no\n")
    here.children.add(Child("opendkim", ["opendkim", "-f", "-x", config], folder / "verify.log",
                            ready=lambda: port_answers(port)))
    run(["postconf", "-c", here.postfix.config, "-e",
         f"smtpd_milters=inet:127.0.0.1:{port}, $sealpost_milter, $dkim_milter"])
    here.postfix.reload()


def results(content):
    """{who says it: [what]} of the Authentication-Results fields."""
    head = email.message_from_bytes(split(content)[0], policy=email.policy.default)
    said = {}
    for value in head.get_all("Authentication-Results", []):
        name, _, rest = str(value).partition(";")
        said.setdefault(name.strip(), []).append(" ".join(rest.split()))
    return said


def check_report(here, sender, copy, technology):
    """Encrypted, and signed by the sender: so say our fields, and the other's DKIM held."""
    said = results(copy.content)
    assert said.pop(f"dkim.{here.domain}")[0].startswith("dkim=pass"), copy.content
    (ours,), = said.values()
    assert f"{technology}=pass" in ours and f"{technology}-identifier={sender.address}" in ours, ours
    # Once its mail has told that it does, the other side gets AES-GCM.
    kind = "smime-auth" if (technology, here.domain) == ("smime", "firma.example") else f"{technology}(-auth)?"
    details, = re.findall(rb"^X-Sealpost-Incoming:(.*\r\n(?:[ \t].*\r\n)*)", copy.content, re.M)
    assert re.search(f" {kind}-encrypted opened".encode(), details), details
    assert f"signature {technology} good signer={sender.address}".encode() in details, details


def innermost(content):
    """What the reader reads: the S/MIME signature stays around it for her client to verify."""
    entity = entity_of(content)
    mail = email.message_from_bytes(entity)
    if mail.get_content_type() != "multipart/signed":
        return entity
    return entity.split(b"\r\n--" + mail.get_boundary().encode())[1].removeprefix(b"\r\n")


def seven_bit(sender, recipient, subject):
    """A mail with HTML, an attachment and a boundary of its own, in bytes that nobody has to change."""
    mail = message(sender.address, recipient.address, subject, "Dear Sir,\n\n-- \nFrom here on: text.\n.\n")
    mail.add_alternative("<p>Dear <b>Sir</b></p>\n", subtype="html")
    mail.add_attachment(bytes(range(256)) * 40, "application", "octet-stream", filename="data.bin")
    return as_bytes(mail.as_bytes())


def eight_bit(sender, recipient, subject):
    mail = message(sender.address, recipient.address, subject, "Grüße, 你好\n")
    mail.replace_header("Subject", subject + " Straße")
    mail.add_attachment("Zeile für Zeile\n", filename="größe.txt", cte="8bit")
    return as_bytes(mail.as_bytes())


def leaves(entity):
    mail = email.message_from_bytes(entity)
    return [(part.get_content_type(), part.get_filename(), part.get_payload(decode=True))
            for part in mail.walk() if not part.is_multipart()]


def sent(start, end, sender, recipients, content):
    """Through both: the copies that came out at the end."""
    for site in (start, end):
        site.empty_out()
    start.submit(sender.address, [person.address for person in recipients], content)
    copies = end.arrived_for(len(recipients))
    assert not start.outbox.copies(), "something left to elsewhere"
    return copies


def there_and_back(tap, firma, partner):
    for technology, subject in TECHNOLOGIES.items():
        for start, end, sender, recipient in ((firma, partner, ANNA, DORA),
                                              (partner, firma, DORA, ANNA)):
            with tap.case(f"{technology}, {start.domain} to {end.domain}: the same bytes, "
                          "encrypted and signed by the sender"):
                content = seven_bit(sender, recipient, subject)
                copy, = sent(start, end, sender, [recipient], content)
                check_report(end, sender, copy, technology)
                assert unprotected(innermost(copy.content)) == entity_of(content), \
                    copy.content
            with tap.case(f"{technology}, {start.domain} to {end.domain}: umlauts in text, subject "
                          "and attachment"):
                content = eight_bit(sender, recipient, subject)
                copy, = sent(start, end, sender, [recipient], content)
                check_report(end, sender, copy, technology)
                assert leaves(innermost(copy.content)) == leaves(content), copy.content
                head = email.message_from_bytes(copy.content, policy=email.policy.default)
                assert head["Subject"].endswith("hello Straße"), head["Subject"]


def receipts(tap, firma, partner):
    for technology, subject in TECHNOLOGIES.items():
        for start, end, sender, recipient in ((firma, partner, ANNA, DORA), (partner, firma, DORA, ANNA)):
            with tap.case(f"{technology}, {start.domain} to {end.domain}: a receipt has its report at the root again"):
                content = as_bytes(foreign.mail(sender.address, [recipient.address], RECEIPT, subject))
                copy, = sent(start, end, sender, [recipient], content)
                check_report(end, sender, copy, technology)
                assert entity_of(copy.content) == RECEIPT, copy.content


def several(tap, firma, partner):
    with tap.case("one message to several, Bcc among them: each opens, nobody learns of the Bcc"):
        mail = EmailMessage()
        mail["From"], mail["Subject"], mail["Message-ID"] = ANNA.user_id, "to you all", "<all@firma.example>"
        mail["To"], mail["Cc"], mail["Bcc"] = DORA.address, f"{EMIL.address}, {GERD.address}", FRITZ.address
        mail.set_content("For all of you.\n")
        copies = sent(firma, partner, ANNA, (DORA, EMIL, FRITZ, GERD), mail.as_bytes())
        for person, technology in ((DORA, "smime"), (EMIL, "smime"), (FRITZ, "smime"), (GERD, "pgp")):
            copy = copy_for(copies, person)
            check_report(partner, ANNA, copy, technology)
            assert b"For all of you." in innermost(copy.content)
            assert person is FRITZ or FRITZ.address.encode() not in copy.content
        assert copy_for(copies, FRITZ).recipients == [FRITZ.address]


def on_the_way(tap, firma, partner):
    """Before the two are connected: the copy is caught, looked at and carried on by hand."""
    content = seven_bit(ANNA, DORA, "caught")
    firma.submit(ANNA.address, [DORA.address], content)
    caught = firma.arrived(1)[0].content
    firma.empty_out()
    changed = caught.replace(b"\r\nSubject: caught", b"\r\nSubject: hooked")
    with tap.case("on the wire: nothing to read, and DKIM holds"):
        firma.dkim.verify(caught)
        assert entity_of(content)[-200:] not in caught and b"multipart/alternative" not in caught
    for what, sent_on, verdict in (("as it was", caught, "dkim=pass"),
                                   ("with another subject", changed, "dkim=fail")):
        with tap.case(f"carried on {what}: opened, and {verdict} is said of the way"):
            assert sent_on == caught or what != "as it was"
            forged = f"Authentication-Results: dkim.{partner.domain}; dkim=pass\r\n".encode()
            with smtplib.SMTP("127.0.0.1", partner.smtp_port, source_address=("127.0.0.2", 0)) as smtp:
                smtp.sendmail(ANNA.address, [DORA.address], forged + sent_on)
            copy, = partner.arrived(1)
            assert results(copy.content)[f"dkim.{partner.domain}"][0].startswith(verdict), copy.content
            assert entity_of(content)[-200:] in copy.content
            partner.empty_out()


with script() as tap, tap.site(**options("firma.example")) as one, \
        tap.site(**options("partner.example")) as other:
    introduce(one, other)
    introduce(other, one)
    on_the_way(tap, one, other)
    one.add_route(other.domain, other.smtp_port)
    other.add_route(one.domain, one.smtp_port)
    there_and_back(tap, one, other)
    receipts(tap, one, other)
    several(tap, one, other)
