//! A profile as NetworkManager keeps it: `vpn.data` and `vpn.secrets`.
//!
//! The keys are those of [`crate::keys`]. Every value is one line, because NetworkManager's secret
//! agents pass the data on line by line and disagree about values of several: a line end is written
//! `\n` and a backslash `\\`. Keys and certificates are kept here, not in files, so that no file
//! that a user names is ever opened by root. Unknown keys are left alone.

pub mod credentials;
mod new_connection;
mod options;
mod update;

pub use new_connection::{PERSISTENT, Property, new_connection};
pub use options::{
    AtLogin, KillSwitchOptions, Timeouts, at_login, check, enforces_routes, keeps_routes,
    kill_switch, session_length, timeouts,
};
pub use update::{Update, have_same_endpoint};

use crate::credential::{Credential, SecretFlags};
use crate::directive::{Directive, is_host, is_pkcs11_id};
use crate::keys::{
    EARLY_PUSH_REQUEST, INACTIVITY_TIMEOUT, MSSFIX, NO, OPTIONS, PKCS11_ID, PKCS11_PROVIDER,
    PROXY_AUTHENTICATES, PROXY_PORT, PROXY_SERVER, PROXY_TYPE, RANDOM_HOSTNAME, REMOTE,
    SAML_RESPONSE, SIGN_IN, SIGN_IN_CERTIFICATE, SIGN_IN_PASSWORD, SIGN_IN_SAML, STATIC_CHALLENGE,
    STATIC_CHALLENGE_ECHO, USER_NAME, YES, flags_key,
};
use crate::parts::{InlineFile, Proxy, ProxyKind, Remote, SignIn, StaticChallenge, transport_of};
use crate::pem::checked_content;
use crate::problem::ProfileError;
use crate::profile::{Parts, Profile};
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use thiserror::Error;
use zeroize::Zeroizing;

/// The settings of a connection make no profile.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
pub enum SettingsError {
    /// A key that has to be there is not.
    #[error(
        "The setting '{0}' is missing. Add it: nmcli connection modify NAME +vpn.data {0}=VALUE"
    )]
    Missing(&'static str),
    /// A value makes no sense.
    #[error(
        "The setting '{0}' has an invalid value. Correct it, or remove it: nmcli connection \
         modify NAME -vpn.data {0}"
    )]
    Bad(&'static str),
    /// A newer profile does not go with the user's own proxy.
    #[error(
        "The connection uses a proxy, which supports TCP only, but the profile uses UDP. Ask for a \
         profile with 'proto tcp', or remove the proxy from the connection's settings."
    )]
    UdpPastProxy,
    /// The parts do not fit together.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// The profile as `vpn.data`.
#[must_use]
pub fn to_data(profile: &Profile) -> BTreeMap<String, String> {
    let mut data = BTreeMap::new();
    let mut set = |key: &str, value: &str| {
        data.insert(key.to_owned(), value.to_owned());
    };
    set(REMOTE, &remotes_text(profile.remotes()));
    if profile.random_hostname() {
        set(RANDOM_HOSTNAME, YES);
    }
    match profile.sign_in() {
        SignIn::Saml => set(SIGN_IN, SIGN_IN_SAML),
        SignIn::Certificate => set(SIGN_IN, SIGN_IN_CERTIFICATE),
        SignIn::Password { static_challenge } => {
            set(SIGN_IN, SIGN_IN_PASSWORD);
            if let Some(challenge) = static_challenge {
                set(STATIC_CHALLENGE, &challenge.text);
                set(STATIC_CHALLENGE_ECHO, if challenge.echo { YES } else { NO });
            }
        }
    }
    set(&flags_key(SAML_RESPONSE), SecretFlags::NotSaved.flags());
    for credential in credentials::conceivable(profile) {
        let flags = if profile.does_not_require(credential) {
            SecretFlags::NotRequired
        } else {
            credential.default_flags()
        };
        set(&credential.flags_key(), flags.flags());
    }
    if let Some(id) = profile.pkcs11_id() {
        set(PKCS11_ID, id);
    }
    if let Some(provider) = profile.pkcs11_provider() {
        set(PKCS11_PROVIDER, provider);
    }
    if let Some(proxy) = profile.proxy() {
        set(PROXY_TYPE, proxy.kind.as_str());
        set(PROXY_SERVER, &proxy.host);
        set(PROXY_PORT, &proxy.port.to_string());
        if proxy.authenticates {
            set(PROXY_AUTHENTICATES, YES);
        }
    }
    if let Some(name) = profile.user_name() {
        set(USER_NAME, name);
    }
    if !profile.early_push_request() {
        set(EARLY_PUSH_REQUEST, NO);
    }
    let mut options = String::new();
    profile.push_directives(&mut options);
    if !options.is_empty() {
        set(OPTIONS, &escape(options.trim_end()));
    }
    for inline in InlineFile::ALL
        .into_iter()
        .filter(|inline| !inline.is_secret())
    {
        if let Some(content) = profile.inline(inline) {
            set(inline.name(), &escape(content.trim_end()));
        }
    }
    data
}

