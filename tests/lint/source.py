# SPDX-License-Identifier: Apache-2.0
"""The source tree as the lints see it, and their TAP."""
import os
import re
import sys
from pathlib import Path

TOP = Path(os.environ.get("srcdir", Path(__file__).resolve().parents[2]))
CODE = ("lib", "policies", "keystore", "portal", "gateway", "cli", "tests")


def is_generated(path):
    """What bison and flex make of grammar.y and lexer.l: in the tree of a release."""
    return path.suffix in (".c", ".h") and any(
        path.with_suffix(source).exists() for source in (".l", ".y"))


def files(*suffixes, folders=CODE):
    for folder in folders:
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file() and not is_generated(path):
                yield path


def name(path):
    return str(path.relative_to(TOP))


def is_test(path):
    return name(path).startswith("tests/")


def bare(text):
    """Code without comments and without what stands in strings; the lines stay where they are."""
    def blank(match):
        found = match.group(0)
        if found.startswith(("\"", "'")):
            return found[0] * 2
        return "\n" * found.count("\n")
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.DOTALL)


def numbered(text):
    return enumerate(text.splitlines(), 1)


def report(checks):
    """checks: {what must hold: list of complaints}. Prints TAP, ends the program."""
    failed = False
    print(f"1..{len(checks)}")
    for number, (what, complaints) in enumerate(checks.items(), 1):
        print(f"{'not ok' if complaints else 'ok'} {number} - {what}")
        for complaint in complaints:
            print(f"# {complaint}")
        failed = failed or bool(complaints)
    sys.exit(1 if failed else 0)
