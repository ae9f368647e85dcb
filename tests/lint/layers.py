# SPDX-License-Identifier: Apache-2.0
"""Layers point down, each third-party library enters by its door, and headers guard themselves."""
import re

from source import TOP, bare, files, is_test, name, numbered, report

# Folder -> what it may include besides itself. Nothing includes gateway/ but cli/.
LAYERS = {
    "lib/base": (),
    "lib/mail": ("lib/base",),
    "lib/crypt": ("lib/base", "lib/mail"),
    "policies": ("lib/base", "lib/mail/address.h"),
    "keystore": ("lib/base", "lib/mail", "lib/crypt"),
    "portal": ("lib/base", "lib/mail", "lib/crypt"),
    "gateway": ("lib", "policies", "keystore", "portal"),
    "cli": ("lib", "policies", "keystore", "portal", "gateway"),
}
DOORS = {
    r"libmilter/": r"gateway/milter\.c",
    r"openssl/cms\.h": r"lib/crypt/cms[^/]*\.[ch]",
    r"gpgme\.h": r"lib/crypt/pgp[^/]*\.[ch]",
    r"ldap\.h": r"keystore/ldap\.c",
    r"microhttpd\.h": r"portal/http\.c",
    r"sqlite3\.h": r"lib/base/db(\.c|wait\.[ch])",
}
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    parts = name(path).split("/")
    return "/".join(parts[:2]) if parts[0] == "lib" else parts[0]


def includes(path):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), path.read_text("utf-8"),
                  flags=re.DOTALL)
    for number, line in numbered(text):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def wrong_layers():
    for path in files(".c", ".h", ".l", ".y"):
        if is_test(path):
            continue
        layer = layer_of(path)
        for number, system, what in includes(path):
            if system or what == "config.h" or what.startswith(layer + "/"):
                continue
            if "/" not in what:
                yield f"{name(path)}:{number}: \"{what}\" is not written from the root"
            elif not any(what == ok or what.startswith(ok + "/") for ok in LAYERS[layer]):
                yield f"{name(path)}:{number}: {layer} does not include {what}"


def wrong_doors():
    for path in files(".c", ".h", ".l", ".y"):
        if is_test(path):
            continue
        for number, system, what in includes(path):
            for library, door in DOORS.items():
                if system and re.match(library, what) and not re.fullmatch(door, name(path)):
                    yield f"{name(path)}:{number}: <{what}> only enters by {door}"


def wrong_guards():
    for path in files(".h"):
        guard = "SEALPOST_" + re.sub(r"[/.]", "_", name(path)).upper()
        text = bare(path.read_text("utf-8"))
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            yield f"{name(path)}: the guard is {guard}"


assert (TOP / "lib/base").is_dir()
report({"includes point down": list(wrong_layers()),
        "libraries enter by their doors": list(wrong_doors()),
        "headers are guarded by their path": list(wrong_guards())})
