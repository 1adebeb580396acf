//! nm-applet's secret agent, on a display without a window manager.

use crate::{
    Steps, assert_nothing_left, await_agent, await_end, await_waiting_window, goes_up_and_down,
    lab, reason,
};
use aws_client_vpn_desktop::{Appearance, Desktop, Role};
use aws_client_vpn_harness::{Browser, Options};

/// The name under which nm-applet registers.
const AGENT: &str = "org.freedesktop.nm-applet";

#[test]
fn nm_applet_connects_and_cancels() {
    let steps = Steps::begin();
    let lab = lab(Options::default());
    lab.import("udp", 443);
    let desktop = Desktop::bare(&lab.client, Appearance::Light);
    let mut applet = desktop.start("nm-applet", &[]);
    await_agent(&lab, AGENT);
    steps.done("nm-applet serves as secret agent");
    let before = lab.snapshot();

    goes_up_and_down(&lab, &before);
    steps.done("up and down");

    lab.set_browser(&Browser::Closed);
    let up = lab.begin_up();
    await_waiting_window(&desktop)
        .wait(Role::Button, "Cancel")
        .press();
    assert!(!up.finish().success);
    assert_eq!(await_end(&lab).reason, reason::NO_SECRETS);
    assert_nothing_left(&lab, &before);
    steps.done("cancelled in the window");

    let up = lab.begin_up();
    await_waiting_window(&desktop);
    assert!(lab.down().status.success());
    assert!(!up.finish().success);
    assert_eq!(await_end(&lab).reason, reason::USER_DISCONNECTED);
    assert_nothing_left(&lab, &before);
    assert!(applet.is_running(), "nm-applet has crashed");
    steps.done("cancelled by nmcli");
}
