#!/bin/sh
# Checks the files that other programs read: each by the program's own parser.
set -eu
cd "$(dirname "$0")/../service-files"

# As installed: with its translations, and a type of file that the type database takes.
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
# AppStream's with and without the addresses that the project has or will have.
../packaging/metainfo.sh "$made/metainfo"
../packaging/metainfo.sh "$made/metainfo-web" https://vpn.example https://vpn.example/pictures
appstreamcli validate --no-net "$made"/metainfo/*.xml "$made"/metainfo-web/*.xml
grep -q '<image>https://vpn.example/pictures/login-light.png</image>' "$made"/metainfo-web/*.xml
for picture in $(sed -n 's|.*@pictures@/\(.*\)</image>|\1|p' ./*.metainfo.xml.in); do
    [ -e "../docs/pictures/$picture" ]
done
for template in ./org.*.desktop.in; do
    desktop=$made/$(basename "$template" .in)
    msgfmt --desktop --template="$template" -d ../po -o "$desktop"
    desktop-file-validate "$desktop"
    grep -q '^Comment\[de\]=' "$desktop"
done
desktop-file-validate ./*.desktop
# Nobody sees this one: it only starts the agent.
sed 's|@bindir@|/usr/bin|g' nm-aws-client-vpn-agent.desktop.in >"$made/nm-aws-client-vpn-agent.desktop"
desktop-file-validate "$made/nm-aws-client-vpn-agent.desktop"
mkdir -p "$made/mime/packages"
cp ./*.mime.xml "$made/mime/packages/"
update-mime-database "$made/mime"
grep -q '50:application/x-openvpn-profile:\*.ovpn' "$made/mime/globs2"

python3 - <<'PYTHON'
import configparser
import xml.dom.minidom

name = configparser.ConfigParser()
name.read("nm-aws-client-vpn-service.name.in")
service = name["VPN Connection"]["service"]
policy = xml.dom.minidom.parse("nm-aws-client-vpn-service.conf")
# What everybody may do: ask our own interface, and nothing else.
opened = {
    "send_type": "method_call",
    "send_path": "/org/freedesktop/NetworkManager/AwsClientVpn",
    "send_interface": "org.freedesktop.NetworkManager.AwsClientVpn.SignIn",
}
for rule in policy.getElementsByTagName("allow") + policy.getElementsByTagName("deny"):
    if rule.tagName == "allow" and dict(rule.attributes.items()) == opened:
        continue
    for key, value in rule.attributes.items():
        assert value == service, f"the D-Bus policy's {key} is not {service}: {value}"
assert "supports-external-ui-mode" not in name["GNOME"], "nmcli would drop the dialog's answer"
PYTHON

# A bus daemon with nothing but the policy: it exits with the reason if it cannot read it.
config=$made/bus.conf
{
    sed '/<busconfig>/q' nm-aws-client-vpn-service.conf
    echo '<type>session</type><listen>unix:tmpdir=/tmp</listen>'
    sed '1,/<busconfig>/d' nm-aws-client-vpn-service.conf
} >"$config"
bus=$(dbus-daemon --config-file="$config" --fork --print-pid=1)
kill "$bus"

# systemd is not the init of every build machine, but where its tools are, they judge.
if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers --dry-run "$PWD/sysusers.conf" >/dev/null 2>&1
fi
echo "service-files: well formed"
