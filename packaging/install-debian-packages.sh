#!/bin/sh
# Installs what packaging/debian-packages.txt names and the machine lacks.
# Usage: install-debian-packages.sh KIND…   (KIND: build, package, test, vm)
#
# Only missing packages are named to apt, so nothing that runs is touched; no service is started
# or restarted; systemd-resolved is kept off the machine, because its installation takes over
# /etc/resolv.conf at once.
set -eu

list="$(dirname "$0")/debian-packages.txt"
missing=
for kind in "$@"; do
    for package in $(sed -n "s/^$kind[[:space:]]\{1,\}//p" "$list"); do
        case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)" in
        'install ok installed') ;;
        *) missing="$missing $package" ;;
        esac
    done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "These Debian packages are missing:$missing." >&2
    echo "Install them as root, or run 'make deps' or 'make deps-package' as root." >&2
    exit 1
fi

# Package scripts ask policy-rc.d before they start a service; 101 means: do not.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
[ -e /usr/lib/systemd/systemd-resolved ] || [ -e /lib/systemd/systemd-resolved ] ||
    missing="$missing systemd-resolved-"

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # a list of words
apt-get install -q -y --no-install-recommends --no-upgrade $missing
