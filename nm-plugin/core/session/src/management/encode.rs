//! A command to its line.

use super::Command;
use aws_client_vpn_text::secret::Secret;
use thiserror::Error;

/// A command holds what the interface cannot carry: a line end would begin another command, and
/// OpenVPN drops other control characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a command holds a control character")]
pub struct ControlCharacter;

impl Command {
    /// The line, its end included. Parameters are quoted as OpenVPN's parser expects it.
    pub fn encode(&self) -> Result<Secret, ControlCharacter> {
        match self {
            Self::HoldRelease => Ok(Secret::from("hold release\n")),
            Self::StateOn => Ok(Secret::from("state on\n")),
            Self::LogOn => Ok(Secret::from("log on\n")),
            Self::EchoOn => Ok(Secret::from("echo on all\n")),
            Self::Username { realm, name } => line("username", &[realm, name]),
            Self::Password { realm, password } => line("password", &[realm, password.expose()]),
            Self::RemoteModify { host, port } => line("remote MOD", &[host, &port.to_string()]),
            Self::RemoteSkip => Ok(Secret::from("remote SKIP\n")),
            Self::Restart => Ok(Secret::from("signal SIGUSR1\n")),
            Self::ForgetPasswords => Ok(Secret::from("forget-passwords\n")),
            Self::NeedCancel { name } => line("needok", &[name, "cancel"]),
        }
    }
}

fn line(command: &str, parameters: &[&str]) -> Result<Secret, ControlCharacter> {
    if parameters
        .iter()
        .any(|text| text.chars().any(char::is_control))
    {
        return Err(ControlCharacter);
    }
    // The whole room at once: a string that grows leaves copies behind.
    let room = parameters
        .iter()
        .map(|text| 2 * text.len() + 3)
        .sum::<usize>();
    let mut line = String::with_capacity(command.len() + room + 1);
    line.push_str(command);
    for parameter in parameters {
        line.push_str(" \"");
        for character in parameter.chars() {
            if matches!(character, '"' | '\\') {
                line.push('\\');
            }
            line.push(character);
        }
        line.push('"');
    }
    line.push('\n');
    Ok(Secret::new(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn password(text: &str) -> Command {
        Command::Password {
            realm: "Auth".to_owned(),
            password: Secret::from(text),
        }
    }

    #[test]
    fn parameters_are_quoted_and_escaped() {
        let encoded = password(r#"a "b" \c # ; ü"#).encode().unwrap();
        assert_eq!(
            encoded.expose(),
            "password \"Auth\" \"a \\\"b\\\" \\\\c # ; ü\"\n"
        );
        let modify = Command::RemoteModify {
            host: "fd00::1".to_owned(),
            port: 443,
        };
        assert_eq!(
            modify.encode().unwrap().expose(),
            "remote MOD \"fd00::1\" \"443\"\n"
        );
    }

    #[test]
    fn every_command_is_one_line() {
        let realm = || "Auth".to_owned();
        for (command, line) in [
            (Command::HoldRelease, "hold release\n"),
            (Command::StateOn, "state on\n"),
            (Command::LogOn, "log on\n"),
            (Command::EchoOn, "echo on all\n"),
            (Command::RemoteSkip, "remote SKIP\n"),
            (
                Command::Username {
                    realm: realm(),
                    name: "N/A".to_owned(),
                },
                "username \"Auth\" \"N/A\"\n",
            ),
            (
                Command::NeedCancel { name: realm() },
                "needok \"Auth\" \"cancel\"\n",
            ),
        ] {
            assert_eq!(command.encode().unwrap().expose(), line);
        }
    }

    /// The words of a line as OpenVPN reads them (parse_line in options.c), as far as quotes go.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut characters = line.chars().peekable();
        while let Some(first) = characters.next() {
            let mut word = String::new();
            match first {
                ' ' => continue,
                '"' => loop {
                    match characters.next().unwrap() {
                        '\\' => word.push(characters.next().unwrap()),
                        '"' => break,
                        other => word.push(other),
                    }
                },
                other => {
                    word.push(other);
                    while let Some(next) = characters.next_if(|next| *next != ' ') {
                        word.push(next);
                    }
                }
            }
            words.push(word);
        }
        words
    }

    proptest! {
        #[test]
        fn any_parameter_arrives_as_it_is(realm in "\\PC{1,20}", text in "\\PC{0,60}|[\"\\\\ #;]{0,12}") {
            let command = Command::Password { realm: realm.clone(), password: Secret::from(text.as_str()) };
            match command.encode() {
                Ok(line) => {
                    let line = line.expose().strip_suffix('\n').unwrap();
                    prop_assert!(!line.chars().any(char::is_control));
                    prop_assert_eq!(words(line), ["password".to_owned(), realm, text]);
                }
                Err(ControlCharacter) => {
                    prop_assert!(realm.chars().chain(text.chars()).any(char::is_control));
                }
            }
        }
    }

    #[test]
    fn nothing_can_begin_another_command() {
        for text in ["a\nsignal SIGTERM", "a\rb", "a\0b", "a\tb", "a\u{85}b"] {
            assert_eq!(password(text).encode(), Err(ControlCharacter), "{text:?}");
        }
    }
}
