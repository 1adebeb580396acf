//! KDE Plasma: its network applet, and its wallet, in which a password is kept.

use crate::{
    Desktop, PATIENCE, active, await_agents, await_down, await_up, before_login, fill_in,
    show_to_screen_readers,
};
use aws_client_vpn_desktop::{Accessible, Role};
use aws_client_vpn_harness::{EndpointOptions, eventually, wait_for};
use aws_client_vpn_system::{SOON, Session, System};

/// The session on X11.
pub(crate) const SESSION: &str = "xsessions/plasmax11";
/// Plasma's secret agent.
pub(crate) const AGENT: &str = "org.kde.plasma.networkmanagement";
/// The login password, which opens the wallet.
const PASSWORD: &str = "open sesame";

/// Where kwalletd has ada's.
const WALLET: &str = "/home/ada/.local/share/kwalletd/kdewallet.kwl";

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

/// A password is typed once; then the wallet has it, which the first login has made, each login opens, and
/// which is started and opened where it has ended.
pub(crate) fn keeps_a_password_in_the_wallet(desktop: &Desktop) {
    let flags = vec!["--sign-in=password".to_owned()];
    let system = System::start_with_desktop(desktop.name, &EndpointOptions(flags));
    configure(&system);
    let has_wallet = || system.client.run(["test", "-e", WALLET]).status.success();
    assert!(!has_wallet());
    let log_in = || {
        let ada = system.log_in_with_password("ada", SESSION, PASSWORD);
        await_agents(desktop, &ada);
        ada
    };
    let ada = log_in();
    ada.import("udp", 443);
    choose(&ada, "Connect");
    fill_in(&ada, "plasma-password");
    connected(&system, &ada);
    assert!(has_wallet());
    choose(&ada, "Connect");
    connected(&system, &ada);
    println!("  a password is kept in the wallet that the login makes; nobody is asked for either");

    ada.log_out();
    let ada = log_in();
    choose(&ada, "Connect");
    connected(&system, &ada);
    println!("  the next login opens the wallet, and the password is found there");

    ada.check(["pkill", "kwalletd6"]);
    choose(&ada, "Connect");
    let is_field = |it: &Accessible| it.is(Role::PasswordText) && it.is_showing();
    let field = ada.program("kwalletd6").wait_for("the password", is_field);
    ada.click(&field);
    ada.check(["xdotool", "type", "--delay", "5", PASSWORD]);
    ada.screenshot("plasma-wallet");
    ada.check(["xdotool", "key", "Return"]);
    connected(&system, &ada);
    println!("  it is found in a wallet that is not running, once that is opened");
}

/// The connection comes up, and is taken down.
fn connected(system: &System, ada: &Session<'_>) {
    await_up(system, ada);
    choose(ada, "Disconnect");
    await_down(ada);
}
