# SPDX-License-Identifier: Apache-2.0
"""The portal with a store that fails: no page shows or does half of something, and all goes on after."""
import contextlib
import re

from portal_lib import FILE, OTTO, PASSWORD, SUBJECT, TEXT, Visitor, mail, portal_script

from lib import BUILD

from demo.process import run

VERA, PAUL = "vera@web.example", "paul@web.example"
HTML = "<p>Hallo Otto</p>"
TABLES = ("account", "message", "chunk", "event")
NEW = "Neues Wort Kastanie"

with portal_script() as (tap, site):
    otto = Visitor(site)
    message = otto.open_link(site.deposit(mail(HTML), "first"))
    page = otto.get(message).text
    frame = re.search(r'src="([^"]+/html/[^"]+)"', page).group(1)
    part = re.search(r'href="([^"]+/part/[^"]+)"', page).group(1)
    unread = "/message/" + site.deposit(mail(), "unread").removeprefix("/m/")
    link = site.deposit(mail(), "first", recipient=VERA)
    forms = Visitor(site, address="127.0.0.2")

    @contextlib.contextmanager
    def without(table):
        """The store as if somebody had damaged it: this table cannot be read or written."""
        site.sql(f"ALTER TABLE {table} RENAME TO gone")
        try:
            yield
        finally:
            site.sql(f"ALTER TABLE gone RENAME TO {table}")

    @contextlib.contextmanager
    def refusing(event):
        """No such event can be written."""
        site.sql(f"CREATE TRIGGER refuse BEFORE INSERT ON event WHEN new.kind = '{event}' "
                 "BEGIN SELECT RAISE(FAIL, 'refused by the test'); END")
        try:
            yield
        finally:
            site.sql("DROP TRIGGER refuse")

    def kept():
        return [site.sql(query) for query in (
            "SELECT address, hex(wrapped_private) FROM account ORDER BY address",
            "SELECT id, hex(key_for_link), hex(key_for_account) FROM message ORDER BY number",
            "SELECT message, count(*), sum(length(bytes)) FROM chunk GROUP BY message",
            "SELECT message FROM notice ORDER BY message")]

    def answers():
        """Each page once, on a session that has nothing opened yet: {what: answer}."""
        visitor = Visitor(site)
        visitor.log_in()
        found = {path: visitor.get(path) for path in ("/", unread, message, frame, part,
                                                      message + "/mail", "/password", link)}
        found["/older"] = visitor.get("/older/" + message.rsplit("/", 1)[1])
        forms.get("/login")
        found["log in"] = forms.post("/login", address=OTTO, password=PASSWORD)
        forms.last = None
        forms.get(link)
        if forms.last.field("csrf"):
            found["claim"] = forms.post(link, code="000000", password=PASSWORD, repeated=PASSWORD)
        return found

    for table in TABLES:
        with tap.case(f"without the table {table}: what needs it is an error page, nothing else is said"):
            before = kept()
            with without(table):
                found = answers()
                if table != "event":  # a deposit has no use for it
                    done = site.deposit(mail(), "not stored", check=False)
                    assert done.returncode == 1 and done.stderr.startswith(b"portal:"), done.stderr
            for what, answer in found.items():
                assert answer.status in (200, 303, 403, 404, 500, 503), (what, answer.status)
                if answer.status >= 500:
                    assert SUBJECT not in answer.text and TEXT not in answer.text, what
                    assert re.search("Augenblick|schiefgegangen", answer.text), (what, answer.text)
            broken = {what for what, answer in found.items() if answer.status >= 500}
            assert {"account": {"log in", link}, "message": {link}, "chunk": set(),
                    "event": set()}[table] <= broken, (table, broken)
            assert kept() == before

    with tap.case("chunks that are gone: an error, no part of the message"):
        shut = "/message/" + site.deposit(mail(), "shut").removeprefix("/m/")
        site.sql("DELETE FROM chunk WHERE number > 0 AND message = (SELECT max(number) FROM message)")
        for path in (shut, shut + "/mail"):
            answer = otto.get(path)
            assert answer.status == 500 and TEXT not in answer.text, answer.status
            assert "lässt sich nicht mehr öffnen" in answer.text

    with tap.case("keys that are none: nothing is stored, nothing shown, and both daemons go on"):
        fresh = site.deposit(mail(), "keyless", recipient=PAUL)
        waiting = site.deposit(mail(), "other", recipient=PAUL)
        site.sql("UPDATE message SET key_for_link = NULL WHERE number = (SELECT max(number) FROM message)")
        assert Visitor(site).get(waiting).status == 404
        paul = Visitor(site)
        paul.get(paul.open_link(fresh, password=NEW))
        waiting = site.deposit(mail(), "third", recipient=VERA)
        site.sql("INSERT INTO account SELECT ?, x'', wrapped_private, created, last_login FROM account "
                 "WHERE address = ?", VERA, PAUL)
        before = kept()
        done = site.deposit(mail(), "fourth", recipient=VERA, check=False)
        assert done.returncode == 1 and done.stderr.startswith(b"portal:"), done.stderr
        vera = Visitor(site)
        vera.get(waiting)
        answer = vera.post(waiting, password=NEW)
        assert answer.status == 500 and "lässt sich nicht mehr öffnen" in answer.text
        assert kept() == before
        site.sql("DELETE FROM account WHERE address IN (?, ?)", VERA, PAUL)

    with tap.case("log-out works while the store does not"):
        going = Visitor(site)
        going.log_in()
        going.get("/")
        with without("account"):
            assert going.post("/logout").headers["Location"] == "/logout"
            assert "Sie sind abgemeldet" in going.get("/logout").text
        assert going.get("/").headers["Location"] == "/login"

    with tap.case("what cannot be written to the audit trail does not happen"):
        with refusing("revealed"):
            answer = otto.get(unread)
            assert answer.status == 503 and TEXT not in answer.text
        assert otto.get(unread).status == 200
        with refusing("downloaded"):
            for path in (part, message + "/mail"):
                answer = otto.get(path)
                assert answer.status == 503 and FILE not in answer.body
        before = site.dump()
        vera = Visitor(site)
        vera.get(link)
        with refusing("claimed"):
            answer = vera.post(link, code=site.codes[link], password=PASSWORD, repeated=PASSWORD)
            assert answer.status == 503, answer.status
        assert site.dump() == before, "an account without its message"
        with refusing("opened"):
            other = site.deposit(mail(), "first", recipient=PAUL)
            assert Visitor(site).get(other).status == 200, "this page shows nothing: it may be seen"
        assert vera.get(vera.open_link(link)).status == 200

    with tap.case("a password that cannot be stored: the old one goes on"):
        site.sql("CREATE TRIGGER refuse BEFORE UPDATE ON account WHEN new.wrapped_private <> "
                 "old.wrapped_private BEGIN SELECT RAISE(FAIL, 'refused by the test'); END")
        otto.get("/password")
        answer = otto.post("/password", password=PASSWORD, new=NEW, repeated=NEW)
        site.sql("DROP TRIGGER refuse")
        assert answer.status == 503 and otto.get(message).status == 200
        assert Visitor(site).log_in().status == 303 and Visitor(site).log_in(NEW).status == 403

    with tap.case("the list: no subject, not opened yet, expired"):
        otto.get(site.deposit(mail(), "none", subject=""))
        site.sql("UPDATE message SET key_for_account = NULL WHERE id = ?", unread[-22:])
        site.sql("UPDATE message SET expires = 1 WHERE id = ?", message[-22:])
        page = otto.get("/").text
        assert page.count("(ohne Betreff)") == page.count("Noch verschlossene Nachricht") == 1
        assert message not in page and unread not in page
        assert otto.get(message).status == otto.get(unread).status == 404

    with tap.case("pages that are nobody's way: wrong method, logged in already, logged out"):
        otto.get("/password")
        assert otto.get("/login").headers["Location"] == "/"
        assert otto.get("/logout").headers["Location"] == "/"
        assert otto.post("/password/changed").status == 405
        otto.get("/password")
        assert otto.post("/logout").headers["Location"] == "/logout"
        assert "Sie sind abgemeldet" in otto.get("/logout").text

    with tap.case("wrong words on the command line"):
        done = run([BUILD / "portal/sealpost-portal", "--config", site.conf, "more"], check=False)
        assert done.returncode == 64 and b"unknown argument" in done.stderr
