#!/bin/sh
# split.sh TREE main|gnome: the files of an installed tree (make install DESTDIR=TREE) that belong to
# one of the two packages (the SELinux module to neither: the RPM package has a third), a path from / on a line. The gnome package has what needs a toolkit or a
# desktop; everything else is in the main one, which links no toolkit.
set -eu
cd "$1"
find . ! -type d | sed 's|^\.||' | LC_ALL=C sort | while read -r path; do
    case $path in
    /usr/share/selinux/*) package=selinux ;;
    */NetworkManager/libnm-*-editor.so) package=gnome ;;
    */nm-aws-client-vpn-login-window) package=gnome ;;
    /usr/bin/aws-client-vpn-importer) package=gnome ;;
    /usr/share/man/man1/aws-client-vpn-importer.1*) package=gnome ;;
    /usr/share/applications/* | /usr/share/icons/* | /usr/share/mime/*) package=gnome ;;
    /usr/share/metainfo/*) package=gnome ;;
    *) package=main ;;
    esac
    [ "$package" != "$2" ] || echo "$path"
done
