//! The computer sleeps while a connection is being made.

use crate::interruptions::{Step, bring_to};
use crate::workday::sleep_and_wake;
use crate::{SOON, assert_failed, assert_up, lab, reason, take_down};
use aws_client_vpn_harness::{Lab, Options, Snapshot};
use std::time::Duration;

const SLEEP: Duration = Duration::from_secs(5);

fn laptop() -> (Lab, Snapshot) {
    lab(&Options {
        logind: true,
        ..Options::default()
    })
}

#[test]
fn a_sleep_while_the_endpoint_is_silent_makes_no_hang() {
    for (step, words) in [
        (Step::FirstPhase, &["did not answer"][..]),
        (Step::SecondPhase, &["did not answer", "sign-in"]),
    ] {
        let (mut lab, before) = laptop();
        // NetworkManager itself gives up after 60 s.
        lab.modify("+vpn.data", "connect-timeout=45");
        let up = bring_to(step, &mut lab);
        sleep_and_wake(&mut lab, SLEEP);
        let up = up.finish();
        assert_failed(&lab, &up, reason::UNKNOWN, words, &before);
    }
}

#[test]
fn a_login_that_is_slept_over_can_be_done_afterwards() {
    let (mut lab, before) = laptop();
    lab.endpoint().identity_provider("delay 12");
    let up = lab.begin_up();
    // Earlier, the browser would find no identity provider.
    lab.endpoint_events().wait("login-accepted", SOON);
    sleep_and_wake(&mut lab, SLEEP);
    assert_up(&lab, &up.finish());
    take_down(&lab, &before);
}

#[test]
fn a_login_that_is_slept_over_can_be_given_up_afterwards() {
    let (mut lab, before) = laptop();
    let up = bring_to(Step::Login, &mut lab);
    sleep_and_wake(&mut lab, SLEEP);
    take_down(&lab, &before);
    up.abandon();
}
