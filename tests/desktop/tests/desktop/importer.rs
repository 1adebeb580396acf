//! The importer: opened as a double click on a profile opens it, up to a connection that is up.

use crate::settings::{OURS, shows};
use crate::{Steps, assert_nothing_left, await_agent, await_end, lab, reason};
use aws_client_vpn_desktop::{Appearance, Desktop, Role};
use aws_client_vpn_harness::{Options, Process};

/// By which it is known to AT-SPI.
pub(crate) const PROGRAM: &str = "aws-client-vpn-importer";

#[test]
fn a_profile_is_opened_added_and_connected() {
    let steps = Steps::begin();
    let lab = lab(Options::default());
    let desktop = Desktop::gnome(&lab.client, Appearance::Light);
    await_agent(&lab, "org.gnome.Shell.NetworkAgent");
    let before = lab.snapshot();
    install_for_user(&desktop);
    let opened = open(&desktop);
    let program = desktop.program(PROGRAM);
    let cancel = program.wait(Role::Button, "Cancel");
    desktop.await_window_of(&program, &cancel);
    desktop.click(&cancel);
    drop(opened);
    assert_nothing_left(&lab, &before);
    assert!(
        !lab.setting("client-udp-443", "connection.id")
            .contains("client")
    );
    steps.done("cancelled");

    let launched = open(&desktop);
    let program = desktop.program(PROGRAM);
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
    program.wait(Role::Label, "The connection was disconnected.");
    desktop.screenshot("importer-off-light");
    desktop.click(&program.wait(Role::Button, "Done"));
    drop(launched);
    assert_nothing_left(&lab, &before);
    steps.done("disconnected");
}

/// Has the desktop know what opens profiles, as the package's triggers do for all users.
pub(crate) fn install_for_user(desktop: &Desktop<'_>) {
    let script = "set -e; here=$HOME/.local/share; id=org.freedesktop.NetworkManager.AwsClientVpn; \
                  mkdir -p $here/applications $here/mime/packages; \
                  cp /usr/share/applications/$id.desktop $here/applications; \
                  cp /usr/share/mime/packages/$id.xml $here/mime/packages; \
                  update-desktop-database $here/applications; update-mime-database $here/mime";
    let done = desktop.command("sh").args(["-c", script]).status();
    assert!(done.is_ok_and(|status| status.success()), "not installed");
}

/// A double click on the profile.
pub(crate) fn open(desktop: &Desktop<'_>) -> Process {
    // By its whole path: the lab has a browser of that name.
    let profile = "/run/lab/profiles/client-udp-443.ovpn";
    desktop.start("/usr/bin/gio", &["open", profile])
}
