//! What everything looks like in dark colours; the other tests take the pictures in light ones. And
//! the editor for README.md, in both; the login there is of the importer's test (`docs/development.md`).

use crate::prompts::WINDOW;
use crate::{Steps, await_agent, importer, lab};
use aws_client_vpn_desktop::{Appearance, Desktop, NetworkSettings, Role};
use aws_client_vpn_harness::{EndpointOptions, Options};

/// Where GNOME Settings is on the screen.
const SETTINGS: &str = "1000x664+138+64";

/// The editor, as README.md shows it.
fn takes_the_picture_of_the_documents(appearance: Appearance, name: &str) {
    let lab = lab(Options::default());
    lab.import_as("Example Corp", "udp", 443, "");
    let desktop = Desktop::gnome(&lab.client, appearance);
    let settings = NetworkSettings::open(&desktop);
    let editor = settings.edit("Example Corp");
    assert_eq!(editor.text("Port"), "443");
    desktop.screenshot_of(SETTINGS, name);
    settings.close();
}

#[test]
fn the_documents_show_the_editor_in_light_colours() {
    takes_the_picture_of_the_documents(Appearance::Light, "documents-editor-light");
}

#[test]
fn the_documents_show_the_editor_in_dark_colours() {
    takes_the_picture_of_the_documents(Appearance::Dark, "documents-editor-dark");
}

#[test]
fn everything_shows_in_dark_colours() {
    let steps = Steps::begin();
    let lab = lab(Options {
        endpoint: Some(EndpointOptions(vec!["--sign-in=password".to_owned()])),
        ..Options::default()
    });
    lab.import("udp", 443);
    let desktop = Desktop::gnome(&lab.client, Appearance::Dark);
    await_agent(&lab, "org.gnome.Shell.NetworkAgent");

    let up = lab.begin_up();
    let window = desktop.program(WINDOW).wait(Role::Frame, "Sign In");
    desktop.await_window("Sign In");
    desktop.screenshot("password-window-dark");
    desktop.click(&window.wait(Role::Button, "Cancel"));
    assert!(!up.finish().success);
    steps.done("the window that asks");

    let settings = NetworkSettings::open(&desktop);
    let editor = settings.edit("vpn");
    assert_eq!(editor.text("Port"), "443");
    desktop.screenshot("settings-editor-dark");
    settings.close();
    steps.done("the editor in GNOME Settings");

    let uuid = lab.setting("vpn", "connection.uuid");
    // GTK 3 knows no preference of users.
    let dark = "GTK_THEME=Adwaita:dark";
    let mut editor = desktop.start("env", &[dark, "nm-connection-editor", "--edit", &uuid]);
    let program = desktop.program("nm-connection-editor");
    program.wait(Role::Button, "Save");
    desktop.await_window("Editing vpn");
    desktop.screenshot("connection-editor-dark");
    editor.kill();
    steps.done("the editor in nm-connection-editor");

    importer::install_for_user(&desktop);
    let _opened = importer::open(&desktop);
    let program = desktop.program(importer::PROGRAM);
    // The endpoint is set up already.
    let update = program.wait(Role::Button, "Update");
    desktop.await_window_of(&program, &update);
    desktop.screenshot("importer-profile-dark");
    steps.done("the importer");
}
