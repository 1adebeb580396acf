//! The RPM packages, put on a system by rpm itself: the scriptlets run, the files work, a fleet's
//! package brings its connection, and all go without a trace. The system is Debian's, so rpm is told
//! not to look for what the packages need; packaging/rpm/check.sh looks at that.

use crate::deb::{AGENT, LIFTING, apt, switch_off};
use crate::files::Files;
use crate::fleet::{connection_data, made};
use crate::{connects, goes_down, lab, packages, step};
use aws_client_vpn_harness::Lab;
use std::path::Path;

const DIRECTORIES_OF_OTHERS: [&str; 13] = [
    "/etc/xdg",
    "/etc/xdg/autostart",
    "/usr/lib64/NetworkManager",
    "/usr/share/applications",
    "/usr/share/icons",
    "/usr/share/icons/hicolor",
    "/usr/share/icons/hicolor/scalable",
    "/usr/share/icons/hicolor/scalable/apps",
    "/usr/share/icons/hicolor/symbolic",
    "/usr/share/icons/hicolor/symbolic/apps",
    "/usr/share/licenses",
    "/usr/share/metainfo",
    "/usr/share/mime",
];

pub(crate) fn life_of_the_package(suite: &str, system: &Path) {
    let lab = lab(system);
    apt(&lab, &["install"], &["rpm".to_owned()]);
    // What OpenVPN links with comes with the Debian package and stays when that goes.
    let debs = packages("network-manager-aws-client-vpn_");
    apt(&lab, &["install"], &debs);
    apt(
        &lab,
        &["purge"],
        &["network-manager-aws-client-vpn".to_owned()],
    );
    lab.client.check(["userdel", "nm-aws-client-vpn"]);
    let before = Files::of(&lab);

    let rpms = packages("NetworkManager-aws-client-vpn-gnome-");
    let both = [packages("NetworkManager-aws-client-vpn-"), rpms].concat();
    rpm(&lab, &["--install"], &both);
    let account = lab.client.check(["getent", "passwd", "nm-aws-client-vpn"]);
    assert!(account.contains("nologin"), "{account}");
    lab.client.check(["test", "-d", "/run/nm-aws-client-vpn"]);
    // Debian has no presets: systemd takes everything to be wanted.
    for link in [AGENT, LIFTING] {
        lab.client.check(["test", "-L", link]);
    }
    step(
        suite,
        "rpm has installed the packages, and the scriptlet has made the account",
    );

    // libnm looks in Debian's directory here; on an rpm system it is the package's own.
    let library = "NetworkManager/libnm-vpn-plugin-aws-client-vpn.so";
    let link = format!("/usr/lib/x86_64-linux-gnu/{library}");
    lab.client
        .check(["ln", "-s", &format!("/usr/lib64/{library}"), &link]);
    lab.import("tcp", 1194);
    connects(&lab);
    switch_off(&lab, LIFTING);
    rpm(&lab, &["--upgrade", "--replacepkgs"], &both);
    lab.client.check(["test", "!", "-L", LIFTING]);
    lab.traffic_flows();
    goes_down(&lab);
    step(
        suite,
        "the programs of the RPM packages import, sign in and connect, and are replaced meanwhile; what is off stays off",
    );

    lab.client.check(["nmcli", "connection", "delete", "vpn"]);
    rpm(&lab, &["--install"], &[made(&lab, "udp-443", "rpm", "1")]);
    connects(&lab);
    goes_down(&lab);
    rpm(&lab, &["--upgrade"], &[made(&lab, "tcp-1194", "rpm", "2")]);
    let data = connection_data(&lab);
    assert!(data.contains("1194 tcp"), "{data}");
    lab.client
        .check(["rpm", "--erase", "aws-client-vpn-profile-vpn"]);
    let names = lab
        .client
        .check(["nmcli", "-g", "NAME", "connection", "show"]);
    assert!(!names.lines().any(|name| name == "vpn"), "{names}");
    lab.client.check(["rm", &link]);
    step(
        suite,
        "a fleet's RPM package brings a connection, which connects, and goes with it",
    );

    lab.client.check([
        "rpm",
        "--erase",
        "NetworkManager-aws-client-vpn-gnome",
        "NetworkManager-aws-client-vpn",
    ]);
    let differences: Vec<String> = Files::of(&lab)
        .differences(&before)
        .into_iter()
        .filter(|line| !is_the_users_or_the_systems(line))
        .collect();
    assert_eq!(differences, [""; 0], "erasing leaves something");
    step(suite, "erased: nothing is left");
}

/// The user's connection, rpm's book-keeping, and directories that belong to other packages on a system
/// that rpm made: NetworkManager, filesystem, hicolor-icon-theme and shared-mime-info.
fn is_the_users_or_the_systems(difference: &str) -> bool {
    let path = difference.split_once(": ").map_or("", |(_, path)| path);
    path.starts_with("/etc/NetworkManager/system-connections/")
        || path.starts_with("/root/.rpmdb")
        || path.starts_with("/var/lib/rpm")
        || DIRECTORIES_OF_OTHERS.contains(&path)
}

fn rpm(lab: &Lab, command: &[&str], files: &[String]) {
    let mut line = vec!["rpm", "--nodeps"];
    line.extend(command);
    line.extend(files.iter().map(String::as_str));
    lab.client.check(line);
}
