//! What a lost connection waits for, as its service tells, in the user's words and language.

use aws_client_vpn_i18n::gettext;
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
}

fn name<S: Serializer>(what: &WaitsFor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(what.name())
}

impl Waiting {
    /// Of the connection of the service called `service`.
    pub(crate) async fn of(bus: &zbus::Connection, service: &str) -> Option<Self> {
        let (what, user) = aws_client_vpn_network_manager::waits_for(bus, service).await?;
        Some(Self { what, user })
    }

    pub(crate) fn words(&self) -> String {
        let user = self.user.as_deref().map(printable);
        match (self.what, user) {
            (WaitsFor::WakeUp, _) => gettext!("Waiting for the computer to wake up."),
            (WaitsFor::Network, _) => gettext!("Waiting for a network."),
            (WaitsFor::Unlock, Some(user)) => gettext!(
                // TRANSLATORS: {user} is the name of an account.
                "Waiting for {user}, who signed in, to unlock the screen and sign in again. To sign in yourself, \
                 disconnect it, then connect: aws-client-vpn disconnect NAME",
                user = user,
            ),
            (WaitsFor::Unlock, None) => {
                gettext!("Waiting for somebody to unlock the screen and sign in again.")
            }
            (WaitsFor::Person, Some(user)) => gettext!(
                // TRANSLATORS: {user} is the name of an account.
                "Waiting for {user}, who signed in, to be at the computer and sign in again. To sign in \
                 yourself, disconnect it, then connect: aws-client-vpn disconnect NAME",
                user = user,
            ),
            (WaitsFor::Person, None) => {
                gettext!("Waiting for somebody to be at the computer and sign in again.")
            }
            (WaitsFor::Agent, Some(user)) => gettext!(
                // TRANSLATORS: {user} is the name of an account.
                "Waiting for a desktop or a terminal that can show {user}, who signed in, the next sign-in. To \
                 sign in yourself, disconnect it, then connect: aws-client-vpn disconnect NAME",
                user = user,
            ),
            (WaitsFor::Agent, None) => {
                gettext!("Waiting for a desktop or a terminal that can show the next sign-in.")
            }
            (WaitsFor::Pause, _) => gettext!(
                "Waiting for a few minutes before the next sign-in, because the last one was just now."
            ),
        }
    }
}
