//! Users whom polkit refuses: over ssh nobody sits at the computer.

use aws_client_vpn_system::System;

#[test]
fn over_ssh_polkit_refuses() {
    let system = System::start();
    let ada = system.log_in_at_console("ada");
    ada.import("udp", 443);
    let up = system.over_ssh("ada", "nmcli connection up vpn");
    let text = String::from_utf8_lossy(&up.stderr).into_owned();
    assert!(text.contains("Not authorized"), "{text}");
    let import = "nmcli connection import type aws-client-vpn file vpn.ovpn";
    let import = system.over_ssh("ada", import);
    let text = String::from_utf8_lossy(&import.stderr).into_owned();
    assert!(text.contains("Insufficient privileges"), "{text}");
}
