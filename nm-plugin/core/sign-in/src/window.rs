//! What the auth dialog and the window beside it say to each other.
//!
//! The window is a program of its own, so that the dialog, which opens the browser, starts in a few
//! milliseconds and needs no toolkit. They talk over pipes, which no other process can read, in
//! lines of values with tabs between: the dialog sends [`Screen`]s, the window [`UserAction`]s. When the
//! dialog's end closes, the window goes.
//!
//! NetworkManager gives a dialog two minutes, then another follows it for the same sign-in. So that
//! no window closes while somebody types into it, only for another to come up and take the focus
//! from their browser, a dialog that is dismissed asks its window to [`Screen::KeepOpen`] for the next.
//!
//! Whoever speaks these lines can be the window; `nm-aws-client-vpn-agent` does in a terminal.

mod countdown;
mod form_state;

pub use countdown::Countdown;
pub use form_state::{Entry, FormState};

use crate::form::{CredentialForm, Field};
use crate::wire::{decode, encode, pairs};
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_text::secret::Secret;
use std::time::Duration;
use url::Url;

const QUEUE: &str = "queue";
const LOGIN: &str = "login";
const NO_BROWSER: &str = "no-browser";
const FORM: &str = "form";
const CANCEL: &str = "cancel";
const OPEN_AGAIN: &str = "open-again";
const KEEP_OPEN: &str = "linger";
const COPY_LINK: &str = "copy-link";
const ANSWER: &str = "answer";
const REMEMBER: &str = "remember";
const ONCE: &str = "once";

/// What the window is to show from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Screen {
    /// That a login waits until another one on this computer is over.
    Queue {
        /// The connection's name.
        connection: String,
    },
    /// That a connection waits for a login in the browser.
    Login {
        /// The connection's name.
        connection: String,
        /// What the browser has opened.
        url: Url,
        /// How long the login may take from now on.
        time_left: Duration,
    },
    /// That the browser of the login could not be opened.
    NoBrowser {
        /// Why, for the user.
        reason: String,
    },
    /// A form that waits for what only the person knows.
    Form {
        /// The connection's name.
        connection: String,
        /// What is asked.
        form: CredentialForm,
    },
    /// The login that is shown, with its link on the clipboard as soon as the window may put it there.
    CopyLink,
    /// What is shown still, for a moment after the dialog's end: another may go on from here.
    KeepOpen,
}

impl Screen {
    /// The screen as a line, with its end.
    #[must_use]
    pub fn to_line(&self) -> Secret {
        match self {
            Self::Queue { connection } => encode([QUEUE, connection]),
            Self::Login {
                connection,
                url,
                time_left,
            } => {
                let seconds = time_left.as_secs().to_string();
                encode([LOGIN, connection, url.as_str(), &seconds])
            }
            Self::NoBrowser { reason } => encode([NO_BROWSER, reason]),
            Self::Form { connection, form } => {
                let seconds = form.time_left.as_secs().to_string();
                let message = form.message.as_deref().unwrap_or_default();
                let marks: Vec<String> = form.fields.iter().map(marks).collect();
                let mut values = vec![FORM, connection, &seconds, message];
                for (field, marks) in form.fields.iter().zip(&marks) {
                    let question = field.question.as_deref().unwrap_or_default();
                    values.extend([field.credential.name(), question, marks]);
                }
                encode(values)
            }
            Self::CopyLink => encode([COPY_LINK]),
            Self::KeepOpen => encode([KEEP_OPEN]),
        }
    }

    /// Whether it is what a window shows already, as far as the person is concerned.
    pub fn is_same_as(&self, shown: &Self) -> bool {
        match self {
            Self::Login {
                connection, url, ..
            } => matches!(
                shown,
                Self::Login { connection: its, url: its_url, .. } if its == connection && its_url == url
            ),
            Self::Form { connection, form } => matches!(
                shown,
                Self::Form { connection: its, form: shown }
                    if its == connection && shown.message == form.message && shown.fields == form.fields
            ),
            Self::Queue { .. } | Self::NoBrowser { .. } | Self::CopyLink | Self::KeepOpen => false,
        }
    }

