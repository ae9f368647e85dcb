# SPDX-License-Identifier: Apache-2.0
"""The portal from link to download, without a browser: what each step shows, changes and refuses."""
import re
import time
import urllib.parse

from portal_lib import (ALICE, FILE, FILE_NAME, OTTO, PASSWORD, SUBJECT, TEXT, Visitor, mail,
                        portal_script)

from lib import BUILD

from demo.process import run, wait_for

HTML = ('<html><body><p>Hallo <b>Otto</b></p><script>alert(1)</script>'
        '<img src="http://192.0.2.1/pixel.png"><img src="cid:nothing@x"></body></html>')
VERA = "vera@web.example"


def parts_of(page):
    """{name: path} of the attachments that a message's page offers."""
    return {re.sub("&amp;", "&", name): path for path, name in re.findall(
        r'href="(/message/[\w-]+/part/[\d.]+)"><span class="name">([^<]*)<', page)}


def disposition_name(answer):
    encoded = re.search(r"filename\*=UTF-8''(\S+)$", answer.headers["Content-Disposition"]).group(1)
    return urllib.parse.unquote(encoded)


with portal_script() as (tap, site):
    whole = mail(HTML)
    link = site.deposit(whole, "first")
    second = site.deposit(mail(), "second")
    otto = Visitor(site)

    with tap.case("a retry of a deposit is the same deposit"):
        assert site.deposit(whole, "first") is None
        assert site.sql("SELECT count(*) FROM message") == [(2,)]

    with tap.case("GET (and HEAD) of a link changes nothing and shows nothing of the message"):
        before = site.dump()
        for visitor in (otto, Visitor(site, "en")):
            page = visitor.get(link)
            assert page.status == 200 and page.field("csrf")
            for word in (SUBJECT, TEXT[:20], FILE_NAME, ALICE, "Alice"):
                assert word not in page.text, word
            visitor.request("HEAD", link)
        assert site.dump() == before
        assert site.events(1) == ["opened"], "the audit trail has the first time"

    with tap.case("a scanner that submits the form as it finds it gets and changes nothing"):
        scanner = Visitor(site, address="127.0.0.2")
        scanner.get(link)
        for fields in ({}, {"password": "", "repeated": ""}, {"address": OTTO},
                       {"password": "test", "repeated": "test"}):
            page = scanner.post(link, **fields)
            assert page.status == 200 and SUBJECT not in page.text
        assert site.dump() == before

    with tap.case("nor one that makes up a good password: it has no code"):
        right = site.codes[link]
        assert re.fullmatch(r"\d{6}", right) and site.codes[second] != right
        for code in ("", "123456", "test", OTTO, PASSWORD, right[:5], right + "0",
                     f"{(int(right) + 1) % 1000000:06}", site.codes[second]):
            page = scanner.post(link, code=code, password=PASSWORD, repeated=PASSWORD)
            assert page.status == 403 and "Der Code stimmt nicht" in page.text, code
            assert SUBJECT not in page.text and PASSWORD not in page.text.replace(code or "x", "")
        assert scanner.post(link, password=PASSWORD, repeated=PASSWORD).status == 403
        answer = scanner.post(link, code=right, password=PASSWORD, repeated=PASSWORD)
        assert answer.status == 429, "the right code, after too many"
        assert site.dump() == before

    with tap.case("unknown, shortened and foreign links"):
        id_of_first = site.sql("SELECT id FROM message WHERE number = 1")[0][0]
        for path in ("/m/" + "A" * 43, link[:-1], link[:-1] + ("A" if link[-1] != "A" else "B"),
                     link + "A", "/m/" + "B" * 22, f"/m/{id_of_first}", "/m/x"):
            page = Visitor(site).get(path)
            assert page.status == 404 and "<form" not in page.text, path
        assert Visitor(site).get(f"/message/{id_of_first}").status == 303

    with tap.case("forms that are not ours: 403, nothing changed"):
        good = {"password": PASSWORD, "repeated": PASSWORD}
        page = otto.get(link)
        for name, fields, headers in (
                ("no token", {"csrf": ""}, {}),
                ("a wrong token", {"csrf": "0" * 64}, {}),
                ("another visitor's token", {"csrf": Visitor(site).get(link).field("csrf")}, {}),
                ("another site's Origin", {}, {"Origin": "https://evil.example"}),
                ("cross-site by Sec-Fetch-Site", {}, {"Sec_Fetch_Site": "cross-site"}),
                ("same-site is not same-origin", {}, {"Sec_Fetch_Site": "same-site"}),
                ("no cookie", {}, {"Cookie": "x=y"}),
                ("two cookies", {}, {"Cookie": f"{otto.cookie}; {otto.cookie}"})):
            answer = otto.post(link, **{"csrf": page.field("csrf"), **good, **fields},
                               headers=headers)
            otto.cookie = otto.cookie if name != "no cookie" else None
            assert answer.status == 403, (name, answer.status)
            assert SUBJECT not in answer.text
            page = otto.get(link)
        assert site.dump() == before

    with tap.case("weak passwords"):
        otto.get(link)
        for weak in ("short", "neunneun9", "aaaaaaaaaaaa", "1234567890", "abababababab", OTTO,
                     "otto@web.e", "x" * 1025):
            page = otto.post(link, password=weak, repeated=weak)
            assert page.status == 200 and 'role="alert"' in page.text, weak
        page = otto.post(link, password=PASSWORD, repeated=PASSWORD + "x")
        assert 'role="alert"' in page.text
        assert site.dump() == before

    with tap.case("the first visit makes the account, claims and shows the message"):
        cookie = otto.cookie
        where = otto.open_link(link)
        assert otto.cookie != cookie, "the cookie from before the log-in went on"
        page = otto.get(where)
        assert page.status == 200 and f"<h1>{SUBJECT}</h1>" in page.text
        assert f"Alice Ärmel &lt;{ALICE}&gt;" in page.text and TEXT in page.text
        assert "&lt;b&gt;kein HTML&lt;/b&gt;" in page.text and "alert(1)" not in page.text
        assert site.events(1) == ["opened", "claimed", "revealed"]
        assert site.sql("SELECT key_for_link IS NULL, key_for_account IS NULL FROM message "
                        "WHERE number = 1") == [(1, 0)]

    with tap.case("attachments and the whole message come back byte for byte"):
        path = parts_of(page.text)[FILE_NAME]
        answer = otto.get(path)
        assert answer.status == 200 and answer.body == FILE
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=\"")
        assert disposition_name(answer) == FILE_NAME
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert otto.get(where + "/mail").body == whole
        assert otto.get(where + "/part/9.9").status == 404

    with tap.case("HTML: a frame of its own that runs and loads nothing"):
        frame = re.search(r'<iframe class="html[^"]*" sandbox="allow-popups '
                          r'allow-popups-to-escape-sandbox"[^>]* src="([^"]+)"', page.text)
        answer = otto.get(frame.group(1))
        policy = answer.headers["Content-Security-Policy"]
        assert "Hallo <b>Otto</b>" in answer.text
        assert "default-src 'none'" in policy and "img-src data:;" in policy
        assert policy.endswith("; sandbox allow-popups allow-popups-to-escape-sandbox")
        assert "script" not in policy
        assert otto.get(frame.group(1).rsplit("/", 1)[0] + "/1.1.1").status == 404, "text as HTML"
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"

    with tap.case("what has been claimed leads to the log-in, whoever has the link"):
        stranger = Visitor(site)
        page = stranger.get(link)
        assert page.status == 200 and page.field("password") is None
        assert 'autocomplete="current-password"' in page.text and SUBJECT not in page.text
        assert stranger.post(link, password="ganz anderes Wort",
                             repeated="ganz anderes Wort").status == 403
        for path in (where, where + "/mail", frame.group(1), "/"):
            answer = stranger.get(path)
            assert answer.status == 303 and answer.headers["Location"] == "/login", path

    with tap.case("a fresh link cannot reset an account or open its older messages"):
        thief = Visitor(site)
        before = site.dump()
        page = thief.get(second)
        assert 'autocomplete="new-password"' not in page.text
        answer = thief.post(second, password="Passwort des Diebes", repeated="Passwort des Diebes")
        assert answer.status == 403 and SUBJECT not in answer.text
        assert site.dump() == before

    with tap.case("logged in, another link claims its message by one click"):
        page = otto.get(second)
        assert page.status == 200 and 'type="password"' not in page.text
        assert site.dump() == before
        answer = otto.post(second)
        assert answer.status == 303
        assert TEXT in otto.get(answer.headers["Location"]).text

    with tap.case("with an account, the link carries no secret"):
        third = site.deposit(mail(), "third")
        assert len(third) == len("/m/") + 22
        assert site.sql("SELECT link_hash IS NULL, key_for_link IS NULL FROM message "
                        "WHERE number = 3") == [(1, 1)]
        fresh = Visitor(site)
        page = fresh.get(third)
        assert page.status == 200 and SUBJECT not in page.text
        answer = fresh.post(third, password=PASSWORD)
        assert answer.status == 303 and TEXT in fresh.get(answer.headers["Location"]).text
        assert otto.get(third).status == 303

    with tap.case("the list; log out; log in"):
        page = otto.get("/")
        assert page.text.count(f">{SUBJECT}<") == 3 and "Alice Ärmel" in page.text
        before = otto.cookie
        otto.post("/logout")
        assert otto.get("/").headers["Location"] == "/login"
        ghost = Visitor(site)
        ghost.cookie = before
        assert ghost.get("/").headers["Location"] == "/login", "the old cookie still opens"
        assert otto.log_in("falsch und falsch").status == 403
        assert otto.log_in(address="  Otto@WEB.example ").status == 303
        assert otto.get("/").status == 200

    with tap.case("one account does not see another's messages"):
        vera = Visitor(site)
        hers = vera.open_link(site.deposit(mail(), "first", recipient=VERA))
        assert vera.get(hers).status == 200
        assert otto.get(hers).status == 404 and otto.get(hers + "/mail").status == 404
        assert SUBJECT not in otto.get(hers).text
        assert vera.get("/").text.count(f">{SUBJECT}<") == 1

    with tap.case("an unknown account and a wrong password look and take the same"):
        def attempt(address):
            visitor = Visitor(site)
            visitor.get("/login")
            start = site.cpu_time()  # not of the clock: others may work on this machine, too
            answer = visitor.post("/login", address=address, password="irgendein Wort")
            seconds = site.cpu_time() - start
            text = re.sub(r'value="[^"]*"', "", answer.text)
            return answer.status, text, seconds
        known, unknown = ([attempt(who) for _ in range(2)] for who in (OTTO, "niemand@web.example"))
        assert known[0][:2] == unknown[0][:2] and known[0][0] == 403
        quickest = [min(seconds for _, _, seconds in tries) for tries in (known, unknown)]
        assert quickest[1] > quickest[0] / 4, quickest

    with tap.case("HTML in names and subjects stays text"):
        evil = '"><script>alert(1)</script>&amp;.txt'
        answer = otto.post(site.deposit(mail(name=evil), "evil"))
        page = otto.get(answer.headers["Location"])
        assert "<script" not in page.text
        name = next(iter(parts_of(page.text).values()))
        assert otto.get(name).headers["Content-Disposition"].count('"') == 2

    with tap.case("a line end in a file name adds no field to our answer"):
        lines = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n" \
                b"Content-Disposition: attachment; filename*=utf-8''a%0D%0AX-Evil:%20y%22b.txt\r\n\r\nx\r\n"
        answer = otto.post(site.deposit(lines, "lines"))
        page = otto.get(answer.headers["Location"])
        name, path = next(iter(parts_of(page.text).items()))
        answer = otto.get(path)
        assert answer.body == b"x\r\n" and answer.headers["X-Evil"] is None, answer.headers
        assert "X-Evil" in name and answer.headers["Content-Disposition"].count('"') == 2, answer.headers

    with tap.case("messages that are no proper MIME can at least be saved"):
        nested = b"Subject: tief\r\n"
        for level in range(80):
            nested += (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
                       % (level, level))
        odd = {"empty": b"", "no-header": b"\r\n\r\nnur Text", "nul": b"Subject: x\r\n\r\na\0b",
               "nested": nested, "cut": whole[:len(whole) // 2], "only-header": b"Subject: x\r\n",
               "no-end": b"Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nText"}
        for digest, content in odd.items():
            answer = otto.post(site.deposit(content, digest))
            page = otto.get(answer.headers["Location"])
            assert page.status == 200, (digest, page.status)
            assert otto.get(answer.headers["Location"] + "/mail").body == content, digest

    with tap.case("an expired message is gone, on the page and in the store"):
        gone = site.deposit(mail(), "gone")
        site.sql("UPDATE message SET expires = 1 WHERE id = ?", gone[3:])
        assert otto.get(gone).status == 404
        assert Visitor(site).get(gone).status == 404
        site.stop()
        site.start()
        wait_for(lambda: site.sql("SELECT count(*) FROM message WHERE expires = 1") == [(0,)], 60,
                 "the sweep of expired messages")
        assert otto.get("/").status == 303, "a session outlived the process"
        assert otto.log_in().status == 303

    with tap.case("the files of the portal hold nothing of the content, its log no secrets"):
        words = [SUBJECT, TEXT, TEXT[:24], "Mirabelle", "Zwetschge", FILE_NAME, FILE_NAME[:12],
                 PASSWORD, ALICE, "Ärmel", "kein HTML", link[3:], second[3:], otto.cookie[-43:]]
        assert site.found_in_files(words) == []
        log = site.log.read_text()
        assert "wrong password" in log and third[3:] not in log

    with tap.case("sealpost portal: accounts, messages, expire, forget; no content"):
        def sealpost(*words, check=True):
            return run([BUILD / "cli/sealpost", "--config", site.conf, "portal", *words],
                       check=check)
        listed = sealpost("accounts").stdout.decode() + sealpost("messages").stdout.decode()
        assert OTTO in listed and VERA in listed and " read " in listed
        assert ALICE not in listed and SUBJECT not in listed
        assert VERA not in sealpost("messages", OTTO).stdout.decode()
        trail = sealpost("events", "1").stdout.decode().splitlines()
        assert [line.split()[-1] for line in trail] == [
            "opened", "claimed", "revealed", "downloaded", "downloaded"]
        assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d  ", line) for line in trail)
        assert sealpost("events", "9999").stdout == b""
        assert sealpost("events", "x", check=False).returncode == 64
        assert sealpost("expire").stdout == b"0 messages and 0 accounts deleted\n"
        assert sealpost("forget", "niemand@web.example", check=False).returncode == 1
        assert sealpost("forget", check=False).returncode == 64
        before = Visitor(site)
        before.log_in(address=VERA)
        assert before.get("/").status == 200
        sealpost("forget", VERA)
        assert VERA not in sealpost("accounts").stdout.decode()
        assert site.sql("SELECT count(*) FROM message WHERE recipient = ?", VERA) == [(0,)]
        anew = site.deposit(mail(), "first", recipient=VERA)
        assert len(anew) == len("/m/") + 43
        assert before.get("/").status == 303, "a session outlived its account"
        fresh = Visitor(site)
        assert fresh.get(fresh.open_link(anew, password="Neues Passwort für Vera")).status == 200
        assert before.get("/").status == 303

    with tap.case("a session ends after its time"):
        site.stop()
        site.set(session_time="10s", password_attempts=4)
        site.start()
        assert otto.log_in().status == 303 and otto.get("/").status == 200
        time.sleep(11)
        assert otto.get("/").status == 303

    with tap.case("wrong passwords are limited, per account and per client"):
        burglar = Visitor(site)
        for _ in range(4):
            assert burglar.log_in("immer wieder falsch").status == 403
        assert burglar.log_in("immer wieder falsch").status == 429
        assert burglar.log_in(PASSWORD).status == 429, "the right password, after too many"
        assert burglar.log_in("egal wie falsch", address=VERA).status == 429, "same client"
        page = burglar.get(third)
        assert burglar.post(third, password=PASSWORD).status == 429
        elsewhere = Visitor(site, address="127.0.0.2")
        assert elsewhere.log_in().status == 303, "one client locked another out"
        site.stop()
        site.set(password_attempts=1)
        site.start()
        for last in range(2, 12):
            assert Visitor(site, address=f"127.0.0.{last}").log_in("falsch").status == 403
        owner = Visitor(site, address="127.0.0.12")
        assert owner.log_in().status == 429, "many clients"
        owner.get(third)
        assert owner.post(third, password=PASSWORD).status == 303, "the owner is locked out"
        for last in range(13, 23):
            burglar = Visitor(site, address=f"127.0.0.{last}")
            burglar.get(third)
            assert burglar.post(third, password="falsch").status == 403
        burglar = Visitor(site, address="127.0.0.23")
        burglar.get(third)
        assert burglar.post(third, password=PASSWORD).status == 429, "many clients by a link"
