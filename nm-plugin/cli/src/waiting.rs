//! What a lost connection waits for, as its service tells, in the user's words and language.

use crate::account::own_name;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_network_manager::waits_for;
use aws_client_vpn_profile::waiting::WaitsFor;
use aws_client_vpn_text::printable::printable;
use serde::{Serialize, Serializer};

/// What the lost connection waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// By its name on the bus.
    #[serde(serialize_with = "name")]
    pub what: WaitsFor,
    /// The account of the person who is to sign in again, if it is for that, and not anybody will do.
    pub user: Option<String>,
    /// Whether that is the account that asks.
    #[serde(skip)]
    pub is_own: bool,
}

fn name<S: Serializer>(what: &WaitsFor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(what.name())
}

impl Waiting {
    /// Of the connection of the service called `service`: `Some(None)` if it waits for nothing, `None` if
    /// that cannot be told.
    pub(crate) async fn of(bus: &zbus::Connection, service: &str) -> Option<Option<Self>> {
        let waiting = waits_for(bus, service).await?;
        Some(waiting.map(|(what, user)| Self {
            what,
            is_own: user.is_some() && user == own_name(),
            user,
        }))
    }

    pub(crate) fn words(&self) -> String {
        let other = self.user.as_deref().filter(|_| !self.is_own).map(printable);
        match (self.what, other) {
            (WaitsFor::WakeUp, _) => gettext!("Waiting for the computer to wake up."),
            (WaitsFor::Network, _) => {
                gettext!("Waiting for a network that leads to the endpoint.")
            }
            (WaitsFor::Unlock, Some(user)) => gettext!(
                // TRANSLATORS: {user} is the name of an account.
                "Waiting for {user}, who signed in, to unlock the screen and sign in again. To sign in yourself, \
                 connect again after this command: aws-client-vpn disconnect NAME",
                user = user,
            ),
            (WaitsFor::Unlock, None) if self.is_own => {
                gettext!("Waiting for you to unlock the screen and sign in again.")
            }
            (WaitsFor::Unlock, None) => {
                gettext!("Waiting for somebody to unlock the screen and sign in again.")
            }
            (WaitsFor::Person, Some(user)) => gettext!(
                // TRANSLATORS: {user} is the name of an account.
                "Waiting for {user}, who signed in, to be at the computer and sign in again. To sign in \
                 yourself, connect again after this command: aws-client-vpn disconnect NAME",
                user = user,
            ),
            (WaitsFor::Person, None) if self.is_own => {
                gettext!("Waiting for you to be at the computer and sign in again.")
            }
            (WaitsFor::Person, None) => {
                gettext!("Waiting for somebody to be at the computer and sign in again.")
            }
            (WaitsFor::Agent, Some(user)) => gettext!(
                // TRANSLATORS: {user} is the name of an account.
                "Waiting until {user}, who signed in, has a desktop or a terminal that can show the next sign-in. \
                 To sign in yourself, connect again after this command: aws-client-vpn disconnect NAME",
                user = user,
            ),
            (WaitsFor::Agent, None) => {
                gettext!("Waiting for a desktop or a terminal that can show the next sign-in.")
            }
            (WaitsFor::Pause, _) => gettext!(
                "Waiting up to 16 minutes before the next sign-in, because the last one ended soon. To sign in \
                 at once, connect again after this command: aws-client-vpn disconnect NAME"
            ),
        }
    }
}
