#!/bin/sh
# The patched OpenVPN under AddressSanitizer and UndefinedBehaviorSanitizer: OpenVPN's own tests and
# ours of the patches run against such a build. Any report ends the process in which it
# comes, and is a file in the end: a test that was about to kill that process would not see it.
#
# Left out are our tests that measure memory, which a sanitizer keeps in its own way. Leaks are not
# looked for: a client that is ended by a signal frees nothing.
set -eu
cd "$(dirname "$0")/../.."
flags='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
dir=${CARGO_TARGET_DIR:-$PWD/target}/sanitized
reports=$dir/reports
rm -rf "$reports"
mkdir -p "$reports"
# GCC's shared libubsan knows no log_path.
printf '#!/bin/sh\nexec cc -static-libubsan "$@"\n' >"$dir/cc"
chmod 755 "$dir/cc"
# Unprivileged processes report, too.
chmod 1777 "$reports"
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=1:log_path=$reports/asan"
export UBSAN_OPTIONS="print_stacktrace=1:abort_on_error=1:log_path=$reports/ubsan"

check_reports() {
	[ -n "$(ls "$reports")" ] || return 0
	cat "$reports"/*
	echo "sanitize: $1 led to these reports, in $reports" >&2
	exit 1
}

CARGO_TARGET_DIR=$dir CC=$dir/cc CFLAGS="-O1 -g -fno-omit-frame-pointer $flags" LDFLAGS="$flags" \
	packaging/openvpn/build.sh client --check || { check_reports "OpenVPN's own tests"; exit 1; }
check_reports "OpenVPN's own tests"
# The server is only who the clients talk to.
packaging/openvpn/build.sh server
ln -sfn ../openvpn-server "$dir/openvpn-server"
OPENVPN_DIR=$dir "${CARGO:-cargo}" test --locked -p aws-client-vpn-openvpn-patch-tests -- \
	--skip memory:: || { check_reports "a test"; exit 1; }
check_reports "a test"
echo "sanitize: no reports"
