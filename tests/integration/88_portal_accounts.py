# SPDX-License-Identifier: Apache-2.0
"""Accounts of the portal: another password; the end of those that nobody uses."""
import threading
import time
import unicodedata

from portal_lib import OTTO, PASSWORD, SUBJECT, TEXT, Visitor, mail, portal_script

from lib import BUILD

from demo.process import run, wait_for

NEW = "Mirabelle Dämpfer Kreide"


def change(visitor, old=PASSWORD, new=NEW, repeated=None, **more):
    visitor.get("/password")
    return visitor.post("/password", password=old, new=new, repeated=repeated or new, **more)


with portal_script(password_attempts=4) as (tap, site):
    otto, tablet = Visitor(site), Visitor(site, "en")
    message = otto.open_link(site.deposit(mail(), "first"))
    assert tablet.log_in().status == 303 and tablet.get("/").status == 200

    with tap.case("a new password: the form in both languages, for who is logged in only"):
        assert 'href="/password"' in otto.get("/").text
        page = otto.get("/password")
        assert page.status == 200 and OTTO in page.text and "Bisheriges Passwort" in page.text
        assert 'autocomplete="current-password"' in page.text
        assert "Current password" in tablet.get("/password").text
        stranger = Visitor(site)
        assert stranger.get("/password").headers["Location"] == "/login"
        stranger.get("/login")
        answer = stranger.post("/password", password=PASSWORD, new=NEW, repeated=NEW)
        assert answer.headers["Location"] == "/login"

    with tap.case("what is wrong with it is said, and nothing changes"):
        before = site.dump()
        for fields, status, words in (
                ({"new": "kurz"}, 200, "zu kurz"), ({"new": "aaaaaaaaaaaa"}, 200, "zu einfach"),
                ({"new": OTTO}, 200, "Adresse"), ({"repeated": NEW + "x"}, 200, "nicht gleich"),
                ({"old": PASSWORD + "x"}, 403, "bisherige Passwort stimmt nicht"),
                ({"csrf": "0" * 64}, 403, "Bitte noch einmal")):
            page = change(otto, **fields)
            assert page.status == status and words in page.text, (fields, page.status)
            assert PASSWORD not in page.text and NEW not in page.text
        assert site.dump() == before
        assert otto.get("/").status == 200 and tablet.get("/").status == 200

    with tap.case("guessing the old password is limited, and it does not lock the log-in's other clients"):
        thief = Visitor(site, address="127.0.0.3")
        thief.cookie = otto.cookie  # an unlocked screen
        for _ in range(4):
            assert change(thief, old="immer wieder falsch").status == 403
        assert change(thief, old="immer wieder falsch").status == 429
        assert change(thief).status == 429, "the right one, after too many"
        assert site.dump() == before
        assert Visitor(site).log_in().status == 303

    with tap.case("links of the law: none is set"):
        assert 'class="legal"' not in otto.get("/").text

    with tap.case("it counts at once; all other sessions end; every message stays readable"):
        tablet.get("/")
        old_cookie = otto.cookie
        answer = change(otto)
        assert answer.headers["Location"] == "/password/changed", answer.status
        assert otto.cookie != old_cookie
        assert "geändert" in otto.get("/password/changed").text
        page = otto.get(message)
        assert page.status == 200 and f"<h1>{SUBJECT}</h1>" in page.text and TEXT in page.text
        assert tablet.get("/").headers["Location"] == "/login"
        ghost = Visitor(site)
        ghost.cookie = old_cookie
        assert ghost.get(message).headers["Location"] == "/login"
        assert Visitor(site).log_in().status == 403, "the old password still opens"
        assert tablet.log_in(NEW).status == 303
        assert Visitor(site).log_in(unicodedata.normalize("NFD", NEW)).status == 303, "a + umlaut dots"
        assert TEXT in tablet.get(message).text and SUBJECT in tablet.get("/").text
        anew = otto.get(site.deposit(mail(), "second"))
        assert TEXT in otto.get(anew.headers["Location"]).text

    with tap.case("two changes at the same time: one of them counts, the other one is told"):
        answers = {}

        def change_to(visitor, word):
            answers[word] = visitor.post("/password", password=NEW, new=word, repeated=word).status
        words = ("Erste Wahl Nummer 1", "Zweite Wahl Nummer 2")
        threads = [threading.Thread(target=change_to, args=pair) for pair in zip((otto, tablet), words)]
        for visitor in (otto, tablet):
            visitor.get("/password")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # 303 to the log-in: its session had ended by then; 403: its password was the old one by then
        good = [word for word in words if Visitor(site).log_in(word).status == 303]
        assert len(good) == 1 and answers[good[0]] == 303, answers
        assert all(status in (303, 403, 503) for status in answers.values()), answers

    with tap.case("no file of the portal has a password"):
        assert site.found_in_files([PASSWORD, NEW, *words]) == []
        assert "password changed" in site.log.read_text()

    with tap.case("accounts that have no messages and are not used go after their time, no others"):
        day, now = 86400, int(time.time())
        people = {"empty-old": (181, None), "empty-new": (179, None), "waiting-old": (400, None),
                  "full-old": (400, 1), "expired-old": (181, 0)}
        for name, (days, stays) in people.items():
            address = f"{name}@web.example"
            Visitor(site).open_link(site.deposit(mail(attachment=None), "a", recipient=address))
            if stays is None:
                site.sql("DELETE FROM message WHERE recipient = ?", address)
            elif not stays:
                site.sql("UPDATE message SET expires = 1 WHERE recipient = ?", address)
            site.sql("UPDATE account SET last_login = ? WHERE address = ?", now - days * day, address)
        # a link that was made before there was an account, and is still to be opened
        site.sql("UPDATE message SET recipient = 'waiting-old@web.example', key_for_account = NULL "
                 "WHERE number = ?", site.sql("SELECT max(number) FROM message WHERE recipient = ?",
                                              OTTO)[0][0])

        def left():
            return {row[0].split("@")[0] for row in site.sql("SELECT address FROM account")}
        sealpost = [BUILD / "cli/sealpost", "--config", site.conf, "portal", "expire"]
        assert run(sealpost).stdout == b"1 messages and 2 accounts deleted\n"
        assert left() == {"otto", "empty-new", "waiting-old", "full-old"}
        site.stop()
        site.set(account_keep="178d", imprint="https://firma.example/a?b&c")
        site.start()
        wait_for(lambda: left() == {"otto", "waiting-old", "full-old"}, 60, "the sweep of accounts")
        wait_for(lambda: "1 unused accounts deleted" in site.log.read_text(), 60, "its log line")

    with tap.case("links of the law: what is set stands below each page"):
        page = Visitor(site).get("/login").text
        assert '<a href="https://firma.example/a?b&amp;c">Impressum</a>' in page
        assert "Datenschutz" not in page

    with tap.case("whose account went starts anew with the next message"):
        link = site.deposit(mail(), "again", recipient="empty-old@web.example")
        assert len(link) == len("/m/") + 43
        again = Visitor(site)
        assert TEXT in again.get(again.open_link(link, password=NEW)).text
