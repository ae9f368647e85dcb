# SPDX-License-Identifier: Apache-2.0
"""The demo as people start it: one round, told line by line, and what demo.env promises to scripts."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import BUILD, SRC, Tap

from demo.process import wait_for

ADDRESSES = ("sofia@smime.example", "peter@pgp.example", "vera@tls.example", "otto@web.example")
NAMES = {"SMTP", "OUT", "PORTAL", "LDAP", "CONF", "SEALPOST", "PEOPLE"}
TOLD = ("structure", "key", "rule", "transport")


def start(folder, *options):
    return subprocess.Popen([sys.executable, "-B", "-m", "demo", "--build", BUILD, "--dir", folder, *options],
                            env={**os.environ, "PYTHONPATH": str(SRC)}, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, umask=0o077)


def words(demo, seconds):
    """All that it says until it ends; one that does not end by then is ended, its parts with it."""
    try:
        return demo.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        demo.send_signal(signal.SIGINT)
        return demo.communicate(timeout=60)[0]


def read_env(folder):
    text = (folder / "demo.env").read_text("utf-8")
    return dict(line.split("=", 1) for line in text.splitlines())


def check_told(text):
    assert "every message left as it should" in text, text
    for address in ADDRESSES:
        shown = re.findall(rf"(?m)^  {re.escape(address)}: \S+\n((?:    .*\n)+)", text)
        assert len(shown) == 2, (address, text)  # alone, and with all others
        for lines in shown:
            assert [line.split()[0] for line in lines.splitlines()][:4] == list(TOLD), lines
    assert len(re.findall(r"(?m)^    link +https://localhost:\d+/", text)) == 2, text


def check_out(folder):
    copies = sorted(Path(read_env(folder)["OUT"]).glob("*.eml"))
    assert len(copies) == 8, copies
    for path in copies:
        lines = path.read_bytes().split(b"\r\n" if b"\r\n" in path.read_bytes()[:80] else b"\n")
        assert lines[0].startswith(b"X-Envelope-From:") and lines[1].startswith(b"X-Envelope-To: "), lines[:3]


def main():
    tap, folder = Tap(), Path(tempfile.mkdtemp(prefix="sd-"))
    try:
        with tap.case("--once: a round with all four ways, each told, status 0"):
            demo = start(folder, "--once")
            text = words(demo, 900)
            assert demo.returncode == 0, text
            check_told(text)
            check_out(folder)
        with tap.case("a folder whose name the servers' own files cannot hold is refused, and not made"):
            wrong = folder / "my site"
            demo = start(wrong, "--once")
            text = words(demo, 60)
            assert demo.returncode == 1 and f"demo: {wrong}: " in text and not wrong.exists(), text
        with tap.case("a second run in the same folder; demo.env when all is up; Ctrl-C ends it"):
            (folder / "demo.env").unlink()
            demo = start(folder)
            try:
                wait_for(lambda: (folder / "demo.env").exists() or demo.poll() is not None, 900, "demo.env")
                env = read_env(folder)
                assert NAMES <= env.keys(), env
                check_out(folder)
                done = subprocess.run([env["SEALPOST"], "key", "list"], capture_output=True, check=True)
                assert b"peter@pgp.example" in done.stdout, done
                people = Path(env["PEOPLE"])
                assert (people / "sofia@smime.example/key.pem").exists()
                assert (people / "peter@pgp.example/secret.asc").exists()
            finally:
                demo.send_signal(signal.SIGINT)
                text = words(demo, 60)
            assert demo.returncode == 0, text
            check_told(text)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(tap.finish())


main()
