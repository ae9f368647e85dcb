#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: what the gateway costs, as ratios within one run. It measures and judges nothing.

smtp-source -> one Postfix -> smtp-sink, all milters over Unix sockets. The same Postfix has one
listener per milter: none, the body-replacing milter (echo), a milter that only reads, the gateway.
Runs of all of them alternate, so that a machine that slows down slows all; the median counts.

    make bench                                     everything
    make bench BENCHFLAGS="--quick"                a quarter of the messages
    make bench BENCHFLAGS="--incoming --quick"     incoming mail only (--outgoing: the other half)
"""
import argparse
import tempfile

import incoming
import outgoing

from demo.process import catch_signals


def main():
    options = argparse.ArgumentParser(description="measures; see doc/performance.md")
    options.add_argument("--quick", action="store_true", help="a quarter of the messages")
    half = options.add_mutually_exclusive_group()
    half.add_argument("--outgoing", action="store_true", help="outgoing mail only")
    half.add_argument("--incoming", action="store_true", help="incoming mail only")
    options = options.parse_args()
    catch_signals()
    for part, wanted in ((outgoing, not options.incoming), (incoming, not options.outgoing)):
        if wanted:
            with tempfile.TemporaryDirectory(prefix="sealpost-bench-") as folder:
                part.measure(folder, 0.25 if options.quick else 1)


if __name__ == "__main__":
    main()