    /// The screen in a line without its end; `None` if it is none this version knows.
    pub fn from_line(line: &Secret) -> Option<Self> {
        let values = decode(line)?;
        let values: Vec<_> = values.iter().map(Secret::expose).collect();
        match values[..] {
            [QUEUE, connection] => Some(Self::Queue {
                connection: connection.to_owned(),
            }),
            [LOGIN, connection, url, seconds] => Some(Self::Login {
                connection: connection.to_owned(),
                url: Url::parse(url).ok()?,
                time_left: Duration::from_secs(seconds.parse().ok()?),
            }),
            [NO_BROWSER, reason] => Some(Self::NoBrowser {
                reason: reason.to_owned(),
            }),
            [COPY_LINK] => Some(Self::CopyLink),
            [KEEP_OPEN] => Some(Self::KeepOpen),
            [FORM, connection, seconds, message, ref fields @ ..] => Some(Self::Form {
                connection: connection.to_owned(),
                form: CredentialForm {
                    message: Some(message.to_owned()).filter(|message| !message.is_empty()),
                    retry_reason: None,
                    fields: fields.chunks(3).map(field).collect::<Option<_>>()?,
                    time_left: Duration::from_secs(seconds.parse().ok()?),
                },
            }),
            _ => None,
        }
    }
}

/// What there is to say of a field in single letters.
fn marks(field: &Field) -> String {
    let marks = [('m', field.masked), ('k', field.kept), ('r', field.refused)];
    let set = marks.iter().filter(|(_, is_set)| *is_set);
    set.map(|(mark, _)| *mark).collect()
}

fn field(values: &[&str]) -> Option<Field> {
    let [name, question, marks] = values else {
        return None;
    };
    Some(Field {
        credential: Credential::from_name(name)?,
        question: Some((*question).to_owned()).filter(|question| !question.is_empty()),
        masked: marks.contains('m'),
        kept: marks.contains('k'),
        refused: marks.contains('r'),
    })
}

/// What the person at the window did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserAction {
    /// They do not want to connect any more.
    Cancel,
    /// The browser shall open the page once more.
    OpenAgain {
        /// With which the browser may come to the front, if the desktop gives one.
        token: Option<String>,
    },
    /// They have filled in the form.
    Answer(Answer),
}

/// A form that is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was typed.
    pub values: Vec<(Credential, Secret)>,
    /// Whether what may be kept shall be.
    pub remember: bool,
}

impl UserAction {
    /// The action as a line, with its end.
    #[must_use]
    pub fn to_line(&self) -> Secret {
        match self {
            Self::Cancel => encode([CANCEL]),
            Self::OpenAgain { token: None } => encode([OPEN_AGAIN]),
            Self::OpenAgain { token: Some(token) } => encode([OPEN_AGAIN, token]),
            Self::Answer(Answer { values, remember }) => {
                let keeping = if *remember { REMEMBER } else { ONCE };
                let values = values
                    .iter()
                    .flat_map(|(c, value)| [c.name(), value.expose()]);
                encode([ANSWER, keeping].into_iter().chain(values))
            }
        }
    }

    /// The action in a line without its end; `None` if it is none this version knows.
    pub fn from_line(line: &Secret) -> Option<Self> {
        let values = decode(line)?;
        let values: Vec<_> = values.iter().map(Secret::expose).collect();
        match values[..] {
            [CANCEL] => Some(Self::Cancel),
            [OPEN_AGAIN] => Some(Self::OpenAgain { token: None }),
            [OPEN_AGAIN, token] => Some(Self::OpenAgain {
                token: Some(token.to_owned()),
            }),
            [ANSWER, keeping @ (REMEMBER | ONCE), ref values @ ..] => Some(Self::Answer(Answer {
                values: pairs(values)?,
                remember: keeping == REMEMBER,
            })),
            _ => None,
        }
    }
}

