#!/bin/sh
# control-files.sh TREE REVISION: makes TREE/debian, what Debian's package builder reads.
set -eu
tree=$1 revision=$2
cd "$(dirname -- "$0")/../.."
. packaging/version.sh
mkdir "$tree/debian"
for file in packaging/deb/*; do
    case $file in *.sh | */licences | */copyright.in) ;; *) cp -r "$file" "$tree/debian/" ;; esac
done
python3 packaging/crates.py copyright packaging/deb/copyright.in >"$tree/debian/copyright"
python3 packaging/changelog.py deb "$version" "$revision" "$SOURCE_DATE_EPOCH" >"$tree/debian/changelog"
