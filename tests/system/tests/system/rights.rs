//! What polkit lets users do, what the product tells them of it, and that its remedies help.

use crate::{await_end, await_logins};
use aws_client_vpn_harness::eventually;
use aws_client_vpn_system::{SOON, System};
use std::net::IpAddr;

const RULE: &str = include_str!("../../../../docs/50-aws-client-vpn.rules");

/// What a user who sits elsewhere is refused, told, and can have.
#[test]
fn over_ssh_polkit_decides() {
    let system = System::start();
    let ada = system.log_in_at_console("ada");
    ada.import("udp", 443);
    let import = "aws-client-vpn import vpn.ovpn --name own";
    for (line, refusal) in [
        ("nmcli connection up vpn", "Not authorized"),
        (import, "(polkit)"),
        (
            "nmcli connection import type aws-client-vpn file vpn.ovpn",
            "Insufficient privileges",
        ),
    ] {
        let refused = system.over_ssh("ada", line);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(text.contains(refusal), "{text}");
    }
    let doctor = system.over_ssh("ada", "aws-client-vpn doctor");
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(text.contains("PROBLEM  rights"), "{text}");
    let mut agent = system.terminal_over_ssh("ada", "nm-aws-client-vpn-agent");
    agent.expect("install the polkit rule", SOON);
    agent.interrupt();
    drop(agent);

    with_sudo_the_caller_signs_in(&system);

    let install = "groupadd --system vpn; gpasswd --add ada vpn; \
                   printf '%s' \"$1\" >/etc/polkit-1/rules.d/50-aws-client-vpn.rules";
    system.client.check(["sh", "-ec", install, "sh", RULE]);
    eventually("polkit has read the rule", SOON, || {
        let permissions = "nmcli --terse general permissions";
        let permissions = system.over_ssh("ada", permissions).stdout;
        String::from_utf8_lossy(&permissions)
            .contains("network-control:yes")
            .then_some(())
    });
    // A connection of the user's own, but none of all users.
    let imported = system.over_ssh("ada", import);
    assert!(imported.status.success(), "{imported:?}");
    for line in [
        "aws-client-vpn import vpn.ovpn --name shared --all-users",
        "nmcli connection import type aws-client-vpn file vpn.ovpn",
    ] {
        let refused = system.over_ssh("ada", line);
        assert!(!refused.status.success(), "{line}: {refused:?}");
    }
    let removed = system.over_ssh("ada", "aws-client-vpn remove own");
    assert!(removed.status.success(), "{removed:?}");
    let mut agent = system.terminal_over_ssh("ada", "nm-aws-client-vpn-agent");
    agent.expect("Waiting for connections", SOON);
    let up = system.begin_over_ssh("ada", "nmcli --wait 300 connection up vpn");
    agent.expect("Waiting for the sign-in", SOON);
    let shown = agent.shown();
    ada_signs_in(&system, &shown);
    let up = up.finish();
    assert!(up.success, "{}\n{shown}\n{}", up.text, system.story());
    system.traffic_flows();
    assert!(!agent.shown().contains("polkit"), "{}", agent.shown());
}

/// As root, `connect` takes the answer that ssh passes on for its caller, and no other user's.
fn with_sudo_the_caller_signs_in(system: &System) {
    let may = "echo 'ada ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ada";
    system.client.check(["sh", "-ec", may]);
    let mut terminal = system.terminal_over_ssh("ada", "sudo aws-client-vpn connect vpn");
    terminal.expect("Waiting for the sign-in", SOON);
    let shown = terminal.shown();
    let forward = shown.split("ssh -L 35001:127.0.0.1:35001 ada@").nth(1);
    let address = forward.and_then(|it| it.split_whitespace().next()?.parse().ok());
    assert!(
        address.is_some_and(|it: IpAddr| it.is_loopback()),
        "{shown}"
    );
    let mut stranger = system.as_user("bob", "curl");
    stranger.args([
        "--silent",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code}",
    ]);
    stranger.args(["--data", "SAMLResponse=x", "http://127.0.0.1:35001/"]);
    let told = stranger.output().expect("nsenter can be run").stdout;
    assert_eq!(String::from_utf8_lossy(&told), "403");
    ada_signs_in(system, &shown);
    let end = terminal.finish();
    assert!(end.success, "{}\n{}", end.text, system.story());
    assert!(!end.text.contains("No web browser"), "{}", end.text);
    system.traffic_flows();
    let down = ["nmcli", "--wait", "300", "connection", "down", "vpn"];
    system.client.check(down);
    await_end(system);
}

/// Opens the link that is `shown`. At the user's other computer, ssh passes the port on; here it is the
/// same one.
#[track_caller]
fn ada_signs_in(system: &System, shown: &str) {
    let mut words = shown.split_whitespace();
    let link = words.find(|word| word.starts_with("https://"));
    let link = link.expect("the link is shown");
    let mut browser = system.as_user("ada", "/run/lab/bin/xdg-open");
    let done = browser.arg(link).status();
    assert!(done.is_ok_and(|status| status.success()));
}

/// Debian gives to the group netdev, and to administrators, what others need a password for.
#[test]
fn a_user_without_rights_is_told_and_connects_with_a_connection_of_their_own() {
    let system = System::start();
    let make = |name: &str, more: &str| {
        let profile = system.profile("udp", 443);
        let script = format!(
            "cd /etc/NetworkManager/system-connections && \
             aws-client-vpn-provision make {profile} --name {name} {more} && \
             nmcli connection reload"
        );
        system.client.check(["sh", "-ec", &script]);
    };
    make("shared", "");
    let bob = system.log_in("bob");
    let doctor = bob.run(["aws-client-vpn", "doctor"]);
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let told = "asks for an administrator's password before each sign-in of 'shared'";
    assert!(text.contains(told), "{text}");

    system
        .client
        .check(["nmcli", "--wait", "300", "connection", "delete", "shared"]);
    make("vpn", "--user bob");
    bob.connects();
    await_logins(&system, 1);
    let doctor = bob.run(["aws-client-vpn", "doctor"]);
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(!text.contains("administrator"), "{text}");
    // Nobody else sees it.
    let ada = system.log_in_at_console("ada");
    let names = ada.check(["nmcli", "-g", "NAME", "connection", "show"]);
    assert!(!names.lines().any(|name| name == "vpn"), "{names}");
    assert_eq!(system.warnings(), [""; 0]);
}
