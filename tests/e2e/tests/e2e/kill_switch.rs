//! The kill switch: what leaves the computer while a connection is wanted, and when it ends.

mod again;
mod leaks;
mod openings;
mod saved;
mod together;
pub(crate) mod unasked;

use crate::interruptions::SERVICE;
use crate::{SOON, assert_failed, assert_up, endpoint, lab, reason, state, take_down};
use aws_client_vpn_harness::{Browser, Lab, Options, Snapshot, eventually, wait_for};
use rustix::process::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

/// A host that is reached by the router, past the tunnel.
const OUTSIDE: &str = "203.0.113.80";
/// A host in the client's own network.
const NEIGHBOUR: &str = "192.0.2.80";
const TABLES: &str = "nft list tables";
const LIFT: [&str; 2] = [
    "/usr/libexec/nm-aws-client-vpn-service",
    "--lift-kill-switch",
];

fn guarded(options: &Options, settings: &[&str]) -> (Lab, Snapshot) {
    let (lab, before) = lab(options);
    let address = format!("{OUTSIDE}/32");
    lab.server
        .check(["ip", "address", "add", &address, "dev", "lo"]);
    for setting in settings {
        lab.modify("+vpn.data", setting);
    }
    is_let_out(&lab);
    reaches_at_last(&lab, NEIGHBOUR);
    (lab, before)
}

fn reaches(lab: &Lab, host: &str) -> bool {
    let ping = lab.client.run(["ping", "-c", "1", "-W", "6", host]);
    ping.status.success()
}

/// One packet may be late on a busy machine.
#[track_caller]
fn reaches_at_last(lab: &Lab, host: &str) {
    let answered = wait_for(SOON, || reaches(lab, host).then_some(()));
    let rules = || lab.client.check(["nft", "list", "ruleset"]);
    assert!(answered.is_some(), "{host}: {}{}", rules(), lab.journal());
}

/// Waits until what is outside the tunnels is had again: NetworkManager has taken a connection down
/// a moment before the service has taken note.
#[track_caller]
fn is_let_out(lab: &Lab) {
    reaches_at_last(lab, OUTSIDE);
}

fn tables(lab: &Lab) -> String {
    lab.client.check(["sh", "-c", TABLES])
}

/// Whether nothing gets past the tunnels, because a kill switch stops it.
fn stops(lab: &Lab) -> bool {
    !reaches(lab, OUTSIDE) && tables(lab).contains("inet aws-client-vpn-kill-switch")
}

#[track_caller]
fn assert_stopped(lab: &Lab) {
    assert!(stops(lab), "{}{}", tables(lab), lab.journal());
}

/// The name of the mark of the connection `name`, if it is the only one.
fn mark_of(lab: &Lab, name: &str) -> Option<String> {
    let uuid = lab.setting(name, "connection.uuid");
    let marks = lab.client.check([
        "sh",
        "-c",
        "ls /run/nm-aws-client-vpn/kill-switch 2>&1 || true",
    ]);
    let mut of_it = marks.lines().filter(|mark| mark.starts_with(&uuid));
    let mark = of_it.next()?.to_owned();
    of_it.next().is_none().then_some(mark)
}

/// It is refused at once, so that programs need not wait: not only does no answer come.
#[track_caller]
fn assert_refused_at_once(lab: &Lab) {
    let output = lab.client.run(["ping", "-c", "1", "-W", "9", OUTSIDE]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("not permitted") || text.contains("prohibited") || text.contains("filtered"),
        "{text}"
    );
}

