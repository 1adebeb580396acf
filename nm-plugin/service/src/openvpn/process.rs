//! Starts OpenVPN, under its supervisor and without privileges, and tells how it ended.

use super::tun_device::TunDevice;
use super::{confinement, supervisor};
use crate::account::Account;
use aws_client_vpn_session::openvpn::Launch;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::redact::for_journal;
use aws_client_vpn_text::secret::Secret;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, kill_process_group};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// How many of the last lines OpenVPN printed are kept, to explain why it did not start.
const KEPT_LINES: usize = 5;
/// How much of a printed line is kept, in bytes.
const KEPT_LINE_LENGTH: usize = 512;
/// How long the pipes of an ended process may stay open.
pub(super) const PIPE_GRACE: Duration = Duration::from_secs(1);

/// How long the kernel may take to end a killed process, and how often to look. One that closes its
/// tun device waits for the lock of all network devices, which others may hold for seconds.
pub(super) const REAP_LIMIT: Duration = Duration::from_secs(20);
const REAP_INTERVAL: Duration = Duration::from_millis(5);

/// A running OpenVPN and its supervisor.
#[derive(Debug)]
pub(super) struct OpenVpnProcess {
    supervisor: Child,
    /// The process group of both.
    group: Option<Pid>,
    output: Option<JoinHandle<VecDeque<String>>>,
}

/// Where the package's own OpenVPN is: beside the service, never one of the system's.
pub(super) fn path() -> io::Result<PathBuf> {
    let service = std::env::current_exe()?;
    let dir = service.parent().unwrap_or(Path::new("/"));
    Ok(dir.join("nm-aws-client-vpn").join("openvpn"))
}

impl OpenVpnProcess {
    /// Starts OpenVPN as `account`. The configuration goes in through standard input, so that no
    /// key is ever in a file, an argument or the environment.
    pub(super) fn start(
        launch: Launch,
        device: &TunDevice,
        account: Account,
    ) -> Result<Self, Message> {
        let openvpn = path().map_err(|error| Message::new("{0}").with("0", &error))?;
        // The supervisor would only be able to say so on a closed pipe.
        if !openvpn.is_file() {
            return Err(message!(
                // TRANSLATORS: Follows “OpenVPN could not be started:”
                "{path} is missing; install the package again",
                path = openvpn.display()
            ));
        }
        // Under a name of its own: whoever kills the service by name spares the supervisor, which
        // then takes the device away.
        let mut command = Command::new("/proc/self/exe");
        command
            .arg0(supervisor::NAME)
            .arg(supervisor::ARGUMENT)
            .arg(std::process::id().to_string())
            .arg(device.to_string())
            .arg(if launch.loads_foreign_code {
                supervisor::UNCONFINED
            } else {
                supervisor::CONFINED
            })
            .arg(openvpn)
            .args(&launch.arguments)
            .env_clear()
            .current_dir("/");
        if rustix::process::geteuid().is_root() {
            // Also leaves all supplementary groups.
            command.uid(account.uid).gid(account.gid);
        }
        Self::spawn(command, launch.config).map_err(|error| Message::new("{0}").with("0", &error))
    }

    /// Runs `command`, the leader of a process group, with `config` on its standard input.
    pub(super) fn spawn(mut command: Command, config: Secret) -> io::Result<Self> {
        command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut supervisor = command.spawn()?;
        if let Some(stdin) = supervisor.stdin.take() {
            tokio::spawn(feed(stdin, config));
        }
        let output = match (supervisor.stdout.take(), supervisor.stderr.take()) {
            (Some(stdout), Some(stderr)) => Some(tokio::spawn(async move {
                let (mut out, err) = tokio::join!(last_lines(stdout), last_lines(stderr));
                out.extend(err);
                out
            })),
            _ => None,
        };
        let group = supervisor.id().and_then(pid_of);
        Ok(Self {
            supervisor,
            group,
            output,
        })
    }

    /// The supervisor's process number; OpenVPN is its child.
    pub(super) fn supervisor_pid(&self) -> Option<u32> {
        self.supervisor.id()
    }

