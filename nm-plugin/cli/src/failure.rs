//! Why a command did nothing.

use crate::answer::{Answer, Outcome};
use crate::at_login::AtLoginError;
use crate::choice::ChoiceError;
use crate::connect::ConnectError;
use crate::doctor::FixError;
use crate::import::ImportError;
use crate::logs::LogsError;
use crate::network_manager::NetworkManagerError;
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_profile::settings::SettingsError;
use aws_client_vpn_profile_file::file::WriteError;
use aws_client_vpn_text::message::{Localize, Message};
use serde_json::json;
use std::error::Error;
use std::io;

/// Why nothing is printed.
#[derive(Debug, thiserror::Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum Failure {
    #[error(transparent)]
    NetworkManager(#[from] NetworkManagerError),
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Scripts are not done.
    #[error(
        "'{name}' is still being disconnected after {seconds} s: NetworkManager waits for scripts in \
         pre-down.d. Wait for them to end; 'aws-client-vpn status' shows when it is off."
    )]
    StillDisconnecting {
        /// The connection's name.
        name: String,
        /// How long was waited.
        seconds: u64,
    },
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error(transparent)]
    AtLogin(#[from] AtLoginError),
    /// The connection's settings do not make a profile.
    #[error("The connection cannot be exported. {0}")]
    Export(SettingsError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Logs(#[from] LogsError),
    /// The connection is not up.
    #[error("'{0}' is not connected. To connect and sign in: aws-client-vpn connect NAME")]
    NothingToRenew(String),
    /// The service refused.
    #[error("The sign-in was not renewed. {reason}")]
    NotRenewed {
        /// As it says, or the bus.
        reason: Message,
        /// For scripts.
        outcome: Outcome,
    },
    #[error(transparent)]
    Fix(#[from] FixError),
    /// The system.
    #[error("This computer is out of resources: {0}. Close some programs, and try again.")]
    Exhausted(io::Error),
}

impl Failure {
    /// The outcome, for exit code and JSON.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NetworkManager(error) => error.outcome(),
            Self::Choice(error) => error.outcome(),
            Self::Connect(error) => error.outcome(),
            Self::StillDisconnecting { .. } => Outcome::TimedOut,
            Self::Import(error) => error.outcome(),
            Self::Write(WriteError { reason, .. }) => reason.into(),
            Self::Logs(error) => error.outcome(),
            Self::NothingToRenew(_) => Outcome::NotConnected,
            Self::NotRenewed { outcome, .. } => *outcome,
            Self::Fix(FixError::NotRoot) => Outcome::NotPermitted,
            Self::Export(_) | Self::Fix(_) | Self::AtLogin(_) | Self::Exhausted(_) => {
                Outcome::Failed
            }
        }
    }

    /// In the user's language, with what others say of the causes in theirs; English for programs.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let text = i18n::localize(self) + &self.causes();
        Answer::not_done(self.outcome(), self.reason(), text, json!({}))
    }

    /// For programs.
    pub(crate) fn reason(&self) -> String {
        self.message().to_string() + &self.causes()
    }

    fn causes(&self) -> String {
        let mut causes = Vec::<String>::new();
        let mut source = self.source();
        while let Some(cause) = source {
            let words = cause.to_string();
            // The bus repeats its own, also within longer ones.
            if !causes.last().is_some_and(|last| last.ends_with(&words)) {
                causes.push(words);
            }
            source = cause.source();
        }
        match causes.is_empty() {
            true => String::new(),
            false => format!(" ({})", causes.join(": ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let bad = SettingsError::Missing("remote");
        let cause = bad.to_string();
        let of_bus = zbus::fdo::Error::Failed(cause.clone());
        let failures = [
            NetworkManagerError::Strange(of_bus.into()).into(),
            Failure::Export(bad),
            Failure::Exhausted(std::io::Error::other(cause.clone())),
        ];
        for failure in failures {
            let answer = failure.answer();
            assert_eq!(answer.text.matches(&cause).count(), 1, "{}", answer.text);
        }
    }
}
