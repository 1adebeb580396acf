//! A connection is lost while nobody is there, and the person comes back.

use crate::{SERVICE, await_end, await_logins, logins};
use aws_client_vpn_harness::eventually;
use aws_client_vpn_system::{SOON, Session, System};
use serde_json::json;

#[test]
fn a_connection_lost_behind_a_locked_screen_comes_back_after_unlocking() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    ada.connects();
    await_logins(&system, 1);
    ada.lock();
    system.journal_says(SERVICE, "the screen is locked");
    system.endpoint_command(&json!({"kick": "all"}));
    await_end(&system);
    system.journal_says(SERVICE, "waiting for the screen to be unlocked");
    assert_eq!(logins(&system), 1, "nobody is at the browser");
    ada.unlock();
    comes_back(&system, &ada);
}

#[test]
fn a_connection_lost_while_logged_out_comes_back_after_logging_in() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    ada.connects();
    await_logins(&system, 1);
    ada.log_out();
    // The connection goes on without its user.
    system.traffic_flows();
    system.journal_says(SERVICE, "nobody is there who could sign in");
    system.endpoint_command(&json!({"kick": "all"}));
    await_end(&system);
    system.journal_says(SERVICE, "waiting for somebody to be there");
    assert_eq!(logins(&system), 1, "nobody is at the browser");
    let ada = system.log_in("ada");
    comes_back(&system, &ada);
}

#[test]
fn a_connection_that_is_for_one_user_ends_when_they_log_out() {
    let system = System::start();
    let ada = system.log_in("ada");
    let profile = system.profile("udp", 443);
    ada.check(["aws-client-vpn", "import", "--name", "vpn", &profile]);
    ada.connects();
    ada.log_out();
    await_end(&system);
    eventually("its interface is gone", SOON, || {
        let links = system.client.check(["ip", "link"]);
        (!links.contains("awsvpn")).then_some(())
    });
    assert_eq!(system.warnings(), [""; 0]);
}

/// The login page is opened for `user`, and the tunnel is up again.
#[track_caller]
fn comes_back(system: &System, user: &Session<'_>) {
    let logged_in = || (logins(system) == 2).then_some(());
    if aws_client_vpn_harness::wait_for(SOON, logged_in).is_none() {
        panic!("no login page was opened:\n{}", system.story());
    }
    eventually("the tunnel is up again", SOON, || {
        system.has_traffic().then_some(())
    });
    eventually("NetworkManager says so", SOON, || {
        let show = ["nmcli", "-g", "NAME,STATE", "connection", "show", "-a"];
        user.check(show).contains("vpn:activated").then_some(())
    });
}
