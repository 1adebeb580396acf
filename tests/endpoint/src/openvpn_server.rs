//! One OpenVPN server of a node: its process, and the management interface that drives it.
//!
//! The server connects to a socket of ours (`management-client`), so there is no moment at which
//! it cannot be driven, and it ends by itself when we do.

use crate::client_message::{ClientMessage, ClientMessages};
use crate::event::Event;
use crate::options::Transport;
use crate::server_plan::{ServerPlan, answer, arguments};
use crate::sign_in::{Place, judge};
use crate::state::Shared;
use std::collections::{HashSet, VecDeque};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// OpenVPN needs some 15 ms to start.
const START_LIMIT: Duration = Duration::from_secs(15);
/// Lines of a server's log that are kept for the report of its death.
const LOG_LINES: usize = 40;

/// What a running server may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Throw out a client, or all (`None`), with OpenVPN's `RESTART` or `HALT`.
    Kick { client: Option<u64>, halt: bool },
    /// End at once, without a word to the clients.
    Stop,
}

/// A running server; it ends, without a word to its clients, when this is dropped.
pub(crate) struct OpenVpnServer {
    orders: UnboundedSender<Order>,
    task: JoinHandle<()>,
}

/// A server did not come up.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program could not be started.
    #[error("cannot start {0}: {1}; build it with `make openvpn-for-tests`")]
    Program(PathBuf, std::io::Error),
    /// Its management socket failed.
    #[error("the management interface of an OpenVPN server failed: {0}")]
    Socket(#[from] std::io::Error),
    /// It ended or did not come up in time.
    #[error("the OpenVPN server on {address} {transport} {port} did not come up:\n{log}")]
    Start {
        /// Where it should have listened.
        address: Ipv4Addr,
        /// Its transport.
        transport: Transport,
        /// Its port.
        port: u16,
        /// Its last lines.
        log: String,
    },
}

impl OpenVpnServer {
    /// Starts a server and waits until it takes clients.
    pub(crate) async fn start(shared: Arc<Shared>, plan: ServerPlan) -> Result<Self, ServerError> {
        let (orders, inbox) = unbounded_channel();
        let (up, is_up) = oneshot::channel();
        let mut running = Running::launch(shared, plan.clone(), inbox).await?;
        let task = tokio::spawn(async move { running.run(up).await });
        let server = Self { orders, task };
        let Place {
            transport, port, ..
        } = plan.place;
        let failed = |log| ServerError::Start {
            address: plan.address,
            transport,
            port,
            log,
        };
        match timeout(START_LIMIT, is_up).await {
            Ok(Ok(Ok(()))) => Ok(server),
            Ok(Ok(Err(log))) => Err(failed(log.join("\n"))),
            Ok(Err(_)) | Err(_) => Err(failed("(no answer)".to_owned())),
        }
    }

    /// Passes an order on.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Kills the server and waits for its end.
    pub(crate) async fn stop(mut self) {
        self.order(Order::Stop);
        let _ = timeout(START_LIMIT, &mut self.task).await;
    }
}

impl Drop for OpenVpnServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Up = oneshot::Sender<Result<(), Vec<String>>>;

struct Running {
    shared: Arc<Shared>,
    plan: ServerPlan,
    child: Child,
    lines: BufReader<tokio::net::unix::OwnedReadHalf>,
    writer: OwnedWriteHalf,
    orders: UnboundedReceiver<Order>,
    log: UnboundedReceiver<String>,
    last_log: VecDeque<String>,
    established: HashSet<u64>,
    judging: JoinSet<Vec<u8>>,
}

