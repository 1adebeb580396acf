//! systemd-resolved on the client machine: Debian's own program, never installed on this one.
//!
//! Its package would take over the machine's `/etc/resolv.conf`, so it is only downloaded, and
//! unpacked into the target directory, where the client machine sees it.

use crate::process::Process;
use crate::tools::Tools;
use crate::wait::{START_LIMIT, eventually};
use crate::world::{TARGET_INSIDE, World};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// Below the target directory.
const DIRECTORY: &str = "systemd-resolved";
/// What asks no other server than those of the links, and keeps no answer of a server before.
const CONFIG: &str = "[Resolve]\nFallbackDNS=\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nCache=no\n";

/// Unpacks it, and furnishes the client for it: account, bus policy, configuration.
pub(crate) fn install(client: &World) {
    fetch();
    let unpacked = format!("{TARGET_INSIDE}/{DIRECTORY}");
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
        "{TARGET_INSIDE}/{DIRECTORY}/lib/systemd/systemd-resolved"
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

fn fetch() {
    static FETCHED: OnceLock<()> = OnceLock::new();
    FETCHED.get_or_init(|| {
        let directory = Tools::locate().target.join(DIRECTORY);
        if directory.join("lib/systemd/systemd-resolved").is_file() {
            return;
        }
        let unpacked = Command::new("sh")
            .args(["-ec", SCRIPT, "sh"])
            .arg(&directory)
            .status();
        assert!(
            unpacked.is_ok_and(|status| status.success()),
            "systemd-resolved could not be fetched from the Debian mirror into {}",
            Path::display(&directory),
        );
    });
}

/// The version has to be that of the library it shares with the rest of systemd. Unpacked beside,
/// then moved, so that whoever comes in between finds all or nothing.
const SCRIPT: &str = "\
    version=$(dpkg-query -W -f '${Version}' libsystemd-shared)\n\
    mkdir -p \"$1\"\n\
    work=$(mktemp -d \"$1.XXXXXX\")\n\
    trap 'rm -rf \"$work\"' EXIT\n\
    cd \"$work\"\n\
    apt-get download -q \"systemd-resolved=$version\"\n\
    dpkg-deb -x systemd-resolved_*.deb tree\n\
    rm -rf \"$1\"\n\
    mv tree \"$1\"\n";
