//! The packages come and go while a user is connected.

use crate::{await_logins, failed_units};
use aws_client_vpn_harness::eventually;
use aws_client_vpn_system::{SOON, System};

#[test]
fn an_upgrade_and_a_removal_leave_a_user_connected() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    ada.connects();
    system.install_packages();
    system.traffic_flows();
    ada.check(["nmcli", "--wait", "300", "connection", "down", "vpn"]);
    ada.connects();
    await_logins(&system, 2);

    let packages = [
        "network-manager-aws-client-vpn-gnome",
        "network-manager-aws-client-vpn",
    ];
    system
        .client
        .check(["dpkg", "--remove", packages[0], packages[1]]);
    system.traffic_flows();
    ada.check(["nmcli", "--wait", "300", "connection", "down", "vpn"]);
    eventually("nothing of it runs", SOON, || {
        let service = system.client.processes_called("nm-aws-client-vpn-service");
        let openvpn = system.client.processes_called("nm-aws-client-vpn/openvpn");
        (service.is_empty() && openvpn.is_empty()).then_some(())
    });
    assert_eq!(system.warnings(), [""; 0]);
    system
        .client
        .check(["dpkg", "--purge", packages[0], packages[1]]);
    assert_eq!(failed_units(&system), [""; 0]);
}
