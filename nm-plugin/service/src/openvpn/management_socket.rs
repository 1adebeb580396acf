//! The service's end of OpenVPN's management interface.
//!
//! The service listens and OpenVPN connects, so there is no race and no stale socket. Only the
//! OpenVPN that this service started is let in, and the socket's name is gone from then on: nobody
//! but root and that one process ever reaches it.

use super::runtime_dir::{RuntimeDir, give_to_group};
use crate::account::Account;
use aws_client_vpn_session::management::{Command, ControlCharacter, Line, LineBuffer};
use aws_client_vpn_text::secret::Secret;
use rustix::net::sockopt::socket_peercred;
use std::collections::VecDeque;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::net::{UnixListener, UnixStream};

/// How long OpenVPN may take to read a command of ours.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// How many commands may wait for it.
const MOST_WAITING: usize = 64;
/// Bytes read at once.
const READ_SIZE: usize = 4096;

/// The socket, before and after OpenVPN connected to it.
#[derive(Debug)]
pub(super) struct ManagementSocket {
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
    Connected {
        stream: UnixStream,
        outgoing: Outgoing,
    },
    Closed,
}

/// Commands that OpenVPN has not taken yet: nothing else waits for it.
#[derive(Debug, Default)]
struct Outgoing {
    lines: VecDeque<Secret>,
    /// How much of the first one is sent.
    sent: usize,
    /// Since when nothing could be sent.
    stuck_since: Option<Instant>,
}

impl Outgoing {
    fn push(&mut self, line: Secret, stream: &UnixStream) -> Result<(), SendError> {
        if self.lines.len() >= MOST_WAITING {
            return Err(SendError::Stuck);
        }
        self.lines.push_back(line);
        Ok(self.flush(stream)?)
    }

