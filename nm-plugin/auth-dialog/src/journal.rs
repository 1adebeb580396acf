//! What the dialog has to say to whoever looks for a fault: the journal, or standard error.
//!
//! The journal's socket takes one datagram of `NAME=value` lines (systemd, "Native Journal
//! Protocol"). Writing it takes less time than starting a logging framework, and the browser is
//! what the user waits for. A message never holds anything of a login but the names of programs.

use aws_client_vpn_text::printable::printable;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::unix::net::UnixDatagram;

const SOCKET: &str = "/run/systemd/journal/socket";
const IDENTIFIER: &str = "nm-aws-client-vpn-auth-dialog";

/// Where messages go.
#[derive(Debug)]
pub(crate) struct Journal {
    socket: Option<UnixDatagram>,
    stderr: Option<File>,
}

/// How much a message matters, as syslog counts.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Priority {
    /// Something does not work.
    Error = 3,
    /// A step of the login.
    Info = 6,
}

impl Journal {
    /// Opens the journal; `stderr` is used where there is none, and for a person at a terminal.
    pub(crate) fn open(stderr: Option<File>) -> Self {
        let socket = UnixDatagram::unbound().and_then(|socket| {
            socket.connect(SOCKET)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let socket = socket.ok();
        let stderr = stderr.filter(|stderr| socket.is_none() || stderr.is_terminal());
        Self { socket, stderr }
    }

    /// Tells that something does not work.
    pub(crate) fn error(&self, text: &str) {
        self.write(Priority::Error, text);
    }

    /// Tells a step of the login.
    pub(crate) fn info(&self, text: &str) {
        self.write(Priority::Info, text);
    }

    /// A message that cannot be written is lost: there is nobody to tell.
    fn write(&self, priority: Priority, text: &str) {
        let text = printable(text);
        if let Some(socket) = &self.socket {
            drop(socket.send(entry(priority, &text).as_bytes()));
        }
        if let Some(mut stderr) = self.stderr.as_ref() {
            drop(stderr.write_all(format!("{IDENTIFIER}: {text}\n").as_bytes()));
        }
    }
}

fn entry(priority: Priority, line: &str) -> String {
    let priority = priority as u8;
    format!("PRIORITY={priority}\nSYSLOG_IDENTIFIER={IDENTIFIER}\nMESSAGE={line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_lines_of_fields() {
        assert_eq!(
            entry(Priority::Error, "no browser"),
            "PRIORITY=3\nSYSLOG_IDENTIFIER=nm-aws-client-vpn-auth-dialog\nMESSAGE=no browser\n"
        );
    }
}
