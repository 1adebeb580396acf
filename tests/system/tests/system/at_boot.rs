//! Connections that need nobody, kept up by a systemd unit: what docs/headless.md says.

use crate::await_end;
use aws_client_vpn_harness::{EndpointOptions, eventually};
use aws_client_vpn_system::{SOON, System};
use serde_json::json;

const UNIT: &str = include_str!("../../../../docs/aws-client-vpn@.service");
const SERVICE: &str = "aws-client-vpn@work.service";

/// A system with the endpoint's profile as the connection `work` of all users, and the unit.
fn prepared(sign_in: &str) -> System {
    let endpoint = EndpointOptions(vec![format!("--sign-in={sign_in}")]);
    let system = System::start_with(&endpoint);
    let profile = system.profile("udp", 443);
    let import = ["aws-client-vpn", "import", "--all-users", "--name=work"];
    system.client.check(import.iter().chain(&[&*profile]));
    let unit = "printf '%s' \"$1\" >/etc/systemd/system/aws-client-vpn@.service; \
                systemctl daemon-reload";
    system.client.check(["sh", "-ec", unit, "sh", UNIT]);
    system
}

/// The unit starts, and is started as soon as the connection is up.
#[track_caller]
fn starts(system: &System) {
    system
        .client
        .check(["systemctl", "enable", "--now", SERVICE]);
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
    // Everything in the system restarts, but its kernel.
    let boot = |system: &System| {
        let started = [
            "systemctl",
            "show",
            "--property=UserspaceTimestampMonotonic",
        ];
        system.client.run(started).stdout
    };
    let before = boot(&system);
    // It may be ended before it has heard that all others are to be.
    system.client.run(["systemctl", "soft-reboot"]);
    eventually("the system has restarted", SOON, || {
        let now = boot(&system);
        (!now.is_empty() && now != before).then_some(())
    });
    eventually("the connection is up after the boot", SOON, || {
        let unit = system.client.run(["systemctl", "is-active", SERVICE]);
        (unit.status.success() && system.has_traffic()).then_some(())
    });
}

#[test]
fn a_password_that_root_keeps_connects_at_boot_and_a_refusal_is_not_repeated() {
    let system = prepared("password");
    let modify = |property: &str, value: &str| {
        let line = ["nmcli", "connection", "modify", "work", property, value];
        system.client.check(line);
    };
    modify("+vpn.data", "password-flags=0");
    modify("+vpn.data", "username=ada@example.com");
    modify("vpn.secrets", "password=correct horse");
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
