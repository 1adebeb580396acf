//! The auth dialog as a child, talked to as gnome-shell does.

use crate::request::Connection;
use crate::terminal::Terminal;
use aws_client_vpn_sign_in::wire::Lines;
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;
use rustix::process::{Pid, Signal, kill_process};
use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

const PROGRAM: &str = "nm-aws-client-vpn-auth-dialog";
/// Where programs are that people do not call; `make` says so for another prefix.
const DIRECTORY: &str = match option_env!("AWS_CLIENT_VPN_LIBEXECDIR") {
    Some(directory) => directory,
    None => "/usr/libexec",
};
/// How long a dialog has to end after it has answered or was told to.
const LEAVING_TIME: Duration = Duration::from_secs(5);
/// The most secrets of one answer.
const MOST_SECRETS: usize = 20;

/// Why there is no answer.
#[derive(Debug, Error, Localize)]
pub(crate) enum NoAnswer {
    #[error("The user cancelled the request.")]
    Cancelled,
    #[error("No password is saved, and this request does not allow asking for one.")]
    Nothing,
    /// The dialog does not run, or not as it should.
    #[error("The program that asks for the sign-in failed: {0}")]
    Broken(#[from] io::Error),
    #[error("The program that asks for the sign-in wrote more than is allowed.")]
    Talkative,
    #[error("The program that asks for the sign-in did not exit.")]
    Endless,
}

/// Runs the dialog for a request and returns the secrets that it answers. The dialog is kept in
/// `running`, for whoever does not want the answer any more: see [`end`].
pub(crate) async fn run(
    connection: &Connection,
    hints: &[String],
    flags: u32,
    terminal: Option<&Rc<Terminal>>,
    running: &mut Option<Child>,
) -> Result<Vec<(String, Secret)>, NoAnswer> {
    let mut command = Command::new(program());
    command
        .args(connection.arguments(hints, flags))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Ctrl+C in the terminal is ours.
        .process_group(0)
        .kill_on_drop(true);
    let mut window = None;
    if let Some(terminal) = terminal {
        let (ours, theirs) = UnixStream::pair()?;
        command.arg("--own-window").stderr(OwnedFd::from(theirs));
        if !terminal.opens_browser() {
            command.arg("--no-browser");
        }
        window = Some((terminal, ours));
    }
    let child = running.insert(command.spawn()?);
    drop(command);
    let conversation = async {
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        // A dialog that is gone already tells more by its status.
        let input = connection.input();
        drop(stdin.write_all(input.expose().as_bytes()).await);
        converse(child, stdin, stdout).await
    };
    match window {
        None => conversation.await,
        Some((terminal, socket)) => {
            let shown = terminal.show(socket);
            tokio::pin!(shown, conversation);
            tokio::select! {
                answer = &mut conversation => answer,
                () = &mut shown => conversation.await,
            }
        }
    }
}

/// Has a dialog end that may still run, in time to take away what it shows.
pub(crate) async fn end(running: Option<Child>) {
    let Some(mut child) = running else {
        return;
    };
    // None, once it has ended.
    let process = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(process) = process {
        let _ = kill_process(process, Signal::TERM);
        // Dropped before it has ended, it is killed.
        drop(timeout(LEAVING_TIME, child.wait()).await);
    }
}

/// Reads pairs of lines up to two empty ones, says `QUIT`, and waits for the end.
async fn converse(
    child: &mut Child,
    mut stdin: ChildStdin,
    mut stdout: ChildStdout,
) -> Result<Vec<(String, Secret)>, NoAnswer> {
    let mut secrets = Vec::new();
    let mut name: Option<Secret> = None;
    let mut is_complete = false;
    let mut lines = Lines::default();
    let mut buffer = Zeroizing::new([0; 4096]);
    'answer: loop {
        let length = stdout.read(&mut *buffer).await?;
        if length == 0 {
            break;
        }
        for line in lines.push(&buffer[..length]).map_err(io::Error::other)? {
            match name.take() {
                None => name = Some(line),
                Some(name) if name.is_empty() && line.is_empty() => {
                    is_complete = true;
                    break 'answer;
                }
                Some(name) => secrets.push((name.expose().to_owned(), line)),
            }
            if secrets.len() > MOST_SECRETS {
                return Err(NoAnswer::Talkative);
            }
        }
    }
    // The dialog may be gone already.
    drop(stdin.write_all(b"QUIT\n\n").await);
    drop(stdin);
    let status = match timeout(LEAVING_TIME, child.wait()).await {
        Ok(status) => status?,
        Err(_elapsed) => {
            child.kill().await?;
            // What it was asked for is there; the person is not to sign in once more.
            return match is_complete && !secrets.is_empty() {
                true => Ok(secrets),
                false => Err(NoAnswer::Endless),
            };
        }
    };
    match (status.code(), secrets.is_empty()) {
        (Some(0), false) => Ok(secrets),
        (Some(0), true) => Err(NoAnswer::Nothing),
        (Some(1), _) => Err(NoAnswer::Cancelled),
        _ => Err(io::Error::other(status.to_string()).into()),
    }
}

/// The dialog that was built with us, or the one that is installed.
fn program() -> PathBuf {
    let beside = env::current_exe()
        .ok()
        .map(|own| own.with_file_name(PROGRAM));
    beside
        .filter(|program| program.exists())
        .unwrap_or_else(|| PathBuf::from(DIRECTORY).join(PROGRAM))
}
