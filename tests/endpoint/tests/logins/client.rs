//! A client in a script: one OpenVPN process, driven over its management interface.

use crate::machine::built;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A phase takes milliseconds, with stock OpenVPN's timer a second.
const PHASE_LIMIT: Duration = Duration::from_secs(120);

/// How a phase ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The tunnel is up, with this address.
    Connected(Ipv4Addr),
    /// `AUTH_FAILED` with this text.
    Failed(String),
}

/// A running client.
pub(crate) struct Client {
    _child: Child,
    lines: Lines<BufReader<OwnedReadHalf>>,
    writer: OwnedWriteHalf,
    /// The last PUSH_REPLY, as the log has it.
    pub(crate) push_reply: Option<String>,
    _directory: TempDir,
}

/// The patched client.
pub(crate) fn patched() -> PathBuf {
    built("openvpn/openvpn")
}

impl Client {
    /// Starts `program` with `profile` against the node of this address.
    pub(crate) async fn start(program: &Path, profile: &str, node: Ipv4Addr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("management");
        let config = directory.path().join("client.ovpn");
        let pinned = profile
            .lines()
            .map(|line| match line.strip_prefix("remote ") {
                Some(remote) => {
                    let port = remote.split(' ').nth(1).unwrap();
                    format!("remote {node} {port}")
                }
                None => line.to_owned(),
            });
        std::fs::write(&config, pinned.collect::<Vec<_>>().join("\n")).unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        let mut command = Command::new(program);
        command
            .arg("--config")
            .arg(&config)
            .arg("--management")
            .arg(&socket)
            .args(["unix", "--management-client", "--management-hold"])
            .args(["--management-query-passwords", "--auth-retry", "interact"])
            .args(["--dev", "null", "--ifconfig-noexec", "--route-noexec"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        if profile.contains("\nauth-federate") {
            command.arg("--auth-user-pass");
        }
        let child = command.spawn().unwrap();
        let (stream, _) = timeout(PHASE_LIMIT, listener.accept())
            .await
            .unwrap()
            .unwrap();
        let (reader, mut writer) = stream.into_split();
        writer.write_all(b"state on\nlog on\n").await.unwrap();
        let lines = BufReader::new(reader).lines();
        Self {
            _child: child,
            lines,
            writer,
            push_reply: None,
            _directory: directory,
        }
    }

    /// Goes on with this name and password until there is an outcome.
    pub(crate) async fn sign_in(&mut self, user: &str, password: &str) -> Outcome {
        timeout(PHASE_LIMIT, self.phase(user, password))
            .await
            .expect("the phase has an outcome")
    }

    /// Asks for a login; the challenge.
    pub(crate) async fn first_phase(&mut self) -> Challenge {
        match self.sign_in("N/A", "ACS::35001").await {
            Outcome::Failed(text) => Challenge::read(&text),
            Outcome::Connected(_) => panic!("connected without a login"),
        }
    }

    /// Brings the answer to a challenge.
    pub(crate) async fn second_phase(&mut self, session: &str, response: &str) -> Outcome {
        self.sign_in("N/A", &format!("CRV1::{session}::{response}"))
            .await
    }

    /// Waits until the server or the network ends the connection; OpenVPN's reason.
    pub(crate) async fn end(&mut self) -> String {
        let next = async {
            loop {
                let line = self.line().await;
                let fields: Vec<_> = line.split(',').collect();
                if line.starts_with(">STATE:") && matches!(fields[1], "RECONNECTING" | "EXITING") {
                    return fields[2].to_owned();
                }
            }
        };
        timeout(PHASE_LIMIT, next)
            .await
            .expect("the connection ends")
    }

    async fn phase(&mut self, user: &str, password: &str) -> Outcome {
        loop {
            let line = self.line().await;
            if line.starts_with(">HOLD:") {
                self.say("hold release").await;
            } else if line.starts_with(">PASSWORD:Need 'Auth'") {
                self.say(&format!("username \"Auth\" \"{user}\"")).await;
                self.say(&format!("password \"Auth\" \"{password}\"")).await;
            } else if let Some(text) = line.strip_prefix(">PASSWORD:Verification Failed: 'Auth'") {
                let text = text.trim().trim_start_matches("['").trim_end_matches("']");
                return Outcome::Failed(text.to_owned());
            } else if line.starts_with(">LOG:")
                && let Some((_, reply)) = line.split_once("'PUSH_REPLY,")
            {
                self.push_reply = Some(reply.trim_end_matches('\'').to_owned());
            } else if line.starts_with(">STATE:") && line.contains(",CONNECTED,SUCCESS,") {
                return Outcome::Connected(line.split(',').nth(3).unwrap().parse().unwrap());
            }
        }
    }

    async fn line(&mut self) -> String {
        self.lines
            .next_line()
            .await
            .unwrap()
            .expect("the client runs")
    }

    async fn say(&mut self, command: &str) {
        self.writer
            .write_all(format!("{command}\n").as_bytes())
            .await
            .unwrap();
    }
}

/// A challenge's parts.
pub(crate) struct Challenge {
    pub(crate) session: String,
    pub(crate) user: String,
    pub(crate) url: String,
}

impl Challenge {
    fn read(text: &str) -> Self {
        let parts: Vec<_> = text.splitn(5, ':').collect();
        assert_eq!(parts[..2], ["CRV1", "R"], "{text}");
        let [session, user, url] = [parts[2], parts[3], parts[4]].map(str::to_owned);
        Self { session, user, url }
    }
}