/// The profile's keys, as `vpn.secrets` that NetworkManager stores where only root can read.
#[must_use]
pub fn to_secrets(profile: &Profile) -> BTreeMap<String, Secret> {
    InlineFile::ALL
        .into_iter()
        .filter(|inline| inline.is_secret())
        .filter_map(|inline| {
            let content = profile.inline(inline)?;
            Some((
                inline.name().to_owned(),
                Secret::new(escape(content.trim_end())),
            ))
        })
        .collect()
}

/// The profile of a connection. Keys that are not in the table are not looked at.
pub fn from_settings(
    data: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, Secret>,
) -> Result<Profile, SettingsError> {
    let mut inline = BTreeMap::new();
    for kind in InlineFile::ALL {
        let name = kind.name();
        let line = if kind.is_secret() {
            secrets.get(name).map(Secret::expose)
        } else {
            data.get(name).map(String::as_str)
        };
        if let Some(line) = line {
            let text = Zeroizing::new(unescape(line).ok_or(SettingsError::Bad(name))?);
            let content = checked_content(kind, &text).map_err(|_| SettingsError::Bad(name))?;
            inline.insert(kind, Zeroizing::new(content));
        }
    }
    let options = data.get(OPTIONS).map_or("", String::as_str);
    let options = unescape(options).ok_or(SettingsError::Bad(OPTIONS))?;
    let mut directives = Vec::new();
    for line in options.lines() {
        directives.extend(Directive::of_line(line)?);
    }
    // What the user sets for a connection goes before what the profile says.
    for (key, directive, mode) in [
        (MSSFIX, "mssfix", " mtu"),
        (INACTIVITY_TIMEOUT, "inactive", ""),
    ] {
        if let Some(value) = data.get(key) {
            let set = Directive::of_line(&format!("{directive} {value}{mode}"));
            directives.retain(|own| own.name() != directive);
            directives.extend(set.map_err(|_| SettingsError::Bad(key))?);
        }
    }
    let user_name = match data.get(USER_NAME) {
        Some(name) if name.chars().any(char::is_control) => {
            return Err(SettingsError::Bad(USER_NAME));
        }
        name => name.filter(|name| !name.is_empty()).cloned(),
    };
    Ok(Profile::from_parts(Parts {
        remotes: remotes(data.get(REMOTE).ok_or(SettingsError::Missing(REMOTE))?)?,
        random_hostname: flag(data, RANDOM_HOSTNAME, false)?,
        sign_in: sign_in(data)?,
        user_name,
        early_push_request: flag(data, EARLY_PUSH_REQUEST, true)?,
        pkcs11_id: text(data, PKCS11_ID, is_pkcs11_id)?,
        pkcs11_provider: text(data, PKCS11_PROVIDER, is_provider)?,
        does_not_require: Credential::ALL
            .into_iter()
            .filter(|credential| {
                SecretFlags::of(data, *credential) == Some(SecretFlags::NotRequired)
            })
            .collect(),
        proxy: proxy(data)?,
        inline,
        directives,
    })?)
}

