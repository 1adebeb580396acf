//! What people do with the product on the first day.

use aws_client_vpn_system::System;

#[test]
fn an_ordinary_user_connects_and_disconnects() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    ada.connects();
    ada.check(["nmcli", "--wait", "300", "connection", "down", "vpn"]);
    assert_eq!(system.warnings(), [""; 0]);
}
