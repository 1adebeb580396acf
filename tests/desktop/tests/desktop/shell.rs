//! gnome-shell: its secret agent, its network menu, and the window beside a login.

use crate::{
    SOON, Steps, assert_nothing_left, await_agent, await_end, await_state, await_waiting_window,
    goes_up_and_down, lab, reason, state,
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
    let desktop = Desktop::gnome(&lab.client, Appearance::Light);
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
    await_waiting_window(&desktop);
    menu.toggle();
    assert_eq!(await_end(&lab).reason, reason::USER_DISCONNECTED);
    assert_nothing_left(&lab, &before);
    steps.done("cancelled by the network menu");

    the_window_beside_a_login(&lab, &desktop, &before, &steps);
}

/// What its buttons do.
fn the_window_beside_a_login(lab: &Lab, desktop: &Desktop<'_>, before: &Snapshot, steps: &Steps) {
    desktop.key("Escape");
    let up = lab.begin_up();
    let window = await_waiting_window(desktop);
    desktop.await_window("Sign In");
    desktop.screenshot("login-window-light");
    desktop.click(&window.wait(Role::Button, "Cancel"));
    assert!(!up.finish().success);
    assert_eq!(await_end(lab).reason, reason::NO_SECRETS);
    assert_nothing_left(lab, before);
    steps.done("cancelled in the window");

    let up = lab.begin_up();
    let window = await_waiting_window(desktop);
    desktop.await_window("Sign In");
    lab.set_browser(&Browser::Scripted);
    desktop.click(&window.wait(Role::Button, "Open Again"));
    let up = up.finish();
    assert!(up.success, "{}\n{}", up.text, lab.journal());
    window.wait_until("the window closes by itself", |window| !window.is_showing());
    assert!(lab.down().status.success());
    assert_nothing_left(lab, before);
    steps.done("up after Open Again");
}

/// The menu at the right end of the top bar.
struct NetworkMenu<'desktop, 'world> {
    desktop: &'desktop Desktop<'world>,
    shell: Accessible,
}

impl<'desktop, 'world> NetworkMenu<'desktop, 'world> {
    fn open(desktop: &'desktop Desktop<'world>) -> Self {
        let shell = desktop.program("gnome-shell");
        desktop.click(&shell.wait(Role::Menu, "System"));
        Self { desktop, shell }
    }

    /// Clicks at the button that bears the connection's name.
    fn toggle(&self) {
        self.desktop.click(&self.shell.wait(Role::Label, "vpn"));
    }
}
