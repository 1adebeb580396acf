#!/bin/sh
# Builds the source and binary RPM packages into target/dist, as `make rpm` does.
#
#   RPM_RELEASE=N              the release (1)
#   PACKAGE_KEEP_SOURCES=yes   takes the source archives in target/dist as they are
#   PACKAGE_TESTS=yes          runs the tests that the source package carries, too
#
# The binary packages are built from the source package, without a network. PACKAGE_CACHE=DIR keeps
# what was compiled, for the next build of either kind (packaging/source/offline.sh).
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$root"
. packaging/version.sh
revision=${RPM_RELEASE:-1}
name=network-manager-aws-client-vpn
dist=${PACKAGE_DIST_DIR:-$target/dist}
build=${RPM_BUILD_DIR:-$target/rpm}
spec=$build/SPECS/NetworkManager-aws-client-vpn.spec

[ "${PACKAGE_KEEP_SOURCES:-}" = yes ] || packaging/source/make.sh
rm -rf "$build"
mkdir -p "$build/SOURCES" "$build/SPECS" "${PACKAGE_BUILD_DIR:-$target/package}"
cp "$dist/${name}_$version".orig*.tar.xz "$build/SOURCES/"
openvpn=$(sed -n 's/^orig=openvpn_\(.*\)\.orig.*/\1/p' packaging/openvpn/pin.sh)
{
    echo "%global license_expression $(python3 packaging/crates.py licences)"
    python3 packaging/crates.py linked |
        sed -E 's/^(.+)-([0-9]+\.[0-9]+\.[0-9]+.*)$/Provides:       bundled(crate(\1)) = \2/' >"$build/bundled"
    sed -e "s/@version@/$version/; s/@revision@/$revision/; s/@openvpn_version@/$openvpn/" \
        -e "/^@bundled_crates@\$/{r $build/bundled" -e 'd;}' -e '/^@changelog@$/d' packaging/rpm/NetworkManager-aws-client-vpn.spec.in
    python3 packaging/changelog.py rpm "$version" "$revision" "$SOURCE_DATE_EPOCH"
} >"$spec"

PATH=$(dirname "$(rustup which cargo 2>/dev/null || command -v cargo)"):$PATH
export PATH
unset MAKEFLAGS MAKELEVEL
# The same day and machine in each package of the same source. The packages that the spec asks
# for are Debian's here, which rpm does not know of: make deps sees to them.
rpm_() {
    rpmbuild --define "_buildhost localhost" \
        --define "use_source_date_epoch_as_buildtime 1" --define "clamp_mtime_to_source_date_epoch 1" \
        --define "_source_payload w6.xzdio" --define "_binary_payload w6.xzdio" \
        --nodeps "$@"
}
# The source package carries the spec as rpm reads it, with the directories in it: no directory of this
# machine.
(cd "$build" && rpm_ --define "_topdir ." -bs "SPECS/${spec##*/}")
# Fedora's spec has it by itself. Debian's policy has the headers of the same name.
[ ! -e /usr/share/selinux/devel/Makefile ] || set -- --with selinux "$@"
[ "${PACKAGE_TESTS:-}" = yes ] || set -- --nocheck "$@"
rpm_ --define "_topdir $build" --define "_builddir ${PACKAGE_BUILD_DIR:-$target/package}" \
    --rebuild "$@" "$build"/SRPMS/*.src.rpm
mv -f "$build"/SRPMS/*.src.rpm "$build"/RPMS/*/*.rpm "$dist/"
ls -l "$dist"/*.rpm
