//! Tries connections in the real sessions of desktops besides GNOME, as an ordinary user: `sessions
//! sway xfce …`. They are on layers of the system in `target/system-roots`, where
//! `tests/system/add-desktop.sh DESKTOP` puts them.
//!
//! Each line that is printed has happened.

mod plasma;

use aws_client_vpn_desktop::{Accessible, Role};
use aws_client_vpn_harness::{Browser, EndpointOptions, eventually, wait_for};
use aws_client_vpn_system::{SOON, Session, System};
use std::process::ExitCode;
use std::time::Duration;

/// Our agent, as it registers with NetworkManager.
const OURS: &str = "nm-aws-client-vpn-agent";
/// nm-applet's.
const APPLET: &str = "org.freedesktop.nm-applet";
/// The program of the window that asks.
const WINDOW: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Login";
/// After which somebody tries once more.
const PATIENCE: Duration = Duration::from_secs(10);
/// Where i3 has ada's configuration.
const I3_CONFIG: &str = "/home/ada/.config/i3";
/// What our dialog writes to the journal.
const DIALOG: [&str; 1] = ["--identifier=nm-aws-client-vpn-auth-dialog"];

/// A desktop, and what it has.
#[derive(Debug)]
struct Desktop {
    /// The layer with it.
    name: &'static str,
    /// Its file among those of display managers.
    session: &'static str,
    /// The secret agent of its own.
    agent: Option<&'static str>,
    /// Where its person connects.
    menu: Menu,
    /// What shows notifications.
    notifier: Notifier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Menu {
    /// It has none, or none that is tried.
    None,
    /// That of nm-applet, in its panel.
    Applet,
    /// That of Cinnamon's own applet.
    Cinnamon,
    /// That of nm-applet, which Budgie's panel shows.
    Budgie,
    /// The list of Plasma's own applet.
    Plasma,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notifier {
    /// mako, which is asked by its own program.
    Mako,
    /// dunst, which tells nobody what it shows, and lists the buttons in dmenu.
    Dunst,
    /// A program that AT-SPI knows by this name.
    Program(&'static str),
    /// A program that tells AT-SPI of its windows where they are not.
    Elsewhere(&'static str),
    /// Cinnamon itself, which keeps them in a list.
    Cinnamon,
}

const DESKTOPS: [Desktop; 8] = [
    Desktop {
        name: "sway",
        session: "wayland-sessions/sway",
        agent: None,
        menu: Menu::None,
        notifier: Notifier::Mako,
    },
    Desktop {
        name: "xfce",
        session: "xsessions/xfce",
        agent: Some(APPLET),
        menu: Menu::Applet,
        notifier: Notifier::Program("xfce4-notifyd"),
    },
    Desktop {
        name: "cinnamon",
        session: "xsessions/cinnamon",
        agent: Some("org.cinnamon.NetworkAgent"),
        menu: Menu::Cinnamon,
        notifier: Notifier::Cinnamon,
    },
    Desktop {
        name: "mate",
        session: "xsessions/mate",
        agent: Some(APPLET),
        menu: Menu::Applet,
        notifier: Notifier::Elsewhere("mate-notification-daemon"),
    },
    Desktop {
        name: "lxqt",
        session: "xsessions/lxqt",
        agent: Some(APPLET),
        menu: Menu::Applet,
        notifier: Notifier::Program("lxqt-notificationd"),
    },
    Desktop {
        name: "budgie",
        session: "xsessions/budgie-desktop",
        agent: Some(APPLET),
        menu: Menu::Budgie,
        notifier: Notifier::Program("budgie-daemon"),
    },
    Desktop {
        name: "i3",
        session: "xsessions/i3",
        agent: Some(APPLET),
        menu: Menu::Applet,
        notifier: Notifier::Dunst,
    },
    Desktop {
        name: "plasma",
        session: plasma::SESSION,
        agent: Some(plasma::AGENT),
        menu: Menu::Plasma,
        notifier: Notifier::Program("plasmashell"),
    },
];

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let known = |name: &String| DESKTOPS.iter().find(|desktop| desktop.name == name);
    let desktops: Option<Vec<&Desktop>> = names.iter().map(known).collect();
    let Some(desktops) = desktops.filter(|desktops| !desktops.is_empty()) else {
        eprintln!("usage: sessions DESKTOP…");
        return ExitCode::from(2);
    };
    for desktop in desktops {
        println!("{}:", desktop.name);
        asks_for_a_password(desktop);
        signs_in_with_the_browser(desktop);
        if desktop.menu == Menu::Plasma {
            plasma::keeps_a_password_in_the_wallet(desktop);
        }
    }
    ExitCode::SUCCESS
}

/// ada's session, as it is after a login, with a connection to an endpoint with these options.
fn session<'system>(desktop: &Desktop, system: &'system System) -> Session<'system> {
    match desktop.name {
        "sway" => system.configure_sway("ada"),
        // As its assistant does at the first login, after a press of Return.
        "i3" => before_login(
            system,
            &["install", "-D", "-t", I3_CONFIG, "/etc/i3/config"],
        ),
        _ => {}
    }
    match desktop.menu {
        Menu::Cinnamon => show_to_screen_readers(system, "org.cinnamon.desktop.interface"),
        Menu::Plasma => plasma::configure(system),
        Menu::None | Menu::Applet | Menu::Budgie => {}
    }
    let ada = system.log_in_to("ada", desktop.session);
    await_agents(desktop, &ada);
    ada.import("udp", 443);
    ada
}

/// Waits until the secret agents of the session are registered with NetworkManager.
#[track_caller]
fn await_agents(desktop: &Desktop, ada: &Session<'_>) {
    for agent in desktop.agent.into_iter().chain([OURS]) {
        ada.await_agent_called(agent);
    }
}

fn signs_in_with_the_browser(desktop: &Desktop) {
    let system = System::start_with_desktop(desktop.name, &EndpointOptions::default());
    let ada = session(desktop, &system);
    println!("  the agent is started with the session, and has registered");

    ada.connects();
    assert_eq!(logins(&system), 1, "{}", system.story());
    ada.check(["nmcli", "connection", "down", "vpn"]);
    println!("  connected by nmcli, with a sign-in in the browser");

    if desktop.menu != Menu::None {
        connect_in_menu(desktop, &ada);
        await_up(&system, &ada);
        assert_eq!(logins(&system), 2, "{}", system.story());
        disconnect_in_menu(desktop, &ada);
        await_down(&ada);
        println!("  connected and disconnected from its network menu");
    }

    shows_a_sign_in(desktop, &system, &ada);
    assert_eq!(system.warnings(), [""; 0]);
    tells_of_an_end(desktop, &system, &ada);
    if desktop.notifier == Notifier::Mako {
        shows_a_window_without_mako(&system, &ada);
    }
    // The portal may take longer to start than the first sign-in waits for it.
    system.journal_says(DIALOG, "the desktop's portal opens the browser");
    println!("  the desktop's portal has opened the browser");
}

/// A sign-in that waits in the browser is shown, and cancelled there.
fn shows_a_sign_in(desktop: &Desktop, system: &System, ada: &Session<'_>) {
    system.set_browser(&Browser::Closed);
    let up = ada.begin_up();
    let notification = Notification::wait(desktop, ada, ": vpn\n", "Sign in at");
    ada.screenshot(&format!("{}-sign-in", desktop.name));
    notification.press("Cancel", "cancel", || !active(ada).contains("vpn:"));
    let up = up.finish();
    assert!(!up.success, "{}\n{}", up.text, system.story());
    await_down(ada);
    system.set_browser(&Browser::Scripted);
    println!("  a notification shows a sign-in, and its button does what it says");
}

/// The end of a sign-in is told in time, and it is renewed there.
fn tells_of_an_end(desktop: &Desktop, system: &System, ada: &Session<'_>) {
    let before = logins(system);
    for (property, value) in [
        ("+vpn.data", "session-length = 120s"),
        // The name server inside knows no identity provider, as a company's does.
        ("ipv4.ignore-auto-dns", "yes"),
    ] {
        ada.check(["nmcli", "connection", "modify", "vpn", property, value]);
    }
    ada.connects();
    let notification =
        Notification::wait(desktop, ada, "your sign-in expires", "Sign in again now");
    ada.screenshot(&format!("{}-end", desktop.name));
    notification.press("Renew", "renew", || logins(system) == before + 2);
    eventually("the sign-in is renewed", SOON, || {
        (logins(system) == before + 2).then_some(())
    });
    ada.check(["nmcli", "connection", "down", "vpn"]);
    println!("  a notification tells of the end of a sign-in, and its button does what it says");
}

/// Where nothing shows notifications, a window shows a sign-in that waits, and cancels it.
fn shows_a_window_without_mako(system: &System, ada: &Session<'_>) {
    let service = "/usr/share/dbus-1/services/fr.emersion.mako.service";
    system.client.check(["rm", service]);
    ada.check(["pkill", "mako"]);
    system.set_browser(&Browser::Closed);
    let up = ada.begin_up();
    let window = ada.program(WINDOW).wait(Role::Frame, "Sign In");
    ada.screenshot("sway-window");
    window.wait(Role::Button, "Cancel").press();
    let up = up.finish();
    assert!(!up.success, "{}\n{}", up.text, system.story());
    println!("  a window shows a sign-in where nothing shows notifications, and cancels it");
}

fn asks_for_a_password(desktop: &Desktop) {
    let flags = vec!["--sign-in=password".to_owned()];
    let system = System::start_with_desktop(desktop.name, &EndpointOptions(flags));
    let ada = session(desktop, &system);
    match desktop.menu {
        Menu::Applet | Menu::Cinnamon | Menu::Budgie | Menu::Plasma => {
            connect_in_menu(desktop, &ada);
            fill_in(&ada, &format!("{}-password", desktop.name));
            await_up(&system, &ada);
            println!("  a password is asked for after a click in its network menu");
        }
        Menu::None => {
            let up = ada.begin_up();
            fill_in(&ada, &format!("{}-password", desktop.name));
            let up = up.finish();
            assert!(up.success, "{}\n{}", up.text, system.story());
            assert!(system.has_traffic(), "{}", system.story());
            println!("  a password is asked for in our window");
        }
    }
}

/// Types user name and password into our window, of which a picture is kept.
fn fill_in(ada: &Session<'_>, picture: &str) {
    let program = ada.program(WINDOW);
    let window = program.wait(Role::Frame, "Sign In");
    for (name, text) in [
        ("User name", "ada@example.com"),
        ("Password", "correct horse"),
    ] {
        let roles = [Role::Text, Role::Entry, Role::PasswordText];
        let is_field =
            |node: &Accessible| node.is_called(name) && roles.into_iter().any(|role| node.is(role));
        window.wait_for(name, is_field).set_text(text);
    }
    window.wait_until("Connect can be pressed", |window| {
        let connect = window.find(Role::Button, "Connect");
        connect.is_some_and(|connect| connect.is_sensitive())
    });
    ada.screenshot(picture);
    window.wait(Role::Button, "Connect").press();
}

/// Chooses the connection, which is down, in the network menu.
fn connect_in_menu(desktop: &Desktop, ada: &Session<'_>) {
    match desktop.menu {
        Menu::None => unreachable!("there is none"),
        Menu::Applet => choose_in_applet(desktop, ada),
        Menu::Cinnamon => choose_in_cinnamon(ada, "vpn"),
        Menu::Budgie => choose_in_budgie(ada),
        Menu::Plasma => plasma::choose(ada, "Connect"),
    }
}

/// Chooses the connection, which is up, in the network menu; in Cinnamon's, it is the switch of all.
fn disconnect_in_menu(desktop: &Desktop, ada: &Session<'_>) {
    match desktop.menu {
        Menu::None => unreachable!("there is none"),
        Menu::Applet => choose_in_applet(desktop, ada),
        Menu::Cinnamon => choose_in_cinnamon(ada, "VPN Connections"),
        Menu::Budgie => choose_in_budgie(ada),
        Menu::Plasma => plasma::choose(ada, "Disconnect"),
    }
}

/// Has the desktop with the settings in `schema` show what it shows to programs, too.
fn show_to_screen_readers(system: &System, schema: &str) {
    let set = format!("gsettings set {schema} toolkit-accessibility true");
    before_login(system, &["dbus-run-session", "--", "sh", "-c", &set]);
}

/// Runs a command as ada, who is not logged in yet.
fn before_login(system: &System, line: &[&str]) {
    let done = system.as_user("ada", line[0]).args(&line[1..]).output();
    let done = done.expect("nsenter can be run");
    assert!(done.status.success(), "{done:?}");
}

/// Opens the menu of Cinnamon's network applet, and clicks at `row`, until that begins something: a
/// menu that is still opening takes no click.
fn choose_in_cinnamon(ada: &Session<'_>, row: &str) {
    let cinnamon = ada.program("cinnamon");
    let before = active(ada);
    let shown = || wait_for(PATIENCE, || cinnamon.find(Role::Label, row));
    eventually("the click is taken", SOON, || {
        let row = cinnamon.find(Role::Label, row).or_else(|| {
            // The icon has no name; this is the applet's own key.
            ada.check(["xdotool", "key", "super+shift+n"]);
            shown()
        })?;
        ada.screenshot("cinnamon-menu");
        ada.click(&row);
        wait_for(PATIENCE, || (active(ada) != before).then_some(()))
    });
}

/// Opens the menu of nm-applet, which Budgie's panel shows and tells no program of, and chooses its only
/// connection there, until that begins something.
fn choose_in_budgie(ada: &Session<'_>) {
    let panel = ada.program("budgie-panel");
    let before = active(ada);
    // An item there has two pictures, as a panel's own applets have not.
    let is_item = |node: &Accessible| {
        let pictures = node.children();
        pictures.len() == 2 && pictures.iter().all(|it| it.is(Role::Icon))
    };
    eventually("the choice is taken", SOON, || {
        ada.check(["xdotool", "key", "Escape"]);
        ada.point_at(&panel.search(is_item)?);
        ada.check([
            "xdotool", "click", "3", "sleep", "1", "key", "Down", "Right",
        ]);
        ada.screenshot("budgie-menu");
        ada.check(["xdotool", "key", "Return"]);
        wait_for(PATIENCE, || (active(ada) != before).then_some(()))
    });
}

/// Clicks at nm-applet's icon, and at the connection in its menu.
fn choose_in_applet(desktop: &Desktop, ada: &Session<'_>) {
    let applet = ada.program("nm-applet");
    // The icon may not be in its panel yet.
    let menu = eventually("the menu is open", SOON, || {
        if desktop.name == "lxqt" {
            ada.click(&only_icon_in_lxqt(ada)?);
        } else {
            ada.click_icon("nm-applet");
        }
        wait_for(PATIENCE, || applet.find(Role::Menu, "VPN Connections"))
    });
    ada.point_at(&menu);
    let vpn = applet.wait(Role::CheckMenuItem, "vpn");
    ada.screenshot(&format!("{}-menu", desktop.name));
    ada.click(&vpn);
}

/// The icon in the panel of LXQt, which shows nm-applet's as one of its own: it has no name, but is beside
/// the button that shows more of them.
fn only_icon_in_lxqt(ada: &Session<'_>) -> Option<Accessible> {
    let is_more = |node: &Accessible| node.name() == "+";
    let panel = ada.program("lxqt-panel");
    let icons = panel.search(|node| node.children().iter().any(is_more))?;
    icons.children().into_iter().find(Accessible::is_showing)
}

/// How many logins the browser has done.
fn logins(system: &System) -> usize {
    let done = |event: &&aws_client_vpn_harness::Event| event["event"] == "done";
    system.browser_events().iter().filter(done).count()
}

#[track_caller]
fn await_up(system: &System, ada: &Session<'_>) {
    let is_up = || active(ada).contains("vpn:activated").then_some(());
    if wait_for(SOON, is_up).is_none() {
        panic!("not up:\n{}\n{}", active(ada), system.story());
    }
    assert!(system.has_traffic(), "{}", system.story());
}

#[track_caller]
fn await_down(ada: &Session<'_>) {
    eventually("the connection is down", SOON, || {
        (!active(ada).contains("vpn:")).then_some(())
    });
}

fn active(ada: &Session<'_>) -> String {
    let line = [
        "nmcli",
        "-g",
        "NAME,STATE",
        "connection",
        "show",
        "--active",
    ];
    ada.check(line)
}

/// A notification on the screen.
enum Notification<'session> {
    Mako(&'session Session<'session>),
    Dunst(&'session Session<'session>),
    /// Whose window is not where its program says.
    Elsewhere {
        ada: &'session Session<'session>,
        program: Accessible,
    },
    Shown {
        ada: &'session Session<'session>,
        program: Accessible,
    },
    /// One that has gone from the screen is in a list.
    Kept {
        ada: &'session Session<'session>,
        program: Accessible,
    },
}

