# SPDX-License-Identifier: Apache-2.0
"""Every setting of the table stands in sealpost.conf(5), and nothing else does."""
import re

from source import TOP, report

TABLE = (TOP / "lib/base/settings.c").read_text("utf-8")
PAGE = (TOP / "man/sealpost.conf.5").read_text("utf-8").replace("\\-", "-")


def in_table():
    return set(re.findall(r'\{"(\w+)", "(\w+)", SETTING_', TABLE))


def in_page():
    found, section = set(), None
    for line in PAGE.splitlines():
        header = re.match(r'\.S[HS]\s+"?\[(\w+)', line)
        if header:
            section = header.group(1)
        key = re.match(r'\.(?:B|BI|BR)\s+"?(\w+)', line)
        if section and key and before == ".TP":
            found.add((section, key.group(1)))
        before = line.strip()
    return found


report({"the table has settings": [] if len(in_table()) > 20 else ["none found"],
        "each setting is in the man page": sorted(f"[{s}] {k}" for s, k in in_table() - in_page()),
        "the man page has no others": sorted(f"[{s}] {k}" for s, k in in_page() - in_table())})
