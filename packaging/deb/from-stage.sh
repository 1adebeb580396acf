#!/bin/sh
# from-stage.sh [TARGET]: makes the binary packages of the tree that `make stage` has installed, into
# target/staged-packages: the same control files, maintainer scripts and division as those of `make deb`,
# without building anything again. TARGET is one of debian/rules: binary-arch (without it), or binary, with
# the SELinux module too. For tests of installed packages; what is published comes from build.sh.
set -eu
wanted=${1:-binary-arch}
cd "$(dirname -- "$0")/../.."
. packaging/version.sh
packages=$target/staged-packages
rm -rf "$packages"
mkdir -p "$packages/tree"
packaging/deb/control-files.sh "$packages/tree" 1
ln -s "$PWD/packaging" "$packages/tree/packaging"
cp CHANGELOG.md "$packages/tree/"
cd "$packages/tree"
unset MAKEFLAGS MAKELEVEL
# They are read once, a moment later: not worth compressing.
export DPKG_DEB_COMPRESSOR_TYPE=none
DEB_BUILD_OPTIONS=noautodbgsym STAGED_TREE=$target/stage debian/rules "$wanted" >"$packages/log" 2>&1 ||
    { tail -n 30 "$packages/log" >&2; exit 1; }
cd ..
rm -r tree
