//! Texts for users as values: what to say, not yet in which language.
//!
//! `core` decides what a user is told but cannot know the user's language: a catalogue is a file.
//! So an error says which text it is (in English, which is also the catalogue's key) and what goes
//! into its placeholders; `Display` fills in the English text for logs, and whoever talks to a
//! person asks the `i18n` crate for the same text in the person's language.

pub use aws_client_vpn_text_derive::Localize;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// A text for users with what goes into its placeholders. It travels to another program of ours as
/// JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    text: Cow<'static, str>,
    arguments: Vec<(Cow<'static, str>, Argument)>,
}

/// What goes into a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Argument {
    /// Of the user, the endpoint or the system: never translated.
    Literal(String),
    /// A text of ours.
    Message(Message),
}

/// Something that is said to users. For error enums it is derived from their `#[error("…")]`
/// texts, each placeholder of which has a name or a number: `{host}`, `{0}`.
pub trait Localize {
    /// What is said.
    fn message(&self) -> Message;
}

/// Something that may go into a placeholder. `&'static str` counts as a text of ours: mark it with
/// [`gettext_noop!`](crate::gettext_noop) where it is written, so that translators see it.
pub trait ToArgument {
    /// As it goes in.
    fn to_argument(&self) -> Argument;
}

impl Message {
    /// A text, in English.
    pub fn new(text: &'static str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            arguments: Vec::new(),
        }
    }

    /// A text of the endpoint, the system or another program, which stays as it is.
    pub fn literal(text: impl Into<String>) -> Self {
        Self::new("{0}").with("0", &text.into())
    }

    /// The English text, with its placeholders.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What goes into the placeholders, by their names.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, &Argument)> {
        self.arguments.iter().map(|(name, it)| (&**name, it))
    }

    /// Puts `value` into the placeholder `name`.
    pub fn with(mut self, name: &'static str, value: &(impl ToArgument + ?Sized)) -> Self {
        self.arguments
            .push((Cow::Borrowed(name), value.to_argument()));
        self
    }

    /// The whole text. `translate` turns each English text of ours into the user's language.
    pub fn in_language(&self, translate: &dyn Fn(&str) -> String) -> String {
        fill(&translate(&self.text), |name| {
            let (_, argument) = self.arguments.iter().find(|(known, _)| *known == name)?;
            Some(match argument {
                Argument::Literal(text) => text.clone(),
                Argument::Message(message) => message.in_language(translate),
            })
        })
    }
}

/// Fills the placeholders of `text`. What has no value stays as it is written, and what a value
/// brings along is not looked at again.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let found = after
            .split_once('}')
            .and_then(|(name, behind)| Some((value(name)?, behind)));
        match found {
            Some((value, behind)) => {
                filled.push_str(&value);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Literal(text)
    }
}

impl From<Message> for Argument {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}

/// In English.
impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::Message(message) => message.fmt(f),
        }
    }
}

/// In English.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_language(&str::to_owned))
    }
}

impl Localize for Message {
    fn message(&self) -> Message {
        self.clone()
    }
}

impl<T: Localize> ToArgument for T {
    fn to_argument(&self) -> Argument {
        Argument::Message(self.message())
    }
}

impl ToArgument for Argument {
    fn to_argument(&self) -> Argument {
        self.clone()
    }
}

impl ToArgument for &'static str {
    fn to_argument(&self) -> Argument {
        Argument::Message(Message::new(self))
    }
}

macro_rules! foreign {
    ($($type:ty),+ $(,)?) => {$(
        impl ToArgument for $type {
            fn to_argument(&self) -> Argument {
                Argument::Literal(self.to_string())
            }
        }
    )+};
}

foreign!(
    String,
    u8,
    u16,
    u32,
    u64,
    usize,
    i32,
    i64,
    char,
    std::net::IpAddr,
    std::io::Error,
    std::path::Display<'_>,
);

/// A text of ours that will be translated where it is shown: `message!("line {line}", line = 5)`.
#[macro_export]
macro_rules! message {
    ($text:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::message::Message::new($text)$(.with(stringify!($name), &$value))*
    };
}

/// Marks a text of ours that is kept as `&'static str` for the catalogue.
#[macro_export]
macro_rules! gettext_noop {
    ($text:literal) => {
        $text
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error, Localize)]
    enum Inner {
        #[error("it is too long")]
        TooLong,
    }

    const LIMIT: usize = 5;

    #[derive(Debug, thiserror::Error, Localize)]
    enum Outer {
        #[error("'{0}' cannot be used: {1}")]
        Bad(String, Inner),
        #[error("{who} has more than {LIMIT} words because {reason}")]
        Many { who: String, reason: &'static str },
        #[error("cannot read {path}", path = file.display())]
        File { file: std::path::PathBuf },
        #[error(transparent)]
        Inner(#[from] Inner),
    }

    fn in_capitals(text: &str) -> String {
        text.replace("it is too long", "IT IS TOO LONG")
            .replace("cannot be used", "CANNOT BE USED")
            .replace("somebody said so", "SOMEBODY SAID SO")
    }

    #[test]
    fn an_error_says_the_same_in_english_and_all_of_it_in_another_language() {
        for (error, translated) in [
            (
                Outer::Bad("a {1} b".to_owned(), Inner::TooLong),
                "'a {1} b' CANNOT BE USED: IT IS TOO LONG",
            ),
            (
                Outer::Many {
                    who: "cannot be used".to_owned(),
                    reason: "somebody said so",
                },
                "cannot be used has more than 5 words because SOMEBODY SAID SO",
            ),
            (
                Outer::File {
                    file: "/tmp/x".into(),
                },
                "cannot read /tmp/x",
            ),
            (Outer::Inner(Inner::TooLong), "IT IS TOO LONG"),
        ] {
            assert_eq!(error.message().to_string(), error.to_string());
            assert_eq!(error.message().in_language(&in_capitals), translated);
        }
    }

    #[test]
    fn what_has_no_value_stays() {
        let value = |name: &str| (name == "a").then(|| "1".to_owned());
        for (text, filled) in [
            ("{a} {b} {a}", "1 {b} 1"),
            ("{", "{"),
            ("{a", "{a"),
            ("}{a}{", "}1{"),
            ("{{a}", "{1"),
        ] {
            assert_eq!(fill(text, value), filled);
        }
    }
}
