#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure from a checkout.
set -e
cd "$(dirname "$0")"
command -v autoreconf >/dev/null && command -v aclocal >/dev/null || {
	echo "autogen.sh: autoconf or automake is missing; on Debian: apt-get install autoconf automake" >&2
	exit 1
}
exec autoreconf --install --force --warnings=all
