//! Many connections, and one that is lost and made again and again: nothing grows.
//!
//! The short form is a test like any other. The long one (`make soak`) sets `SOAK_CYCLES` and
//! `SOAK_SECONDS` and prints a table of what was measured, to be read as a curve.

use crate::{SOON, assert_up, endpoint, lab, state, take_down};
use aws_client_vpn_harness::{Lab, Options, Snapshot, eventually};
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};

fn setting(name: &str, default: u64) -> u64 {
    let set = std::env::var(name).ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What a program has of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    descriptors: usize,
    kilobytes: u64,
    children: usize,
}

impl Share {
    /// Of the only process that is called `name`.
    #[track_caller]
    fn of(lab: &Lab, name: &str) -> Self {
        let pids = lab.client.processes_called(name);
        assert_eq!(pids.len(), 1, "one {name}: {pids:?}");
        let proc = format!("/proc/{}", pids[0]);
        let status = fs::read_to_string(format!("{proc}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|line| line.split_whitespace().next());
        let children = fs::read_to_string(format!("{proc}/task/{}/children", pids[0]));
        Self {
            descriptors: fs::read_dir(format!("{proc}/fd")).unwrap().count(),
            kilobytes: kilobytes.unwrap().parse().unwrap(),
            children: children.unwrap().split_whitespace().count(),
        }
    }

    /// Nothing has grown; memory may by a tenth and what an allocator keeps.
    #[track_caller]
    fn assert_not_above(&self, first: &Self, what: &str) {
        assert!(
            self.descriptors <= first.descriptors,
            "{what}: {self:?} {first:?}"
        );
        assert!(
            self.children <= first.children,
            "{what}: {self:?} {first:?}"
        );
        let limit = first.kilobytes + first.kilobytes / 10 + 2048;
        assert!(self.kilobytes <= limit, "{what}: {self:?} {first:?}");
    }
}

#[test]
fn many_connections_leave_nothing() {
    let cycles = setting("SOAK_CYCLES", 8);
    let (mut lab, before) = lab(&Options::default());
    let mut first = None;
    println!("cycle  NetworkManager: descriptors, kB, children; seconds");
    for cycle in 1..=cycles {
        let begin = Instant::now();
        let up = lab.up();
        assert!(up.success, "cycle {cycle}: {}\n{}", up.text, lab.journal());
        lab.traffic_flows();
        assert!(lab.down().status.success(), "cycle {cycle}");
        lab.assert_clean(&before);
        // The endpoint has addresses for 27, and keeps one for 30 s after a client has gone.
        lab.endpoint().command(&json!({"kick": "all"}));
        let now = Share::of(&lab, "NetworkManager");
        // The first connection loads what NetworkManager keeps.
        if cycle == 3 {
            first = Some(now);
        }
        if cycle % 25 == 0 || cycle == 3 || cycle == cycles {
            println!(
                "{cycle:5}  {:3} {:6} {:2}  {:.1}",
                now.descriptors,
                now.kilobytes,
                now.children,
                begin.elapsed().as_secs_f64()
            );
        }
    }
    if let Some(first) = first {
        let now = Share::of(&lab, "NetworkManager");
        assert!(
            now.descriptors <= first.descriptors + 1,
            "{now:?} {first:?}"
        );
    }
}

/// How often the client has new keys made, in seconds.
const NEW_KEYS: u64 = 10;
/// Where no tunnel lasts, the service waits up to 16 minutes between two logins that nobody asked
/// for.
const LOGIN_INTERVAL: Duration = Duration::from_secs(1020);
/// Addresses that the client's cable takes turns with; it has the second one at first.
const ADDRESSES: [&str; 2] = ["192.0.2.77/24", "192.0.2.10/24"];

/// A connection whose endpoint gives tokens, with new keys all the time.
struct LongConnection {
    lab: Lab,
    before: Snapshot,
    began: Instant,
    losses: usize,
    logins: usize,
    new_keys: usize,
    /// What the service and OpenVPN had when the connection had been lost once.
    first: Option<(Share, Share)>,
}

impl LongConnection {
    fn begin() -> Self {
        let (lab, before) = lab(&endpoint(&["--auth-token"]));
        lab.modify("+vpn.data", &format!("options=reneg-sec {NEW_KEYS}"));
        let began = Instant::now();
        assert_up(&lab, &lab.up());
        println!(
            "seconds  losses, logins, keys  service: descriptors, kB, children; \
             OpenVPN: descriptors, kB"
        );
        Self {
            lab,
            before,
            began,
            losses: 0,
            logins: 1,
            new_keys: 0,
            first: None,
        }
    }

    /// The endpoint throws it out; it comes back with its token, or with a login in the browser.
    fn is_lost(&mut self, and_comes_back: &str) {
        let seen = self.lab.endpoint_events().count();
        self.lab.endpoint().command(&json!({"kick": "all"}));
        self.lab
            .endpoint_events()
            .wait_after(seen, and_comes_back, SOON);
        // The endpoint knows it first, then OpenVPN, then NetworkManager.
        eventually("the tunnel is back", SOON, || {
            let last = self.lab.vpn_states().last().copied();
            let is_up = last.is_some_and(|last| last.state == state::ACTIVATED);
            (is_up && self.lab.has_traffic()).then_some(())
        });
        self.losses += 1;
    }

    fn signs_in_again(&mut self) {
        let accept = |yes: bool| json!({"set": {"accept_tokens": yes}});
        self.lab.endpoint().command(&accept(false));
        self.is_lost("connected");
        self.lab.endpoint().command(&accept(true));
        self.logins += 1;
    }

    /// The client gets another address, and its first one back.
    fn roams(&self) {
        for address in ADDRESSES {
            let client = &self.lab.client;
            let set = ["nmcli", "connection", "modify", "base", "ipv4.addresses"];
            client.check(set.into_iter().chain([address]));
            client.check(["nmcli", "device", "reapply", "eth0"]);
            // A packet that goes between two addresses is lost, as with any network.
            eventually("traffic from the other address", SOON, || {
                self.lab.has_traffic().then_some(())
            });
        }
    }

    /// Waits until new keys are made, and used.
    fn gets_new_keys(&mut self) {
        let mut journal = self.lab.journal_from_now();
        eventually("new keys", SOON, || {
            journal.text().contains("soft reset").then_some(())
        });
        self.lab.traffic_flows();
        self.new_keys += 1;
    }

    fn has_not_grown(&mut self) {
        let service = Share::of(&self.lab, "nm-aws-client-vpn-service");
        let openvpn = Share::of(&self.lab, "nm-aws-client-vpn/openvpn");
        println!(
            "{:7}  {:6} {:7} {:5}  {:3} {:6} {:2}  {:3} {:6}",
            self.began.elapsed().as_secs(),
            self.losses,
            self.logins,
            self.new_keys,
            service.descriptors,
            service.kilobytes,
            service.children,
            openvpn.descriptors,
            openvpn.kilobytes
        );
        let (first_service, first_openvpn) = *self.first.get_or_insert((service, openvpn));
        service.assert_not_above(&first_service, "service");
        openvpn.assert_not_above(&first_openvpn, "OpenVPN");
    }
}

#[test]
fn a_long_connection_that_is_lost_again_and_again_does_not_grow() {
    let limit = Duration::from_secs(setting("SOAK_SECONDS", 0));
    let mut connection = LongConnection::begin();
    // The first login that nobody asked for does not wait.
    connection.signs_in_again();
    let mut signed_in = Instant::now();
    while connection.began.elapsed() < limit || connection.losses < 3 {
        connection.is_lost("came-back");
        connection.roams();
        connection.gets_new_keys();
        connection.has_not_grown();
        if signed_in.elapsed() >= LOGIN_INTERVAL {
            connection.signs_in_again();
            signed_in = Instant::now();
        }
    }
    let journal = connection.lab.journal();
    assert!(
        !journal.contains("put back"),
        "NetworkManager's own changes are taken for somebody's\n{journal}"
    );
    take_down(&connection.lab, &connection.before);
}
