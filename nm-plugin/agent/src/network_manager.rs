//! The loop between NetworkManager, the desktop, the dialogs and the person.

use crate::activation::NETWORK_MANAGER;
use crate::banner::{Banner, Banners};
use crate::command_line::Arguments;
use crate::complaint::complain;
use crate::desktop;
use crate::dialog::{self, NoAnswer};
use crate::exchange::{Ask, Reply};
use crate::notification;
use crate::outcome::Outcomes;
use crate::readiness;
use crate::registration::{Registration, Step};
use crate::request::Connection;
use crate::secret_agent::{Caller, SecretAgent};
use crate::terminal::Terminal;
use aws_client_vpn_core::message;
use aws_client_vpn_core::message::Worded;
use aws_client_vpn_i18n::text;
use futures_lite::StreamExt;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{LocalSet, spawn_local};
use zbus::fdo::DBusProxy;
use zbus::names::BusName;

const MANAGER_PATH: &str = "/org/freedesktop/NetworkManager/AgentManager";
const MANAGER: &str = "org.freedesktop.NetworkManager.AgentManager";
const AGENT_PATH: &str = "/org/freedesktop/NetworkManager/SecretAgent";
/// `NM_SECRET_AGENT_CAPABILITY_VPN_HINTS`: without it, of any agent, there are no hints at all.
const VPN_HINTS: u32 = 1;
/// A NetworkManager that has just started has its name before it can be called.
const START_TIME: Duration = Duration::from_secs(10);
const START_PAUSE: Duration = Duration::from_millis(100);

/// Why the agent cannot go on.
#[derive(Debug, Error, Worded)]
pub(crate) enum AgentEnd {
    /// The system has no room for it.
    #[error("this computer is out of resources: {0}")]
    Exhausted(#[from] io::Error),
    /// There is no way to NetworkManager.
    #[error(
        "the system bus, on which NetworkManager is, cannot be used: {reason}",
        reason = reason.to_string()
    )]
    Bus {
        /// As the bus says.
        #[from]
        reason: zbus::Error,
    },
}

impl From<zbus::fdo::Error> for AgentEnd {
    fn from(error: zbus::fdo::Error) -> Self {
        Self::Bus {
            reason: error.into(),
        }
    }
}

/// Serves until it is told to end.
pub(crate) async fn serve(
    arguments: &Arguments,
    terminal: Option<Terminal>,
) -> Result<(), AgentEnd> {
    let agent = Agent::new(arguments, terminal.map(Rc::new)).await?;
    LocalSet::new().run_until(agent.run()).await
}

struct Agent {
    bus: zbus::Connection,
    caller: Caller,
    asks: mpsc::UnboundedReceiver<Ask>,
    registration: Registration,
    terminal: Option<Rc<Terminal>>,
    outcomes: Outcomes,
    banners: Banners,
    /// How to end the dialogs that run, by the connection's path.
    running: HashMap<String, oneshot::Sender<Reply>>,
}

impl Agent {
    async fn new(arguments: &Arguments, terminal: Option<Rc<Terminal>>) -> Result<Self, AgentEnd> {
        let (sender, asks) = mpsc::unbounded_channel();
        let caller = Caller::default();
        let bus = zbus::connection::Builder::system()?
            .serve_at(AGENT_PATH, SecretAgent::new(sender, caller.clone()))?
            .build()
            .await?;
        Ok(Self {
            bus,
            caller,
            asks,
            registration: Registration::new(!arguments.anyway),
            terminal,
            outcomes: Outcomes::default(),
            banners: Banners::default(),
            running: HashMap::new(),
        })
    }

