//! The kill switch on a booted system.

use crate::{SERVICE, failed_units};
use aws_client_vpn_harness::{Terminal, eventually};
use aws_client_vpn_system::{SOON, Session, System};
use rustix::process::Signal;

/// Imports a profile, gives it a kill switch, and connects.
fn connects_guarded(ada: &Session<'_>) -> Terminal {
    ada.import("udp", 443);
    turn_on(ada);
    let agent = ada.agent_with_browser();
    ada.connects();
    agent
}

fn turn_on(ada: &Session<'_>) {
    ada.check([
        "nmcli",
        "connection",
        "modify",
        "vpn",
        "+vpn.data",
        "kill-switch=yes",
    ]);
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
    stays_closed(system);
}

/// The connection ends, and its kill switch stays closed.
fn stays_closed(system: &System) {
    eventually("the connection has ended", SOON, || {
        let active = ["nmcli", "--get-values", "NAME", "connection", "show", "-a"];
        let active = system.client.check(active);
        (!active.lines().any(|name| name == "vpn")).then_some(())
    });
    eventually("the service has ended", SOON, || {
        let services = system.client.processes_called("nm-aws-client-vpn-service");
        services.is_empty().then_some(())
    });
    let tables = tables(system);
    let is_closed = tables.contains("aws-client-vpn-kill-switch");
    assert!(is_closed, "{tables}\n{}", system.story());
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

#[test]
fn only_who_takes_a_connection_down_or_deletes_it_lifts_its_kill_switch_not_who_logs_out() {
    let system = System::start();
    let ada = system.log_in_at_console("ada");
    let profile = system.profile("udp", 443);
    ada.check(["aws-client-vpn", "import", "--name", "vpn", &profile]);
    turn_on(&ada);
    let agent = ada.agent_with_browser();
    ada.connects();
    drop(agent);
    ada.log_out();
    stays_closed(&system);
    system.journal_says(
        SERVICE,
        "nobody that the connection is for is logged in any more",
    );
    system.journal_says(SERVICE, "the kill switch still blocks traffic");

    // Once she is back, as after any other end.
    let ada = system.log_in_at_console("ada");
    let agent = ada.agent_with_browser();
    ada.connects();
    ada.check(["nmcli", "--wait", "300", "connection", "down", "vpn"]);
    eventually("traffic is let through", SOON, || {
        tables(&system).is_empty().then_some(())
    });

    // Deleted in the moment in which she goes.
    ada.connects();
    drop(agent);
    let delete = "loginctl terminate-user ada; nmcli --wait 300 connection delete vpn";
    system.client.check(["sh", "-c", delete]);
    eventually("traffic is let through", SOON, || {
        tables(&system).is_empty().then_some(())
    });
    assert_eq!(failed_units(&system), [""; 0]);
}