#[test]
fn traffic_outside_is_stopped_also_while_the_tunnel_is_lost_and_flows_after_down() {
    let (mut lab, before) = guarded(
        &endpoint(&["--sign-in=certificate"]),
        &["kill-switch=yes", "connect-timeout=60"],
    );
    assert_up(&lab, &lab.up());
    assert_stopped(&lab);
    assert_refused_at_once(&lab);
    assert!(!reaches(&lab, NEIGHBOUR));
    // What the kernel has is what was meant.
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    for rule in [
        "oifname \"lo\" accept",
        "oifname \"awsvpn0\" accept",
        "iifname \"awsvpn0\" accept",
        "ip daddr 192.0.2.1 udp dport 443 accept",
        "udp sport 68 udp dport 67 accept",
        "udp sport 546 udp dport 547 accept",
        "icmpv6 type 133-136 accept",
        "mld2-listener-report accept",
        "reject with icmpx admin-prohibited",
        "hook output priority filter; policy drop;",
        "hook forward priority filter; policy drop;",
    ] {
        assert!(rules.contains(rule), "{rule:?} is not in {rules}");
    }
    // The endpoint is there for OpenVPN only, whatever else a name server may call so.
    let stranger = knock(&lab);
    assert!(!stranger.status.success(), "{stranger:?}");
    // The endpoint is gone; meanwhile and afterwards nothing goes past the tunnel.
    let states = lab.vpn_states().len();
    let connected = lab.endpoint_events().count();
    lab.endpoint().command(&json!({"stop_node": 1}));
    lab.endpoint().command(&json!({"stop_node": 2}));
    lab.client.signal("nm-aws-client-vpn/openvpn", Signal::USR1);
    eventually("the loss is shown", SOON * 3, || {
        assert_stopped(&lab);
        let since = &lab.vpn_states()[states..];
        since
            .iter()
            .any(|seen| seen.state != state::ACTIVATED)
            .then_some(())
    });
    lab.endpoint().command(&json!({"start_node": 1}));
    lab.endpoint().command(&json!({"start_node": 2}));
    let events = lab.endpoint_events().clone();
    eventually("the tunnel is back", SOON * 3, || {
        assert_stopped(&lab);
        let back = events.count() > connected && lab.has_traffic();
        back.then_some(())
    });
    take_down(&lab, &before);
    is_let_out(&lab);
    reaches_at_last(&lab, NEIGHBOUR);
    assert_eq!(tables(&lab), "");
    let stranger = knock(&lab);
    assert!(stranger.status.success(), "{stranger:?}");
}

/// Somebody else sends to the endpoint's address and port.
fn knock(lab: &Lab) -> std::process::Output {
    let twice = "exec 3>/dev/udp/192.0.2.1/443; echo x >&3 && echo x >&3";
    lab.client.run(["bash", "-c", twice])
}

#[test]
fn a_service_that_is_killed_leaves_traffic_stopped_until_the_user_connects_or_root_lets_go() {
    let (lab, before) = guarded(&Options::default(), &["kill-switch=yes"]);
    for lifted_by_root in [false, true] {
        assert_up(&lab, &lab.up());
        lab.client.signal(SERVICE, Signal::KILL);
        let end = lab.vpn_ended(SOON);
        assert_eq!(end.state, state::DISCONNECTED, "{end:?}");
        eventually("the tunnel's interface is gone", SOON, || {
            let links = lab.client.check(["ip", "-brief", "link"]);
            (!links.contains("awsvpn")).then_some(())
        });
        assert_stopped(&lab);
        let doctor = lab.client.run(["aws-client-vpn", "doctor"]);
        let doctor = String::from_utf8_lossy(&doctor.stdout);
        assert!(doctor.contains("aws-client-vpn doctor --fix"), "{doctor}");
        if lifted_by_root {
            let line = ["setpriv", "--reuid=65534", "--clear-groups"];
            let doctor = ["aws-client-vpn", "doctor", "--fix"];
            let refused = lab.client.run(line.into_iter().chain(doctor));
            let errors = String::from_utf8_lossy(&refused.stderr);
            assert!(errors.contains("Only root"), "{errors}");
            assert_stopped(&lab);
            let fixed = lab.client.run(doctor);
            let fixed = String::from_utf8_lossy(&fixed.stdout);
            assert!(fixed.contains("blocks no traffic"), "{fixed}");
            is_let_out(&lab);
            lab.assert_clean(&before);
            let again = lab.client.check(LIFT);
            assert!(again.contains("no kill switch"), "{again}");
        }
    }
}

#[test]
fn a_first_login_that_fails_costs_no_network() {
    let options = Options {
        browser: Browser::Missing,
        ..Options::default()
    };
    let (lab, before) = guarded(&options, &["kill-switch=yes"]);
    assert!(!lab.up().success);
    is_let_out(&lab);
    lab.assert_clean(&before);
    assert_eq!(tables(&lab), "");
}

