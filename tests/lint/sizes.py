# SPDX-License-Identifier: Apache-2.0
"""Sizes that a reader can hold: files, functions, parameters, nesting. No exceptions list."""
import re

from source import bare, files, is_test, name, report

C_MAX, TEST_MAX, H_MAX = 500, 800, 150
FUNCTION_MAX, PARAMETERS_MAX, NESTING_MAX = 60, 5, 4


def files_too_long():
    for path in files(".c", ".h", ".l", ".y"):
        limit = TEST_MAX if is_test(path) else H_MAX if path.suffix == ".h" else C_MAX
        lines = path.read_text("utf-8").count("\n")
        if lines > limit:
            yield f"{name(path)}: {lines} lines, at most {limit}"


def functions(path):
    """(line, signature, body lines) of each function: kernel style, the braces in column one."""
    lines = bare(path.read_text("utf-8")).splitlines()
    for at, line in enumerate(lines):
        if line != "{":
            continue
        start = at
        while start > 0 and lines[start - 1].strip() and not lines[start - 1].startswith(("}", "#")):
            start -= 1
        end = next((i for i in range(at, len(lines)) if lines[i].startswith("}")), len(lines))
        yield start + 1, " ".join(lines[start:at]), lines[at + 1:end]


def parameters(signature):
    """How many; "..." is not counted: it is one list of values."""
    inside = signature[signature.find("(") + 1:signature.rfind(")")].replace(", ...", "")
    depth, count = 0, 1
    for char in inside:
        depth += (char == "(") - (char == ")")
        count += char == "," and depth == 0
    return count


def nesting(body):
    depth = deepest = 0
    for line in body:
        opens, closes = line.count("{"), line.count("}")
        if not re.search(r"=\s*\{|\)\s*\{[^}]*\}", line):
            deepest = max(deepest, depth + opens)
        depth += opens - closes
    return deepest


def wrong_functions():
    for path in files(".c"):
        for line, signature, body in functions(path):
            where = f"{name(path)}:{line}: {signature.split('(')[0].split()[-1]}"
            if len(body) > FUNCTION_MAX:
                yield f"{where}: {len(body)} lines, at most {FUNCTION_MAX}"
            # a first parameter `void *` is a callback's: its library made the type
            callback = re.search(r"\(void \*\w+,", signature)
            if parameters(signature) > PARAMETERS_MAX and not callback:
                yield f"{where}: {parameters(signature)} parameters, at most {PARAMETERS_MAX}"
            if nesting(body) > NESTING_MAX:
                yield f"{where}: {nesting(body)} levels, at most {NESTING_MAX}"


report({"files": list(files_too_long()),
        "functions, their parameters and nesting": list(wrong_functions())})
