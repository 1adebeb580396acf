//! What is wrong with what was filled in: a sentence for the field that is wrong.

use crate::directives::{self, Lifted};
use crate::endpoint::{self, BadEndpoint};
use crate::field::{Field, Kind, Value, name_check, protocol, proxy, source};
use crate::read::{SECRET_FLAGS, Values};
use crate::visibility::{has_certificate, is_shown};
use aws_client_vpn_profile::directive::is_pkcs11_id;
use aws_client_vpn_profile::keys::{
    CONNECT_SECONDS, LOGIN_SECONDS, OPTIONS, PKCS11_ID, PKCS11_PROVIDER, RANDOM_HOSTNAME,
    RECONNECT_SECONDS, REMOTE, SIGN_IN, STATIC_CHALLENGE, STATIC_CHALLENGE_ECHO, USER_NAME,
};
use aws_client_vpn_profile::parts::{InlineFile, Transport};
use aws_client_vpn_profile::problem::ProfileError;
use aws_client_vpn_profile::settings::{self, SettingsError};
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use std::ops::RangeInclusive;

/// What is wrong with `field`, if it is shown.
pub(crate) fn problem(values: &Values, field: Field) -> Option<Message> {
    if !is_shown(values, field) {
        return None;
    }
    let value = values.get(&field)?;
    let text = value.text().trim();
    let missing = |says: Message| text.is_empty().then_some(says);
    let optional = |name: &str, arguments: &[&str]| match text {
        "" => None,
        _ => directives::objection(name, arguments),
    };
    let directive = |name: &str| optional(name, &[text]);
    match field {
        Field::Endpoint => match endpoint::meant(text, 1, Transport::Udp).err()? {
            BadEndpoint::Missing => Some(message!("Enter the name of the endpoint.")),
            BadEndpoint::Host(host) => Some(message!(
                "“{host}” is not the name of an endpoint.",
                host = host
            )),
            BadEndpoint::Word(word) => Some(message!(
                "“{word}” is neither a port nor a protocol.",
                word = word
            )),
        },
        Field::Port => number(text, &(1..=65535), true),
        Field::Protocol | Field::SignIn | Field::CertificateSource | Field::ServerNameCheck => {
            choice(field, value)
        }
        Field::ProxyType => {
            let protocol = values.get(&Field::Protocol).map(Value::choice);
            let needs_tcp = value.choice() != proxy::NONE && protocol == Some(protocol::UDP);
            choice(field, value)
                .or_else(|| needs_tcp.then(|| message!("A proxy can be used with TCP only.")))
        }
        Field::ProxyServer => {
            let meant = endpoint::meant(text, 1, Transport::Tcp);
            let is_one = meant.is_ok_and(|remotes| remotes.len() == 1);
            (!is_one).then(|| message!("Enter the name or the address of the proxy."))
        }
        Field::ProxyPort => number(text, &(1..=65535), true),
        Field::PasswordKeeping | Field::KeyPassphraseKeeping | Field::TokenPinKeeping => {
            let is_known = value.choice() < SECRET_FLAGS.len();
            (!is_known).then(|| message!("Choose one of the options."))
        }
        Field::UserName => {
            let has_control = text.chars().any(char::is_control);
            has_control.then(|| message!("A user name must be a single line of text."))
        }
        Field::Challenge => optional("pull-filter", &["accept", text]),
        Field::Certificate => content(InlineFile::Cert, text)
            .or_else(|| missing(message!("Choose the file with your certificate."))),
        Field::PrivateKey => content(InlineFile::Key, text)
            .or_else(|| missing(message!("Choose the file with the private key."))),
        Field::Pkcs12 => content(InlineFile::Pkcs12, text)
            .or_else(|| missing(message!("Choose the file with your certificate and key."))),
        Field::TokenKey if text.is_empty() => {
            Some(message!("Enter the PKCS #11 URI of your key on the token."))
        }
        Field::TokenKey => (!is_pkcs11_id(text)).then(|| {
            message!("This is not the URI of a key. Such a URI looks like pkcs11:token=…;id=….")
        }),
        Field::TokenModule => (!text.is_empty() && !settings::is_provider(text)).then(|| {
            message!(
                "This is not the name of a module. Use only letters, digits, “-”, “_” and “.”."
            )
        }),
        Field::Ca => content(InlineFile::Ca, text).or_else(|| {
            let choice = |field| values.get(&field).map_or(usize::MAX, Value::choice);
            let has_other = has_certificate(choice(Field::SignIn))
                && choice(Field::CertificateSource) == source::PKCS12;
            let is_missing = text.is_empty() && !has_other;
            is_missing.then(|| message!("Choose the file with the certificate authority."))
        }),
        Field::ServerName => {
            let check = values.get(&Field::ServerNameCheck).map(Value::choice);
            let kind = if check == Some(name_check::SUBJECT) {
                "subject"
            } else {
                "name"
            };
            missing(message!(
                "Enter the name that the certificate must contain."
            ))
            .or_else(|| directives::objection("verify-x509-name", &[text, kind]))
        }
        Field::LoginLimit => number(text, &LOGIN_SECONDS, false),
        Field::ConnectLimit => number(text, &CONNECT_SECONDS, false),
        Field::ReconnectLimit => number(text, &RECONNECT_SECONDS, false),
        Field::InactivityLimit => directive("inactive"),
        Field::SessionLength => (!text.is_empty() && settings::session_length(text).is_none())
            .then(|| message!("Enter hours or minutes, at most a week: 8h, 90m.")),
        Field::TunnelMtu => directive("tun-mtu"),
        Field::MssFix => directive("mssfix"),
        Field::RetryPause | Field::RetryPauseMost => directive("connect-retry"),
        Field::PingInterval => directive("ping"),
        Field::PingRestart => directive("ping-restart"),
        Field::Directives => further(values, value.text()),
        Field::Password
        | Field::ChallengeEcho
        | Field::KeyPassphrase
        | Field::TokenPin
        | Field::ProxyAuth
        | Field::AtLogin
        | Field::KeepRoutes
        | Field::EnforceRoutes
        | Field::KillSwitch
        | Field::KillSwitchLan
        | Field::KillSwitchSignIn
        | Field::RandomHostname => None,
    }
}

