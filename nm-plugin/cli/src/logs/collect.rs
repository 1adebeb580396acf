//! Where a log comes from: journalctl, or a file.

use super::{
    AttemptLog, Entry, JOURNAL_FIELDS, called, cut, of_journal, of_network_manager_log, used_last,
};
use crate::answer::Outcome;
use crate::command_line::Logs;
use crate::network_manager;
use aws_client_vpn_profile_file::file::FileError;
use aws_client_vpn_text::message::Localize;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// How much is read at most, in bytes, and how long it may take.
const SIZE_LIMIT: u64 = 64 << 20;
const LIMIT: Duration = Duration::from_secs(60);
/// How many of the journal's last entries are looked through.
const ENTRIES: &str = "--lines=50000";

/// There is no log to tell.
#[derive(Debug, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum LogsError {
    #[error(
        "journalctl cannot be run. Without systemd, give a log of NetworkManager instead: --file \
         FILE"
    )]
    NoJournal(#[source] io::Error),
    #[error("The journal does not answer. Try again, or give a file: --file FILE")]
    Slow,
    /// The file cannot be read.
    #[error("{file} cannot be read. {reason}", file = file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why not.
        reason: FileError,
    },
    #[error(
        "The journal shows nothing of NetworkManager. Most likely, you do not have permission to \
         read the system's journal: use sudo, or join the group systemd-journal."
    )]
    Denied,
    #[error(
        "No AWS Client VPN connection has been used since this log began. To see all connections: \
         aws-client-vpn list"
    )]
    Empty,
    /// Not this connection.
    #[error(
        "The connection '{0}' has not been used since the computer was started. To see all \
         connections: aws-client-vpn list"
    )]
    Unknown(String),
}

impl LogsError {
    /// The outcome, for exit code and JSON.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::File { reason, .. } => reason.into(),
            Self::Denied => Outcome::NotPermitted,
            Self::Empty | Self::Unknown(_) => Outcome::NotFound,
            Self::NoJournal(_) | Self::Slow => Outcome::Failed,
        }
    }
}

/// Reads the journal or the file, and tells the log.
pub async fn collect(options: &Logs) -> Result<String, LogsError> {
    Ok(attempt_log(options).await?.to_string())
}

/// The log itself.
pub(crate) async fn attempt_log(options: &Logs) -> Result<AttemptLog, LogsError> {
    let entries = match &options.file {
        Some(file) => of_file(file).await?,
        None => {
            let entries = of_journal(&journal().await?);
            // Everybody may read what programs of their own have said.
            if !entries.iter().any(Entry::is_of_system) && !rustix::process::geteuid().is_root() {
                return Err(LogsError::Denied);
            }
            entries
        }
    };
    let manager = network_manager::ask().await.ok();
    let stored = manager.as_ref().and_then(|manager| {
        let wanted = options.connection.as_deref()?;
        let same =
            |stored: &&network_manager::Stored| stored.name == wanted || stored.uuid == wanted;
        manager.stored.iter().find(same)
    });
    let uuid = match (&options.connection, stored) {
        (None, _) => used_last(&entries).ok_or(LogsError::Empty)?.to_owned(),
        (Some(_), Some(stored)) => stored.uuid.clone(),
        // Deleted since, or another machine's.
        (Some(name), None) => called(&entries, name).unwrap_or(name).to_owned(),
    };
    let log = cut(entries, &uuid, options.all);
    if log.is_empty() {
        let wanted = options.connection.clone().unwrap_or(uuid);
        return Err(LogsError::Unknown(wanted));
    }
    let version = env!("CARGO_PKG_VERSION");
    let mut head = vec![
        format!("aws-client-vpn {version}, connection {uuid}; times are UTC"),
        format!("{}, {}", system(), kernel()),
    ];
    head.extend(manager.map(|manager| format!("NetworkManager {}", manager.version)));
    Ok(AttemptLog { head, entries: log })
}

async fn of_file(path: &Path) -> Result<Vec<Entry>, LogsError> {
    let wrong = |reason: io::Error| LogsError::File {
        file: path.to_owned(),
        reason: reason.into(),
    };
    let text = if path == Path::new("-") {
        read(tokio::fs::File::from_std(stdin().map_err(wrong)?)).await
    } else {
        match tokio::fs::File::open(path).await {
            Ok(file) => read(file).await,
            Err(error) => Err(error),
        }
    };
    let text = text.map_err(wrong)?;
    Ok(if text.trim_start().starts_with('{') {
        of_journal(&text)
    } else {
        of_network_manager_log(&text)
    })
}

fn stdin() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

async fn journal() -> Result<String, LogsError> {
    let identifiers = [
        "NetworkManager",
        "nm-aws-client-vpn-service",
        "nm-aws-client-vpn-auth-dialog",
        "nm-aws-client-vpn-agent",
    ];
    let mut journalctl = Command::new("journalctl")
        .args(["--boot", "--no-pager", "--quiet", "--output=json", ENTRIES])
        .arg(format!("--output-fields={}", JOURNAL_FIELDS.join(",")))
        .args(identifiers.map(|name| format!("--identifier={name}")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(LogsError::NoJournal)?;
    let Some(stdout) = journalctl.stdout.take() else {
        return Err(LogsError::Empty);
    };
    let text = async {
        let text = read(stdout).await;
        // It has said all, or more than is read.
        drop(journalctl.start_kill());
        drop(journalctl.wait().await);
        text
    };
    tokio::time::timeout(LIMIT, text)
        .await
        .map_err(|_| LogsError::Slow)?
        .map_err(LogsError::NoJournal)
}

async fn read(stream: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.take(SIZE_LIMIT).read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The distribution's name for itself (os-release(5)).
fn system() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("an unknown system")
        .trim_matches('"')
        .to_owned()
}

fn kernel() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", release.trim())
}
