//! The command line that every secret agent gives an auth dialog.
//!
//! Agents differ in the order of options and in short and long names; all of it is GLib's option
//! syntax. An option this dialog does not know is left alone, so that a newer agent can run it.

use aws_client_vpn_core::settings::SERVICE_TYPE;
use thiserror::Error;

/// Printed for `--help`.
pub(crate) const USAGE: &str = "\
Usage: nm-aws-client-vpn-auth-dialog -u UUID -n NAME -s SERVICE [-i] [-r] [-t HINT]...
Opens the browser for the login of an AWS Client VPN connection and hands the answer to
NetworkManager. A desktop's secret agent runs it; there is no reason to run it by hand.

  -u, --uuid UUID            the connection's UUID
  -n, --name NAME            the connection's name
  -s, --service SERVICE      org.freedesktop.NetworkManager.aws-client-vpn
  -i, --allow-interaction    the user may be asked; without it nothing is opened
  -r, --reprompt             taken and ignored: no answer is ever kept
  -t, --hint HINT            what the service asks for; may be repeated
      --version              print the version
      --help                 print this text
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// To serve a request for secrets.
    Serve(Request),
    /// To print a text.
    Print(String),
}

/// A request for secrets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// The connection's name.
    pub(crate) connection: String,
    /// Whether the user may be asked.
    pub(crate) interactive: bool,
    /// What the service asks for, unread.
    pub(crate) hints: Vec<String>,
}

/// Why the command line cannot be served.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum UsageError {
    /// An option stands at the end without its value.
    #[error("option {0} needs a value")]
    NoValue(String),
    /// The agent wants to draw the dialog itself, but there is nothing to draw: it is a browser.
    #[error(
        "--external-ui-mode is not supported: the login is a page in the browser; run this \
         program without that option"
    )]
    ExternalUi,
    /// The connection is another plugin's.
    #[error("this is the dialog of {SERVICE_TYPE}, not of {0}")]
    OtherService(String),
}

/// Reads the arguments that follow the program's name.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Invocation, UsageError> {
    let mut request = Request::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (option, attached) = split(&argument);
        let mut value = || {
            attached
                .map(str::to_owned)
                .or_else(|| arguments.next())
                .ok_or_else(|| UsageError::NoValue(option.to_owned()))
        };
        match option {
            "-u" | "--uuid" => drop(value()?),
            "-n" | "--name" => request.connection = value()?,
            "-s" | "--service" => {
                let service = value()?;
                if service != SERVICE_TYPE {
                    return Err(UsageError::OtherService(service));
                }
            }
            "-t" | "--hint" => request.hints.push(value()?),
            "-i" | "--allow-interaction" => request.interactive = true,
            "--external-ui-mode" => return Err(UsageError::ExternalUi),
            "-h" | "--help" => return Ok(Invocation::Print(USAGE.to_owned())),
            "--version" => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Invocation::Print(format!(
                    "nm-aws-client-vpn-auth-dialog {version}\n"
                )));
            }
            // "-r", "--reprompt" and what later agents may add.
            _ => {}
        }
    }
    Ok(Invocation::Serve(request))
}

/// An option and the value that is attached to it: `--name=value` or `-nvalue`.
fn split(argument: &str) -> (&str, Option<&str>) {
    if argument.starts_with("--") {
        return match argument.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (argument, None),
        };
    }
    match argument.split_at_checked(2) {
        Some((option @ ("-u" | "-n" | "-s" | "-t"), value)) if !value.is_empty() => {
            (option, Some(value))
        }
        _ => (argument, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(arguments: &[&str]) -> Result<Invocation, UsageError> {
        parse(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn every_agent_s_way_is_understood() {
        let expected = Invocation::Serve(Request {
            connection: "Work -i".to_owned(),
            interactive: true,
            hints: vec!["a=b".to_owned(), "-i".to_owned()],
        });
        for arguments in [
            &[
                "-u",
                "1",
                "-n",
                "Work -i",
                "-s",
                SERVICE_TYPE,
                "-i",
                "-t",
                "a=b",
                "-t",
                "-i",
            ][..],
            &[
                "-t", "a=b", "-t", "-i", "-i", "-r", "-n", "Work -i", "-u", "1",
            ],
            &[
                "--hint",
                "a=b",
                "--hint",
                "-i",
                "--allow-interaction",
                "--name",
                "Work -i",
            ],
            &[
                "--hint=a=b",
                "--hint=-i",
                "--allow-interaction",
                "--name=Work -i",
                "--new",
            ],
            &[
                "-ta=b",
                "-t-i",
                "-i",
                "-nWork -i",
                "-u1",
                "-s",
                SERVICE_TYPE,
            ],
        ] {
            assert_eq!(serve(arguments).as_ref(), Ok(&expected), "{arguments:?}");
        }
    }

    #[test]
    fn interaction_is_not_assumed() {
        let Ok(Invocation::Serve(request)) = serve(&["-n", "-i", "-t", "--allow-interaction"])
        else {
            panic!("not understood");
        };
        assert!(!request.interactive);
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        for (arguments, error) in [
            (&["-n"][..], UsageError::NoValue("-n".to_owned())),
            (&["--hint"], UsageError::NoValue("--hint".to_owned())),
            (&["-i", "--external-ui-mode"], UsageError::ExternalUi),
            (
                &["-s", "org.example.other"],
                UsageError::OtherService("org.example.other".to_owned()),
            ),
        ] {
            assert_eq!(serve(arguments), Err(error), "{arguments:?}");
        }
    }
}
