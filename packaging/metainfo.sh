#!/bin/sh
# metainfo.sh DIRECTORY [HOMEPAGE PICTURES]: what AppStream reads, made in DIRECTORY. The two addresses
# are Cargo.toml's if none are given; what needs an address that is not known is left out.
set -eu
out=$1
cd "$(dirname -- "$0")/.."
web() { sed -n "/^\[workspace.metadata.web\]/,/^\[/s/^$1 = \"\(.*\)\"/\1/p" Cargo.toml; }
homepage=${2-$(web homepage)} pictures=${3-$(web pictures)}
mkdir -p "$out"
[ -n "$pictures" ] && screenshots= || screenshots='/<screenshots>/,/<\/screenshots>/d'
for template in service-files/*.metainfo.xml.in; do
    made=$out/$(basename "$template" .in)
    sed -e "s|@homepage@|$homepage|; s|@pictures@|$pictures|" -e "$screenshots" \
        -e '/<url type="homepage"><\/url>/d' "$template" >"$made"
    chmod 644 "$made"
done
