# SPDX-License-Identifier: Apache-2.0
"""Calls and constructs that are not used here, and the licence line that each file has."""
import re

from source import CODE, TOP, bare, files, is_test, name, numbered, report

BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|system|rand|srand|alloca|gets|strerror|" \
         r"gmtime|localtime|ctime|asctime)\s*\("
PLACES = r"(/wor[k]/|/home/\w)"  # paths of somebody's machine


def matches(pattern, suffixes=(".c", ".h", ".l", ".y"), tests=True):
    for path in files(*suffixes):
        if is_test(path) and not tests:
            continue
        for number, line in numbered(bare(path.read_text("utf-8"))):
            if re.search(pattern, line):
                yield f"{name(path)}:{number}: {line.strip()}"


def mutable_statics():
    """A `static` that is not const and not a function: state that threads would share."""
    for path in files(".c"):
        if is_test(path):
            continue
        for number, line in numbered(bare(path.read_text("utf-8"))):
            declared = re.match(r"\s*static\s+(?!.*\bconst\b)[^()]*?(=|;|\[)", line)
            if declared and not re.match(r"\s*static\s+(inline\b|GOptionEntry\b)", line):
                yield f"{name(path)}:{number}: {line.strip()}"


def without_licence():
    suffixes = (".c", ".h", ".l", ".y", ".py", ".sh", ".am", ".js", ".mjs", ".css", ".md",
                ".policy", ".expect", ".html", ".svg")
    folders = CODE + ("demo", "man", "doc")
    for path in [*files(*suffixes, folders=folders), TOP / "quickstart.sh", TOP / "configure.ac",
                 TOP / ".clang-format"]:
        if "node_modules" in path.parts:
            continue
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text("utf-8")[:400]:
            yield name(path)


def machine_paths():
    for path in files(".c", ".h", ".py", ".sh", ".am", ".md", folders=CODE + ("demo", "doc")):
        for number, line in numbered(path.read_text("utf-8")):
            if re.search(PLACES, line) and path.name != "words.py":
                yield f"{name(path)}:{number}: {line.strip()}"


report({"no banned calls": list(matches(BANNED, tests=False)),
        "no goto": list(matches(r"\bgoto\b", suffixes=(".c", ".h"))),
        "no mutable statics": list(mutable_statics()),
        "each file has its licence line": list(without_licence()),
        "no paths of one machine": list(machine_paths())})
