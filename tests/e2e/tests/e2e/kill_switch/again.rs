//! A connection that is to be activated once more while it is up or lost: nobody wants the
//! network without the VPN meanwhile.

use super::{OUTSIDE, guarded, is_let_out, stops};
use crate::{SOON, assert_up, endpoint, state, take_down};
use aws_client_vpn_harness::{Lab, Process, eventually};
use rustix::process::Signal;
use serde_json::json;
use std::fs;

/// Packets to the host outside, many a second, as long as the value lives.
struct Pings {
    _process: Process,
}

impl Pings {
    fn send(lab: &Lab) -> Self {
        let mut command = lab.client.command("ping");
        command.args(["-i", "0.02", "-W", "1", OUTSIDE]);
        Self {
            _process: lab.client.spawn_logged("pings", command),
        }
    }

    #[track_caller]
    fn assert_unanswered(self, lab: &Lab) {
        let log = lab.dir().join("logs/pings.log");
        let told = fs::read_to_string(log).unwrap();
        assert!(
            told.contains("not permitted") || told.contains("filtered"),
            "{told}"
        );
        assert!(!told.contains("bytes from"), "{told}{}", lab.journal());
        lab.client.signal("ping", Signal::TERM);
    }
}

/// NetworkManager does not activate a VPN that it has for active, whatever its state.
#[track_caller]
fn assert_refused(lab: &Lab) {
    let up = lab.up();
    assert!(
        !up.success && up.text.contains("already active"),
        "{}",
        up.text
    );
}

#[test]
fn one_that_is_up_or_lost_stays_closed_when_it_is_to_be_activated_once_more() {
    let (mut lab, before) = guarded(
        &endpoint(&["--sign-in=certificate"]),
        &["kill-switch=yes", "connect-timeout=60"],
    );
    assert_up(&lab, &lab.up());
    let pings = Pings::send(&lab);
    assert_refused(&lab);
    assert!(stops(&lab));
    for node in [1, 2] {
        lab.endpoint().command(&json!({"stop_node": node}));
    }
    let states = lab.vpn_states().len();
    lab.client.signal("nm-aws-client-vpn/openvpn", Signal::USR1);
    eventually("the loss is shown", SOON, || {
        let since = &lab.vpn_states()[states..];
        let lost = since.iter().any(|seen| seen.state != state::ACTIVATED);
        lost.then_some(())
    });
    assert_refused(&lab);
    for node in [1, 2] {
        lab.endpoint().command(&json!({"start_node": node}));
    }
    eventually("the tunnel is back", SOON, || {
        assert!(stops(&lab));
        lab.has_traffic().then_some(())
    });
    pings.assert_unanswered(&lab);
    take_down(&lab, &before);
    is_let_out(&lab);
}
