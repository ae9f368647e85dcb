# SPDX-License-Identifier: Apache-2.0
"""What protecting mail costs: outgoing mail of one employee on each way."""
import statistics

from frame import BUILD, POSTFIX, ROUNDS, SIZES, Bench, Process, base64_text, run, show

from demo.people import ALICE, CARL, Person
from demo.process import Children
from demo.site import Site

SESSIONS = 10
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


def write_message(path, size):
    """Base64 text of about that size, as an attachment is; addresses as smtp-source gives them."""
    head = (f"From: {ALICE.address}\r\nTo: someone@bench.example\r\nSubject: bench\r\n"
            "Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <bench@firma.example>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n")
    path.write_bytes(head.replace("\r\n", "\n").encode() + base64_text(size))


def throughput(bench, label, size, count):
    path = bench.folder / "message"
    write_message(path, size)
    count = bench.count(count, 2 * SESSIONS)
    jobs = {name: (name, WAYS["plain"], path, ALICE.address) for name in ("alone", "echo", "read")}
    jobs |= {f"gateway: {way}": ("gateway", WAYS[way], path, ALICE.address) for way in WAYS}
    print(f"\n{label}, {SESSIONS} sessions, {count} messages a run, median of {ROUNDS}")
    show(bench.compare(jobs, count, SESSIONS), "echo")


def cpu(bench):
    """Gateway CPU for one message next to the same CMS operations in a program of their own."""
    cabinet, path = bench.site.cabinet, bench.folder / "message"
    write_message(path, 4 << 10)
    count = bench.count(2000, SESSIONS)
    gateway = Process(bench.site.sealpost.gateway.pid)
    ours, direct = [], []
    for _ in range(ROUNDS):
        before = gateway.cpu()
        bench.send("gateway", SMIME.address, path, count, SESSIONS)
        ours.append((gateway.cpu() - before) * 1000 / count)
        out = run([BUILD / "tests/bench/cms_direct", count, path, cabinet(ALICE, "cert.pem"),
                   cabinet(ALICE, "key.pem"), cabinet(SMIME, "cert.pem")])
        direct.append(float(out.stdout))
    ratio = statistics.median(a / b for a, b in zip(ours, direct))
    print(f"\nS/MIME, CPU of a 4 KB message: gateway {statistics.median(ours):.2f} ms, "
          f"CMS alone {statistics.median(direct):.2f} ms: {ratio:.2f} x")


def memory(bench):
    """Peak growth of the gateway over one message of 50 MB."""
    path = bench.folder / "message"
    write_message(path, 50 << 20)
    print("\nMemory of the gateway over one message of 50 MB")
    for way, recipient in WAYS.items():
        print(f"  {way:8} {bench.growth(recipient, path, 1):6.1f} MB of growth")


def measure(folder, scale):
    with Site(folder, BUILD, people=(ALICE, CARL, SMIME, PGP), policy=POLICY,
              postfix_settings=POSTFIX) as site, Bench(site, Children(), scale) as bench:
        for label, (size, count) in SIZES.items():
            throughput(bench, label, size, count)
        cpu(bench)
        memory(bench)
