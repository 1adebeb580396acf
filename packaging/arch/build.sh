#!/bin/sh
# Makes target/arch, in which makepkg builds the Arch package: PKGBUILD and the source archives.
#
#   PACKAGE_KEEP_SOURCES=yes   takes the source archives in target/dist as they are
set -eu
cd "$(dirname -- "$0")/../.."
. packaging/version.sh
dist=${PACKAGE_DIST_DIR:-$target/dist}
arch=$target/arch

[ "${PACKAGE_KEEP_SOURCES:-}" = yes ] || packaging/source/make.sh
rm -rf "$arch"
mkdir -p "$arch"
cp packaging/arch/*.install "$arch/"
cd "$dist"
base=network-manager-aws-client-vpn_$version
sums=
for part in orig orig-vendor orig-openvpn; do
    cp "$base.$part.tar.xz" "$arch/"
    sums="$sums $(sha256sum "$base.$part.tar.xz" | cut -d' ' -f1)"
done
cd - >/dev/null
sed "s/@version@/$version/; s/@sums@/${sums# }/; s/@licences@/$(python3 packaging/crates.py licences)/" \
    packaging/arch/PKGBUILD.in >"$arch/PKGBUILD"
