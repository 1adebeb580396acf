//! Why the service does not renew a sign-in. It says so as an error of D-Bus; whoever asked passes it
//! on to a person, in the words of that person's language.

use crate::named::named;
use aws_client_vpn_text::message::{Localize, Message};
use thiserror::Error;

named! {
    /// Why a sign-in is not renewed, by the name of the error on the bus.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Error, Localize)]
    #[expect(missing_docs, reason = "the messages tell")]
    NotRenewed {
        #[error("The connection is not up, so there is no sign-in to renew.")]
        NotUp = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn.Error.NotUp",
        #[error("Only the user who signed in, or root, can renew this sign-in.")]
        NotYours = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn.Error.NotYours",
        #[error(
            "No program is running that can show you the sign-in. Log in to a desktop, or run \
             'nm-aws-client-vpn-agent' in another terminal, and then renew again. The connection \
             stays up."
        )]
        NobodyToAsk = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn.Error.NobodyToAsk",
        #[error(
            "The settings of this connection were changed while it was up, so NetworkManager \
             cannot ask for a new sign-in. Disconnect and connect again to sign in. The \
             connection stays up until then."
        )]
        SettingsChanged =
            "org.freedesktop.NetworkManager.AwsClientVpn.SignIn.Error.SettingsChanged",
        #[error(
            "The endpoint could not be verified, so you were not asked to sign in. Check the date and time of \
             this computer, and see the log (sudo aws-client-vpn logs). The connection stays up."
        )]
        Unverified = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn.Error.Unverified",
    }
}

impl NotRenewed {
    /// The one with this name on the bus. A service that is gone has no connection that is up.
    pub fn from_error_name(name: &str) -> Option<Self> {
        match name {
            "org.freedesktop.DBus.Error.ServiceUnknown"
            | "org.freedesktop.DBus.Error.NameHasNoOwner" => Some(Self::NotUp),
            _ => Self::from_name(name),
        }
    }
}

/// What to tell a person of an error called `name`, with which `said` came, in a program's own words.
#[must_use]
pub fn reason(name: &str, said: Option<&str>) -> Message {
    match NotRenewed::from_error_name(name) {
        Some(why) => why.message(),
        None => Message::literal(said.unwrap_or(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::well_known::SIGN_IN;

    #[test]
    fn each_has_a_name_of_its_own_below_that_of_the_interface() {
        for why in NotRenewed::ALL {
            assert!(why.name().starts_with(&format!("{SIGN_IN}.Error.")));
            assert_eq!(NotRenewed::from_error_name(why.name()), Some(why));
        }
        let known = reason(NotRenewed::NotUp.name(), Some("whatever it says"));
        assert_eq!(known, NotRenewed::NotUp.message());
        let gone = reason(
            "org.freedesktop.DBus.Error.ServiceUnknown",
            Some("The name :1"),
        );
        assert_eq!(gone, known);
        let other = "org.freedesktop.NetworkManager.VPN.Error.WrongState";
        assert_eq!(reason(other, Some("not {now}")).to_string(), "not {now}");
        assert_eq!(reason(other, None).to_string(), other);
    }
}
