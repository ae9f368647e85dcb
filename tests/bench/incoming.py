# SPDX-License-Identifier: Apache-2.0
"""What opening mail costs: from a stranger to an employee, plain, S/MIME and PGP, made by openssl and
gpg as other people have them. Each message goes through its own yardstick: the same bytes.

Plain mail comes in 10 sessions, as outgoing mail does. What is encrypted is answered on a beat of
250 ms (pipeline.h), so one session takes four messages a second at most, in fact three: throughput
needs many sessions, and a run several beats. 160 carry more than two processors can."""
import sys

from frame import BUILD, POSTFIX, ROUNDS, SIZES, SRC, Bench, base64_text, show

sys.path.insert(0, str(SRC / "tests/integration"))

import foreign  # noqa: E402

from demo.people import ALICE, Person  # noqa: E402
from demo.process import Children  # noqa: E402
from demo.site import Site  # noqa: E402

SESSIONS = {"4 KB": 160, "100 KB": 160, "5 MB": 20}
PLAIN_SESSIONS = 10
BEATS = {"4 KB": 6, "100 KB": 6, "5 MB": 3}
AT_ONCE = 10
SENDER = Person("sender@outside.example", "Bench Sender", smime="rsa:2048", pgp=True)
READER = Person("reader@bench.example", "Bench Reader", smime="rsa:2048", pgp=True, where="bench")
POLICY = 'internal domains "firma.example", "bench.example"\n\noutgoing  require smime\n'
KINDS = ("plain", "smime", "pgp")
# Loopback is a stranger here, and ten messages of 50 MB at once may take their time.
SETTINGS = {"sealpost": {"trusted_networks": "192.0.2.1/32"}, "gateway": {"message_time": "120s"}}


def write_message(site, path, kind, size):
    """An attachment of about that size; "smime" and "pgp" are signed, then encrypted."""
    inner = (b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
             base64_text(size).replace(b"\n", b"\r\n"))
    if kind == "smime":
        inner = foreign.openssl_signed(site, SENDER, inner)
        inner = foreign.openssl_encrypted(site, [READER], inner)
    elif kind == "pgp":
        inner = foreign.gpg_encrypted(site, SENDER.address, [READER.address], inner)
    content = foreign.mail(SENDER.address, [READER.address], inner)
    path.write_bytes(content.replace(b"\r\n", b"\n"))


def throughput(bench, label, size, count):
    for kind in KINDS:
        sessions = PLAIN_SESSIONS if kind == "plain" else SESSIONS[label]
        messages = bench.count(count, BEATS[label] * sessions)
        print(f"\n{label} incoming, {sessions} sessions, {messages} messages a run, "
              f"median of {ROUNDS}")
        path = bench.folder / kind
        write_message(bench.site, path, kind, size)
        yardstick = "read" if kind == "plain" else "echo"
        jobs = {name: (listener, READER.address, path, SENDER.address) for name, listener in
                ((yardstick, yardstick), (f"gateway: {kind}", "gateway"))}
        show(bench.compare(jobs, messages, sessions), yardstick)


def memory(bench):
    """Peak growth of the gateway over messages of 50 MB."""
    for kind in KINDS:
        write_message(bench.site, bench.folder / kind, kind, 50 << 20)
    for count in (1, AT_ONCE):
        print(f"\nMemory of the gateway over {count} incoming message(s) of 50 MB at once")
        for kind in KINDS:
            growth = bench.growth(READER.address, bench.folder / kind, count)
            print(f"  {kind:8} {growth:6.1f} MB of growth", flush=True)


def measure(folder, scale):
    with Site(folder, BUILD, people=(ALICE, SENDER, READER), policy=POLICY, settings=SETTINGS,
              postfix_settings=POSTFIX) as site, Bench(site, Children(), scale) as bench:
        site.sealpost.run("key", "import", *[site.cabinet(READER, name) for name in
                                             ("key.pem", "cert.pem", "secret.asc")])
        for label, (size, count) in SIZES.items():
            throughput(bench, label, size, count)
        memory(bench)
