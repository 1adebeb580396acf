//! Several connections at once.

use crate::SOON;
use aws_client_vpn_harness::{Lab, Options, PendingUp, wait_for};

/// The connections, each with a way to an endpoint and a network of its own behind it.
const CONNECTIONS: [(&str, &str, u16, u8); 5] = [
    ("one", "udp", 443, 101),
    ("two", "udp", 1194, 102),
    ("three", "tcp", 443, 103),
    ("four", "tcp", 1194, 104),
    ("five", "udp", 443, 105),
];

#[test]
fn five_connections_are_up_together_and_their_logins_take_turns() {
    let mut lab = Lab::start(&Options::default());
    for (name, transport, port, network) in CONNECTIONS {
        let address = format!("10.{network}.0.2/32");
        lab.server
            .check(["ip", "address", "add", &address, "dev", "lo"]);
        let lines = format!("route-nopull\nroute 10.{network}.0.0 255.255.0.0\n");
        lab.import_as(name, transport, port, &lines);
    }
    let before = lab.snapshot();
    // Each login takes a while, so that they would be in each other's way.
    lab.endpoint().identity_provider("delay 1");
    let ups: Vec<PendingUp> = CONNECTIONS
        .iter()
        .map(|(name, ..)| lab.begin_up_of(name))
        .collect();
    for (up, (name, ..)) in ups.into_iter().zip(CONNECTIONS) {
        let up = up.finish();
        assert!(up.success, "{name}: {}\n{}", up.text, lab.journal());
    }
    // One page for each, and none before the one before was answered.
    let browser = lab.browser_events();
    let steps: Vec<_> = browser
        .iter()
        .filter_map(|event| event["event"].as_str())
        .filter(|step| matches!(*step, "opened" | "answers"))
        .collect();
    assert_eq!(steps, ["opened", "answers"].repeat(5), "{browser:?}");
    assert_eq!(lab.warnings(), [""; 0]);
    let links = lab.client.check(["ip", "-brief", "link"]);
    assert_eq!(links.matches("awsvpn").count(), 5, "{links}");
    for (name, _, _, network) in CONNECTIONS {
        let address = format!("10.{network}.0.2");
        let ping = ["ping", "-c", "1", "-w", "60", "-i", "0.2", &address];
        let ping = lab.client.run(ping);
        assert!(ping.status.success(), "{name}: no answer from {address}");
    }
    for (name, ..) in CONNECTIONS {
        lab.client
            .check(["nmcli", "--wait", "300", "connection", "down", name]);
    }
    lab.assert_clean(&before);
}

#[test]
fn networks_that_go_two_ways_are_told_of() {
    let lab = Lab::start(&Options::default());
    // The lab's private name server does not know the endpoint, as AWS's does.
    let no_names = "pull-filter ignore \"dhcp-option DNS\"\n";
    lab.import_as("one", "udp", 443, no_names);
    lab.import_as("two", "udp", 1194, no_names);
    let before = lab.snapshot();
    let up = |name: &str| {
        let up = lab.begin_up_of(name).finish();
        assert!(up.success, "{name}: {}\n{}", up.text, lab.journal());
    };
    up("one");
    assert!(!lab.journal().contains("goes through this connection"));
    up("two");
    let words = "10.99.0.0/16 goes through this connection, but 10.99.0.0/16 through awsvpn0";
    let told = wait_for(SOON, || lab.journal().contains(words).then_some(()));
    assert!(told.is_some(), "{}", lab.journal());
    for name in ["two", "one"] {
        lab.client
            .check(["nmcli", "--wait", "300", "connection", "down", name]);
    }
    lab.assert_clean(&before);
}
