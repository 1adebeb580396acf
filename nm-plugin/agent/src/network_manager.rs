//! The loop between NetworkManager, the dialogs and the person.
//!
//! Nothing in it waits for an answer of the bus: what has to is a task with a time limit. What others
//! may send as often as they like comes over a connection of its own, on which nothing is ever
//! called, so that no number of signals keeps an answer from being read.

use crate::activation::{Event, Follower};
use crate::at_login;
use crate::audience::concerns_us;
use crate::instance::{self, Instance};
use crate::notification::{self, Notices};
use crate::rights;
use crate::services::Services;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_network_manager::owner;
use aws_client_vpn_network_manager::signals::{owner_changes, vpn_state, vpn_states};
use aws_client_vpn_profile::well_known::network_manager::NAME;
use aws_client_vpn_secret_agent::dialogs::Dialogs;
use aws_client_vpn_secret_agent::exchange::Ask;
use aws_client_vpn_secret_agent::secret_agent::Caller;
use aws_client_vpn_secret_agent::terminal::Terminal;
use aws_client_vpn_secret_agent::{own_bus, readiness, registration};
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::printable::printable;
use futures_lite::StreamExt;
use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;
use zbus::fdo::DBusProxy;
use zbus::{Message, MessageStream};

/// How long the bus has to answer when this program starts.
const START_TIME: Duration = Duration::from_secs(20);
/// How many signals may wait.
const QUEUE: usize = 64;
/// How long the dialogs have to end and NetworkManager to be told, before this program ends anyway.
const LEAVING_TIME: Duration = Duration::from_secs(1);
/// How many notices of ends are shown at a time: more connections nobody has.
const NOTICES: usize = 32;

/// Why the agent cannot go on.
#[derive(Debug, Error, Localize)]
pub(crate) enum AgentEnd {
    /// The system has no room for it.
    #[error("This computer is out of resources: {0}. Close some programs, and try again.")]
    Exhausted(#[from] io::Error),
    /// There is no way to NetworkManager.
    #[error(
        "NetworkManager cannot be reached over the system bus: {reason}",
        reason = reason.to_string()
    )]
    Bus {
        /// As the bus says.
        #[from]
        reason: zbus::Error,
    },
    #[error("NetworkManager cannot be reached, because the system bus does not answer.")]
    SilentBus,
}

/// Serves until it is told to end.
pub(crate) async fn serve(terminal: Option<Terminal>) -> Result<(), AgentEnd> {
    let serving = async {
        // At a terminal, it is whoever started it who wants to be asked there.
        let session = match terminal {
            Some(_) => None,
            None => match Instance::claim().await {
                Instance::Another => {
                    // Or systemd takes the end for a failure.
                    readiness::tell();
                    return Ok(());
                }
                Instance::Only { session } => session,
            },
        };
        let terminal = terminal.map(Rc::new);
        let is_registered = watch::Sender::new(false);
        if let Some(session) = session.clone() {
            let told = instance::tell_registered(session, is_registered.subscribe());
            tokio::task::spawn_local(told);
        }
        let notices = Notices::new(session);
        let start = timeout(START_TIME, Agent::start(terminal, notices, is_registered));
        let (agent, signals) = start.await.map_err(|_| AgentEnd::SilentBus)??;
        agent.run(signals).await
    };
    LocalSet::new().run_until(serving).await
}

/// What comes over the connection on which nothing is called.
struct Signals {
    /// NetworkManager comes and goes.
    manager: MessageStream,
    /// Services of ours come and go.
    services: MessageStream,
    /// States of VPN connections.
    states: MessageStream,
    /// Sign-ins end: anybody may say so.
    ends: MessageStream,
}

impl Signals {
    async fn follow() -> zbus::Result<Self> {
        let bus = zbus::Connection::system().await?;
        let manager = owner_changes()?.add_arg(NAME)?.build();
        let services = Services::rule(owner_changes()?)?;
        let follow = |rule| MessageStream::for_match_rule(rule, &bus, Some(QUEUE));
        Ok(Self {
            manager: follow(manager).await?,
            services: follow(services).await?,
            states: follow(vpn_states()?).await?,
            // Last: from here on, others say how much comes, and nothing is called any more.
            ends: follow(notification::rule()?).await?,
        })
    }
}

struct Agent {
    bus: zbus::Connection,
    caller: Caller,
    asks: mpsc::UnboundedReceiver<Ask>,
    services: Services,
    /// Tells notifications that a service or a connection has changed.
    changes: watch::Sender<()>,
    follower: mpsc::Sender<Event>,
    terminal: Option<Rc<Terminal>>,
    /// The registration with the NetworkManager that is there, as long as that takes.
    registering: JoinSet<()>,
    /// Whether that is done.
    is_registered: watch::Sender<bool>,
    dialogs: Dialogs,
    notices: Notices,
    showing: JoinSet<()>,
}

