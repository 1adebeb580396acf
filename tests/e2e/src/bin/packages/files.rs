//! All files of a machine, to tell what a package has left behind.

use aws_client_vpn_harness::Lab;
use std::collections::BTreeSet;

/// What changes on its own or is the package programs' and systems' book-keeping.
const PASSING: [&str; 14] = [
    "/proc/",
    "/sys/",
    "/dev/",
    "/tmp/",
    "/var/tmp/",
    "/run/",
    "/var/lib/dpkg/",
    "/var/lib/apt/",
    "/var/lib/NetworkManager/",
    "/var/cache/",
    "/var/log/",
    "/etc/ld.so.cache",
    "/etc/.pwd.lock",
    "/usr/share/mime/",
];

/// The paths of all files and directories.
#[derive(Debug)]
pub(crate) struct Files(BTreeSet<String>);

impl Files {
    pub(crate) fn of(lab: &Lab) -> Self {
        let script = "find / -path /proc -prune -o -path /sys -prune -o -path /dev -prune \
                      -o -path /run -prune -o -print 2>/dev/null; find /run/nm-aws* 2>/dev/null; true";
        let all = lab.client.check(["sh", "-c", script]);
        let kept = |path: &&str| !PASSING.iter().any(|passing| path.starts_with(passing));
        Self(all.lines().filter(kept).map(ToOwned::to_owned).collect())
    }

    /// What is here and was not there in `earlier`, and the other way round.
    pub(crate) fn differences(&self, earlier: &Self) -> Vec<String> {
        let left = self
            .0
            .difference(&earlier.0)
            .map(|path| format!("left: {path}"));
        let lost = earlier
            .0
            .difference(&self.0)
            .map(|path| format!("missing: {path}"));
        left.chain(lost).collect()
    }
}
