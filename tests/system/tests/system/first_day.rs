//! What people do with the product on the first day.

use crate::{SERVICE, await_end, await_logins};
use aws_client_vpn_harness::eventually;
use aws_client_vpn_system::{SOON, System};

/// Tells root's log of each thing that NetworkManager tells it.
const SCRIPT: &str = "#!/bin/sh\necho \"$1 $2 $CONNECTION_ID\" >>/run/dispatched\n";

#[test]
fn an_ordinary_user_connects_and_disconnects() {
    let system = System::start();
    for directory in ["dispatcher.d", "dispatcher.d/pre-down.d"] {
        let directory = format!("/etc/NetworkManager/{directory}");
        let install =
            format!("printf '%s' \"$1\" >{directory}/50-tell && chmod 755 {directory}/50-tell");
        system.client.check(["sh", "-ec", &install, "sh", SCRIPT]);
    }
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    ada.connects();
    await_logins(&system, 1);
    // The name is known inside only; systemd-resolved asks the endpoint's DNS server for it, which
    // NetworkManager tells it of without waiting for it.
    eventually("a name inside is known", SOON, || {
        let found = ada.run(["getent", "hosts", "files.corp.example"]);
        found.status.success().then_some(())
    });

    ada.check(["nmcli", "--wait", "300", "connection", "down", "vpn"]);
    await_end(&system);
    // NetworkManager waits for the scripts of pre-down, and only queues those of down.
    let dispatched = || system.client.check(["cat", "/run/dispatched"]);
    for told in ["vpn-up vpn", "vpn-pre-down vpn"] {
        let dispatched = dispatched();
        assert!(dispatched.contains(told), "no {told}:\n{dispatched}");
    }
    eventually("the scripts of down have run", SOON, || {
        dispatched().contains("vpn-down vpn").then_some(())
    });
    ada.connects();
    assert_eq!(system.warnings(), [""; 0]);
    // No kill switch stops anything: there is none to lift.
    let lifting = system.journal(["--unit=nm-aws-client-vpn-kill-switch.service"]);
    let started = lifting.lines().filter(|line| line.contains("Starting"));
    assert_eq!(started.count(), 0, "{lifting}");
}

#[test]
fn the_journal_tells_the_story_at_networkmanager_s_own_logging() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("tcp", 443);
    ada.connects();
    for told in ["the endpoint asks for a browser login", "the tunnel is up"] {
        system.journal_says(SERVICE, told);
    }
}
