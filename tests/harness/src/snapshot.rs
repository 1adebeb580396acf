//! What is on the client machine at one moment, to compare with later: nothing may be left of a
//! connection that is down.

use crate::world::World;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Processes that come and go by themselves: the harness's, NetworkManager's dispatcher, and what a bus
/// starts in the place of a service that only systemd can start.
const PASSING_PROCESSES: [&str; 6] = [
    "nsenter",
    "nm-dispatcher",
    "/run/lab-programs/lab-tool",
    "nmcli",
    "dbus-daemon-launch-helper",
    "/bin/false",
];
/// Directories where programs leave files; the rest of the machine is read-only or shown by
/// `overlay/etc`, which holds what was changed below `/etc`.
const WRITABLE: [&str; 6] = [
    "run",
    "tmp",
    "var/tmp",
    "var/lib/NetworkManager",
    "dev/shm",
    "run/overlay/etc",
];
/// What NetworkManager and the service keep, whether or not a VPN is up, and what is the harness's.
const KEPT: [&str; 14] = [
    // For the person who asked, until the next attempt.
    "run/nm-aws-client-vpn/last-failure",
    "run/lab",
    "run/lab-programs",
    "run/lab-target",
    "run/overlay",
    "run/home",
    "run/NetworkManager/devices",
    "run/systemd/resolve",
    "run/NetworkManager/resolv.conf",
    "run/NetworkManager/no-stub-resolv.conf",
    "var/lib/NetworkManager/timestamps",
    "var/lib/NetworkManager/seen-bssids",
    "var/lib/NetworkManager/NetworkManager.state",
    "var/lib/NetworkManager/NetworkManager-intern.conf",
];

/// Everything that a connection may leave behind, one line for each thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeSet<String>);

impl Snapshot {
    /// Looks at `client`.
    #[must_use]
    pub fn of(client: &World) -> Self {
        let mut things = BTreeSet::new();
        for pid in client.processes() {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let passing = PASSING_PROCESSES.iter().any(|name| {
                let program = line.split(' ').next().unwrap_or_default();
                program == *name || program.ends_with(&format!("/{name}"))
            });
            if !passing && !line.is_empty() {
                things.insert(format!("process {line}"));
            }
        }
        for (kind, command) in [
            ("link", "ip -brief link | cut -d' ' -f1"),
            ("address", "ip -oneline address | awk '{print $2, $3, $4}'"),
            (
                "route",
                "ip -4 route show table all; ip -6 route show table all",
            ),
            ("rule", "ip -4 rule; ip -6 rule"),
            ("DNS entry", "cat /etc/resolv.conf"),
            ("packet filter", "nft list tables 2>/dev/null || true"),
        ] {
            for line in client.check(["sh", "-c", command]).lines() {
                things.insert(format!("{kind} {}", line.trim()));
            }
        }
        let root = client.root();
        for directory in WRITABLE {
            list(&root, directory, &mut things);
        }
        Self(things)
    }

    /// What is here and was not there in `earlier`, and the other way round.
    #[must_use]
    pub fn differences(&self, earlier: &Self) -> Vec<String> {
        let left = self
            .0
            .difference(&earlier.0)
            .map(|thing| format!("left: {thing}"));
        let lost = earlier
            .0
            .difference(&self.0)
            .map(|thing| format!("missing: {thing}"));
        left.chain(lost).collect()
    }
}

fn list(root: &Path, directory: &str, things: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(root.join(directory)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
        if KEPT.contains(&path.as_str()) {
            continue;
        }
        things.insert(format!("file /{path}"));
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(root, &path, things);
        }
    }
}
