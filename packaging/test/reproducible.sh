#!/bin/sh
# Builds sources and packages a second time, in another directory, and compares: the same bytes.
# What was built first is in target/dist.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh
mkdir -p "$target"
work=$(mktemp -d "$target/again.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Nothing of the first build may come into the second; its RPM packages take what its Debian ones
# compiled.
export PACKAGE_CACHE="$work/compiled"
sums() { (cd "$1" && find . -maxdepth 1 -type f \( -name '*.deb' -o -name '*.rpm' -o -name '*.tar.xz' \
    -o -name '*.dsc' \) | grep "$version" | LC_ALL=C sort | xargs sha256sum); }
sums "$target/dist" >"$work/first"
PACKAGE_DIST_DIR="$work/dist" PACKAGE_BUILD_DIR="$work/elsewhere" packaging/deb/build.sh
if grep -q '\.rpm$' "$work/first"; then
    PACKAGE_DIST_DIR="$work/dist" PACKAGE_BUILD_DIR="$work/elsewhere" RPM_BUILD_DIR="$work/rpm" \
        packaging/rpm/build.sh
fi
sums "$work/dist" >"$work/second"
diff "$work/first" "$work/second" || { echo "these differ from one build to the next" >&2; exit 1; }
echo "built twice, the same bytes: $(wc -l <"$work/first") files"