fn choice(field: Field, value: &Value) -> Option<Message> {
    let Kind::Choice(choices) = field.kind() else {
        return None;
    };
    (value.choice() >= choices.len()).then(|| message!("Choose one of the options."))
}

fn number(text: &str, range: &RangeInclusive<u64>, is_needed: bool) -> Option<Message> {
    if text.is_empty() && !is_needed {
        return None;
    }
    let number: Option<u64> = text.parse().ok();
    let is_good = number.is_some_and(|number| range.contains(&number));
    (!is_good).then(|| {
        message!(
            "Enter a number from {least} to {most}.",
            least = *range.start(),
            most = *range.end()
        )
    })
}

/// Whether a content that is there is of its kind.
fn content(inline: InlineFile, text: &str) -> Option<Message> {
    if text.is_empty() {
        return None;
    }
    let is_good = inline.content_of_file(text.as_bytes()).is_ok();
    (!is_good).then(|| not_that(inline))
}

/// What is said of a file that holds something else.
pub(crate) fn not_that(inline: InlineFile) -> Message {
    match inline {
        InlineFile::Ca | InlineFile::Cert | InlineFile::ExtraCerts => {
            message!("The file contains no certificate in PEM format.")
        }
        InlineFile::Key => message!("The file contains no private key in PEM format."),
        InlineFile::Pkcs12 => message!("The file is not a PKCS #12 file."),
        InlineFile::CrlVerify | InlineFile::TlsAuth | InlineFile::TlsCrypt => {
            message!("The file is not in PEM format.")
        }
    }
}

fn further(values: &Values, rest: &str) -> Option<Message> {
    if let Some((line, problem)) = directives::bad_line(rest) {
        return Some(message!(
            "Line {line}: {problem}",
            line = line,
            problem = problem
        ));
    }
    let is_filled = |field: Field| match values.get(&field) {
        Some(Value::Text(text)) => !text.trim().is_empty(),
        Some(Value::Choice(index)) => *index != name_check::NONE,
        Some(Value::Switch(_) | Value::Secret(_)) | None => false,
    };
    let (line, name) = directives::doubled(rest, is_filled)?;
    Some(message!(
        "Line {line}: “{name}” has its own field above. Remove the line.",
        line = line,
        name = name
    ))
}

/// What the whole does not add up to, and the field to blame.
pub(crate) fn of_settings(error: &SettingsError) -> (Field, Message) {
    let field = match error {
        SettingsError::Missing(key) | SettingsError::Bad(key) => field_of_key(key),
        SettingsError::UdpPastProxy => Field::ProxyType,
        SettingsError::Profile(problem) => field_of_problem(problem),
    };
    (field, error.message())
}

fn field_of_problem(problem: &ProfileError) -> Field {
    match problem {
        ProfileError::Refused { directive, .. } | ProfileError::BadArgument { directive, .. } => {
            match directive.as_str() {
                "remote" => Field::Endpoint,
                "static-challenge" => Field::Challenge,
                name => Lifted::field_of(name),
            }
        }
        ProfileError::NoRemote | ProfileError::NotAws => Field::Endpoint,
        ProfileError::NoCa => Field::Ca,
        ProfileError::HalfCertificate(name) => field_of_key(name),
        ProfileError::SeveralCertificates => Field::CertificateSource,
        ProfileError::NoSignIn => Field::SignIn,
        ProfileError::BadContent(name)
        | ProfileError::OtherContent(name)
        | ProfileError::UnreadableFile {
            directive: name, ..
        } => field_of_key(name),
        ProfileError::TooLarge
        | ProfileError::TooMany
        | ProfileError::TooManyRemotes
        | ProfileError::BadLine(_)
        | ProfileError::Unknown(_)
        | ProfileError::NewlineMissing(_)
        | ProfileError::NoBlock(_)
        | ProfileError::OpenBlock(_)
        | ProfileError::EmptyBlock(_) => Field::Directives,
    }
}

fn field_of_key(key: &str) -> Field {
    let inline = [
        (InlineFile::Ca, Field::Ca),
        (InlineFile::Cert, Field::Certificate),
        (InlineFile::Key, Field::PrivateKey),
        (InlineFile::Pkcs12, Field::Pkcs12),
    ];
    if let Some((_, field)) = inline.iter().find(|(inline, _)| inline.name() == key) {
        return *field;
    }
    match key {
        REMOTE => Field::Endpoint,
        SIGN_IN => Field::SignIn,
        USER_NAME => Field::UserName,
        STATIC_CHALLENGE => Field::Challenge,
        STATIC_CHALLENGE_ECHO => Field::ChallengeEcho,
        PKCS11_ID => Field::TokenKey,
        PKCS11_PROVIDER => Field::TokenModule,
        OPTIONS => Field::Directives,
        RANDOM_HOSTNAME => Field::RandomHostname,
        _ => Field::Directives,
    }
}
