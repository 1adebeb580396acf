#!/bin/sh
# Gathers what is published of a release in target/release-files: packages, sources, the bill of
# materials, what is new, and the checksums of all. Run after `make deb rpm`.
#
# A release is: the version in Cargo.toml, a section of that version in CHANGELOG.md (in place of
# "Unreleased") and in the metainfo files, `make packages-test`, a tag vVERSION, `make release`. Without
# the tag, it is a trial.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
. packaging/version.sh
out=$target/release-files

tag=$(git tag --points-at HEAD 2>/dev/null | grep '^v' | head -n 1) || true
if [ -n "$tag" ]; then
    [ -z "$(git status --porcelain)" ] ||
        { echo "release: there are changes here that $tag does not have" >&2; exit 1; }
    [ "$tag" = "v$version" ] || { echo "release: tag $tag, but Cargo.toml says $version" >&2; exit 1; }
    grep -q "^## \[\?$version" CHANGELOG.md ||
        { echo "release: CHANGELOG.md has no section for $version" >&2; exit 1; }
    for metainfo in service-files/*.metainfo.xml*; do
        grep -q "<release version=\"$version\"" "$metainfo" ||
            { echo "release: $metainfo does not tell of $version" >&2; exit 1; }
    done
else
    echo "release: no tag v$version here: these files are not published" >&2
fi

rm -rf "$out"
mkdir -p "$out"
# Of the revisions that were built, this one.
for file in "$target"/dist/*_"$version".orig*.tar.xz \
    "$target"/dist/*_"$version-${DEB_REVISION:-1}"[._]* \
    "$target"/dist/*-"$version-${RPM_RELEASE:-1}".*.rpm; do
    case $file in *.buildinfo | *.changes) ;; *) cp -p "$file" "$out/" ;; esac
done
python3 packaging/crates.py sbom "$version" >"$out/network-manager-aws-client-vpn-$version.cdx.json"
python3 packaging/changelog.py notes "$version" >"$out/NOTES.md"
(cd "$out" && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
cat "$out/SHA256SUMS"
