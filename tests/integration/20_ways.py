# SPDX-License-Identifier: Apache-2.0
"""Each way alone, and one message to many recipients on all ways at once, Bcc among them."""
from lib import ALICE, copy_for, opened_by, refused, script

from demo import people as cast
from demo.people import Person
from demo.process import run, wait_for
from demo.round import portal_link, text_of
from demo.site import as_bytes, message

SVEN = Person("sven@smime.example", "Sven Smith", smime="rsa:2048")
BLANCHE = Person("blanche@smime.example", "Blanche Carbon", smime="ec")
PIA = Person("pia@pgp.example", "Pia Pütz", pgp=True, where="ldap")
PAUL = Person("paul@pgp.example", "Paul Pütz", pgp=True)
PEOPLE = cast.CAST + (SVEN, BLANCHE, PIA, PAUL)
TEXT = "Streng geheim: die Zahlen für März.\n"
POLICY = """\
internal domains "firma.example"
outgoing subject has "[signed]"  plain sign
outgoing subject has "[tag]"     require smime, pgp   remove tag
outgoing subject has "[keys]"    require smime, pgp
outgoing subject has "[hidden]"  require smime, pgp, portal  remove tag  hide subject
outgoing subject has "[tls]"     require tls
outgoing subject has "[over]"    require smime over tls, portal
outgoing subject has "[notice]"  require portal over tls
outgoing subject has "[no]"      reject "not today"
outgoing subject has "[plain]"   plain
outgoing                         require smime, pgp, verified tls, portal
internal to "team@firma.example" require smime, portal
copy outgoing subject has "[copy]" to "archiv@firma.example"
"""


def send(site, recipients, subject="Grüße", **kwargs):
    addresses = [getattr(r, "address", r) for r in recipients]
    site.empty_out()
    mail = message(ALICE, ", ".join(addresses), subject, TEXT, **kwargs)
    site.submit(ALICE, addresses, mail)
    return as_bytes(mail)


