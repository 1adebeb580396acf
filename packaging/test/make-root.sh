#!/bin/sh
# Makes a clean Debian root to install packages in:
#
#   make-root.sh SUITE    target/package-roots/SUITE, from the mirror that this machine's apt has (root)
#
# It has what a machine with NetworkManager has, and the dependencies of the packages in
# target/dist and target/earlier in apt's cache, so that they install without a network. No test writes to it: each
# lays a memory of its own over it.
set -eu

suite=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
root=$target/package-roots/$suite

inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}
apt() {
    inside apt-get -q -y "$@"
}

if [ ! -e "$root/.made" ]; then
    mkdir -p "$(dirname "$root")"
    "$here/packaging/test/debootstrap.sh" "$suite" "$root" >"$root.log" 2>&1 ||
        { tail -n 20 "$root.log" >&2; exit 1; }
    apt update >>"$root.log" 2>&1
    apt install network-manager dbus iproute2 iputils-ping procps curl \
        >>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    touch "$root/.made"
fi

# What the packages and the test of the RPM package need, for an installation without a network.
wanted=$(cd "$target" && sha256sum dist/*.deb earlier/*.deb | sha256sum)
if [ "$(cat "$root/.packages" 2>/dev/null)" != "$wanted" ]; then
    apt install --download-only rpm >>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    for directory in dist earlier; do
        mkdir -p "$root/tmp/packages"
        cp "$target/$directory"/network-manager-aws-client-vpn_*.deb \
            "$target/$directory"/network-manager-aws-client-vpn-gnome_*.deb "$root/tmp/packages/"
        apt install --download-only $(cd "$root" && ls -d tmp/packages/*.deb | sed 's|^|/|') \
            >>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
        rm -r "$root/tmp/packages"
    done
    echo "$wanted" >"$root/.packages"
fi
