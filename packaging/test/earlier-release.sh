#!/bin/sh
# Builds the Debian packages of the release before this one out of the repository's history, into
# target/earlier, for the tests of an upgrade and of the way back. It needs the history (no shallow
# clone), and the time of a release build, once.
set -eu

# 0.1.0
commit=7286225
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
earlier=${CARGO_TARGET_DIR:-$here/target}/earlier
[ "$(cat "$earlier/.made" 2>/dev/null)" != "$commit" ] || exit 0

rm -rf "$earlier"
git clone -q --shared --no-checkout "$here" "$earlier/source"
git -C "$earlier/source" checkout -q --detach "$commit"
(cd "$earlier/source" && unset CARGO_TARGET_DIR PACKAGE_CACHE && packaging/deb/build.sh) >"$earlier/log" 2>&1 ||
    { tail -n 20 "$earlier/log" >&2; exit 1; }
mv "$earlier"/source/target/dist/*aws-client-vpn_*.deb "$earlier"/source/target/dist/*-gnome_*.deb "$earlier/"
rm -r "$earlier/source"
echo "$commit" >"$earlier/.made"
