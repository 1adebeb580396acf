#!/bin/sh
# source-package.sh SUITE…: builds the Debian source package in target/dist in a clean system of each of
# these releases, as Debian's build machines do: with that release's own compilers and libraries, which
# are those that Build-Depends names and no others, by an ordinary user, without a network, and with
# the tests that the package carries. (root, downloads the system; some 6 GB while it builds)
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh
package=network-manager-aws-client-vpn_$version
dsc=$package-${DEB_REVISION:-1}.dsc
work=$target/source-package
mkdir -p "$work"

# In the system, in namespaces of its own.
inside() {
    unshare --mount --pid --fork --kill-child --mount-proc="$system/proc" chroot "$system" \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

prepare() {
    packaging/test/debootstrap.sh "$suite" "$system"
    mkdir "$system/build"
    cp "$target/dist/$package".orig*.tar.xz "$target/dist/${dsc%.dsc}".debian.tar.xz "$target/dist/$dsc" \
        "$system/build/"
    inside apt-get update
    inside apt-get -y install build-essential fakeroot
    inside apt-get -y build-dep "/build/$dsc"
    inside useradd builder
    inside chown -R builder: /build
}

build() {
    inside rustc --version
    # A namespace of the network's own has none.
    unshare --net sh -c 'ip link set lo up && exec "$@"' sh \
        unshare --mount --pid --fork --kill-child --mount-proc="$system/proc" chroot "$system" \
        env -i PATH=/usr/bin:/bin HOME=/nonexistent LANG=C.UTF-8 setpriv --reuid=builder --regid=builder \
        --clear-groups sh -euc "cd /build && dpkg-source --extract $dsc tree && cd tree && dpkg-buildpackage --no-sign -b"
}

for suite in "$@"; do
    system=$work/$suite
    log=$system.log
    echo "$suite: builds, and writes $log"
    # Not in a condition, where set -e does nothing.
    set +e
    (set -e; prepare; build) >"$log" 2>&1
    status=$?
    set -e
    [ "$status" -eq 0 ] || { tail -n 30 "$log" >&2; exit 1; }
    (cd "$system/build" && ls -l ./*.deb)
    rm -rf "$system"
done
