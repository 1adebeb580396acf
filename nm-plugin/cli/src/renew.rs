//! `aws-client-vpn renew`: a new sign-in at a moment that suits, before the endpoint ends the old one.

use crate::Failure;
use crate::answer::{Answer, Outcome};
use crate::choice::{self, ChoiceError};
use crate::network_manager::{self, Stored};
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_network_manager::call_service;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_profile::renewal::{self, NotRenewed};
use aws_client_vpn_profile::settings;
use aws_client_vpn_profile::well_known::RENEW;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::printable::printable;
use std::io::{self, Write};

/// Has the person sign in again to the connection called `wanted`, or to the only one that is up.
pub(crate) async fn renew(wanted: Option<&str>) -> Result<Answer, Failure> {
    let answer = network_manager::ask().await?;
    let chosen = choice::active(&answer.stored, &answer.active, wanted);
    let (stored, activation) = match chosen {
        Err(ChoiceError::NotUp(name)) => return Err(Failure::NothingToRenew(name)),
        chosen => chosen?,
    };
    let asking = gettext!("Asking the endpoint for a new sign-in…");
    // Whoever closed the pipe has seen enough.
    drop(writeln!(io::stderr(), "{asking}"));
    let renewed = async {
        let bus = zbus::Connection::system().await?;
        call_service::<()>(&bus, &activation.service, RENEW).await
    };
    let Err(error) = renewed.await else {
        let fields = serde_json::json!({ "name": stored.name });
        return Ok(Answer::done(begun(stored) + "\n", fields));
    };
    let (reason, outcome) = if let zbus::Error::MethodError(name, said, _) = error {
        let outcome = match NotRenewed::from_error_name(&name) {
            Some(NotRenewed::NobodyToAsk) => Outcome::NobodyToAsk,
            Some(NotRenewed::NotYours) => Outcome::NotPermitted,
            Some(NotRenewed::NotUp | NotRenewed::SettingsChanged | NotRenewed::Unverified)
            | None => Outcome::Failed,
        };
        (renewal::reason(&name, said.as_deref()), outcome)
    } else {
        (Message::literal(error.to_string()), Outcome::Failed)
    };
    Err(Failure::NotRenewed { reason, outcome })
}

/// What happens now.
fn begun(stored: &Stored) -> String {
    let name = printable(&stored.name);
    let sign_in = settings::summary(&stored.data).map(|summary| summary.sign_in);
    match sign_in {
        Ok(SignIn::Saml) => gettext!(
            "The browser opens for a new sign-in to '{name}'. The tunnel stays up meanwhile if \
             the endpoint accepts a second connection beside it; otherwise it pauses.",
            name = name,
        ),
        Ok(SignIn::Password { .. } | SignIn::Certificate) | Err(_) => gettext!(
            "A new sign-in to '{name}' begins. The tunnel pauses until it is done. You will be \
             asked for any password or code that is not saved.",
            name = name,
        ),
    }
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
}
