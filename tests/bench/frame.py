# SPDX-License-Identifier: Apache-2.0
"""What the benches share: one Postfix with a listener per milter, smtp-source and smtp-sink around
it, and what the kernel says of the gateway's time and memory."""
import collections
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SRC = Path(os.environ.get("srcdir", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("builddir", SRC / "build"))
sys.path.insert(0, str(SRC))

from demo.people import ALICE  # noqa: E402
from demo.ports import Ports  # noqa: E402
from demo.process import Child, port_answers, run, socket_answers  # noqa: E402

ROUNDS = 5
# Bytes, and messages in a run: enough to take seconds, for what is shorter says more about how it
# began and ended.
SIZES = {"4 KB": (4 << 10, 2000), "100 KB": (100 << 10, 1200), "5 MB": (5 << 20, 80)}
POSTFIX = {"default_process_limit": "200", "message_size_limit": "262144000"}
TICKS = os.sysconf("SC_CLK_TCK")


def base64_text(size):
    """About that many bytes of base64, as in an attachment."""
    return subprocess.run(["base64", "-w", "76"], input=os.urandom(size * 3 // 4 * 74 // 76),
                          capture_output=True, check=True).stdout


# Messages per second that were accepted, and that went through to the last delivery; milliseconds
# of CPU for one.
Run = collections.namedtuple("Run", ("accepted", "through", "cpu"))


class Process:
    """CPU and memory of a running program, as the kernel counts them."""

    def __init__(self, pid):
        self.pid = pid

    def cpu(self):
        """Seconds that it has used, from the clock that the kernel has for each process: the ticks
        in /proc are too coarse for threads that run for a part of one."""
        return time.clock_gettime(~self.pid << 3 | 2)

    def _status(self, key):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise KeyError(key)

    def reset_peak(self):
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self._status("VmRSS")

    def peak(self):
        return self._status("VmHWM")


class Bench:
    def __init__(self, site, children, scale):
        self.site, self.children, self.scale = site, children, scale
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=site.folder))
        self.short = Path(tempfile.mkdtemp(prefix="spb-", dir="/tmp"))
        self.short.chmod(0o711)
        self.listeners, self.ports = {}, Ports()

    def __enter__(self):
        try:
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _prepare(self):
        sink_port, ports = self.ports.next(), {}
        self.children.add(Child("smtp-sink", ["smtp-sink", "-u", "postfix", f"127.0.0.1:{sink_port}", "256"],
                                self.folder / "sink.log", ready=lambda: port_answers(sink_port)))
        for name, flags in (("echo", ()), ("read", ("--read",))):
            path = self.short / f"{name}.sock"
            self.children.add(Child(name, [BUILD / "tests/bench/echo_milter", *flags, f"unix:{path}"],
                                    self.folder / f"{name}.log", ready=lambda p=path: socket_answers(p)))
            path.chmod(0o666)
        for name in ("alone", "echo", "read"):
            ports[name] = self.ports.next()
        self._listen(ports, sink_port)
        self.listeners = dict(ports, gateway=self.site.smtp_port)

    def _listen(self, ports, sink_port):
        config = self.site.postfix.config
        with open(config / "master.cf", "a", encoding="ascii") as master:
            for name, port in ports.items():
                milter = "" if name == "alone" else f"unix:{self.short}/{name}.sock"
                master.write(f"127.0.0.1:{port} inet n - n - - smtpd\n"
                             f"  -o smtpd_milters={milter}\n")
        self.site.add_route("bench.example", sink_port)
        for port in ports.values():
            while not port_answers(port):
                time.sleep(0.1)

    def _cpu(self):
        """Seconds that everything under us has used: Postfix, milters, smtp-source and -sink, and
        the gateway's gpg-agent, which is nobody's child."""
        tree, mark, ours = {}, os.fsencode(self.site.sealpost.runtime), {os.getpid()}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                stat = (path / "stat").read_text().rsplit(")", 1)[1].split()
                if mark in (path / "cmdline").read_bytes():
                    ours.add(int(path.name))
                used = Process(int(path.name)).cpu()
            except OSError:
                continue  # it has just ended
            children = (int(stat[13]) + int(stat[14])) / TICKS  # those that have ended
            tree[int(path.name)] = (int(stat[1]), used + children)
        while found := {pid for pid, (parent, _) in tree.items() if parent in ours} - ours:
            ours |= found
        return sum(tree[pid][1] for pid in ours) - time.process_time()

    def send(self, listener, recipient, path, count, sessions, sender=ALICE.address):
        """Sends so many messages: a Run."""
        before, start = self._cpu(), time.monotonic()
        run(["smtp-source", "-s", sessions, "-m", count, "-f", sender, "-t", recipient,
             "-F", path, f"inet:127.0.0.1:{self.listeners[listener]}"], timeout=900)
        accepted = time.monotonic() - start
        self.site.postfix.wait_empty(300)
        through = time.monotonic() - start
        return Run(count / accepted, count / through, (self._cpu() - before) * 1000 / count)

    def count(self, count, least):
        """How many messages a run has, of those that a whole bench would send."""
        return max(least, int(count * self.scale))

    def compare(self, jobs, count, sessions):
        """jobs: {name: (listener, recipient, message, sender)}. They take turns, so that a machine
        that slows down slows all. {name: [Run, per round]}."""
        runs = {name: [] for name in jobs}
        for listener, recipient, path, sender in jobs.values():
            self.send(listener, recipient, path, sessions, sessions, sender)
        for _ in range(ROUNDS):
            for name, (listener, recipient, path, sender) in jobs.items():
                runs[name].append(self.send(listener, recipient, path, count, sessions, sender))
        return runs

    def growth(self, recipient, path, count):
        """MB by which the gateway's peak exceeds what it had, over so many messages at once."""
        gateway = Process(self.site.sealpost.gateway.pid)
        before = gateway.reset_peak()
        self.send("gateway", recipient, path, count, count)
        return (gateway.peak() - before) / 1024

    def __exit__(self, *_):
        self.children.close()
        self.ports.close()
        subprocess.run(["rm", "-rf", self.short], check=False)


def show(runs, yardstick):
    """The median of each, and the median of the ratios to the yardstick, round by round. The ratio
    of CPU is what the throughput's would be on a machine with nothing else to do."""
    print(f"  {'':16}   accepted              through              CPU")
    for name, values in runs.items():
        pairs = list(zip(values, runs[yardstick]))
        accepted, through, cpu = (statistics.median(run[at] for run in values) for at in range(3))
        ratios = [statistics.median(ours[at] / theirs[at] for ours, theirs in pairs) for at in range(3)]
        print(f"  {name:16} {accepted:7.1f} msg/s {ratios[0]:5.2f} {through:9.1f} msg/s {ratios[1]:5.2f} "
              f"{cpu:8.2f} ms {1 / ratios[2]:5.2f}   x {yardstick}", flush=True)
