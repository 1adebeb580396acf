//! Which fields mean anything with what is chosen elsewhere on the page.

use crate::field::{Field, Value, name_check, proxy, sign_in, source};
use crate::read::Values;
use aws_client_vpn_profile::pem::is_encrypted;

/// Whether a way to sign in has a user name and a password.
pub(crate) fn has_password(choice: usize) -> bool {
    matches!(
        choice,
        sign_in::PASSWORD | sign_in::PASSWORD_AND_CERTIFICATE
    )
}

/// Whether a way to sign in has a client certificate.
pub(crate) fn has_certificate(choice: usize) -> bool {
    matches!(
        choice,
        sign_in::BROWSER_AND_CERTIFICATE | sign_in::PASSWORD_AND_CERTIFICATE | sign_in::CERTIFICATE
    )
}

/// Whether a field means anything with what is chosen elsewhere.
pub(crate) fn is_shown(values: &Values, field: Field) -> bool {
    let choice = |field| values.get(&field).map_or(usize::MAX, Value::choice);
    let text = |field| values.get(&field).map_or("", Value::text);
    let with_password = has_password(choice(Field::SignIn));
    let source = has_certificate(choice(Field::SignIn)).then(|| choice(Field::CertificateSource));
    match field {
        Field::UserName | Field::Password | Field::PasswordKeeping | Field::Challenge => {
            with_password
        }
        Field::ChallengeEcho => with_password && !text(Field::Challenge).trim().is_empty(),
        Field::CertificateSource => source.is_some(),
        Field::Certificate | Field::PrivateKey => source == Some(source::FILES),
        Field::Pkcs12 => source == Some(source::PKCS12),
        Field::KeyPassphrase | Field::KeyPassphraseKeeping => match source {
            Some(source::FILES) => is_encrypted(text(Field::PrivateKey)),
            Some(source::PKCS12) => !text(Field::Pkcs12).is_empty(),
            _ => false,
        },
        Field::TokenKey | Field::TokenPin | Field::TokenPinKeeping | Field::TokenModule => {
            source == Some(source::TOKEN)
        }
        Field::KillSwitchLan | Field::KillSwitchSignIn => {
            values.get(&Field::KillSwitch).is_some_and(Value::is_on)
        }
        Field::ProxyServer | Field::ProxyPort | Field::ProxyAuth => {
            choice(Field::ProxyType) != proxy::NONE
        }
        Field::ServerName => choice(Field::ServerNameCheck) != name_check::NONE,
        Field::Endpoint
        | Field::Port
        | Field::Protocol
        | Field::SignIn
        | Field::Ca
        | Field::ServerNameCheck
        | Field::LoginLimit
        | Field::ConnectLimit
        | Field::SessionLength
        | Field::ReconnectLimit
        | Field::InactivityLimit
        | Field::AtLogin
        | Field::KeepRoutes
        | Field::EnforceRoutes
        | Field::KillSwitch
        | Field::TunnelMtu
        | Field::MssFix
        | Field::RetryPause
        | Field::RetryPauseMost
        | Field::PingInterval
        | Field::PingRestart
        | Field::RandomHostname
        | Field::ProxyType
        | Field::Directives => true,
    }
}