/// Whether the kernel lets a datagram out: one that is rejected is an error of the call.
fn sends(lab: &Lab, from: u16, to: &str, port: u16) -> bool {
    let script = format!(
        "import socket; to = socket.getaddrinfo('{to}', {port}, type=socket.SOCK_DGRAM)[0]; \
         s = socket.socket(to[0], socket.SOCK_DGRAM); s.bind(('', {from})); s.sendto(b'x', to[4])"
    );
    let output = lab.client.run(["python3", "-c", &script]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() || errors.contains("PermissionError"),
        "{errors}"
    );
    output.status.success()
}

#[test]
fn what_keeps_a_computer_on_its_network_is_let_through() {
    let (lab, _) = guarded(&Options::default(), &["kill-switch=yes"]);
    for machine in [&lab.client, &lab.server] {
        let script = "echo 0 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6; \
                      ip -6 address replace fe80::$1/64 dev eth0 nodad";
        let own = if machine.init() == lab.client.init() {
            "a"
        } else {
            "b"
        };
        machine.check(["sh", "-c", script, "sh", own]);
    }
    let neighbour = "fe80::b%eth0";
    assert!(sends(&lab, 5000, neighbour, 547) && sends(&lab, 5000, "192.0.2.254", 67));
    lab.client
        .check(["ip", "-6", "neighbour", "flush", "dev", "eth0"]);
    assert_up(&lab, &lab.up());
    assert_stopped(&lab);
    // DHCP, for both versions of IP, and nothing else that looks like it.
    assert!(sends(&lab, 68, "192.0.2.254", 67));
    assert!(!sends(&lab, 5000, "192.0.2.254", 67));
    assert!(!sends(&lab, 68, "192.0.2.254", 68));
    assert!(sends(&lab, 546, neighbour, 547));
    assert!(!sends(&lab, 546, neighbour, 67));
    // The one that was let out needed the neighbour's address, which ICMPv6 finds.
    eventually("the neighbour is found", SOON, || {
        let found = lab
            .client
            .check(["ip", "-6", "neighbour", "show", "fe80::b"]);
        found.contains("lladdr").then_some(())
    });
    let ping = lab
        .client
        .run(["ping", "-6", "-c", "1", "-W", "2", neighbour]);
    assert!(!ping.status.success());
    // Programs of this computer talk to each other.
    assert!(sends(&lab, 5000, "127.0.0.1", 5001) && sends(&lab, 5000, "::1", 5001));
    assert!(lab.down().status.success());
}

#[test]
fn a_kill_switch_that_cannot_be_closed_makes_no_connection() {
    let (lab, _) = guarded(&Options::default(), &["kill-switch=yes"]);
    let in_the_way = "/run/nm-aws-client-vpn/kill-switch";
    lab.client.check(["touch", in_the_way]);
    let before = lab.snapshot();
    let up = lab.up();
    let words = ["The kill switch could not be turned on", "turn it off"];
    assert_failed(&lab, &up, reason::UNKNOWN, &words, &before);
    is_let_out(&lab);
    lab.client.check(["rm", in_the_way]);
    assert_up(&lab, &lab.up());
    assert_stopped(&lab);
    assert!(lab.down().status.success());
}

#[test]
fn the_local_network_is_let_through_if_the_user_says_so() {
    let (lab, before) = guarded(
        &Options::default(),
        &["kill-switch=yes", "kill-switch-lan=yes"],
    );
    assert_up(&lab, &lab.up());
    assert_stopped(&lab);
    reaches_at_last(&lab, NEIGHBOUR);
    // Another network, another neighbourhood: the rules follow.
    lab.second_cable();
    eventually("the new neighbours are let through", SOON, || {
        assert_stopped(&lab);
        reaches(&lab, "198.51.100.254").then_some(())
    });
    // The second cable stays, so the computer is not as it was.
    drop(before);
    assert!(lab.down().status.success());
    eventually("the table is gone", SOON, || {
        tables(&lab).is_empty().then_some(())
    });
}

