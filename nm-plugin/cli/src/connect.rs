//! `aws-client-vpn connect`: connects, and serves as secret agent meanwhile.
//!
//! NetworkManager asks the secret agent of the program that asked for the activation first. So this
//! is one: a login and all questions come to the terminal that the command was given in, whatever
//! else runs.

mod following;
mod quit;

use crate::Failure;
use crate::actions::Manager;
use crate::answer::{Answer, Outcome};
use crate::choice::{activation_of, called};
use crate::command_line::Connect;
use crate::network_manager::{self, Activation, NetworkManagerError, Stored};
use crate::status::{self, State};
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_secret_agent::dialogs::Dialogs;
use aws_client_vpn_secret_agent::exchange::{Ask, Reply};
use aws_client_vpn_secret_agent::terminal::{Terminal, has_display};
use aws_client_vpn_secret_agent::{own_bus, readiness, registration};
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::printable::printable;
use following::{Ended, Following, Step};
use quit::Quit;
use std::io::{self, Write};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long a connection may take to go down after it was given up.
const LEAVING_TIME: Duration = Duration::from_secs(10);
/// How long an answer of NetworkManager's may be on its way.
const ANSWER_TIME: Duration = Duration::from_secs(2);
/// No longer than anybody waits, where nobody said how long.
const NO_LIMIT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Between two looks at a connection that is being taken down.
const PAUSE: Duration = Duration::from_millis(500);

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
    /// What somebody else has begun, and is on its way still, is left to them.
    #[error(
        "'{0}' is not connected yet. It goes on connecting, because this command did not begin it. \
         To stop it: aws-client-vpn disconnect NAME"
    )]
    LeftConnecting(String, Outcome),
    /// NetworkManager is gone.
    #[error("NetworkManager has stopped. Try again when it is running.")]
    ManagerGone,
}

impl ConnectError {
    /// The outcome, for exit code and JSON.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Ended { outcome, .. } => *outcome,
            Self::Cancelled(_) => Outcome::Cancelled,
            Self::TimedOut { .. } => Outcome::TimedOut,
            Self::LeftConnecting(_, outcome) => *outcome,
            Self::ManagerGone => Outcome::NoNetworkManager,
        }
    }
}

/// Connects as the command line says. With `--stay`, until the connection is over. Fails if the
/// connection is over for another reason than that somebody took it down.
pub(crate) async fn connect(options: &Connect) -> Result<Answer, Failure> {
    LocalSet::new().run_until(connect_locally(options)).await
}

async fn connect_locally(options: &Connect) -> Result<Answer, Failure> {
    // What passes through here is in no core dump, and no other process of this user reads it.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let answer = network_manager::ask().await?;
    let stored = called(&answer.stored, &options.connection)?;
    let terminal = Terminal::open().map(|terminal| match options.no_browser {
        true => Rc::new(terminal.without_browser()),
        false => Rc::new(terminal),
    });
    let mut attempt = Attempt::start(options, stored, terminal).await?;
    let outcome = attempt.run().await;
    attempt.leave().await;
    outcome
}

/// How far it came, where nothing went wrong.
enum Reached {
    Up,
    /// It was up, and somebody took it down.
    Down,
    /// It was up, and is not down yet.
    GoingDown,
}

/// How far the connection is, and whose it is until it is up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// This command began it.
    Begun,
    /// Somebody else did.
    Joined,
    Up,
}

/// What runs for one attempt.
struct Attempt<'a> {
    options: &'a Connect,
    stored: &'a Stored,
    terminal: Option<Rc<Terminal>>,
    manager: Manager,
    asks: mpsc::UnboundedReceiver<Ask>,
    dialogs: Dialogs,
    following: Following,
}

impl<'a> Attempt<'a> {
    /// Everything that has to be there before NetworkManager is told.
    async fn start(
        options: &'a Connect,
        stored: &'a Stored,
        terminal: Option<Rc<Terminal>>,
    ) -> Result<Self, Failure> {
        let own = own_bus::connect()
            .await
            .map_err(NetworkManagerError::from)?;
        let (bus, asks) = own.ok_or(NetworkManagerError::NotRunning)?;
        let following = Following::start(&stored.uuid, bus.clone()).await;
        let following = following.map_err(NetworkManagerError::from)?;
        Ok(Self {
            options,
            stored,
            dialogs: Dialogs::new(terminal.clone()),
            terminal,
            manager: Manager { bus },
            asks,
            following,
        })
    }

