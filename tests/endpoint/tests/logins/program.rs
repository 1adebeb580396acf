//! The program: what it says, and that it leaves nothing behind.

use crate::machine::{Network, built};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

#[test]
fn the_program_says_when_it_is_ready_and_leaves_nothing_behind() {
    let network = Network::new();
    let server = built("openvpn-server/openvpn");
    let mut child = Command::new("ip")
        .args([
            "netns",
            "exec",
            network.name(),
            env!("CARGO_BIN_EXE_aws-client-vpn-endpoint"),
        ])
        .arg("--openvpn")
        .arg(&server)
        .args(["--port", "443", "--inside", "10.99.0.2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap();
    let ready = next();
    assert_eq!(ready["event"], "ready");
    let profile = ready["profile"].as_str().unwrap().to_owned();
    assert!(
        std::fs::read_to_string(&profile)
            .unwrap()
            .contains("auth-federate")
    );
    assert_eq!(
        processes_in(network.name()),
        5,
        "the program and 2 nodes × 2 transports"
    );
    let mut input = child.stdin.take().unwrap();
    for (command, answer) in [
        (r#"{"stop_node": 2}"#, "node-stopped"),
        ("nonsense", "command-failed"),
        (r#"{"start_node": 3}"#, "command-failed"),
    ] {
        writeln!(input, "{command}").unwrap();
        while next()["event"] != answer {}
    }
    drop(input);
    let end = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        assert!(
            Instant::now() < end,
            "the end of its input ends the program"
        );
        std::thread::sleep(PAUSE);
    }
    while processes_in(network.name()) > 0 {
        assert!(Instant::now() < end, "its servers end with it");
        std::thread::sleep(PAUSE);
    }
    assert!(!Path::new(&profile).exists());
}

fn processes_in(network: &str) -> usize {
    let output = Command::new("ip")
        .args(["netns", "pids", network])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().lines().count()
}
