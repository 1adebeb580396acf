//! gnome-shell: its secret agent, its network menu, and the notification of a login.

use crate::{
    SOON, Steps, assert_nothing_left, await_agent, await_end, await_state, await_waiting_window,
    begin_notified_login, goes_up_and_down, lab, press_in, reason, state,
};
use aws_client_vpn_desktop::{Accessible, Appearance, Desktop, Role};
use aws_client_vpn_harness::{Browser, Lab, Options, Snapshot};

/// The name under which gnome-shell registers.
const AGENT: &str = "org.gnome.Shell.NetworkAgent";

#[test]
fn gnome_shell_connects_and_disconnects() {
    let steps = Steps::begin();
    let lab = lab(Options::default());
    lab.import("udp", 443);
    let desktop = Desktop::gnome_with_notifications(&lab.client, Appearance::Light);
    await_agent(&lab, AGENT);
    steps.done("gnome-shell serves as secret agent");
    let before = lab.snapshot();

    goes_up_and_down(&lab, &before);
    steps.done("up and down by nmcli");

    lab.set_browser(&Browser::Chromium);
    lab.forget_browser_events();
    let menu = NetworkMenu::open(&desktop);
    desktop.screenshot("shell-menu-off-light");
    menu.toggle();
    await_state(&lab, state::ACTIVATED);
    lab.traffic_flows();
    assert_eq!(lab.browser_did("done", SOON)["what"], "logged in");
    desktop.screenshot("shell-menu-on-light");
    steps.done("up by the network menu and Chromium");

    menu.toggle();
    assert_eq!(await_end(&lab).reason, reason::USER_DISCONNECTED);
    assert_nothing_left(&lab, &before);
    steps.done("down by the network menu");

    // Somebody who has closed the browser switches the connection off again.
    lab.set_browser(&Browser::Closed);
    menu.toggle();
    desktop
        .program("gnome-shell")
        .wait_for("the notification", |it| {
            it.name().starts_with("Sign in at ")
        });
    menu.toggle();
    assert_eq!(await_end(&lab).reason, reason::USER_DISCONNECTED);
    assert_nothing_left(&lab, &before);
    steps.done("cancelled by the network menu");

    desktop.key("Escape");
    the_notification_of_a_login(&lab, &desktop, &before, &steps);
}

/// What its buttons do.
fn the_notification_of_a_login(lab: &Lab, desktop: &Desktop<'_>, before: &Snapshot, steps: &Steps) {
    // Somebody types in another window, which keeps the keyboard.
    let uuid = lab.setting("vpn", "connection.uuid");
    let mut editor = desktop.start("nm-connection-editor", &["--edit", &uuid]);
    desktop.await_window("Editing vpn");
    let field = desktop
        .program("nm-connection-editor")
        .wait_for("the name", |node| node.text() == "vpn");
    desktop.click(&field);
    desktop.key("End");
    let (up, notification) = begin_notified_login(lab, desktop);
    desktop.screenshot("notification-light");
    desktop.type_text(" at work");
    field.wait_until("what is typed", |field| field.text() == "vpn at work");
    editor.kill();
    assert!(lab.down().status.success());
    assert!(!up.finish().success);
    notification.wait_until("the notification goes", |it| !it.is_showing());
    assert_nothing_left(lab, before);
    steps.done("the notification takes no keyboard, and goes with the login");

    let (up, notification) = begin_notified_login(lab, desktop);
    press_in(&notification, desktop, "Cancel");
    assert!(!up.finish().success);
    assert_eq!(await_end(lab).reason, reason::NO_SECRETS);
    notification.wait_until("the notification goes", |it| !it.is_showing());
    assert_nothing_left(lab, before);
    steps.done("cancelled in the notification");

    let (up, notification) = begin_notified_login(lab, desktop);
    press_in(&notification, desktop, "Copy Link");
    let window = await_waiting_window(desktop);
    desktop.await_window("Sign In");
    desktop.screenshot("login-window-light");
    notification.wait_until("the window is there for it", |it| !it.is_showing());
    desktop.click(&window.wait(Role::Button, "Cancel"));
    assert!(!up.finish().success);
    assert_nothing_left(lab, before);
    steps.done("a window for the link, cancelled there");

    let (up, notification) = begin_notified_login(lab, desktop);
    lab.set_browser(&Browser::Scripted);
    press_in(&notification, desktop, "Open Again");
    let up = up.finish();
    assert!(up.success, "{}\n{}", up.text, lab.journal());
    notification.wait_until("the notification goes", |it| !it.is_showing());
    assert!(lab.down().status.success());
    assert_nothing_left(lab, before);
    steps.done("up after Open Again");
}

/// The menu at the right end of the top bar.
struct NetworkMenu<'desktop, 'world> {
    desktop: &'desktop Desktop<'world>,
    /// The connection's name, which a notification bears, too.
    entry: Accessible,
}

impl<'desktop, 'world> NetworkMenu<'desktop, 'world> {
    fn open(desktop: &'desktop Desktop<'world>) -> Self {
        let shell = desktop.program("gnome-shell");
        desktop.click(&shell.wait(Role::Menu, "System"));
        let entry = shell.wait(Role::Label, "vpn");
        Self { desktop, entry }
    }

    /// Clicks at the button that bears the connection's name.
    fn toggle(&self) {
        self.desktop.click(&self.entry);
    }
}
