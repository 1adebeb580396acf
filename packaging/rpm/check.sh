#!/bin/sh
# Compares what the RPM packages in target/dist need and hold with names that Fedora and openSUSE
# use. rpm itself has found the libraries by the names inside the files (sonames), which are the
# same everywhere; packaging/rpm/names.txt says which package has each of them there, and was
# written from the spec files and file lists of both.
set -eu
cd "$(dirname "$0")/../.."
. packaging/version.sh
status=0
for rpm in "$target"/dist/NetworkManager-aws-client-vpn-*"$version"-*.rpm; do
    case $rpm in *-debuginfo-* | *-debugsource-* | *.src.rpm) continue ;; esac
    for need in $(rpm -qp --requires "$rpm" | sed -n 's/^\(lib[^(]*\.so[^(]*\).*/\1/p' | sort -u); do
        grep -q "^${need}[[:space:]]" packaging/rpm/names.txt ||
            { echo "$(basename "$rpm") needs $need, which names.txt does not know"; status=1; }
    done
    # What rpm calls the same file on both: no Debian directory may have crept in.
    if rpm -qpl "$rpm" | grep -E 'x86_64-linux-gnu|/usr/share/zsh/vendor'; then
        echo "$(basename "$rpm") has files in Debian's directories"
        status=1
    fi
done
exit $status
