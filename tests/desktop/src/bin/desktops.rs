//! Tries connections on the real desktops of a Debian release, with NetworkManager of the same
//! release: `desktops bookworm trixie …`. Their systems are in `target/roots`, where
//! `tests/desktop/make-root.sh RELEASE desktops` puts them; what is tried is what was built here.
//!
//! Each line that is printed has happened.

use aws_client_vpn_desktop::{Accessible, Appearance, Desktop, Role};
use aws_client_vpn_harness::{EndpointOptions, Lab, Options, Process, Tools, eventually, wait_for};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// How long a step may take.
const SOON: Duration = Duration::from_secs(180);
/// Our agent, as the session's start starts it.
const AGENT: &str = "nm-aws-client-vpn-agent";
/// `NMVpnConnectionState`
const ACTIVATED: u32 = 5;
/// `NMActiveConnectionStateReason`
const USER_DISCONNECTED: u32 = 2;
/// The file by which the bus starts Plasma's Secret Service.
const SECRET_SERVICE: &str = "/usr/share/dbus-1/services/org.kde.secretservicecompat.service";
/// The program of the window that asks.
const WINDOW: &str = "org.freedesktop.NetworkManager.AwsClientVpn.Login";

fn main() -> ExitCode {
    let releases: Vec<String> = std::env::args().skip(1).collect();
    if releases.is_empty() {
        eprintln!("usage: desktops RELEASE…");
        return ExitCode::from(2);
    }
    for release in &releases {
        let system = Tools::locate()
            .target
            .join("roots")
            .join(format!("{release}-desktops"));
        assert!(
            system.is_dir(),
            "{} is missing: run tests/desktop/make-root.sh {release} desktops",
            system.display()
        );
        println!("{release}:");
        plasma(release, &system);
    }
    ExitCode::SUCCESS
}

/// A lab on `system`, whose endpoint is started with `flags`, and a connection to it.
fn lab(system: &Path, flags: &[&str]) -> Lab {
    let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
    let lab = Lab::start(&Options {
        endpoint: Some(EndpointOptions(flags)),
        agent: None,
        system: Some(PathBuf::from(system)),
        desktop: true,
        ..Options::default()
    });
    lab.import("udp", 443);
    lab
}

fn version(lab: &Lab, package: &str) -> String {
    lab.client
        .check(["dpkg-query", "--show", package])
        .replace('\t', " ")
        .trim_end()
        .to_owned()
}

/// Which of two agents is there first: NetworkManager asks the later one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Kded,
    Ours,
}

/// Plasma's daemon, with its agent, and ours.
fn agents(lab: &Lab, desktop: &Desktop<'_>, kded: &str, first: First) -> [Process; 2] {
    let kded = || {
        let name = format!("org.kde.{kded}");
        let kded = desktop.start(kded, &[]);
        desktop.wait_for_name(&name);
        // A whole session has it loaded when it starts, this one on demand.
        let method = format!("{name}.loadModule");
        let destination = format!("--dest={name}");
        let load = ["--session", "--print-reply", &destination, "/kded", &method];
        let load = load.into_iter().chain(["string:networkmanagement"]);
        let loaded = desktop.command("dbus-send").args(load).output();
        assert!(loaded.is_ok_and(|loaded| loaded.status.success()));
        await_agent(lab, "org.kde.plasma.networkmanagement");
        kded
    };
    let ours = || {
        let ours = desktop.start(AGENT, &["--background"]);
        await_agent(lab, AGENT);
        ours
    };
    match first {
        First::Kded => [kded(), ours()],
        First::Ours => [ours(), kded()],
    }
}

/// Waits until the secret agent `name` is registered with NetworkManager.
fn await_agent(lab: &Lab, name: &str) {
    eventually(&format!("{name} is registered"), SOON, || {
        let journal = lab.journal();
        let line = |line: &str| line.contains(name) && line.contains("agent registered");
        journal.lines().any(line).then_some(())
    });
}

/// Waits until the VPN is up.
fn await_up(lab: &Lab) {
    if wait_for(SOON, || {
        let last = lab.vpn_states().last().copied()?;
        (last.state == ACTIVATED).then_some(())
    })
    .is_none()
    {
        panic!("not up: {:?}\n{}", lab.vpn_states(), lab.journal());
    }
    lab.traffic_flows();
}

/// Plasma's applet, in a window of its own.
struct Applet<'desktop, 'world> {
    desktop: &'desktop Desktop<'world>,
    shown: Accessible,
    _program: Process,
}

