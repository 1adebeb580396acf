//! The other end of an OpenVPN's management interface.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Nothing that a test waits for takes so long.
const PATIENCE: Duration = Duration::from_secs(180);

/// A connection to one OpenVPN.
#[derive(Debug)]
pub struct Management {
    reader: BufReader<UnixStream>,
    name: String,
}

impl Management {
    pub(crate) fn new(stream: UnixStream, name: String) -> Self {
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a socket has a timeout");
        Self {
            reader: BufReader::new(stream),
            name,
        }
    }

    /// Sends one command; the newline is added.
    ///
    /// When OpenVPN is gone.
    pub fn send(&mut self, command: &str) {
        let mut line = command.as_bytes().to_vec();
        line.push(b'\n');
        self.reader
            .get_mut()
            .write_all(&line)
            .unwrap_or_else(|error| panic!("{} takes no command: {error}", self.name));
    }

    /// The next line, without its end.
    ///
    /// When OpenVPN is gone, or says nothing for 40 seconds.
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        let read = self.reader.read_until(b'\n', &mut line);
        assert!(
            matches!(read, Ok(1..)),
            "{} says nothing more: {read:?}",
            self.name
        );
        String::from_utf8_lossy(&line).trim_end().to_owned()
    }

    /// The next line that begins with `start`; those before it are dropped.
    pub fn wait(&mut self, start: &str) -> String {
        self.wait_any(&[start])
    }

    /// The next line that begins with one of `starts`; those before it are dropped.
    ///
    /// As [`Management::line`], and when OpenVPN ends in a fatal error.
    pub fn wait_any(&mut self, starts: &[&str]) -> String {
        loop {
            let line = self.line();
            if starts.iter().any(|start| line.starts_with(start)) {
                return line;
            }
            assert!(
                !line.starts_with(">FATAL"),
                "{} ended while waiting for {starts:?}: {line}",
                self.name
            );
        }
    }

    /// The answer to the command that was sent last: its `SUCCESS:` or `ERROR:` line.
    pub fn answer(&mut self) -> String {
        self.wait_any(&["SUCCESS:", "ERROR:"])
    }

    /// Waits for a state of the process, such as `CONNECTED`.
    pub fn wait_state(&mut self, state: &str) -> String {
        loop {
            let line = self.wait(">STATE:");
            if line.split(',').nth(1) == Some(state) {
                return line;
            }
        }
    }

    /// Waits for the question for a user name and a password, and answers it; the answer to
    /// the password.
    pub fn sign_in(&mut self, user: &str, password: &str) -> String {
        self.wait(">PASSWORD:Need 'Auth'");
        self.enter(user, password)
    }

    /// Enters a user name and a password; the answer to the latter.
    ///
    /// When the name is refused.
    pub fn enter(&mut self, user: &str, password: &str) -> String {
        self.send(&format!("username \"Auth\" {}", quote(user)));
        let answer = self.answer();
        assert!(answer.starts_with("SUCCESS:"), "{answer}");
        self.send(&format!("password \"Auth\" {}", quote(password)));
        self.answer()
    }

    /// Waits for a client of this server: its number, the number of its key, its environment.
    ///
    /// When the server says something that `management-notes.txt` does not have.
    pub fn client(&mut self) -> (String, String, Vec<String>) {
        let line = self.wait_any(&[">CLIENT:CONNECT,", ">CLIENT:REAUTH,"]);
        let mut words = line.split(',').skip(1);
        let (client, key) = (words.next(), words.next());
        let (client, key) = (client.expect("a client"), key.expect("a key"));
        let mut environment = Vec::new();
        loop {
            let line = self.wait(">CLIENT:ENV,");
            match &line[">CLIENT:ENV,".len()..] {
                "END" => return (client.to_owned(), key.to_owned(), environment),
                variable => environment.push(variable.to_owned()),
            }
        }
    }
}

/// A parameter of a command: quoted, with `\` and `"` escaped.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
