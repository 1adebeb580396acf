//! Two users at one computer.

use crate::{await_end, await_logins};
use aws_client_vpn_harness::eventually;
use aws_client_vpn_system::{SOON, System};
use serde_json::{Value, json};

#[test]
fn a_login_is_shown_to_the_user_who_connects() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    // Who is not in this group needs an administrator's password to connect, see `rights`.
    system.client.check(["gpasswd", "--add", "bob", "netdev"]);
    let bob = system.log_in("bob");
    bob.activate();
    bob.connects();
    await_logins(&system, 1);
    system.endpoint_command(&json!({"kick": "all"}));
    await_logins(&system, 2);
    eventually("the tunnel is up again", SOON, || {
        system.has_traffic().then_some(())
    });
    let dialogs = [
        "--identifier=nm-aws-client-vpn-auth-dialog",
        "--output=json",
    ];
    let dialogs = system.journal(dialogs);
    let of = |uid: &str| dialogs.matches(&format!("\"_UID\":\"{uid}\"")).count();
    assert!(of("1001") > 0 && of("1000") == 0, "{dialogs}");
    // Whoever sits there may end it.
    ada.activate();
    ada.check(["nmcli", "--wait", "300", "connection", "down", "vpn"]);
    await_end(&system);
}

/// The one who signed in has gone, and another sits at the computer.
#[test]
fn who_is_there_is_told_whom_a_lost_connection_waits_for() {
    let system = System::start();
    let ada = system.log_in("ada");
    ada.import("udp", 443);
    ada.connects();
    ada.log_out();
    system.client.check(["gpasswd", "--add", "bob", "netdev"]);
    let bob = system.log_in("bob");
    bob.activate();
    system.traffic_flows();
    system.endpoint_command(&json!({"kick": "all"}));
    eventually("it waits for ada", SOON, || {
        let status = bob.run(["aws-client-vpn", "status", "--json"]);
        let status: Value = serde_json::from_slice(&status.stdout).ok()?;
        let waits_for = &status["connections"][0]["waits_for"];
        (*waits_for == json!({"what": "person", "user": "ada"})).then_some(())
    });
    let status = bob.run(["aws-client-vpn", "status"]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let words = "Waiting for ada, who signed in, to be at the computer";
    assert!(status.contains(words), "{status}");
    // What that advises begins so.
    bob.check(["aws-client-vpn", "disconnect", "vpn"]);
    await_end(&system);
}
