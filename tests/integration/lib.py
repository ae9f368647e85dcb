# SPDX-License-Identifier: Apache-2.0
"""What the integration scripts share: TAP, and a site that is gone when the script ends.

    with script() as tap, tap.site() as site:
        with tap.case("what must hold"):
            ...an assert or exception in here is a failed test, with the site's logs shown
"""
import contextlib
import os
import re
import shutil
import smtplib
import ssl
import sys
import tempfile
import time
import traceback
from pathlib import Path

SRC = Path(os.environ.get("srcdir", Path(__file__).resolve().parents[2])).resolve()
BUILD = Path(os.environ.get("builddir", SRC / "build"))
sys.path.insert(0, str(SRC))
os.environ.setdefault("LSAN_OPTIONS",
                      f"suppressions={SRC}/tests/integration/leaks.supp:print_suppressions=0")

from demo import people, postfix  # noqa: E402
from demo.opening import Opener  # noqa: E402
from demo.pki import Authority  # noqa: E402
from demo.process import Stopped, catch_signals  # noqa: E402
from demo.sealpost import Sealpost  # noqa: E402
from demo.site import Site  # noqa: E402

ALICE, BOSS = people.ALICE.address, people.BOSS.address
LOG_LINES = 25
# What one message may take, where its limit is not what is tested: each explain has to start a new gpg-agent.
PATIENCE = "60s"


class Office:
    """An installation for the `sealpost` command alone: no MTA, no daemon; keys of some people."""

    def __init__(self, folder, policy, *staff):
        self.folder = Path(folder)
        self.authority = Authority(self.folder / "ca")
        self.cabinet = people.Cabinet(self.folder / "people", self.authority)
        self.cabinet.furnish(staff)
        self.sealpost = Sealpost(BUILD, self.folder / "sealpost", self.folder, self.folder / "log",
                                 None)
        self.sealpost.init("firma.example")
        self.sealpost.set("gateway", message_time=PATIENCE)
        self.sealpost.set_policy(policy)
        self.sealpost.run("key", "import", "--trusted", self.authority.root)
        self.sealpost.run("key", "import", self.authority.intermediate)

    def take_keys(self, person, *names):
        """Imports these files of a person's, those that there are."""
        files = [self.cabinet(person, name) for name in names]
        self.sealpost.run("key", "import", *[file for file in files if Path(file).exists()])


class Tap:
    def __init__(self):
        self._count = self._failed = 0
        self._sites = []

    @contextlib.contextmanager
    def case(self, name):
        """One test: ok if the block ends, not ok if it raises."""
        self._count += 1
        try:
            yield
        except Exception:
            self._failed += 1
            print(f"not ok {self._count} - {name}")
            self._comment(traceback.format_exc())
            self._show_logs()
            for site in self._sites:
                if site.running:
                    site.start_over()
        else:
            print(f"ok {self._count} - {name}")
        sys.stdout.flush()

    def skip(self, name, why):
        self._count += 1
        print(f"ok {self._count} - {name} # SKIP {why}", flush=True)

    @contextlib.contextmanager
    def site(self, build=BUILD, settings=None, **options):
        """A running site. On a machine with much else to do the gateway may take its time here;
        the limits themselves have tests of their own."""
        settings = {"gateway": {"message_time": PATIENCE}, **(settings or {})}
        folder = tempfile.mkdtemp(prefix="sealpost-test-", dir="/tmp")
        try:
            with Site(folder, build, settings=settings, **options) as site:
                self._sites.append(site)
                yield site
            if build:
                with self.case("the daemons end when told, and have nothing to complain of"):
                    self._ended_well(site)
        finally:
            if self._failed and os.environ.get("SEALPOST_KEEP"):
                self._comment(f"kept: {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)

    @staticmethod
    def _ended_well(site):
        for name, status in site.children.statuses:
            assert status == 0 or name not in ("gateway", "portal"), f"{name} ended with {status}"
        for path in site.log.iterdir():
            found = re.search(r".*(Sanitizer|runtime error:|-CRITICAL|panic:).*",
                              path.read_text("utf-8", "replace"))
            assert not found, f"{path.name}: {found.group(0)}"

    @staticmethod
    def _comment(text):
        for line in text.splitlines():
            print("# " + line)

    def _show_logs(self):
        for site in self._sites:
            for path in sorted(site.log.iterdir()):
                self._comment(f"{site.domain}: {path.name}:")
                lines = path.read_text("utf-8", "replace").splitlines()
                self._comment("\n".join(lines[-LOG_LINES:]))

    def finish(self):
        print(f"1..{self._count}")
        return 1 if self._failed or not self._count else 0


@contextlib.contextmanager
def script():
    """The frame of every script: plan line, exit status, signals, and what it cannot run without."""
    catch_signals()
    if os.getuid() != 0 or not postfix.installed():
        print("1..0 # SKIP a private Postfix needs root and the package postfix")
        sys.exit(0)
    tap = Tap()
    try:
        yield tap
    except Stopped as reason:
        print(f"Bail out! {reason}")
        sys.exit(1)
    except Exception:
        with tap.case("the site starts and stops"):
            raise
    sys.exit(tap.finish())


def copy_for(copies, recipient):
    """The one copy for this recipient."""
    address = getattr(recipient, "address", recipient)
    found = [copy for copy in copies if address in copy.recipients]
    assert len(found) == 1, f"{len(found)} copies for {address}"
    return found[0]


def accepted(call, *args, seconds=120, **kwargs):
    """As an MTA would: tries again while the answer is a temporary refusal."""
    end = time.monotonic() + seconds
    while True:
        try:
            return call(*args, **kwargs)
        except smtplib.SMTPResponseException as error:
            if error.smtp_code // 100 != 4 or time.monotonic() > end:
                raise
            time.sleep(0.5)


def refused(call, *args, **kwargs):
    """The reply of a server that must refuse: (code, text)."""
    try:
        call(*args, **kwargs)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, error.smtp_error
    else:
        raise AssertionError("it was accepted")
    return code, text.decode("utf-8", "replace")


@contextlib.contextmanager
def stranger(site, tls=None):
    """A client at another address, as XCLIENT tells Postfix; tls: the version that it speaks."""
    with smtplib.SMTP("127.0.0.1", site.smtp_port, timeout=120) as smtp:
        smtp.ehlo()
        code, text = smtp.docmd("XCLIENT", "ADDR=192.0.2.66 NAME=mx.stranger.example")
        assert code == 220, (code, text)
        smtp.ehlo_resp = smtp.helo_resp = None
        smtp.ehlo()
        if tls:
            context = ssl.create_default_context(cafile=str(site.authority.root))
            context.check_hostname = False
            context.minimum_version = context.maximum_version = tls
            smtp.starttls(context=context)
            smtp.ehlo()
        yield smtp


def opened_by(site, recipient, copy, layers=None):
    """The copy, opened with the recipient's keys; the employees' PGP keys are at hand."""
    address = getattr(recipient, "address", recipient)
    with Opener(site.cabinet, address, [ALICE, BOSS]) as opener:
        return opener.open(copy.content, layers)