    async fn run(mut self) -> Result<(), AgentEnd> {
        let daemon = DBusProxy::new(&self.bus).await?;
        let mut owners = daemon
            .receive_name_owner_changed_with_args(&[(0, NETWORK_MANAGER)])
            .await?;
        let mut states = Outcomes::follow(&self.bus).await?;
        let mut ends = notification::follow(&self.bus).await?;
        let (mut interrupt, mut terminate, mut hang_up) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        );
        let mut desktop = desktop::follow().await;
        let mut desktop_is_followed = true;
        while let Ok(change) = desktop.try_recv() {
            self.registration.desktop(change.agent, change.present);
        }
        let name = BusName::try_from(NETWORK_MANAGER).map_err(zbus::Error::from)?;
        let owner = daemon.get_name_owner(name).await.ok();
        self.network_manager(owner.map(|owner| owner.to_string()))
            .await;
        self.tell_who_serves();
        readiness::tell();
        loop {
            tokio::select! {
                Some(owner) = owners.next() => {
                    let owner = owner.args().ok().and_then(|args| {
                        args.new_owner().as_ref().map(ToString::to_string)
                    });
                    self.network_manager(owner).await;
                    self.tell_who_serves();
                }
                change = desktop.recv(), if desktop_is_followed => match change {
                    Some(change) => {
                        let step = self.registration.desktop(change.agent, change.present);
                        self.perform(step).await;
                        self.tell_who_serves();
                    }
                    None => desktop_is_followed = false,
                },
                Some(ask) = self.asks.recv() => self.asked(ask),
                Some(Ok(state)) = states.next() => {
                    let end = self.outcomes.heard(&self.bus, &state).await;
                    self.say(end.as_deref());
                    if let Some(banner) = self.banners.heard(&self.bus, &state).await {
                        self.show_banner(banner);
                    }
                }
                Some(Ok(signal)) = ends.next() => {
                    if let Some(end) = notification::read(&self.bus, &signal).await {
                        self.tell_of_an_end(end);
                    }
                }
                _ = interrupt.recv() => {
                    if self.end_all() {
                        return self.leave().await;
                    }
                }
                _ = terminate.recv() => {
                    self.end_all();
                    return self.leave().await;
                }
                _ = hang_up.recv() => {
                    self.end_all();
                    return self.leave().await;
                }
            }
        }
    }

    fn say(&self, text: Option<&str>) {
        if let (Some(terminal), Some(text)) = (&self.terminal, text) {
            terminal.say(text);
        }
    }

    fn show_banner(&self, banner: Banner) {
        // The endpoint's words must not draw on the terminal.
        let text = banner.text.replace(char::is_control, " ");
        self.say(Some(&format!("{}: {text}", banner.name)));
        if self.terminal.is_none() {
            spawn_local(notification::show_banner(banner));
        }
    }

    fn tell_of_an_end(&self, end: notification::End) {
        let user = std::env::var("USER").ok();
        if !end.concerns(user.as_deref()) {
            return;
        }
        self.say(Some(&end.line(SystemTime::now())));
        if self.terminal.is_none() {
            spawn_local(notification::show_end(self.bus.clone(), end));
        }
    }

    fn tell_who_serves(&self) {
        if !self.registration.knows_network_manager() {
            self.say(Some(&text!("NetworkManager is not running.")));
            return;
        }
        self.say(Some(&match self.registration.served_by() {
            Some(agent) => text!(
                "{agent} shows the logins of this session. To have them here, start this program \
                 with --anyway.",
                agent = agent,
            ),
            None => text!("Waiting for connections that need you. Ctrl+C ends it."),
        }));
    }

    async fn network_manager(&mut self, owner: Option<String>) {
        let present = owner.is_some();
        self.caller.set(owner);
        // A NetworkManager that is gone wants no answer.
        self.take_back_all();
        let step = self.registration.network_manager(present);
        self.perform(step).await;
    }

    async fn perform(&mut self, step: Step) {
        let done = match step {
            Step::Nothing => return,
            Step::Register => self.register().await,
            Step::Unregister => {
                self.take_back_all();
                self.call("Unregister", &()).await
            }
        };
        if let Err(error) = done {
            self.registration.failed();
            let reason = error.to_string();
            complain(&message!(
                "NetworkManager refused: {reason}",
                reason = reason
            ));
        }
    }

    async fn register(&self) -> zbus::Result<()> {
        // Another of the same user has a name of its own.
        let name = format!("nm-aws-client-vpn-agent.{}", std::process::id());
        let give_up = Instant::now() + START_TIME;
        loop {
            match self
                .call("RegisterWithCapabilities", &(&name, VPN_HINTS))
                .await
            {
                Err(zbus::Error::MethodError(kind, ..))
                    if kind.starts_with("org.freedesktop.DBus.Error.Unknown")
                        && Instant::now() < give_up =>
                {
                    tokio::time::sleep(START_PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn call<B>(&self, method: &str, body: &B) -> zbus::Result<()>
    where
        B: zbus::export::serde::Serialize + zbus::zvariant::DynamicType,
    {
        let bus = &self.bus;
        bus.call_method(
            Some(NETWORK_MANAGER),
            MANAGER_PATH,
            Some(MANAGER),
            method,
            body,
        )
        .await?;
        Ok(())
    }

    fn asked(&mut self, ask: Ask) {
        self.running.retain(|_, end| !end.is_closed());
        match ask {
            Ask::TakeBack(path) => self.take_back(&path),
            Ask::Get {
                connection,
                path,
                hints,
                flags,
                reply,
            } => {
                // A new request for a connection replaces the one before.
                self.take_back(&path);
                self.outcomes.expect(&path, &connection.name);
                let (end, ended) = oneshot::channel();
                self.running.insert(path, end);
                let terminal = self.terminal.clone();
                spawn_local(async move {
                    let answer = tokio::select! {
                        answer = answer(&connection, &hints, flags, terminal.as_ref()) => answer,
                        Ok(end) = ended => end,
                    };
                    // NetworkManager may have gone.
                    drop(reply.send(answer));
                });
            }
        }
    }

    fn take_back(&mut self, path: &str) {
        if let Some(end) = self.running.remove(path) {
            drop(end.send(Reply::TakenBack));
        }
    }

    fn take_back_all(&mut self) {
        for (_, end) in self.running.drain() {
            drop(end.send(Reply::TakenBack));
        }
    }

    /// The user cancels everything that runs. Whether there was nothing.
    fn end_all(&mut self) -> bool {
        self.running.retain(|_, end| !end.is_closed());
        let idle = self.running.is_empty();
        for (_, end) in self.running.drain() {
            drop(end.send(Reply::Cancelled));
        }
        if !idle {
            self.say(Some(&text!("Cancelled.")));
        }
        idle
    }

    /// Says goodbye, so that NetworkManager asks nobody who is gone.
    async fn leave(&self) -> Result<(), AgentEnd> {
        // Replies that were given just now go out first.
        tokio::task::yield_now().await;
        drop(tokio::time::timeout(Duration::from_secs(2), self.call("Unregister", &())).await);
        Ok(())
    }
}

async fn answer(
    connection: &Connection,
    hints: &[String],
    flags: u32,
    terminal: Option<&Rc<Terminal>>,
) -> Reply {
    match dialog::run(connection, hints, flags, terminal).await {
        Ok(secrets) => Reply::Secrets(secrets),
        Err(NoAnswer::Cancelled) => Reply::Cancelled,
        Err(NoAnswer::Nothing) => Reply::Nothing(NoAnswer::Nothing.to_string()),
        Err(error @ (NoAnswer::Broken(_) | NoAnswer::Talkative | NoAnswer::Endless)) => {
            complain(&error);
            Reply::Nothing(error.to_string())
        }
    }
}
