//! `aws-client-vpn at-login`: whether the agent of a session connects by itself.

use crate::Failure;
use crate::actions::{Manager, value};
use crate::answer::Answer;
use crate::choice::{called, edited};
use crate::command_line::{AtLogin, Switch};
use crate::network_manager;
use aws_client_vpn_i18n::{gettext, localize};
use aws_client_vpn_network_manager::settings::data;
use aws_client_vpn_profile::keys::{AT_LOGIN, AT_LOGIN_EXCEPT, AT_LOGIN_UNLESS, YES};
use aws_client_vpn_profile::settings::{self, Property};
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::printable::printable;
use std::collections::BTreeMap;
use thiserror::Error;

/// Nothing was changed.
#[derive(Debug, Error, Localize)]
pub enum AtLoginError {
    /// A network's name that cannot be told from two.
    #[error("The name of a network cannot contain a comma: '{0}'")]
    Comma(String),
    /// No place to look whether it answers.
    #[error("'{0}' is not a host with a port, such as intranet.example:443.")]
    Place(String),
}

/// Writes the choice into the connection.
pub(crate) async fn at_login(options: &AtLogin) -> Result<Answer, Failure> {
    let answer = network_manager::ask().await?;
    let stored = called(&answer.stored, &options.connection)?;
    let manager = Manager::of_secrets().await?;
    let mut settings = manager.settings(&stored.path).await?;
    let data = changed(data(&settings), options)?;
    let vpn = settings.entry("vpn".to_owned()).or_default();
    vpn.insert("data".to_owned(), value(&Property::Items(data))?);
    // NetworkManager keeps its secrets where an update brings none (nm-settings-connection.c).
    manager.update(&stored.path, &settings).await?;
    let name = printable(&stored.name);
    let text = match options.choice {
        Switch::On => gettext!("'{name}' connects when you log in.", name = name),
        Switch::Off => gettext!("'{name}' does not connect automatically.", name = name),
    };
    let note = edited(stored, &answer.active).map(|note| localize(&note) + "\n");
    let text = text + "\n" + &note.unwrap_or_default();
    let fields = serde_json::json!({ "name": stored.name, "uuid": stored.uuid });
    Ok(Answer::done(text, fields))
}

fn changed(
    mut data: BTreeMap<String, String>,
    options: &AtLogin,
) -> Result<BTreeMap<String, String>, AtLoginError> {
    for key in [AT_LOGIN, AT_LOGIN_EXCEPT, AT_LOGIN_UNLESS] {
        data.remove(key);
    }
    if options.choice == Switch::Off {
        return Ok(data);
    }
    if let Some(name) = options.except_on.iter().find(|name| name.contains(',')) {
        return Err(AtLoginError::Comma(name.clone()));
    }
    let networks = options.except_on.join(",");
    let place = options.unless_reachable.clone().unwrap_or_default();
    for (key, value) in [
        (AT_LOGIN, YES),
        (AT_LOGIN_EXCEPT, &networks),
        (AT_LOGIN_UNLESS, &place),
    ] {
        if !value.is_empty() {
            data.insert(key.to_owned(), value.to_owned());
        }
    }
    match settings::at_login(&data) {
        Ok(_) => Ok(data),
        Err(_) => Err(AtLoginError::Place(place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_replaces_the_one_before_and_nothing_else() {
        let options = |choice, networks: &[&str], place: Option<&str>| AtLogin {
            connection: "work".to_owned(),
            choice,
            except_on: networks.iter().map(ToString::to_string).collect(),
            unless_reachable: place.map(str::to_owned),
        };
        let before = BTreeMap::from([("mssfix".to_owned(), "1280".to_owned())]);
        let on = options(Switch::On, &["Office", "Guests"], Some("intra.example:443"));
        let data = changed(before.clone(), &on).unwrap();
        let choice = settings::at_login(&data).unwrap().unwrap();
        assert_eq!(choice.except_on, ["Office", "Guests"]);
        assert_eq!(
            choice.unless_reachable,
            Some(("intra.example".to_owned(), 443))
        );
        let everywhere = changed(data.clone(), &options(Switch::On, &[], None)).unwrap();
        let choice = settings::at_login(&everywhere).unwrap().unwrap();
        assert!(choice.except_on.is_empty() && choice.unless_reachable.is_none());
        assert_eq!(
            changed(data, &options(Switch::Off, &[], None)).unwrap(),
            before
        );
        for (networks, place) in [(&["a,b"][..], None), (&[], Some("intra.example"))] {
            assert!(changed(before.clone(), &options(Switch::On, networks, place)).is_err());
        }
    }
}
