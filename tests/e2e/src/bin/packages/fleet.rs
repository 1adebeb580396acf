//! A connection for all users of a machine, out of a profile: made into a package, installed, used,
//! replaced by a newer release without losing what a user has set, and removed.

use crate::deb::apt;
use crate::{connects, goes_down, lab, packages, step};
use aws_client_vpn_harness::Lab;
use std::path::Path;
use std::time::Duration;

pub(crate) fn life_of_a_provisioned_connection(suite: &str, system: &Path) {
    let lab = lab(system);
    apt(
        &lab,
        &["install"],
        &packages("network-manager-aws-client-vpn_"),
    );

    install_release(&lab, "udp-443", "1");
    let file = "/usr/lib/NetworkManager/system-connections/vpn.nmconnection";
    let mode = lab.client.check(["stat", "--format=%a %U", file]);
    assert_eq!(mode.trim(), "600 root");
    connects(&lab);
    goes_down(&lab);
    step(
        suite,
        "a package made from a profile brings a connection, which connects",
    );

    // No copy yet: the next release is just there.
    install_release(&lab, "tcp-1194", "2");
    let data = connection_data(&lab);
    assert!(data.contains("1194 tcp"), "{data}");

    // NetworkManager keeps a user's change in a copy, which would hide the next release.
    lab.modify("+vpn.data", "login-timeout=90");
    lab.modify("ipv4.never-default", "yes");
    install_release(&lab, "udp-443", "3");
    let after = connection_data(&lab);
    assert!(
        after.contains("443 udp"),
        "the copy has the old profile: {after}"
    );
    assert!(
        after.contains("login-timeout = 90"),
        "the user's choice is lost: {after}"
    );
    let kept = lab.client.check([
        "nmcli",
        "-g",
        "ipv4.never-default",
        "connection",
        "show",
        "vpn",
    ]);
    assert_eq!(kept.trim(), "yes");
    connects(&lab);
    goes_down(&lab);
    step(
        suite,
        "a newer release reaches a copy that a user has changed, and the changes stay",
    );

    let has_connection = || {
        let names = lab
            .client
            .check(["nmcli", "-g", "NAME", "connection", "show"]);
        names.lines().any(|name| name == "vpn")
    };
    lab.client.check(["nmcli", "connection", "delete", "vpn"]);
    let told = install_release(&lab, "udp-443", "4");
    assert!(!has_connection());
    let way_back = told.split_once("To bring it back: ");
    let (_, way_back) = way_back.expect("the installation says what hides the connection");
    lab.client
        .check(["sh", "-c", way_back.lines().next().unwrap_or_default()]);
    assert!(has_connection());
    step(
        suite,
        "what a user has deleted stays hidden, until the way that is told is gone",
    );

    lab.client.check(["nmcli", "connection", "delete", "vpn"]);
    lab.client
        .check(["dpkg", "--purge", "aws-client-vpn-profile-vpn"]);
    assert!(!has_connection());
    step(suite, "and it can be removed");
}

/// Makes the package of `profile` on the client, as an administrator does, and installs it; returns what that said.
fn install_release(lab: &Lab, profile: &str, release: &str) -> String {
    let package = made(lab, profile, "deb", release);
    lab.client.check(["dpkg", "--install", &package])
}

/// The package of `profile` that the tool has made on the client.
pub(crate) fn made(lab: &Lab, profile: &str, format: &str, release: &str) -> String {
    let ready = lab.endpoint_events().wait("ready", Duration::ZERO);
    let file = ready["profiles"][profile].as_str();
    let file = file.expect("the endpoint has such a profile");
    let made = lab.client.check([
        "aws-client-vpn-provision",
        "make",
        file,
        "--name=vpn",
        "--format",
        format,
        "--output=/tmp",
        "--package-version",
        release,
    ]);
    made.trim().to_owned()
}

/// What the plugin keeps in the connection.
pub(crate) fn connection_data(lab: &Lab) -> String {
    lab.client
        .check(["nmcli", "-g", "vpn.data", "connection", "show", "vpn"])
}
