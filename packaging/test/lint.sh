#!/bin/sh
# Looks at the packages in target/dist with the distributions' own judges, and at what these do not
# look at: permissions, search paths, hardening, and that each crate's licence is told.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh
dist=$root/target/dist
name=network-manager-aws-client-vpn
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
faults=$work/faults
: >"$faults"
fault() { echo "$*" | tee -a "$faults" >&2; }

echo "lintian"
lintian --allow-root --no-tag-display-limit --fail-on error,warning "$dist/${name}_$version"-*.changes ||
    fault "lintian finds something"

# elf FILE: a program or library has to be hardened as the distributions harden theirs.
elf() {
    headers=$(readelf --wide --file-header --program-headers --dynamic "$1")
    shown=${1#"$work"/}
    for wanted in 'Type: *DYN' 'GNU_RELRO' 'BIND_NOW|FLAGS.* NOW'; do
        echo "$headers" | grep -Eq "$wanted" || fault "$shown has no $wanted"
    done
    for unwanted in '\(RPATH\)|\(RUNPATH\)' 'TEXTREL' 'GNU_STACK.* RWE'; do
        ! echo "$headers" | grep -Eq "$unwanted" || fault "$shown has $unwanted"
    done
    ! readelf --wide --sections "$1" | grep -q '\.debug_' || fault "$shown has its symbols still"
    case $1 in
    */openvpn)
        symbols=$(readelf --wide --dyn-syms "$1")
        for wanted in __stack_chk_fail '_chk@'; do
            echo "$symbols" | grep -q "$wanted" || fault "$shown has no $wanted"
        done
        ;;
    esac
    ! strings "$1" | grep -q "$root" || fault "$shown tells where it was built"
}

tree() {
    find "$1" -type f -perm /6000 | while read -r file; do fault "$file is setuid or setgid"; done
    find "$1" ! -type l -perm /022 | while read -r file; do fault "$file can be written by others"; done
    find "$1" -type f | while read -r file; do
        if [ "$(head -c 4 "$file" | tr -d '\0')" = "$(printf '\177ELF')" ]; then elf "$file"; fi
    done
    for file in "$1"/usr/share/metainfo/*.xml; do
        [ ! -e "$file" ] || appstreamcli validate --no-net "$file" >"$work/out" || fault "$(cat "$work/out")"
    done
    for file in "$1"/usr/share/applications/*.desktop; do
        [ ! -e "$file" ] || desktop-file-validate "$file" || fault "$file is not well formed"
    done
    for file in "$1"/usr/lib/sysusers.d/*.conf; do
        [ ! -e "$file" ] || systemd-sysusers --dry-run "$file" >/dev/null || fault "$file is not well formed"
    done
}

for deb in "$dist/${name}_$version"-*.deb "$dist/$name-gnome_$version"-*.deb; do
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
echo "packages: nothing to complain of"
