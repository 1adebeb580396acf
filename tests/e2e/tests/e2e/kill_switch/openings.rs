//! What a closed kill switch opens for a sign-in, and that it does not stay open.

use super::unasked::left_closed;
use super::{OUTSIDE, guarded, sends, stops, tables};
use crate::interruptions::SERVICE;
use crate::{SOON, assert_up, take_down};
use aws_client_vpn_harness::{Browser, Options, eventually};
use rustix::process::Signal;
use std::time::Duration;

/// Ports that are open for a sign-in close by themselves after two minutes.
const CLOSED: Duration = Duration::from_secs(300);

#[test]
fn what_is_open_for_a_sign_in_closes_by_itself_after_a_service_that_was_killed() {
    let (lab, before) = guarded(&Options::default(), &["kill-switch=yes"]);
    left_closed(&lab);
    let lets_web = |lab| sends(lab, 5000, OUTSIDE, 443);
    assert!(!lets_web(&lab));
    lab.set_browser(&Browser::Waiting);
    lab.forget_browser_events();
    let up = lab.begin_up();
    lab.browser_did("opened", SOON * 3);
    eventually("the web is open", SOON, || lets_web(&lab).then_some(()));
    lab.client.signal(SERVICE, Signal::KILL);
    assert!(!up.finish().success);
    let rules = lab.client.check(["nft", "list", "ruleset"]);
    for line in rules.lines().filter(|line| line.contains("elements = {")) {
        assert_eq!(
            line.matches("expires").count(),
            line.split(',').count(),
            "{rules}"
        );
    }
    eventually("the web is closed", CLOSED, || {
        (!lets_web(&lab)).then_some(())
    });
    assert!(stops(&lab), "{}", tables(&lab));
    lab.set_browser(&Browser::Scripted);
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}
