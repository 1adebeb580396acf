//! What is said about a profile that cannot be used, or not in full.
//!
//! The user reads these texts in `nmcli` or in a dialog: they name the line and the directive, say
//! why, and what to do.

use crate::Incomplete;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Argument, Localize, Message};
use std::fmt;
use thiserror::Error;

/// The most directives that are kept.
pub(crate) const DIRECTIVE_LIMIT: usize = 2000;
/// The most addresses of an endpoint.
pub(crate) const REMOTE_LIMIT: usize = 64;

/// Something of a file that is not as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// Lines that have no effect here, all for one reason.
    Ignored {
        /// Never empty, in the order of the file.
        lines: Vec<Line>,
        /// Why.
        reason: &'static str,
    },
    /// Something that was taken in another way than it is written.
    Taken(Message),
}

/// A line of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// The directive or `<block>` that stands there.
    pub directive: String,
}

impl Warning {
    /// The numbers and the directives of lines, each as a list.
    #[must_use]
    pub fn lists(lines: &[Line]) -> (String, String) {
        let numbers: Vec<_> = lines.iter().map(|line| line.number.to_string()).collect();
        let mut names: Vec<_> = lines.iter().map(|line| line.directive.clone()).collect();
        names.dedup();
        (numbers.join(", "), names.join(", "))
    }
}