    /// Sends what the socket takes.
    fn flush(&mut self, stream: &UnixStream) -> io::Result<()> {
        while let Some(line) = self.lines.front() {
            let rest = line.expose().as_bytes().get(self.sent..);
            match stream.try_write(rest.unwrap_or_default()) {
                Ok(sent) => {
                    self.sent += sent;
                    self.stuck_since = None;
                    if self.sent >= line.expose().len() {
                        self.sent = 0;
                        self.lines.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stuck_since.get_or_insert_with(Instant::now);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Resolves when OpenVPN has not read for too long.
    async fn stuck(&self) {
        match self.stuck_since {
            Some(since) => tokio::time::sleep_until((since + SEND_LIMIT).into()).await,
            None => std::future::pending().await,
        }
    }
}

/// A command could not be sent.
#[derive(Debug, Error)]
pub(super) enum SendError {
    /// The command holds something that the interface cannot carry.
    #[error(transparent)]
    Unsendable(#[from] ControlCharacter),
    #[error("OpenVPN's management interface is not connected")]
    NotConnected,
    #[error("OpenVPN does not take any more commands")]
    Stuck,
    #[error("OpenVPN's management interface failed")]
    Io(#[from] io::Error),
}

impl ManagementSocket {
    /// Listens in `dir` for an OpenVPN that runs as `account`.
    pub(super) fn listen(dir: RuntimeDir, account: Account) -> io::Result<Self> {
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
    pub(super) fn path(&self) -> Option<PathBuf> {
        match &self.end {
            End::Listening { dir, .. } => Some(dir.socket_path()),
            End::Connected { .. } | End::Closed => None,
        }
    }

    /// From now on lets in a child of the process `pid`.
    pub(super) fn expect_child_of(&mut self, pid: u32) {
        if let End::Listening { supervisor, .. } = &mut self.end {
            *supervisor = Some(pid);
        }
    }

    /// Whether OpenVPN has connected to it.
    pub(super) fn is_connected(&self) -> bool {
        matches!(self.end, End::Connected { .. })
    }

    /// The next line of OpenVPN; `None` once it has closed its end. Nothing is lost if the future
    /// is dropped.
    pub(super) async fn next_line(&mut self) -> io::Result<Option<Line>> {
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
                        // Leaving this state removes the socket's name and directory.
                        None => {
                            let outgoing = Outgoing::default();
                            self.end = End::Connected { stream, outgoing };
                        }
                        Some(why) => tracing::warn!("refused a management connection: {why}"),
                    }
                }
                End::Connected { stream, outgoing } => tokio::select! {
                    ready = stream.readable() => {
                        ready?;
                        let mut chunk = zeroize::Zeroizing::new([0_u8; READ_SIZE]);
                        match stream.try_read(&mut *chunk) {
                            Ok(0) => self.end = End::Closed,
                            Ok(read) => self.lines.push(&chunk[..read]),
                            // Reset says that it did not read all; what it wrote is there still.
                            Err(error)
                                if matches!(
                                    error.kind(),
                                    io::ErrorKind::WouldBlock | io::ErrorKind::ConnectionReset
                                ) => {}
                            Err(error) => return Err(error),
                        }
                    }
                    ready = stream.writable(), if !outgoing.lines.is_empty() => {
                        // What it said before it closed its end is still to be read.
                        if ready.and_then(|()| outgoing.flush(stream)).is_err() {
                            *outgoing = Outgoing::default();
                        }
                    }
                    () = outgoing.stuck() => {
                        let text = format!("it took no command for {} s", SEND_LIMIT.as_secs());
                        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
                    }
                },
                End::Closed => return Ok(None),
            }
        }
    }

    /// Sends one command, or keeps it until OpenVPN takes it; [`Self::next_line`] goes on with it.
    pub(super) fn send(&mut self, command: &Command) -> Result<(), SendError> {
        let line = command.encode()?;
        match &mut self.end {
            End::Connected { stream, outgoing } => outgoing.push(line, stream),
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

    impl ManagementSocket {
        /// A connected socket, and its other end.
        pub(in super::super) fn connected() -> (Self, UnixStream) {
            let (stream, peer) = UnixStream::pair().unwrap();
            let outgoing = Outgoing::default();
            let socket = Self {
                end: End::Connected { stream, outgoing },
                lines: LineBuffer::new(),
            };
            (socket, peer)
        }
    }

    fn password() -> Command {
        Command::Password {
            realm: "Auth".to_owned(),
            password: Secret::new("x".repeat(100_000)),
        }
    }

    #[tokio::test]
    async fn a_peer_that_does_not_read_holds_nobody_up() {
        let (mut socket, mut peer) = ManagementSocket::connected();
        // The socket takes some, and the queue its limit; each call returns at once.
        let refused = (0..2 * MOST_WAITING).find_map(|_| socket.send(&password()).err());
        assert!(matches!(refused, Some(SendError::Stuck)), "{refused:?}");
        // What it says is read all the same.
        let said = b">HOLD:Waiting for hold release:0\n";
        tokio::io::AsyncWriteExt::write_all(&mut peer, said)
            .await
            .unwrap();
        assert!(matches!(socket.next_line().await, Ok(Some(_))));
        let End::Connected { outgoing, .. } = &mut socket.end else {
            panic!("it is connected");
        };
        assert!(!format!("{outgoing:?}").contains("xxx"));
        outgoing.stuck_since = Some(Instant::now() - SEND_LIMIT);
        let error = socket.next_line().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_reads_late_gets_all_of_it_and_what_it_said_last_is_heard() {
        let (mut socket, mut peer) = ManagementSocket::connected();
        let expected = password().encode().unwrap().expose().len() * 20;
        for _ in 0..20 {
            socket.send(&password()).unwrap();
        }
        let peer = tokio::spawn(async move {
            let mut got = vec![0; expected];
            tokio::io::AsyncReadExt::read_exact(&mut peer, &mut got)
                .await
                .unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut peer, b">FATAL:the last word\n")
                .await
                .unwrap();
        });
        assert!(matches!(socket.next_line().await, Ok(Some(_))));
        peer.await.unwrap();
        // It is gone, and does not hear what it is told.
        drop(socket.send(&password()));
        assert!(matches!(socket.next_line().await, Ok(None)));
    }

    /// Whether this process is let in as an OpenVPN that runs as `uid` below `supervisor`.
    async fn is_let_in(uid: u32, supervisor: Option<u32>) -> bool {
        let run = tempfile::tempdir().unwrap();
        let gid = rustix::process::getegid().as_raw();
        let account = Account { uid, gid };
        let dir = RuntimeDir::create_below(&run.path().join("ours"), account).unwrap();
        let mut socket = ManagementSocket::listen(dir, account).unwrap();
        if let Some(pid) = supervisor {
            socket.expect_child_of(pid);
        }
        let mut peer = UnixStream::connect(socket.path().unwrap()).await.unwrap();
        let said = b">HOLD:Waiting for hold release:0\n";
        tokio::io::AsyncWriteExt::write_all(&mut peer, said)
            .await
            .unwrap();
        let mut byte = [0];
        tokio::select! {
            line = socket.next_line() => assert!(matches!(line, Ok(Some(_))), "{line:?}"),
            ended = tokio::io::AsyncReadExt::read(&mut peer, &mut byte) => {
                assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
            }
        }
        socket.is_connected()
    }

    #[tokio::test]
    async fn only_the_openvpn_of_this_connection_is_let_in() {
        let uid = rustix::process::geteuid().as_raw();
        let parent = std::os::unix::process::parent_id();
        assert!(is_let_in(uid, Some(parent)).await);
        assert!(!is_let_in(uid + 1, Some(parent)).await);
        assert!(!is_let_in(uid, Some(std::process::id())).await);
        assert!(!is_let_in(uid, None).await);
    }

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
