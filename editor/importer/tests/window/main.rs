//! The window on a real display (Xvfb) with a real bus and a NetworkManager that is played: what
//! people see and press, in English and German, light and dark, wide and narrow.
//!
//! GTK wants the first thread, so this has no test harness. The program runs itself: outside it
//! makes display and bus, inside it is the application. Pictures go to `target/screenshots`.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod fixture;
mod network_manager;
mod screen;

use crate::network_manager::Played;
use crate::screen::Screen;
use adw::prelude::*;
use aws_client_vpn_importer::application;
use std::path::Path;

/// The name of the variable that says who runs: the language.
const INSIDE: &str = "AWS_CLIENT_VPN_APP_TEST";

fn main() {
    match std::env::var(INSIDE) {
        Ok(language) => inside(&language),
        Err(_) => {
            for language in ["en", "de"] {
                fixture::run(language);
                println!("window in {language} ... ok");
            }
        }
    }
}

fn inside(language: &str) {
    let directory = std::env::var_os("AWS_CLIENT_VPN_APP_DIRECTORY").unwrap();
    let directory = Path::new(&directory);
    let application = application::new();
    application.register(gtk::gio::Cancellable::NONE).unwrap();
    aws_client_vpn_i18n::init_library_at(&directory.join("locale"));
    let network_manager = Played::on_system_bus();
    let screen = Screen::new(application, directory, language);
    match language {
        "de" => looks(&screen, "Anmeldung", "Abgelaufen am 1. März 2024"),
        _ => {
            looks(&screen, "Sign-in", "Expired on March 1, 2024");
            adds_and_connects(&screen, &network_manager);
            updates(&screen, &network_manager);
            loses_no_secrets(&screen, &network_manager);
            says_what_went_wrong(&screen, &network_manager);
            refuses(&screen);
            needs_no_mouse(&screen, &network_manager);
            takes_what_is_dropped(&screen);
            takes_a_certificate(&screen, &network_manager);
        }
    }
}

/// Nothing is cut off, whatever the window's width and colours; dates are in the texts' language.
fn looks(screen: &Screen, label: &str, expired: &str) {
    let window = screen.welcome();
    screen.expect_uncut(&window);
    screen.picture("welcome");
    screen.close(&window);
    for name in ["certificate", "password", "expired"] {
        let window = screen.open(name);
        screen.wait_for(&window, label);
        if name == "expired" {
            screen.wait_for(&window, expired);
        }
        screen.expect_uncut(&window);
        screen.picture(name);
        screen.close(&window);
    }
    let window = screen.open_narrow("certificate");
    screen.wait_for(&window, label);
    screen.expect_uncut(&window);
    screen.picture("narrow");
    screen.close(&window);
}

fn adds_and_connects(screen: &Screen, network_manager: &Played) {
    let window = screen.open("saml");
    for text in [
        "saml",
        "Europe (Stockholm), eu-north-1",
        "UDP, port 443",
        "Single sign-on in the browser",
        "Zoë's root",
        "Line 4: route-delay",
    ] {
        screen.wait_for(&window, text);
    }
    // Enter in the field of the name.
    screen.type_name(&window, "Company VPN");
    screen.press_default(&window);
    screen.wait_for(&window, "“Company VPN” Is Ready");
    let added = network_manager.added();
    assert_eq!(added.name(), "Company VPN");
    let user = gtk::glib::user_name();
    assert_eq!(
        added.permissions(),
        [format!("user:{}", user.to_str().unwrap())]
    );
    assert_eq!(added.data("connect-at-login"), None);
    screen.picture("ready");
    screen.press_default(&window);
    screen.wait_for(&window, "Waiting for you to sign in…");
    screen.picture("connecting");
    network_manager.tell(5, 0);
    screen.wait_for(&window, "Connected");
    screen.picture("connected");
    screen.close(&window);

    let window = screen.open("saml");
    screen.wait_for(&window, "Single sign-on in the browser");
    network_manager.forget();
    screen.choose(&window, "All Users of This Computer");
    screen.switch_on(&window, "Connect when I _log in");
    screen.press_default(&window);
    screen.wait_for(&window, "“saml” Is Ready");
    let added = network_manager.added();
    assert!(added.permissions().is_empty());
    assert_eq!(added.data("connect-at-login").as_deref(), Some("yes"));
    screen.press_default(&window);
    screen.wait_for(&window, "Waiting for you to sign in…");
    network_manager.tell(6, 10);
    screen.wait_for(&window, "Not Connected");
    screen.wait_for(&window, "The sign-in was refused.");
    screen.close(&window);
}

