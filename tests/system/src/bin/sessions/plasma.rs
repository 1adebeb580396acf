//! KDE Plasma, and its network applet.

use crate::{PATIENCE, active, before_login, show_to_screen_readers};
use aws_client_vpn_desktop::{Accessible, Role};
use aws_client_vpn_harness::{eventually, wait_for};
use aws_client_vpn_system::{SOON, Session, System};

/// The session on X11.
pub(crate) const SESSION: &str = "xsessions/plasmax11";
/// Plasma's secret agent.
pub(crate) const AGENT: &str = "org.kde.plasma.networkmanagement";

/// What ada has set before she logs in.
pub(crate) fn configure(system: &System) {
    show_to_screen_readers(system, "org.gnome.desktop.interface");
    // A busy machine takes longer than five minutes, and nobody touches it meanwhile.
    let stay = "--file kscreenlockerrc --group Daemon --key Autolock false";
    let line = ["kwriteconfig6"].into_iter().chain(stay.split(' '));
    before_login(system, &line.collect::<Vec<_>>());
}

/// Clicks at the button `name` of the connection in the list of the network applet, until that begins
/// something: a list that is still opening takes no click.
pub(crate) fn choose(ada: &Session<'_>, name: &str) {
    let shell = ada.program("plasmashell");
    let before = active(ada);
    let find = || {
        let row = shell.find(Role::Button, "vpn")?;
        row.find(Role::Button, name)
    };
    eventually("the click is taken", SOON, || {
        let button = find().or_else(|| {
            let is_icon = |it: &Accessible| it.name() == "Networks" && it.is_showing();
            ada.click(&shell.search(is_icon)?);
            wait_for(PATIENCE, find)
        })?;
        ada.screenshot("plasma-menu");
        ada.click(&button);
        wait_for(PATIENCE, || (active(ada) != before).then_some(()))
    });
}
