#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `sealpost policy check|test`: what it prints, and its exit status.
set -u
sealpost="${builddir:-.}/cli/sealpost"
source=$(cd "${srcdir:-.}" && pwd) || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
number=0

# check NAME STATUS TEXT COMMAND…: the command's status, and a text that its output must hold
check() {
	name=$1 status=$2 text=$3
	shift 3
	number=$((number + 1))
	output=$("$@" 2>&1)
	got=$?
	if [ "$got" = "$status" ] && printf '%s\n' "$output" | grep -Fq -- "$text"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		printf 'status %s, not %s; output:\n%s\n' "$got" "$status" "$output" | sed 's/^/# /'
	fi
}

cat >good.policy <<'END'
internal domains "firma.example"
outgoing to "praxis.example" require smime, portal
outgoing prefer pgp
internal plain
END
cat >wrong.policy <<'END'
internal domains "firma.example"
outgoing requier smime
END
cat >odd.policy <<'END'
internal domains "firma.example"
outgoing prefer pgp
outgoing to "praxis.example" require smime
END
cat >met <<'END'
expect from "a@firma.example" to "dr@praxis.example": require smime, portal (line 2)
expect from "a@firma.example" to "x@web.example": prefer pgp
END
cat >unmet <<'END'
expect from "a@firma.example" to "x@web.example": require pgp
expect from "a@firma.example" to "b@firma.example": plain
END
echo 'expect nothing' >broken
printf '[sealpost]\npolicy = good.policy\n' >sealpost.conf
cp sealpost.conf wrong.conf
sed -i s/good/wrong/ wrong.conf

for file in example.policy example.expect; do
	sed 's/@DOMAIN@/firma.example/g' "$source/policies/$file" >$file
done

case $sealpost in /*) ;; *) sealpost=$OLDPWD/$sealpost ;; esac
echo 1..15
check "a good policy" 0 "3 rules, no errors, 0 warnings" "$sealpost" policy check good.policy
check "the configuration's policy" 0 "3 rules" "$sealpost" --config sealpost.conf policy check
check "a wrong policy" 78 'wrong.policy:2:10: found "requier", expected' \
	"$sealpost" policy check wrong.policy
check "... of the configuration" 78 'wrong.policy:2:10: ' \
	"$sealpost" policy check --config wrong.conf
check "a policy with a warning" 0 "odd.policy:3:1: warning: this rule is never reached" \
	"$sealpost" policy check odd.policy
check "no such policy" 78 "nowhere: cannot be read" "$sealpost" policy check nowhere
check "two files to check" 64 "one FILE at most" "$sealpost" policy check good.policy odd.policy
check "an unknown command" 64 "there is no command" "$sealpost" policy chekc
check "no command" 64 "Usage" "$sealpost" policy
check "expectations that are met" 0 "2 expectations, 0 not met" \
	"$sealpost" policy test --policy good.policy met
check "... with the configuration's policy" 0 "2 expectations, 0 not met" \
	"$sealpost" --config sealpost.conf policy test met
check "what the example policy is expected to say" 0 "8 expectations, 0 not met" \
	"$sealpost" policy test --policy example.policy example.expect
check "one that is not met" 1 "unmet:1: outgoing mail, expected require pgp" \
	"$sealpost" policy test --policy good.policy unmet
check "expectations that are none" 78 'broken:1:8: found "nothing", expected' \
	"$sealpost" policy test --policy good.policy broken
check "no expectations named" 64 "one FILE of expectations" \
	"$sealpost" policy test --policy good.policy
