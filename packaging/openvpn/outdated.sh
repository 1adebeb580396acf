#!/bin/sh
# Fails when Debian has a newer OpenVPN than pin.sh, in one of the suites named there or in their
# security archives: then its fixes are not in our packages yet. It asks the mirrors that apt has on
# this machine. A suite that cannot be read, or has no OpenVPN, is a failure, too.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/pin.sh"
. "$here/apt.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
expected="$suite $version
$compared"
suites=$(echo "$expected" | cut -d' ' -f1)
# shellcheck disable=SC2086 # lists of words
own_lists "$work" $suites
# openvpn | 2.6.14-1+deb13u3 | http://HOST/debian trixie/main Sources
# shellcheck disable=SC2086
apt-cache $apt_options madison openvpn >"$work/madison"

status=0
while read -r name known; do
	found=$(awk -F ' *[|] *' -v suite="$name" '
		{ split($3, words, " "); sub("/.*", "", words[2]); sub("-security$", "", words[2]) }
		$1 ~ /^ *openvpn$/ && words[2] == suite { print $2 }' "$work/madison" | sort -u)
	if [ -z "$found" ]; then
		echo "$name: no OpenVPN was found; nothing is known of its fixes" >&2
		status=1
	fi
	for one in $found; do
		if dpkg --compare-versions "$one" gt "$known"; then
			echo "$name: OpenVPN $one is newer than $known; see \"To refresh them\" in patches/README.md" >&2
			status=1
		else
			echo "$name: $one, and pin.sh has $known"
		fi
	done
done <<END
$expected
END
exit "$status"
