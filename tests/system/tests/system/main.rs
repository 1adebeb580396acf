//! Tests on a booted Debian: what ordinary users do, under the real polkit, logind and journald.
//!
//! A test is a few lines: `System::start()` boots and installs, `log_in` gives a user's session,
//! whose `check`, `import` and `connects` run as that user.

mod agent;
mod at_boot;
mod first_day;
mod kill_switch;
mod packages;
mod returning;
mod rights;
mod two_users;

use aws_client_vpn_harness::{eventually, wait_for};
use aws_client_vpn_system::{SOON, System};

/// Chooses what the service wrote to the journal.
const SERVICE: [&str; 1] = ["--identifier=nm-aws-client-vpn-service"];

/// How many logins the browser has done.
fn logins(system: &System) -> usize {
    let done = |event: &&aws_client_vpn_harness::Event| event["event"] == "done";
    system.browser_events().iter().filter(done).count()
}

/// Waits until the browser has done so many: it may take longer than the tunnel.
#[track_caller]
fn await_logins(system: &System, number: usize) {
    if wait_for(SOON, || (logins(system) >= number).then_some(())).is_none() {
        panic!("{:?}\n{}", system.browser_events(), system.story());
    }
    assert_eq!(logins(system), number, "{:?}", system.browser_events());
}

/// Waits until nothing goes through the tunnel any more: NetworkManager does not wait for its end.
#[track_caller]
fn await_end(system: &System) {
    eventually("the tunnel is gone", SOON, || {
        (!system.has_traffic()).then_some(())
    });
}

/// The units of ours that have failed.
fn failed_units(system: &System) -> Vec<String> {
    let list = ["systemctl", "--failed", "--plain", "--no-legend"];
    let failed = system.client.check(list);
    let ours = failed
        .lines()
        .filter(|unit| unit.contains("aws-client-vpn"));
    ours.map(ToOwned::to_owned).collect()
}
