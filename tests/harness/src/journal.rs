//! The real systemd-journald on the client machine, which keeps what its programs say in memory.

use crate::process::Process;
use crate::wait::{START_LIMIT, eventually};
use crate::world::World;

/// The machine's own kernel says nothing to it, and it switches nothing in there.
const CONFIG: &str = "[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=\n";

/// Starts it, with the control groups that it looks its clients up in; returns when it listens.
pub(crate) fn start(client: &World) -> Process {
    client.check([
        "sh",
        "-ec",
        &format!(
            "mount -t cgroup2 -o ro cgroup2 /sys/fs/cgroup\n\
             mkdir -p /etc/systemd /run/systemd/journal /run/log/journal\n\
             printf '{CONFIG}' >/etc/systemd/journald.conf"
        ),
    ]);
    let command = client.command("/lib/systemd/systemd-journald");
    let process = client.spawn_logged("systemd-journald", command);
    let socket = client.root().join("run/systemd/journal/socket");
    eventually("systemd-journald listens", START_LIMIT, || {
        socket.exists().then_some(())
    });
    process
}
