#!/bin/sh
# check-tree.sh TREE…: looks at installed files (make install DESTDIR=TREE, or an unpacked package)
# as a distribution's reviewer does: permissions, search paths, hardening, and each file that
# another program reads, by that program's own parser.
#
# TREE_ORIGIN=DIRECTORY   no program may tell that it was built there (packages only)
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
faults=$work/faults
: >"$faults"
fault() { echo "check-tree: $*" | tee -a "$faults" >&2; }

# program FILE: hardened as the distributions harden theirs, and finds its libraries by itself.
program() {
    shown=${1#"$tree"}
    headers=$(readelf --wide --file-header --program-headers --dynamic "$1")
    for wanted in 'Type: *DYN' 'GNU_RELRO' 'BIND_NOW|FLAGS.* NOW'; do
        echo "$headers" | grep -Eq "$wanted" || fault "$shown has no $wanted"
    done
    for unwanted in '\(RPATH\)|\(RUNPATH\)' 'TEXTREL' 'GNU_STACK.* RWE'; do
        ! echo "$headers" | grep -Eq "$unwanted" || fault "$shown has $unwanted"
    done
    ! readelf --wide --sections "$1" | grep -q '\.debug_info' || fault "$shown has its symbols still"
    case $shown in
    */openvpn)
        symbols=$(readelf --wide --dyn-syms "$1")
        for wanted in __stack_chk_fail '_chk@'; do
            echo "$symbols" | grep -q "$wanted" || fault "$shown has no $wanted"
        done
        ;;
    *.so) ;;
    # NetworkManager and the desktop look for these with no help; a library is opened by its path.
    *) [ -x "$1" ] || fault "$shown cannot be run" ;;
    esac
    [ -z "${TREE_ORIGIN:-}" ] || ! strings "$1" | grep -qF "$TREE_ORIGIN" ||
        fault "$shown tells where it was built"
}

# judged COMMAND…: the last operand is the file, the rest what judges it.
judged() {
    "$@" >"$work/judged" 2>&1 || fault "$*: $(cat "$work/judged")"
}

# The unit's program is not installed here: systemd is shown this tree's.
unit() { # --system|--user FILE
    sed "s|^ExecStart=/|&${tree#/}/|" "$2" >"$work/$(basename "$2")"
    judged env XDG_RUNTIME_DIR="$work" SYSTEMD_LOG_LEVEL=warning \
        systemd-analyze verify "$1" --man=no "$work/$(basename "$2")"
    [ ! -s "$work/judged" ] || fault "$2: $(cat "$work/judged")"
}

manual() {
    MANROFFSEQ='' LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$1" >/dev/null 2>"$work/judged" ||
        fault "$1: $(cat "$work/judged")"
    [ ! -s "$work/judged" ] || fault "$1: $(cat "$work/judged")"
}

each() { # DIRECTORY PATTERN COMMAND…
    where=$tree$1 pattern=$2
    shift 2
    [ -d "$where" ] || return 0
    find "$where" -name "$pattern" -type f | LC_ALL=C sort >"$work/each"
    while read -r file; do "$@" "$file" </dev/null; done <"$work/each"
}

for tree; do
    tree=$(CDPATH='' cd -- "$tree" && pwd)
    find "$tree" -type f -perm /6000 | while read -r file; do fault "$file is setuid or setgid"; done
    find "$tree" ! -type l -perm /022 | while read -r file; do fault "$file can be written by others"; done
    find "$tree" -type f ! -perm -444 | while read -r file; do fault "$file cannot be read by all"; done
    find "$tree" -type l -lname "$tree*" | while read -r file; do fault "$file leads to the staging directory"; done
    find "$tree" -type f | while read -r file; do
        if [ "$(head -c 4 "$file" | tr -d '\0')" = "$(printf '\177ELF')" ]; then program "$file"; fi
    done
    each /usr/share/metainfo '*.xml' judged appstreamcli validate --no-net
    each /usr/share/applications '*.desktop' judged desktop-file-validate
    each /usr/lib/sysusers.d '*.conf' judged systemd-sysusers --dry-run
    each /usr/lib/tmpfiles.d '*.conf' judged systemd-tmpfiles --create --root="$work/root"
    # The path's service lies beside it.
    each /usr/lib/systemd/system '*.service' unit --system
    each /usr/lib/systemd/system '*.path' unit --system
    each /usr/lib/systemd/user '*.service' unit --user
    each /usr/share/man '*.[158]*' manual
    for name in "$tree"/usr/lib/NetworkManager/VPN/*.name; do
        [ -e "$name" ] || continue
        for key in program auth-dialog; do
            path=$(sed -n "s/^$key=//p" "$name")
            [ -x "$tree$path" ] || fault "$name: $key=$path is not there"
        done
    done
done
[ ! -s "$faults" ] || exit 1
echo "check-tree: nothing to report"
