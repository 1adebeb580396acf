//! What is said about a profile that cannot be used, or not in full.
//!
//! The user reads these texts in `nmcli` or in a dialog: they name the line and the directive, say
//! why, and what to do.

use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Message, Worded};
use std::fmt;
use thiserror::Error;

/// The most directives that are kept.
pub(crate) const DIRECTIVE_LIMIT: usize = 2000;

/// A directive that has no effect here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its line, from 1.
    pub line: usize,
    /// Its name.
    pub directive: String,
    /// Why.
    pub reason: &'static str,
}

impl Worded for Note {
    fn message(&self) -> Message {
        message!(
            "line {line}: '{directive}' is ignored: {reason}",
            line = self.line,
            directive = self.directive,
            reason = self.reason
        )
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

/// Why a file is not a profile that can be used; names the line and the directive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ParseError {
    /// The line, from 1; none if it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl Worded for ParseError {
    fn message(&self) -> Message {
        match self.line {
            Some(line) => message!(
                "line {line}: {problem}",
                line = line,
                problem = self.problem
            ),
            None => self.problem.message(),
        }
    }
}

impl ParseError {
    /// Whether the file belongs to another VPN plugin.
    #[must_use]
    pub fn is_not_aws(&self) -> bool {
        matches!(self.problem, Problem::NotAws)
    }
}

/// What is wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, Error, Worded)]
pub enum Problem {
    /// Nothing in it says AWS.
    #[error(
        "this is not a profile of AWS Client VPN: no 'remote' line names a Client VPN endpoint of \
         AWS, and there is no 'auth-federate' line"
    )]
    NotAws,
    /// Larger than 1 MiB.
    #[error("the file is larger than a profile can be")]
    TooLarge,
    /// More directives than any profile has.
    #[error("the profile has more than {DIRECTIVE_LIMIT} directives")]
    TooMany,
    /// The line cannot be split into words.
    #[error("{0}")]
    BadLine(&'static str),
    /// A directive that must not be used.
    #[error("'{directive}' cannot be used because {reason}; remove the line")]
    Refused {
        /// Its name.
        directive: String,
        /// Why.
        reason: &'static str,
    },
    /// A directive nobody has thought about.
    #[error("'{0}' is not a directive that AWS Client VPN uses; remove the line")]
    Unknown(String),
    /// A directive with arguments that make no sense.
    #[error("'{directive}': {reason}")]
    BadArgument {
        /// Its name.
        directive: String,
        /// What is wrong.
        reason: Message,
    },
    /// A block without its end.
    #[error("the block <{0}> has no end; the file seems to be cut off")]
    OpenBlock(String),
    /// A block or file that is not what it should be.
    #[error("the content of '{0}' is not in PEM form; export the profile again")]
    BadContent(&'static str),
    /// A file that the profile names cannot be read.
    #[error("'{directive}': {reason}")]
    UnreadableFile {
        /// Which directive names it.
        directive: &'static str,
        /// Why.
        reason: String,
    },
    /// There is no `remote`.
    #[error("there is no 'remote' line, so the endpoint is not known")]
    NoRemote,
    /// There is no certificate authority.
    #[error("there is no <ca> block, so the endpoint could not be recognised")]
    NoCa,
    /// A certificate without key, or the other way round.
    #[error("there is a client certificate without its private key, or a key without certificate")]
    HalfCertificate,
    /// More than one of certificate and key, PKCS #12 file and token.
    #[error(
        "there is more than one client certificate: keep only one of 'cert' with 'key', 'pkcs12' \
         and 'pkcs11-id'"
    )]
    SeveralCertificates,
    /// No way to sign in.
    #[error(
        "the profile has no way to sign in: add your certificate with <cert> and <key> blocks, or \
         export the profile of an endpoint with another kind of sign-in"
    )]
    NoSignIn,
}
