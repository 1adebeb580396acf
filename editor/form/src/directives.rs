//! The directives of a connection: some have fields of their own, the rest is text.
//!
//! The lines keep their order and their spelling unless their own field was touched.

use crate::field::{Field, name_check};
use aws_client_vpn_profile::directive::{self, Directive};
use aws_client_vpn_profile::problem::ProfileError;
use aws_client_vpn_text::message::{Localize, Message};
use std::collections::BTreeMap;

/// Directives that have fields: what is shown in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lifted {
    ServerName,
    TunnelMtu,
    MssFix,
    Retry,
    Ping,
}

impl Lifted {
    const ALL: [Self; 5] = [
        Self::ServerName,
        Self::TunnelMtu,
        Self::MssFix,
        Self::Retry,
        Self::Ping,
    ];

    /// The fields it is shown in.
    fn fields(self) -> &'static [Field] {
        match self {
            Self::ServerName => &[Field::ServerNameCheck, Field::ServerName],
            Self::TunnelMtu => &[Field::TunnelMtu],
            Self::MssFix => &[Field::MssFix],
            Self::Retry => &[Field::RetryPause, Field::RetryPauseMost],
            Self::Ping => &[Field::PingInterval, Field::PingRestart],
        }
    }

    /// Whose fields say what `directive` says, if they can.
    fn of(directive: &Directive) -> Option<Self> {
        let arguments = directive.arguments().len();
        Some(match (directive.name(), arguments) {
            ("verify-x509-name", _) => Self::ServerName,
            ("tun-mtu", _) => Self::TunnelMtu,
            ("mssfix", 1..) => Self::MssFix,
            ("connect-retry", _) => Self::Retry,
            ("keepalive" | "ping" | "ping-restart", _) => Self::Ping,
            _ => return None,
        })
    }

    /// Of the field that is wrong, if a directive is.
    pub(crate) fn field_of(name: &str) -> Field {
        match name {
            "verify-x509-name" => Field::ServerName,
            "tun-mtu" => Field::TunnelMtu,
            "mssfix" => Field::MssFix,
            "connect-retry" => Field::RetryPause,
            "keepalive" | "ping" => Field::PingInterval,
            "ping-restart" => Field::PingRestart,
            _ => Field::Directives,
        }
    }
}

/// What the fields of the directives hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) texts: BTreeMap<Field, String>,
    pub(crate) name_check: usize,
    pub(crate) rest: String,
}

fn lifted(line: &str) -> Option<(Lifted, Directive)> {
    let directive = Directive::of_line(line).ok()??;
    Some((Lifted::of(&directive)?, directive))
}

/// What is shown of the lines.
pub(crate) fn shown(options: &str) -> Shown {
    let mut shown = Shown::default();
    let mut rest = Vec::new();
    for line in options.lines() {
        let Some((lifted, directive)) = lifted(line) else {
            rest.push(line);
            continue;
        };
        let argument = |index: usize| directive.arguments().get(index).cloned();
        let mut set = |field: Field, text: Option<String>| {
            shown.texts.insert(field, text.unwrap_or_default());
        };
        match (lifted, directive.name()) {
            (Lifted::ServerName, _) => {
                set(Field::ServerName, argument(0));
                shown.name_check = match argument(1).as_deref() {
                    Some("name") => name_check::NAME,
                    Some("name-prefix") => name_check::PREFIX,
                    Some(_) | None => name_check::SUBJECT,
                };
            }
            (Lifted::TunnelMtu, _) => set(Field::TunnelMtu, argument(0)),
            (Lifted::MssFix, _) => set(Field::MssFix, argument(0)),
            (Lifted::Retry, _) => {
                set(Field::RetryPause, argument(0));
                set(Field::RetryPauseMost, argument(1));
            }
            (Lifted::Ping, "ping") => set(Field::PingInterval, argument(0)),
            (Lifted::Ping, "ping-restart") => set(Field::PingRestart, argument(0)),
            (Lifted::Ping, _) => {
                set(Field::PingInterval, argument(0));
                set(Field::PingRestart, argument(1));
            }
        }
    }
    shown.rest = rest.join("\n");
    shown
}

