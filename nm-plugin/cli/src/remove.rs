//! `aws-client-vpn remove`: deletes a connection, and with it what is kept of its secrets.

use crate::Failure;
use crate::actions::Manager;
use crate::answer::Answer;
use crate::choice::called;
use crate::network_manager;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_text::printable::printable;

/// Deletes the connection called `wanted`; one that is up is taken down.
pub(crate) async fn remove(wanted: &str) -> Result<Answer, Failure> {
    let answer = network_manager::ask().await?;
    let stored = called(&answer.stored, wanted)?;
    Manager::open().await?.delete(&stored.path).await?;
    let text = gettext!("'{name}' has been removed.", name = printable(&stored.name));
    let fields = serde_json::json!({ "name": stored.name, "uuid": stored.uuid });
    Ok(Answer::done(text + "\n", fields))
}
