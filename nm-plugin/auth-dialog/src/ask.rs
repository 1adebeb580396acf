//! What a person types: asked for in one window, unless it is kept.
//!
//! gnome-shell sends along what it has kept and keeps what it gets, nm-applet only keeps; our own
//! agent does neither. So what is missing is looked for in the keyring, where both keep it, and it
//! is put there only on behalf of our own agent.

use crate::agent::Connection;
use crate::dialog::{Dialog, SERVICE_FIRST};
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_keyring::{self as keyring, Unlocking};
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_sign_in::answer::{EMPTY_ANSWER, encode_unsaved, form_answer};
use aws_client_vpn_sign_in::form::CredentialForm;
use aws_client_vpn_sign_in::window::{Answer, Screen, UserAction};
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use tokio::time::timeout;

/// The answer without asking anybody: what is kept.
pub(crate) async fn known(
    form: &CredentialForm,
    connection: Connection,
    dialog: &Dialog<'_>,
) -> Secret {
    let known = kept(form, connection, Unlocking::Forbidden, dialog).await;
    form_answer(&form.kept_answers(&known))
}

/// The answer of whoever knows it; `None` if the person does not want to give it.
pub(crate) async fn ask(
    form: CredentialForm,
    connection: Connection,
    dialog: &Dialog<'_>,
) -> Option<Secret> {
    let known = kept(&form, connection, Unlocking::Allowed, dialog).await;
    let (rest, mut answers) = form.divided(&known);
    if rest.fields.is_empty() {
        dialog.journal.info("what is asked for is kept");
        return Some(form_answer(&answers));
    }
    let patience = rest.time_left + SERVICE_FIRST;
    let typed = match timeout(patience, type_in(rest.clone(), dialog)).await {
        Ok(Typed::Answer(answer)) => answer,
        Ok(Typed::Cancelled) => return None,
        Ok(Typed::NobodyToAsk) | Err(_) => {
            dialog
                .journal
                .error("nobody could be asked for what the sign-in needs");
            return Some(Secret::from(EMPTY_ANSWER));
        }
    };
    let to_keep: Vec<_> = rest.fields.iter().filter(|field| field.kept).collect();
    if dialog.request.keep && typed.remember {
        let is_kept = |(credential, _): &&(Credential, Secret)| {
            to_keep.iter().any(|field| field.credential == *credential)
        };
        let values: Vec<_> = typed.values.iter().filter(is_kept).collect();
        keep(&values, dialog).await;
    }
    answers.extend(typed.values);
    // Whoever keeps it must not, if the person does not want it.
    if to_keep.is_empty() || typed.remember {
        Some(form_answer(&answers))
    } else {
        Some(encode_unsaved(&answers))
    }
}

/// How a window was left.
enum Typed {
    Answer(Answer),
    Cancelled,
    NobodyToAsk,
}

async fn type_in(mut form: CredentialForm, dialog: &Dialog<'_>) -> Typed {
    // The window shows what is asked, so the reason alone is enough.
    if let Some(reason) = &form.retry_reason {
        form.message = Some(i18n::localize(reason));
    }
    let connection = dialog.request.connection.clone();
    let screen = Screen::Form { connection, form };
    let mut window = dialog.window();
    let mut is_new = false;
    window.show(&screen).await;
    loop {
        match window.action().await {
            Some(UserAction::Answer(answer)) => return Typed::Answer(answer),
            Some(UserAction::Cancel) => return Typed::Cancelled,
            Some(UserAction::OpenAgain { .. }) => {}
            // The one that was left open may have closed the moment before.
            None if !is_new && dialog.own_window.is_none() => {
                is_new = true;
                window = dialog.new_window(None);
                window.show(&screen).await;
            }
            None => return Typed::NobodyToAsk,
        }
    }
}

/// What is kept, by the agent or in the keyring.
async fn kept(
    form: &CredentialForm,
    connection: Connection,
    unlocking: Unlocking,
    dialog: &Dialog<'_>,
) -> BTreeMap<String, Secret> {
    if dialog.request.reprompt {
        return BTreeMap::new();
    }
    let mut known = connection.secrets;
    let fields = form
        .fields
        .iter()
        .filter(|field| field.kept && !field.refused);
    let names = fields.map(|field| field.credential.name());
    let missing: Vec<_> = names.filter(|name| !known.contains_key(*name)).collect();
    if !missing.is_empty() {
        match keyring::look_up(&dialog.request.uuid, &missing, unlocking).await {
            Ok(found) => known.extend(found),
            Err(error) => dialog.journal.info(&format!("nothing kept: {error}")),
        }
    }
    known
}

async fn keep(values: &[&(Credential, Secret)], dialog: &Dialog<'_>) {
    let values: Vec<_> = values
        .iter()
        .map(|(credential, value)| (credential.name(), value))
        .collect();
    let request = dialog.request;
    if let Err(error) = keyring::keep(&request.uuid, &request.connection, &values).await {
        dialog.journal.error(&format!("not kept: {error}"));
    }
}
