//! systemd-resolved on the client machine: Debian's own program, never installed on this one.
//!
//! Its package would take over the machine's `/etc/resolv.conf`.

use crate::debian_package;
use crate::process::Process;
use crate::wait::{START_LIMIT, eventually};
use crate::world::{TARGET_INSIDE, World};

/// The package, and its directory below the target directory.
const PACKAGE: &str = "systemd-resolved";
/// It has to be that of the library which it shares with the rest of systemd.
const VERSION: &str = "dpkg-query -W -f '${Version}' libsystemd-shared";
/// What asks no other server than those of the links, and keeps no answer of a server before.
const CONFIG: &str = "[Resolve]\nFallbackDNS=\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nCache=no\n";

/// Unpacks it, and furnishes the client for it: account, bus policy, configuration.
pub(crate) fn install(client: &World) {
    debian_package::unpack(PACKAGE, Some(VERSION));
    let unpacked = format!("{TARGET_INSIDE}/{PACKAGE}");
    client.check([
        "sh",
        "-ec",
        &format!(
            "systemd-sysusers {unpacked}/usr/lib/sysusers.d/systemd-resolve.conf\n\
             install -D -m 644 -t /etc/dbus-1/system.d \
             {unpacked}/usr/share/dbus-1/system.d/org.freedesktop.resolve1.conf\n\
             mkdir -p /etc/systemd\n\
             printf '{CONFIG}' >/etc/systemd/resolved.conf\n\
             install -d -m 755 /run/systemd"
        ),
    ]);
}

/// Starts it; returns when it is on the bus.
pub(crate) fn start(client: &World) -> Process {
    let command = client.command(&format!(
        "{TARGET_INSIDE}/{PACKAGE}/lib/systemd/systemd-resolved"
    ));
    let process = client.spawn_logged("systemd-resolved", command);
    let owned = "org.freedesktop.DBus.GetNameOwner";
    eventually("systemd-resolved is there", START_LIMIT, || {
        let output = client.run([
            "dbus-send",
            "--system",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/org/freedesktop/DBus",
            owned,
            "string:org.freedesktop.resolve1",
        ]);
        output.status.success().then_some(())
    });
    process
}
