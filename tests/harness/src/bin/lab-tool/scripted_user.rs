//! The person at the desktop who types passwords into dialogs, and the keyring that keeps them.

use crate::report::report;
use aws_client_vpn_sign_in::form::CredentialForm;
use aws_client_vpn_text::secret::Secret;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// What the person types: for each dialog an object with a text for each secret, or `"cancel"`.
const PLAN: &str = "/run/lab/scripted_user.json";

/// What comes of a dialog.
pub(crate) enum Typed {
    /// The secrets.
    Answers(HashMap<String, String>),
    /// The person pressed Cancel.
    Cancel,
    /// Nobody may be asked, and nothing is kept.
    Nothing,
    /// The person does nothing.
    Silence,
}

/// The person, and what the agent has kept of what was typed, by the connection's UUID.
#[derive(Default)]
pub(crate) struct ScriptedUser {
    dialogs: usize,
    keyring: HashMap<String, BTreeMap<String, Secret>>,
}

impl ScriptedUser {
    /// What is kept for a connection.
    pub(crate) fn kept(&self, uuid: &str) -> BTreeMap<String, Secret> {
        self.keyring.get(uuid).cloned().unwrap_or_default()
    }

    /// Answers a form as the agent and its dialog would.
    pub(crate) fn answer(&mut self, uuid: &str, form: &CredentialForm, interactive: bool) -> Typed {
        let kept = self.keyring.entry(uuid.to_owned()).or_default();
        if !interactive {
            let asked = form.fields.iter().filter_map(|field| {
                let name = field.credential.name();
                let value = kept.get(name)?;
                Some((name.to_owned(), value.expose().to_owned()))
            });
            let answers: HashMap<_, _> = asked.collect();
            return if answers.is_empty() {
                Typed::Nothing
            } else {
                Typed::Answers(answers)
            };
        }
        let (unknown, known) = form.divided(kept);
        if unknown.fields.is_empty() {
            let own =
                |(credential, value): (aws_client_vpn_profile::credential::Credential, Secret)| {
                    (credential.name().to_owned(), value.expose().to_owned())
                };
            return Typed::Answers(known.into_iter().map(own).collect());
        }
        let plan = std::fs::read_to_string(PLAN).unwrap_or_default();
        let plan: Vec<Value> = serde_json::from_str(&plan).unwrap_or_default();
        let fields: Vec<_> = form
            .fields
            .iter()
            .map(|field| {
                json!({
                    "name": field.credential.name(),
                    "label": field.question.as_deref().unwrap_or(field.credential.label()),
                    "masked": field.masked,
                    "refused": field.refused,
                })
            })
            .collect();
        report(json!({"event": "form", "message": form.message, "fields": fields}));
        let typed = plan.get(self.dialogs).cloned();
        self.dialogs += 1;
        match typed {
            Some(Value::Object(texts)) => {
                let mut answers = HashMap::new();
                for field in &form.fields {
                    let name = field.credential.name();
                    // What the person leaves alone stays as the dialog shows it.
                    let shown = kept.get(name).map(|value| value.expose().to_owned());
                    let text = texts.get(name).and_then(Value::as_str).map(str::to_owned);
                    let Some(text) = text.or(shown) else { continue };
                    if field.kept {
                        kept.insert(name.to_owned(), Secret::from(text.as_str()));
                    }
                    answers.insert(name.to_owned(), text);
                }
                Typed::Answers(answers)
            }
            Some(Value::String(_)) => Typed::Cancel,
            _ => Typed::Silence,
        }
    }
}
