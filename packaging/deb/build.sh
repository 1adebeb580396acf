#!/bin/sh
# Builds the Debian source and binary packages into target/dist, as `make deb` does.
#
#   DEB_REVISION=N             the Debian revision (1)
#   PACKAGE_KEEP_SOURCES=yes   takes the source archives in target/dist as they are
#   PACKAGE_TESTS=yes          runs the tests that the source package carries, too
#   PACKAGE_BUILD=source       makes the source package only
#
# PACKAGE_CACHE=DIR keeps what was compiled, for the next build of either kind. The build happens in a
# copy unpacked from the source package, with no network but what the machine gives;
# packaging/source/offline.sh keeps it from being used.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh
revision=${DEB_REVISION:-1}
name=network-manager-aws-client-vpn
dist=${PACKAGE_DIST_DIR:-$target/dist}
build=${PACKAGE_BUILD_DIR:-$target/package}
tree=$build/$name-$version

[ "${PACKAGE_KEEP_SOURCES:-}" = yes ] || packaging/source/make.sh
rm -rf "$build"
mkdir -p "$tree"
for archive in "$dist/${name}_$version".orig*.tar.xz; do
    ln -s "$archive" "$build/"
done
tar -C "$tree" --strip-components=1 -xf "$dist/${name}_$version.orig.tar.xz"
for component in vendor openvpn; do
    mkdir "$tree/$component"
    tar -C "$tree/$component" --strip-components=1 -xf "$dist/${name}_$version.orig-$component.tar.xz"
done

packaging/deb/control-files.sh "$tree" "$revision"

# Rust may come from rustup rather than from Debian: its own directory then, because debhelper hides
# the home that rustup's stand-ins look in, and no check for packages of that name.
PATH=$(dirname "$(rustup which cargo 2>/dev/null || command -v cargo)"):$PATH
export PATH
[ "${PACKAGE_TESTS:-}" = yes ] || export DEB_BUILD_OPTIONS="nocheck ${DEB_BUILD_OPTIONS:-}"
cd "$tree"
# A build of Make's above must not tell this one how to run.
unset MAKEFLAGS MAKELEVEL
dpkg-buildpackage --build="${PACKAGE_BUILD:-full}" --no-sign --no-check-builddeps --source-option=-Zxz

cd "$build"
mv -f ./*.dsc ./*.debian.tar.xz "$dist/"
[ "${PACKAGE_BUILD:-}" != source ] || exit 0
mv -f ./*.deb ./*.buildinfo ./*.changes "$dist/"
cd "$dist"
ls -l ./*"${version}-$revision"*.deb