impl<'session> Notification<'session> {
    /// Waits until there is one with `text`; mako's program knows only its `headline`.
    #[track_caller]
    fn wait(
        desktop: &Desktop,
        ada: &'session Session<'session>,
        headline: &str,
        text: &str,
    ) -> Self {
        match desktop.notifier {
            Notifier::Mako => {
                eventually("mako shows the notification", SOON, || {
                    let list = ada.check(["makoctl", "list"]);
                    list.contains(headline).then_some(())
                });
                Self::Mako(ada)
            }
            Notifier::Dunst => {
                eventually("dunst shows the notification", SOON, || {
                    let count = ada.check(["dunstctl", "count", "displayed"]);
                    (count.trim() != "0").then_some(())
                });
                Self::Dunst(ada)
            }
            Notifier::Program(name) | Notifier::Elsewhere(name) => {
                let shown = ada.shown();
                let has_text = |node: &Accessible| {
                    node.is_showing() && (node.name().contains(text) || node.text().contains(text))
                };
                // MATE's program ends when it shows nothing.
                let program = eventually("the notification is shown", SOON, || {
                    let programs = shown.children().into_iter();
                    let mut programs = programs.filter(|program| program.name() == name);
                    programs.find(|program| program.search(has_text).is_some())
                });
                if matches!(desktop.notifier, Notifier::Elsewhere(_)) {
                    Self::Elsewhere { ada, program }
                } else {
                    Self::Shown { ada, program }
                }
            }
            Notifier::Cinnamon => {
                let program = ada.program("cinnamon");
                let is_it = |node: &Accessible| node.name().contains(text);
                let there = || program.search(is_it);
                eventually("the notification is there", SOON, there);
                Self::Kept { ada, program }
            }
        }
    }

