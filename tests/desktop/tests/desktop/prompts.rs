//! Questions of the auth dialog, and the keyring.

use crate::{SOON, Steps, assert_nothing_left, await_agent, await_end, lab, reason};
use aws_client_vpn_desktop::{Appearance, Desktop, Role};
use aws_client_vpn_harness::{EndpointOptions, Options};

/// The window's program.
pub(crate) const WINDOW: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Login";

#[test]
fn a_password_is_asked_for_once_and_kept_in_the_keyring() {
    let steps = Steps::begin();
    let lab = lab(Options {
        endpoint: Some(EndpointOptions(vec!["--sign-in=password".to_owned()])),
        ..Options::default()
    });
    lab.import("udp", 443);
    let desktop = Desktop::gnome(&lab.client, Appearance::Light);
    let _keyring = desktop.unlock_keyring();
    await_agent(&lab, "org.gnome.Shell.NetworkAgent");
    let before = lab.snapshot();
    steps.done("gnome-shell and the keyring are there");

    let up = lab.begin_up();
    let window = desktop.program(WINDOW).wait(Role::Frame, "Sign In");
    desktop.await_window("Sign In");
    desktop.click(&window.wait(Role::Button, "Cancel"));
    assert!(!up.finish().success);
    assert_eq!(await_end(&lab).reason, reason::NO_SECRETS);
    assert_nothing_left(&lab, &before);
    steps.done("cancelled");

    let up = lab.begin_up();
    let window = desktop.program(WINDOW).wait(Role::Frame, "Sign In");
    desktop.await_window("Sign In");
    desktop.type_text("ada@example.com");
    desktop.key("Tab");
    desktop.type_text("correct horse");
    window.wait_until("Connect can be pressed", |window| {
        let connect = window.find(Role::Button, "Connect");
        connect.is_some_and(|connect| connect.is_sensitive())
    });
    desktop.screenshot("password-window-light");
    desktop.key("Return");
    let up = up.finish();
    assert!(up.success, "{}\n{}", up.text, lab.journal());
    lab.traffic_flows();
    assert!(lab.down().status.success());
    assert_nothing_left(&lab, &before);
    steps.done("up with what was typed");

    let up = lab.up();
    assert!(up.success, "{}\n{}", up.text, lab.journal());
    assert!(up.elapsed < SOON, "nobody was asked");
    assert!(lab.down().status.success());
    assert_nothing_left(&lab, &before);
    steps.done("up with what the keyring holds");
}
