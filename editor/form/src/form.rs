//! The state of a page: what is filled in, what is wrong with it, and what it changes.

mod write;

pub use write::Changes;

use crate::certificate::{self, Summary};
use crate::check;
use crate::field::{Field, Kind, Value};
use crate::read::{self, SECRET_FLAGS, SECRETS, Values};
use crate::visibility::is_shown;
use aws_client_vpn_profile::credential::SecretFlags;
use aws_client_vpn_profile::settings;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, BTreeSet};

/// The page of one connection.
pub struct Form {
    data: BTreeMap<String, String>,
    secrets: BTreeMap<String, Secret>,
    /// What the page showed at first, and what it shows now.
    old: Values,
    new: Values,
    /// Fields that a user has filled in, and files that were no good.
    visited: BTreeSet<Field>,
    bad_files: BTreeMap<Field, Message>,
}

/// What is to be seen of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whether it is there at all.
    pub is_shown: bool,
    /// Whether it can be changed.
    pub is_sensitive: bool,
    /// What is wrong with it: shown at the field.
    pub problem: Option<Message>,
    /// Of a field that holds a file: what the file is.
    pub summary: Summary,
    /// Whether it holds anything that can be removed.
    pub is_filled: bool,
}

impl Form {
    /// The page of a connection with these items; of a new one, if there are none.
    pub fn new(data: BTreeMap<String, String>, secrets: BTreeMap<String, Secret>) -> Self {
        let (old, new) = if data.is_empty() {
            (read::blank(), read::new_connection())
        } else {
            let values = read::read(&data, &secrets);
            (values.clone(), values)
        };
        Self {
            data,
            secrets,
            old,
            new,
            visited: BTreeSet::new(),
            bad_files: BTreeMap::new(),
        }
    }

    /// What a field holds.
    pub fn value(&self, field: Field) -> &Value {
        // Each field has a value from the beginning.
        self.new.get(&field).unwrap_or(&Value::Switch(false))
    }

    /// Fills a field in. A value of another kind than the field's is left out.
    pub fn set(&mut self, field: Field, value: Value) {
        if self.value(field).same_kind(&value) {
            self.visited.insert(field);
            self.bad_files.remove(&field);
            self.new.insert(field, value);
        }
    }

    /// Fills a field in with the bytes of a file. A file that is no good changes nothing, and is
    /// marked as wrong until another one is chosen.
    pub fn set_file(&mut self, field: Field, bytes: &[u8]) {
        let Kind::Content(inline) = field.kind() else {
            return;
        };
        let content = inline.content_of_file(bytes).map(|content| {
            if inline.is_secret() {
                Value::Secret(content)
            } else {
                Value::Text(content.expose().to_owned())
            }
        });
        match content {
            Ok(content) => self.set(field, content),
            Err(_) => self.refuse_file(field, check::not_that(inline)),
        }
    }

    /// Says at a field why its file could not be read.
    pub fn refuse_file(&mut self, field: Field, reason: Message) {
        self.bad_files.insert(field, reason);
    }

    /// Takes away what a field holds.
    pub fn clear(&mut self, field: Field) {
        let empty = match self.value(field) {
            Value::Secret(_) => Value::Secret(Secret::from("")),
            Value::Text(_) => Value::Text(String::new()),
            Value::Choice(_) => Value::Choice(usize::MAX),
            Value::Switch(_) => Value::Switch(false),
        };
        self.set(field, empty);
    }

    /// What is to be seen of each field at `now`, in seconds since 1970.
    #[must_use]
    pub fn rows(&self, now: i64) -> BTreeMap<Field, Row> {
        // What is wrong with the whole is said at one field.
        let whole = self.changes().err();
        let row = |field| (field, self.row(field, whole.as_ref(), now));
        Field::all().map(row).collect()
    }

    fn row(&self, field: Field, whole: Option<&(Field, Message)>, now: i64) -> Row {
        let value = self.value(field);
        let is_shown = is_shown(&self.new, field);
        // A new page is not full of errors before anything was typed.
        let is_due = !self.data.is_empty()
            || self.visited.contains(&field)
            || !matches!(value, Value::Text(text) if text.is_empty());
        let of_whole = || {
            whole
                .filter(|(found, _)| *found == field)
                .map(|(_, message)| message.clone())
        };
        let problem = self
            .bad_files
            .get(&field)
            .cloned()
            .or_else(|| self.problem_of(field).or_else(of_whole).filter(|_| is_due))
            .filter(|_| is_shown);
        let summary = if let Kind::Content(inline) = field.kind() {
            certificate::summary(inline, value.text(), now)
        } else {
            Summary::default()
        };
        Row {
            is_shown,
            is_sensitive: self.is_sensitive(field),
            problem,
            summary,
            is_filled: !value.text().is_empty(),
        }
    }

    /// The changes to write, if all is right. Else the first field that is wrong, and what is wrong
    /// with it.
    pub fn changes(&self) -> Result<Changes, (Field, Message)> {
        let own = Field::all().find_map(|field| Some((field, self.problem_of(field)?)));
        if let Some(found) = own {
            return Err(found);
        }
        let changes = self.edited();
        let (data, secrets) = changes.applied(&self.data, &self.secrets);
        match settings::from_settings(&data, &secrets) {
            Ok(_) => Ok(changes),
            Err(error) => Err(check::of_settings(&error)),
        }
    }

    fn problem_of(&self, field: Field) -> Option<Message> {
        check::problem(&self.new, field)
    }

    fn is_sensitive(&self, field: Field) -> bool {
        let found = SECRETS.iter().find(|(_, secret, _)| *secret == field);
        found.is_none_or(|(_, _, flags_field)| {
            let flags = SECRET_FLAGS.get(self.value(*flags_field).choice());
            matches!(
                flags,
                Some(SecretFlags::AgentOwned | SecretFlags::SystemOwned)
            )
        })
    }
}
