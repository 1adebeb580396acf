#!/bin/sh
# add-desktop.sh DESKTOP…: puts desktops on the system that make-root.sh has made, each into a layer of
# its own, target/system-roots/trixie-DESKTOP, with what Debian gives somebody who chooses it (root).
# A layer is kept until this script or the system below changes.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
roots=${CARGO_TARGET_DIR:-$here/target}/system-roots
system=$roots/trixie

packages_of() {
    case $1 in
    sway) echo sway swaybg swaylock foot grim mako-notifier ;;
    xfce) echo xfce4 xfce4-notifyd xfce4-terminal xfce4-screensaver network-manager-applet $x11 ;;
    mate)
        echo mate-desktop-environment-core mate-notification-daemon mate-screensaver mate-polkit \
            network-manager-applet $x11
        ;;
    lxqt) echo lxqt-core lxqt-notificationd openbox network-manager-applet $x11 ;;
    cinnamon) echo cinnamon-core $x11 ;;
    i3) echo i3 i3lock suckless-tools dunst network-manager-applet $x11 ;;
    # GNOME's portal, which it would take, needs a session that systemd starts.
    budgie) echo budgie-desktop xdg-desktop-portal-gnome- $x11 ;;
    # The wallet is opened at the login, and is the only keyring, which takes the plugins.
    plasma)
        echo plasma-desktop plasma-nm kwin-x11 sddm libpam-kwallet5 libqca-qt6-plugins \
            gnome-keyring- libpam-gnome-keyring- $x11
        ;;
    *) echo "add-desktop.sh: $1 is not among the desktops that are tried" >&2; return 2 ;;
    esac
}
# A screen in memory, and what looks at it and operates it.
x11='xvfb xinit x11-common x11-xserver-utils dbus-x11 xdotool imagemagick'

# add DESKTOP PACKAGES
add() {
    layer=$roots/trixie-$1
    packages=$2
    rm -rf "$layer" "$layer.work" "$layer.made"
    mkdir -p "$layer" "$layer.work"
    # What is mounted goes with the namespace.
    unshare --mount --pid --fork --kill-child sh -euc '
        system=$1 layer=$2
        shift 2
        root=$layer.work/root
        mkdir "$layer.work/root" "$layer.work/work"
        mount -t overlay overlay \
            -o "lowerdir=$system,upperdir=$layer,workdir=$layer.work/work" "$root"
        mount -t proc proc "$root/proc"
        # systemd-resolved is not there to be asked.
        rm "$root/etc/resolv.conf"
        cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
        printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"
        chmod 755 "$root/usr/sbin/policy-rc.d"
        apt="chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive apt-get -q -y"
        $apt update
        $apt install "$@"
        $apt clean
        rm "$root/usr/sbin/policy-rc.d"
        ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
    ' sh "$system" "$layer" $packages
    rm -rf "$layer.work"
}

for desktop; do
    packages=$(packages_of "$desktop")
    wanted=$({ cat "$system/.made"; sed -n '/^add()/,/^}/p' "$0"; echo "$packages"; } | sha256sum)
    made=$roots/trixie-$desktop.made
    [ "$(cat "$made" 2>/dev/null)" != "$wanted" ] || continue
    log=$roots/trixie-$desktop.log
    (set -e; add "$desktop" "$packages") >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
    echo "$wanted" >"$made"
done
