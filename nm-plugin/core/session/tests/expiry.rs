//! The end of a sign-in, on a computer that sleeps.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::session::Input;
use simulation::Simulation;
use std::time::Duration;

const NOTHING: [&str; 0] = [];

#[test]
fn a_sign_in_grows_old_while_the_computer_sleeps() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let timeouts = Timeouts {
        session: Some(hours(8)),
        ..Timeouts::default()
    };
    let mut simulation = Simulation::connected_with(timeouts);
    let ends = simulation.session.sign_in_ends().unwrap();
    assert_eq!(simulation.input(Input::Slept(hours(5))), NOTHING);
    assert_eq!(simulation.session.sign_in_ends(), Some(ends - hours(5)));
    // Three hours are left, and ten minutes before the end it is told.
    assert_eq!(simulation.after(3 * 3600 - 601), NOTHING);
    assert_eq!(simulation.after(1), ["sign-in ends in 600 s"]);
    // Who sleeps over the end is told nothing: there is nothing left to be renewed.
    let mut simulation = Simulation::connected_with(timeouts);
    assert_eq!(simulation.input(Input::Slept(hours(9))), NOTHING);
    assert_eq!(simulation.after(0), NOTHING);
}

#[test]
fn without_a_length_sleep_changes_nothing() {
    let mut simulation = Simulation::connected();
    assert_eq!(
        simulation.input(Input::Slept(Duration::from_secs(99))),
        NOTHING
    );
    assert_eq!(simulation.session.sign_in_ends(), None);
    assert_eq!(simulation.session.deadline(), None);
}