/// The lines after an edit. `is_touched` tells which fields were.
pub(crate) fn edited(options: &str, new: &Shown, is_touched: impl Fn(Field) -> bool) -> String {
    let rest_is_touched = is_touched(Field::Directives);
    let is_touched = |lifted: Lifted| lifted.fields().iter().any(|field| is_touched(*field));
    let mut kept: Vec<String> = Vec::new();
    let mut written = Vec::new();
    for line in options.lines() {
        match lifted(line) {
            None if rest_is_touched => {}
            Some((lifted, directive)) if is_touched(lifted) => {
                // In the place of the first.
                if !written.contains(&lifted) {
                    written.push(lifted);
                    kept.extend(lines_of(lifted, new, Some(&directive)));
                }
            }
            None | Some(_) => kept.push(line.to_owned()),
        }
    }
    if rest_is_touched {
        kept.extend(new.rest.lines().map(str::to_owned));
    }
    for lifted in Lifted::ALL {
        if is_touched(lifted) && !written.contains(&lifted) {
            kept.extend(lines_of(lifted, new, None));
        }
    }
    kept.join("\n")
}

/// The lines for what some fields hold; `old` is the line they replace.
fn lines_of(lifted: Lifted, new: &Shown, old: Option<&Directive>) -> Vec<String> {
    let text = |field: Field| {
        let text = new.texts.get(&field).map_or("", String::as_str).trim();
        (!text.is_empty()).then_some(text)
    };
    match lifted {
        Lifted::ServerName => {
            let kind = match new.name_check {
                name_check::NAME => "name",
                name_check::PREFIX => "name-prefix",
                name_check::SUBJECT => "subject",
                _ => return Vec::new(),
            };
            let name = text(Field::ServerName).unwrap_or_default();
            vec![line("verify-x509-name", &[name, kind])]
        }
        Lifted::TunnelMtu => text(Field::TunnelMtu)
            .map(|mtu| line("tun-mtu", &[mtu]))
            .into_iter()
            .collect(),
        Lifted::MssFix => text(Field::MssFix)
            .map(|size| {
                let how = old.and_then(|old| old.arguments().get(1));
                let arguments: Vec<&str> =
                    [size].into_iter().chain(how.map(String::as_str)).collect();
                line("mssfix", &arguments)
            })
            .into_iter()
            .collect(),
        Lifted::Retry => match (text(Field::RetryPause), text(Field::RetryPauseMost)) {
            (None, None) => Vec::new(),
            (Some(pause), None) => vec![line("connect-retry", &[pause])],
            (pause, Some(most)) => vec![line("connect-retry", &[pause.unwrap_or("1"), most])],
        },
        Lifted::Ping => {
            let (interval, restart) = (text(Field::PingInterval), text(Field::PingRestart));
            match (interval, restart, old.map(Directive::name)) {
                (Some(interval), Some(restart), Some("keepalive")) => {
                    vec![line("keepalive", &[interval, restart])]
                }
                (interval, restart, _) => interval
                    .map(|seconds| line("ping", &[seconds]))
                    .into_iter()
                    .chain(restart.map(|seconds| line("ping-restart", &[seconds])))
                    .collect(),
            }
        }
    }
}

fn line(name: &str, arguments: &[&str]) -> String {
    directive::line(std::iter::once(name).chain(arguments.iter().copied()))
}

/// What is wrong with an argument of a directive.
pub(crate) fn objection(name: &str, arguments: &[&str]) -> Option<Message> {
    match Directive::of_line(&line(name, arguments)) {
        Ok(_) => None,
        Err(ProfileError::BadArgument { reason, .. }) => Some(reason),
        Err(problem) => Some(problem.message()),
    }
}

/// The first bad line of the rest: its number and what is wrong.
pub(crate) fn bad_line(rest: &str) -> Option<(usize, ProfileError)> {
    rest.lines()
        .enumerate()
        .find_map(|(index, line)| Some((index + 1, Directive::of_line(line).err()?)))
}

