//! Values in a line: tabs between them, and what would break the line written as in C.

use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_text::secret::Secret;
use std::fmt;
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest line: an address may have many thousand bytes.
const LINE_LIMIT: usize = 512 * 1024;

/// The other end sends a line without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a line of over {LINE_LIMIT} bytes")]
pub struct TooLong;

/// `values` as a line.
pub(crate) fn encode<'a>(values: impl IntoIterator<Item = &'a str> + Clone) -> Secret {
    // Reserved at once, so that growing leaves no copy of a password behind.
    let most = values.clone().into_iter().map(|value| 2 * value.len() + 1);
    let mut line = String::with_capacity(most.sum());
    for (place, value) in values.into_iter().enumerate() {
        if place > 0 {
            line.push('\t');
        }
        for character in value.chars() {
            match character {
                '\\' => line.push_str("\\\\"),
                '\t' => line.push_str("\\t"),
                '\n' => line.push_str("\\n"),
                other => line.push(other),
            }
        }
    }
    line.push('\n');
    Secret::new(line)
}

/// The values of a line; `None` if it was not made by [`encode`].
pub(crate) fn decode(line: &Secret) -> Option<Vec<Secret>> {
    line.expose().split('\t').map(value).collect()
}

/// Names of credentials and their values, as they follow each other.
pub(crate) fn pairs(values: &[&str]) -> Option<Vec<(Credential, Secret)>> {
    let pair = |pair: &[&str]| match pair {
        [name, value] => Some((Credential::from_name(name)?, Secret::from(*value))),
        _ => None,
    };
    values.chunks(2).map(pair).collect()
}

fn value(text: &str) -> Option<Secret> {
    let mut value = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        value.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                _ => return None,
            },
            other => other,
        });
    }
    Some(Secret::new(std::mem::take(&mut *value)))
}

/// Puts together lines from what is read piece by piece.
#[derive(Default)]
pub struct Lines {
    unfinished: Zeroizing<Vec<u8>>,
}

impl Lines {
    /// Takes what was read next and returns the lines that it completes, without their ends. A line
    /// that is not UTF-8 is left out. After [`TooLong`], nothing more can be read from there.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Secret>, TooLong> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.extend(piece)?;
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.unfinished);
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                lines.extend(std::str::from_utf8(line).ok().map(Secret::from));
            }
        }
        Ok(lines)
    }

    /// As `extend_from_slice`, with a limit.
    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let length = self.unfinished.len() + bytes.len();
        if length > LINE_LIMIT {
            return Err(TooLong);
        }
        self.make_room(length);
        self.unfinished.extend_from_slice(bytes);
        Ok(())
    }

    /// A vector that grows leaves its old bytes behind; here, they are wiped.
    fn make_room(&mut self, length: usize) {
        if length > self.unfinished.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
            larger.extend_from_slice(&self.unfinished);
            self.unfinished = larger;
        }
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.unfinished.len();
        write!(f, "Lines(a line of {length} bytes so far)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_length_only() {
        let mut lines = Lines::default();
        assert!(lines.push(b"one\ntwo").is_ok());
        assert_eq!(format!("{lines:?}"), "Lines(a line of 3 bytes so far)");
    }
    use proptest::prelude::*;

    #[test]
    fn a_line_without_end_is_not_collected_for_ever() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(&vec![b'a'; LINE_LIMIT]), Ok(vec![]));
        assert_eq!(lines.push(b"a"), Err(TooLong));
    }

    #[test]
    fn what_would_break_a_line_is_written_as_in_c() {
        let values = ["a\nb", "\t", "c:\\new", ""];
        let line = encode(values);
        assert_eq!(line.expose(), "a\\nb\t\\t\tc:\\\\new\t\n");
        let decoded = decode(&Secret::from(line.expose().trim_end_matches('\n'))).unwrap();
        assert_eq!(decoded, values.map(Secret::from));
        for line in ["\\x", "\\"] {
            assert_eq!(decode(&Secret::from(line)), None, "{line}");
        }
    }

    #[test]
    fn a_line_that_is_no_text_costs_one_line() {
        let lines = Lines::default().push(b"\xff\xfe\ncancel\n").unwrap();
        assert_eq!(lines, [Secret::from("cancel")]);
    }

    proptest! {
        #[test]
        fn values_survive_however_they_are_cut(
            values in proptest::collection::vec(".{0,20}", 1..5),
            cut in 1..9_usize,
        ) {
            let line = encode(values.iter().map(String::as_str));
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for piece in line.expose().as_bytes().chunks(cut) {
                found.extend(lines.push(piece).unwrap());
            }
            prop_assert_eq!(found.len(), 1);
            let decoded = decode(&found[0]).unwrap();
            let decoded: Vec<_> = decoded.iter().map(Secret::expose).collect();
            prop_assert_eq!(decoded, values);
        }
    }
}
