//! `aws-client-vpn connect`: connects, and serves as secret agent meanwhile.
//!
//! NetworkManager asks the secret agent of the program that asked for the activation first. So this
//! is one: a login and all questions come to the terminal that the command was given in, whatever
//! else runs.

mod following;

use crate::Failure;
use crate::actions::{ActionError, Manager};
use crate::answer::{Answer, Outcome};
use crate::choice::called;
use crate::command_line::Connect;
use crate::line::one_line;
use crate::network_manager::{self, Activation, Stored};
use crate::status;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_secret_agent::dialogs::Dialogs;
use aws_client_vpn_secret_agent::exchange::{Ask, Reply};
use aws_client_vpn_secret_agent::terminal::Terminal;
use aws_client_vpn_secret_agent::{own_bus, readiness, registration};
use aws_client_vpn_text::message::{Localize, Message};
use following::{Ended, Following, Step};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};

/// How long a connection may take to go down after it was given up.
const LEAVING_TIME: Duration = Duration::from_secs(10);
/// No longer than anybody waits, where nobody said how long.
const NO_LIMIT: Duration = Duration::from_secs(30 * 24 * 3600);
/// `NM_SECRET_AGENT_GET_SECRETS_FLAG_ALLOW_INTERACTION`
const ALLOW_INTERACTION: u32 = 0x1;

/// The connection is not up.
#[derive(Debug, Error, Localize)]
pub enum ConnectError {
    /// The connection failed, or ended.
    #[error("'{name}' is not connected. {reason}")]
    Ended {
        /// The connection's name.
        name: String,
        /// Why.
        reason: Message,
        /// The outcome, for exit code and JSON.
        outcome: Outcome,
    },
    /// The user cancelled it.
    #[error("Connecting '{0}' was cancelled.")]
    Cancelled(String),
    /// Connecting took longer than the command line allows.
    #[error(
        "'{name}' was not connected within {seconds} s. Connect again, or allow more time with \
         --timeout."
    )]
    TimedOut {
        /// The connection's name.
        name: String,
        /// As the command line says.
        seconds: u64,
    },
    /// NetworkManager is gone.
    #[error("NetworkManager has stopped. Try again when it is running.")]
    ManagerGone,
    /// Signals or the bus.
    #[error("This computer is out of resources: {0}")]
    Exhausted(io::Error),
}

impl ConnectError {
    /// The outcome, for exit code and JSON.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Ended { outcome, .. } => *outcome,
            Self::Cancelled(_) => Outcome::Cancelled,
            Self::TimedOut { .. } => Outcome::TimedOut,
            Self::ManagerGone => Outcome::NoNetworkManager,
            Self::Exhausted(_) => Outcome::Failed,
        }
    }
}

/// Connects as the command line says. With `--stay`, until the connection is over.
///
/// # Errors
/// If the connection does not come up, or is over for another reason than that somebody took it down.
pub(crate) async fn connect(options: &Connect) -> Result<Answer, Failure> {
    LocalSet::new().run_until(connect_locally(options)).await
}

async fn connect_locally(options: &Connect) -> Result<Answer, Failure> {
    // What passes through here is in no core dump, and no other process of this user reads it.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let answer = network_manager::ask().await?;
    let stored = called(&answer.stored, &options.connection)?;
    let active = answer.active.iter().find(|it| it.uuid == stored.uuid);
    let terminal = Terminal::open().map(|terminal| match options.no_browser {
        true => Rc::new(terminal.without_browser()),
        false => Rc::new(terminal),
    });
    let mut attempt = Attempt::start(stored, terminal).await?;
    let outcome = attempt.run(options, active).await;
    attempt.leave().await;
    outcome
}

/// What runs for one attempt.
struct Attempt<'a> {
    stored: &'a Stored,
    terminal: Option<Rc<Terminal>>,
    bus: zbus::Connection,
    manager: Manager,
    asks: mpsc::UnboundedReceiver<Ask>,
    dialogs: Dialogs,
    following: Following,
}

impl<'a> Attempt<'a> {
    /// Everything that has to be there before NetworkManager is told.
    async fn start(stored: &'a Stored, terminal: Option<Rc<Terminal>>) -> Result<Self, Failure> {
        let own = own_bus::connect().await.map_err(ActionError::from)?;
        let (bus, asks) = own.ok_or(ActionError::NotRunning)?;
        let following = Following::start(&stored.uuid).await;
        let following = following.map_err(ActionError::from)?;
        Ok(Self {
            stored,
            dialogs: Dialogs::new(terminal.clone()),
            terminal,
            manager: Manager::on(bus.clone()),
            bus,
            asks,
            following,
        })
    }

