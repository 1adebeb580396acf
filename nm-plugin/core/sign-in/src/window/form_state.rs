//! A form while it is filled in: what may be sent, where to go next, what the answer is.
//!
//! A window and a terminal draw it; neither decides anything.

use super::Answer;
use crate::form::{CredentialForm, Field};
use aws_client_vpn_text::secret::Secret;

/// The most bytes of one value, as OpenVPN takes.
const LONGEST: usize = 4096;

/// The entries of a form.
#[derive(Debug)]
pub struct FormState {
    entries: Vec<Entry>,
    remember: bool,
}

/// An entry of the form.
#[derive(Debug)]
pub struct Entry {
    /// What is asked.
    pub field: Field,
    value: Secret,
}

impl FormState {
    /// The form, empty. What may be kept, will be, unless the person decides otherwise.
    pub fn new(form: &CredentialForm) -> Self {
        let entry = |field: &Field| Entry {
            field: field.clone(),
            value: Secret::from(""),
        };
        Self {
            entries: form.fields.iter().map(entry).collect(),
            remember: true,
        }
    }

    /// All entries, in order.
    pub fn all(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether there is anything that may be kept, so that there is something to choose.
    pub fn offers_to_remember(&self) -> bool {
        self.entries.iter().any(|entry| entry.field.kept)
    }

    /// The person's choice.
    pub fn set_remember(&mut self, remember: bool) {
        self.remember = remember;
    }

    /// What now stands in the entry at `place`.
    pub fn set(&mut self, place: usize, value: Secret) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.value = value;
        }
    }

    /// The first entry that is still empty: where typing begins, and where the return key leads.
    #[must_use]
    pub fn next_empty(&self) -> Option<usize> {
        self.entries.iter().position(|entry| entry.value.is_empty())
    }

    /// The answer, once every entry can be sent.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        let value = |entry: &Entry| {
            let typed = (entry.field.credential, entry.value.clone());
            (!entry.value.is_empty() && !entry.is_unusable()).then_some(typed)
        };
        Some(Answer {
            values: self.entries.iter().map(value).collect::<Option<_>>()?,
            remember: self.remember && self.offers_to_remember(),
        })
    }
}

impl Entry {
    /// Whether what stands there can never be sent: pasted lines, or a whole file.
    pub fn is_unusable(&self) -> bool {
        self.value.len() > LONGEST || self.value.expose().contains(char::is_control)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_profile::credential::Credential::{
        self, ChallengeResponse, Password, UserName,
    };
    use std::time::Duration;

    fn entries(fields: &[(Credential, bool)]) -> FormState {
        let field = |(credential, kept): &(Credential, bool)| Field {
            credential: *credential,
            question: None,
            masked: true,
            kept: *kept,
            refused: false,
        };
        FormState::new(&CredentialForm {
            message: None,
            retry_reason: None,
            fields: fields.iter().map(field).collect(),
            time_left: Duration::from_secs(60),
        })
    }

    #[test]
    fn all_of_it_or_nothing_is_sent() {
        let mut entries = entries(&[
            (UserName, true),
            (Password, true),
            (ChallengeResponse, false),
        ]);
        for (place, value) in ["ada", "hunter2", "123456"].into_iter().enumerate() {
            assert_eq!(entries.next_empty(), Some(place));
            assert_eq!(entries.answer(), None);
            entries.set(place, Secret::from(value));
        }
        assert_eq!(entries.next_empty(), None);
        let values = vec![
            (UserName, Secret::from("ada")),
            (Password, Secret::from("hunter2")),
            (ChallengeResponse, Secret::from("123456")),
        ];
        let answer = entries.answer().unwrap();
        assert_eq!(answer.values, values);
        assert!(answer.remember);
        entries.set_remember(false);
        assert!(!entries.answer().unwrap().remember);
        entries.set(0, Secret::from(""));
        assert_eq!(entries.next_empty(), Some(0));
        assert_eq!(entries.answer(), None);
    }

    #[test]
    fn what_counts_once_is_never_to_be_kept() {
        let mut entries = entries(&[(ChallengeResponse, false)]);
        assert!(!entries.offers_to_remember());
        entries.set(0, Secret::from("1"));
        assert!(!entries.answer().unwrap().remember);
    }

    #[test]
    fn what_would_break_a_line_is_not_sent() {
        let mut entries = entries(&[(Password, true)]);
        for (value, unusable) in [
            ("a b\u{e4}", false),
            ("a\nb", true),
            ("\u{7}", true),
            (&*"x".repeat(4096), false),
            (&*"x".repeat(4097), true),
        ] {
            entries.set(0, Secret::from(value));
            assert_eq!(entries.all()[0].is_unusable(), unusable);
            assert_eq!(entries.answer().is_none(), unusable);
        }
    }
}
