//! What a connection's settings say, field by field.
//!
//! Nothing is refused here: a value that makes no sense is shown as it is, or as none of the
//! choices, and is marked as wrong where it stands.

use crate::field::{Field, Kind, Value, name_check, protocol, proxy, sign_in, source};
use crate::{directives, endpoint};
use aws_client_vpn_profile::credential::{Credential, SecretFlags};
use aws_client_vpn_profile::keys::{
    AT_LOGIN, CONNECT_TIMEOUT, ENFORCE_ROUTES, INACTIVITY_TIMEOUT, KEEP_ROUTES, KILL_SWITCH,
    KILL_SWITCH_LAN, KILL_SWITCH_SIGN_IN, LOGIN_TIMEOUT, NO, OPTIONS, PKCS11_ID, PKCS11_PROVIDER,
    PROXY_AUTHENTICATES, PROXY_PORT, PROXY_SERVER, PROXY_TYPE, RANDOM_HOSTNAME, RECONNECT_TIMEOUT,
    REMOTE, SESSION_LENGTH, SIGN_IN, SIGN_IN_CERTIFICATE, SIGN_IN_PASSWORD, SIGN_IN_SAML,
    STATIC_CHALLENGE, STATIC_CHALLENGE_ECHO, USER_NAME, YES,
};
use aws_client_vpn_profile::parts::{InlineFile, Transport};
use aws_client_vpn_profile::settings;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;

/// A value for each field.
pub(crate) type Values = BTreeMap<Field, Value>;

/// None of the choices.
const NO_CHOICE: usize = usize::MAX;

/// The order of the choices where a secret is kept.
pub(crate) const SECRET_FLAGS: [SecretFlags; 4] = [
    SecretFlags::AgentOwned,
    SecretFlags::SystemOwned,
    SecretFlags::NotSaved,
    SecretFlags::NotRequired,
];

/// The secrets that have a field each, and where they are kept another.
pub(crate) const SECRETS: [(Credential, Field, Field); 3] = [
    (
        Credential::Password,
        Field::Password,
        Field::PasswordKeeping,
    ),
    (
        Credential::KeyPassphrase,
        Field::KeyPassphrase,
        Field::KeyPassphraseKeeping,
    ),
    (
        Credential::TokenPin,
        Field::TokenPin,
        Field::TokenPinKeeping,
    ),
];

/// The switches that are an item each, and whether they are on where there is none.
pub(crate) const SWITCHES: [(Field, &str, bool); 8] = [
    (Field::AtLogin, AT_LOGIN, false),
    (Field::KeepRoutes, KEEP_ROUTES, true),
    (Field::EnforceRoutes, ENFORCE_ROUTES, false),
    (Field::KillSwitch, KILL_SWITCH, false),
    (Field::ProxyAuth, PROXY_AUTHENTICATES, false),
    (Field::KillSwitchLan, KILL_SWITCH_LAN, false),
    (Field::KillSwitchSignIn, KILL_SWITCH_SIGN_IN, false),
    (Field::RandomHostname, RANDOM_HOSTNAME, false),
];

/// The texts that are an item each.
pub(crate) const TEXTS: [(Field, &str); 11] = [
    (Field::UserName, USER_NAME),
    (Field::Challenge, STATIC_CHALLENGE),
    (Field::TokenKey, PKCS11_ID),
    (Field::TokenModule, PKCS11_PROVIDER),
    (Field::LoginLimit, LOGIN_TIMEOUT),
    (Field::ConnectLimit, CONNECT_TIMEOUT),
    (Field::SessionLength, SESSION_LENGTH),
    (Field::ReconnectLimit, RECONNECT_TIMEOUT),
    (Field::InactivityLimit, INACTIVITY_TIMEOUT),
    (Field::ProxyServer, PROXY_SERVER),
    (Field::ProxyPort, PROXY_PORT),
];

/// A page on which nothing is filled in.
pub(crate) fn blank() -> Values {
    let value = |field: Field| match field.kind() {
        Kind::Switch => {
            let is_on = |(own, _, default)| own == field && default;
            Value::Switch(SWITCHES.into_iter().any(is_on))
        }
        Kind::Choice(_) if matches!(field, Field::Protocol | Field::SignIn) => {
            Value::Choice(NO_CHOICE)
        }
        Kind::Choice(_) => Value::Choice(0),
        Kind::Secret => Value::Secret("".into()),
        Kind::Content(inline) if inline.is_secret() => Value::Secret("".into()),
        Kind::Content(_) | Kind::Text(_) | Kind::Number(_) | Kind::Lines => {
            Value::Text(String::new())
        }
    };
    Field::all().map(|field| (field, value(field))).collect()
}

/// What a new connection begins with: as AWS sets up an endpoint unless told otherwise.
pub(crate) fn new_connection() -> Values {
    let mut values = blank();
    for (field, value) in [
        (Field::Port, Value::Text("443".to_owned())),
        (Field::Protocol, Value::Choice(protocol::UDP)),
        (Field::SignIn, Value::Choice(sign_in::BROWSER)),
        (Field::RandomHostname, Value::Switch(true)),
    ] {
        values.insert(field, value);
    }
    values
}

