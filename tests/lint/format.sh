#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The C code is as .clang-format makes it; shell scripts parse.
cd "${srcdir:-.}" || exit 1
if ! command -v clang-format >/dev/null; then
	echo "1..0 # SKIP clang-format is not installed"
	exit 0
fi
echo 1..2
# grammar.[ch] and lexer.c of a release are made by bison and flex
found=$(find lib policies keystore portal gateway cli tests -name '*.[ch]' \
	! -path 'policies/grammar.[ch]' ! -path policies/lexer.c -print0 |
	xargs -0 clang-format --dry-run 2>&1 |
	sed -n "s/: warning:.*clang-formatted.*//p" | sort -t: -k1,1 -u)
if [ -z "$found" ]; then echo "ok 1 - clang-format"; else echo "not ok 1 - clang-format"; fi
[ -z "$found" ] || echo "$found" | sed 's/^/# /'
wrong=
for script in quickstart.sh autogen.sh; do sh -n "$script" || wrong="$wrong $script"; done
if [ -z "$wrong" ]; then echo "ok 2 - shell scripts"; else echo "not ok 2 -$wrong"; fi
[ -z "$found$wrong" ]