impl Running {
    async fn launch(
        shared: Arc<Shared>,
        plan: ServerPlan,
        orders: UnboundedReceiver<Order>,
    ) -> Result<Self, ServerError> {
        let Place {
            node,
            transport,
            port,
        } = plan.place;
        let socket = plan
            .directory
            .join(format!("node{node}-{transport}-{port}.sock"));
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket)?;
        let program = shared.options.openvpn.clone();
        let mut command = Command::new(&program);
        command
            .args(arguments(&shared, &plan, &socket))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| ServerError::Program(program, error))?;
        let (sender, mut log) = unbounded_channel();
        forward_lines(child.stdout.take(), sender.clone());
        forward_lines(child.stderr.take(), sender);
        let stream = tokio::select! {
            accepted = timeout(START_LIMIT, listener.accept()) => {
                accepted.ok().and_then(Result::ok).map(|(stream, _)| stream)
            }
            _ = child.wait() => None,
        };
        let _ = std::fs::remove_file(&socket);
        let Some(stream) = stream else {
            let mut lines = Vec::new();
            while let Some(line) = log.recv().await {
                lines.push(line);
            }
            let address = plan.address;
            return Err(ServerError::Start {
                address,
                transport,
                port,
                log: lines.join("\n"),
            });
        };
        let (reader, writer) = UnixStream::into_split(stream);
        Ok(Self {
            shared,
            plan,
            child,
            lines: BufReader::new(reader),
            writer,
            orders,
            log,
            last_log: VecDeque::new(),
            established: HashSet::new(),
            judging: JoinSet::new(),
        })
    }

    async fn run(&mut self, up: Up) {
        let mut up = Some(up);
        let mut messages = ClientMessages::default();
        if self
            .writer
            .write_all(b"state on\nhold release\n")
            .await
            .is_err()
        {
            return self.died(up).await;
        }
        let mut line = Vec::new();
        loop {
            tokio::select! {
                // `line` keeps what was read when another branch comes first.
                read = self.lines.read_until(b'\n', &mut line) => {
                    if !matches!(read, Ok(1..)) {
                        return self.died(up).await;
                    }
                    if line.last() == Some(&b'\n') {
                        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                        self.line(&text, &mut messages, &mut up);
                        line.clear();
                    }
                }
                Some(Ok(answer)) = self.judging.join_next() => {
                    if self.writer.write_all(&answer).await.is_err() {
                        return self.died(up).await;
                    }
                }
                Some(order) = self.orders.recv() => match order {
                    Order::Kick { client, halt } => self.kick(client, halt).await,
                    Order::Stop => {
                        let _ = self.child.kill().await;
                        return;
                    }
                },
                Some(text) = self.log.recv() => self.keep_log(text),
            }
        }
    }

    fn line(&mut self, line: &str, messages: &mut ClientMessages, up: &mut Option<Up>) {
        if let Some(message) = line.strip_prefix(">CLIENT:") {
            if let Some(message) = messages.line(message) {
                self.client(message);
            }
        } else if line.starts_with(">STATE:") && line.contains(",CONNECTED,") {
            if let Some(up) = up.take() {
                let _ = up.send(Ok(()));
            }
        } else if line.starts_with("ERROR:") {
            // A client that went away before its answer is no news.
            self.keep_log(line.to_owned());
        }
    }

    fn client(&mut self, message: ClientMessage) {
        let Place {
            node,
            transport,
            port,
        } = self.plan.place;
        match message {
            ClientMessage::SignIn {
                client,
                key,
                environment,
            } => {
                let (shared, plan) = (Arc::clone(&self.shared), self.plan.clone());
                self.judging.spawn(async move {
                    let verdict = judge(&shared, plan.place, &environment).await;
                    answer(&shared, &plan, client, key, verdict)
                });
            }
            ClientMessage::Established {
                client,
                environment,
            } => {
                self.established.insert(client);
                let address = environment.value("ifconfig_pool_remote_ip").parse().ok();
                self.shared.report(Event::Connected {
                    node,
                    transport,
                    port,
                    client,
                    address,
                });
            }
            ClientMessage::Disconnected { client } => {
                if self.established.remove(&client) {
                    self.shared.report(Event::Disconnected {
                        node,
                        transport,
                        port,
                        client,
                    });
                }
            }
        }
    }

    async fn kick(&mut self, client: Option<u64>, halt: bool) {
        let message = if halt { " HALT" } else { "" };
        for number in &self.established {
            if client.is_none_or(|client| client == *number) {
                let line = format!("client-kill {number}{message}\n");
                let _ = self.writer.write_all(line.as_bytes()).await;
            }
        }
    }

    fn keep_log(&mut self, line: String) {
        if self.last_log.len() == LOG_LINES {
            self.last_log.pop_front();
        }
        self.last_log.push_back(line);
    }

    async fn died(&mut self, up: Option<Up>) {
        let _ = self.child.start_kill();
        let _ = self.child.wait().await;
        while let Some(line) = self.log.recv().await {
            self.keep_log(line);
        }
        let log = Vec::from(std::mem::take(&mut self.last_log));
        match up {
            Some(up) => drop(up.send(Err(log))),
            None => {
                let node = self.plan.place.node;
                self.shared.report(Event::ServerDied { node, log });
            }
        }
    }
}

fn forward_lines(
    output: Option<impl AsyncRead + Send + Unpin + 'static>,
    to: UnboundedSender<String>,
) {
    let Some(output) = output else { return };
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if to.send(line).is_err() {
                return;
            }
        }
    });
}
