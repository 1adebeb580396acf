//! A long path to a server.

use crate::network::Network;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

/// How long what comes back is on its way: longer than a busy machine takes between two packets.
const DELAY_MILLISECONDS: &str = "400";

/// A relay in front of a server, which delays its answers and counts what the client sends meanwhile.
#[derive(Debug)]
pub struct FarPath {
    relay: Child,
    output: BufReader<ChildStdout>,
    port: u16,
}

impl FarPath {
    /// One to the server on `server_port`, by the program `relay` (`far-path`).
    ///
    /// When it does not come up.
    pub fn to(relay: &str, server_port: u16) -> Self {
        let port = Network::shared().port();
        let mut relay = Network::shared()
            .command(Path::new(relay))
            .args([&port.to_string(), &server_port.to_string()])
            .arg(DELAY_MILLISECONDS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the relay starts");
        let output = BufReader::new(relay.stdout.take().expect("a pipe"));
        let mut path = Self {
            relay,
            output,
            port,
        };
        assert_eq!(path.line(), "ready");
        path
    }

    /// The port that clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many control packets the client had sent, at most, before an answer acknowledged one.
    ///
    /// When the relay has ended.
    pub fn most_unacknowledged(mut self) -> usize {
        drop(self.relay.stdin.take());
        self.line().parse().expect("a number")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe");
        line.trim().to_owned()
    }
}

impl Drop for FarPath {
    fn drop(&mut self) {
        let _ = self.relay.kill();
        let _ = self.relay.wait();
    }
}
