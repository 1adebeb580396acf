#!/bin/sh
# Checks that unsafe code is only where ARCHITECTURE.md says: the workspace's lint denies it, and
# each place that allows it all the same is named here.
set -eu
cd "$(dirname "$0")/.."

allowed='editor/libnm/src/
editor/plasma/src/lib.rs
editor/plugin/src/lib.rs
nm-plugin/i18n/src/
nm-plugin/service/src/kernel.rs'

status=0
for file in $(git grep -lE '(allow|expect)\([^)]*unsafe_code|^ *unsafe_code,' -- '*.rs'); do
	case $file in */tests/* | tests/*) continue ;; esac
	for place in $allowed; do
		case $file in "$place"*) continue 2 ;; esac
	done
	echo "unsafe code in $file: move it to one of the places of packaging/check-unsafe.sh, or say there why not" >&2
	status=1
done
for manifest in $(git ls-files '*Cargo.toml'); do
	case $manifest in Cargo.toml | */fuzz/Cargo.toml) continue ;; esac
	tr -d '\n' <"$manifest" | grep -q '\[lints\]workspace = true' || {
		echo "$manifest does not take the workspace's lints, which deny unsafe code" >&2
		status=1
	}
done
[ "$status" -ne 0 ] || echo "unsafe code: only where it is allowed"
exit "$status"
