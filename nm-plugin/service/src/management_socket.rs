//! The service's end of OpenVPN's management interface.
//!
//! The service listens and OpenVPN connects, so there is no race and no stale socket. Only the
//! OpenVPN that this service started is let in, and the socket's name is gone from then on: nobody
//! but root and that one process ever reaches it.

use crate::account::Account;
use crate::runtime_dir::{RuntimeDir, give_to_group};
use aws_client_vpn_session::management::{Command, EncodeError, Line, LineBuffer};
use rustix::net::sockopt::socket_peercred;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// How long OpenVPN may take to read a command of ours.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// Octets read at once.
const READ_SIZE: usize = 4096;

/// The socket, before and after OpenVPN connected to it.
#[derive(Debug)]
pub(crate) struct ManagementSocket {
    end: End,
    lines: LineBuffer,
}

#[derive(Debug)]
enum End {
    Listening {
        listener: UnixListener,
        dir: RuntimeDir,
        account: Account,
        supervisor: Option<u32>,
    },
    Connected(UnixStream),
    Closed,
}

/// A command could not be sent.
#[derive(Debug, Error)]
pub(crate) enum SendError {
    /// It holds something the interface cannot carry.
    #[error(transparent)]
    Unsendable(#[from] EncodeError),
    /// OpenVPN is not there.
    #[error("OpenVPN's management interface is not connected")]
    NotConnected,
    /// OpenVPN does not read.
    #[error("OpenVPN did not take a command within {} s", SEND_LIMIT.as_secs())]
    Stuck,
    /// The socket failed.
    #[error("OpenVPN's management interface failed")]
    Io(#[from] io::Error),
}

impl ManagementSocket {
    /// Listens in `dir` for an OpenVPN that runs as `account`.
    pub(crate) fn listen(dir: RuntimeDir, account: Account) -> io::Result<Self> {
        let path = dir.socket_path();
        let listener = UnixListener::bind(&path)?;
        give_to_group(&path, account)?;
        fs::set_permissions(&path, Permissions::from_mode(0o660))?;
        let end = End::Listening {
            listener,
            dir,
            account,
            supervisor: None,
        };
        Ok(Self {
            end,
            lines: LineBuffer::new(),
        })
    }

    /// Where OpenVPN has to connect to, before it did.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match &self.end {
            End::Listening { dir, .. } => Some(dir.socket_path()),
            End::Connected(_) | End::Closed => None,
        }
    }

    /// From now on lets in a child of the process `pid`.
    pub(crate) fn expect_child_of(&mut self, pid: u32) {
        if let End::Listening { supervisor, .. } = &mut self.end {
            *supervisor = Some(pid);
        }
    }

    /// The next line of OpenVPN; `None` once it has closed its end. Nothing is lost if the future
    /// is dropped.
    pub(crate) async fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.lines.next_line() {
                return Ok(Some(line));
            }
            match &mut self.end {
                End::Listening {
                    listener,
                    account,
                    supervisor,
                    ..
                } => {
                    let (stream, _) = listener.accept().await?;
                    match refusal(&stream, *account, *supervisor) {
                        // Leaving this state removes the socket's name and folder.
                        None => self.end = End::Connected(stream),
                        Some(why) => tracing::warn!("refused a management connection: {why}"),
                    }
                }
                End::Connected(stream) => {
                    let mut chunk = zeroize::Zeroizing::new([0_u8; READ_SIZE]);
                    match stream.read(&mut *chunk).await? {
                        0 => self.end = End::Closed,
                        read => self.lines.push(&chunk[..read]),
                    }
                }
                End::Closed => return Ok(None),
            }
        }
    }

    /// Sends one command.
    pub(crate) async fn send(&mut self, command: &Command) -> Result<(), SendError> {
        let line = command.encode()?;
        match &mut self.end {
            End::Connected(stream) => {
                let sent = stream.write_all(line.expose().as_bytes());
                tokio::time::timeout(SEND_LIMIT, sent)
                    .await
                    .map_err(|_| SendError::Stuck)??;
                Ok(())
            }
            End::Listening { .. } | End::Closed => Err(SendError::NotConnected),
        }
    }
}

/// Why the process at the other end is not the OpenVPN we started, if it is not.
fn refusal(stream: &UnixStream, account: Account, supervisor: Option<u32>) -> Option<String> {
    let peer = match socket_peercred(stream) {
        Ok(peer) => peer,
        Err(error) => return Some(error.to_string()),
    };
    if peer.uid.as_raw() != account.uid {
        return Some(format!("it comes from the user {}", peer.uid.as_raw()));
    }
    let pid = peer.pid.as_raw_nonzero();
    match parent_of(pid.get()) {
        Some(parent) if Some(parent) == supervisor => None,
        _ => Some(format!(
            "the process {pid} is not the OpenVPN of this connection"
        )),
    }
}

/// The parent of a process: field 4 of /proc/PID/stat (proc(5)).
fn parent_of(pid: i32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in field 2 may hold anything, a closing parenthesis too.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_of_a_process_is_found() {
        let child = std::process::Command::new("sleep").arg("60").spawn();
        let mut child = child.unwrap();
        let parent = parent_of(i32::try_from(child.id()).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(parent, Some(std::process::id()));
    }
}