    /// Presses the button `label`, which is called `name` on the bus, until `is_done`.
    #[track_caller]
    fn press(&self, label: &str, name: &str, is_done: impl Fn() -> bool) {
        match self {
            Self::Mako(ada) => drop(ada.check(["makoctl", "invoke", name])),
            Self::Dunst(ada) => eventually("the button is pressed", SOON, || {
                ada.check(["dunstctl", "context"]);
                ada.check(["xdotool", "type", label]);
                ada.screenshot(&format!("i3-{name}"));
                ada.check(["xdotool", "key", "Return"]);
                wait_for(PATIENCE, || is_done().then_some(()))
            }),
            Self::Shown { ada, program } => {
                ada.click(&program.wait(Role::Button, label));
            }
            Self::Elsewhere { ada, program } => {
                ada.click_by_window(&program.name(), &program.wait(Role::Button, label));
            }
            Self::Kept { ada, program } => {
                // It goes from the screen by itself.
                eventually("the button is pressed", SOON, || {
                    let button = program.find(Role::Button, label).or_else(|| {
                        // The key of the list.
                        ada.check(["xdotool", "key", "super+n"]);
                        wait_for(PATIENCE, || program.find(Role::Button, label))
                    })?;
                    ada.click(&button);
                    wait_for(PATIENCE, || is_done().then_some(()))
                });
                // An open list would take the next click.
                eventually("the list is closed", SOON, || {
                    let is_closed = || program.find(Role::Label, "Notification Settings").is_none();
                    if !is_closed() {
                        ada.check(["xdotool", "key", "Escape"]);
                    }
                    wait_for(PATIENCE, || is_closed().then_some(()))
                });
            }
        }
    }
}
