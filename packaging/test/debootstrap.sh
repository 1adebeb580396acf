#!/bin/sh
# debootstrap.sh SUITE DIR: unpacks a Debian release into DIR, from the mirror that this machine's
# apt has (root). Packages that are installed there later start no service, write no translated
# lists and do not wait for the disk.
set -eu
suite=$1 root=$2

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    2>/dev/null | sort -u | grep -v security | head -n 1) || true
mirror=${mirror:-http://deb.debian.org/debian}

rm -rf "$root"
mkdir -p "$root"
# An older debootstrap has no script of a newer suite's name; sid's does for all of them.
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    "$suite" "$root" "$mirror" "$script"

# Package scripts ask this before they start a service; 101 means: do not.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/90tests"
# An archive of testing may be older than its Release file likes.
cat >"$root/etc/apt/apt.conf.d/90tests" <<'END'
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dpkg::Use-Pty "0";
END
cp /etc/resolv.conf "$root/etc/resolv.conf"
