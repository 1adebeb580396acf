//! The computer's clock jumps, by a day, forwards and backwards.

use crate::interruptions::{SERVICE, Step, bring_to};
use crate::{SOON, endpoint, lab, state, take_down};
use aws_client_vpn_harness::{Browser, Lab, Options, Snapshot, eventually};

const DAY: i64 = 24 * 60 * 60;

/// A client whose clock can jump, started when it is right.
pub(crate) fn with_clock(options: &Options) -> (Lab, Snapshot) {
    let (mut lab, _) = lab(options);
    lab.stop_network_manager();
    lab.install_clock();
    lab.start_network_manager();
    let before = lab.snapshot();
    (lab, before)
}

/// The programs of the client see the jump.
#[track_caller]
pub(crate) fn jump(lab: &Lab, seconds: i64) {
    let now = |lab: &Lab| -> i64 {
        let text = lab.client.check(["date", "+%s"]);
        text.trim().parse().unwrap()
    };
    let before = now(lab);
    lab.set_clock(seconds);
    let moved = now(lab) - before;
    assert!((moved - seconds).abs() < 60, "{moved}");
}

/// Whether a packet is answered, however late on a busy machine.
fn answers(lab: &Lab) -> bool {
    let ping = lab.client.run(["ping", "-c", "1", "-W", "5", "10.99.0.2"]);
    ping.status.success()
}

#[test]
fn the_clock_jumps_while_connected() {
    for by in [DAY, -DAY] {
        let (mut lab, before) = with_clock(&endpoint(&["--sign-in=certificate"]));
        let up = bring_to(Step::Connected, &mut lab);
        up.abandon();
        for program in ["nm-aws-client-vpn/openvpn", SERVICE] {
            let pid = lab.client.processes_called(program)[0];
            let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
            assert!(maps.contains("lab-clock"), "{program} has another clock");
        }
        jump(&lab, by);
        // OpenVPN counts silence by the clock, so it may take a day for a loss: then it is back.
        let mut calm = 0;
        eventually("the connection is there, and stays", SOON * 3, || {
            let up = lab.vpn_states().last()?.state == state::ACTIVATED;
            calm = if up && answers(&lab) { calm + 1 } else { 0 };
            (calm > 300).then_some(())
        });
        lab.set_clock(0);
        eventually(
            "the connection is there when it jumps back",
            SOON * 3,
            || {
                let up = lab.vpn_states().last()?.state == state::ACTIVATED;
                (up && lab.has_traffic()).then_some(())
            },
        );
        assert_eq!(lab.warnings(), [""; 0], "{by}");
        take_down(&lab, &before);
    }
}

#[test]
fn the_clock_jumps_while_a_login_waits() {
    for by in [DAY, -DAY] {
        let (lab, before) = with_clock(&Options {
            browser: Browser::Waiting,
            ..Options::default()
        });
        let up = lab.begin_up();
        lab.browser_did("opened", SOON);
        jump(&lab, by);
        lab.browser_goes_on();
        let up = up.finish();
        assert!(up.success, "{by}: {}\n{}", up.text, lab.journal());
        lab.traffic_flows();
        lab.set_clock(0);
        take_down(&lab, &before);
    }
}
