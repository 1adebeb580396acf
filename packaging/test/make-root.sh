#!/bin/sh
# Makes a clean Debian root to install packages in:
#
#   make-root.sh SUITE    target/package-roots/SUITE, from the mirror that this machine's apt has (root)
#
# It has what a machine with NetworkManager has, and the dependencies of the packages in
# target/dist in apt's cache, so that they install without a network. No test writes to it: each
# lays a memory of its own over it.
set -eu

suite=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
root=$target/package-roots/$suite
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
    sort -u | grep -v security | head -n 1) || true
mirror=${mirror:-http://deb.debian.org/debian}

inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}
# An archive of testing may be older than its Release file likes.
apt() {
    inside apt-get -q -y -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root \
        -o Dpkg::Use-Pty=0 --no-install-recommends "$@"
}

if [ ! -e "$root/.made" ]; then
    rm -rf "$root"
    mkdir -p "$root"
    # An older debootstrap has no script of a newer suite's name; sid's does for all of them.
    script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    debootstrap --variant=minbase --keyring="$keyring" "$suite" "$root" "$mirror" "$script" \
        >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    # Services are not started by packages: a lab starts what it needs.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    apt update >>"$root.log" 2>&1
    apt install network-manager dbus iproute2 iputils-ping procps curl \
        >>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    touch "$root/.made"
fi

# What the packages and the test of the RPM package need, for an installation without a network.
wanted=$(cd "$target/dist" && sha256sum ./*.deb | sha256sum)
if [ "$(cat "$root/.packages" 2>/dev/null)" != "$wanted" ]; then
    mkdir -p "$root/tmp/packages"
    cp "$target"/dist/network-manager-aws-client-vpn_*.deb \
        "$target"/dist/network-manager-aws-client-vpn-gnome_*.deb "$root/tmp/packages/"
    apt install --download-only rpm >>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    apt install --download-only $(cd "$root" && ls -d tmp/packages/*.deb | sed 's|^|/|') \
        >>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    rm -r "$root/tmp/packages"
    echo "$wanted" >"$root/.packages"
fi
