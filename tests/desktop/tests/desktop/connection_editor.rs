//! nm-connection-editor: import, editor.

use crate::settings::{OPENVPN, OURS, edits_and_saves, shows, write_foreign_profile};
use crate::{Steps, lab};
use aws_client_vpn_desktop::{Accessible, Appearance, ConnectionEditor, Desktop, Role};
use aws_client_vpn_harness::Options;

#[test]
fn nm_connection_editor_imports_edits_and_saves() {
    let steps = Steps::begin();
    let lab = lab(Options::default());
    write_foreign_profile(&lab);
    let desktop = Desktop::gnome(&lab.client, Appearance::Light);
    let mut list = desktop.start("nm-connection-editor", &[]);
    let program = desktop.program("nm-connection-editor");
    steps.done("nm-connection-editor is open");

    let editor = import(
        &desktop,
        &program,
        "client-udp-443",
        "/run/lab/profiles/client-udp-443.ovpn",
    );
    assert_eq!(editor.text("Port"), "443");
    desktop.screenshot("connection-editor-import-light");
    editor.save();
    shows(&lab, "client-udp-443", "vpn.service-type", OURS);
    steps.done("imported an AWS profile");

    import(&desktop, &program, "foreign", "/run/lab/foreign.ovpn").save();
    shows(&lab, "foreign", "vpn.service-type", OPENVPN);
    steps.done("left another profile to NetworkManager-openvpn");

    let uuid = lab.setting("client-udp-443", "connection.uuid");
    edits_and_saves(&lab, &desktop, &steps, "connection-editor", || {
        let _opener = desktop.start("nm-connection-editor", &["--edit", &uuid]);
        editor_of(&desktop, &program, "client-udp-443")
    });
    assert!(list.is_running(), "nm-connection-editor has crashed");
}

/// Adds a VPN from a file, up to its editor.
#[track_caller]
fn import<'desktop, 'world>(
    desktop: &'desktop Desktop<'world>,
    program: &Accessible,
    name: &str,
    file: &str,
) -> ConnectionEditor<'desktop, 'world> {
    // The running program shows it.
    let _opener = desktop.start("nm-connection-editor", &["--create", "--type=vpn"]);
    let create = program.wait(Role::Button, "Create…");
    let kinds = program.wait_for("the list of kinds", |node| {
        node.is(Role::ComboBox) && node.is_showing()
    });
    // The window has no title to wait for, so no place for the mouse yet.
    kinds.press();
    let from_file = program.wait(Role::MenuItem, "Import a saved VPN configuration…");
    desktop.click(&from_file);
    create.wait_until("the list is closed", |_| !from_file.is_showing());
    desktop.click(&create);
    desktop.choose_file(program, "Select file to import", file);
    editor_of(desktop, program, name)
}

#[track_caller]
fn editor_of<'desktop, 'world>(
    desktop: &'desktop Desktop<'world>,
    program: &Accessible,
    name: &str,
) -> ConnectionEditor<'desktop, 'world> {
    let title = format!("Editing {name}");
    let window = program.wait_for(&title, |node| node.name() == title && node.is_showing());
    desktop.await_window(&title);
    ConnectionEditor::new(desktop, window, "Save")
}
