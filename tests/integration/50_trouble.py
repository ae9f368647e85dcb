# SPDX-License-Identifier: Apache-2.0
"""What breaks while it runs: directory, disk, gateway, policy. Mail waits; none leaves in the clear."""
import contextlib
import json
import os
import re
import signal
import subprocess

from lib import ALICE, BUILD, accepted, opened_by, refused, script

from demo import people as cast
from demo.process import run, wait_for
from demo.site import message

RELOADED = "reloaded "
SETTINGS = {"keystore": {"cache_positive": "1s", "cache_negative": "1s"}}


def protected(site, person):
    """What came out is one copy, encrypted and signed; the way is free for the next."""
    opened = opened_by(site, person, site.arrived(1)[0])
    assert opened.layers and opened.signers == [ALICE], opened
    site.empty_out()


def send(site, person, text="secret\n", subject="x"):
    site.submit(ALICE, person.address, message(ALICE, person.address, subject, text))


@contextlib.contextmanager
def tiny_disk(folder):
    """A file system of 1 MB in the place of this folder."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def can_mount(folder):
    try:
        with tiny_disk(folder):
            return True
    except subprocess.CalledProcessError:
        return False


def disk_full(site):
    spool = site.sealpost.folder / "spool"
    large = message(ALICE, cast.SOFIA.address, "x", "z" * 70 + "\n")
    large.add_attachment(b"0123456789" * 500_000, "application", "octet-stream", filename="a")
    with tiny_disk(spool):
        code, text = refused(site.submit, ALICE, cast.SOFIA.address, large)
        assert code in (451, 452), (code, text)
        nothing_left(site)
        send(site, cast.SOFIA, "small\n")  # needs no file
        site.arrived(1)
        site.empty_out()
    site.submit(ALICE, cast.SOFIA.address, large)
    protected(site, cast.SOFIA)


def nothing_left(site):
    assert not site.postfix.in_queue() and not site.outbox.copies()


def reloaded(site, words):
    """SIGHUP, and what the log says then."""
    before = len(site.sealpost.gateway_log())
    site.sealpost.gateway.signal(signal.SIGHUP)
    wait_for(lambda: words in site.sealpost.gateway_log()[before:], 60, f"'{words}' in the log")


with script() as tap, tap.site(settings=SETTINGS) as site:
    with tap.case("directory down: 451 4.4.3 for whoever needs it, nothing leaves"):
        site.slapd.stop()
        code, text = refused(send, site, cast.SOFIA)
        assert code == 451 and text.startswith("4.4.3"), (code, text)
        code, text = refused(send, site, cast.OTTO)
        assert code == 451 and text.startswith("4.4.3"), (code, text)
        nothing_left(site)

    with tap.case("... a message for several of whom one needs it waits as a whole"):
        both = [cast.PETER.address, cast.SOFIA.address]
        code, _ = refused(site.submit, ALICE, both, message(ALICE, ", ".join(both), "x", "y\n"))
        assert code == 451, code
        nothing_left(site)

    with tap.case("... and after the directory is back it goes through"):
        site.slapd.start()
        accepted(send, site, cast.SOFIA)
        protected(site, cast.SOFIA)

    with tap.case("a broken policy at SIGHUP: refused with file and line, the old one stays"):
        good = site.sealpost.policy.read_text()
        site.sealpost.set_policy(good + "outgoing requier smime\n")
        reloaded(site, f"sealpost.policy:{good.count(chr(10)) + 1}:")
        send(site, cast.SOFIA)
        protected(site, cast.SOFIA)

    with tap.case("a good one: in force from the next message on"):
        site.sealpost.set_policy('internal domains "firma.example"\noutgoing reject "closed today"\n')
        reloaded(site, RELOADED)
        code, text = refused(send, site, cast.SOFIA)
        assert code == 550 and "closed today" in text, (code, text)
        site.sealpost.set_policy(good)
        reloaded(site, RELOADED)
        send(site, cast.SOFIA)
        protected(site, cast.SOFIA)

    with tap.case("a broken sealpost.conf at SIGHUP: the same"):
        conf = site.sealpost.conf.read_text()
        site.sealpost.conf.write_text(conf + "\n[gateway]\nlisten_too = yes\n")
        reloaded(site, "listen_too")
        site.sealpost.conf.write_text(conf)
        send(site, cast.SOFIA)
        protected(site, cast.SOFIA)

    with tap.case("what only a restart takes is said at SIGHUP, and all else is taken"):
        site.sealpost.set("gateway", listen="unix:/nowhere.sock", journal="state/elsewhere.db")
        reloaded(site, RELOADED)
        log = site.sealpost.gateway_log()
        for words in ("[gateway] listen has changed", "[gateway] journal has changed"):
            assert log.count(words) == 1, words
        send(site, cast.SOFIA)
        protected(site, cast.SOFIA)
        site.sealpost.conf.write_text(conf)
        reloaded(site, RELOADED)

    FULL = "disk full while spooling: 452 or 451, and then all is well again"
    if can_mount(site.folder / "log"):
        with tap.case(FULL):
            disk_full(site)
    else:
        tap.skip(FULL, "file systems cannot be mounted here")

    with tap.case("an unreadable store is no empty store: 451"):
        database = site.sealpost.folder / "state" / "keystore.db"
        hidden = database.with_suffix(".away")
        site.sealpost.gateway.stop()
        database.rename(hidden)
        database.write_bytes(b"this is not a database" * 1000)
        try:
            site.sealpost.start_gateway()
        except Exception:
            pass  # it may refuse to start: then Postfix answers 451
        code, _ = refused(send, site, cast.PETER)
        assert code == 451, code
        nothing_left(site)
        site.sealpost.gateway.stop()
        hidden.rename(database)

    with tap.case("no gateway: 451, Postfix takes nothing"):
        code, text = refused(send, site, cast.OTTO)
        assert code == 451, (code, text)
        nothing_left(site)

    with tap.case("started with standard input, output and error closed: no file takes their place"):
        gateway = site.sealpost.start_gateway(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"])
        taken = [os.readlink(f"/proc/{gateway.pid}/fd/{number}") for number in range(3)]
        assert taken == ["/dev/null"] * 3, taken
        gateway.stop()

    with tap.case("the gateway is back: mail flows"):
        site.sealpost.start_gateway()
        send(site, cast.PETER)
        protected(site, cast.PETER)

    with tap.case("a key that is deleted leaves the running gateway, too"):
        kept = site.sealpost.runtime / "gnupg" / "private-keys-v1.d"
        before = len(list(kept.iterdir()))
        found = json.loads(site.sealpost.run("key", "list", "--json", ALICE).stdout)
        secret = [key["id"] for key in found if key["type"] == "pgp" and key["private"]]
        assert len(secret) == 1 and before > 0, (found, before)
        site.sealpost.run("key", "delete", secret[0])
        wait_for(lambda: not list(kept.iterdir()), 60, "the secret key's files to go")
        send(site, cast.PETER)
        opened = opened_by(site, cast.PETER, site.arrived(1)[0])
        assert opened.layers and opened.signers == [], opened
        site.empty_out()

    with tap.case("a second gateway in the same runtime folder does not start, and harms nobody"):
        done = run([BUILD / "gateway/sealpost-gateway", "--config", site.sealpost.conf],
                   check=False, timeout=60)
        assert done.returncode == 78, (done.returncode, done.stderr)
        assert b"runtime_folder: another sealpost-gateway" in done.stderr, done.stderr
        send(site, cast.SOFIA)
        protected(site, cast.SOFIA)

    with tap.case("a message's time of minutes, as tests have it, is warned of at the start"):
        assert "[gateway] message_time: over 10 seconds" in site.sealpost.gateway_log()

    with tap.case("a socket that nobody could enter or that is taken, an unknown setting or level, a listener by a name: "
                  "refused, with the setting's name"):
        text = site.sealpost.conf.read_text()
        other = site.sealpost.conf.with_name("other.conf")
        for mode in ("rw", "0888", "0", "-1", "01777"):
            other.write_text(re.sub(r"(?m)^socket_mode = .*$", f"socket_mode = {mode}", text))
            done = run([BUILD / "gateway/sealpost-gateway", "--config", other], check=False, timeout=60)
            assert done.returncode == 78 and b"socket_mode" in done.stderr, (mode, done.stderr)
        other.write_text(text + "\n[gateway]\nmesage_limit = 5M\n")
        done = run([BUILD / "gateway/sealpost-gateway", "--config", other], check=False, timeout=60)
        assert done.returncode == 78 and b"[gateway] mesage_limit: unknown setting" in done.stderr, done.stderr
        other.write_text(f"{text}\n[gateway]\nruntime_folder = other\nlisten = inet:127.0.0.1:{site.smtp_port}\n")
        done = run([BUILD / "gateway/sealpost-gateway", "--config", other], check=False, timeout=60)
        assert done.returncode == 78 and b"[gateway] listen: " in done.stderr, done.stderr
        assert b": Address already in use" in done.stderr, done.stderr
        other.write_text(text + "\n[sealpost]\nlog_level = verbose\n")
        done = run([BUILD / "cli/sealpost", "explain", "--config", other, "--from", ALICE, "--to", ALICE],
                   stdin=b"", check=False, timeout=60)
        assert done.returncode == 78 and b'[sealpost] log_level: "verbose" is none of' in done.stderr, done.stderr
        other.write_text(re.sub(r"(?m)^resubmit = .*$", "resubmit = inet:mail.example:10026", text))
        done = run([BUILD / "cli/sealpost", "explain", "--config", other, "--from", ALICE, "--to", ALICE],
                   stdin=b"", check=False, timeout=60)
        assert done.returncode == 78 and b"[mta] resubmit: " in done.stderr, done.stderr
        other.write_text(text + "\n[gateway]\nruntime_folder = other\n[portal]\nsender = Portal\n")
        done = run([BUILD / "gateway/sealpost-gateway", "--config", other], check=False, timeout=60)
        assert done.returncode == 78 and b'[portal] sender: "Portal" is no address' in done.stderr, done.stderr

    with tap.case("SIGTERM ends it with status 0"):
        assert site.sealpost.gateway.stop() == 0
