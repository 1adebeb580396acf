#!/bin/sh
# offline.sh COMMAND…: runs a command in an unpacked source package, where crates come from
# vendor/, OpenVPN from openvpn/, and what is built tells nothing of where and keeps its symbols
# (the packagers' tools take them out, into a package of their own).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh

# For those who work on the packaging: what was compiled before, in a directory of its own.
if [ -n "${PACKAGE_CACHE:-}" ] && [ ! -e target ]; then
    mkdir -p "$PACKAGE_CACHE"
    ln -s "$PACKAGE_CACHE" target
    # Unpacked files are older than what was compiled from other ones.
    find . -path ./vendor -prune -o \( -name '*.rs' -o -name Cargo.toml \) -exec touch {} +
    # The crates are the same ones, however new this source package is.
    find vendor -type f -exec touch -d @0 {} +
fi
# A package is built in its own directory, wherever the one who packs it builds else.
unset CARGO_TARGET_DIR
mkdir -p target/cargo-home
cat >target/cargo-home/config.toml <<END
[source.crates-io]
replace-with = "vendor"
[source.vendor]
directory = "$root/vendor"
END
export CARGO_HOME="$root/target/cargo-home" CARGO_NET_OFFLINE=true CARGO_INCREMENTAL=0
export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=limited
src=/usr/src/network-manager-aws-client-vpn-$version
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$root=$src -Clink-arg=-Wl,-z,relro,-z,now"
export RUSTFLAGS
export OPENVPN_SOURCE="$root/openvpn" OPENVPN_SYMBOLS=yes
exec "$@"
