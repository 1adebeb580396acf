//! The importer: opened by its desktop file with a profile, up to a connection that is up.

use crate::settings::{OURS, shows};
use crate::{Steps, assert_nothing_left, await_agent, await_end, lab, reason};
use aws_client_vpn_desktop::{Appearance, Desktop, Role};
use aws_client_vpn_harness::Options;

pub(crate) const DESKTOP_FILE: &str =
    "/usr/share/applications/org.freedesktop.NetworkManager.AwsClientVpn.desktop";
pub(crate) const PROFILE: &str = "/run/lab/profiles/client-udp-443.ovpn";

#[test]
fn a_profile_is_opened_added_and_connected() {
    let steps = Steps::begin();
    let lab = lab(Options::default());
    let desktop = Desktop::gnome(&lab.client, Appearance::Light);
    await_agent(&lab, "org.gnome.Shell.NetworkAgent");
    let before = lab.snapshot();
    // By its whole path: the lab has a browser of that name.
    let launched = desktop.start("/usr/bin/gio", &["launch", DESKTOP_FILE, PROFILE]);
    let program = desktop.program("aws-client-vpn-importer");
    let add = program.wait(Role::Button, "Add");
    desktop.await_window_of(&program, &add);
    desktop.screenshot("importer-profile-light");
    steps.done("the importer shows the profile");

    desktop.click(&add);
    let connect = program.wait(Role::Button, "Connect Now");
    shows(&lab, "client-udp-443", "vpn.service-type", OURS);
    desktop.screenshot("importer-added-light");
    desktop.click(&connect);
    let disconnect = program.wait(Role::Button, "Disconnect");
    lab.traffic_flows();
    desktop.screenshot("importer-connected-light");
    steps.done("added and connected");

    desktop.await_window_of(&program, &disconnect);
    desktop.click(&disconnect);
    assert_eq!(await_end(&lab).reason, reason::USER_DISCONNECTED);
    program.wait(Role::Button, "Try Again");
    desktop.click(&program.wait(Role::Button, "Done"));
    drop(launched);
    assert_nothing_left(&lab, &before);
    steps.done("disconnected");
}
