//! `aws-client-vpn renew`: a new sign-in at a moment that suits, before the endpoint ends the old one.

use crate::answer::{Answer, Outcome};
use crate::choice::{ChoiceError, activation_of, only_active};
use crate::line::one_line;
use crate::network_manager::{self, Activation, NetworkManagerError, Stored};
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_profile::renewal::{self, NotRenewed};
use aws_client_vpn_profile::settings;
use aws_client_vpn_text::message::{Localize, Message};
use thiserror::Error;

/// Nothing was renewed.
#[derive(Debug, Error, Localize)]
pub enum RenewError {
    /// NetworkManager could not be asked.
    #[error(transparent)]
    NetworkManager(#[from] NetworkManagerError),
    /// It is not clear which connection is meant.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// The connection is not up.
    #[error("'{0}' is not connected. Connect it to sign in.")]
    Down(String),
    /// The service refused.
    #[error("The sign-in was not renewed. {reason}")]
    Refused {
        /// As it says, or the bus.
        reason: Message,
        /// For scripts.
        outcome: Outcome,
    },
}

impl RenewError {
    /// The outcome, for exit code and JSON.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NetworkManager(_) => Outcome::NoNetworkManager,
            Self::Choice(error) => error.outcome(),
            Self::Down(_) => Outcome::NotConnected,
            Self::Refused { outcome, .. } => *outcome,
        }
    }
}

/// Has the person sign in again to the connection called `wanted`, or to the only one that is up.
pub async fn renew(wanted: Option<&str>) -> Result<Answer, RenewError> {
    let answer = network_manager::ask().await?;
    let (stored, service) = choose(&answer.stored, &answer.active, wanted)?;
    match network_manager::renew(service).await {
        Ok(()) => Ok(Answer::done(
            begun(stored) + "\n",
            serde_json::json!({ "name": stored.name }),
        )),
        Err(zbus::Error::MethodError(name, said, _)) => Err(RenewError::Refused {
            reason: renewal::reason(&name, said.as_deref()),
            outcome: match NotRenewed::from_error_name(&name) {
                Some(NotRenewed::NobodyToAsk) => Outcome::NobodyToAsk,
                Some(NotRenewed::NotUp | NotRenewed::NotYours) | None => Outcome::Failed,
            },
        }),
        Err(error) => Err(RenewError::Refused {
            reason: Message::literal(error.to_string()),
            outcome: Outcome::Failed,
        }),
    }
}

/// What happens now.
fn begun(stored: &Stored) -> String {
    let name = one_line(&stored.name);
    let sign_in = settings::summary(&stored.data).map(|summary| summary.sign_in);
    match sign_in {
        Ok(SignIn::Saml) => gettext!(
            "The browser opens for a new sign-in to '{name}'. The tunnel stays up meanwhile.",
            name = name,
        ),
        Ok(SignIn::Password { .. } | SignIn::Certificate) | Err(_) => gettext!(
            "A new sign-in to '{name}' begins. The tunnel pauses until it is done. You will be \
             asked for any password or code that is not saved.",
            name = name,
        ),
    }
}

/// The connection that is meant, and its service's name on the bus.
fn choose<'a>(
    stored: &'a [Stored],
    active: &'a [Activation],
    wanted: Option<&str>,
) -> Result<(&'a Stored, &'a str), RenewError> {
    let service = |stored: &Stored| {
        activation_of(stored, active).map(|activation| activation.service.as_str())
    };
    if let Some(wanted) = wanted {
        let mut called = stored
            .iter()
            .filter(|stored| stored.name == wanted || stored.uuid == wanted);
        let Some(first) = called.next() else {
            return Err(ChoiceError::Unknown(wanted.to_owned()).into());
        };
        // Two may have one name; the one that is up is meant.
        let up = [first].into_iter().chain(called);
        let mut up = up.filter_map(|stored| Some((stored, service(stored)?)));
        return up.next().ok_or_else(|| RenewError::Down(wanted.to_owned()));
    }
    let (stored, activation) = only_active(stored, active)?;
    Ok((stored, &activation.service))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_promised_only_where_one_opens() {
        let says = |sign_in: &str| {
            let data = [("remote", "host 443 udp"), ("sign-in", sign_in)];
            begun(&Stored {
                name: "work".to_owned(),
                data: data
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
                ..Stored::default()
            })
        };
        assert!(says("saml").contains("The browser opens"));
        for sign_in in ["password", "certificate"] {
            assert!(says(sign_in).contains("The tunnel pauses"), "{sign_in}");
        }
    }

    #[test]
    fn the_connection_that_is_up_is_meant() {
        let stored = |name: &str, uuid: &str| Stored {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            ..Stored::default()
        };
        let active = |uuid: &str| Activation {
            uuid: uuid.to_owned(),
            service: format!("service of {uuid}"),
            ..Activation::default()
        };
        let known = [
            stored("work", "1"),
            stored("work", "2"),
            stored("home", "3"),
        ];
        let up = [active("2")];
        for wanted in [None, Some("work"), Some("2")] {
            let (chosen, service) = choose(&known, &up, wanted).unwrap();
            assert_eq!((chosen.uuid.as_str(), service), ("2", "service of 2"));
        }
        let why = |active: &[Activation], wanted| choose(&known, active, wanted).unwrap_err();
        assert!(matches!(why(&up, Some("home")), RenewError::Down(_)));
        assert!(matches!(
            why(&up, Some("hme")),
            RenewError::Choice(ChoiceError::Unknown(_))
        ));
        assert!(matches!(
            why(&[], None),
            RenewError::Choice(ChoiceError::NoneUp)
        ));
        let both = [active("2"), active("3")];
        assert_eq!(
            why(&both, None).to_string(),
            "Several connections are active. Name one of them: work, home"
        );
    }
}