    async fn run(&mut self) -> Result<Answer, Failure> {
        let mut quit = Quit::listen().map_err(Failure::Exhausted)?;
        let limit = self.options.timeout.map_or(NO_LIMIT, Duration::from_secs);
        let limit = Instant::now() + limit;
        let settled = tokio::select! {
            biased;
            () = quit.asked() => return Err(self.cancelled().into()),
            () = sleep_until(limit) => return Err(self.timed_out().into()),
            settled = self.settled() => settled?,
        };
        let stage = match settled {
            None => {
                self.begin(&mut quit, limit).await?;
                Stage::Begun
            }
            Some(activation) if State::of(&activation) == State::Up => {
                self.following.begin(&activation.path, false);
                Stage::Up
            }
            Some(activation) => {
                self.following.begin(&activation.path, true);
                if let Some(words) = self.following.now(activation.vpn_state) {
                    self.say(&words);
                }
                Stage::Joined
            }
        };
        if stage == Stage::Up && !self.options.stay {
            return Ok(self.up().await?);
        }
        let name = printable(&self.stored.name);
        let text = match self.wait(stage, &mut quit, limit).await? {
            Reached::Up => return Ok(self.up().await?),
            Reached::Down => gettext!("'{name}' has been disconnected.", name = name),
            Reached::GoingDown => gettext!("'{name}' is being disconnected.", name = name),
        };
        let fields = serde_json::json!({ "name": self.stored.name });
        Ok(Answer::done(text + "\n", fields))
    }

    /// Has NetworkManager begin an activation, which is followed then.
    async fn begin(&mut self, quit: &mut Quit, limit: Instant) -> Result<(), Failure> {
        let name = printable(&self.stored.name);
        self.say(&gettext!("Connecting '{name}'…", name = name));
        let manager = self.manager.clone();
        let mut activating = pin!(manager.activate(&self.stored.path));
        let why = tokio::select! {
            biased;
            () = quit.asked() => self.cancelled(),
            () = sleep_until(limit) => self.timed_out(),
            path = &mut activating => {
                self.following.begin(&path?, false);
                return Ok(());
            }
        };
        // NetworkManager drops the request of a program that is gone, but for one that it has just
        // taken.
        if let Ok(Ok(path)) = timeout(ANSWER_TIME, activating).await {
            self.following.begin(&path, false);
            self.give_up().await;
        }
        Err(why.into())
    }

    /// What NetworkManager has of it once nothing of it is being taken down. That is looked at after
    /// [`Following::start`], so that an end in between is not missed.
    async fn settled(&self) -> Result<Option<Activation>, NetworkManagerError> {
        let mut is_said = false;
        loop {
            let Some(active) = network_manager::look_again().await? else {
                continue;
            };
            match activation_of(self.stored, &active) {
                Some(activation) if activation.is_ending() => {}
                settled => return Ok(settled.cloned()),
            }
            if !is_said {
                let name = printable(&self.stored.name);
                self.say(&gettext!(
                    "'{name}' is still being disconnected. It connects when that is done…",
                    name = name
                ));
                is_said = true;
            }
            sleep(PAUSE).await;
        }
    }

