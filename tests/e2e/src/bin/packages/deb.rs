//! The life of the Debian packages: installed while NetworkManager runs, used, upgraded while
//! connected, removed, purged.

use crate::files::Files;
use crate::{connects, connects_again, goes_down, lab, packages, packages_in, step};
use aws_client_vpn_harness::{Lab, eventually};
use std::path::Path;
use std::time::Duration;

/// How long a step may take that takes a moment on an idle machine.
const SOON: Duration = Duration::from_secs(120);
const NAMES: [&str; 2] = [
    "network-manager-aws-client-vpn",
    "network-manager-aws-client-vpn-gnome",
];
/// What starts the agent with each graphical session.
pub(crate) const AGENT: &str =
    "/etc/systemd/user/graphical-session.target.wants/nm-aws-client-vpn-agent.service";
/// What has systemd lift the kill switches of deleted connections.
pub(crate) const LIFTING: &str =
    "/etc/systemd/system/paths.target.wants/nm-aws-client-vpn-kill-switch.path";
/// NetworkManager 1.58 is the first that knows private profiles in the strict sense.
const PRIVATE: (u32, u32) = (1, 58);

pub(crate) fn life_of_the_packages(suite: &str, system: &Path) {
    let lab = lab(system);
    let version = lab.client.check(["NetworkManager", "--version"]);
    // Other packages come with ours, and what they leave when they go is not ours: they stay.
    let main = packages("network-manager-aws-client-vpn_");
    let gnome = packages("network-manager-aws-client-vpn-gnome_");
    let both = [main.clone(), gnome].concat();
    apt(&lab, &["install"], &both);
    lab.client
        .check(["dpkg", "--purge"].into_iter().chain(NAMES));
    lab.client.check(["userdel", "nm-aws-client-vpn"]);
    let before = Files::of(&lab);

    apt(&lab, &["install"], &main);
    step(
        suite,
        &format!("installed beside NetworkManager {}", version.trim()),
    );

    lab.client.check(["test", "-L", AGENT]);
    lab.client.check(["test", "-L", LIFTING]);
    step(
        suite,
        "the agent will start with each graphical session, and what lifts kill switches with the system",
    );

    lab.import("udp", 443);
    connects(&lab);
    step(
        suite,
        "imported, signed in, connected: NetworkManager took the plugin up as it runs",
    );

    switch_off(&lab, LIFTING);
    apt(&lab, &["install"], &next_versions(&lab, &both));
    lab.traffic_flows();
    connects_again(&lab);
    lab.client.check(["test", "!", "-L", LIFTING]);
    step(
        suite,
        "upgraded while connected, with -gnome: the tunnel stayed, the next one came up, what is off stays off",
    );

    if at_least(&version, PRIVATE) {
        goes_down(&lab);
        lab.modify("connection.permissions", "user:root");
        connects(&lab);
        lab.modify("connection.permissions", "");
        step(suite, "a private profile connects");
    }

    apt(&lab, &["remove"], &NAMES.map(ToOwned::to_owned));
    drop(lab.down());
    let gone = ["nm-aws-client-vpn-service", "nm-aws-client-vpn/openvpn"];
    eventually("service and OpenVPN are gone", SOON, || {
        gone.iter()
            .all(|name| lab.client.processes_called(name).is_empty())
            .then_some(())
    });
    // Not apt's purge: of packages without configuration files it knows nothing any more.
    lab.client
        .check(["dpkg", "--purge"].into_iter().chain(NAMES));
    let kept = lab.client.check([
        "sh",
        "-c",
        "cat /etc/NetworkManager/system-connections/*.nmconnection",
    ]);
    assert!(
        kept.contains("aws-client-vpn") && kept.contains("id=base"),
        "the user's connections are gone: {kept}"
    );
    let differences: Vec<String> = Files::of(&lab)
        .differences(&before)
        .into_iter()
        .filter(|line| !is_the_users_or_the_systems(line))
        .collect();
    assert_eq!(differences, [""; 0], "purging leaves something");
    step(
        suite,
        "removed and purged: nothing is left, and the user's connections are",
    );
}

/// The release before this one is installed and connected, upgraded, and installed again: neither way
/// ends the tunnel, and the connection that it made stays good.
pub(crate) fn from_the_earlier_release_and_back(suite: &str, system: &Path) {
    let lab = lab(system);
    let built = NAMES.map(|name| packages(&format!("{name}_"))).concat();
    let earlier = NAMES
        .map(|name| packages_in("earlier", &format!("{name}_")))
        .concat();
    let installed = || {
        lab.client
            .check(["dpkg-query", "--show", "--showformat=${Version}", NAMES[0]])
    };

    apt(&lab, &["install"], &earlier);
    let version = installed();
    lab.import("udp", 443);
    connects(&lab);
    for (packages, is_earlier, what) in [
        (&built, false, "upgraded"),
        (&earlier, true, "installed over what was built"),
    ] {
        apt(&lab, &["install", "--allow-downgrades"], packages);
        assert_eq!(installed() == version, is_earlier);
        // 0.1 has no such unit.
        if !is_earlier {
            lab.client.check(["test", "-L", LIFTING]);
        }
        lab.traffic_flows();
        connects_again(&lab);
        step(
            suite,
            &format!("{version} {what} while connected: the tunnel stayed, the next one came up"),
        );
    }
}

/// The user's connection, and the copies that account programs keep of what they changed: Debian
/// lets a package's account be, locked, so that no other program gets its number.
fn is_the_users_or_the_systems(difference: &str) -> bool {
    let path = difference.split_once(": ").map_or("", |(_, path)| path);
    path.starts_with("/etc/NetworkManager/system-connections/")
        || [
            "/etc/passwd-",
            "/etc/group-",
            "/etc/shadow-",
            "/etc/gshadow-",
        ]
        .contains(&path)
}

/// As an administrator does.
pub(crate) fn switch_off(lab: &Lab, link: &str) {
    let unit = link.rsplit('/').next().unwrap_or_default();
    lab.client.check(["systemctl", "disable", unit]);
    lab.client.check(["test", "!", "-L", link]);
}

/// Runs apt-get without a network, from what the system has in its cache.
pub(crate) fn apt(lab: &Lab, command: &[&str], operands: &[String]) {
    let mut line = vec![
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-y",
    ];
    line.push("--no-install-recommends");
    line.extend(["-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root"]);
    line.extend(command);
    line.extend(operands.iter().map(String::as_str));
    lab.client.check(line);
}

/// The same packages once more with a higher version, as an upgrade brings them.
fn next_versions(lab: &Lab, built: &[String]) -> Vec<String> {
    let script = "set -e\n\
        mkdir -p /tmp/next\n\
        for deb; do\n\
          rm -rf /tmp/next/tree\n\
          dpkg-deb -R \"$deb\" /tmp/next/tree\n\
          sed -i -E 's/^(Version: .*)$/\\1+next/; s/(aws-client-vpn \\(= [^)]*)\\)/\\1+next)/' \
            /tmp/next/tree/DEBIAN/control\n\
          dpkg-deb --root-owner-group -Znone -b /tmp/next/tree \"/tmp/next/$(basename \"$deb\")\" >&2\n\
          echo \"/tmp/next/$(basename \"$deb\")\"\n\
        done\n";
    let mut line = vec!["sh", "-c", script, "next"];
    line.extend(built.iter().map(String::as_str));
    let made = lab.client.check(line);
    made.lines().map(ToOwned::to_owned).collect()
}

fn at_least(version: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = version
        .trim()
        .split('.')
        .map_while(|word| word.parse().ok());
    let found: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    found >= wanted
}