#[test]
fn a_new_sign_in_takes_a_new_connection_unless_browsers_are_let_out() {
    let (mut lab, before) = guarded(&Options::default(), &["kill-switch=yes"]);
    assert_up(&lab, &lab.up());
    lab.endpoint().command(&json!({"kick": "all"}));
    let end = lab.vpn_ended(SOON * 3);
    assert_eq!(end.state, state::FAILED, "{end:?}");
    let warnings = lab.warnings();
    assert!(
        warnings[0].contains("Connect again to sign in"),
        "{warnings:?}"
    );
    assert_stopped(&lab);
    lab.modify("+vpn.data", "kill-switch-sign-in=yes");
    assert_up(&lab, &lab.up());
    lab.forget_browser_events();
    lab.endpoint().command(&json!({"kick": "all"}));
    lab.browser_did("opened", SOON * 3);
    assert!(!reaches(&lab, OUTSIDE), "a page is no ping");
    eventually("the tunnel is back", SOON * 3, || {
        let up = lab.vpn_states().last()?.state == state::ACTIVATED;
        (up && lab.has_traffic()).then_some(())
    });
    // Nobody is at a browser any more.
    eventually("browsers are let out no longer", SOON, || {
        let rules = lab.client.check(["nft", "list", "ruleset"]);
        (!rules.contains("dport @open")).then_some(())
    });
    take_down(&lab, &before);
}

#[test]
fn a_network_that_goes_is_no_wish_and_a_connection_that_is_deleted_is_one() {
    let (lab, _) = guarded(&Options::default(), &["kill-switch=yes"]);
    lab.modify("vpn.persistent", "no");
    assert_up(&lab, &lab.up());
    lab.client
        .check(["nmcli", "--wait", "300", "device", "disconnect", "eth0"]);
    let end = lab.vpn_ended(SOON);
    assert_ne!(end.reason, reason::USER_DISCONNECTED, "{end:?}");
    lab.client
        .check(["nmcli", "--wait", "300", "device", "connect", "eth0"]);
    assert_stopped(&lab);
    assert_up(&lab, &lab.up());
    assert_stopped(&lab);
    lab.client
        .check(["nmcli", "--wait", "300", "connection", "delete", "vpn"]);
    lab.vpn_ended(SOON);
    is_let_out(&lab);
    assert_eq!(tables(&lab), "");
}

/// A script or a second terminal that wants the connection up has not begun it.
#[test]
fn a_connect_that_gives_up_leaves_what_is_being_restored_as_it_is() {
    let options = Options {
        logind: true,
        ..Options::default()
    };
    let (mut lab, before) = guarded(&options, &["kill-switch=yes", "kill-switch-sign-in=yes"]);
    assert_up(&lab, &lab.up());
    lab.logind().lock();
    eventually("the screen is locked", SOON, || {
        lab.journal().contains("the screen is locked").then_some(())
    });
    lab.endpoint().command(&json!({"kick": "all"}));
    eventually("the loss is shown", SOON, || {
        let last = lab.vpn_states().last().copied()?;
        (last.state != state::ACTIVATED).then_some(())
    });
    let connect = "exec aws-client-vpn connect vpn";
    let left = "It goes on connecting";
    let timed_out = lab.at_terminal(&format!("{connect} --timeout 20")).finish();
    assert_eq!(timed_out.code, Some(5), "{}", timed_out.text);
    assert!(timed_out.text.contains(left), "{}", timed_out.text);
    assert_stopped(&lab);
    let mut cancelled = lab.at_terminal(connect);
    cancelled.expect("…", SOON);
    cancelled.interrupt();
    let cancelled = cancelled.finish();
    assert_eq!(cancelled.code, Some(4), "{}", cancelled.text);
    assert!(cancelled.text.contains(left), "{}", cancelled.text);
    assert_stopped(&lab);
    let status = lab.client.run(["aws-client-vpn", "status", "vpn"]);
    let status = String::from_utf8_lossy(&status.stdout);
    assert!(status.contains("connecting"), "{status}");
    take_down(&lab, &before);
}

