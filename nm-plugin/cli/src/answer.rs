//! What a command comes to: a text for people, JSON for programs, and an exit code for scripts.

use crate::json;
use aws_client_vpn_profile_file::file::FileError;
use serde_json::{Map, Value};

/// How it came out. The codes are in the man page of `aws-client-vpn`, and stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it was wanted.
    Done,
    /// It failed for a reason that has no outcome of its own.
    Failed,
    /// The endpoint did not let this person or computer in.
    Refused,
    /// The person did not want to go on.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// The policy of this computer forbids it.
    NotPermitted,
    /// There is no network, or no endpoint behind it.
    Unreachable,
    /// Something has to be asked, and there is nobody to ask.
    NobodyToAsk,
    /// There is no such connection, or no such file.
    NotFound,
    /// The connection is not up, or is over.
    NotConnected,
    /// NetworkManager cannot be asked.
    NoNetworkManager,
}

/// What becomes of a command whose file cannot be read or written.
impl From<&FileError> for Outcome {
    fn from(error: &FileError) -> Self {
        match error {
            FileError::Missing | FileError::NoDirectory => Self::NotFound,
            FileError::Denied => Self::NotPermitted,
            FileError::System(_)
            | FileError::NotRegular
            | FileError::TooLarge
            | FileError::Elsewhere
            | FileError::OfAnother => Self::Failed,
        }
    }
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Done,
        Self::Failed,
        Self::Refused,
        Self::Cancelled,
        Self::TimedOut,
        Self::NotPermitted,
        Self::Unreachable,
        Self::NobodyToAsk,
        Self::NotFound,
        Self::NotConnected,
        Self::NoNetworkManager,
    ];

    /// The exit code. 2 is clap's, for a wrong command line.
    pub const fn code(self) -> u8 {
        self.code_and_name().0
    }

    /// The outcome's name in JSON.
    pub const fn name(self) -> &'static str {
        self.code_and_name().1
    }

    const fn code_and_name(self) -> (u8, &'static str) {
        match self {
            Self::Done => (0, "done"),
            Self::Failed => (1, "failed"),
            Self::Refused => (3, "refused"),
            Self::Cancelled => (4, "cancelled"),
            Self::TimedOut => (5, "timed-out"),
            Self::NotPermitted => (6, "not-permitted"),
            Self::Unreachable => (7, "unreachable"),
            Self::NobodyToAsk => (8, "nobody-to-ask"),
            Self::NotFound => (9, "not-found"),
            Self::NotConnected => (10, "not-connected"),
            Self::NoNetworkManager => (11, "no-networkmanager"),
        }
    }
}

/// What is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// In the user's language.
    pub text: String,
    /// What programs read: an object.
    pub json: Value,
    /// The outcome, for exit code and JSON.
    pub outcome: Outcome,
}

impl Answer {
    /// That it is done: `text`, and `fields` beside those that every object has.
    pub fn done(text: String, fields: Value) -> Self {
        Self::of(Outcome::Done, text, fields)
    }

    /// That it is not, and why, in English: what programs read has the reason besides.
    pub fn not_done(outcome: Outcome, reason: String, text: String, fields: Value) -> Self {
        let mut answer = Self::of(outcome, text, fields);
        answer.json["reason"] = reason.into();
        answer
    }

    fn of(outcome: Outcome, text: String, fields: Value) -> Self {
        let mut object = Map::new();
        object.insert("schema".to_owned(), json::SCHEMA.into());
        object.insert("outcome".to_owned(), outcome.name().into());
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
        Self {
            text,
            json: Value::Object(object),
            outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_a_code_and_a_name_of_its_own_and_the_manual_has_both() {
        let page = include_str!("../man/aws-client-vpn.1").replace("\\-", "-");
        for outcome in Outcome::ALL {
            let line = format!("{:>4}  {}", outcome.code(), outcome.name());
            assert!(page.contains(&line), "the manual lacks {line:?}");
            let same = Outcome::ALL
                .iter()
                .filter(|other| other.code() == outcome.code() || other.name() == outcome.name());
            assert_eq!(same.count(), 1);
            assert_ne!(outcome.code(), 2);
        }
    }

    #[test]
    fn every_object_says_which_schema_it_has_and_how_it_came_out() {
        let answer = Answer::done(String::new(), serde_json::json!({ "a": 1 }));
        let expected = serde_json::json!({ "schema": json::SCHEMA, "outcome": "done", "a": 1 });
        assert_eq!(answer.json, expected);
        let why = "It was not wanted.".to_owned();
        let fields = serde_json::json!({ "a": 1 });
        let answer = Answer::not_done(Outcome::Cancelled, why.clone(), String::new(), fields);
        let expected = serde_json::json!({
            "schema": json::SCHEMA, "outcome": "cancelled", "reason": why, "a": 1
        });
        assert_eq!(answer.json, expected);
    }
}