    async fn run(
        &mut self,
        options: &Connect,
        active: Option<&Activation>,
    ) -> Result<Answer, Failure> {
        let path = match active {
            Some(active) => active.path.clone(),
            None => {
                let name = one_line(&self.stored.name);
                self.say(&gettext!("Connecting '{name}'…", name = name));
                self.manager.activate(&self.stored.path).await?.to_string()
            }
        };
        let mut is_up = self.following.begin(&path, active.map(|it| it.vpn_state));
        if is_up && !options.stay {
            return Ok(self.up().await?);
        }
        let how = self.wait(options, &path, &mut is_up).await;
        match how {
            Ok(()) if !options.stay => Ok(self.up().await?),
            Ok(()) => {
                let name = one_line(&self.stored.name);
                let text = gettext!("'{name}' has been disconnected.", name = name) + "\n";
                let fields = serde_json::json!({ "name": self.stored.name });
                Ok(Answer::done(text, fields))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the connection is up; with `--stay`, until somebody takes it down.
    async fn wait(
        &mut self,
        options: &Connect,
        path: &str,
        is_up: &mut bool,
    ) -> Result<(), ConnectError> {
        let (mut interrupt, mut terminate, mut hang_up) = (
            signal(SignalKind::interrupt()).map_err(ConnectError::Exhausted)?,
            signal(SignalKind::terminate()).map_err(ConnectError::Exhausted)?,
            signal(SignalKind::hangup()).map_err(ConnectError::Exhausted)?,
        );
        let limit = options.timeout.map_or(NO_LIMIT, Duration::from_secs);
        let mut limit = pin!(sleep_until(Instant::now() + limit));
        if *is_up {
            readiness::tell();
        }
        loop {
            tokio::select! {
                biased;
                _ = interrupt.recv() => return self.give_up(path, *is_up).await,
                _ = terminate.recv() => return self.give_up(path, *is_up).await,
                _ = hang_up.recv() => return self.give_up(path, *is_up).await,
                () = &mut limit, if !*is_up => {
                    drop(self.give_up(path, false).await);
                    return Err(ConnectError::TimedOut {
                        name: self.stored.name.clone(),
                        seconds: options.timeout.unwrap_or_default(),
                    });
                }
                Some(ask) = self.asks.recv() => self.asked(ask),
                Some(()) = self.dialogs.next_end() => {}
                step = self.following.next() => match step {
                    Step::Working(words) => self.say(&words),
                    Step::Up if options.stay => {
                        *is_up = true;
                        readiness::tell();
                        let up = self.up().await.map(|up| up.text);
                        self.say(up.unwrap_or_default().trim_end());
                    }
                    Step::Up => return Ok(()),
                    Step::Ended(ended) => return self.ended(ended, *is_up),
                    Step::ManagerGone => return Err(ConnectError::ManagerGone),
                }
            }
        }
    }

    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::TakeBack(path) => self.dialogs.take_back(&path),
            // Nobody sees a window, or reads a line.
            Ask::Get(get) if get.flags & ALLOW_INTERACTION != 0 && !self.has_a_person() => {
                drop(get.reply.send(Reply::Nothing("nobody is there".to_owned())));
            }
            Ask::Get(get) => self.dialogs.begin(get),
        }
    }

    fn has_a_person(&self) -> bool {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.terminal.is_some() || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
    }

    /// The person does not want it any more.
    async fn give_up(&mut self, path: &str, was_up: bool) -> Result<(), ConnectError> {
        self.dialogs.cancel_all();
        let down = async {
            // It may have ended by itself.
            drop(self.manager.deactivate(path).await);
            while !matches!(
                self.following.next().await,
                Step::Ended(_) | Step::ManagerGone
            ) {}
        };
        drop(timeout(LEAVING_TIME, down).await);
        match was_up {
            true => Ok(()),
            false => Err(ConnectError::Cancelled(self.stored.name.clone())),
        }
    }

    fn ended(&self, ended: Ended, was_up: bool) -> Result<(), ConnectError> {
        let name = self.stored.name.clone();
        if ended.outcome == Outcome::Cancelled || self.dialogs.was_cancelled() {
            return match was_up {
                true => Ok(()),
                false => Err(ConnectError::Cancelled(name)),
            };
        }
        Err(ConnectError::Ended {
            name,
            reason: ended.reason,
            outcome: match was_up {
                true => Outcome::NotConnected,
                false => ended.outcome,
            },
        })
    }

    /// What there is to say of a connection that is up.
    async fn up(&self) -> Result<Answer, network_manager::NetworkManagerError> {
        let mut status = status::collect().await?;
        status.connections.retain(|it| it.uuid == self.stored.uuid);
        Ok(Answer::done(status.to_string(), status.fields()))
    }

    fn say(&self, text: &str) {
        match &self.terminal {
            Some(terminal) => terminal.say(text),
            None => eprintln!("{text}"),
        }
    }

    /// Waits for the dialogs to end and unregisters, so that NetworkManager does not ask an agent that
    /// is gone.
    async fn leave(mut self) {
        self.dialogs.take_back_all();
        let goodbye = async {
            self.dialogs.ended().await;
            registration::unregister(&self.bus).await
        };
        drop(timeout(LEAVING_TIME, goodbye).await);
    }
}
