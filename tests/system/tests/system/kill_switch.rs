//! The kill switch on a booted system.

use aws_client_vpn_system::System;

#[test]
fn the_kill_switch_changes_its_rules_only_when_there_is_a_reason() {
    let system = System::start();
    let ada = system.log_in_at_console("ada");
    ada.import("udp", 443);
    ada.check([
        "nmcli",
        "connection",
        "modify",
        "vpn",
        "+vpn.data",
        "kill-switch=yes",
    ]);
    let _agent = ada.agent_with_browser();
    ada.connects();
    let tables = system.client.check(["nft", "list", "tables"]);
    assert!(tables.contains("aws-client-vpn-"), "{tables}");

    // A few seconds with traffic, in which nothing changes.
    let watch = "timeout 4 nft monitor & ping -c 15 -i 0.2 -W 1 10.99.0.2 >/dev/null; wait || true";
    let changes = system.client.check(["sh", "-c", watch]);
    assert!(changes.is_empty(), "{changes}\n{}", system.story());
    assert_eq!(system.warnings(), [""; 0]);
}
