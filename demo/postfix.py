# SPDX-License-Identifier: Apache-2.0
"""A private Postfix, configured by what doc/postfix.md says.

The fenced blocks of that document are the configuration; only ports, folders and names are put
in here. Queue and data stand in the site's folder; the machine's own Postfix is not touched.
"""
import contextlib
import os
import re
import shutil
from pathlib import Path

from .process import Child, Failed, port_answers, run, wait_for

DOCUMENT = Path(__file__).resolve().parent.parent / "doc" / "postfix.md"
SOCKET = "unix:/run/sealpost/milter.sock"
DKIM = "inet:127.0.0.1:8891"
TABLES = ("sealpost_route", "sealpost_strip", "sender_logins")

# What every Postfix has in its master.cf (Debian's default, unchrooted; pickup looks more often).
SERVICES = """\
pickup     unix  n  -  n  5     1  pickup
cleanup    unix  n  -  n  -     0  cleanup
qmgr       unix  n  -  n  300   1  qmgr
tlsmgr     unix  -  -  n  1000? 1  tlsmgr
rewrite    unix  -  -  n  -     -  trivial-rewrite
verify     unix  -  -  n  -     1  verify
flush      unix  n  -  n  1000? 0  flush
proxymap   unix  -  -  n  -     -  proxymap
smtp       unix  -  -  n  -     -  smtp
relay      unix  -  -  n  -     -  smtp
showq      unix  n  -  n  -     -  showq
error      unix  -  -  n  -     -  error
retry      unix  -  -  n  -     -  error
discard    unix  -  -  n  -     -  discard
local      unix  -  n  n  -     -  local
virtual    unix  -  n  n  -     -  virtual
lmtp       unix  -  -  n  -     -  lmtp
anvil      unix  -  -  n  -     1  anvil
scache     unix  -  -  n  -     1  scache
postlog    unix-dgram n - n -   1  postlogd
"""


def blocks(document=DOCUMENT):
    """{info word of a fenced block: its text}."""
    text = document.read_text("utf-8")
    return dict(re.findall(r"^```(\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def _settings(text):
    """main.cf as a dictionary; continuation lines joined."""
    joined = re.sub(r"\n[ \t]+", " ", re.sub(r"(?m)^#.*\n", "", text))
    pairs = (line.split("=", 1) for line in joined.splitlines() if line.strip())
    return {name.strip(): value.strip() for name, value in pairs}


class Postfix:
    """One instance. `ports` has smtp, submission, resubmit and incoming; start() returns when it answers."""

    def __init__(self, folder, log, ports, children):
        self.folder, self.log = Path(folder).resolve(), log
        self.ports, self._children = ports, children
        self.config = self.folder / "etc"
        self.queue = self.folder / "queue"
        self._child = None

    def configure(self, milter, dkim="", settings=None):
        """milter and dkim: where these listen, in main.cf's words ("" for none). settings: what
        this site has otherwise."""
        for folder in (self.config, self.queue, self.folder / "data"):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(self.folder / "data", "postfix")
        text = blocks()
        main = _settings(self._placed(text["main.cf"]))
        main.update({"sealpost_milter": milter, "dkim_milter": dkim, "scanner_milter": ""})
        main.update(self._private())
        main.update(settings or {})
        self._write("main.cf", "".join(f"{n} = {v}\n" for n, v in main.items()))
        self._write("master.cf", SERVICES + self._services(text["master.cf"]))
        for table in TABLES:
            self._write(table, text[table])

    def _private(self):
        """What keeps this instance apart from the machine's own and from the world."""
        return {"compatibility_level": "3.6", "queue_directory": self.queue,
                "data_directory": self.folder / "data", "maillog_file": self.log,
                "maillog_file_prefixes": "/", "inet_interfaces": "127.0.0.1",
                "inet_protocols": "ipv4",
                "mydestination": "", "alias_maps": "", "alias_database": "",
                "local_recipient_maps": "", "mynetworks": "127.0.0.0/8",
                "smtp_dns_support_level": "disabled", "smtp_host_lookup": "native",
                "import_environment": "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ",
                "default_process_limit": "20", "smtpd_client_connection_rate_limit": "0",
                "smtpd_peername_lookup": "no", "biff": "no", "enable_long_queue_ids": "yes",
                "queue_run_delay": "3s", "minimal_backoff_time": "3s", "maximal_backoff_time": "6s",
                "smtpd_authorized_xclient_hosts": "127.0.0.1"}

    def _placed(self, text):
        return text.replace("/etc/postfix/", f"{self.config}/")

    def _services(self, text):
        listeners = {"smtp": "smtp", "submission": "submission", "127.0.0.1:10026": "resubmit",
                     "127.0.0.1:10027": "incoming"}
        for word, name in listeners.items():
            text, count = re.subn(rf"(?m)^{re.escape(word)}(?=\s+inet\s)",
                                  f"127.0.0.1:{self.ports[name]}", text)
            if count != 1:
                raise Failed(f"{DOCUMENT.name} has no listener {word}")
        return self._placed(text)

    def _write(self, name, text):
        (self.config / name).write_text(text, "utf-8")

    def start(self):
        run(["postfix", "-c", self.config, "check"])
        daemons = run(["postconf", "-c", self.config, "-h", "daemon_directory"]).stdout.decode().strip()
        self._child = self._children.add(Child(
            "postfix", [daemons + "/master", "-c", self.config], self.folder / "master.out",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG": str(self.config)},
            ready=self._answers))

    def _answers(self):
        return all(port_answers(self.ports[name]) for name in self.ports)

    def stop(self):
        self._child.stop()

    def reload(self):
        """In force when it returns: `postfix reload` only asks for it, and until the processes of before
        have ended, one of them may still take a message by the old tables."""
        before = self._processes()
        run(["postfix", "-c", self.config, "reload"])
        wait_for(lambda: not before & self._processes(), 60, "Postfix's processes to end that have the old tables")

    def _processes(self):
        """What the master runs, as process ids."""
        found = set()
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                if path.read_bytes().rpartition(b")")[2].split()[1] == b"%d" % self._child.pid:
                    found.add(path.parent.name)
        return found

    def sendmail(self, sender, recipients, content):
        """As a program of this machine would send, by sendmail(1)."""
        run(["sendmail", "-C", self.config, "-i", "-f", sender, *recipients], stdin=content)

    def log_text(self):
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def in_queue(self):
        """Names of the messages that wait anywhere in the queue, the pickup's folder included. "active"
        twice: a message may go from "deferred" to it while we look."""
        folders = ("maildrop", "incoming", "active", "deferred", "active", "hold")
        return [path.name for folder in folders for path in (self.queue / folder).rglob("*")
                if path.is_file()]

    def wait_empty(self, seconds=120):
        wait_for(lambda: not self.in_queue(), seconds, "Postfix's queue to become empty")

    def flush(self):
        run(["postqueue", "-c", self.config, "-f"])

    def drop_queue(self):
        run(["postsuper", "-c", self.config, "-d", "ALL"])


def installed():
    return shutil.which("postfix") is not None


def stop_leftover(folder):
    """Ends a master that an earlier run in this folder has left behind (it was killed hard)."""
    lock = Path(folder).resolve() / "queue" / "pid" / "master.pid"
    try:
        pid = int(lock.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    if os.fsencode(Path(folder).resolve() / "etc") in command:
        os.kill(pid, 15)
        wait_for(lambda: not Path(f"/proc/{pid}").exists(), 10, "an earlier Postfix to end")
