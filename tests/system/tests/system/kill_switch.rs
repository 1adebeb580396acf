//! The kill switch on a booted system.

use crate::{SERVICE, failed_units};
use aws_client_vpn_harness::{Terminal, eventually};
use aws_client_vpn_system::{SOON, Session, System};
use rustix::process::Signal;

/// Imports a profile, gives it a kill switch, and connects.
fn connects_guarded(ada: &Session<'_>) -> Terminal {
    ada.import("udp", 443);
    ada.check([
        "nmcli",
        "connection",
        "modify",
        "vpn",
        "+vpn.data",
        "kill-switch=yes",
    ]);
    let agent = ada.agent_with_browser();
    ada.connects();
    agent
}

fn tables(system: &System) -> String {
    system.client.check(["nft", "list", "tables"])
}

#[test]
fn the_kill_switch_changes_its_rules_only_when_there_is_a_reason() {
    let system = System::start();
    let ada = system.log_in_at_console("ada");
    let _agent = connects_guarded(&ada);
    let tables = tables(&system);
    assert!(tables.contains("aws-client-vpn-"), "{tables}");

    // A few seconds with traffic, in which nothing of ours changes; the table of another shows that
    // changes are seen.
    let watch = "timeout 10 nft monitor & ping -c 15 -i 0.2 -W 1 10.99.0.2 >/dev/null
        nft add table inet seen; nft delete table inet seen; wait || true";
    let changes = system.client.check(["sh", "-c", watch]);
    let others = changes.contains("add table inet seen");
    let ours = changes.contains("aws-client-vpn");
    assert!(others && !ours, "{changes}\n{}", system.story());
    assert_eq!(system.warnings(), [""; 0]);
}

/// A connection that is lost for good leaves its kill switch closed.
fn loses(system: &System) {
    system
        .client
        .signal("nm-aws-client-vpn-service", Signal::KILL);
    eventually("the connection has ended", SOON, || {
        let active = ["nmcli", "--get-values", "NAME", "connection", "show", "-a"];
        let active = system.client.check(active);
        (!active.lines().any(|name| name == "vpn")).then_some(())
    });
    assert!(tables(system).contains("aws-client-vpn-kill-switch"));
}

#[test]
fn removing_the_packages_gives_the_network_back() {
    let system = System::start();
    let ada = system.log_in_at_console("ada");
    let _agent = connects_guarded(&ada);
    loses(&system);
    // An upgrade runs the script of a removal, too.
    system.install_packages();
    assert!(tables(&system).contains("aws-client-vpn-kill-switch"));
    let remove =
        "dpkg --remove network-manager-aws-client-vpn-gnome network-manager-aws-client-vpn";
    system.client.check(["sh", "-c", remove]);
    assert_eq!(tables(&system), "");
    assert_eq!(failed_units(&system), [""; 0]);
}

#[test]
fn deleting_a_connection_that_was_lost_gives_the_network_back() {
    let system = System::start();
    let ada = system.log_in_at_console("ada");
    let _agent = connects_guarded(&ada);
    loses(&system);
    // Another connection that comes and goes changes nothing of it.
    let add = "connection add type dummy ifname lab0 con-name other autoconnect no";
    let other = format!("nmcli {add} && nmcli connection delete other");
    system.client.check(["sh", "-ec", &other]);
    assert!(tables(&system).contains("aws-client-vpn-kill-switch"));
    ada.check(["nmcli", "--wait", "300", "connection", "delete", "vpn"]);
    eventually("traffic is let through", SOON, || {
        tables(&system).is_empty().then_some(())
    });
    system.journal_says(SERVICE, "lifted the kill switch of the deleted connection");
    // It is watched for no longer than there is something to lift, and never fails.
    assert_eq!(failed_units(&system), [""; 0]);
}