#[test]
fn a_firewall_that_flushes_all_tables_does_not_open_it() {
    let (lab, before) = guarded(&Options::default(), &["kill-switch=yes"]);
    assert_up(&lab, &lab.up());
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    let began = Instant::now();
    let table = "inet aws-client-vpn-kill-switch";
    for line in [
        "nft flush ruleset".to_owned(),
        format!("nft delete table {table}"),
        format!("nft flush table {table}"),
        format!("nft insert rule {table} output accept"),
    ] {
        lab.client.check(["sh", "-c", &line]);
        eventually(&format!("{line} is put right"), SOON, || {
            (lab.client.check(["nft", "list", "ruleset"]) == rules).then_some(())
        });
    }
    assert_stopped(&lab);
    lab.traffic_flows();
    let told = lab.journal().matches("they are put right").count();
    // It is said at most every ten seconds.
    let most = 1 + usize::try_from(began.elapsed().as_secs() / 10).unwrap();
    assert!((1..=most).contains(&told), "{told}");
    // What others do with their own tables is their business, and opens nothing: a firewall that lets
    // all out and is reloaded, as firewalld is, and one that lets containers out, as Docker does.
    let all = "policy accept; accept";
    let others = format!(
        "for other in 'inet firewalld' 'ip filter'; do
         nft \"add table $other; delete table $other; table $other {{
             chain out {{ type filter hook output priority 10; {all}; }}
             chain through {{ type filter hook forward priority -10; {all}; }}
         }}\"
         done; nft list tables"
    );
    for _ in 0..2 {
        let tables = lab.client.check(["sh", "-ec", &others]);
        assert!(tables.contains("inet firewalld"), "{tables}");
        assert_stopped(&lab);
    }
    assert_eq!(lab.journal().matches("they are put right").count(), told);
    let delete = "nft delete table inet firewalld; nft delete table ip filter";
    lab.client.check(["sh", "-ec", delete]);
    take_down(&lab, &before);
}

#[test]
fn networkmanager_s_end_is_no_wish() {
    let (mut lab, before) = guarded(&Options::default(), &["kill-switch=yes"]);
    for killed in [false, true] {
        assert_up(&lab, &lab.up());
        if killed {
            lab.kill_network_manager();
        } else {
            lab.stop_network_manager();
        }
        eventually("the service ends", SOON, || {
            lab.client
                .processes_called(SERVICE)
                .is_empty()
                .then_some(())
        });
        lab.start_network_manager();
        assert_stopped(&lab);
    }
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
    is_let_out(&lab);
}

#[test]
fn while_nothing_changes_nftables_is_left_alone_and_a_flush_is_put_right_once() {
    let (lab, before) = guarded(&endpoint(&["--sign-in=certificate"]), &["kill-switch=yes"]);
    assert_up(&lab, &lab.up());
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    let mut command = lab.client.command("nft");
    command.arg("monitor");
    let monitor = lab.client.spawn_logged("nft-monitor", command);
    let log = lab.dir().join("logs/nft-monitor.log");
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    // What is told of another table marks where something begins and ends.
    let mark = |name: &str| {
        eventually("nft monitors", SOON, || {
            lab.client.check(["nft", "add", "table", "inet", name]);
            lab.client.check(["nft", "delete", "table", "inet", name]);
            let line = format!("delete table inet {name}");
            told().contains(&line).then_some(())
        });
        told().len()
    };
    let start = mark("first");
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        lab.traffic_flows();
    }
    let quiet = told()[start..].to_owned();
    assert_eq!(quiet.matches("kill-switch").count(), 0, "{quiet}");
    let flush = mark("before");
    lab.client.check(["nft", "flush", "ruleset"]);
    eventually("it is put right", SOON, || {
        (lab.client.check(["nft", "list", "ruleset"]) == rules).then_some(())
    });
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        lab.traffic_flows();
    }
    mark("last");
    let changes = told()[flush..].to_owned();
    let made = "add table inet aws-client-vpn-kill-switch";
    // Each replacement names the table twice: a table that is not there cannot be deleted.
    assert!((1..3).contains(&changes.matches(made).count()), "{changes}");
    lab.client.signal("nft", Signal::TERM);
    drop(monitor);
    take_down(&lab, &before);
}

#[test]
fn a_computer_that_is_shut_down_is_told_of_nothing_that_ends_with_it() {
    for shutting_down in [true, false] {
        let options = Options {
            logind: true,
            ..endpoint(&["--sign-in=certificate"])
        };
        let (mut lab, _) = guarded(&options, &["kill-switch=yes"]);
        assert_up(&lab, &lab.up());
        if shutting_down {
            lab.logind().shut_down();
        }
        lab.stop_network_manager();
        eventually("the service ends", SOON, || {
            let services = lab.client.processes_called(SERVICE);
            services.is_empty().then_some(())
        });
        let told = lab
            .journal()
            .contains("the kill switch still blocks traffic");
        assert_eq!(told, !shutting_down, "{}", lab.journal());
    }
}