    /// Waits for the end; tells how it came, in words. Nothing is lost if the future is dropped.
    pub(super) async fn ended(&mut self) -> Message {
        match self.supervisor.wait().await {
            Ok(status) => supervisor::describe(status),
            Err(error) => Message::new("{0}").with("0", &error),
        }
    }

    /// Ends and reaps what a killed supervisor left: OpenVPN itself, which the service inherits.
    /// Only once it is gone can the tun device be taken away. Call it after [`Self::ended`]. Nothing is
    /// lost if the future is dropped.
    pub(super) async fn reap_orphans(&self, until: Instant) {
        let Some(group) = self.group else { return };
        let reaped = async {
            loop {
                // Nobody left in the group is the usual case: the supervisor has reaped OpenVPN.
                match rustix::process::waitpgid(group, WaitOptions::NOHANG) {
                    Ok(Some(_)) => {}
                    Ok(None) => {
                        log_failure("SIGKILL", kill_process_group(group, Signal::KILL));
                        tokio::time::sleep(REAP_INTERVAL).await;
                    }
                    Err(_) => return,
                }
            }
        };
        if timeout_at(until, reaped).await.is_err() {
            tracing::warn!("OpenVPN is still there after SIGKILL");
        }
    }

    /// The last lines that an ended OpenVPN printed; they are there once. Nothing is lost if the future is dropped.
    pub(super) async fn last_output(&mut self, until: Instant) -> VecDeque<String> {
        let Some(output) = &mut self.output else {
            return VecDeque::new();
        };
        match timeout_at(until, output).await {
            Ok(Ok(lines)) => lines,
            Ok(Err(_)) | Err(_) => VecDeque::new(),
        }
    }

    /// Asks OpenVPN to end, through the supervisor.
    pub(super) fn terminate(&self) {
        if let Some(pid) = self.pid() {
            log_failure("SIGTERM", kill_process(pid, Signal::TERM));
        }
    }

    /// Ends OpenVPN and the supervisor at once.
    pub(super) fn kill(&self) {
        if let Some(pid) = self.pid() {
            log_failure("SIGKILL", kill_process_group(pid, Signal::KILL));
        }
    }

    /// `None` once the process has been waited for, so that no other is ever signalled.
    fn pid(&self) -> Option<Pid> {
        pid_of(self.supervisor.id()?)
    }
}

fn pid_of(number: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(number).ok()?)
}

fn log_failure(signal: &str, result: rustix::io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!("could not send {signal} to OpenVPN: {error}");
    }
}

async fn feed(mut stdin: ChildStdin, config: Secret) {
    // A process that ended early says why by its exit.
    drop(stdin.write_all(config.expose().as_bytes()).await);
}

/// Passes on what a line says of the confinement.
fn note(line: &[u8]) {
    if let Some(text) = line.strip_prefix(confinement::NOTE.as_bytes()) {
        tracing::warn!("{}", for_journal(&String::from_utf8_lossy(text)));
    }
}

async fn last_lines(stream: impl AsyncRead + Unpin) -> VecDeque<String> {
    let mut stream = BufReader::new(stream);
    let mut kept = VecDeque::new();
    let mut line = Vec::new();
    while let Ok(chunk) = stream.fill_buf().await {
        if chunk.is_empty() {
            break;
        }
        let length = chunk.len();
        for &byte in chunk {
            if byte == b'\n' {
                note(&line);
                if kept.len() == KEPT_LINES {
                    kept.pop_front();
                }
                kept.push_back(String::from_utf8_lossy(&line).into_owned());
                line.clear();
            } else if line.len() < KEPT_LINE_LENGTH {
                line.push(byte);
            }
        }
        stream.consume(length);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_last_lines_are_kept_and_none_is_long() {
        let text = format!("{}\n1\n2\n3\n4\n{}\n", "lost", "x".repeat(10_000));
        let kept = last_lines(text.as_bytes()).await;
        assert_eq!(kept.len(), KEPT_LINES);
        assert_eq!(kept[0], "1");
        assert_eq!(kept[4].len(), KEPT_LINE_LENGTH);
    }
}
