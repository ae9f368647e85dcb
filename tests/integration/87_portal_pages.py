# SPDX-License-Identifier: Apache-2.0
"""The portal's pages at their edges: long lists and texts, pictures, nothing to show, removed accounts."""
import re
import sqlite3
import threading
from email.message import EmailMessage

from portal_lib import OTTO, PASSWORD, Visitor, mail, portal_script

from lib import BUILD

from demo.process import run

LIST = 100  # VAULT_LIST_MAX
PLAIN, HTML = 512 * 1024, 2 * 1024 * 1024  # LETTER_PLAIN_MAX, LETTER_HTML_MAX


def as_bytes(message):
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def text_mail(text, html=None):
    message = EmailMessage()
    message["Subject"] = "Lang"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return as_bytes(message)


with portal_script() as (tap, site):
    otto = Visitor(site)
    first = otto.open_link(site.deposit(mail(), "first"))
    count = 0

    def opened(content):
        """The page of a message with this content."""
        global count
        count += 1
        answer = otto.get(site.deposit(content, f"opened {count}"))
        return answer if answer.status == 200 else otto.get(answer.headers["Location"])

    def frame_of(page):
        return re.search(r'src="(/message/[\w-]+/html/[\d.]+)"', page.text).group(1)

    with tap.case("a message without text says so; one that cannot be read, too"):
        assert "enthält keinen Text" in opened(text_mail("\n")).text
        page = opened(b"Content-Type: application/pdf\r\n\r\nx")
        assert "enthält keinen Text" in page.text and ">1 Datei<" in page.text
        nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
                          % (level, level) for level in range(80))
        assert "nicht anzeigen" in opened(nested).text
        assert "keinen Text" not in otto.get(first).text

    with tap.case("web addresses in plain text are links, nothing else is"):
        page = opened(text_mail("Siehe https://a.example/<b>, javascript:alert(1)\n")).text
        assert ('<a target="_blank" rel="noopener noreferrer" href="https://a.example/">'
                "https://a.example/</a>&lt;b&gt;, javascript:alert(1)") in page

    with tap.case("attachments: a line on top leads to the list below the text"):
        page = otto.get(first).text
        assert page.index('href="#attachments"') < page.index('class="text"') < \
            page.index('id="attachments"')

    with tap.case("long texts are cut between characters, and the page says so"):
        for text, cut in (("ä" * (PLAIN // 2 - 1), False), ("x" + "ä" * (PLAIN // 2), True),
                          ("Zeile\n" * PLAIN, True)):
            page = opened(text_mail(text))
            assert page.status == 200 and ("nur sein Anfang" in page.text) == cut, text[:8]
            shown = re.search(r'<div class="text">([^<]*)<', page.text).group(1)
            assert text.startswith(shown.replace("\r\n", "\n").rstrip()) and "�" not in shown
            assert PLAIN - 8 <= len(shown.encode()) <= PLAIN
        for size, cut in ((HTML - 100, False), (HTML + 100, True)):
            page = opened(text_mail("kurz", "<p>" + "x" * size))
            assert ("nur sein Anfang" in page.text) == cut, size
            assert len(otto.get(frame_of(page)).body) >= HTML - 200

    with tap.case("one picture that is too large, named again and again, is tried once"):
        message = EmailMessage()
        message["Subject"] = "Bild"
        small = b"\x89PNG" + bytes(100)
        message.set_content('<img src="cid:small@x"><img src="cid:small@x">'
                            + '<img src="cid:large@x">' * 20000, subtype="html")
        message.add_related(bytes(5 << 20), "image", "png", cid="<large@x>")
        message.add_related(small, "image", "png", cid="<small@x>")
        path = frame_of(opened(as_bytes(message)))
        before = site.cpu_time()
        body = otto.get(path).text
        assert site.cpu_time() - before < 20  # each time: more than a minute
        assert body.count("data:image/png;base64,") == 2
        assert body.count('src="cid:large@x"') == 20000

    with tap.case("a picture that is mostly junk, named again and again, is not read without end"):
        picture = (b"Content-Type: image/png\r\nContent-ID: <junk@x>\r\n"
                   b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
                   + (b"!" * 76 + b"\r\n") * 13000)
        body = otto.get(frame_of(opened(
            b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\n"
            b"Content-Type: text/html\r\n\r\n" + b"<img src='cid:junk@x'>" * 1000
            + b"\r\n--b\r\n" + picture + b"\r\n--b--\r\n"))).text
        assert 1 <= body.count("data:image/png;base64,iVBORw0KGgo=") <= 50
        assert body.count("<img src='") == 1000

    with tap.case("a form that is too old leads to a new one"):
        for path in ("/login", site.deposit(mail(), "stale", recipient="vera@web.example")):
            visitor = Visitor(site)
            visitor.get(path)
            page = visitor.post(path, csrf="0" * 64, password=PASSWORD, repeated=PASSWORD)
            assert page.status == 403 and f'href="{path}"' in page.text
            assert visitor.get(path).field("csrf")

    with tap.case("another name of this machine: the answer names the right one"):
        answer = otto.get("/login", Host="portal")
        assert answer.status == 421 and answer.text == f"{site.url}\n" and not answer.field("csrf")
        assert "Set-Cookie" not in answer.headers

    with tap.case("while the gateway stores a large message: a log-in waits, reading goes on"):
        visitor, statuses = Visitor(site), []
        link = site.deposit(mail(), "link", recipient="vera@web.example")
        assert Visitor(site).get(link).status == 200  # the first time is written down
        db = sqlite3.connect(site.state / "portal.db", isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        login = threading.Thread(target=lambda: statuses.append(visitor.log_in().status))
        login.start()
        login.join(3)
        assert otto.get("/").status == 200 and otto.get(first).status == 200
        assert Visitor(site).get(link).status == 200
        assert login.is_alive(), statuses
        db.execute("ROLLBACK")
        login.join()
        assert statuses == [303]

    with tap.case("a store that is held for longer: come again in a minute, with a link"):
        visitor = Visitor(site)
        db.execute("BEGIN IMMEDIATE")
        page = visitor.log_in()
        assert page.status == 503 and "in einer Minute" in page.text, page.status
        assert 'href="/login"' in page.text
        db.execute("ROLLBACK")
        db.close()
        assert visitor.log_in().status == 303

    with tap.case("an account that goes away during a claim takes no message with it"):
        paul = Visitor(site)
        second = site.deposit(mail(), "second", recipient="paul@web.example")
        third = site.deposit(mail(), "third", recipient="paul@web.example")
        paul.open_link(second)
        assert 'type="password"' not in paul.get(third).text
        db = sqlite3.connect(site.state / "portal.db", isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM account WHERE address = 'paul@web.example'")
        answers = []
        claim = threading.Thread(target=lambda: answers.append(paul.post(third).status))
        claim.start()
        claim.join(1)  # it has read the account by now, and waits for us to write
        db.execute("COMMIT")
        db.close()
        claim.join()
        assert answers[0] != 303, answers
        fresh = Visitor(site)
        assert fresh.get(fresh.open_link(third, password="Anderes Wort für Paul")).status == 200

    with tap.case("one damaged message does not take the list away"):
        otto.get(site.deposit(mail(), "damaged"))
        site.sql("UPDATE message SET subject = x'01' || randomblob(120) WHERE number = "
                 "(SELECT max(number) FROM message)")
        page = otto.get("/")
        assert page.status == 200 and page.text.count("Beschädigte Nachricht") == 1
        assert first in page.text

    with tap.case("two clicks on the first visit's button are one; two people are not"):
        for who, words, wanted in (("anna", (PASSWORD, PASSWORD), [303, 303]),
                                   ("bert", (PASSWORD, PASSWORD + " 2"), [303, 403])):
            link = site.deposit(mail(), "first", recipient=f"{who}@web.example")
            clicks = [Visitor(site) for _ in words]
            for visitor in clicks:
                visitor.get(link)
            answers = []
            threads = [threading.Thread(target=lambda visitor=visitor, word=word: answers.append(
                visitor.post(link, code=site.codes[link], password=word, repeated=word).status))
                for visitor, word in zip(clicks, words)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sorted(answers) == wanted, (who, answers)
            assert site.sql("SELECT count(*) FROM account WHERE address = ?",
                            f"{who}@web.example") == [(1,)]

    with tap.case("a long list goes on over several pages, in the browser and in sealpost"):
        site.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                 "INSERT INTO message (id, recipient, digest, created, expires, size, subject, "
                 "sender, sender_name, stream_header, key_for_account) "
                 "SELECT printf('%022d', i), recipient, printf('%d', i), created, expires, size, "
                 "subject, sender, sender_name, stream_header, key_for_account FROM message, n "
                 "WHERE id = ?", 2 * LIST, first.rsplit("/", 1)[1])
        path, found = "/", []
        while path:
            page = otto.get(path)
            assert page.status == 200
            found += re.findall(r'<li><a href="/message/([\w-]+)"', page.text)
            found += ["damaged"] * page.text.count("Beschädigte Nachricht")
            older = re.search(r'href="(/older/[\w-]+)"', page.text)
            path = older and older.group(1)
        stored = [row[0] for row in site.sql(
            "SELECT id FROM message WHERE recipient = ? ORDER BY number DESC", OTTO)]
        assert len(stored) > 2 * LIST and len(found) == len(stored)
        assert [one for one in stored if one in found] == [x for x in found if x != "damaged"]
        listed = run([BUILD / "cli/sealpost", "--config", site.conf, "portal", "messages", OTTO])
        assert len(listed.stdout.splitlines()) == len(stored)
        foreign = site.sql("SELECT id FROM message WHERE recipient <> ?", OTTO)[0][0]
        for other in (foreign, "A" * 22, "x"):
            assert otto.get(f"/older/{other}").headers["Location"] == "/"
        assert Visitor(site).get(f"/older/{stored[0]}").headers["Location"] == "/login"