def headers_kept(sent, copy):
    """All header fields but the content's, Received and ours, as they were and in their order."""
    def fields(content):
        head = content.split(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
        return [f for f in head.split(b"\r\n")
                if not f.lower().startswith((b"content-", b"mime-version", b"received", b"x-sealpost"))]
    assert fields(sent) == fields(copy.content), (fields(sent), fields(copy.content))


ALIAS = "inline:{{team@firma.example=team@smime.example,boss@firma.example}}"


with script() as tap, tap.site(people=PEOPLE, policy=POLICY,
                               postfix_settings={"virtual_alias_maps": ALIAS}) as site:
    with tap.case("S/MIME, certificate from LDAP: encrypted to her, signed by alice"):
        sent = send(site, [cast.SOFIA])
        copy = site.arrived(1)[0]
        opened = opened_by(site, cast.SOFIA, copy)
        assert opened.layers == ["smime-encrypted", "smime-signed"], opened.layers
        assert opened.signers == [ALICE] and text_of(opened.mail).strip() == TEXT.strip()
        assert opened.keys == [site.cabinet.key_id(cast.SOFIA)]
        headers_kept(sent, copy)

    with tap.case("PGP, key from the store: encrypted and signed in one"):
        sent = send(site, [cast.PETER])
        copy = site.arrived(1)[0]
        opened = opened_by(site, cast.PETER, copy)
        assert opened.layers == ["pgp-encrypted+signed"], opened.layers
        assert opened.signers == [ALICE] and text_of(opened.mail).strip() == TEXT.strip()
        assert opened.keys == [site.cabinet.key_id(cast.PETER)]
        headers_kept(sent, copy)

    with tap.case("PGP, key from LDAP; S/MIME with an elliptic curve"):
        send(site, [PIA, BLANCHE])
        copies = site.arrived(2)
        assert opened_by(site, PIA, copy_for(copies, PIA)).signers == [ALICE]
        assert opened_by(site, BLANCHE, copy_for(copies, BLANCHE)).signers == [ALICE]

    with tap.case("a hidden subject: [...] for the mail servers, the real one and the text inside"):
        people = [cast.SOFIA, cast.PETER, cast.OTTO]
        send(site, people, "[hidden] März")
        copies = site.arrived(3)
        for person in people:
            copy = copy_for(copies, person)
            assert b"rz?=" not in copy.content and b"M=C3" not in copy.content
            if person is cast.OTTO:
                continue
            opened = opened_by(site, person, copy)
            assert b"\r\nSubject: [...]\r\n" in copy.content and opened.mail["Subject"] == "März"
            assert text_of(opened.mail).split() == ["Subject:", "März", *TEXT.split()]

    with tap.case("verified TLS: as it was, over TLS, the route header gone"):
        sent = send(site, [cast.VERA])
        copy = site.arrived(1)[0]
        assert copy.facts["tls"] and b"X-Sealpost" not in copy.content, copy
        assert copy.content.endswith(sent.split(b"\r\n\r\n", 1)[1])
        headers_kept(sent, copy)

    with tap.case("portal: a notice with a link, nothing of the content"):
        send(site, [cast.OTTO])
        copy = site.arrived(1)[0]
        notice = opened_by(site, cast.OTTO, copy).mail
        link = portal_link(notice, site.sealpost.portal_url)
        page = site.sealpost.get(link)
        for text in (copy.content.decode("utf-8", "replace"), text_of(notice), page):
            assert "geheim" not in text and "Grüße" not in text

    with tap.case("a server whose certificate has another name is no verified TLS: portal"):
        send(site, ["wendy@wrong-name.example"])
        portal_link(opened_by(site, cast.OTTO, site.arrived(1)[0]).mail, site.sealpost.portal_url)

    with tap.case("seven recipients on four ways, two of them Bcc: each once, nobody sees a Bcc key"):
        visible = [cast.SOFIA, SVEN, cast.PETER, cast.VERA, cast.OTTO]
        hidden = [BLANCHE, PAUL]
        mail = message(ALICE, ", ".join(p.address for p in visible), "an alle", TEXT)
        site.empty_out()
        sent = as_bytes(mail)
        site.submit(ALICE, [p.address for p in visible + hidden], sent)
        copies = [(c, r) for c in site.arrived_for(7) for r in c.recipients]
        assert sorted(r for _, r in copies) == sorted(p.address for p in visible + hidden)
        keys = {}
        for copy, recipient in copies:
            opened = opened_by(site, recipient, copy)
            keys[recipient] = set(opened.keys)
            if recipient not in (cast.OTTO.address,):
                assert text_of(opened.mail).strip() == TEXT.strip(), recipient
                headers_kept(sent, copy)  # Message-ID, To, Cc: in each copy as they were
            assert b"\nbcc:" not in b"\n" + copy.content.lower().split(b"\r\n\r\n")[0]
        ids = {p.address: site.cabinet.key_id(p) for p in (cast.SOFIA, SVEN, cast.PETER, *hidden)}
        assert keys[cast.SOFIA.address] <= {ids[cast.SOFIA.address], ids[SVEN.address]}, keys
        assert keys[SVEN.address] <= {ids[cast.SOFIA.address], ids[SVEN.address]}, keys
        for person in (cast.PETER, *hidden):
            assert keys[person.address] == {ids[person.address]}, (person, keys)

    with tap.case("the same recipient twice, in other spellings: one copy"):
        send(site, ["Sofia@smime.example", "sofia@SMIME.example"])
        assert opened_by(site, cast.SOFIA, site.arrived(1)[0]).signers == [ALICE]

    with tap.case("plain because a rule says so; tls; over tls falls to the portal where there is none"):
        sent = send(site, [cast.OTTO], "[plain] x")
        assert site.arrived(1)[0].content.endswith(sent)
        send(site, [cast.VERA], "[tls] x")
        assert site.arrived(1)[0].facts["tls"]
        send(site, [cast.SOFIA], "[over] x")
        portal_link(opened_by(site, cast.SOFIA, site.arrived(1)[0]).mail, site.sealpost.portal_url)

    with tap.case("tls with two next hops, the first one down: by the second, over TLS"):
        site.add_route("two.example",
                       f"{site.new_port()}, [localhost]:{site.sinks['tls.example'].port}")
        send(site, ["x@two.example"], "[tls] x")
        assert site.arrived(1)[0].facts["tls"]

    with tap.case("tls demanded and not there: waits in the queue, is never sent in the clear"):
        send(site, [cast.OTTO], "[tls] x")
        wait_for(lambda: "TLS is required, but was not offered" in site.postfix.log_text(), 60,
                 "the refusal to send without TLS")
        assert site.postfix.in_queue() and not site.outbox.copies()
        site.postfix.drop_queue()

    with tap.case("the portal's notice travels as the rule says: over TLS, or it waits"):
        send(site, [cast.VERA], "[notice] x")
        copy = site.arrived(1)[0]
        assert copy.facts["tls"] and b"X-Sealpost" not in copy.content
        portal_link(opened_by(site, cast.VERA, copy).mail, site.sealpost.portal_url)
        before = site.postfix.log_text().count("TLS is required, but was not offered")
        send(site, [cast.OTTO], "[notice] x")
        wait_for(lambda: site.postfix.log_text().count("TLS is required, but was not offered") > before, 60,
                 "the refusal to send the notice without TLS")
        assert site.postfix.in_queue() and not site.outbox.copies()
        site.postfix.drop_queue()

    with tap.case("a copy rule: the archive inside gets one too, as it was"):
        sent = send(site, [cast.SOFIA], "[copy] x")
        copies = site.arrived(2)
        assert opened_by(site, cast.SOFIA, copy_for(copies, cast.SOFIA)).signers == [ALICE]
        assert copy_for(copies, "archiv@firma.example").content.endswith(sent)

    with tap.case("remove tag"):
        send(site, [cast.SOFIA], "[tag] Grüße")
        copy = site.arrived(1)[0]
        assert opened_by(site, cast.SOFIA, copy).layers
        assert b"[tag]" not in copy.content

    with tap.case("require with no way: 5.7.1, with a text that helps; nothing leaves"):
        for recipients in ([cast.OTTO], [cast.SOFIA, cast.OTTO]):
            code, text = refused(send, site, recipients, "[keys] x")
            assert code == 550 and text.startswith("5.7.1") and "otto@web.example" in text, (code, text)
        code, text = refused(send, site, [cast.OTTO], "[no] x")
        assert code == 550 and "not today" in text, (code, text)
        assert not site.outbox.copies() and not site.postfix.in_queue()

    with tap.case("the log has one reason for each way that was not possible, down to the key"):
        key, _ = site.authority.person("Wanda", "wanda@web.example")
        old = site.authority.expired(key, "wanda@web.example")
        site.sealpost.run("key", "import", old)
        printed = run(["openssl", "x509", "-in", old, "-noout", "-fingerprint", "-sha256"]).stdout.decode()
        fingerprint = printed.split("=")[1].strip().replace(":", "").lower()
        refused(send, site, ["wanda@web.example", cast.OTTO], "[keys] x")
        send(site, ["wanda@web.example"])
        site.arrived(1)
        wait_for(lambda: f"way=portal transport=any key=- signed=no why=smime:expired:{fingerprint},pgp:no-key,"
                         "verified-tls:no-tls " in site.sealpost.gateway_log(), 60, "the way to the portal in the log")
        told = [line for line in site.sealpost.gateway_log().splitlines() if "error=no-way" in line]
        for address, why in (("wanda@web.example", f"smime:expired:{fingerprint},pgp:no-key"),
                             (cast.OTTO.address, "smime:no-key,pgp:no-key")):
            assert any(f"to=<{address}>" in line and f" way=none " in line and f" why={why} " in line
                       for line in told), (address, told)

    with tap.case("an alias of ours that leads outside: protected where a rule names it"):
        send(site, ["team@firma.example"])
        link = portal_link(opened_by(site, cast.OTTO, site.arrived(2)[0]).mail,
                           site.sealpost.portal_url)
        assert link and all(TEXT.encode() not in copy.content for copy in site.outbox.copies())
        site.sealpost.run("key", "import", "--for", "team@firma.example",
                          site.cabinet(SVEN, "cert.pem"))
        send(site, ["team@firma.example"])
        for copy in site.arrived(2):
            assert opened_by(site, SVEN, copy).layers == ["smime-encrypted", "smime-signed"]

    with tap.case("mail among ourselves stays as it is"):
        sent = send(site, [cast.BOSS])
        assert site.arrived(1)[0].content.endswith(sent)
