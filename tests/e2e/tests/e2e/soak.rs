//! Many connections, one after the other: nothing grows.
//!
//! The short form is a test like any other. The long one (`make soak`) sets `SOAK_CYCLES` and
//! prints a table of what was measured, to be read as a curve.

use crate::lab;
use aws_client_vpn_harness::{Lab, Options};
use std::fs;
use std::time::Instant;

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
