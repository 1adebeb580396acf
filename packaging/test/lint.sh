#!/bin/sh
# Looks at the packages in target/dist with the distributions' own judges, at their contents with
# packaging/check-tree.sh, and at what neither looks at: that each crate's licence is told.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh
dist=$target/dist
name=network-manager-aws-client-vpn
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
faults=$work/faults
: >"$faults"
fault() { echo "$*" | tee -a "$faults" >&2; }

echo "lintian"
lintian --allow-root --tag-display-limit 0 --fail-on error,warning "$dist/${name}_$version"-*.changes ||
    fault "lintian finds something"

tree() { TREE_ORIGIN=$root packaging/check-tree.sh "$1" || fault "see above: $1"; }

for deb in "$dist/${name}_$version"-*.deb "$dist/$name-gnome_$version"-*.deb "$dist/$name-selinux_$version"-*.deb; do
    echo "$(basename "$deb")"
    dpkg-deb -x "$deb" "$work/$(basename "$deb")"
    tree "$work/$(basename "$deb")"
done
for rpm in "$dist"/NetworkManager-aws-client-vpn-*"$version"-*.rpm; do
    case $rpm in *-debuginfo-* | *-debugsource-* | *.src.rpm) continue ;; esac
    echo "$(basename "$rpm")"
    mkdir "$work/$(basename "$rpm")"
    rpm2cpio "$rpm" | (cd "$work/$(basename "$rpm")" && cpio --quiet -idm)
    tree "$work/$(basename "$rpm")"
done

echo "what the main package links"
toolkits=$(dpkg-deb -f "$dist/${name}_$version"-*.deb Depends | grep -Eo 'lib(gtk|adwaita|gdk)[^, ]*' || true)
[ -z "$toolkits" ] || fault "the main package needs a toolkit: $toolkits"

echo "licences"
copyright=$work/$(cd "$work" && echo "${name}_$version"-*.deb)/usr/share/doc/$name/copyright
python3 packaging/crates.py linked | while read -r crate; do
    grep -q "^Files: vendor/$crate/\*" "$copyright" || fault "copyright does not tell of $crate"
done

echo "rpmlint"
rpmlint --strict --config packaging/rpm/rpmlint.toml "$dist"/NetworkManager-aws-client-vpn-*"$version"-*.rpm ||
    fault "rpmlint finds something"
packaging/rpm/check.sh || fault "the RPM package does not fit Fedora or openSUSE"

[ ! -s "$faults" ] || exit 1
echo "packages: nothing to report"
