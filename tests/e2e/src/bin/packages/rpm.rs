//! The RPM package, put on a system by rpm itself: its scriptlet runs, its files work, and it goes
//! without a trace. The system is Debian's, so rpm is told not to look for what the package needs;
//! packaging/rpm/check.sh looks at that.

use crate::deb::apt;
use crate::files::Files;
use crate::{connects, lab, packages, step};
use std::path::Path;

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
    let mut line = vec!["rpm", "--install", "--nodeps"];
    let main = packages("NetworkManager-aws-client-vpn-");
    line.extend(main.iter().chain(&rpms).map(String::as_str));
    lab.client.check(line);
    let account = lab.client.check(["getent", "passwd", "nm-aws-client-vpn"]);
    assert!(account.contains("nologin"), "{account}");
    lab.client.check(["test", "-d", "/run/nm-aws-client-vpn"]);
    step(
        suite,
        "rpm has installed the packages, and the scriptlet has made the account",
    );

    // libnm looks in Debian's folder here; on an rpm system it is the package's own.
    let library = "NetworkManager/libnm-vpn-plugin-aws-client-vpn.so";
    let link = format!("/usr/lib/x86_64-linux-gnu/{library}");
    lab.client
        .check(["ln", "-s", &format!("/usr/lib64/{library}"), &link]);
    lab.import("tcp", 1194);
    connects(&lab);
    let down = lab.down();
    assert!(down.status.success(), "nmcli failed:\n{}", lab.journal());
    lab.client.check(["rm", &link]);
    step(
        suite,
        "the programs of the RPM packages import, sign in and connect",
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
        .filter(|line| !line.contains("system-connections/") && !line.contains("/var/lib/rpm"))
        .collect();
    assert_eq!(differences, [""; 0], "erasing leaves something");
    step(suite, "erased: nothing is left");
}
