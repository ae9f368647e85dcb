# SPDX-License-Identifier: Apache-2.0
"""Each word that X-Sealpost-Incoming says has a sentence in `sealpost explain`, and stands in sealpost-gateway(8)."""
import re

from source import TOP, report

TABLES = (TOP / "gateway/explain_words.c").read_text("utf-8")
PAGE = (TOP / "man/sealpost-gateway.8").read_text("utf-8").replace("\\-", "-")
SOURCES = [path.read_text("utf-8") for path in (TOP / "gateway").glob("*.c")]
RESULTS = (TOP / "lib/crypt/cms_verify.c").read_text("utf-8")


def table(name):
    return set(re.findall(r'\{\s*"\(?([a-z-]+)\)?",', re.search(rf"{name}\[\] = \{{(.*?)\n\}};", TABLES, re.S).group(1)))


def warnings():
    """As they are written at the place where one is given."""
    return {word for text in SOURCES for call in re.findall(r"\bopened_warn\((?:[^;]|\n)*?\);", text)
            for word in re.findall(r'"([a-z-]+)"', call)}


def reasons():
    return {word for text in SOURCES for word in re.findall(r'->reason = "([a-z-]+)"', text)}


def results():
    return set(re.findall(r'\[CMS_SIGNATURE_\w+\] = "([a-z-]+)"', RESULTS)) - {"good"}


EXPLAINED = table("layers") | table("signatures") | table("warnings")
report({"words are found": [] if min(len(warnings()), len(reasons()), len(results())) > 2 else ["none"],
        "each warning is explained": sorted(warnings() - table("warnings")),
        "each reason is explained": sorted(reasons() - table("layers")),
        "each result is explained": sorted(results() - table("signatures")),
        "the man page has them all": sorted(word for word in EXPLAINED if not re.search(rf"(?<![\w-]){word}(?![\w-])", PAGE))})
