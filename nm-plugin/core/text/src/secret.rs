//! A text that must never be seen: not in a log, an error, a `Debug` output or a freed page.

use std::fmt;
use zeroize::Zeroizing;

/// A secret text: a password, a SAML response, a session id, a key's passphrase.
///
/// `Debug` prints a placeholder, there is no `Display`, and the memory is overwritten on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of `text`; its buffer is wiped when the secret is dropped.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Call it only where the text leaves for its destination.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no text at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// A text of these characters, which is wiped when it is dropped. They take no more bytes than
/// `most`: a text that grows leaves copies behind.
pub fn collected(most: usize, characters: impl Iterator<Item = char>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(most));
    text.extend(characters);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        assert_eq!(
            format!("{:?}", Secret::from("hunter2")),
            "Secret([redacted])"
        );
    }

    #[test]
    fn its_owner_has_the_whole_text() {
        for (text, length) in [("hunter2", 7), ("häß", 5), ("", 0)] {
            let secret = Secret::from(text);
            assert_eq!(secret.expose(), text);
            assert_eq!(secret.len(), length);
            assert_eq!(secret.is_empty(), length == 0);
            assert_eq!(collected(5, text.chars()).as_str(), text);
        }
    }
}
