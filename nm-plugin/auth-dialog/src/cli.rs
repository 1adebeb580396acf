//! The command line that every secret agent gives an auth dialog.
//!
//! Agents differ in the order of options and in short and long names; all of it is GLib's option
//! syntax. An option this dialog does not know is left alone, so that a newer agent can run it.

use aws_client_vpn_profile::well_known::SERVICE_TYPE;
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
  -r, --reprompt             the user is asked even for what is kept
  -t, --hint HINT            what the service asks for; may be repeated
      --keep                 keep in the keyring what the user wants kept; other agents do it
                             themselves
      --no-browser           only show the address
      --own-window           the agent shows what is to be seen: standard error is a socket to it
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
    /// The connection's UUID.
    pub(crate) uuid: String,
    /// The connection's name.
    pub(crate) connection: String,
    /// Whether the user may be asked.
    pub(crate) interactive: bool,
    /// Whether what is kept must not be used.
    pub(crate) reprompt: bool,
    /// Whether to keep what the user wants kept.
    pub(crate) keep: bool,
    /// Whether to leave the browser to the user.
    pub(crate) no_browser: bool,
    /// Whether the agent is the window.
    pub(crate) own_window: bool,
    /// What the service asks for, unread.
    pub(crate) hints: Vec<String>,
}

/// Why the command line cannot be served.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum UsageError {
    #[error("option {0} needs a value")]
    NoValue(String),
    #[error(
        "--external-ui-mode is not supported: the login is a page in the browser; run this \
         program without that option"
    )]
    ExternalUi,
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
            "-u" | "--uuid" => request.uuid = value()?,
            "-n" | "--name" => request.connection = value()?,
            "-s" | "--service" => {
                let service = value()?;
                if service != SERVICE_TYPE {
                    return Err(UsageError::OtherService(service));
                }
            }
            "-t" | "--hint" => request.hints.push(value()?),
            "-i" | "--allow-interaction" => request.interactive = true,
            "-r" | "--reprompt" => request.reprompt = true,
            "--keep" => request.keep = true,
            "--no-browser" => request.no_browser = true,
            "--own-window" => request.own_window = true,
            "--external-ui-mode" => return Err(UsageError::ExternalUi),
            "-h" | "--help" => return Ok(Invocation::Print(USAGE.to_owned())),
            "--version" => {
                let version = env!("CARGO_PKG_VERSION");
                return Ok(Invocation::Print(format!(
                    "nm-aws-client-vpn-auth-dialog {version}\n"
                )));
            }
            // What later agents may add.
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
            uuid: "1".to_owned(),
            connection: "Work -i".to_owned(),
            interactive: true,
            hints: vec!["a=b".to_owned(), "-i".to_owned()],
            ..Request::default()
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
            &["-t", "a=b", "-t", "-i", "-i", "-n", "Work -i", "-u", "1"],
            &[
                "--hint",
                "a=b",
                "--hint",
                "-i",
                "--allow-interaction",
                "--uuid",
                "1",
                "--name",
                "Work -i",
            ],
            &[
                "--hint=a=b",
                "--hint=-i",
                "--allow-interaction",
                "--uuid=1",
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
        assert!(!request.reprompt && !request.keep && !request.no_browser && !request.own_window);
    }

    #[test]
    fn our_own_agent_can_say_more() {
        let Ok(Invocation::Serve(request)) =
            serve(&["-r", "--keep", "--no-browser", "--own-window"])
        else {
            panic!("not understood");
        };
        assert!(request.reprompt && request.keep && request.no_browser && request.own_window);
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