fn proxy(data: &BTreeMap<String, String>) -> Result<Option<Proxy>, SettingsError> {
    let Some(kind) = text(data, PROXY_TYPE, |_| true)? else {
        return Ok(None);
    };
    let kind = [ProxyKind::Http, ProxyKind::Socks]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or(SettingsError::Bad(PROXY_TYPE))?;
    let host = text(data, PROXY_SERVER, is_host)?;
    let port = text(data, PROXY_PORT, |_| true)?;
    let port = port.ok_or(SettingsError::Missing(PROXY_PORT))?.parse();
    Ok(Some(Proxy {
        kind,
        host: host.ok_or(SettingsError::Missing(PROXY_SERVER))?,
        port: port
            .ok()
            .filter(|port| *port != 0)
            .ok_or(SettingsError::Bad(PROXY_PORT))?,
        authenticates: flag(data, PROXY_AUTHENTICATES, false)?,
    }))
}

/// Whether the answer to a static challenge may be seen while it is typed.
pub fn static_challenge_echo(data: &BTreeMap<String, String>) -> bool {
    flag(data, STATIC_CHALLENGE_ECHO, false).unwrap_or(false)
}

/// What a connection is, as far as it can be said without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The endpoint's name.
    pub endpoint: String,
    /// How users sign in.
    pub sign_in: SignIn,
}

/// The summary of a connection, for whoever may see its settings but not its keys.
pub fn summary(data: &BTreeMap<String, String>) -> Result<Summary, SettingsError> {
    let remotes = remotes(data.get(REMOTE).ok_or(SettingsError::Missing(REMOTE))?)?;
    let remote = remotes.into_iter().next();
    Ok(Summary {
        endpoint: remote.ok_or(SettingsError::Bad(REMOTE))?.host,
        sign_in: sign_in(data)?,
    })
}

/// The value of a key that may be missing or empty, if it is as it has to be.
fn text(
    data: &BTreeMap<String, String>,
    key: &'static str,
    is_good: impl Fn(&str) -> bool,
) -> Result<Option<String>, SettingsError> {
    match data.get(key).filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) if is_good(text) => Ok(Some(text.clone())),
        Some(_) => Err(SettingsError::Bad(key)),
    }
}

/// Whether `name` can be a [`PKCS11_PROVIDER`]: a name without a directory, as where modules are is
/// the service's business, and only root's.
pub fn is_provider(name: &str) -> bool {
    name.len() <= 64
        && !name.starts_with(['.', '-'])
        && name
            .bytes()
            .all(|o| o.is_ascii_alphanumeric() || b"-_.".contains(&o))
}

fn sign_in(data: &BTreeMap<String, String>) -> Result<SignIn, SettingsError> {
    match data.get(SIGN_IN).map(String::as_str) {
        None => Err(SettingsError::Missing(SIGN_IN)),
        Some(SIGN_IN_SAML) => Ok(SignIn::Saml),
        Some(SIGN_IN_CERTIFICATE) => Ok(SignIn::Certificate),
        Some(SIGN_IN_PASSWORD) => {
            let echo = flag(data, STATIC_CHALLENGE_ECHO, false)?;
            let static_challenge = data
                .get(STATIC_CHALLENGE)
                .map(|text| StaticChallenge {
                    text: text.clone(),
                    echo,
                })
                .filter(|challenge| !challenge.text.is_empty());
            Ok(SignIn::Password { static_challenge })
        }
        Some(_) => Err(SettingsError::Bad(SIGN_IN)),
    }
}

fn flag(
    data: &BTreeMap<String, String>,
    key: &'static str,
    default: bool,
) -> Result<bool, SettingsError> {
    match data.get(key).map(String::as_str) {
        None => Ok(default),
        Some(YES) => Ok(true),
        Some(NO) => Ok(false),
        Some(_) => Err(SettingsError::Bad(key)),
    }
}

/// The addresses of an endpoint as [`REMOTE`] has them.
pub fn remotes(value: &str) -> Result<Vec<Remote>, SettingsError> {
    let remote = |text: &str| {
        let mut words = text.split_whitespace();
        Some(Remote {
            host: words.next()?.to_owned(),
            port: words.next()?.parse().ok().filter(|port| *port != 0)?,
            transport: transport_of(words.next()?)?,
        })
    };
    value
        .split(',')
        .map(|text| remote(text).ok_or(SettingsError::Bad(REMOTE)))
        .collect()
}

