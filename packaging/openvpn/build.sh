#!/bin/sh
# Builds our patched OpenVPN:
#
#   build.sh client      target/openvpn/openvpn         Debian's OpenVPN with patches/openvpn
#   build.sh server      target/openvpn-server/openvpn  and with tests/endpoint/patches, for tests
#   build.sh fetch DIR   the source files into DIR, for a source package
#
# with --check after it, runs OpenVPN's own test suite on the patched tree too.
#
# The source comes from the Debian mirror that apt has (through a list and a cache of our own; the
# system's stay as they are), in the version and with the checksums of pin.sh. OPENVPN_TARBALL=<file>
# takes a tarball of OpenVPN of the same line instead, whose checksum is then the caller's matter.
# OPENVPN_SOURCE=<directory> has the pinned files already, so that nothing is fetched.
# OPENVPN_SYMBOLS=yes keeps the symbols, for packagers' tools to take out.
#
# A build is kept until the patches, these scripts, the tarball or the compiler change.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

what=${1:-client}
check=${2:-}
case $what in
client | fetch) name=openvpn ;;
server) name=openvpn-server ;;
*) echo "usage: build.sh client|server [--check] | fetch DIR" >&2; exit 2 ;;
esac
. "$here/pin.sh"
. "$here/apt.sh"

out=$target/$name
stamp=$out/.stamp
inputs() {
	cat "$0" "$here/pin.sh" "$root/patches/openvpn/series" "$root/patches/openvpn"/*.patch
	if [ "$what" = server ]; then
		cat "$root/tests/endpoint/patches/series" "$root/tests/endpoint/patches"/*.patch
	fi
	if [ -n "${OPENVPN_TARBALL:-}" ]; then cat "$OPENVPN_TARBALL"; fi
	"${CC:-cc}" --version
	pkg-config --modversion openssl libpkcs11-helper-1 2>/dev/null || true
	echo "${CFLAGS:-} ${CPPFLAGS:-} ${LDFLAGS:-} ${OPENVPN_SYMBOLS:-}"
}
wanted=$(inputs | sha256sum | cut -d' ' -f1)
is_built() { [ "$what" != fetch ] && [ -z "$check" ] && [ -x "$out/openvpn" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; }
if is_built; then exit 0; fi

mkdir -p "$out" "$target/openvpn-source"
# One build at a time, whoever asks.
exec 9>"$target/openvpn-source/.lock"
flock 9
if is_built; then exit 0; fi

say() { echo "openvpn ($what): $*" >&2; }

# Fetches the source package's files into the cache, unless they are there.
fetch() {
	cd "$target/openvpn-source"
	if [ -n "${OPENVPN_SOURCE:-}" ]; then
		echo "$sums" | while read -r _ file; do cp "$OPENVPN_SOURCE/$file" .; done
		echo "$sums" | sha256sum --check --quiet
		return
	fi
	if echo "$sums" | sha256sum --check --status 2>/dev/null; then return; fi
	say "fetching $version"
	apt=$(mktemp -d "$target/openvpn-source/apt.XXXXXX")
	# If something fails here, the checksums below say so.
	own_lists "$apt" "$suite" || say "some lists could not be read; going on"
	# shellcheck disable=SC2086 # a list of words
	apt-get ${apt_options:-} -qq --download-only source "openvpn=$version" || true
	rm -rf "$apt"
	echo "$sums" | sha256sum --check --quiet || {
		say "the source of $version cannot be had, or is not what it was; OPENVPN_TARBALL= takes another"
		exit 1
	}
}

apply_series() {
	while read -r patch _; do
		case $patch in '' | '#'*) continue ;; esac
		patch --quiet --strip=1 --no-backup-if-mismatch --fuzz=0 <"$1/$patch" ||
			{ say "$1/$patch does not apply"; exit 1; }
	done <"$1/series"
}

# OpenVPN's own tests, in a network namespace: they open ports and make interfaces. t_client.sh
# needs servers of OpenVPN's developers, t_net.sh a kernel with dummy devices.
check_in_own_network() {
	unshare --net sh -eu -c '
		ip link set lo up
		scripts="t_lpback.sh t_cltsrv.sh"
		if ip link add probe type dummy 2>/dev/null; then
			ip link delete probe
			scripts="$scripts t_net.sh"
		else
			echo "SKIP: t_net.sh (this kernel has no dummy devices)"
		fi
		make -C tests/unit_tests check
		make -C tests check-TESTS TESTS="$scripts"'
}

if [ "$what" = fetch ]; then
	(fetch)
	mkdir -p "$2"
	echo "$sums" | while read -r _ file; do cp "$target/openvpn-source/$file" "$2"; done
	exit
fi

build=$out/build
rm -rf "$build"
mkdir -p "$build"
if [ -n "${OPENVPN_TARBALL:-}" ]; then
	tarball=$(realpath "$OPENVPN_TARBALL")
else
	(fetch)
	tarball=$target/openvpn-source/$orig
fi
cd "$build"
tar -xf "$tarball" --strip-components=1
if [ -z "${OPENVPN_TARBALL:-}" ]; then
	tar -xf "$target/openvpn-source/$debian"
	# Debian's security fixes; its patches are made with some fuzz.
	while read -r patch _; do
		case $patch in '' | '#'*) continue ;; esac
		patch --quiet --strip=1 --no-backup-if-mismatch <"debian/patches/$patch"
	done <debian/patches/series
	if [ ! -x configure ]; then autoreconf --force --install; fi
fi
apply_series "$root/patches/openvpn"
if [ "$what" = server ]; then apply_series "$root/tests/endpoint/patches"; fi

say "building"
# PKCS #11 is on as in Debian's build: without it, OpenVPN cuts every name and password to 127 bytes.
pkg-config --exists libpkcs11-helper-1 || { say "libpkcs11-helper1-dev is missing; make deps installs it"; exit 1; }
if [ "${OPENVPN_SYMBOLS:-}" = yes ]; then symbols=-g; else symbols=-g0; fi
CFLAGS="${CFLAGS:--O2 -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -fPIE -Wformat -Werror=format-security} $symbols -ffile-prefix-map=$build=openvpn" \
	LDFLAGS="${LDFLAGS:--pie -Wl,-z,relro -Wl,-z,now -Wl,--as-needed}" \
	./configure --quiet --disable-lzo --disable-lz4 --disable-plugins --disable-plugin-auth-pam \
	--disable-plugin-down-root --disable-systemd --disable-dco --enable-pkcs11 >configure.out 2>&1 ||
	{ tail -n 20 configure.out >&2; exit 1; }
make -j2 >make.out 2>&1 || { tail -n 30 make.out >&2; exit 1; }
if [ "$check" = --check ]; then
	say "running OpenVPN's tests"
	check_in_own_network >check.out 2>&1 || { tail -n 40 check.out >&2; exit 1; }
	grep -E '^(PASS|SKIP|FAIL):' check.out >&2 || true
fi
if [ "${OPENVPN_SYMBOLS:-}" = yes ]; then
	cp src/openvpn/openvpn "$out/openvpn.new"
else
	strip --strip-unneeded -o "$out/openvpn.new" src/openvpn/openvpn
fi
mv "$out/openvpn.new" "$out/openvpn"
cd "$root"
[ "$check" = --check ] || rm -rf "$build"
echo "$wanted" >"$stamp"
