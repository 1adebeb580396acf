#!/bin/sh
# architectures.sh ARCH…: builds programs and OpenVPN on this computer for other architectures of
# Debian's, and runs their tests (root).
#
#   TESTED    the crates, as cargo's options (the Makefile has the list)
#
# Compilers and libraries are Debian testing's, crates those in cargo's own cache. The root and what is
# built in it, some 6 GB, are kept in target/architectures for the next time. What this kernel
# does not run (it does run i386), QEMU emulates, a process at a time; that needs Linux 6.7.
set -eu

# What cargo and QEMU call an architecture.
names_of() {
    emulator=
    case $1 in
    i386) rust=i686-unknown-linux-gnu ;;
    arm64) rust=aarch64-unknown-linux-gnu emulator=aarch64 ;;
    armhf) rust=armv7-unknown-linux-gnueabihf emulator=arm ;;
    loong64) rust=loongarch64-unknown-linux-gnu emulator=loongarch64 ;;
    ppc64el) rust=powerpc64le-unknown-linux-gnu emulator=ppc64le ;;
    riscv64) rust=riscv64gc-unknown-linux-gnu emulator=riscv64 ;;
    s390x) rust=s390x-unknown-linux-gnu emulator=s390x ;;
    *) echo "architectures.sh: the architecture $1 is not known here" >&2; exit 2 ;;
    esac
}

# One of them, in the root that is made below.
if [ "$1" = --inside ]; then
    arch=$2
    names_of "$arch"
    # It warns that the compiler is another one: it is, below.
    gnu=$(dpkg-architecture -f -a"$arch" -qDEB_HOST_GNU_TYPE 2>/dev/null)
    libraries=/usr/lib/$(dpkg-architecture -f -a"$arch" -qDEB_HOST_MULTIARCH 2>/dev/null)
    skip=
    if [ -n "$emulator" ]; then
        # QEMU lets nothing that it runs filter system calls.
        skip='--skip the_filter_lets_through'
        # This user namespace's own list of emulators: the computer's stays as it is.
        mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
        cat "/usr/lib/binfmt.d/qemu-$emulator.conf" >/proc/sys/fs/binfmt_misc/register
    fi
    export CARGO_HOME=/cargo CARGO_NET_OFFLINE=true CARGO_INCREMENTAL=0
    export CARGO_TARGET_DIR=/build CARGO_PROFILE_DEV_DEBUG=none
    export CARGO_BUILD_TARGET="$rust" "CC_$(echo "$rust" | tr - _)=$gnu-gcc"
    export "CARGO_TARGET_$(echo "$rust" | tr a-z- A-Z_)_LINKER=$gnu-gcc"
    export PKG_CONFIG_ALLOW_CROSS=1 PKG_CONFIG_LIBDIR="$libraries/pkgconfig:/usr/share/pkgconfig"
    cd /source
    CARGO_TARGET_DIR=/build/$arch CC=$gnu-gcc host_alias=$gnu OPENVPN_SYMBOLS=yes OPENVPN_SOURCE=/openvpn \
        packaging/openvpn/build.sh client
    "/build/$arch/openvpn/openvpn" --version | head -n 1
    # shellcheck disable=SC2086 # lists of words
    cargo test --locked --no-fail-fast $TESTED -- $skip
    exit
fi

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$here"
work=${CARGO_TARGET_DIR:-$here/target}/architectures
root=$work/root
log=$root.log

prepare() {
    unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" chroot "$root" \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" \
        >>"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
}
# What building needs: this computer's tools (-v), or libraries. The programs with windows are not built.
needed() {
    sed -n 's/^build[[:space:]]*//p' packaging/debian-packages.txt | grep -v 'gtk\|adwaita\|glib\|libnm' |
        grep "$@" '^lib.*-dev$'
}
mkdir -p "$work"
if [ ! -e "$root/.made" ]; then
    packaging/test/debootstrap.sh forky "$root" >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
    prepare apt-get update
    # shellcheck disable=SC2046 # a list of words
    prepare apt-get -y install $(needed -v) cargo rustc qemu-user qemu-user-binfmt \
        dbus iproute2 nftables
    touch "$root/.made"
fi
for arch in "$@"; do
    names_of "$arch"
    [ ! -e "$root/.made-$arch" ] || continue
    prepare dpkg --add-architecture "$arch"
    prepare apt-get update
    # shellcheck disable=SC2046 # a list of words
    prepare apt-get -y install "crossbuild-essential-$arch" "libstd-rust-dev:$arch" \
        $(needed | sed "s/\$/:$arch/")
    touch "$root/.made-$arch"
done
packaging/openvpn/build.sh fetch "$root/openvpn"
cargo fetch --locked

# Enters the root, in namespaces with all users of this one, for one architecture.
# shellcheck disable=SC2016 # its shell is to expand it
enter='
    ip link set lo up
    mount --rbind "$1" "$1"
    mount --rbind /dev "$1/dev"
    mount -t sysfs -o ro sysfs "$1/sys"
    for directory in source cargo/registry; do
        mkdir -p "$1/$directory"
        if [ $directory = source ]; then from=$2; else from=$3/registry; fi
        mount --bind "$from" "$1/$directory"
        mount -o remount,bind,ro "$1/$directory"
    done
    # Within chroot(2), the tests could make no namespaces of their own.
    cd "$1"
    pivot_root . .
    umount -l .
    exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        TESTED="$TESTED" sh /source/packaging/test/architectures.sh --inside "$4"'
for arch in "$@"; do
    echo "$arch"
    unshare --user sh -c 'until grep -q . /proc/self/gid_map; do sleep 0.1; done; exec "$@"' sh \
        unshare --mount --pid --net --fork --kill-child --mount-proc="$root/proc" \
        sh -eu -c "$enter" sh "$root" "$here" "${CARGO_HOME:-$HOME/.cargo}" "$arch" &
    process=$!
    until echo '0 0 4294967295' >"/proc/$process/uid_map"; do sleep 0.1; done 2>/dev/null
    echo '0 0 4294967295' >"/proc/$process/gid_map"
    wait "$process"
done
