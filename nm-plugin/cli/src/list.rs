//! `aws-client-vpn list`: a line for each connection.

use crate::answer::Answer;
use crate::choice::told_apart;
use crate::network_manager::{self, NetworkManagerError};
use crate::status::{self, Status};
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_text::printable::printable;

/// The connections, in the order of their names.
pub(crate) async fn list() -> Result<Answer, NetworkManagerError> {
    let status = status::collect().await?;
    Ok(Answer::done(table(&status), status.fields()))
}

/// Their names alone, a line each, for shells that complete them, or the UUID where the name is no good.
pub(crate) async fn names() -> Result<Answer, NetworkManagerError> {
    let answer = network_manager::ask().await?;
    let stored: Vec<_> = answer.stored.iter().collect();
    let names = told_apart(&stored).into_iter();
    let names = names.map(|name| name.to_owned() + "\n");
    Ok(Answer::done(names.collect(), serde_json::json!({})))
}

/// In columns.
pub(crate) fn table(status: &Status) -> String {
    if status.connections.is_empty() {
        return status.to_string();
    }
    let rows: Vec<[String; 3]> = status
        .connections
        .iter()
        .map(|connection| {
            [
                printable(&connection.name),
                i18n::translate(connection.state.words()),
                printable(connection.endpoint.as_deref().unwrap_or("-")),
            ]
        })
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let (names, states) = (width(0), width(1));
    rows.iter()
        .map(|[name, state, endpoint]| format!("{name:<names$}  {state:<states$}  {endpoint}\n"))
        .collect()
}
