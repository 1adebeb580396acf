//! GNOME Settings: import, editor.

use crate::{SOON, Steps, lab};
use aws_client_vpn_desktop::{Appearance, ConnectionEditor, Desktop, NetworkSettings};
use aws_client_vpn_harness::{Lab, Options, eventually};
use std::fs;

/// What NetworkManager calls our type of VPN, and OpenVPN's.
pub(crate) const OURS: &str = "org.freedesktop.NetworkManager.aws-client-vpn";
pub(crate) const OPENVPN: &str = "org.freedesktop.NetworkManager.openvpn";

#[test]
fn gnome_settings_imports_edits_and_saves() {
    let steps = Steps::begin();
    let lab = lab(Options::default());
    write_foreign_profile(&lab);
    let desktop = Desktop::gnome(&lab.client, Appearance::Light);
    let mut settings = NetworkSettings::open(&desktop);
    steps.done("GNOME Settings is open");

    settings
        .import("/run/lab/profiles/client-udp-443.ovpn")
        .cancel();
    assert_eq!(lab.setting("client-udp-443", "connection.id"), "");
    steps.done("cancelled an import");

    let editor = settings.import("/run/lab/profiles/client-udp-443.ovpn");
    assert_eq!(editor.text("Name"), "client-udp-443");
    assert_eq!(editor.text("Port"), "443");
    desktop.screenshot("settings-import-light");
    editor.save();
    shows(&lab, "client-udp-443", "vpn.service-type", OURS);
    steps.done("imported an AWS profile");

    let foreign = settings.import("/run/lab/foreign.ovpn");
    foreign.save();
    shows(&lab, "foreign", "vpn.service-type", OPENVPN);
    steps.done("left another profile to NetworkManager-openvpn");

    edits_and_saves(&lab, &desktop, &steps, "settings-editor", || {
        settings.edit("client-udp-443")
    });
    assert!(settings.is_running());
}

/// Edits the imported connection in the editors that `open` opens: Cancel changes nothing, what is
/// wrong cannot be saved, and of what is saved only that is changed which was edited. Pictures are
/// called after `host`.
#[track_caller]
pub(crate) fn edits_and_saves<'desktop, 'world: 'desktop>(
    lab: &Lab,
    desktop: &Desktop<'_>,
    steps: &Steps,
    host: &str,
    open: impl Fn() -> ConnectionEditor<'desktop, 'world>,
) {
    let name = "client-udp-443";
    // A newer version, or an administrator, may have put something there.
    let unknown = ["+vpn.data", "of-a-later-version=kept"];
    let modify = ["nmcli", "connection", "modify", name];
    lab.client.check(modify.iter().chain(&unknown));
    let editor = open();
    editor.type_into("Port", "1195");
    editor.cancel();
    assert!(!lab.setting(name, "vpn.data").contains("1195"));
    steps.done("cancelled an edit");

    let editor = open();
    editor.type_into("Port", "70000");
    editor.await_can_save(false);
    desktop.screenshot(&format!("{host}-wrong-light"));
    editor.type_into("Port", "1194");
    editor.await_can_save(true);
    desktop.screenshot(&format!("{host}-light"));
    editor.save();
    shows(lab, name, "vpn.data", "1194");
    let data = lab.setting(name, "vpn.data");
    assert!(data.contains("of-a-later-version = kept"), "{data}");
    steps.done("edited and saved");
}

/// Waits until nmcli shows `text` in a setting of a connection.
#[track_caller]
pub(crate) fn shows(lab: &Lab, connection: &str, name: &str, text: &str) {
    eventually("nmcli shows the change", SOON, || {
        lab.setting(connection, name).contains(text).then_some(())
    });
}

/// A profile of an OpenVPN server that has nothing to do with AWS.
pub(crate) fn write_foreign_profile(lab: &Lab) {
    let authority = fs::read_to_string(lab.dir().join("profiles/authority.pem"));
    let text = format!(
        "client\ndev tun\nproto udp\nremote vpn.example.org 1194\nauth-user-pass\n<ca>\n{}</ca>\n",
        authority.expect("the endpoint writes its authority")
    );
    fs::write(lab.dir().join("foreign.ovpn"), text).expect("the lab is writable");
}