    /// Waits until the connection is up; with `--stay`, until somebody takes it down.
    async fn wait(
        &mut self,
        mut stage: Stage,
        quit: &mut Quit,
        limit: Instant,
    ) -> Result<Reached, ConnectError> {
        let mut limit = pin!(sleep_until(limit));
        if stage == Stage::Up {
            readiness::tell();
        }
        loop {
            tokio::select! {
                biased;
                () = quit.asked() => {
                    if stage == Stage::Joined && !self.dialogs.is_asking() {
                        return Err(self.left_connecting(Outcome::Cancelled));
                    }
                    let reached = self.give_up().await;
                    return match stage {
                        Stage::Up => Ok(reached),
                        Stage::Begun | Stage::Joined => Err(self.cancelled()),
                    };
                }
                () = &mut limit, if stage != Stage::Up => {
                    // It may have been up, and be lost for the moment: taken down, it would lift its
                    // kill switch.
                    if stage == Stage::Joined && !self.dialogs.is_asking() {
                        return Err(self.left_connecting(Outcome::TimedOut));
                    }
                    if stage == Stage::Begun {
                        self.give_up().await;
                    }
                    return Err(self.timed_out());
                }
                Some(ask) = self.asks.recv() => self.asked(ask),
                Some(()) = self.dialogs.next_end() => {}
                step = self.following.next() => match step {
                    Step::Working(words) => self.say(&words),
                    Step::Up if self.options.stay => {
                        stage = Stage::Up;
                        readiness::tell();
                        let up = self.up().await.map(|up| up.text);
                        self.say(up.unwrap_or_default().trim_end());
                    }
                    Step::Up => return Ok(Reached::Up),
                    Step::Ended(ended) => return self.ended(ended, stage == Stage::Up),
                    Step::ManagerGone => return Err(ConnectError::ManagerGone),
                }
            }
        }
    }

    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::TakeBack(path) => self.dialogs.take_back(&path),
            // Nobody sees a window, or reads a line.
            Ask::Get(get) if get.may_ask() && !self.has_a_person() => {
                drop(get.reply.send(Reply::Nothing("nobody is there".to_owned())));
            }
            Ask::Get(get) => self.dialogs.begin(get),
        }
    }

    fn has_a_person(&self) -> bool {
        self.terminal.is_some() || has_display()
    }

    /// The person does not want it any more.
    async fn give_up(&mut self) -> Reached {
        self.dialogs.cancel_all();
        let down = async {
            // It may have ended by itself.
            drop(self.manager.deactivate(&self.following.path).await);
            while !matches!(
                self.following.next().await,
                Step::Ended(_) | Step::ManagerGone
            ) {}
        };
        match timeout(LEAVING_TIME, down).await {
            Ok(()) => Reached::Down,
            Err(_elapsed) => Reached::GoingDown,
        }
    }

    fn ended(&self, ended: Ended, was_up: bool) -> Result<Reached, ConnectError> {
        let is_removed = ended.outcome == Outcome::NotFound;
        let is_wanted = match is_removed {
            true => was_up,
            false => ended.outcome == Outcome::Cancelled || self.dialogs.was_cancelled(),
        };
        match (is_wanted, was_up) {
            (true, true) => Ok(Reached::Down),
            (true, false) => Err(self.cancelled()),
            (false, _) => Err(ConnectError::Ended {
                name: self.stored.name.clone(),
                reason: ended.reason,
                outcome: match was_up {
                    true => Outcome::NotConnected,
                    false => ended.outcome,
                },
            }),
        }
    }

    fn cancelled(&self) -> ConnectError {
        ConnectError::Cancelled(self.stored.name.clone())
    }

    fn left_connecting(&self, outcome: Outcome) -> ConnectError {
        ConnectError::LeftConnecting(self.stored.name.clone(), outcome)
    }

    fn timed_out(&self) -> ConnectError {
        ConnectError::TimedOut {
            name: self.stored.name.clone(),
            seconds: self.options.timeout.unwrap_or_default(),
        }
    }

    /// What there is to say of a connection that is up.
    async fn up(&self) -> Result<Answer, NetworkManagerError> {
        let mut status = status::collect().await?;
        status.connections.retain(|it| it.uuid == self.stored.uuid);
        Ok(Answer::done(status.to_string(), status.fields()))
    }

    fn say(&self, text: &str) {
        match &self.terminal {
            Some(terminal) => terminal.say(text),
            // Whoever closed the pipe has seen enough.
            None => drop(writeln!(io::stderr(), "{text}")),
        }
    }

    async fn leave(mut self) {
        self.dialogs.take_back_all();
        registration::leave(&self.manager.bus, &mut self.dialogs, LEAVING_TIME).await;
    }
}
