//! A connection is lost while nobody is there, and the person comes back.

use crate::logins;
use aws_client_vpn_harness::eventually;
use aws_client_vpn_system::{SOON, Session, System};
use serde_json::json;

#[test]
fn a_connection_lost_behind_a_locked_screen_comes_back_after_unlocking() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    ada.connects();
    ada.lock();
    system.endpoint_command(&json!({"kick": "all"}));
    eventually("the tunnel is gone", SOON, || {
        (!system.has_traffic()).then_some(())
    });
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
    ada.log_out();
    assert!(
        system.has_traffic(),
        "the connection goes on without its user"
    );
    system.endpoint_command(&json!({"kick": "all"}));
    eventually("the tunnel is gone", SOON, || {
        (!system.has_traffic()).then_some(())
    });
    let ada = system.log_in("ada");
    comes_back(&system, &ada);
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
    let active = user.check([
        "nmcli",
        "-g",
        "NAME,STATE",
        "connection",
        "show",
        "--active",
    ]);
    assert!(active.contains("vpn:activated"), "{active}");
}
