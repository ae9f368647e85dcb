#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh Debian 12 to a running site, or to the result of all tests, in one command (as root).
#   ./quickstart.sh demo [--dir DIR] [--once]   a private site in one folder, with mail on every way
#   ./quickstart.sh check                       all tests, on a normal build and one with sanitizers
# Packages are installed where they are missing; no service is started and nothing in /etc is changed.
set -eu

top=$(cd "$(dirname "$0")" && pwd)
build=$top/build

to_build="build-essential autoconf automake pkg-config bison flex libglib2.0-dev
	libssl-dev libgpgme-dev libsodium-dev libsqlite3-dev libldap-dev libmicrohttpd-dev
	libjson-glib-dev libmilter-dev libcmocka-dev"
to_run="ca-certificates gnupg openssl postfix python3 slapd"
to_check="chromium clang-format gpgsm mutt nodejs npm opendkim opendkim-tools python3-dkim sq"
services="postfix slapd opendkim"

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf 'quickstart: %s\n' "$*" >&2
	exit 1
}

usage()
{
	sed -n 's/^#   //p' "$0"
}

# Said before anything is installed: configure would refuse it after that.
case $top in
*[\ \	\"\#\$\&\'\`\\]*)
	die "$top: no build is possible in a folder with blanks or quotes in its name; move it" ;;
esac

# quietly LOG COMMAND...: shows the end of what it said only if it fails.
quietly()
{
	log=$1
	shift
	"$@" >>"$log" 2>&1 && return 0
	tail -n 40 "$log" >&2
	die "failed: $* (all of it: $log)"
}

installed()
{
	case $1 in
	nodejs) command -v node >/dev/null && return 0 ;; # may come from elsewhere
	npm) command -v npm >/dev/null && return 0 ;;
	esac
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# install_packages NAME...: only what is missing. No questions, no services, no recommended extras.
install_packages()
{
	missing=
	for package in "$@"; do
		installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "these packages are missing and only root can install them:$missing"
	say "Installing:$missing"
	debconf-set-selections <<-ANSWERS
		postfix postfix/main_mailer_type select No configuration
		slapd slapd/no_configuration boolean true
	ANSWERS
	ours=
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		ours=/usr/sbin/policy-rc.d
		trap 'rm -f "$ours"' EXIT
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod 755 /usr/sbin/policy-rc.d
	fi
	quietly "$build/packages.log" env DEBIAN_FRONTEND=noninteractive apt-get -q update
	# shellcheck disable=SC2086
	quietly "$build/packages.log" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y install --no-install-recommends $missing
	for service in $services; do
		case "$missing " in
		*" $service "*) systemctl -q disable "$service" >/dev/null 2>&1 || true ;;
		esac
	done
	[ -z "$ours" ] || rm -f "$ours"
	trap - EXIT
}

# build_in FOLDER CONFIGURE-OPTION...
build_in()
{
	folder=$1
	shift
	mkdir -p "$folder"
	: >"$folder/build.log"
	if [ ! -x "$top/configure" ] || [ "$(find "$top" -path "$build" -prune -o \
		\( -name '*.am' -o -name configure.ac \) -newer "$top/configure" -print)" ]; then
		quietly "$folder/build.log" "$top/autogen.sh"
	fi
	if [ ! -e "$folder/config.status" ]; then
		(cd "$folder" && quietly "$folder/build.log" "$top/configure" "$@")
	fi
	quietly "$folder/build.log" make -C "$folder" -j"$(nproc)"
}

demo()
{
	case " $* " in *" -h "* | *" --help "*)
		usage
		return
		;;
	esac
	# shellcheck disable=SC2086
	install_packages $to_build $to_run
	[ "$(id -u)" = 0 ] || die "the demo's Postfix needs root to start"
	say "Building in $build/demo"
	build_in "$build/demo"
	PYTHONPATH=$top exec /usr/bin/python3 -B -m demo --build "$build/demo" \
		--dir "$build/site" "$@"
}

# total NAME...: the sum of these counts over both builds' test-suite.log.
total()
{
	for name in "$@"; do
		sed -n "s/^# $name: *//p" "$build"/check/test-suite.log "$build"/sanitize/test-suite.log
	done 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'
}

# run_tests FOLDER: the test-suite.log of a run that did not get that far counts for nothing.
run_tests()
{
	rm -f "$1/test-suite.log"
	make -C "$1" -j"$(nproc)" check || true
	[ -s "$1/test-suite.log" ] || die "make check in $1 did not run the tests"
}

# what_failed: each failed test with the first lines of its reason; all of it is in the logs.
what_failed()
{
	awk '/^(FAIL|ERROR): / { print; next }
		/^not ok/ { left = 16 }
		/^ok/ { left = 0 }
		left-- > 0' "$build"/check/test-suite.log "$build"/sanitize/test-suite.log
}

check()
{
	# shellcheck disable=SC2086
	install_packages $to_build $to_run $to_check
	say "Building in $build/check and, with sanitizers, in $build/sanitize"
	build_in "$build/check" --enable-werror
	build_in "$build/sanitize" --enable-sanitizers
	run_tests "$build/check"
	run_tests "$build/sanitize"
	passed=$(total PASS XFAIL)
	failed=$(total FAIL XPASS ERROR)
	[ "$failed" = 0 ] || what_failed
	say "Skipped: $(total SKIP)"
	say "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

command=${1-}
[ $# -eq 0 ] || shift
case $command in
demo)
	mkdir -p "$build"
	demo "$@"
	;;
check)
	[ $# -eq 0 ] || die "check takes no options"
	mkdir -p "$build"
	check
	;;
-h | --help | help)
	usage
	;;
*)
	usage >&2
	exit 64
	;;
esac