impl Agent {
    /// Everything that has to be waited for at the start.
    async fn start(
        terminal: Option<Rc<Terminal>>,
        notices: Notices,
        is_registered: watch::Sender<bool>,
    ) -> Result<(Self, Signals), AgentEnd> {
        let caller = Caller::default();
        let (bus, asks) = own_bus::with_agent(&caller).await?;
        // Heard before it is asked, so that nothing is missed in between.
        let signals = Signals::follow().await?;
        let daemon = DBusProxy::new(&bus).await?;
        let services = Services::find(&daemon).await?;
        let owner = owner(&bus).await?;
        let mut agent = Self {
            follower: Follower::start(bus.clone(), terminal.clone(), notices.clone()),
            bus,
            caller,
            asks,
            services,
            changes: watch::Sender::new(()),
            dialogs: Dialogs::new(terminal.clone()),
            terminal,
            registering: JoinSet::new(),
            is_registered,
            notices,
            showing: JoinSet::new(),
        };
        agent.network_manager(owner);
        // Beside the loop: it waits for networks, and asks much.
        if agent.terminal.is_none() {
            tokio::task::spawn_local(at_login::serve(agent.bus.clone()));
        }
        Ok((agent, signals))
    }

    async fn run(mut self, mut signals: Signals) -> Result<(), AgentEnd> {
        let (mut interrupt, mut terminate, mut hang_up) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        );
        loop {
            tokio::select! {
                // What ends this program comes first, whatever else there is to do.
                biased;
                _ = terminate.recv() => {
                    self.dialogs.take_back_all();
                    return self.leave().await;
                }
                _ = hang_up.recv() => {
                    self.dialogs.take_back_all();
                    return self.leave().await;
                }
                _ = interrupt.recv() => {
                    if self.dialogs.cancel_all() {
                        return self.leave().await;
                    }
                }
                Some(ask) = self.asks.recv() => self.asked(ask),
                Some(Ok(change)) = signals.manager.next() => {
                    if let Ok((_, _, owner)) = change.body().deserialize::<(&str, &str, &str)>() {
                        self.network_manager(Some(owner.to_owned()).filter(|o| !o.is_empty()));
                    }
                }
                Some(Ok(change)) = signals.services.next() => {
                    self.services.changed(&change);
                    self.changes.send_replace(());
                }
                Some(Ok(state)) = signals.states.next() => {
                    if let Some((activation, state, reason)) = vpn_state(&state) {
                        self.follow(Event::State(activation, state, reason));
                    }
                    self.changes.send_replace(());
                }
                Some(Ok(end)) = signals.ends.next() => self.told_of_an_end(&end),
                Some(registered) = self.registering.join_next() => {
                    if registered.is_ok() {
                        self.is_registered.send_replace(true);
                        self.say(&gettext!("Waiting for connections that need a sign-in. Press \
                         Ctrl+C to stop."));
                        if let Some(terminal) = &self.terminal {
                            let told = rights::tell(self.bus.clone(), Rc::clone(terminal));
                            self.showing.spawn_local(told);
                        }
                        readiness::tell();
                    }
                }
                Some(_) = self.dialogs.next_end() => {}
                Some(_) = self.showing.join_next() => {}
            }
        }
    }

    fn say(&self, text: &str) {
        if let Some(terminal) = &self.terminal {
            terminal.say(text);
        }
    }

    /// NetworkManager says more than anybody can follow only if something is wrong with it.
    fn follow(&self, event: Event) {
        drop(self.follower.try_send(event));
    }

    /// Only a service of ours counts, and they come over this connection to everybody.
    fn told_of_an_end(&mut self, signal: &Message) {
        let from_ours = signal
            .header()
            .sender()
            .is_some_and(|sender| self.services.have(sender));
        let Some(end) = notification::read(signal).filter(|_| from_ours) else {
            return;
        };
        if !concerns_us(end.user()) || !end.is_ahead(SystemTime::now()) {
            return;
        }
        self.say(&printable(&end.line(SystemTime::now())));
        if self.terminal.is_none() && self.showing.len() < NOTICES {
            let (system, changes) = (self.bus.clone(), self.changes.subscribe());
            let notices = self.notices.clone();
            let shown = async move { notices.show_end(system, end, changes).await };
            self.showing.spawn_local(shown);
        }
    }

    fn network_manager(&mut self, owner: Option<String>) {
        let is_there = owner.is_some();
        self.caller.set(owner);
        // A NetworkManager that is gone wants no answer.
        self.dialogs.take_back_all();
        // With what it may have brought already.
        self.registering = JoinSet::new();
        self.is_registered.send_replace(false);
        if is_there {
            let registered = registration::register(self.bus.clone(), self.caller.clone());
            self.registering.spawn_local(registered);
        } else {
            self.say(&gettext!("NetworkManager is not running."));
            readiness::tell();
        }
    }

    fn asked(&mut self, ask: Ask) {
        match ask {
            Ask::TakeBack(path) => self.dialogs.take_back(&path),
            Ask::Get(get) => {
                if get.may_ask() {
                    self.follow(Event::Expected(get.connection.stored.path.clone()));
                }
                self.dialogs.begin(get);
            }
        }
    }

    async fn leave(mut self) -> Result<(), AgentEnd> {
        registration::leave(&self.bus, &mut self.dialogs, LEAVING_TIME).await;
        Ok(())
    }
}
