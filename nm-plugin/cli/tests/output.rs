//! What becomes of what a command prints.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// As with `aws-client-vpn export NAME >file`.
#[test]
fn a_full_disk_is_no_success() {
    let mut log = tempfile::NamedTempFile::new().unwrap();
    let line = "nm_aws_client_vpn_service::activation: connecting \"work\" to host \
                NM_AWS_CLIENT_VPN_ATTEMPT=\"work\" NM_CONNECTION=6a1e2f0c-3d4b-4a5c-9e8f-0123456789ab";
    writeln!(log, " INFO {line}").unwrap();
    let logs = |stdout: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aws-client-vpn"));
        command.env("LC_ALL", "C");
        command.args(["logs", "--file"]).arg(log.path());
        command.stdout(stdout).output().unwrap()
    };
    let fine = logs(Stdio::piped());
    assert!(fine.status.success() && !fine.stdout.is_empty(), "{fine:?}");
    let full = File::options().write(true).open("/dev/full").unwrap();
    let full = logs(full.into());
    let said = String::from_utf8_lossy(&full.stderr);
    assert!(said.contains("The output cannot be written: "), "{said}");
    assert_eq!(full.status.code(), Some(1));
}

fn without_a_bus(arguments: &[&str], directory: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aws-client-vpn"));
    command.env("LC_ALL", "C").env("HOME", "/nowhere");
    command.env("XDG_CONFIG_HOME", ".");
    command.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus");
    let output = command.args(arguments).current_dir(directory).output();
    let said = output.expect("the command").stderr;
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_missing_bus_is_told_once_with_what_to_do() {
    let said = without_a_bus(&["list"], Path::new("/"));
    assert!(said.contains("systemctl status dbus"), "{said}");
    assert_eq!(said.matches("No such file").count(), 1, "{said}");
}

#[test]
fn the_current_directory_is_no_home() {
    let directory = tempfile::tempdir().unwrap();
    let profiles = directory.path().join("AWSVPNClient/OpenVpnConfigs");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("work"), "client").unwrap();
    let import = ["import", "--from-aws-client", "--dry-run"];
    let said = without_a_bus(&import, directory.path());
    assert!(said.contains("/nowhere/.config/AWSVPNClient"), "{said}");
}
