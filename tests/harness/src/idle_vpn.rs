//! A VPN that does nothing, as a plugin of the lab's NetworkManager: the tool's `idle_vpn`. It has two
//! connections; one of them asks for a secret first, which our auth dialog is to bring.

use crate::lab::Lab;
use crate::world::PROGRAMS_INSIDE;

/// The name of its connection.
pub const IDLE_VPN: &str = "idle";
/// The name of the one that asks for a secret (`lab-tool` knows it, too).
pub const ASKING_VPN: &str = "idle-asking";

/// Puts the plugin onto the client, with connections of the names [`IDLE_VPN`] and [`ASKING_VPN`].
pub fn install_idle_vpn(lab: &mut Lab) {
    let script = format!(
        "set -e\n\
         ln -s {PROGRAMS_INSIDE}/lab-tool /run/nm-idle-service\n\
         mkdir -p /etc/NetworkManager/VPN\n\
         cat >/etc/NetworkManager/VPN/nm-idle-service.name <<'END'\n\
         [VPN Connection]\nname=idle\nservice=org.freedesktop.NetworkManager.idle\n\
         program=/run/nm-idle-service\nsupports-multiple-connections=true\n\
         [GNOME]\nauth-dialog=/usr/libexec/nm-aws-client-vpn-auth-dialog\n\
         END\n\
         cat >/etc/dbus-1/system.d/nm-idle-service.conf <<'END'\n\
         <busconfig><policy user=\"root\">\n\
         <allow own_prefix=\"org.freedesktop.NetworkManager.idle\"/>\n\
         <allow send_destination=\"org.freedesktop.NetworkManager.idle\"/>\n\
         </policy></busconfig>\n\
         END\n\
         connection=/etc/NetworkManager/system-connections/idle.nmconnection\n\
         cat >$connection <<'END'\n\
         [connection]\nid={IDLE_VPN}\nuuid=33333333-3333-4333-8333-333333333333\ntype=vpn\n\
         autoconnect=false\n\
         [vpn]\nservice-type=org.freedesktop.NetworkManager.idle\n\
         [ipv4]\nmethod=auto\nnever-default=true\n\
         [ipv6]\nmethod=auto\n\
         END\n\
         asking=/etc/NetworkManager/system-connections/{ASKING_VPN}.nmconnection\n\
         sed 's/^id=.*/id={ASKING_VPN}/; s/^uuid=3/uuid=4/' $connection >$asking\n\
         chmod 600 $connection $asking\n\
         dbus-send --system --print-reply --dest=org.freedesktop.DBus \
         /org/freedesktop/DBus org.freedesktop.DBus.ReloadConfig\n"
    );
    // NetworkManager reads names of plugins and connections when it starts.
    lab.stop_network_manager();
    lab.client.check(["sh", "-c", &script]);
    lab.start_network_manager();
}
