#!/bin/sh
# Makes the source archives that the Debian and the RPM package are built from, without a network:
#
#   target/dist/network-manager-aws-client-vpn_VERSION.orig.tar.xz          this tree
#   target/dist/network-manager-aws-client-vpn_VERSION.orig-vendor.tar.xz   the crates
#   target/dist/network-manager-aws-client-vpn_VERSION.orig-openvpn.tar.xz  the pinned OpenVPN
#
# The same tree gives the same bytes: names sorted, owners root, times those of the last commit. So
# what is there already of this tree is kept: packing the crates takes minutes.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh

dist=${PACKAGE_DIST_DIR:-$target/dist}
name=network-manager-aws-client-vpn
base=${name}_$version
# The tree's sum, and below it those of the archives.
stamp=$dist/.sources
mkdir -p "$dist"
tree() { git ls-files -z | xargs -0 stat --format '%a %n' && git ls-files -z | xargs -0 sha256sum; }
wanted=$({ tree && echo "$SOURCE_DATE_EPOCH"; } | sha256sum)
if [ "$(head -n 1 "$stamp" 2>/dev/null)" = "$wanted" ] &&
    (cd "$dist" && tail -n +2 .sources | sha256sum --check --status); then
    exit 0
fi
rm -f "$stamp"

work=$(mktemp -d "$target/source.XXXXXX")
trap 'rm -rf "$work"' EXIT

# pack DIR ARCHIVE: everything below $work/DIR, in an order and with times of no day's own.
pack() {
    find "$work/$1" -type d -exec chmod 755 {} +
    find "$work/$1" -type f -perm /111 -exec chmod 755 {} +
    find "$work/$1" -type f ! -perm /111 -exec chmod 644 {} +
    tar -C "$work" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" -cf - "$1" | xz -T1 -6 >"$dist/$2.new"
    mv "$dist/$2.new" "$dist/$2"
}

git ls-files -z | xargs -0 cp --parents -t "$(mkdir -p "$work/$name-$version" && echo "$work/$name-$version")"
# What git knows and a source archive does not have: the day of the last change.
echo "$SOURCE_DATE_EPOCH" >"$work/$name-$version/packaging/source/date"
pack "$name-$version" "$base.orig.tar.xz"

python3 packaging/crates.py vendor "$work/vendor"
pack vendor "$base.orig-vendor.tar.xz"

packaging/openvpn/build.sh fetch "$work/openvpn"
pack openvpn "$base.orig-openvpn.tar.xz"

(cd "$dist" && { echo "$wanted"; sha256sum "$base".orig*.tar.xz; } >.sources)
