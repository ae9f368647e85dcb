#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: what protecting mail costs, as ratios within one run. It measures and judges nothing.

smtp-source -> one Postfix -> smtp-sink, all milters over Unix sockets. The same Postfix has one
listener per milter: none, the body-replacing milter (echo), a milter that only reads, the gateway.
Runs of all of them alternate, so that a machine that slows down slows all; the median counts.

    make bench                          everything
    make bench BENCHFLAGS="--quick"     fewer messages
"""
import argparse
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

from demo.people import ALICE, CARL, Person  # noqa: E402
from demo.ports import Ports  # noqa: E402
from demo.process import Child, Children, catch_signals, port_answers, run, socket_answers  # noqa: E402
from demo.site import Site  # noqa: E402

SESSIONS = 10
ROUNDS = 3
SIZES = {"4 KB": (4 << 10, 600), "100 KB": (100 << 10, 300), "5 MB": (5 << 20, 20)}
SMIME = Person("smime@bench.example", "Bench Smime", smime="rsa:2048")
PGP = Person("pgp@bench.example", "Bench Pgp", pgp=True)
WAYS = {"smime": SMIME.address, "pgp": PGP.address, "sign": "sign@bench.example",
        "plain": "plain@bench.example"}
POLICY = """\
internal domains "firma.example"

outgoing to "smime@bench.example"  require smime
outgoing to "pgp@bench.example"    require pgp
outgoing to "sign@bench.example"   plain sign
outgoing to "plain@bench.example"  plain
"""
TICKS = os.sysconf("SC_CLK_TCK")


def write_message(path, size):
    """Base64 text of about that size, as an attachment is; addresses as smtp-source gives them."""
    head = (f"From: {ALICE.address}\r\nTo: someone@bench.example\r\nSubject: bench\r\n"
            "Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <bench@firma.example>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n")
    encoded = subprocess.run(["base64", "-w", "76"], input=os.urandom(size * 3 // 4 * 74 // 76),
                             capture_output=True, check=True).stdout
    path.write_bytes(head.replace("\r\n", "\n").encode() + encoded)


class Process:
    """CPU and memory of a running program, as the kernel counts them."""

    def __init__(self, pid):
        self.pid = pid

    def cpu(self):
        """Seconds of it and of the children that it has waited for."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / TICKS

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

    def prepare(self):
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
        with open(config / "transport", "a", encoding="ascii") as transport:
            transport.write(f"bench.example smtp:[localhost]:{sink_port}\n")
        self.site.postfix.reload()
        for port in ports.values():
            while not port_answers(port):
                time.sleep(0.1)

    def send(self, listener, recipient, path, count):
        """Messages that were accepted per second."""
        start = time.monotonic()
        run(["smtp-source", "-s", SESSIONS, "-m", count, "-f", ALICE.address, "-t", recipient,
             "-F", path, f"inet:127.0.0.1:{self.listeners[listener]}"], timeout=600)
        rate = count / (time.monotonic() - start)
        self.site.postfix.wait_empty(300)
        return rate

    def throughput(self, label, size, count):
        path = self.folder / "message"
        write_message(path, size)
        count = max(SESSIONS, int(count * self.scale))
        jobs = [("alone", "plain"), ("echo", "plain"), ("read", "plain")] + [("gateway", way) for way in WAYS]
        rates = {job: [] for job in jobs}
        for listener, way in jobs:
            self.send(listener, WAYS[way], path, SESSIONS)
        for _ in range(ROUNDS):
            for listener, way in jobs:
                rates[listener, way].append(self.send(listener, WAYS[way], path, count))
        echo = rates["echo", "plain"]
        print(f"\n{label}, {SESSIONS} sessions, {count} messages a run, median of {ROUNDS}")
        for (listener, way), values in rates.items():
            ratio = statistics.median(a / b for a, b in zip(values, echo))
            name = listener if listener != "gateway" else f"gateway: {way}"
            print(f"  {name:16} {statistics.median(values):8.1f} msg/s   {ratio:5.2f} x echo", flush=True)

    def cpu(self):
        """Gateway CPU for one message next to the same CMS operations in a program of their own."""
        cabinet, path = self.site.cabinet, self.folder / "message"
        write_message(path, 4 << 10)
        count = max(SESSIONS, int(500 * self.scale))
        gateway = Process(self.site.sealpost.gateway.pid)
        ours, direct = [], []
        for _ in range(ROUNDS):
            before = gateway.cpu()
            self.send("gateway", SMIME.address, path, count)
            ours.append((gateway.cpu() - before) * 1000 / count)
            out = run([BUILD / "tests/bench/cms_direct", count, path, cabinet(ALICE, "cert.pem"),
                       cabinet(ALICE, "key.pem"), cabinet(SMIME, "cert.pem")])
            direct.append(float(out.stdout))
        ratio = statistics.median(a / b for a, b in zip(ours, direct))
        print(f"\nS/MIME, CPU of a 4 KB message: gateway {statistics.median(ours):.2f} ms, "
              f"CMS alone {statistics.median(direct):.2f} ms: {ratio:.2f} x")

    def memory(self):
        """Peak growth of the gateway over one message of 50 MB."""
        path = self.folder / "message"
        write_message(path, 50 << 20)
        gateway = Process(self.site.sealpost.gateway.pid)
        print("\nMemory of the gateway over one message of 50 MB")
        for way, recipient in WAYS.items():
            before = gateway.reset_peak()
            run(["smtp-source", "-f", ALICE.address, "-t", recipient, "-F", path,
                 f"inet:127.0.0.1:{self.site.smtp_port}"], timeout=300)
            print(f"  {way:8} {(gateway.peak() - before) / 1024:6.1f} MB of growth")
            self.site.postfix.wait_empty(300)

    def close(self):
        self.children.close()
        self.ports.close()
        subprocess.run(["rm", "-rf", self.short], check=False)


def main():
    options = argparse.ArgumentParser(description="measures; see doc/performance.md")
    options.add_argument("--quick", action="store_true", help="a quarter of the messages")
    options = options.parse_args()
    catch_signals()
    with tempfile.TemporaryDirectory(prefix="sealpost-bench-") as folder:
        people = (ALICE, CARL, SMIME, PGP)
        settings = {"default_process_limit": "100", "message_size_limit": "262144000"}
        with Site(folder, BUILD, people=people, policy=POLICY, postfix_settings=settings) as site:
            bench = Bench(site, Children(), 0.25 if options.quick else 1)
            try:
                bench.prepare()
                for label, (size, count) in SIZES.items():
                    bench.throughput(label, size, count)
                bench.cpu()
                bench.memory()
            finally:
                bench.close()


if __name__ == "__main__":
    main()