impl Localize for Warning {
    fn message(&self) -> Message {
        match self {
            Self::Ignored { lines, reason } => {
                let (numbers, directives) = Self::lists(lines);
                if lines.len() == 1 {
                    message!(
                        "Line {line}: '{directive}' is ignored. {reason}",
                        line = numbers,
                        directive = directives,
                        reason = *reason
                    )
                } else {
                    message!(
                        // TRANSLATORS: {lines} and {directives} are lists, {reason} is a
                        // sentence.
                        "Lines {lines} ({directives}) are ignored. {reason}",
                        lines = numbers,
                        directives = directives,
                        reason = *reason
                    )
                }
            }
            Self::Taken(message) => message.clone(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; none if it is about the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: ProfileError,
}

impl Localize for Fault {
    fn message(&self) -> Message {
        match self.line {
            Some(line) => message!(
                // TRANSLATORS: {problem} is a sentence.
                "Line {line}: {problem}",
                line = line,
                problem = self.problem
            ),
            None => self.problem.message(),
        }
    }
}

/// Why a file is not a profile that can be used.
#[derive(Debug)]
pub enum ParseError {
    /// All that is wrong with it, in the order of the file; never empty.
    Faulty(Vec<Fault>),
    /// Nothing is wrong with it, but it is for a certificate, and that is somewhere else.
    NoCertificate(Box<Incomplete>),
}

/// The most faults that are shown: a person mends these and sees the others then.
const FAULTS_SHOWN: usize = 20;

impl Localize for ParseError {
    fn message(&self) -> Message {
        match self {
            Self::NoCertificate(_) => ProfileError::NoSignIn.message(),
            Self::Faulty(faults) => {
                let mut shown = faults.iter().take(FAULTS_SHOWN).map(Localize::message);
                let first = shown
                    .next()
                    .unwrap_or_else(|| ProfileError::TooMany.message());
                let all = shown.fold(first, |all, fault| {
                    // TRANSLATORS: A list of sentences, each on its own line.
                    message!("{faults}\n{fault}", faults = all, fault = fault)
                });
                match faults.len().checked_sub(FAULTS_SHOWN) {
                    None | Some(0) => all,
                    Some(more) => message!(
                        // TRANSLATORS: The end of a list of sentences, each on its own line.
                        "{faults}\nMore lines of this kind: {number}",
                        faults = all,
                        number = more
                    ),
                }
            }
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    /// What is wrong with the whole file, and nothing else.
    pub(crate) fn whole(problem: ProfileError) -> Self {
        Self::Faulty(vec![Fault {
            line: None,
            problem,
        }])
    }

    /// Whether the file belongs to another VPN plugin.
    pub fn is_not_aws(&self) -> bool {
        match self {
            Self::Faulty(faults) => faults
                .iter()
                .any(|f| matches!(f.problem, ProfileError::NotAws)),
            Self::NoCertificate(_) => false,
        }
    }
}

/// What is wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum ProfileError {
    #[error(
        "This is not a profile of AWS Client VPN. No 'remote' line names a Client VPN endpoint of \
         AWS, and there is no 'auth-federate' line. If your company uses its own host name for \
         the endpoint, put the name that AWS shows for it in the 'remote' line."
    )]
    NotAws,
    #[error("The file is too large for a profile. Check that it is the right file.")]
    TooLarge,
    /// More directives than any profile has.
    #[error(
        "The file has more than {limit} directives, which is too many for a profile. Check that it \
         is the right file.",
        limit = DIRECTIVE_LIMIT
    )]
    TooMany,
    #[error(
        "The file has more than {limit} 'remote' lines, which is too many for a profile. Check that it is \
         the right file.",
        limit = REMOTE_LIMIT
    )]
    TooManyRemotes,
    /// The line cannot be split into words.
    #[error("{0}")]
    BadLine(&'static str),
    /// A directive that must not be used.
    #[error("'{directive}' cannot be used. {reason} Remove the line.")]
    Refused {
        /// The directive's name.
        directive: String,
        /// Why.
        reason: &'static str,
    },
    /// A directive nobody has thought about.
    #[error("'{0}' is not a directive that AWS Client VPN uses. Remove the line.")]
    Unknown(String),
    /// A directive with arguments that make no sense.
    // TRANSLATORS: {reason} is a sentence about a line of the profile.
    #[error("'{directive}': {reason}")]
    BadArgument {
        /// The directive's name.
        directive: String,
        /// What is wrong.
        reason: Message,
    },
    /// Two lines have become one.
    #[error(
        "A line break seems to be missing before '{0}'. Put '{0}' and what follows it on a line \
         of its own."
    )]
    NewlineMissing(String),
    /// The end of a block that has no beginning.
    // TRANSLATORS: {0} has a slash before it: the end of a block, as in </cert>.
    #[error("<{0}> closes a block that was never opened. Remove the line.")]
    NoBlock(String),
    /// A block without its end.
    #[error(
        "The block <{0}> has no end. The file seems to be truncated. Ask your administrator \
         for the complete profile."
    )]
    OpenBlock(String),
    /// A block or file that is not what it should be.
    #[error(
        "The content of '{0}' is not in PEM format; parts of it are missing or damaged. Copy the \
         whole file in again, from its -----BEGIN line to its -----END line."
    )]
    BadContent(&'static str),
    /// A certificate where a key belongs, or the other way round.
    #[error(
        "The content of '{0}' is of the wrong kind: a certificate belongs in 'cert', its private \
         key in 'key'. Swap them, or copy the right file in."
    )]
    OtherContent(&'static str),
    /// A block that has to be filled, and is not.
    #[error("The block <{0}> is empty. Ask your administrator for the complete profile.")]
    EmptyBlock(&'static str),
    /// A file that the profile names cannot be read.
    // TRANSLATORS: {reason} is a sentence about a line of the profile.
    #[error("'{directive}': {reason}")]
    UnreadableFile {
        /// Which directive names it.
        directive: &'static str,
        /// Why, and what to do.
        reason: Argument,
    },
    #[error(
        "There is no 'remote' line, so the endpoint is not known. Ask your administrator for the \
         complete profile."
    )]
    NoRemote,
    #[error(
        "There is no <ca> block, so the endpoint could not be verified. Ask your administrator \
         for the complete profile."
    )]
    NoCa,
    /// A certificate without key, or the other way round.
    #[error(
        "The profile has a client certificate or its private key, but not both: '{0}' is missing. \
         Ask your administrator for both files."
    )]
    HalfCertificate(&'static str),
    #[error(
        "There is more than one client certificate. Keep only one: 'cert' together with 'key', or \
         'pkcs12', or 'pkcs11-id'."
    )]
    SeveralCertificates,
    #[error(
        "This endpoint requires a client certificate, and the profile has none. Put the two \
         files that your administrator gave you beside the profile, and add the lines 'cert \
         client1.crt' and 'key client1.key' with their names to it, or the one line 'pkcs12 \
         client1.p12'."
    )]
    NoSignIn,
}

impl ProfileError {
    pub(crate) fn refused(directive: &str, reason: &'static str) -> Self {
        Self::Refused {
            directive: directive.to_owned(),
            reason,
        }
    }

    pub(crate) fn bad_argument(directive: &str, reason: Message) -> Self {
        Self::BadArgument {
            directive: directive.to_owned(),
            reason,
        }
    }

    /// The directive or block that it is about, if it is about one.
    pub(crate) fn directive(&self) -> Option<&str> {
        match self {
            Self::Refused { directive, .. } | Self::BadArgument { directive, .. } => {
                Some(directive)
            }
            Self::BadContent(name) | Self::OtherContent(name) | Self::EmptyBlock(name) => {
                Some(name)
            }
            Self::UnreadableFile { directive, .. } => Some(directive),
            Self::NotAws
            | Self::TooLarge
            | Self::TooMany
            | Self::TooManyRemotes
            | Self::BadLine(_)
            | Self::Unknown(_)
            | Self::NewlineMissing(_)
            | Self::NoBlock(_)
            | Self::OpenBlock(_)
            | Self::NoRemote
            | Self::NoCa
            | Self::HalfCertificate(_)
            | Self::SeveralCertificates
            | Self::NoSignIn => None,
        }
    }
}
