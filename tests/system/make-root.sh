#!/bin/sh
# Makes the system that the tests boot, in target/system-roots/trixie: Debian 13 with NetworkManager,
# GNOME Shell and sshd as the distribution sets them up, two users, and what the packages in
# target/staged-packages depend on (root). A root is kept until this script or those dependencies
# change. No test writes to it: each lays a memory of its own over it.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
root=$target/system-roots/trixie
log=$root.log

# What has to be there before, without the package of ours that the other one needs.
needed=$(for deb in "$target"/staged-packages/*.deb; do dpkg-deb --field "$deb" Depends; done |
    tr '\n' ',' | sed 's/network-manager-aws-client-vpn ([^)]*), *//; s/,$//')
wanted=$({ cat "$0" "$here/packaging/test/debootstrap.sh"; echo "$needed"; } | sha256sum)
[ "$(cat "$root/.made" 2>/dev/null)" != "$wanted" ] || exit 0

make_root() {
    "$here/packaging/test/debootstrap.sh" trixie "$root"
    inside="unshare --mount --pid --fork --kill-child --mount-proc=$root/proc \
        chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive"
    $inside apt-get -q -y update
    $inside apt-get -q -y install \
        systemd systemd-sysv libpam-systemd dbus dbus-user-session polkitd network-manager \
        openssh-server openssh-client sudo nftables iproute2 iputils-ping procps curl ca-certificates \
        xdg-desktop-portal xdg-desktop-portal-gtk xdg-desktop-portal-gnome xdg-utils \
        gdm3 gnome-shell gnome-session gnome-settings-daemon gnome-keyring libpam-gnome-keyring \
        at-spi2-core libgl1-mesa-dri adwaita-icon-theme fonts-cantarell
    $inside apt-get -q -y satisfy "$needed"
    # Last, as it takes over /etc/resolv.conf.
    $inside apt-get -q -y install systemd-resolved
    $inside apt-get clean
    rm "$root/usr/sbin/policy-rc.d"

    # As Debian's installer makes the first user, but not in the group sudo; and somebody else.
    $inside useradd --create-home --shell /bin/bash \
        --groups cdrom,floppy,audio,dip,video,plugdev,users,netdev ada
    $inside useradd --create-home --shell /bin/bash --groups users bob
    # Both may come back over ssh.
    for user in ada bob; do
        $inside runuser -u "$user" -- sh -c 'cd && mkdir -m 700 .ssh && cd .ssh &&
            ssh-keygen -q -t ed25519 -N "" -f id_ed25519 && cp id_ed25519.pub authorized_keys &&
            echo "StrictHostKeyChecking no" >config'
    done
    # There is no screen: none for a greeter, one in memory for gnome-shell, which locks only where
    # GDM runs.
    sed -i 's/^\[daemon\]/[daemon]\nWaylandEnable=false\nXorgEnable=false/' "$root/etc/gdm3/daemon.conf"
    mkdir -p "$root/etc/systemd/user/org.gnome.Shell@wayland.service.d"
    cat >"$root/etc/systemd/user/org.gnome.Shell@wayland.service.d/headless.conf" <<'END'
[Service]
ExecStart=
ExecStart=/usr/bin/gnome-shell --headless --virtual-monitor 1280x720
END
    # The default browser is the tests' person at the browser.
    cat >"$root/usr/share/applications/lab-browser.desktop" <<'END'
[Desktop Entry]
Type=Application
Name=Browser
Exec=/run/lab/bin/xdg-open %u
MimeType=x-scheme-handler/http;x-scheme-handler/https;text/html;
END
    cat >"$root/etc/xdg/mimeapps.list" <<'END'
[Default Applications]
x-scheme-handler/http=lab-browser.desktop
x-scheme-handler/https=lab-browser.desktop
END
    $inside update-desktop-database
}
mkdir -p "$(dirname "$root")"
(set -e; make_root) >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
echo "$wanted" >"$root/.made"