fn updates(screen: &Screen, network_manager: &Played) {
    network_manager.forget();
    network_manager.keep_one(
        "Old name",
        "cvpn-endpoint-0123.prod.clientvpn.eu-north-1.amazonaws.com",
    );
    let window = screen.open("saml");
    screen.wait_for(&window, "Update “Old name”");
    screen.wait_for(&window, "_Update");
    screen.expect_uncut(&window);
    screen.picture("update");
    screen.press_default(&window);
    screen.wait_for(&window, "“Old name” Is Ready");
    let updated = network_manager.updated();
    assert_eq!(updated.uuid(), network_manager::UUID);
    assert_eq!(updated.data("login-timeout").as_deref(), Some("120"));
    assert_eq!(updated.data("sign-in").as_deref(), Some("saml"));
    assert_eq!(updated.secret("password").as_deref(), Some("kept"));
    screen.close(&window);
    network_manager.forget();
}

/// An update replaces all secrets or none.
fn loses_no_secrets(screen: &Screen, network_manager: &Played) {
    network_manager.keep_one(
        "Old name",
        "cvpn-endpoint-0123.prod.clientvpn.eu-north-1.amazonaws.com",
    );
    network_manager.withhold();
    let window = screen.open("certificate");
    screen.wait_for(&window, "Update “Old name”");
    screen.press_default(&window);
    let dialog = screen.wait_for_dialog(&window);
    screen.wait_for(&dialog, "did not return the connection's passwords");
    dialog.close();
    screen.close(&window);
    let window = screen.open("saml");
    screen.wait_for(&window, "Update “Old name”");
    screen.press_default(&window);
    screen.wait_for(&window, "“Old name” Is Ready");
    // The first was not made.
    let updated = network_manager.updated();
    assert_eq!(updated.data("sign-in").as_deref(), Some("saml"));
    assert_eq!(updated.secret("password"), None);
    assert_eq!(updated.secret("key"), None);
    screen.close(&window);
    network_manager.forget();
}

fn says_what_went_wrong(screen: &Screen, network_manager: &Played) {
    network_manager.deny();
    let window = screen.open("saml");
    screen.wait_for(&window, "Single sign-on in the browser");
    screen.press_default(&window);
    let dialog = screen.wait_for_dialog(&window);
    screen.wait_for(
        &dialog,
        "You do not have permission to change this on this computer",
    );
    screen.picture("denied");
    dialog.close();
    // A name is needed.
    screen.type_name(&window, " ");
    assert!(!screen.default_is_sensitive(&window));
    screen.close(&window);
    network_manager.forget();
}

/// Mnemonic, Enter, Escape.
fn needs_no_mouse(screen: &Screen, network_manager: &Played) {
    network_manager.forget();
    let window = screen.open("saml");
    screen.wait_for(&window, "Single sign-on in the browser");
    screen.key(&window, "alt+n");
    screen.key(&window, "ctrl+a");
    screen.key(&window, "x");
    screen.key(&window, "Return");
    screen.wait_for(&window, "“x” Is Ready");
    assert_eq!(network_manager.added().name(), "x");
    screen.key(&window, "alt+o");
    screen.wait_for(&window, "Waiting for you to sign in…");
    screen.key(&window, "Escape");
    screen.wait_for_end(&window);
}

fn takes_what_is_dropped(screen: &Screen) {
    let window = screen.welcome();
    screen.drop_file(&window, "password.ovpn");
    screen.wait_for(&window, "User name, password and one-time code");
    screen.close(&window);
}

/// What AWS exports for certificates has none in it.
fn takes_a_certificate(screen: &Screen, network_manager: &Played) {
    let window = screen.open("mutual");
    screen.wait_for(&window, "Client Certificate Missing");
    screen.wait_for(&window, "_Choose Files…");
    screen.expect_uncut(&window);
    screen.picture("mutual");
    screen.drop_file(&window, "saml.ovpn");
    screen.wait_for(&window, "Single sign-on in the browser");
    screen.drop_file(&window, "mutual.ovpn");
    screen.wait_for(&window, "Client Certificate Missing");
    screen.drop_file(&window, "mine/client1.key");
    screen.wait_for(&window, "The private key is “client1.key”.");
    screen.drop_file(&window, "mine/nothing.txt");
    screen.wait_for(&window, "not a certificate or private key");
    screen.drop_file(&window, "mine/client1.crt");
    screen.wait_for(&window, "Example Corp");
    network_manager.forget();
    screen.press_default(&window);
    screen.wait_for(&window, "“mutual” Is Ready");
    let added = network_manager.added();
    assert_eq!(added.data("sign-in").as_deref(), Some("certificate"));
    assert!(added.secret("key").is_some());
    screen.close(&window);
    // Beside the profile it is found.
    let window = screen.open("mine/mutual");
    screen.wait_for(&window, "Example Corp");
    screen.wait_for(
        &window,
        "Your certificate is not in the profile. The one in 'client1.crt' beside it was used.",
    );
    screen.close(&window);
}

fn refuses(screen: &Screen) {
    for (name, text) in [
        ("other-vpn", "Not an AWS Client VPN Profile"),
        ("evil", "Line 2: 'up' cannot be used"),
        ("missing", "The file does not exist."),
    ] {
        let window = screen.open(name);
        screen.wait_for(&window, text);
        screen.wait_for(&window, "_Open Another Profile…");
        screen.expect_uncut(&window);
        screen.picture(name);
        screen.close(&window);
    }
}