/// The first line of the rest that says what one of `fields` says already.
pub(crate) fn doubled(rest: &str, is_filled: impl Fn(Field) -> bool) -> Option<(usize, String)> {
    rest.lines().enumerate().find_map(|(index, line)| {
        let (lifted, directive) = lifted(line)?;
        let is_filled = lifted.fields().iter().any(|field| is_filled(*field));
        is_filled.then(|| (index + 1, directive.name().to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OPTIONS: &str = "cipher AES-256-GCM\nverify-x509-name \"a b\" name\nmssfix 1400 mtu\n\
        keepalive 10 60\nconnect-retry 2 8\nmssfix\nreneg-sec 0";

    fn edit(options: &str, edits: &[(Field, &str)]) -> String {
        let mut new = shown(options);
        for (field, text) in edits {
            if *field == Field::Directives {
                new.rest = (*text).to_owned();
            } else if *field == Field::ServerNameCheck {
                new.name_check = text.parse().unwrap();
            } else {
                new.texts.insert(*field, (*text).to_owned());
            }
        }
        edited(options, &new, |field| {
            edits.iter().any(|(edited, _)| *edited == field)
        })
    }

    #[test]
    fn what_has_a_field_is_not_among_the_rest() {
        let shown = shown(OPTIONS);
        assert_eq!(shown.rest, "cipher AES-256-GCM\nmssfix\nreneg-sec 0");
        assert_eq!(shown.name_check, name_check::NAME);
        for (field, text) in [
            (Field::ServerName, "a b"),
            (Field::MssFix, "1400"),
            (Field::PingInterval, "10"),
            (Field::PingRestart, "60"),
            (Field::RetryPause, "2"),
            (Field::RetryPauseMost, "8"),
        ] {
            assert_eq!(shown.texts[&field], text, "{field:?}");
        }
    }

    #[test]
    fn an_edit_changes_its_own_line_in_its_place() {
        assert_eq!(edit(OPTIONS, &[]), OPTIONS);
        assert_eq!(
            edit(OPTIONS, &[(Field::MssFix, "1300")]),
            OPTIONS.replace("1400", "1300")
        );
        assert_eq!(
            edit(OPTIONS, &[(Field::PingRestart, "90")]),
            OPTIONS.replace("60", "90")
        );
        assert_eq!(
            edit(OPTIONS, &[(Field::PingRestart, "")]),
            OPTIONS.replace("keepalive 10 60", "ping 10")
        );
        assert_eq!(
            edit(OPTIONS, &[(Field::ServerNameCheck, "0")]),
            OPTIONS.replace("verify-x509-name \"a b\" name\n", "")
        );
        assert_eq!(
            edit(OPTIONS, &[(Field::TunnelMtu, "1400")]),
            format!("{OPTIONS}\ntun-mtu 1400")
        );
        assert_eq!(
            edit("", &[(Field::RetryPauseMost, "9")]),
            "connect-retry 1 9"
        );
        let edited = edit(OPTIONS, &[(Field::Directives, "float")]);
        assert!(edited.ends_with("\nfloat") && !edited.contains("cipher"));
        assert!(edited.contains("keepalive 10 60"));
    }

    #[test]
    fn what_is_wrong_is_what_core_says() {
        assert!(objection("tun-mtu", &["1400"]).is_none());
        let text = objection("tun-mtu", &["1"]).unwrap().to_string();
        assert!(text.contains("576"), "{text}");
        assert!(objection("verify-x509-name", &["", "name"]).is_some());
        let (line, problem) = bad_line("float\nup /bin/sh").unwrap();
        assert_eq!(line, 2);
        assert!(problem.to_string().contains("run a program"));
        assert_eq!(
            doubled("float\nmssfix 1300", |field| field == Field::MssFix),
            Some((2, "mssfix".to_owned()))
        );
        assert_eq!(doubled("mssfix 1300", |_| false), None);
    }

    proptest! {
        #[test]
        fn any_name_survives(name in "[ -~äß]{0,39}[!-~äß]") {
            let edited = edit("", &[(Field::ServerNameCheck, "1"), (Field::ServerName, &name)]);
            let again = shown(&edited);
            prop_assert_eq!(again.texts.get(&Field::ServerName).map(|t| t.trim()), Some(name.trim()));
        }

        #[test]
        fn lines_that_are_no_directives_are_kept(options in "(\\PC{0,20}\n){0,4}\\PC{0,20}") {
            let lines: Vec<&str> = options.lines().collect();
            prop_assert_eq!(edited(&options, &shown(&options), |_| false), lines.join("\n"));
        }
    }
}
