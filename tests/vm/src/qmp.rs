//! What QEMU and its guest agent speak: a JSON object on a line each way.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A line to one of them.
#[derive(Debug)]
pub(crate) struct Line {
    stream: BufReader<UnixStream>,
    /// Of a line that has not come whole.
    begun: Vec<u8>,
    /// What came unasked.
    events: Vec<Value>,
}

impl Line {
    /// Connects to the socket at `path`.
    pub(crate) fn connect(path: &Path) -> Option<Self> {
        let stream = UnixStream::connect(path).ok()?;
        Some(Self {
            stream: BufReader::new(stream),
            begun: Vec::new(),
            events: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, message: &Value) {
        let line = format!("{message}\n");
        let sent = self.stream.get_mut().write_all(line.as_bytes());
        sent.expect("QEMU takes what it is told");
    }

    /// The next object; `None` if none comes within `limit`.
    pub(crate) fn receive(&mut self, limit: Duration) -> Option<Value> {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            let stream = self.stream.get_ref();
            stream.set_read_timeout(Some(left)).expect("it can be set");
            match self.stream.read_until(b'\n', &mut self.begun) {
                Ok(0) => panic!("QEMU has ended"),
                Ok(_) if self.begun.ends_with(b"\n") => {
                    let line = std::mem::take(&mut self.begun);
                    if let Ok(value) = serde_json::from_slice(&line) {
                        return Some(value);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    let is_early =
                        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                    assert!(is_early, "QEMU has ended: {error}");
                }
            }
            if Instant::now() >= end {
                return None;
            }
        }
    }

    /// Says it, and returns what comes back; events that come between are kept.
    #[track_caller]
    pub(crate) fn call(&mut self, command: &str, arguments: &Value, limit: Duration) -> Value {
        let mut message = json!({ "execute": command });
        if !arguments.is_null() {
            message["arguments"] = arguments.clone();
        }
        self.send(&message);
        loop {
            let Some(mut answer) = self.receive(limit) else {
                panic!("{command}: no answer within {limit:?}");
            };
            if answer.get("event").is_some() {
                self.events.push(answer);
            } else if let Some(result) = answer.get_mut("return") {
                return result.take();
            } else {
                panic!("{command} {arguments}: {answer}");
            }
        }
    }

    /// The events that came and that nobody waited for.
    pub(crate) fn events(&self) -> &[Value] {
        &self.events
    }

    /// Waits for the event `name`, among those that came since the last call of this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, name: &str, limit: Duration) {
        let end = Instant::now() + limit;
        loop {
            let events = std::mem::take(&mut self.events);
            if events.iter().any(|event| event["event"] == name) {
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            let Some(event) = self.receive(left) else {
                panic!("no event {name} within {limit:?}");
            };
            self.events.push(event);
        }
    }
}
