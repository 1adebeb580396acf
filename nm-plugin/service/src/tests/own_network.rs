//! Tests on the real kernel, each in a network namespace of its own.
//!
//! A test program cannot enter one without `unsafe`, so it runs itself once more in one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::process::Command;

/// Says where the system bus is. There is none in a test's own network, until the test starts one.
pub(crate) const SYSTEM_BUS: &str = "DBUS_SYSTEM_BUS_ADDRESS";

/// Runs the test `name` of `module`, which is ignored otherwise, in a network namespace of its own.
#[track_caller]
pub(crate) fn in_its_own_network(module: &str, name: &str) {
    let own = std::env::current_exe().unwrap();
    // Not `crate::`: a test's name begins with the module.
    let module = module.split_once("::").unwrap().1;
    let run = tempfile::tempdir().unwrap();
    let bus = format!("unix:path={}", run.path().join("bus").display());
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "--"])
        .arg(own)
        .args(["--exact", "--ignored", "--nocapture"])
        .arg(format!("{module}::{name}"))
        .env(SYSTEM_BUS, bus)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{errors}"
    );
}

/// Runs a line of shell, which has to succeed.
#[track_caller]
pub(crate) fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-ec", line]).output().unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Does `what` while this process can open nothing.
pub(crate) fn without_descriptors(what: impl FnOnce()) {
    let before = getrlimit(Resource::Nofile);
    let none = Rlimit {
        current: Some(0),
        ..before
    };
    setrlimit(Resource::Nofile, none).unwrap();
    what();
    setrlimit(Resource::Nofile, before).unwrap();
}
