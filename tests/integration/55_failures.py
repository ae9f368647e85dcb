# SPDX-License-Identifier: Apache-2.0
"""Failures of ours while mail comes in and goes out: the client is told to try again, nothing is lost
or leaves twice or in the clear, and the same message goes through when the failure is over."""
import contextlib
import os
import signal
import smtplib
import socket
import subprocess
import threading
import time
from pathlib import Path

import foreign
from lib import ALICE, BOSS, PATIENCE, accepted, copy_for, refused, script, stranger

from demo import people as cast
from demo.process import run, wait_for
from demo.site import as_bytes, message

SOFIA, PETER = cast.SOFIA.address, cast.PETER.address
POLICY = f"""internal domains "firma.example"
outgoing require smime, pgp
copy outgoing subject has "[archive]" to "{BOSS}"
copy incoming subject has "[archive]" to "{BOSS}"
"""
SECRET = b"Geheimnis"
GARBAGE = b"\x30\x84\xff\xff\xff\xff\x00HTTP/1.1 400 \xff\xfe" * 40 + b"\r\n"


class Between:
    """Stands before a server. mode: "pass", "silent" (takes the connection, says nothing),
    "garbage" (other words than the server's), "close", "421", "once" (the next connection passes,
    then "close")."""

    def __init__(self):
        self.mode, self.target, self.seen = "pass", None, 0
        self._open = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def become(self, mode):
        """From now on; connections that were kept open are cut."""
        self.mode = mode
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def _serve(self):
        while True:
            client, _ = self._listener.accept()
            self.seen += 1
            self._open.append(client)
            mode = self.mode
            if mode == "once":
                mode, self.mode = "pass", "close"
            threading.Thread(target=self._one, args=(client, mode), daemon=True).start()

    def _one(self, client, mode):
        with client, contextlib.suppress(OSError):
            if mode == "pass":
                with socket.create_connection(("127.0.0.1", self.target)) as server:
                    back = threading.Thread(target=pump, args=(server, client), daemon=True)
                    back.start()
                    pump(client, server)
                    back.join()
            elif mode == "silent":
                while client.recv(4096):
                    pass
            elif mode in ("garbage", "421"):
                client.sendall(GARBAGE if mode == "garbage" else b"421 4.3.2 closing\r\n")
                client.recv(4096)


def pump(source, goal):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            goal.sendall(data)
        goal.shutdown(socket.SHUT_WR)


def sealed(site, kind, subject="x"):
    inner = foreign.entity(SECRET.decode() + "\n")
    if kind == "pgp":
        return foreign.mail(PETER, [ALICE], foreign.gpg_encrypted(site, PETER, [ALICE], inner), subject)
    return foreign.mail(SOFIA, [ALICE], foreign.openssl_encrypted(site, [ALICE], inner), subject)


def from_outside(site, content, recipients=(ALICE,)):
    """From a client at another address, as XCLIENT tells Postfix."""
    with stranger(site) as smtp:
        smtp.sendmail(SOFIA, recipients, as_bytes(content))


def deferred(site, call, *args, codes=(451, 452)):
    """It waits with its sender, and nowhere else; he was told so before the MTA's patience ended."""
    start = time.monotonic()
    code, text = refused(call, *args)
    assert time.monotonic() - start < 20, text
    assert code in codes and text.startswith("4."), (code, text)
    assert not site.postfix.in_queue() and not site.outbox.copies()


def arrives(site, content):
    """It goes through, opened, and once."""
    accepted(from_outside, site, content)
    assert SECRET in site.arrived(1)[0].content
    site.empty_out()


@contextlib.contextmanager
def patient(site):
    """What is sent in here has to go right at the first try, on a busy machine too."""
    def take(seconds):
        site.sealpost.set("gateway", message_time=seconds)
        before = site.sealpost.gateway_log().count("reloaded ")
        site.sealpost.gateway.signal(signal.SIGHUP)
        wait_for(lambda: site.sealpost.gateway_log().count("reloaded ") > before, 60, "the reload")
    take(PATIENCE)
    try:
        yield
    finally:
        take(SECONDS)


# What of the gateway's can fail while it runs

