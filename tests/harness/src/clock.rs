//! The client's wall clock, which a test can let jump without touching the machine's.

use crate::world::World;
use std::fs;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = include_str!("clock.c");

/// Gives the client a clock of its own; programs that run already keep the machine's.
pub(crate) fn install(client: &World, dir: &Path) {
    let source = dir.join("clock.c");
    fs::write(&source, SOURCE).expect("the lab is writable");
    let library = dir.join("clock.so");
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(&source)
        .output()
        .expect("cc (build-essential) can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    set(client, 0);
    client.check([
        "sh",
        "-c",
        "cp /run/lab/clock.so /etc/ssl/lab-clock.so && \
         echo /etc/ssl/lab-clock.so >/etc/ld.so.preload",
    ]);
}

/// Puts it `seconds` away from the machine's.
pub(crate) fn set(client: &World, seconds: i64) {
    // Whoever reads it at this moment finds one or the other.
    let script = format!("echo {seconds} >/etc/ssl/new && mv /etc/ssl/new /etc/ssl/lab-clock");
    client.check(["sh", "-c", &script]);
}
