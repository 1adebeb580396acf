//! What a line of a profile says, held against the table.

use super::line::{self, BadLine, LINE_LIMIT, WORD_LIMIT};
use super::table::{Argument, Rule, rule};
use crate::problem::ProfileError;
use aws_client_vpn_text::{gettext_noop, message};
use std::collections::BTreeSet;

/// A directive of the profile that goes to OpenVPN as it is, checked against the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    name: &'static str,
    arguments: Vec<String>,
}

impl Directive {
    /// Reads a line of a profile; `None` if it says nothing that OpenVPN would be told.
    pub fn of_line(line: &str) -> Result<Option<Self>, ProfileError> {
        let words = line::split(line).map_err(bad_line)?;
        let Some((name, arguments)) = words.split_first() else {
            return Ok(None);
        };
        match rule(name) {
            Some((name, Rule::Keep(needed, kinds))) => {
                keep(name, needed, kinds, arguments).map(Some)
            }
            Some((_, Rule::Refused(reason))) => Err(ProfileError::refused(name, reason)),
            Some((_, Rule::Implied | Rule::Ignored(_))) => Ok(None),
            None => Err(ProfileError::Unknown(name.clone())),
        }
    }

    /// As a line.
    pub fn to_line(&self) -> String {
        let arguments = self.arguments.iter().map(String::as_str);
        line::join(std::iter::once(self.name).chain(arguments))
    }

    /// The directive's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The directive's arguments, unquoted.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

/// A directive that goes to OpenVPN, if its arguments are of these kinds.
pub(crate) fn keep(
    name: &'static str,
    needed: usize,
    kinds: &[Argument],
    arguments: &[String],
) -> Result<Directive, ProfileError> {
    let bad = |reason| ProfileError::bad_argument(name, reason);
    let needed = match arguments.first() {
        // With its number, and one thing of it.
        Some(kind) if name == "dns" && kind == "server" => 4,
        _ => needed,
    };
    if arguments.len() < needed {
        return Err(bad(message!(
            "There are too few arguments; at least {needed} must be given.",
            needed = needed
        )));
    }
    if arguments.len() > kinds.len().min(WORD_LIMIT) {
        return Err(bad(message!("There are too many arguments.")));
    }
    if let Some(objection) = kinds
        .iter()
        .zip(arguments)
        .find_map(|(kind, text)| kind.objection(text))
    {
        return Err(bad(objection));
    }
    let words = std::iter::once(name).chain(arguments.iter().map(String::as_str));
    if line::join(words).len() > LINE_LIMIT {
        return Err(bad_line(BadLine::TooLong));
    }
    Ok(Directive {
        name,
        arguments: arguments.to_vec(),
    })
}

/// What OpenVPN stops at when it starts, although each line is right by itself; with the place of
/// the directive.
pub(crate) fn check_together(
    directives: &[Directive],
) -> impl Iterator<Item = (usize, ProfileError)> {
    let server = |directive: &Directive| match directive.arguments.as_slice() {
        [kind, number, what, ..] if directive.name == "dns" && kind == "server" => {
            Some((number.clone(), what == "address"))
        }
        _ => None,
    };
    let addressed: BTreeSet<String> = directives
        .iter()
        .filter_map(server)
        .filter_map(|(number, is_address)| is_address.then_some(number))
        .collect();
    directives
        .iter()
        .enumerate()
        .filter_map(move |(index, directive)| {
            let (number, _) = server(directive)?;
            let reason = message!(
                "This name server has no address. Add a 'dns server' line with 'address' for it."
            );
            (!addressed.contains(&number))
                .then(|| (index, ProfileError::bad_argument(directive.name, reason)))
        })
}

pub(crate) fn bad_line(bad: BadLine) -> ProfileError {
    ProfileError::BadLine(match bad {
        BadLine::TooLong => gettext_noop!(
            "The line is longer than the 254 characters that OpenVPN reads. Shorten or remove it."
        ),
        BadLine::TooManyWords => {
            gettext_noop!(
                "The line has more than the 16 words that OpenVPN reads. Shorten or remove it."
            )
        }
        BadLine::OpenQuote => gettext_noop!("A quotation mark is not closed. Add the missing one."),
        BadLine::Backslash => {
            gettext_noop!(
                "The line contains a single backslash. In the name of a file, write two \
                 backslashes, or '/'."
            )
        }
        BadLine::ControlCharacter => {
            gettext_noop!(
                "The line contains a control character. Type the line again, or remove it."
            )
        }
    })
}

/// With its port and transport, a `remote` has to fit into a line of OpenVPN's.
const HOST_LIMIT: usize = LINE_LIMIT - "remote  65535 udp".len();

/// A DNS name or an address, of characters that mean nothing to OpenVPN's parser.
pub fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= HOST_LIMIT
        && !host.starts_with('-')
        && host
            .bytes()
            .all(|o| o.is_ascii_alphanumeric() || b"-_.:".contains(&o))
}

/// What OpenVPN's line may hold; it is put in quotation marks, so spaces do no harm.
const PKCS11_ID_LIMIT: usize = 200;

/// A `pkcs11:` URI, or the five fields of pkcs11-helper's own form, in which `\x20` is a space.
pub fn is_pkcs11_id(id: &str) -> bool {
    let is_old_form = id.split('/').count() == 5;
    id.len() <= PKCS11_ID_LIMIT
        && (id.starts_with("pkcs11:") || is_old_form)
        && id.bytes().all(|o| (b' '..=b'~').contains(&o))
        && !id.contains(['"', '\'', '<', '>'])
}
