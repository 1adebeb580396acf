//! A newcomer's way, on a whole machine with GNOME on Wayland: `make vm-test`. What she sees is in the
//! pictures in `target/vm/*-results`; look at them.
//!
//! A test begins where the one before it ends; chosen alone (`make vm-test TEST=sleeps`), it brings
//! about by itself what it needs.

use aws_client_vpn_vm::{Machine, Person, Test, chosen, run};
use serde_json::json;
use std::process::ExitCode;

const TESTS: [Test<Person>; 10] = [
    (
        "both packages are installed while she is logged in",
        install,
    ),
    ("a double click on the profile makes a connection", add),
    (
        "signing in with Firefox, which was closed",
        sign_in_with_firefox,
    ),
    ("a name inside is found, and all is well", look_around),
    (
        "the sign-in ends while the screen is locked",
        lock_and_unlock,
    ),
    ("disconnecting in the network menu", disconnect),
    (
        "signing in with Chromium, which shows another page",
        sign_in_with_chromium,
    ),
    ("the computer sleeps", sleep),
    (
        "after a restart nothing is left over, and it connects at login",
        restart,
    ),
    ("nothing went wrong that she did not see", journal_is_clean),
];

/// Programs by the names that they have for screen readers.
const FIREFOX: &str = "Firefox";
const CHROMIUM: &str = "Chromium";
const FILES: &str = "org.gnome.Nautilus";
const IMPORTER: &str = "aws-client-vpn-importer";
const SHELL: &str = "gnome-shell";

const CONNECTION: &str = "client-udp-443";
/// What the service says when a login has to wait for the user.
const WAITS_FOR_UNLOCKING: &str = "waiting for the screen to be unlocked";

fn main() -> ExitCode {
    let tests = chosen(&TESTS);
    let machine = std::env::var("VM").unwrap_or_else(|_| "desktop".to_owned());
    let mut person = Person::at(Machine::boot(&machine));
    run(&tests, &mut person, |person| person.keep_evidence())
}

fn install(person: &mut Person) {
    person.trust_endpoint();
    person.log_in();
    person.picture("desktop");
    person.install_packages();
    person.check_as_user("mkdir -p ~/Downloads && cp /run/lab/profiles/*udp-443.ovpn ~/Downloads");
}

/// Installs the packages, unless they are.
fn be_installed(person: &mut Person) {
    if !person.run("test -e /usr/bin/aws-client-vpn").0 {
        install(person);
    }
}

/// Makes the connection, unless it is there.
fn be_added(person: &mut Person) {
    if !person.run(&format!("nmcli connection show {CONNECTION}")).0 {
        add(person);
    }
}

/// Signs in, unless the tunnel is up.
fn be_connected(person: &mut Person) {
    be_added(person);
    if !person.has_traffic() {
        switch_vpn_on(person, "menu");
        let browser = default_browser(person);
        sign_in(person, browser, "browser");
    }
}

fn add(person: &mut Person) {
    be_installed(person);
    person.launch("Files");
    person.maximise(FILES);
    person.click_times(FILES, "Downloads", 2);
    person.sees_named(FILES, "client-udp-443.ovpn");
    person.picture("profile");
    person.click_times(FILES, "client-udp-443.ovpn", 2);
    person.sees_named(IMPORTER, "Add");
    person.picture("importer");
    person.maximise(IMPORTER);
    person.click(IMPORTER, "Add");
    person.sees_named(IMPORTER, "Connect Now");
    person.picture("added");
    let show = "nmcli --escape no -g vpn.service-type,connection.permissions connection show client-udp-443";
    let added = person.check(show);
    assert!(added.contains("aws-client-vpn"), "{added}");
    assert!(added.contains("user:ada"), "{added}");
}

/// The browser that pages are opened in.
fn default_browser(person: &mut Person) -> &'static str {
    let file = person.check_as_user("xdg-settings get default-web-browser");
    if file.contains("chromium") {
        CHROMIUM
    } else {
        FIREFOX
    }
}

/// Types user name and password into the page that `browser` shows in front, and waits for the tunnel.
fn sign_in(person: &mut Person, browser: &str, picture: &str) {
    person.sees(browser, "the page asks for the user name", |seen| {
        seen.name == "User name" && seen.focused
    });
    person.picture(picture);
    person.type_text("ada@example.com\t");
    person.sees(browser, "the page asks for the password", |seen| {
        seen.name == "Password" && seen.focused
    });
    person.type_text("correct horse\n");
    person.sees(browser, "the page says that she is signed in", |seen| {
        seen.name == "You are signed in"
    });
    person.await_traffic();
    person.picture("signed-in");
}

