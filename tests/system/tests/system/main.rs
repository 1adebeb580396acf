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

use aws_client_vpn_system::System;

/// Chooses what the service wrote to the journal.
const SERVICE: [&str; 1] = ["--identifier=nm-aws-client-vpn-service"];

/// How many logins the browser has done.
fn logins(system: &System) -> usize {
    let done = |event: &&aws_client_vpn_harness::Event| event["event"] == "done";
    system.browser_events().iter().filter(done).count()
}
