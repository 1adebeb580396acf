//! End-to-end tests: the product as it is installed, under the real NetworkManager, against the
//! emulated AWS endpoint. Each has machines of its own (see the harness) and ends with a look at
//! what is left on them: nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attackers;
mod cli;
mod clock;
mod command;
mod documented;
mod down;
mod earlier_versions;
mod enforced;
mod faults;
mod hooks;
mod interruptions;
mod kill_switch;
mod killed;
mod logins;
mod lying_dns;
mod manuals;
mod names;
mod network;
mod other_providers;
mod own_agent;
mod privileges;
mod proxies;
mod refusals;
mod secrets;
mod seldom;
mod several;
mod sign_ins;
mod sign_ins_at_a_terminal;
mod sleep;
mod soak;
mod starving;
mod systems;
mod tokens;
mod unverified;
mod while_lost;
mod workday;

use aws_client_vpn_harness::{EndpointOptions, Lab, Options, Snapshot, Up, VpnState};
use std::time::Duration;

/// How long a step may take on a busy machine that takes milliseconds on an idle one.
const SOON: Duration = Duration::from_secs(120);

/// `NMVpnConnectionState`
mod state {
    pub(crate) const NEED_AUTH: u32 = 2;
    pub(crate) const ACTIVATED: u32 = 5;
    pub(crate) const FAILED: u32 = 6;
    pub(crate) const DISCONNECTED: u32 = 7;
}

/// `NMActiveConnectionStateReason`
mod reason {
    pub(crate) const UNKNOWN: u32 = 0;
    pub(crate) const USER_DISCONNECTED: u32 = 2;
    pub(crate) const SERVICE_STOPPED: u32 = 4;
    pub(crate) const IP_CONFIG_INVALID: u32 = 5;
    pub(crate) const SERVICE_START_FAILED: u32 = 8;
    pub(crate) const NO_SECRETS: u32 = 9;
    pub(crate) const LOGIN_FAILED: u32 = 10;
}

/// A lab whose connection `vpn` is the endpoint's profile for UDP.
fn lab(options: &Options) -> (Lab, Snapshot) {
    lab_with("udp", options)
}

fn lab_with(transport: &str, options: &Options) -> (Lab, Snapshot) {
    let lab = Lab::start(options);
    lab.import(transport, if transport == "tcp" { 1194 } else { 443 });
    let before = lab.snapshot();
    (lab, before)
}

/// Options with flags for the endpoint.
fn endpoint(flags: &[&str]) -> Options {
    let flags = flags.iter().map(ToString::to_string).collect();
    Options {
        endpoint: Some(EndpointOptions(flags)),
        ..Options::default()
    }
}

/// What the service of the one connection is called on the bus.
#[track_caller]
fn service_s_name(lab: &Lab) -> String {
    let names = lab.client.check([
        "dbus-send",
        "--system",
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus.ListNames",
    ]);
    let of_services = |name: &&str| name.contains("aws-client-vpn.Connection_");
    let name = names.split('"').find(of_services);
    name.expect("the service has its name").to_owned()
}

/// The connection is up, and packets flow.
#[track_caller]
fn assert_up(lab: &Lab, up: &Up) {
    assert!(
        up.success,
        "{}\n{:?}\n{}",
        up.text,
        lab.browser_events(),
        lab.journal()
    );
    lab.traffic_flows();
}

/// The connection failed for `reason`, the service told the user in words that hold `words`, and
/// nothing is left.
#[track_caller]
fn assert_failed(lab: &Lab, up: &Up, expected: u32, words: &[&str], before: &Snapshot) {
    assert!(!up.success, "the connection is up: {}", up.text);
    let end = lab.vpn_ended(SOON);
    assert_eq!(
        end,
        VpnState {
            state: state::FAILED,
            reason: expected
        },
        "{}",
        lab.journal()
    );
    assert_warning(lab, words);
    lab.assert_clean(before);
    // Nothing that NetworkManager says later hides the reason.
    assert_eq!(
        lab.vpn_states().last(),
        Some(&end),
        "{:?}",
        lab.vpn_states()
    );
}

/// The service told of one problem, in words that hold `words`.
#[track_caller]
fn assert_warning(lab: &Lab, words: &[&str]) {
    let warnings = lab.warnings();
    assert_eq!(
        warnings.len(),
        1,
        "one warning: {warnings:#?}\n{}",
        lab.journal()
    );
    for word in words {
        assert!(
            warnings[0].contains(word),
            "{word:?} is not in {:?}",
            warnings[0]
        );
    }
}

/// Takes the connection down and looks for what is left.
#[track_caller]
fn take_down(lab: &Lab, before: &Snapshot) {
    let down = lab.down();
    assert!(
        down.status.success(),
        "{}",
        String::from_utf8_lossy(&down.stderr)
    );
    let end = lab.vpn_ended(SOON);
    let by_user = VpnState {
        state: state::DISCONNECTED,
        reason: reason::USER_DISCONNECTED,
    };
    assert_eq!(end, by_user);
    lab.assert_clean(before);
}
