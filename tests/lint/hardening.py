# SPDX-License-Identifier: Apache-2.0
"""The programs as they were linked: hardened, as configure says by default."""
import os
import subprocess
from pathlib import Path

from source import TOP, report

BUILD = Path(os.environ.get("builddir", TOP / "build"))
PROGRAMS = ("gateway/sealpost-gateway", "portal/sealpost-portal", "cli/sealpost")
# What readelf must say of each, and why.
MARKS = {"DYN (Position-Independent": "PIE", "GNU_RELRO": "RELRO", "BIND_NOW": "full RELRO",
         "__stack_chk_fail": "stack protector"}


def lacks(program, marks):
    told = subprocess.run(["readelf", "-hdlsW", BUILD / program], capture_output=True, text=True,
                          check=True).stdout
    stack = [line for line in told.splitlines() if "GNU_STACK" in line]
    missing = [why for mark, why in marks.items() if mark not in told]
    if not stack or "RWE" in stack[0]:
        missing.append("a stack that runs nothing")
    return [f"{program}: {why}" for why in missing]


made = (BUILD / "Makefile").read_text("utf-8")
flags = next(line for line in made.splitlines() if line.startswith("HARDEN_CFLAGS ="))
if "-fPIE" not in flags:
    print("1..0 # SKIP configured without hardening")
else:
    marks = dict(MARKS)
    if "_FORTIFY_SOURCE" in flags:  # not with sanitizers
        marks["_chk@"] = "FORTIFY"
    report({"PIE, full RELRO, stack protector, FORTIFY": [w for p in PROGRAMS for w in lacks(p, marks)],
            "stack clash protection": [] if "-fstack-clash-protection" in flags else [flags]})
