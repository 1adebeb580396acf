//! Tries the editor in GNOME Settings of other Debian releases, with NetworkManager of the same
//! release: `releases trixie sid`. They are in `target/roots`, where `tests/desktop/make-root.sh`
//! puts them; what is tried is what was built here.

use aws_client_vpn_desktop::{Appearance, Desktop, NetworkSettings};
use aws_client_vpn_harness::{Lab, Options, Tools, eventually};
use std::process::ExitCode;
use std::time::Duration;

/// How long a step may take.
const SOON: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let releases: Vec<String> = std::env::args().skip(1).collect();
    if releases.is_empty() {
        eprintln!("usage: releases RELEASE…");
        return ExitCode::from(2);
    }
    for release in &releases {
        try_release(release);
    }
    ExitCode::SUCCESS
}

fn try_release(release: &str) {
    let system = Tools::locate().target.join("roots").join(release);
    assert!(
        system.is_dir(),
        "{} is missing: run tests/desktop/make-root.sh {release}",
        system.display()
    );
    let lab = Lab::start(&Options {
        agent: None,
        system: Some(system),
        ..Options::default()
    });
    let packages = ["network-manager", "gnome-control-center", "libgtk-4-1"];
    let command = ["dpkg-query", "--show"].into_iter().chain(packages);
    println!("{release}:\n{}", lab.client.check(command).trim_end());

    let desktop = Desktop::bare(&lab.client, Appearance::Light);
    let _window_manager = desktop.start("openbox", &[]);
    let mut settings = NetworkSettings::open(&desktop);
    println!("  GNOME Settings is open");
    let editor = settings.import("/run/lab/profiles/client-udp-443.ovpn");
    assert_eq!(editor.text("Port"), "443");
    editor.save();
    println!("  imported a profile");
    let editor = settings.edit("client-udp-443");
    editor.type_into("Port", "70000");
    editor.await_can_save(false);
    editor.type_into("Port", "1194");
    editor.await_can_save(true);
    desktop.screenshot(&format!("settings-editor-{release}"));
    editor.save();
    eventually("nmcli shows the change", SOON, || {
        let show = [
            "--get-values",
            "vpn.data",
            "connection",
            "show",
            "client-udp-443",
        ];
        let output = lab.nmcli(show);
        String::from_utf8_lossy(&output.stdout)
            .contains("1194")
            .then_some(())
    });
    assert!(settings.is_running(), "GNOME Settings has crashed");
    println!("  edited and saved it");
}