/// What the settings say.
pub(crate) fn read(data: &BTreeMap<String, String>, secrets: &BTreeMap<String, Secret>) -> Values {
    let mut values = blank();
    let text = |key: &str| data.get(key).cloned().unwrap_or_default();
    let secret = |key: &str| secrets.get(key).cloned().unwrap_or_else(|| "".into());
    let mut set = |field, value| {
        values.insert(field, value);
    };

    let remotes = settings::remotes(&text(REMOTE)).unwrap_or_default();
    match endpoint::shown(&remotes) {
        Some((hosts, port, transport)) => {
            set(Field::Endpoint, Value::Text(hosts));
            set(Field::Port, Value::Text(port.to_string()));
            let index = match transport {
                Transport::Udp => protocol::UDP,
                Transport::Tcp => protocol::TCP,
            };
            set(Field::Protocol, Value::Choice(index));
        }
        None => set(Field::Endpoint, Value::Text(text(REMOTE))),
    }
    for (field, key, default) in SWITCHES {
        // What makes no sense is as if it were not there.
        let on = match data.get(key).map(String::as_str) {
            Some(YES) => true,
            Some(NO) => false,
            Some(_) | None => default,
        };
        set(field, Value::Switch(on));
    }

    let kind = text(PROXY_TYPE);
    let kind = proxy::NAMES.iter().position(|known| *known == kind);
    set(Field::ProxyType, Value::Choice(kind.unwrap_or(NO_CHOICE)));

    let content = |inline: InlineFile| data.get(inline.name()).map(|line| block(line));
    let secret_content = |inline: InlineFile| {
        secrets
            .get(inline.name())
            .map(|line| Secret::new(block(line.expose())))
    };
    let source = if data.contains_key(PKCS11_ID) {
        source::TOKEN
    } else if secrets.contains_key(InlineFile::Pkcs12.name()) {
        source::PKCS12
    } else {
        source::FILES
    };
    let has_certificate = source != source::FILES
        || data.contains_key(InlineFile::Cert.name())
        || secrets.contains_key(InlineFile::Key.name());
    let choice = match (data.get(SIGN_IN).map(String::as_str), has_certificate) {
        (Some(SIGN_IN_SAML), false) => sign_in::BROWSER,
        (Some(SIGN_IN_SAML), true) => sign_in::BROWSER_AND_CERTIFICATE,
        (Some(SIGN_IN_PASSWORD), false) => sign_in::PASSWORD,
        (Some(SIGN_IN_PASSWORD), true) => sign_in::PASSWORD_AND_CERTIFICATE,
        (Some(SIGN_IN_CERTIFICATE), _) => sign_in::CERTIFICATE,
        (Some(_) | None, _) => NO_CHOICE,
    };
    set(Field::SignIn, Value::Choice(choice));
    set(Field::CertificateSource, Value::Choice(source));
    for (field, inline) in [
        (Field::Ca, InlineFile::Ca),
        (Field::Certificate, InlineFile::Cert),
    ] {
        set(field, Value::Text(content(inline).unwrap_or_default()));
    }
    for (field, inline) in [
        (Field::PrivateKey, InlineFile::Key),
        (Field::Pkcs12, InlineFile::Pkcs12),
    ] {
        let secret = secret_content(inline).unwrap_or_else(|| "".into());
        set(field, Value::Secret(secret));
    }
    for (credential, field, flags_field) in SECRETS {
        set(field, Value::Secret(secret(credential.name())));
        // What has no flags is kept for all users: that is what NetworkManager does.
        let flags = SecretFlags::of(data, credential).unwrap_or(SecretFlags::SystemOwned);
        let is_set =
            data.contains_key(&credential.flags_key()) || secrets.contains_key(credential.name());
        let flags = if is_set {
            flags
        } else {
            credential.default_flags()
        };
        let index = SECRET_FLAGS.iter().position(|known| *known == flags);
        set(flags_field, Value::Choice(index.unwrap_or(NO_CHOICE)));
    }
    set(
        Field::ChallengeEcho,
        Value::Switch(
            data.get(STATIC_CHALLENGE_ECHO)
                .is_some_and(|value| value != NO),
        ),
    );
    for (field, key) in TEXTS {
        set(field, Value::Text(text(key)));
    }

    let options = text(OPTIONS);
    let shown = directives::shown(&settings::unescape(&options).unwrap_or(options));
    for (field, text) in shown.texts {
        set(field, Value::Text(text));
    }
    set(Field::ServerNameCheck, Value::Choice(shown.name_check));
    set(Field::Directives, Value::Text(shown.rest));
    values
}

/// A block as it stands in a file; a line that is none is shown as it is.
fn block(line: &str) -> String {
    settings::unescape(line).unwrap_or_else(|| line.to_owned())
}

/// What the fields of the directives hold.
pub(crate) fn directives_of(values: &Values) -> directives::Shown {
    let text = |field: Field| {
        let text = values.get(&field).map_or("", Value::text);
        (field, text.to_owned())
    };
    directives::Shown {
        texts: [
            Field::ServerName,
            Field::TunnelMtu,
            Field::MssFix,
            Field::RetryPause,
            Field::RetryPauseMost,
            Field::PingInterval,
            Field::PingRestart,
        ]
        .map(text)
        .into(),
        name_check: values
            .get(&Field::ServerNameCheck)
            .map_or(name_check::NONE, Value::choice),
        rest: text(Field::Directives).1,
    }
}
