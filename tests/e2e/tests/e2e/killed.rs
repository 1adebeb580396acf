//! Services that are killed with all that would clean up after them, that stop, or that sleep.

use crate::interruptions::{SERVICE, tidy_up_after_a_killed_service};
use crate::{SOON, assert_up, lab, take_down};
use aws_client_vpn_harness::{Lab, Options, eventually};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

const SUPERVISOR: &str = "openvpn-superv";
/// The watchdog's limit, and some time for the machine.
const WATCHDOG: Duration = Duration::from_secs(180);

/// Kills `pids` so that none of them sees another's end.
fn kill_together(pids: &[i32]) {
    for signal in [Signal::STOP, Signal::KILL] {
        for pid in pids {
            let pid = Pid::from_raw(*pid).expect("a process has a number");
            kill_process(pid, signal).expect("it lives");
        }
    }
}

fn links(lab: &Lab) -> String {
    lab.client.check(["ip", "-brief", "link"])
}

fn doctor(lab: &Lab) -> String {
    let output = lab.client.run(["aws-client-vpn", "doctor"]);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Kills service, supervisor and NetworkManager, so that the tunnel's device is left.
fn kill_all(lab: &mut Lab) {
    let mut pids = lab.client.processes_called(SERVICE);
    pids.extend(lab.client.processes_called(SUPERVISOR));
    assert_eq!(pids.len(), 2);
    kill_together(&pids);
    lab.kill_network_manager();
    eventually("OpenVPN has ended", SOON, || {
        let left = lab.client.processes_called("nm-aws-client-vpn/openvpn");
        left.is_empty().then_some(())
    });
}

#[test]
fn the_device_of_a_killed_service_and_supervisor_goes_at_the_next_start() {
    let (mut lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    assert!(!doctor(&lab).contains("was killed"), "{}", doctor(&lab));
    kill_all(&mut lab);
    // Nobody is left to take it away.
    assert!(links(&lab).contains("awsvpn0"), "{}", links(&lab));
    let said = doctor(&lab);
    assert!(said.contains("left interfaces behind: awsvpn0"), "{said}");
    lab.start_network_manager();
    assert_up(&lab, &lab.up());
    let removed = "removed the interface awsvpn0, which a killed service left";
    assert!(lab.journal().contains(removed), "{}", lab.journal());
    assert_eq!(links(&lab).matches("awsvpn").count(), 1, "{}", links(&lab));
    assert!(!doctor(&lab).contains("was killed"), "{}", doctor(&lab));
    take_down(&lab, &before);
    assert!(!links(&lab).contains("awsvpn"), "{}", links(&lab));
}

#[test]
fn the_doctor_takes_away_what_a_killed_service_left_for_root() {
    let (mut lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    kill_all(&mut lab);
    assert!(links(&lab).contains("awsvpn0"), "{}", links(&lab));
    lab.start_network_manager();
    let fixed = lab.client.run(["aws-client-vpn", "doctor", "--fix"]);
    let fixed = String::from_utf8_lossy(&fixed.stdout);
    assert!(fixed.contains("/dev/net/tun"), "{fixed}");
    assert!(!links(&lab).contains("awsvpn"), "{}", links(&lab));
    // What is up is left alone.
    assert_up(&lab, &lab.up());
    lab.client
        .check(["sh", "-c", "aws-client-vpn doctor --fix || true"]);
    lab.traffic_flows();
    take_down(&lab, &before);
}

#[test]
fn a_connection_that_lives_is_left_alone_by_the_next_start() {
    let lab = Lab::start(&Options::default());
    for (name, network) in [("one", 101), ("two", 102)] {
        let address = format!("10.{network}.0.2/32");
        lab.server
            .check(["ip", "address", "add", &address, "dev", "lo"]);
        let lines = format!("route-nopull\nroute 10.{network}.0.0 255.255.0.0\n");
        lab.import_as(name, "udp", 443, &lines);
    }
    let before = lab.snapshot();
    assert!(lab.begin_up_of("one").finish().success);
    let index = |lab: &Lab| lab.client.check(["cat", "/sys/class/net/awsvpn0/ifindex"]);
    let first = index(&lab);
    assert!(lab.begin_up_of("two").finish().success);
    assert_eq!(index(&lab), first);
    let ping = ["ping", "-c", "1", "-w", "60", "-i", "0.2", "10.101.0.2"];
    let ping = lab.client.run(ping);
    assert!(
        ping.status.success(),
        "the first is dead: {}",
        lab.journal()
    );
    for name in ["one", "two"] {
        lab.client
            .check(["nmcli", "--wait", "300", "connection", "down", name]);
    }
    lab.assert_clean(&before);
}

#[test]
fn a_service_that_was_stopped_is_ended_and_its_device_removed() {
    let (lab, before) = lab(&Options::default());
    assert_up(&lab, &lab.up());
    lab.client.signal(SERVICE, Signal::STOP);
    // NetworkManager does not wait for it.
    assert!(lab.down().status.success());
    for name in [SERVICE, SUPERVISOR, "nm-aws-client-vpn/openvpn"] {
        eventually(&format!("{name} has ended"), WATCHDOG, || {
            lab.client.processes_called(name).is_empty().then_some(())
        });
    }
    tidy_up_after_a_killed_service(&lab);
    lab.assert_clean(&before);
}