def agents(site):
    """The gpg-agents of the gateway's own GnuPG home."""
    home = os.fsencode(site.sealpost.runtime)
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes()
            if b"gpg-agent" in words and home in words:
                found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def stopped(site):
    pids = agents(site)
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def locked(database):
    """Another process holds all of SQLite's locks for readers and writers (its -shm file, bytes 120
    to 127: https://www.sqlite.org/walformat.html)."""
    code = ("import fcntl,sys\nf=open(sys.argv[1],'r+b')\n"
            "fcntl.lockf(f,fcntl.LOCK_EX,8,120)\nprint('held',flush=True)\nsys.stdin.read()")
    with subprocess.Popen(["python3", "-c", code, f"{database}-shm"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            holder.stdin.close()


@contextlib.contextmanager
def mounted(site, *words, over):
    """Only the gateway sees this mount: it runs in a name space of its own."""
    inside = ["nsenter", "-t", str(site.sealpost.gateway.pid), "-m"]
    subprocess.run([*inside, "mount", *words, over], check=True)
    try:
        yield
    finally:
        subprocess.run([*inside, "umount", "--lazy", over], check=True)


def incoming(site, tap):
    state = site.sealpost.folder / "state"
    for kind in ("smime", "pgp"):
        content = sealed(site, kind)
        with tap.case(f"{kind}: it opens"):
            arrives(site, content)
        with tap.case(f"{kind}: the store is locked: 451, then it goes through"):
            with locked(state / "keystore.db"):
                deferred(site, from_outside, site, content)
            arrives(site, content)
    pgp = sealed(site, "pgp")
    with tap.case("gpg-agent is killed: the next message is opened as if nothing had been"):
        with patient(site):
            for pid in agents(site):
                os.kill(pid, signal.SIGKILL)
            from_outside(site, pgp)
        assert SECRET in site.arrived(1)[0].content
        site.empty_out()
        assert agents(site)
    with tap.case("gpg-agent hangs: 451 in time, then it goes through"):
        with stopped(site):
            deferred(site, from_outside, site, pgp)
        arrives(site, pgp)
    with tap.case("GnuPG's folder is gone: it is made again"):
        home = site.sealpost.runtime / "gnupg"
        home.rename(home.with_suffix(".away"))
        arrives(site, pgp)


def incoming_mounts(site, tap):
    pgp, smime = sealed(site, "pgp"), sealed(site, "smime")
    runtime = str(site.sealpost.runtime)
    for name, words, over in (
            ("gpg is not there", ("--bind", "/dev/null"), "/usr/bin/gpg"),
            ("the runtime folder is full", ("-t", "tmpfs", "-o", "size=4k", "none"), runtime),
            ("the runtime folder is read-only", ("-t", "tmpfs", "-o", "ro", "none"), runtime)):
        with tap.case(f"{name}: PGP 451, S/MIME is opened or 451; then both go through"):
            with mounted(site, *words, over=over):
                deferred(site, from_outside, site, pgp)
                with contextlib.suppress(smtplib.SMTPResponseException):
                    from_outside(site, smime)
                    assert SECRET in site.arrived(1)[0].content
                site.empty_out()
            arrives(site, pgp)
            arrives(site, smime)


def outgoing(site, tap, resubmit, directory):
    def new():
        return message(ALICE, f"{SOFIA}, {PETER}", "x", SECRET.decode() + "\n")

    def send(content):
        site.submit(ALICE, [SOFIA, PETER], content)

    def both(content):
        accepted(send, content)
        copies = site.arrived(2)
        assert not any(SECRET in copy.content for copy in copies)
        assert copy_for(copies, SOFIA) and copy_for(copies, PETER)
        site.empty_out()

    def fails(server, mode):
        time.sleep(1.1)  # what was looked up is forgotten by then: SETTINGS
        server.become(mode)
        seen, content = server.seen, new()
        try:
            deferred(site, send, content)
            assert server.seen > seen
        finally:
            server.become("pass")
        both(content)
    for mode in ("close", "421", "garbage", "silent"):
        with tap.case(f"the resubmission listener, {mode}: 451, then each has one copy"):
            fails(resubmit, mode)
    for mode in ("close", "garbage", "silent"):
        with tap.case(f"the LDAP server, {mode}: 451, then each has one copy"):
            fails(directory, mode)
    with tap.case("the listener takes one copy and breaks off: the next try brings the other alone"):
        resubmit.become("once")
        content = new()
        with patient(site):
            code, _ = refused(send, content)
        assert code == 451, code
        assert len(site.arrived(1)) == 1
        resubmit.become("pass")
        both(content)
    with tap.case("the same with a copy rule: the archive's copy leaves first, and no second time"):
        resubmit.become("once")
        content = message(ALICE, f"{SOFIA}, {PETER}", "[archive]", SECRET.decode() + "\n")
        with patient(site):
            code, _ = refused(send, content)
        assert code == 451, code
        assert site.arrived(1)[0].recipients == [BOSS]
        resubmit.become("pass")
        accepted(send, content)
        served = [address for copy in site.arrived(3) for address in copy.recipients]
        assert sorted(served) == sorted([BOSS, SOFIA, PETER]), served
        site.empty_out()


def opened_and_archived(site, tap, resubmit):
    content = sealed(site, "smime", "[archive]")
    with tap.case("mail that is opened, with a copy rule: the archive's copy leaves first, shut"):
        resubmit.become("once")
        code, _ = refused(from_outside, site, content)
        assert code == 451, code
        copy = site.arrived(1)[0]
        assert copy.recipients == [BOSS] and SECRET not in copy.content
        resubmit.become("pass")
        accepted(from_outside, site, content)
        assert SECRET in copy_for(site.arrived(2), ALICE).content
        site.empty_out()


def many(site, tap):
    """Recipients whose keys are all at hand: each question to the store waits for its lock."""
    unknown = [f"nobody{number}@smime.example" for number in range(30)]
    content = message(ALICE, "many", "x", SECRET.decode() + "\n")
    with tap.case("the store is locked, a message for many: 451 in time"):
        assert refused(accepted, site.submit, ALICE, unknown, content)[0] == 550
        with locked(site.sealpost.folder / "state" / "keystore.db"):
            deferred(site, site.submit, ALICE, unknown, content)


def changed_plan(site, tap, resubmit):
    content = sealed(site, "smime")
    with tap.case("one copy of two left, then the key is gone and nothing is split any more: no second copy"):
        resubmit.become("once")
        with patient(site):
            code, _ = refused(from_outside, site, content, [ALICE, BOSS])
        assert code == 451, code
        first = site.arrived(1)[0].recipients
        resubmit.become("pass")
        cert = site.cabinet(cast.ALICE, "cert.pem")
        print_of = run(["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"]).stdout.decode()
        site.sealpost.run("key", "delete", print_of.split("=")[1].strip().replace(":", ""))
        accepted(from_outside, site, content, [ALICE, BOSS])
        copies = site.arrived(2)
        assert sorted(address for copy in copies for address in copy.recipients) == sorted([ALICE, BOSS]), first
        site.empty_out()


def in_name_space(site):
    """The gateway once more, where mounts are its own. FALSE: not possible here."""
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        return False
    site.sealpost.gateway.stop()
    site.sealpost.start_gateway(["unshare", "-m", "--propagation", "private"])
    return True


RESUBMIT, LDAP = Between(), Between()
SECONDS = "6s"
SETTINGS = {"gateway": {"message_time": SECONDS},
            "keystore": {"cache_positive": "1s", "cache_negative": "1s"},
            "mta": {"resubmit": f"inet:127.0.0.1:{RESUBMIT.port}",
                    "resubmit_incoming": f"inet:127.0.0.1:{RESUBMIT.port}"},
            "ldap demo": {"uri": f"ldap://127.0.0.1:{LDAP.port}"}}

with script() as tap, tap.site(people=cast.CAST, policy=POLICY, settings=SETTINGS,
                               portal=False) as site:
    RESUBMIT.target, LDAP.target = site.postfix.ports["resubmit"], int(site.slapd.url.rsplit(":")[-1].strip("/"))
    incoming(site, tap)
    outgoing(site, tap, RESUBMIT, LDAP)
    opened_and_archived(site, tap, RESUBMIT)
    many(site, tap)
    if in_name_space(site):
        incoming_mounts(site, tap)
    else:
        tap.skip("gpg missing, runtime folder full", "file systems cannot be mounted here")
    changed_plan(site, tap, RESUBMIT)
