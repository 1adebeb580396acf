//! What becomes of what a command prints.

use std::fs::File;
use std::io::Write;
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
