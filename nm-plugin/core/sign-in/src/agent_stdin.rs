//! What a secret agent writes to the dialog's standard input: the connection's settings and the
//! secrets it has, `DONE`, later `QUIT`.
//!
//! Of the secrets only those are kept that a person gives; a private key passes by.

use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// The longest line that is kept, in bytes; of a longer one nothing is.
const LINE_LIMIT: usize = 4096;
/// The most settings that are kept.
const SETTINGS_LIMIT: usize = 200;

/// A word of the agent that the dialog has to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentCommand {
    /// Settings and secrets have been sent.
    Done,
    /// The agent has its answer, or wants none any more.
    Quit,
}

/// Finds the agent's words in what it writes to the dialog, and what it tells of the connection.
///
/// Lines may have any length, and come in pieces of any length.
pub struct AgentStdin {
    line: Zeroizing<Vec<u8>>,
    is_too_long: bool,
    key: Option<Key>,
    data: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
}

enum Key {
    Data(String),
    Secret(String),
}

impl Default for AgentStdin {
    fn default() -> Self {
        Self {
            // All at once: a vector that grows leaves copies behind.
            line: Zeroizing::new(Vec::with_capacity(LINE_LIMIT)),
            is_too_long: false,
            key: None,
            data: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }
}

impl AgentStdin {
    /// Takes what was read next and returns the words that it completes, in order.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<AgentCommand> {
        let mut words = Vec::new();
        for byte in bytes {
            // libnm's own reader takes NUL for the end of a line, too.
            if matches!(byte, b'\n' | 0) {
                words.extend(self.end_of_line());
            } else if self.line.len() < LINE_LIMIT {
                self.line.push(*byte);
            } else {
                self.is_too_long = true;
            }
        }
        words
    }

    /// The settings (`vpn.data`) so far, without those that are too long for what a dialog needs.
    pub fn data(&self) -> &BTreeMap<String, String> {
        &self.data
    }

    /// The secrets so far that are [`Credential`]s.
    pub fn secrets(&self) -> &BTreeMap<String, Secret> {
        &self.secrets
    }

    fn end_of_line(&mut self) -> Option<AgentCommand> {
        let is_whole = !std::mem::take(&mut self.is_too_long);
        let word = if is_whole { self.whole_line() } else { None };
        if !is_whole {
            self.key = None;
        }
        self.line.zeroize();
        word
    }

    fn whole_line(&mut self) -> Option<AgentCommand> {
        let line = std::str::from_utf8(&self.line).ok()?;
        match line {
            "DONE" => return Some(AgentCommand::Done),
            "QUIT" => return Some(AgentCommand::Quit),
            _ => {}
        }
        let (kind, text) = line.split_once('=')?;
        match (kind, self.key.take()) {
            ("DATA_KEY", _) => self.key = Some(Key::Data(text.to_owned())),
            ("SECRET_KEY", _) => self.key = Some(Key::Secret(text.to_owned())),
            ("DATA_VAL", Some(Key::Data(key))) if self.data.len() < SETTINGS_LIMIT => {
                self.data.insert(key, text.to_owned());
            }
            ("SECRET_VAL", Some(Key::Secret(key))) if Credential::from_name(&key).is_some() => {
                self.secrets.insert(key, Secret::from(text));
            }
            _ => {}
        }
        None
    }
}

impl fmt::Debug for AgentStdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgentStdin(a line of {} bytes so far)", self.line.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_of_the_agent_are_found() {
        use AgentCommand::{Done, Quit};
        for (text, words) in [
            ("DONE\n\n", &[Done][..]),
            ("DATA_KEY=a\nDATA_VAL=DONE\n\nDONE\nQUIT\n", &[Done, Quit]),
            ("SECRET_VAL=\n=QUIT\nQUITE\nQUI\n\nQUIT", &[]),
            ("DONE\0QUIT\0", &[Done, Quit]),
        ] {
            assert_eq!(
                AgentStdin::default().push(text.as_bytes()),
                words,
                "{text:?}"
            );
        }
    }

    #[test]
    fn settings_and_what_a_person_gives_are_kept() {
        let mut lines = AgentStdin::default();
        let long = "x".repeat(LINE_LIMIT);
        let text = format!(
            "DATA_KEY=sign-in\nDATA_VAL=password\n\nDATA_KEY=ca\nDATA_VAL={long}\n\n\
             DATA_KEY=empty\nDATA_VAL=\n\nSECRET_KEY=password\nSECRET_VAL=a=b \n\n\
             SECRET_KEY=key\nSECRET_VAL=-----BEGIN\n\nDATA_VAL=lost\nSECRET_VAL=lost\nDONE\n"
        );
        assert_eq!(lines.push(text.as_bytes()), [AgentCommand::Done]);
        let data: Vec<_> = lines
            .data()
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(data, [("empty", ""), ("sign-in", "password")]);
        let secrets: Vec<_> = lines
            .secrets()
            .iter()
            .map(|(k, v)| (k.as_str(), v.expose()))
            .collect();
        assert_eq!(secrets, [("password", "a=b ")]);
        assert!(!format!("{lines:?}").contains("a=b"));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut lines = AgentStdin::default();
        let longest = "x".repeat(LINE_LIMIT - "DATA_VAL=".len());
        let text = format!("DATA_KEY=a\nDATA_VAL={longest}\nDATA_KEY=b\nDATA_VAL={longest}x\n");
        lines.push(text.as_bytes());
        assert_eq!(lines.data(), &BTreeMap::from([("a".to_owned(), longest)]));
        for number in 0..2 * SETTINGS_LIMIT {
            lines.push(format!("DATA_KEY={number}\nDATA_VAL=x\n").as_bytes());
        }
        assert_eq!(lines.data().len(), SETTINGS_LIMIT);
        lines.push(b"SECRET_VAL=hunter2");
        let shown = format!("{lines:?}");
        assert_eq!(shown, "AgentStdin(a line of 18 bytes so far)");
    }

    proptest! {
        #[test]
        fn how_the_agent_cuts_its_words_does_not_matter(
            lines in proptest::collection::vec("(DONE|QUIT|(DATA|SECRET)_(KEY|VAL)=[a-z]{0,9}|)", 0..12),
            cut in 1..9_usize,
        ) {
            let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let mut whole = AgentStdin::default();
            let words = whole.push(text.as_bytes());
            let mut pieces = AgentStdin::default();
            let found: Vec<_> =
                text.as_bytes().chunks(cut).flat_map(|piece| pieces.push(piece)).collect();
            prop_assert_eq!(found, words);
            prop_assert_eq!(pieces.data(), whole.data());
            prop_assert_eq!(pieces.secrets(), whole.secrets());
        }
    }
}
