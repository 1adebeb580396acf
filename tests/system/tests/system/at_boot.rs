//! Connections that need nobody, kept up by a systemd unit: what docs/headless.md says.

use crate::await_end;
use aws_client_vpn_harness::{EndpointOptions, eventually};
use aws_client_vpn_system::{SOON, System};
use serde_json::json;
use std::fs;

const PAGE: &str = include_str!("../../../../docs/headless.md");
/// A name with what systemd escapes in a unit's.
const NAME: &str = "work-vpn 2";
const SERVICE: &str = r"aws-client-vpn@work\x2dvpn\x202.service";

/// Runs the page's line that begins like this, for the connection `NAME`.
#[track_caller]
fn as_the_page_says(system: &System, begin: &str) {
    let mut lines = PAGE.lines().filter_map(|line| line.strip_prefix("    "));
    let line = lines.find(|line| line.starts_with(begin));
    let line = line.expect("the page has such a line");
    let line = line.replace(" work)", &format!(" '{NAME}')"));
    system.client.check(["sh", "-ec", &line]);
}

/// A system with the endpoint's profile as a connection of all users, and the unit.
fn prepared(sign_in: &str) -> System {
    let endpoint = EndpointOptions(vec![format!("--sign-in={sign_in}")]);
    let system = System::start_with(&endpoint);
    let profile = system.profile("udp", 443);
    let import = ["aws-client-vpn", "import", "--all-users", "--name", NAME];
    system.client.check(import.iter().chain(&[&*profile]));
    as_the_page_says(&system, "cp ");
    system
}

/// The unit starts, and is started as soon as the connection is up.
#[track_caller]
fn starts(system: &System) {
    as_the_page_says(system, "systemctl enable ");
    system.traffic_flows();
}

#[test]
fn a_certificate_connects_at_boot_and_is_kept_up() {
    let system = prepared("certificate");
    starts(&system);
    // The endpoint ends it and lets nobody in for a while: that is no end for good.
    system.endpoint_command(&json!({"set": {"deny": "not now"}}));
    system.endpoint_command(&json!({"kick": "all"}));
    system.journal_says(["--unit", SERVICE], "status=10/n/a");
    system.endpoint_command(&json!({"set": {"deny": ""}}));
    eventually("the connection is up again", SOON, || {
        system.has_traffic().then_some(())
    });
    // Everything in the system restarts, but its kernel. systemd stops and kills whatever still runs in
    // it, with a SIGSTOP that would be passed on to an nsenter that waits: so nothing is run there until
    // PID 1 has executed itself again, and this command is not waited for.
    let mut command = system.client.command("systemctl");
    let mut reboot = command.arg("soft-reboot").spawn().expect("nsenter");
    let pid_1 = format!("/proc/{}/cmdline", system.client.init());
    eventually("the system has restarted", SOON, || {
        let line = fs::read_to_string(&pid_1).unwrap_or_default();
        line.contains("--switched-root").then_some(())
    });
    drop(reboot.kill());
    reboot.wait().expect("it was started here");
    eventually("the connection is up after the boot", SOON, || {
        let unit = system.client.run(["systemctl", "is-active", SERVICE]);
        (unit.status.success() && system.has_traffic()).then_some(())
    });
}

#[test]
fn a_password_that_root_keeps_connects_at_boot_and_a_refusal_is_not_repeated() {
    let system = prepared("password");
    let modify = |property: &str, value: &str| {
        let line = ["nmcli", "connection", "modify", NAME, property, value];
        system.client.check(line);
    };
    modify("+vpn.data", "password-flags=0");
    modify("+vpn.data", "username=ada@example.com");
    // As the page says, so that no other secret is lost.
    let store = "printf '[vpn-secrets]\npassword=%s\n' 'correct horse' >>\"$1\"; \
                 nmcli connection reload";
    let file = format!("/etc/NetworkManager/system-connections/{NAME}.nmconnection");
    system.client.check(["sh", "-ec", store, "sh", &file]);
    starts(&system);
    system.client.check(["systemctl", "stop", SERVICE]);
    await_end(&system);

    // It would be asked for again, of nobody.
    modify("vpn.secrets", "password=wrong horse");
    let start = system.client.run(["systemctl", "start", SERVICE]);
    assert!(!start.status.success());
    let show = [
        "systemctl",
        "show",
        "--property=ExecMainStatus,SubState",
        SERVICE,
    ];
    let shown = system.client.check(show);
    assert!(
        shown.contains("ExecMainStatus=8") && shown.contains("SubState=failed"),
        "{shown}\n{}",
        system.story()
    );
}
