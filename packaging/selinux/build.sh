#!/bin/sh
# build.sh DIR: compiles the policy module of this directory into DIR/nm_aws_client_vpn.pp, with the
# headers of the distribution's policy (selinux-policy-dev, selinux-policy-devel).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/nm_aws_client_vpn.te" "$work/"
unset MAKEFLAGS MAKELEVEL
make -s -C "$work" -f "${SELINUX_MAKEFILE:-/usr/share/selinux/devel/Makefile}" nm_aws_client_vpn.pp
mkdir -p "$1"
mv "$work/nm_aws_client_vpn.pp" "$1/"
