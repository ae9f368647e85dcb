# SPDX-License-Identifier: Apache-2.0
"""Programs that belong to a site: started in order, watched, and stopped by their process id.

Nothing survives us: children get SIGTERM from the kernel should we be killed, and the signals
that end us become an exception, so that every `with` and `finally` on the way out is run.
"""
import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """Something of the site does not work; the text is for the person who started it."""


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP came."""


def _raise_stopped(signum, _frame):
    signal.signal(signum, signal.SIG_IGN)
    raise Stopped(signal.Signals(signum).name)


def catch_signals():
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _raise_stopped)


def _ignore_signals():
    """For the time of cleaning up: a second Ctrl-C must not leave half of it running."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)


def run(argv, *, stdin=None, check=True, env=None, cwd=None, timeout=300):
    """Runs a program to its end; gives the CompletedProcess with bytes, or Failed with its words."""
    done = subprocess.run([str(part) for part in argv], input=stdin, capture_output=True,
                          env=env, cwd=cwd, timeout=timeout, check=False,
                          **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
    if check and done.returncode != 0:
        words = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
        raise Failed(f"{' '.join(map(str, argv))}: exit status {done.returncode}: {words}")
    return done


def wait_for(condition, seconds, what):
    """Calls condition() until it gives something true, and gives that back."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def port_answers(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=30).close()
        return True
    except OSError:
        return False


def socket_answers(path):
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
        return True
    except OSError:
        return False


class Child:
    """One running program, its output in a log file."""

    def __init__(self, name, argv, log, *, env=None, ready=None, seconds=120):
        self.name, self.argv, self.log, self.env = name, [str(a) for a in argv], log, env
        self._ready, self._seconds = ready, seconds
        self.process = None

    def start(self):
        parent = os.getpid()

        def in_child():
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)
            os.setsid()

        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=self.env, preexec_fn=in_child)
        if self._ready:
            wait_for(self._up, self._seconds, f"{self.name} (see {self.log})")
        return self

    def _up(self):
        if self.process.poll() is not None:
            with open(self.log, "rb") as log:
                words = log.read()[-600:].decode("utf-8", "replace").strip()
            raise Failed(f"{self.name} ended at once, exit status {self.process.returncode}: {words}")
        return self._ready()

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, signum):
        self.process.send_signal(signum)

    def kill(self):
        """As a crash would end it."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=60):
        """Gives the exit status; None where it had to be killed."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


class Children:
    """All programs of a site; close() stops them, last started first."""

    def __init__(self):
        self._children = []
        self.statuses = []  # (name, exit status) of those that close() has ended

    def add(self, child):
        self._children.append(child)  # before the start: a start that fails is cleaned up too
        return child.start()

    def close(self):
        _ignore_signals()
        for child in reversed(self._children):
            if child.running():
                self.statuses.append((child.name, child.stop()))
        self._children.clear()