fn sign_in_with_firefox(person: &mut Person) {
    be_added(person);
    person.click(IMPORTER, "Connect Now");
    sign_in(person, FIREFOX, "firefox-was-closed");
}

fn look_around(person: &mut Person) {
    be_connected(person);
    person.check_as_user("getent hosts files.corp.example");
    let status = person.check_as_user("aws-client-vpn status");
    assert!(
        status.contains(CONNECTION) && status.contains("up, started"),
        "{status}"
    );
    // The machine's clock is its host's.
    let doctor = person.check_as_user("aws-client-vpn doctor || true");
    let bad = |line: &&str| line.starts_with("PROBLEM") || line.starts_with("warning");
    let bad: Vec<_> = doctor.lines().filter(bad).collect();
    assert!(
        bad.iter().all(|line| line.contains(" clock ")),
        "{bad:#?}\n{doctor}"
    );
}

fn lock_and_unlock(person: &mut Person) {
    be_connected(person);
    person.lock();
    let waits = person.said(WAITS_FOR_UNLOCKING);
    person.server.endpoint_command(&json!({ "kick": "all" }));
    person.says_again(WAITS_FOR_UNLOCKING, waits);
    person.picture("locked");
    person.unlock();
    let notice = "Sign in at login.idp.example in your browser to connect.";
    person.sees_text(SHELL, notice);
    sign_in(person, FIREFOX, "firefox-has-a-page");
    person.sees_no_more(SHELL, notice);
}

/// Presses the switch of VPNs in the menu at the right end of the panel.
fn press_vpn_in_menu(person: &mut Person, picture: &str) {
    person.click(SHELL, "System");
    person.sees_named(SHELL, CONNECTION);
    person.picture(picture);
    person.click(SHELL, "VPN");
}

/// Connects by that menu; returns when it has closed.
fn switch_vpn_on(person: &mut Person, picture: &str) {
    press_vpn_in_menu(person, picture);
    person.press(&["esc"]);
}

fn disconnect(person: &mut Person) {
    be_connected(person);
    press_vpn_in_menu(person, "menu-connected");
    person.eventually("the tunnel is gone", "! ip link show awsvpn0");
    person.picture("menu-disconnected");
    person.press(&["esc"]);
}

fn sign_in_with_chromium(person: &mut Person) {
    be_added(person);
    person.check_as_user("xdg-settings set default-web-browser chromium.desktop");
    person.launch("Chromium");
    person.sees(CHROMIUM, "its window", |seen| seen.role == "frame");
    switch_vpn_on(person, "menu-beside-chromium");
    sign_in(person, CHROMIUM, "chromium-has-a-page");
}

/// The session ends while the computer sleeps; the next login waits until she is there again.
fn sleep(person: &mut Person) {
    be_connected(person);
    let waits = person.said(WAITS_FOR_UNLOCKING);
    person.suspend();
    person.server.endpoint_command(&json!({ "kick": "all" }));
    person.wake();
    person.says_again(WAITS_FOR_UNLOCKING, waits);
    person.unlock();
    let browser = default_browser(person);
    sign_in(person, browser, "awake");
}

/// The computer is restarted while the tunnel is up.
fn restart(person: &mut Person) {
    be_connected(person);
    person.check_as_user(&format!("aws-client-vpn at-login {CONNECTION} on"));
    person.reboot();
    person.check(&format!("nmcli connection show {CONNECTION}"));
    person.check("! ip link show awsvpn0");
    person.check("! nft list tables | grep aws-client-vpn");
    person.check("! ls -A /run/nm-aws-client-vpn | grep .");
    person.check("! pgrep -f [l]ibexec/nm-aws-client-vpn-service");
    person.log_in();
    let browser = default_browser(person);
    sign_in(person, browser, "connects-at-login");
}

/// Neither our programs nor those that meet them warn of anything, since the first boot.
fn journal_is_clean(person: &mut Person) {
    person.check("journalctl --no-pager --priority=warning --boot=all | grep -q .");
    let warnings = person.check(
        "journalctl --no-pager --priority=warning --boot=all | \
         grep -i -e aws-client-vpn -e awsvpn -e apparmor=.DENIED || true",
    );
    assert_eq!(warnings, "");
}