impl<'desktop, 'world> Applet<'desktop, 'world> {
    fn open(desktop: &'desktop Desktop<'world>) -> Self {
        let program = desktop.start("plasmawindowed", &["org.kde.plasma.networkmanagement"]);
        Self {
            desktop,
            shown: desktop.program("plasmawindowed"),
            _program: program,
        }
    }

    /// Clicks at the button `name` in the row of the VPN.
    fn click(&self, name: &str) {
        let button = eventually(&format!("the button {name} of the row"), SOON, || {
            let row = self.shown.find(Role::Button, "vpn")?;
            row.find(Role::Button, name)
        });
        self.desktop.click(&button);
    }

    fn disconnect(&self, lab: &Lab) {
        self.click("Disconnect");
        let end = lab.vpn_ended(SOON);
        assert_eq!(end.reason, USER_DISCONNECTED, "{end:?}");
    }
}

fn plasma(release: &str, system: &Path) {
    for first in [First::Kded, First::Ours] {
        let lab = lab(system, &[]);
        let kded = kded(&lab);
        println!("  {}, {kded}, {first:?} first:", version(&lab, "plasma-nm"));
        let desktop = Desktop::bare_of("KDE", &lab.client, Appearance::Light);
        let _window_manager = desktop.start("openbox", &[]);
        let _agents = agents(&lab, &desktop, kded, first);
        let applet = Applet::open(&desktop);
        applet.click("Connect");
        if first == First::Ours {
            refuse_wallet(&lab, &desktop, kded);
        }
        await_up(&lab);
        desktop.screenshot(&format!("plasma-{release}"));
        applet.disconnect(&lab);
        println!("    connected by a browser login and disconnected, from its applet");
    }
    // The order that our unit makes; the other way round, its wallet comes before each question.
    let lab = lab(system, &["--sign-in=password"]);
    let desktop = Desktop::bare_of("KDE", &lab.client, Appearance::Light);
    let _window_manager = desktop.start("openbox", &[]);
    let _agents = agents(&lab, &desktop, kded(&lab), First::Kded);
    let applet = Applet::open(&desktop);
    applet.click("Connect");
    sign_in(&desktop, &format!("plasma-{release}-password"));
    await_up(&lab);
    if lab
        .client
        .run(["test", "-e", SECRET_SERVICE])
        .status
        .success()
    {
        refuse_wallet_for_password(&desktop);
    }
    applet.disconnect(&lab);
    println!("    connected from its applet, with a password typed into our window");
}

/// The daemon of the Plasma that is there.
fn kded(lab: &Lab) -> &'static str {
    match lab.client.run(["which", "kded6"]).status.success() {
        true => "kded6",
        false => "kded5",
    }
}

/// Where Plasma's agent is asked before ours, Plasma up to 6.3 offers to make a wallet first, if the
/// person has none. Whoever does not want that gets on.
fn refuse_wallet(lab: &Lab, desktop: &Desktop<'_>, kded: &str) {
    let wallet = kded.replace("kded", "kwalletd");
    let cancel = wait_for(SOON, || {
        if lab.vpn_states().last()?.state == ACTIVATED {
            return Some(None);
        }
        let programs = desktop.accessible().children();
        let wallet = programs.into_iter().find(|it| it.name() == wallet)?;
        Some(Some(wallet.find(Role::Button, "Cancel")?))
    });
    if let Some(cancel) = cancel.flatten() {
        cancel.press();
        println!("    Plasma wanted to make a wallet first");
    }
}

/// Where Plasma has the Secret Service, from 6.7 on without a wallet that the login has made, it offers to
/// make one for the password that is to be remembered.
fn refuse_wallet_for_password(desktop: &Desktop<'_>) {
    let cancel = eventually("Plasma offers to make a wallet", SOON, || {
        let programs = desktop.accessible().children();
        let wallet = programs.into_iter().find(|it| it.name() == "ksecretd")?;
        wallet.find(Role::Button, "Cancel")
    });
    cancel.press();
    println!("    Plasma wanted to make a wallet for the password");
}

/// Types user name and password into our window, of which a picture is kept.
fn sign_in(desktop: &Desktop<'_>, picture: &str) {
    let window = desktop.program(WINDOW).wait(Role::Frame, "Sign In");
    desktop.await_window("Sign In");
    desktop.type_text("ada@example.com");
    desktop.key("Tab");
    desktop.type_text("correct horse");
    window.wait_until("Connect can be pressed", |window| {
        let connect = window.find(Role::Button, "Connect");
        connect.is_some_and(|connect| connect.is_sensitive())
    });
    desktop.screenshot(picture);
    desktop.key("Return");
}
