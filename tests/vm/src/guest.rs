//! QEMU's agent in the virtual machine, which runs commands there.

use crate::qmp::Line;
use aws_client_vpn_harness::wait_for;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// How long the agent may take for an answer: two processors that are computed, on a busy computer.
const ANSWER: Duration = Duration::from_secs(120);
/// How often it is asked whether it is there.
const TRY: Duration = Duration::from_secs(3);

/// Lets a moment pass before the next look: looking takes the machine time that it needs itself.
pub(crate) fn rest<T>() -> Option<T> {
    std::thread::sleep(Duration::from_millis(500));
    None
}

/// The agent.
#[derive(Debug)]
pub(crate) struct Guest {
    socket: PathBuf,
    line: Option<Line>,
    last: u64,
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i64,
    pub(crate) output: String,
}

impl Guest {
    pub(crate) fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            line: None,
            last: 0,
        }
    }

    /// Waits until it answers; it forgets what was asked before the machine booted.
    #[track_caller]
    pub(crate) fn wait(&mut self, limit: Duration) {
        let there = wait_for(limit, || {
            let line = match &mut self.line {
                Some(line) => line,
                None => self.line.insert(Line::connect(&self.socket)?),
            };
            self.last += 1;
            line.send(&json!({ "execute": "guest-sync", "arguments": { "id": self.last } }));
            // Answers to what was asked before may come first.
            while let Some(answer) = line.receive(TRY) {
                if answer["return"] == self.last {
                    return Some(());
                }
            }
            None
        });
        assert!(
            there.is_some(),
            "the machine does not answer within {limit:?}"
        );
    }

    /// Has shell run as root that ends the agent, too: nothing is heard of it.
    #[track_caller]
    pub(crate) fn start(&mut self, script: &str) {
        let line = self.line.as_mut().expect("the machine was waited for");
        line.send(&json!({ "execute": "guest-exec", "arguments": shell(script) }));
    }

    /// Runs shell as root, to its end.
    #[track_caller]
    pub(crate) fn run(&mut self, script: &str, limit: Duration) -> Outcome {
        let line = self.line.as_mut().expect("the machine was waited for");
        let pid = line.call("guest-exec", &shell(script), ANSWER)["pid"].clone();
        let ended = wait_for(limit, || {
            let status = line.call("guest-exec-status", &json!({ "pid": pid }), ANSWER);
            (status["exited"] == true).then_some(status).or_else(rest)
        });
        let Some(status) = ended else {
            panic!("not within {limit:?}: {script}");
        };
        let output = status["out-data"].as_str().unwrap_or_default();
        let output = BASE64_STANDARD.decode(output).unwrap_or_default();
        Outcome {
            // A signal ended it otherwise.
            code: status["exitcode"].as_i64().unwrap_or(-1),
            output: String::from_utf8_lossy(&output).into_owned(),
        }
    }
}

/// What the agent is told to run.
fn shell(script: &str) -> Value {
    json!({
        "path": "/bin/sh", "arg": ["-c", format!("exec 2>&1\n{script}")],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME=/root", "LANG=C.UTF-8"],
        "capture-output": true,
    })
}
