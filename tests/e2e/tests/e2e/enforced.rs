//! A network at home that has the company's numbers.

use crate::interruptions::SERVICE;
use crate::{SOON, assert_up, endpoint, lab, take_down};
use aws_client_vpn_harness::{Lab, Snapshot, eventually, wait_for};
use rustix::process::Signal;

/// A machine at home, and one behind the tunnel.
const HOST: &str = "10.99.0.2";
/// The router at home, which leads to other networks.
const ROUTER: &str = "10.99.0.1";

/// A connection at whose home there is a machine with the number of one behind the tunnel. What is
/// pushed holds the endpoint, too.
fn at_home(settings: &[&str]) -> (Lab, Snapshot) {
    let (lab, _) = lab(&endpoint(&["--route=10.99.0.0/16", "--route=192.0.0.0/16"]));
    for setting in settings {
        lab.modify("+vpn.data", setting);
    }
    lab.client.check([
        "sh",
        "-ec",
        "ip netns add home
        ip link add home0 type veth peer name eth0 netns home
        timeout 120 sh -c 'until nmcli device set home0 managed no; do sleep 0.1; done'
        ip address add 10.99.0.7/24 dev home0
        ip link set home0 up
        ip -n home address add $1/24 dev eth0
        ip -n home address add $2/24 dev eth0
        ip -n home link set eth0 up
        ip route add 203.0.113.0/24 via $2",
        "sh",
        HOST,
        ROUTER,
    ]);
    let before = lab.snapshot();
    (lab, before)
}

/// How many pings have come to the machines at home.
fn pings_at_home(lab: &Lab) -> u64 {
    let counters = ["ip", "netns", "exec", "home", "cat", "/proc/net/snmp"];
    let counters = lab.client.check(counters);
    let mut lines = counters.lines().filter(|line| line.starts_with("Icmp:"));
    let (names, values) = (lines.next().unwrap(), lines.next().unwrap());
    let column = names
        .split_whitespace()
        .position(|name| name == "InEchos")
        .unwrap();
    let value = values.split_whitespace().nth(column).unwrap();
    value.parse().unwrap()
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Home,
    Company,
}

/// Who answers at `address`, once somebody does.
#[track_caller]
fn who_answers(lab: &Lab, address: &str) -> Answer {
    eventually("somebody answers", SOON, || {
        let before = pings_at_home(lab);
        let ping = lab.client.run(["ping", "-c", "1", "-W", "1", address]);
        let came_home = pings_at_home(lab) > before;
        ping.status.success().then_some(if came_home {
            Answer::Home
        } else {
            Answer::Company
        })
    })
}

#[track_caller]
fn assert_enforced(lab: &Lab) {
    eventually("the company's machine answers", SOON, || {
        (who_answers(lab, HOST) == Answer::Company).then_some(())
    });
}

/// The service says so once it has looked at the routes, which NetworkManager sets first.
#[track_caller]
fn says(lab: &Lab, words: &str) {
    let said = wait_for(SOON, || lab.journal().contains(words).then_some(()));
    assert!(said.is_some(), "not {words:?}\n{}", lab.journal());
}

#[test]
fn a_home_network_with_the_company_s_numbers_goes_first_unless_routes_are_enforced() {
    let (lab, before) = at_home(&[]);
    assert_up(&lab, &lab.up());
    assert_eq!(who_answers(&lab, HOST), Answer::Home);
    says(
        &lab,
        "with enforce-routes=yes it would go through this connection",
    );
    take_down(&lab, &before);
    lab.modify("+vpn.data", "enforce-routes=yes");
    assert_up(&lab, &lab.up());
    assert_enforced(&lab);
    assert_eq!(who_answers(&lab, ROUTER), Answer::Home, "the router");
    says(
        &lab,
        "goes through this connection, as enforce-routes is on",
    );
    // A route that comes later, as a DHCP server can hand it out, changes nothing.
    let later = ["ip", "route", "add", HOST, "via", ROUTER];
    lab.client.check(later);
    assert_eq!(who_answers(&lab, HOST), Answer::Company);
    lab.client
        .check(["ip", "route", "del", HOST, "via", ROUTER]);
    // Somebody takes the rules away.
    let rules = ["ip", "rule", "del", "pref", "32000"];
    lab.client.check(rules);
    assert_enforced(&lab);
    take_down(&lab, &before);
    assert_eq!(who_answers(&lab, HOST), Answer::Home);
}

#[test]
fn routes_are_enforced_again_after_a_loss() {
    let (mut lab, before) = at_home(&["enforce-routes=yes"]);
    assert_up(&lab, &lab.up());
    assert_enforced(&lab);
    let logins = lab.endpoint_events().named("connected").len();
    lab.endpoint().command(&serde_json::json!({"kick": "all"}));
    eventually("the connection is back", SOON, || {
        (lab.endpoint_events().named("connected").len() > logins).then_some(())
    });
    assert_enforced(&lab);
    take_down(&lab, &before);
}

#[test]
fn what_a_killed_service_leaves_leads_nowhere_and_goes_with_the_next() {
    let (lab, before) = at_home(&["enforce-routes=yes"]);
    assert_up(&lab, &lab.up());
    assert_enforced(&lab);
    lab.client.signal(SERVICE, Signal::KILL);
    lab.vpn_ended(SOON);
    eventually("the machine at home answers", SOON, || {
        (who_answers(&lab, HOST) == Answer::Home).then_some(())
    });
    lab.modify("-vpn.data", "enforce-routes");
    assert_up(&lab, &lab.up());
    assert_eq!(who_answers(&lab, HOST), Answer::Home);
    take_down(&lab, &before);
}
