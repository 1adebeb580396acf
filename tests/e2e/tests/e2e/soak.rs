//! Many connections, and one that is lost and made anew again and again: nothing grows.
//!
//! The short form is a test like any other. The long one (`make soak`) sets `SOAK_CYCLES` and
//! `SOAK_SECONDS` and prints a table of what was measured, to be read as a curve.

use crate::{SOON, assert_up, lab, state, take_down};
use aws_client_vpn_harness::{Lab, Options, eventually};
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
    let (lab, before) = lab(&Options::default());
    let mut first = None;
    println!("cycle  NetworkManager: descriptors, kB, children; seconds");
    for cycle in 1..=cycles {
        let begin = Instant::now();
        let up = lab.up();
        assert!(up.success, "cycle {cycle}: {}\n{}", up.text, lab.journal());
        lab.traffic_flows();
        assert!(lab.down().status.success(), "cycle {cycle}");
        lab.assert_clean(&before);
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

/// The longest the service waits between two logins that nobody asked for, at so few losses.
const LOGIN_PAUSE: Duration = Duration::from_secs(120);

#[test]
fn a_long_connection_that_is_lost_again_and_again_does_not_grow() {
    let limit = Duration::from_secs(setting("SOAK_SECONDS", 8));
    let (mut lab, before) = lab(&Options::default());
    let begin = Instant::now();
    assert_up(&lab, &lab.up());
    let mut first = None;
    let mut losses = 0;
    println!("seconds  losses  service: descriptors, kB, children; OpenVPN: descriptors, kB");
    while begin.elapsed() < limit || losses < 2 {
        let seen = lab.endpoint_events().count();
        lab.endpoint().command(&json!({"kick": "all"}));
        lab.endpoint_events()
            .wait_after(seen, "connected", LOGIN_PAUSE + SOON);
        eventually("the VPN is up again", SOON, || {
            let last = lab.vpn_states().last().copied();
            last.filter(|last| last.state == state::ACTIVATED)
        });
        lab.traffic_flows();
        losses += 1;
        let service = Share::of(&lab, "nm-aws-client-vpn-service");
        let openvpn = Share::of(&lab, "nm-aws-client-vpn/openvpn");
        println!(
            "{:7}  {losses:6}  {:3} {:6} {:2}  {:3} {:6}",
            begin.elapsed().as_secs(),
            service.descriptors,
            service.kilobytes,
            service.children,
            openvpn.descriptors,
            openvpn.kilobytes
        );
        let (first_service, first_openvpn) = *first.get_or_insert((service, openvpn));
        service.assert_not_above(&first_service, "service");
        openvpn.assert_not_above(&first_openvpn, "OpenVPN");
    }
    take_down(&lab, &before);
}
