# SPDX-License-Identifier: Apache-2.0
"""The portal in a browser, from alice's mail to otto's download: Postfix, gateway, notice, Chromium."""
import base64
import email
import email.policy
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from lib import ALICE, BUILD, script

from demo import people as cast
from demo.round import portal_code, portal_link, text_of
from demo.site import as_bytes, message

PLAYWRIGHT = "playwright-core@1.65.1"
OTTO = cast.OTTO.address
SUBJECT, TEXT = "Gehaltsabrechnung Jänner", "Kennwort Mirabelle, vertraulich"
FILE_NAME = "Vertrag – Käufer & Söhne.pdf"
FILE = b"%PDF-1.4 Anhang Zwetschge " + bytes(range(256)) * 4000
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q"
                         "DwADhgGAWjR9awAAAABJRU5ErkJggg==")
HTML = """<html><head><link rel="stylesheet" href="http://SPY/a.css">
<meta http-equiv="refresh" content="0; url=http://SPY/b"><base href="http://SPY/">
<style>@import "http://SPY/c.css"; body { background: url(http://SPY/d.png) }
@font-face { font-family: f; src: url(http://SPY/e.woff) } p { font-family: f }</style></head>
<body><p>TEXT</p><img src="cid:pixel@x" alt="">
<img src="http://SPY/f.png"><img src="g.png"><iframe src="http://SPY/h"></iframe>
<object data="http://SPY/i"></object><embed src="http://SPY/j"><video src="http://SPY/k"></video>
<script>document.body.textContent = "HACKED"; alert("HACKED")</script>
<script src="http://SPY/l.js"></script><img src="data:," onerror="alert('HACKED')">
<svg><image href="http://SPY/m.png"></image></svg>
<form action="http://SPY/"><button>x</button></form>
<a id="out" target="_self" href="http://OUTSIDE/page">out</a>
<a id="code" href="javascript:alert('HACKED')">code</a></body></html>"""


def modules():
    """The folder with playwright-core, installed beside the build; None if that cannot be."""
    folder = Path(BUILD) / "node"
    if not (folder / "node_modules" / "playwright-core").is_dir():
        done = subprocess.run(["npm", "install", "--no-fund", "--no-audit", "--ignore-scripts",
                               "--prefix", folder, PLAYWRIGHT], capture_output=True, check=False,
                              timeout=300)
        if done.returncode != 0:
            return None
    return folder


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


class Spy:
    """A web server's place that counts who comes."""

    def __init__(self, port):
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.settimeout(0.2)
        self.where = f"127.0.0.1:{port}"

    def visitors(self):
        """The first line that each of them said."""
        said = []
        try:
            while True:
                with self._socket.accept()[0] as visitor:
                    visitor.settimeout(1)
                    said.append(visitor.recv(1000).split(b"\r\n")[0])
        except TimeoutError:
            return said


def with_everything(spy, outside):
    mail = message(ALICE, OTTO, SUBJECT, TEXT + "\n")
    mail.add_alternative(HTML.replace("SPY", spy.where).replace("TEXT", TEXT)
                         .replace("OUTSIDE", f"127.0.0.1:{outside}"), subtype="html")
    mail.get_payload()[1].add_related(PIXEL, "image", "png", cid="<pixel@x>")
    mail.add_attachment(FILE, maintype="application", subtype="pdf", filename=FILE_NAME)
    return mail


def send(site, mail):
    """Link and code in the notice that arrives for otto."""
    site.empty_out()
    site.submit(ALICE, [OTTO], mail)
    notice = email.message_from_bytes(site.arrived(1)[0].content, policy=email.policy.default)
    for word in (SUBJECT, TEXT, FILE_NAME):
        assert word not in text_of(notice) and word not in notice["Subject"]
    assert notice["Auto-Submitted"] == "auto-generated" and ALICE in notice["Reply-To"]
    return portal_link(notice, site.sealpost.portal_url), portal_code(notice)


def browse(node, job, folder):
    """The lines that the browser's script prints: (step, None or why it failed)."""
    path = folder / "job.json"
    path.write_text(json.dumps(job), "utf-8")
    done = subprocess.run(["node", Path(__file__).with_suffix(".mjs"), node, path], check=False,
                          capture_output=True, timeout=600)
    lines = done.stdout.decode("utf-8").splitlines()
    found = [re.fullmatch(r"(ok|failed) ([^:]+)(?:: (.*))?", line) for line in lines]
    assert done.returncode == 0 and all(found), done.stdout + done.stderr
    return [(match.group(2), match.group(3)) for match in found]


if not os.access("/usr/bin/chromium", os.X_OK):
    skip("Chromium is not installed")
NODE = modules()
if NODE is None:
    skip("playwright-core could not be installed by npm")

with script() as tap, tap.site() as site:
    state = site.sealpost.folder
    downloads = site.log.parent / "downloads"
    downloads.mkdir()
    spy = Spy(site.new_port())
    job = {"portal": site.sealpost.portal_url, "address": OTTO, "sender": ALICE,
           "subject": SUBJECT, "text": TEXT, "password": "Pferd Klammer Batterie",
           "outside": site.new_port(), "file": FILE_NAME, "download": str(downloads / "attachment"),
           "whole": str(downloads / "whole.eml"),
           "picture": "data:image/png;base64," + base64.b64encode(PIXEL).decode()}

    with tap.case("alice's mail becomes a notice with a link"):
        mail = with_everything(spy, job["outside"])
        sent = as_bytes(mail)
        job["link"], job["code"] = send(site, mail)
        assert len(job["link"].rsplit("/", 1)[1]) == 43
        page = site.sealpost.get(job["link"])
        assert SUBJECT not in page and TEXT not in page

    with tap.case("the browser goes from the link to the message and back"):
        steps = browse(NODE, job, downloads)
        assert len(steps) == 11, steps
    for step, why in steps:
        with tap.case(f"browser: {step}"):
            assert why is None, why

    with tap.case("nothing of the message was fetched from elsewhere"):
        said = spy.visitors()
        assert not said, said
        socket.create_connection(spy.where.split(":")).close()
        assert len(spy.visitors()) == 1, "the spy is blind"

    with tap.case("what was downloaded is what was sent, byte for byte"):
        assert (downloads / "attachment").read_bytes() == FILE
        whole = (downloads / "whole.eml").read_bytes()
        assert whole.endswith(sent.split(b"\r\n\r\n", 1)[1])

    with tap.case("the next notice's link has no secret and opens after the log-in"):
        job["again"], code = send(site, message(ALICE, OTTO, SUBJECT, TEXT + "\n"))
        assert code is None
        assert len(job["again"].rsplit("/", 1)[1]) == 22
        (step, why), = browse(NODE, job, downloads)
        assert why is None, why

    with tap.case("the portal's files and the logs hold nothing of the content"):
        words = [SUBJECT, "Gehaltsabrechnung", TEXT, "Mirabelle", FILE_NAME, "Zwetschge",
                 job["password"], job["link"].rsplit("/", 1)[1]]
        files = [*(state / "state" / "portal").iterdir(), *site.log.glob("*.log")]
        assert any(path.name == "portal.db" for path in files)
        for path in files:
            for word in words:
                assert word.encode() not in path.read_bytes(), (path.name, word)