/// The name of the site that a person signs in at, as they know it: without port and path.
pub fn site(url: &Url) -> &str {
    let host = url.host_str().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn without_end(line: &Secret) -> Secret {
        Secret::from(line.expose().strip_suffix('\n').expect("an end"))
    }

    #[test]
    fn lines_are_what_both_programs_were_built_for() {
        let login = Screen::Login {
            connection: "Work\tand\nplay \\".to_owned(),
            url: Url::parse("https://idp.example/sso?a=b").unwrap(),
            time_left: Duration::from_millis(59_900),
        };
        let line = login.to_line();
        assert_eq!(
            line.expose(),
            "login\tWork\\tand\\nplay \\\\\thttps://idp.example/sso?a=b\t59\n"
        );
        assert_eq!(UserAction::Cancel.to_line().expose(), "cancel\n");
        let again = |token| UserAction::OpenAgain { token }.to_line();
        assert_eq!(again(None).expose(), "open-again\n");
        assert_eq!(again(Some("a".to_owned())).expose(), "open-again\ta\n");
    }

    #[test]
    fn what_another_version_says_is_left_alone() {
        for line in [
            "",
            "login",
            "login\ta\tnot an address\t1",
            "new\tthing",
            "login\ta\\",
        ] {
            assert_eq!(Screen::from_line(&Secret::from(line)), None, "{line:?}");
        }
        assert_eq!(UserAction::from_line(&Secret::from("cancel\tnow")), None);
        let again = UserAction::OpenAgain { token: None };
        assert_eq!(again.to_line().expose(), "open-again\n");
        let read = UserAction::from_line(&Secret::from("open-again"));
        assert_eq!(read, Some(again));
    }

    #[test]
    fn the_next_dialog_goes_on_where_the_last_was_dismissed() {
        let login = |url: &str, seconds| Screen::Login {
            connection: "Work".to_owned(),
            url: Url::parse(url).unwrap(),
            time_left: Duration::from_secs(seconds),
        };
        let shown = login("https://idp.example/a", 600);
        assert!(login("https://idp.example/a", 490).is_same_as(&shown));
        assert!(!login("https://idp.example/b", 490).is_same_as(&shown));
        assert!(!Screen::KeepOpen.is_same_as(&shown));
        let form = |marks: &str, seconds| {
            let line = format!("form\tWork\t{seconds}\t\tpassword\t\t{marks}");
            Screen::from_line(&Secret::new(line)).unwrap()
        };
        assert!(form("mk", 490).is_same_as(&form("mk", 600)));
        assert!(
            !form("mkr", 490).is_same_as(&form("mk", 600)),
            "it was refused"
        );
        assert!(!form("mk", 490).is_same_as(&shown));
    }

    #[test]
    fn a_site_is_called_by_its_name() {
        for (url, name) in [
            ("https://login.example.com/a?b", "login.example.com"),
            ("https://www.example.com:8443/", "example.com"),
            ("http://127.0.0.1:8080/", "127.0.0.1"),
        ] {
            assert_eq!(site(&Url::parse(url).unwrap()), name);
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_arrives(
            connection in ".{0,40}",
            reason in ".{0,40}",
            seconds in 0..4000_u64,
            (masked, kept, refused) in (any::<bool>(), any::<bool>(), any::<bool>()),
            typed in "\\PC{1,20}",
        ) {
            let question = Some(reason.clone()).filter(|text| !text.is_empty());
            let fields = Credential::ALL.map(|credential| Field {
                credential,
                question: question.clone(),
                masked,
                kept,
                refused,
            });
            let form = Screen::Form {
                connection: connection.clone(),
                form: CredentialForm {
                    message: question,
                    retry_reason: None,
                    fields: fields.into(),
                    time_left: Duration::from_secs(seconds),
                },
            };
            let values = Credential::ALL.map(|credential| (credential, Secret::new(typed.clone())));
            let answer = UserAction::Answer(Answer { values: values.into(), remember: kept });
            let login = Screen::Login {
                connection,
                url: Url::parse("https://idp.example/sso?SAMLRequest=fZ%2B").unwrap(),
                time_left: Duration::from_secs(seconds),
            };
            for screen in [login, Screen::NoBrowser { reason }, form, Screen::CopyLink, Screen::KeepOpen] {
                prop_assert_eq!(Screen::from_line(&without_end(&screen.to_line())), Some(screen));
            }
            let again = UserAction::OpenAgain { token: Some(typed) };
            for action in [UserAction::Cancel, again, answer] {
                prop_assert_eq!(UserAction::from_line(&without_end(&action.to_line())), Some(action));
            }
        }
    }
}