/// The value of [`REMOTE`]: host, port and protocol of each address.
pub fn remotes_text(remotes: &[Remote]) -> String {
    let texts: Vec<String> = remotes
        .iter()
        .map(|remote| {
            let transport = remote.transport.as_str();
            format!("{} {} {transport}", remote.host, remote.port)
        })
        .collect();
    texts.join(", ")
}

/// A text of several lines as a value: in one line.
pub fn escape(text: &str) -> String {
    let escaped = text.matches(['\\', '\n']).count();
    // Reserve up front: reallocating would leave unwiped copies.
    let mut line = String::with_capacity(text.len() + escaped);
    for character in text.chars() {
        match character {
            '\\' => line.push_str("\\\\"),
            '\n' => line.push_str("\\n"),
            other => line.push(other),
        }
    }
    line
}

/// The text that a value stands for; `None` if a backslash of it means nothing.
#[must_use]
pub fn unescape(line: &str) -> Option<String> {
    let mut text = String::with_capacity(line.len() + 1);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => match characters.next()? {
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PROFILE: &str = "client\ndev tun\nproto udp\n\
        remote cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com 443\n\
        remote-random-hostname\nresolv-retry infinite\nnobind\nremote-cert-tls server\n\
        cipher AES-256-GCM\nverb 3\nauth-federate\nreneg-sec 0\n\
        verify-x509-name \"server \\\\ name\" name\n\
        <ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n\
        <cert>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</cert>\n\
        <key>\n-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n</key>\n";

    fn profile() -> Profile {
        Profile::parse(PROFILE, &mut |_| Err("no file".to_owned()))
            .unwrap()
            .profile
    }

    #[test]
    fn a_profile_survives_the_settings() {
        let profile = profile();
        let (data, secrets) = (to_data(&profile), to_secrets(&profile));
        assert!(from_settings(&data, &secrets).unwrap() == profile);
    }

    #[test]
    fn values_are_single_lines_and_the_key_is_a_secret() {
        let profile = profile();
        let data = to_data(&profile);
        assert!(data.values().all(|value| !value.contains(['\n', '\r'])));
        assert!(!data.values().any(|value| value.contains("U0VDUkVU")));
        assert!(to_secrets(&profile)["key"].expose().contains("U0VDUkVU"));
        assert_eq!(data["saml-response-flags"], "3");
    }

    #[test]
    fn unknown_keys_do_not_disturb_and_bad_values_are_named() {
        let profile = profile();
        let (mut data, secrets) = (to_data(&profile), to_secrets(&profile));
        data.insert("future".to_owned(), "x".to_owned());
        assert!(from_settings(&data, &secrets).unwrap() == profile);
        for (key, value) in [
            ("remote", "host port"),
            ("sign-in", "magic"),
            ("ca", "text"),
            ("early-push-request", "maybe"),
        ] {
            let mut data = data.clone();
            data.insert(key.to_owned(), value.to_owned());
            let error = from_settings(&data, &secrets).unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
        data.insert("options".to_owned(), "up /bin/sh".to_owned());
        let error = from_settings(&data, &secrets).unwrap_err().to_string();
        assert!(
            error.contains("'up'") && error.contains("run a program"),
            "{error}"
        );
    }

    #[test]
    fn saml_needs_nothing_before_it_begins_and_a_password_does() {
        assert_eq!(credentials::needed(&profile()), []);
        let text = PROFILE.replace("auth-federate", "auth-user-pass\nstatic-challenge Code 1");
        let profile = Profile::parse(&text, &mut |_| Err(String::new()))
            .unwrap()
            .profile;
        let needed = [
            Credential::UserName,
            Credential::Password,
            Credential::ChallengeResponse,
        ];
        assert_eq!(credentials::needed(&profile), needed);
        let mut data = to_data(&profile);
        assert_eq!(credentials::askable(&data, &BTreeMap::new()), needed);
        // What is given once counts once; the rest is kept in the user's keyring.
        for (key, flags) in [
            ("username-flags", "1"),
            ("password-flags", "1"),
            ("challenge-response-flags", "3"),
        ] {
            assert_eq!(data[key], flags, "{key}");
        }
        data.insert("username".to_owned(), "ada".to_owned());
        data.insert("password-flags".to_owned(), "4".to_owned());
        let profile = from_settings(&data, &to_secrets(&profile)).unwrap();
        assert_eq!(
            credentials::needed(&profile),
            [Credential::ChallengeResponse]
        );
        assert!(from_settings(&to_data(&profile), &to_secrets(&profile)).unwrap() == profile);
    }

    #[test]
    fn a_token_is_named_by_its_key_and_by_a_module_without_a_directory() {
        let text = PROFILE
            .replace("auth-federate", r"pkcs11-id 'A\x20B/v2/7e/Work/01'")
            .lines()
            .take_while(|line| *line != "<cert>")
            .collect::<Vec<_>>()
            .join("\n");
        let profile = Profile::parse(&text, &mut |_| Err(String::new()))
            .unwrap()
            .profile;
        let mut data = to_data(&profile);
        assert_eq!(data["pkcs11-id"], r"A\x20B/v2/7e/Work/01");
        assert!(from_settings(&data, &BTreeMap::new()).unwrap() == profile);
        let again = Profile::parse(&profile.to_ovpn(), &mut |_| Err(String::new())).unwrap();
        assert!(again.profile == profile);
        assert_eq!(data["pkcs11-pin-flags"], "1");
        assert_eq!(credentials::needed(&profile), [Credential::TokenPin]);
        for (provider, good) in [
            ("opensc-pkcs11", true),
            ("p11-kit-proxy.so", true),
            ("", true),
            ("/tmp/evil.so", false),
            ("../evil", false),
            ("..", false),
            ("a b", false),
        ] {
            data.insert(PKCS11_PROVIDER.to_owned(), provider.to_owned());
            let read = from_settings(&data, &BTreeMap::new());
            assert_eq!(read.is_ok(), good, "{provider}");
        }
    }

    #[test]
    fn an_endpoint_has_sixty_four_addresses_at_most() {
        let profile = profile();
        let (mut data, secrets) = (to_data(&profile), to_secrets(&profile));
        for (count, good) in [(64, true), (65, false), (66, false)] {
            data.insert(
                REMOTE.to_owned(),
                ["a.example 443 udp"; 66][..count].join(", "),
            );
            assert_eq!(from_settings(&data, &secrets).is_ok(), good, "{count}");
        }
    }

    #[test]
    fn a_user_s_setting_goes_before_the_profile_s_directive() {
        let text = PROFILE.replace("reneg-sec 0", "mssfix 1400\ninactive 60");
        let profile = Profile::parse(&text, &mut |_| Err(String::new())).unwrap();
        let (mut data, secrets) = (to_data(&profile.profile), to_secrets(&profile.profile));
        data.insert(MSSFIX.to_owned(), "1280".to_owned());
        data.insert(INACTIVITY_TIMEOUT.to_owned(), "1800".to_owned());
        let arguments = |name: &str| {
            let profile = from_settings(&data, &secrets).unwrap();
            let own: Vec<_> = profile
                .directives()
                .iter()
                .filter(|d| d.name() == name)
                .collect();
            assert_eq!(own.len(), 1, "{name}");
            own[0].arguments().join(" ")
        };
        assert_eq!(arguments("mssfix"), "1280 mtu");
        assert_eq!(arguments("inactive"), "1800");
        data.insert(MSSFIX.to_owned(), "wide".to_owned());
        assert_eq!(
            from_settings(&data, &secrets).unwrap_err(),
            SettingsError::Bad(MSSFIX)
        );
    }

    proptest! {
        #[test]
        fn any_text_survives_as_one_line(text in "\\PC{0,40}(\n|\\\\|\\PC){0,20}") {
            let line = escape(&text);
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(unescape(&line), Some(text));
        }

        #[test]
        fn nothing_makes_it_panic(value in "\\PC{0,60}") {
            for key in [REMOTE, SIGN_IN, OPTIONS, "ca", USER_NAME] {
                let mut data = to_data(&profile());
                data.insert(key.to_owned(), value.clone());
                let _ = from_settings(&data, &BTreeMap::new());
            }
        }
    }
}
