#!/bin/sh
# make-root.sh NAME: makes the disk, kernel and initial memory disk of a virtual machine, in
# target/vm/NAME (root):
#   desktop  Debian 13 with GDM, GNOME on Wayland, Firefox, Chromium and AppArmor
#   testing  the same of Debian testing
#   selinux  Debian 13 without a desktop, whose SELinux policy is enforced
# All have an ordinary user, and what the packages in target/staged-packages depend on. A disk is kept
# until this script, those dependencies or our policy module's package change. No test writes to it.
set -eu

name=$1
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
machine=$target/vm/$name
log=$machine.log

# What has to be there before, without the package of ours that the other one needs.
needed=$(for deb in "$target"/staged-packages/*.deb; do dpkg-deb --field "$deb" Depends; done |
    tr '\n' ',' | sed 's/network-manager-aws-client-vpn ([^)]*), *//; s/,$//')
wanted=$({ cat "$0" "$here/packaging/test/debootstrap.sh"; echo "$name $needed"
    [ "$name" != selinux ] || cat "$here"/packaging/selinux/* "$here"/packaging/deb/*-selinux.*; } | sha256sum)
[ "$(cat "$machine/.made" 2>/dev/null)" != "$wanted" ] || exit 0

base='linux-image-amd64 initramfs-tools systemd systemd-sysv libpam-systemd dbus dbus-user-session
    udev kmod polkitd network-manager nftables iproute2 iputils-ping procps curl ca-certificates
    qemu-guest-agent'
suite=trixie
case $name in
desktop | testing)
    [ "$name" != testing ] || suite=testing
    packages='gdm3 gnome-shell gnome-session gnome-settings-daemon gnome-control-center
        gnome-keyring libpam-gnome-keyring nautilus xdg-desktop-portal-gnome
        xdg-desktop-portal-gtk xdg-user-dirs-gtk at-spi2-core libgl1-mesa-dri
        adwaita-icon-theme fonts-cantarell fonts-dejavu-core apparmor firefox-esr chromium
        libnss3-tools'
    size=8G
    ;;
selinux)
    packages='selinux-basics selinux-policy-default policycoreutils semodule-utils auditd
        openssh-server'
    size=4G
    ;;
*)
    echo "$0: there is no machine $name" >&2
    exit 2
    ;;
esac

make_desktop() {
    echo 'security=apparmor apparmor=1' >"$machine/kernel-options"
    # What the first login would show first; what would keep a screen from being compared or read. Two
    # clicks are a double one also where they are handled slowly.
    mkdir -p "$root/etc/dconf/profile" "$root/etc/dconf/db/local.d"
    printf 'user-db:user\nsystem-db:local\n' >"$root/etc/dconf/profile/user"
    cat >"$root/etc/dconf/db/local.d/tests" <<'END'
[org/gnome/shell]
welcome-dialog-last-shown-version='9999'
[org/gnome/desktop/interface]
enable-animations=false
toolkit-accessibility=true
[org/gnome/desktop/session]
idle-delay=uint32 0
[org/gnome/desktop/peripherals/mouse]
double-click=5000
END
    $inside dconf update
    # The greeter has defaults of its own.
    printf '[org/gnome/desktop/interface]\nenable-animations=false\ntoolkit-accessibility=true\n' \
        >>"$root/etc/gdm3/greeter.dconf-defaults"
    # Chromium tells screen readers of its pages only if one runs, or so.
    echo 'CHROMIUM_FLAGS="$CHROMIUM_FLAGS --force-renderer-accessibility"' \
        >"$root/etc/chromium.d/tests"
    # The first start of Firefox, without its tours; whose certificates it trusts besides.
    mkdir -p "$root/etc/firefox/policies"
    cat >"$root/etc/firefox/policies/policies.json" <<'END'
{ "policies": {
    "Certificates": { "Install": ["/usr/local/share/ca-certificates/tests.crt"] },
    "DontCheckDefaultBrowser": true, "DisableTelemetry": true, "SkipTermsOfUse": true,
    "OfferToSaveLogins": false,
    "OverrideFirstRunPage": "", "OverridePostUpdatePage": "" } }
END
}

make_selinux() {
    echo 'security=selinux selinux=1' >"$machine/kernel-options"
    sed -i 's/^SELINUX=.*/SELINUX=enforcing/; s/^SELINUXTYPE=.*/SELINUXTYPE=default/' \
        "$root/etc/selinux/config"
    # What is denied is told, all of it. Both policies are built here, with our package and without it
    # (a test changes to the first): on a processor that is computed it takes many minutes.
    cp "$target"/staged-packages/network-manager-aws-client-vpn-selinux_*.deb "$root/root/selinux.deb"
    $inside dpkg --install /root/selinux.deb
    $inside semodule --list-modules=full | grep -q '^200 nm_aws_client_vpn '
    $inside semodule --noreload --disable_dontaudit --build
    cp -r "$root/etc/selinux/default/policy" "$root/root/policy-with-ours"
    $inside dpkg --purge network-manager-aws-client-vpn-selinux
    if $inside semodule --list-modules=full | grep nm_aws_client_vpn; then return 1; fi
    $inside semodule --noreload --disable_dontaudit --build
    # The commands of the tests are those of an administrator who has logged in.
    printf '[Service]\nSELinuxContext=unconfined_u:unconfined_r:unconfined_t:s0\n' \
        >"$root/etc/systemd/system/qemu-guest-agent.service.d/selinux.conf"
    $inside setfiles -F -e /proc -e /sys -e /dev \
        /etc/selinux/default/contexts/files/file_contexts /
}

make_machine() {
    "$here/packaging/test/debootstrap.sh" "$suite" "$root"
    inside="unshare --mount --pid --fork --kill-child --mount-proc=$root/proc \
        chroot $root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive"
    # The drivers of this machine alone: less to unpack and to look for at each boot.
    mkdir -p "$root/etc/initramfs-tools/conf.d"
    echo MODULES=list >"$root/etc/initramfs-tools/conf.d/tests"
    printf '%s\n' virtio_pci virtio_blk ext4 >"$root/etc/initramfs-tools/modules"
    $inside apt-get -q -y update
    # shellcheck disable=SC2086 # lists of words
    $inside apt-get -q -y install $base $packages
    $inside apt-get -q -y satisfy "$needed"
    # Last, as it takes over /etc/resolv.conf.
    $inside apt-get -q -y install systemd-resolved
    $inside apt-get clean
    rm "$root/usr/sbin/policy-rc.d"
    # Nothing is left to bring up to date at the first boot.
    touch "$root/etc/.updated" "$root/var/.updated"
    echo debian >"$root/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 debian\n' >"$root/etc/hosts"
    printf 'LABEL=root / ext4 errors=remount-ro 0 1\n' >"$root/etc/fstab"
    # As Debian's installer makes the first user, but without sudo.
    $inside useradd --create-home --shell /bin/bash --comment 'Ada Lovelace' \
        --groups cdrom,floppy,audio,dip,video,plugdev,users,netdev ada
    echo 'ada:engine' | $inside chpasswd
    # It writes each command down: whoever looks for a text in the journal would find the looking.
    mkdir -p "$root/etc/systemd/system/qemu-guest-agent.service.d"
    printf '[Service]\nLogLevelMax=notice\n' \
        >"$root/etc/systemd/system/qemu-guest-agent.service.d/tests.conf"
    rm -rf "$machine"
    mkdir -p "$machine"
    case $name in selinux) make_selinux ;; *) make_desktop ;; esac
    cp -L "$root/vmlinuz" "$machine/kernel"
    cp -L "$root/initrd.img" "$machine/initrd"
    mke2fs -q -t ext4 -L root -d "$root" "$machine/disk" "$size"
}
mkdir -p "$target/vm"
root=$(mktemp -d "$target/vm/$name-root.XXXXXX")
trap 'rm -rf "$root"' EXIT
trap 'exit 1' HUP INT TERM
(set -e; make_machine) >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
echo "$wanted" >"$machine/.made"
