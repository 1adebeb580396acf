//! `aws-client-vpn logs`: one connection's log, told by all programs that had a part in it.
//!
//! The journal holds the lines of NetworkManager, the service and the login dialog for all
//! connections together; a person who helps wants those of one connection's attempt, in order,
//! and must be able to paste them anywhere. So the log is cut out here, and each line passes the
//! filter for secrets once more, although none is ever logged.

mod collect;
mod entry;
mod report;
mod reporting;

pub(crate) use collect::attempt_log;
pub use collect::{LogsError, collect};
use entry::JOURNAL_FIELDS;
pub use entry::{Entry, Source, of_journal, of_network_manager_log};
pub use report::report;
pub(crate) use reporting::write_report;

use crate::when;
use aws_client_vpn_text::printable::printable;
use aws_client_vpn_text::redact::for_journal;
use std::fmt;

/// The longest line of a log, in characters.
const LINE_LIMIT: usize = 2000;

/// A connection's log.
#[derive(Debug, PartialEq, Eq)]
pub struct AttemptLog {
    /// What the reader has to know first, one line each.
    pub head: Vec<String>,
    /// In order.
    pub entries: Vec<Entry>,
}

/// The connection that was used last, if one was.
pub(crate) fn used_last(entries: &[Entry]) -> Option<&str> {
    let begins = |entry: &&Entry| entry.begins_attempt().is_some();
    entries.iter().rev().find(begins)?.connection.as_deref()
}

/// The UUID of the connection that was called `name` when it was used.
pub(crate) fn called<'a>(entries: &'a [Entry], name: &str) -> Option<&'a str> {
    let named = |entry: &&Entry| entry.begins_attempt() == Some(name);
    entries.iter().rev().find(named)?.connection.as_deref()
}

/// Cuts the log of the connection `uuid` out: of its last attempt, or of all.
#[must_use]
pub fn cut(entries: Vec<Entry>, uuid: &str, all: bool) -> Vec<Entry> {
    let is_ours = |entry: &Entry| entry.connection.as_deref() == Some(uuid);
    // One process of the service serves one attempt; its first lines may not name the connection.
    let processes: Vec<u32> = entries
        .iter()
        .filter(|entry| entry.source == Source::Service && is_ours(entry))
        .filter_map(|entry| entry.process)
        .collect();
    let tells = |entry: &Entry| match entry.source {
        Source::Service => {
            is_ours(entry)
                || entry
                    .process
                    .is_some_and(|process| processes.contains(&process))
        }
        Source::NetworkManager => is_ours(entry),
        // They know no connection: what they say belongs to the attempt that runs.
        Source::Dialog | Source::Agent => true,
    };
    let mut log: Vec<Entry> = entries.into_iter().filter(tells).collect();
    let begins = |entry: &Entry| entry.begins_attempt().is_some();
    // Before the first attempt, a dialog's words are another connection's.
    let first = log.iter().position(Entry::is_of_system);
    log.drain(..first.unwrap_or(log.len()));
    if !all && let Some(last) = log.iter().rposition(begins) {
        // NetworkManager says a few words before the service does; they begin after the last
        // words of the service on the attempt before.
        let before = log[..last]
            .iter()
            .rposition(|entry| entry.source == Source::Service);
        let start = before.map_or(0, |before| before + 1);
        log.drain(..start);
    }
    log
}

impl fmt::Display for AttemptLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.head {
            writeln!(f, "# {}", shown(line))?;
        }
        for entry in &self.entries {
            if let Some(micros) = entry.time {
                let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
                let time = when::utc(seconds);
                let time = time.trim_end_matches(" UTC");
                write!(f, "{time}.{:03} ", rest / 1000)?;
            }
            writeln!(f, "{:<8} {}", entry.source.word(), shown(&entry.text))?;
        }
        Ok(())
    }
}

/// A line as it may be seen by anybody.
fn shown(line: &str) -> String {
    let line = printable(line);
    let line = for_journal(&line);
    match line.char_indices().nth(LINE_LIMIT) {
        Some((cut, _)) => format!("{} […]", &line[..cut]),
        None => line.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_text::printable::is_control;

    fn entry(source: Source, process: u32, connection: Option<&str>, text: &str) -> Entry {
        Entry {
            time: None,
            source,
            process: Some(process),
            connection: connection.map(str::to_owned),
            attempt: None,
            is_of_endpoint: false,
            text: text.to_owned(),
        }
    }

    fn begins(process: u32, connection: &str, name: &str) -> Entry {
        let text = format!("connecting \"{name}\" to host");
        Entry {
            attempt: Some(name.to_owned()),
            ..entry(Source::Service, process, Some(connection), &text)
        }
    }

    fn two_attempts() -> Vec<Entry> {
        use Source::{Dialog, NetworkManager, Service};
        vec![
            entry(Dialog, 4, None, "of somebody else before"),
            entry(NetworkManager, 1, Some("a"), "starting"),
            entry(Service, 10, None, "first words"),
            begins(10, "a", "work"),
            entry(Dialog, 11, None, "opening the browser"),
            begins(20, "b", "home"),
            entry(Service, 10, Some("a"), "disconnected"),
            entry(NetworkManager, 1, Some("a"), "starting again"),
            entry(NetworkManager, 1, Some("b"), "not ours"),
            begins(30, "a", "work"),
            entry(Service, 30, None, "last words"),
        ]
    }

    fn texts(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.text.as_str()).collect()
    }

    #[test]
    fn the_last_attempt_is_the_story() {
        let log = cut(two_attempts(), "a", false);
        assert_eq!(
            texts(&log),
            [
                "starting again",
                "connecting \"work\" to host",
                "last words"
            ]
        );
    }

    #[test]
    fn all_attempts_of_one_connection_leave_those_of_others_out() {
        let log = cut(two_attempts(), "a", true);
        assert_eq!(
            texts(&log),
            [
                "starting",
                "first words",
                "connecting \"work\" to host",
                "opening the browser",
                "disconnected",
                "starting again",
                "connecting \"work\" to host",
                "last words"
            ]
        );
        assert_eq!(texts(&cut(two_attempts(), "c", true)), [""; 0]);
    }

    #[test]
    fn a_connection_is_found_by_its_name_and_by_its_last_use() {
        let entries = two_attempts();
        assert_eq!(used_last(&entries), Some("a"));
        assert_eq!(called(&entries, "home"), Some("b"));
        assert_eq!(called(&entries, "a"), None);
    }

    #[test]
    fn a_story_shows_no_secret_and_no_control_character() {
        let line = "AUTH_FAILED,CRV1:R:c2VjcmV0:bmFtZQ==:https://idp/";
        let log = AttemptLog {
            head: vec!["work\u{7}".to_owned()],
            entries: vec![
                Entry {
                    time: Some(1_795_539_601_234_567),
                    ..entry(Source::Service, 1, None, line)
                },
                entry(Source::Dialog, 1, None, "SAMLResponse=PHNhbWw+\u{1b}[2J\nx"),
                entry(Source::Service, 1, None, &"x".repeat(10_000)),
            ],
        };
        let text = log.to_string();
        assert!(
            !text.contains("c2VjcmV0") && !text.contains("PHNhbWw"),
            "{text}"
        );
        assert!(text.starts_with("# work \n2026-11-24 17:00:01.234 service "));
        assert_eq!(text.lines().count(), 4);
        assert!(
            text.lines()
                .all(|line| line.chars().count() < LINE_LIMIT + 20)
        );
        assert!(!text.replace('\n', "").contains(is_control));
    }
}
