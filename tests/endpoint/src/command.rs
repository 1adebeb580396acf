//! What a test may ask of a running endpoint: one JSON object on a line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A command to a running endpoint.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Throws clients out: `{"kick": "all"}` or `{"kick": 3}`; they are told to restart.
    Kick(KickTarget),
    /// Throws all clients out and tells them not to come back: `{"halt": true}`.
    Halt(bool),
    /// Changes settings: `{"set": {"saml_lifetime": 1}}`.
    Set(SettingChanges),
    /// Kills the servers of a node, without a word to their clients: `{"stop_node": 1}`.
    StopNode(usize),
    /// Starts the servers of a node again: `{"start_node": 1}`.
    StartNode(usize),
    /// How the identity provider behaves: `{"idp": "delay 130"}`.
    Idp(IdpMode),
    /// Replaces the pushed options for clients to come: `{"push": ["route 10.7.0.0 255.255.0.0"]}`.
    Push(Vec<String>),
    /// Ends the endpoint: `{"stop": true}`.
    Stop(bool),
}

/// Which clients a [`Command::Kick`] means.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum KickTarget {
    /// The client of this number, at every server that has one.
    Client(u64),
    /// The text `all`: everybody.
    All(AllClients),
}

/// The text `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AllClients {
    /// `all`.
    All,
}

/// Settings that a test may change while the endpoint runs; an absent one stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettingChanges {
    /// Seconds that a SAML assertion is good for.
    pub saml_lifetime: Option<u64>,
    /// Seconds that a node keeps a session waiting for its assertion.
    pub session_lifetime: Option<u64>,
    /// Bytes of the SAML response in base64.
    pub response_bytes: Option<usize>,
    /// Bytes of the URL in the challenge.
    pub challenge_bytes: Option<usize>,
    /// `false`: phase 1 gets no answer.
    pub answer_phase1: Option<bool>,
    /// `false`: phase 2 gets no answer.
    pub answer_phase2: Option<bool>,
    /// `false`: phase 2 is also taken in stock OpenVPN's framing.
    pub require_aws_framing: Option<bool>,
    /// Whether clients may come back with their token (`--auth-token`).
    pub accept_tokens: Option<bool>,
    /// A text: everybody is refused with it after sign-in (AWS: the client-connect handler's
    /// denial, at most 255 characters); an empty text: nobody is.
    pub deny: Option<String>,
    /// `true`: everybody is refused after sign-in without a reason.
    pub deny_in_silence: Option<bool>,
    /// The flags of a SAML challenge; AWS's are `R`.
    pub challenge_flags: Option<String>,
    /// The user of a SAML challenge as it stands there; AWS's is `b'Ti9B'`.
    pub challenge_user: Option<String>,
    /// Milliseconds that each answer to a sign-in is held back.
    pub answer_delay_ms: Option<u64>,
}

/// How the identity provider behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum IdpMode {
    /// `normal`: a page, a check of the password, a good response.
    #[default]
    Normal,
    /// `auto`: a good response at once, without a page.
    Auto,
    /// `delay SECONDS`: a good response that long after the password.
    Delay(Duration),
    /// `broken-signature`: one character of the signed text is changed after signing.
    BrokenSignature,
    /// `unsigned`: a response without any signature.
    Unsigned,
    /// `late`: a response whose time is over.
    Late,
    /// `replay`: the response that was issued before, once more.
    Replay,
    /// `other-request`: a response to a request that nobody made.
    OtherRequest,
    /// `other-audience`: a response for another service.
    OtherAudience,
    /// `failed`: a signed response that says that the login failed.
    Failed,
}

/// A text that names no mode of the identity provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such mode: {0:?}; use normal, auto, delay SECONDS, broken-signature, unsigned, late, \
     replay, other-request, other-audience or failed"
)]
pub struct ParseIdpModeError(String);

impl FromStr for IdpMode {
    type Err = ParseIdpModeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(seconds) = text.strip_prefix("delay ") {
            return match seconds.trim().parse() {
                Ok(seconds) => Ok(Self::Delay(Duration::from_secs(seconds))),
                Err(_) => Err(ParseIdpModeError(text.to_owned())),
            };
        }
        match text {
            "normal" => Ok(Self::Normal),
            "auto" => Ok(Self::Auto),
            "broken-signature" => Ok(Self::BrokenSignature),
            "unsigned" => Ok(Self::Unsigned),
            "late" => Ok(Self::Late),
            "replay" => Ok(Self::Replay),
            "other-request" => Ok(Self::OtherRequest),
            "other-audience" => Ok(Self::OtherAudience),
            "failed" => Ok(Self::Failed),
            _ => Err(ParseIdpModeError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for IdpMode {
    type Error = ParseIdpModeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for KickTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(number) => write!(f, "client {number}"),
            Self::All(AllClients::All) => f.write_str("all clients"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_read_from_its_line() {
        let table = [
            (
                r#"{"kick":"all"}"#,
                Command::Kick(KickTarget::All(AllClients::All)),
            ),
            (r#"{"kick":3}"#, Command::Kick(KickTarget::Client(3))),
            (r#"{"stop_node":1}"#, Command::StopNode(1)),
            (r#"{"start_node":1}"#, Command::StartNode(1)),
            (
                r#"{"idp":"delay 130"}"#,
                Command::Idp(IdpMode::Delay(Duration::from_secs(130))),
            ),
            (r#"{"idp":"replay"}"#, Command::Idp(IdpMode::Replay)),
            (r#"{"push":["echo"]}"#, Command::Push(vec!["echo".into()])),
            (
                r#"{"set":{"saml_lifetime":1}}"#,
                Command::Set(SettingChanges {
                    saml_lifetime: Some(1),
                    ..Default::default()
                }),
            ),
        ];
        for (line, command) in table {
            assert_eq!(
                serde_json::from_str::<Command>(line).unwrap(),
                command,
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for line in [
            r#"{"kick":"some"}"#,
            r#"{"idp":"delay soon"}"#,
            r#"{"set":{"nonsense":1}}"#,
            r#"{"jump":1}"#,
        ] {
            assert!(serde_json::from_str::<Command>(line).is_err(), "{line}");
        }
    }
}
