#!/bin/sh
# Unpacks another Debian release with GNOME Settings and NetworkManager into
# target/roots/RELEASE, for the tests of tests/desktop that run under it.
#
#   make-root.sh trixie    NetworkManager 1.52, GNOME 48
#   make-root.sh sid       the newest of both
#   make-root.sh trixie desktops    KDE Plasma, into target/roots/trixie-desktops
#
# The mirror is the one that apt has here. A root is kept until this script changes. Nothing in it
# is ever run outside namespaces of its own, and no service is started.
set -eu

release=$1 kind=${2:-settings}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
case $release-$kind in
*-settings)
    name=$release
    programs="network-manager-openvpn-gnome gnome-control-center"
    ;;
*-desktops)
    name=$release-desktops
    programs="plasma-nm plasma-workspace breeze xdg-utils dbus-x11"
    ;;
esac
out=${CARGO_TARGET_DIR:-$root/target}/roots/$name
stamp=$out.made-by
wanted=$(sha256sum <"$here/make-root.sh" | cut -d' ' -f1)
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0

mkdir -p "$(dirname "$out")"
"$root/packaging/test/debootstrap.sh" "$release" "$out"
apt="unshare --mount --pid --fork --kill-child --mount-proc=$out/proc \
	chroot $out env DEBIAN_FRONTEND=noninteractive apt-get -q -y"
$apt update
# shellcheck disable=SC2086 # a list of words
$apt install $programs \
	network-manager openvpn dbus iproute2 libgtk-4-1 libadwaita-1-0 \
	iputils-ping procps curl xvfb xdotool imagemagick at-spi2-core adwaita-icon-theme fonts-cantarell \
	libgl1-mesa-dri libpkcs11-helper1 libnl-genl-3-200 openbox x11-utils systemd
$apt clean
echo "$wanted" >"$stamp"
