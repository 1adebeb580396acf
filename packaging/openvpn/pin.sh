# The OpenVPN that build.sh takes. Sourced by build.sh and outdated.sh; packaging/crates.py and
# packaging/rpm/build.sh read the version and its checksum here, too.
# shellcheck shell=sh disable=SC2034 # used by who sources this

# Debian's source package, and the suite that it is in.
suite=trixie
version=2.6.14-1+deb13u3
orig=openvpn_2.6.14.orig.tar.gz
debian=openvpn_2.6.14-1+deb13u3.debian.tar.xz
sums='9eb6a6618352f9e7b771a9d38ae1631b5edfeed6d40233e243e602ddf2195e7a  openvpn_2.6.14.orig.tar.gz
7ecf77655c6e21033ac21110146d6fc1797dfc55ce428d0f054cde9ea04fc0cd  openvpn_2.6.14-1+deb13u3.debian.tar.xz'

# Versions of other suites whose fixes are all in the one above: somebody has compared them.
compared='bookworm 2.6.14-0+deb12u2'
