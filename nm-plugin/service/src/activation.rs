//! Carries out what the session decides: the only place of the service that performs effects.
//!
//! One task does everything in turn, so whatever the session asks for happens in the order it
//! asked for it, and NetworkManager sees signals and replies in that order.

use crate::agents::Agents;
use crate::dbus::connection::Connection as VpnConnection;
use crate::dbus::sign_in::{self, SignIn, Term};
use crate::dbus::{self, Plugin, PluginError, Request, config};
use crate::last_failure::Asker;
use crate::openvpn::tun_device::TunDevice;
use crate::openvpn::{self, OpenVpn};
use crate::protection::Protection;
use crate::sleep_clock::SleepClock;
use crate::surroundings::Watch;
use crate::watchdog::Watchdog;
use crate::{journal, resolver};
use aws_client_vpn_profile::settings::{self, Limits};
use aws_client_vpn_profile::well_known::{NOT_UP, NOT_YOURS, SIGN_IN_PATH};
use aws_client_vpn_session::network_manager::Shown;
use aws_client_vpn_session::network_manager::ip_config::IpConfig;
use aws_client_vpn_session::overlap::{KernelRoute, overlaps};
use aws_client_vpn_session::session::{Effect, Input, ServiceState, Session, Surroundings};
use std::cell::Cell;
use std::future::pending;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing::Instrument;
use zbus::names::OwnedUniqueName;
use zbus::zvariant::OwnedObjectPath;
use zbus::{MatchRule, MessageStream};

/// How long the service waits for a first Connect, as libnm's own base class does.
const IDLE_LIMIT: Duration = Duration::from_secs(180);
/// NetworkManager ends an activation this long after `vpn.timeout` (nm-vpn-connection.c).
const ACTIVATION_EXTRA: Duration = Duration::from_secs(180);
/// What has to be left of it for the rest of the activation once the person has signed in.
const ACTIVATION_RESERVE: Duration = Duration::from_secs(15);
/// How long NetworkManager may take to say Disconnect after a failure.
const FAREWELL_LIMIT: Duration = Duration::from_secs(3);
/// How often to look whether the computer has slept, and to tell the watchdog, at least.
const TURN_INTERVAL: Duration = Duration::from_secs(10);
/// How long the bus may take for the last messages.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);
/// How long the kernel may take for a second OpenVPN that was killed. The session waits itself for
/// the one that carries the traffic.
const SECOND_END_LIMIT: Duration = Duration::from_secs(2);

/// The service could not run at all.
#[derive(Debug, Error)]
pub(crate) enum ServiceError {
    /// The bus cannot be reached, or the name not be had.
    #[error("could not offer the VPN service on the system bus")]
    Bus(#[from] zbus::Error),
    /// Signals cannot be caught.
    #[error("could not catch signals")]
    Signals(#[source] std::io::Error),
}

/// Serves one activation under `bus_name`.
pub(crate) async fn run(bus_name: &str) -> Result<(), ServiceError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServiceError::Signals)?;
    TunDevice::remove_orphans();
    let (sender, mut requests) = mpsc::channel(dbus::QUEUE);
    let (sign_in_sender, mut sign_in_requests) = mpsc::channel(dbus::QUEUE);
    // The object has to be there before the name is: NetworkManager calls at once.
    let bus = zbus::connection::Builder::system()?
        .serve_at(SIGN_IN_PATH, SignIn::new(sign_in_sender))?
        .serve_at(dbus::PATH, Plugin::new(sender))?
        // NetworkManager gives the name to this process alone.
        .allow_name_replacements(false)
        .replace_existing_names(false)
        .name(bus_name)?
        .build()
        .await?;
    if let Some(mut activation) = first_connect(
        &bus,
        bus_name,
        &mut requests,
        &mut sign_in_requests,
        &mut terminate,
    )
    .await?
    {
        let span = tracing::info_span!("connection", NM_CONNECTION = %activation.uuid);
        activation
            .run(&mut requests, &mut sign_in_requests, &mut terminate)
            .instrument(span)
            .await;
        drop(sign_in_requests);
        activation.await_farewell(&mut requests).await;
    }
    // What was sent last has to be on the bus before the process is gone.
    if tokio::time::timeout(FLUSH_LIMIT, bus.graceful_shutdown())
        .await
        .is_err()
    {
        tracing::warn!("the bus did not take the last messages in time");
    }
    Ok(())
}

async fn first_connect(
    bus: &zbus::Connection,
    bus_name: &str,
    requests: &mut mpsc::Receiver<Request>,
    sign_in_requests: &mut mpsc::Receiver<sign_in::Request>,
    terminate: &mut Signal,
) -> Result<Option<Activation>, ServiceError> {
    let not_up = || PluginError::WrongState("there is no connection yet".to_owned());
    let idle = tokio::time::sleep(IDLE_LIMIT);
    tokio::pin!(idle);
    loop {
        let request = tokio::select! {
            request = requests.recv() => request,
            Some(request) = sign_in_requests.recv() => {
                request.refuse(not_up());
                continue;
            }
            _ = terminate.recv() => None,
            () = &mut idle => None,
        };
        match request {
            None => return Ok(None),
            Some(Request::NewSecrets { reply, .. }) => drop(reply.send(Err(not_up()))),
            Some(Request::Disconnect { reply }) => {
                drop(reply.send(Ok(())));
                return Ok(None);
            }
            Some(Request::Connect {
                connection,
                interactive,
                caller,
                reply,
            }) => match Activation::new(bus, bus_name, *connection, interactive, caller).await {
                Ok(mut activation) => {
                    activation.perform_effects().await;
                    drop(reply.send(Ok(())));
                    return Ok(Some(activation));
                }
                Err(error) => {
                    tracing::error!("cannot connect: {error}");
                    drop(reply.send(Err(error)));
                }
            },
        }
    }
}

/// One activation and all that belongs to it on this machine.
struct Activation {
    bus: zbus::Connection,
    caller: OwnedUniqueName,
    caller_changes: MessageStream,
    caller_is_gone: bool,
    uuid: String,
    name: String,
    session: Session,
    /// The one that carries the traffic.
    openvpn: Option<OpenVpn>,
    /// One beside it, which fetches a challenge.
    second: Option<OpenVpn>,
    bus_is_gone: Cell<bool>,
    resolved: mpsc::Receiver<Input>,
    resolved_sender: mpsc::Sender<Input>,
    /// What NetworkManager says of the activation, if the name we have tells which it is.
    shown: Option<MessageStream>,
    /// What goes on around a tunnel that was up once.
    watch: Option<Watch>,
    seen: Surroundings,
    agents: Agents,
    /// Whether one was there when last looked.
    has_agent: bool,
    sleep_clock: SleepClock,
    watchdog: Watchdog,
    /// The account whose secret agent answered.
    user: Option<String>,
    /// Who is told of a failure.
    asker: Asker,
    protection: Protection,
    failed: bool,
    finished: bool,
}

impl Activation {
    async fn new(
        bus: &zbus::Connection,
        bus_name: &str,
        connection: VpnConnection,
        interactive: bool,
        caller: OwnedUniqueName,
    ) -> Result<Self, PluginError> {
        let owner_changes = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender("org.freedesktop.DBus")?
            .interface("org.freedesktop.DBus")?
            .member("NameOwnerChanged")?
            .arg(0, caller.as_str())?
            .build();
        let changes = MessageStream::for_match_rule(owner_changes, bus, None).await?;
        let profile = connection.profile()?;
        let limits = limits(&connection);
        let (uuid, name) = (connection.uuid.clone(), connection.id.clone());
        tracing::info!(
            NM_CONNECTION = %uuid,
            "connecting {name:?} to {}",
            profile.display_endpoint()
        );
        let shown_at = activation_path(bus_name);
        let shown = match &shown_at {
            Some(path) => Some(dbus::follow_states(bus, &caller, path).await?),
            None => None,
        };
        let activation = shown_at.as_ref().map(|path| path.as_str());
        let asker = Asker::begin(&connection, activation);
        let protection = Protection::new(bus, &caller, &connection, shown_at.as_ref()).await?;
        let secrets = connection.into_secrets();
        let mut session = Session::new(profile, limits, interactive, secrets, Instant::now());
        session.let_browsers_out(protection.browsers());
        let (resolved_sender, resolved) = mpsc::channel(1);
        Ok(Self {
            bus: bus.clone(),
            caller,
            caller_changes: changes,
            caller_is_gone: false,
            uuid,
            name,
            session,
            openvpn: None,
            second: None,
            bus_is_gone: Cell::new(false),
            resolved,
            resolved_sender,
            shown,
            watch: None,
            seen: Surroundings::default(),
            agents: Agents::new(bus),
            has_agent: false,
            sleep_clock: SleepClock::start(),
            watchdog: Watchdog::new(),
            user: None,
            asker,
            protection,
            failed: false,
            finished: false,
        })
    }

    async fn run(
        &mut self,
        requests: &mut mpsc::Receiver<Request>,
        sign_in_requests: &mut mpsc::Receiver<sign_in::Request>,
        terminate: &mut Signal,
    ) {
        while !self.finished {
            self.watchdog.alive();
            // Lines that have been read are there at once: without this, nothing else would run.
            tokio::task::coop::consume_budget().await;
            let deadline = [self.session.deadline(), self.protection.due()];
            let deadline = deadline.into_iter().flatten().min();
            if !self.session.may_ask_a_person() {
                // Whoever is there now may have left when it matters.
                self.agents.look_away();
                if std::mem::take(&mut self.has_agent)
                    && let Some(input) = self.look_around()
                {
                    self.session.handle(input, Instant::now());
                    self.perform_effects().await;
                }
            }
            let uid = self.uid();
            // In no order: whoever has something to say all the time holds nobody else up.
            let input = tokio::select! {
                event = next_of(&mut self.openvpn) => Some(match event {
                    openvpn::Event::Said(notification) => Input::Management(notification),
                    openvpn::Event::Ended(how) => Input::OpenVpnEnded(how),
                }),
                event = next_of(&mut self.second) => Some(match event {
                    openvpn::Event::Said(notification) => Input::Second(notification),
                    openvpn::Event::Ended(how) => {
                        self.end_second().await;
                        Input::SecondEnded(how)
                    }
                }),
                Some(request) = requests.recv() => self.requested(request).await,
                Some(request) = sign_in_requests.recv() => self.sign_in_requested(request).await,
                Some(input) = self.resolved.recv() => Some(input),
                // Once: a bus that is gone would be ready again and again, and let nothing else be.
                () = gone(&mut self.caller_changes), if !self.caller_is_gone => {
                    self.caller_is_gone = true;
                    self.protection.network_manager_gone(&self.bus).await;
                    Some(Input::NetworkManagerGone)
                }
                _ = terminate.recv() => Some(Input::Disconnect),
                shown = next_shown(&mut self.shown) => Some(Input::Shown(shown)),
                () = changed(&mut self.watch) => {
                    self.protection.network_changed();
                    self.look_around()
                }
                has_agent = self.agents.look(uid), if self.session.may_ask_a_person() => {
                    self.has_agent = has_agent;
                    self.look_around()
                }
                () = self.protection.changed() => None,
                () = until(deadline) => Some(Input::TimePassed),
                () = tokio::time::sleep(TURN_INTERVAL) => None,
            };
            self.note_sleep().await;
            if let Some(input) = input {
                self.take_in(input).await;
            }
            self.protection.keep(&self.session, device(&self.openvpn));
        }
    }

    /// The clock that times are kept by stands still while the computer sleeps.
    async fn note_sleep(&mut self) {
        if let Some(length) = self.sleep_clock.slept() {
            tracing::info!("the computer has slept for {} s", length.as_secs());
            self.take_in(Input::Slept(length)).await;
        }
    }

    async fn take_in(&mut self, input: Input) {
        self.protection.follow(&input);
        self.session.handle(input, Instant::now());
        self.perform_effects().await;
    }

    /// Stays on the bus after a failure until NetworkManager has said Disconnect, as it does once it
    /// has taken note: it takes the loss of the name for the reason if that comes first.
    async fn await_farewell(&mut self, requests: &mut mpsc::Receiver<Request>) {
        if !self.failed {
            return;
        }
        let farewell = async {
            while let Some(request) = requests.recv().await {
                let text = || "the connection is down".to_owned();
                match request {
                    Request::Disconnect { reply } => {
                        drop(reply.send(Err(PluginError::AlreadyStopped(text()))));
                        return;
                    }
                    Request::Connect { reply, .. } | Request::NewSecrets { reply, .. } => {
                        drop(reply.send(Err(PluginError::WrongState(text()))));
                    }
                }
            }
        };
        tokio::select! {
            () = farewell => {}
            () = gone(&mut self.caller_changes) => {}
            () = tokio::time::sleep(FAREWELL_LIMIT) => {}
        }
    }

    /// Answers at once: the session only has to take note, and what follows takes its time.
    async fn requested(&mut self, request: Request) -> Option<Input> {
        match request {
            Request::Connect { reply, .. } => {
                let text = "this connection is up or on its way already".to_owned();
                drop(reply.send(Err(PluginError::WrongState(text))));
                None
            }
            Request::NewSecrets { connection, reply } => {
                if self.session.expects_secrets() {
                    drop(reply.send(Ok(())));
                    self.user = connection.user.clone();
                    self.asker.answered(self.user.as_deref());
                    Some(Input::NewSecrets(connection.into_secrets()))
                } else {
                    let text = "no secrets were asked for".to_owned();
                    drop(reply.send(Err(PluginError::WrongState(text))));
                    None
                }
            }
            Request::Disconnect { reply } => {
                if self.session.is_stopping() {
                    let text = "the connection is being taken down already".to_owned();
                    drop(reply.send(Err(PluginError::StoppingInProgress(text))));
                    None
                } else {
                    drop(reply.send(Ok(())));
                    self.protection.end_asked_for().await;
                    Some(Input::Disconnect)
                }
            }
        }
    }

    /// These come from anybody on this computer, in any number.
    async fn sign_in_requested(&mut self, request: sign_in::Request) -> Option<Input> {
        match request {
            sign_in::Request::Term { reply } => {
                self.note_sleep().await;
                drop(reply.send(Ok(self.term())));
                None
            }
            sign_in::Request::Renew { caller, reply } => {
                let user = self.user.as_deref();
                let may = |watch: &Watch| watch.may_act_for(user, caller);
                if !self.session.is_up() {
                    drop(reply.send(Err(PluginError::WrongState(NOT_UP.to_owned()))));
                    None
                } else if caller == 0 || self.watch.as_ref().is_some_and(may) {
                    drop(reply.send(Ok(())));
                    Some(Input::Renew)
                } else {
                    tracing::warn!("user {caller} may not renew the sign-in of this connection");
                    drop(reply.send(Err(PluginError::Failed(NOT_YOURS.to_owned()))));
                    None
                }
            }
        }
    }

    /// The sign-in and its end, by the clock on the wall.
    fn term(&self) -> Term {
        let ends = self.session.sign_in_ends().and_then(|ends| {
            let left = ends.saturating_duration_since(Instant::now());
            let end = SystemTime::now() + left;
            end.duration_since(UNIX_EPOCH).ok()
        });
        Term {
            uuid: self.uuid.clone(),
            name: self.name.clone(),
            user: self.user.clone().unwrap_or_default(),
            ends: ends.map_or(0, |ends| ends.as_secs()),
        }
    }

    async fn perform_effects(&mut self) {
        // Before OpenVPN sends its first packet, or a browser is opened.
        self.protection
            .keep_open(&self.session, device(&self.openvpn));
        while let Some(effect) = self.session.poll_effect() {
            if let Some(input) = self.perform(effect).await {
                self.session.handle(input, Instant::now());
                self.protection
                    .keep_open(&self.session, device(&self.openvpn));
            }
        }
    }

    /// Carries out one effect; what comes of it at once is the session's next input.
    async fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Note(text) => tracing::info!("{text}"),
            Effect::Announce(state) => {
                tracing::debug!("state: {state:?}");
                self.signal(async |to| Plugin::announce_state(to, state as u32).await)
                    .await;
                if state == ServiceState::Started && self.watch.is_none() {
                    return self.watch().await;
                }
            }
            Effect::SignInEnds { left } => {
                let minutes = left.as_secs().div_ceil(60);
                tracing::warn!("the endpoint ends the connection in {minutes} minutes");
                let term = self.term();
                if let Err(error) = sign_in::tell(&self.bus, &term).await {
                    tracing::warn!("nobody was told of it: {error}");
                }
            }
            Effect::Fail(failure) => {
                tracing::error!("{}", journal::chain(&failure));
                self.failed = true;
                // Before NetworkManager tells anybody that it is to be read.
                self.asker.tell(&self.bus, &failure).await;
                let reason = failure.reason() as u32;
                self.signal(async |to| Plugin::failure(to, reason).await)
                    .await;
            }
            Effect::RequestSecrets { message, hints } => {
                self.signal(async |to| Plugin::secrets_required(to, &message, &hints).await)
                    .await;
            }
            Effect::Configure(ip_config) => {
                self.protection.settings_change();
                let device = device(&self.openvpn);
                if let Err(error) = self.protection.close(&self.session, device) {
                    return Some(Input::Unprotected(journal::chain(&error)));
                }
                let device = device.map_or("", TunDevice::name);
                if self.watch.is_none() {
                    tell_of_overlaps(&ip_config, device, self.protection.enforces_routes());
                }
                let (general, ipv4, ipv6) = config::dictionaries(&ip_config, device);
                self.signal(async |to| Plugin::config(to, general).await)
                    .await;
                if let Some(ipv4) = ipv4 {
                    self.signal(async |to| Plugin::ip4_config(to, ipv4).await)
                        .await;
                }
                if let Some(ipv6) = ipv6 {
                    self.signal(async |to| Plugin::ip6_config(to, ipv6).await)
                        .await;
                }
            }
            Effect::Resolve { host, random_label } => {
                if let Some(known) = self.protection.known_addresses() {
                    return Some(Input::Resolved {
                        host,
                        result: Ok(known),
                    });
                }
                let sender = self.resolved_sender.clone();
                tokio::spawn(async move {
                    let result: Result<Vec<IpAddr>, String> =
                        resolver::resolve(host.clone(), random_label).await;
                    // Nobody waits for it any more once the activation is over.
                    drop(sender.send(Input::Resolved { host, result }).await);
                });
            }
            Effect::Launch => match OpenVpn::start(self.session.profile(), "openvpn") {
                Ok(openvpn) => self.openvpn = Some(openvpn),
                Err(why) => return Some(Input::NotStarted(why)),
            },
            Effect::Send(command) => {
                let sent = self.openvpn.as_mut().map(|openvpn| openvpn.send(&command));
                if let Some(Err(error)) = sent {
                    return Some(Input::NotSent(error.to_string()));
                }
            }
            Effect::LaunchSecond => {
                match OpenVpn::start(self.session.profile(), "second openvpn") {
                    Ok(openvpn) => self.second = Some(openvpn),
                    Err(why) => return Some(Input::SecondEnded(why)),
                }
            }
            Effect::SendSecond(command) => {
                let sent = self.second.as_mut().map(|openvpn| openvpn.send(&command));
                if let Some(Err(error)) = sent {
                    return Some(Input::SecondEnded(error.to_string()));
                }
            }
            Effect::EndSecond => self.end_second().await,
            Effect::Terminate => {
                if let Some(openvpn) = &mut self.openvpn {
                    openvpn.terminate();
                }
            }
            Effect::Kill => {
                if let Some(openvpn) = &mut self.openvpn {
                    openvpn.kill();
                }
            }
            Effect::CleanUp => self.clean_up().await,
            Effect::Finish => self.finished = true,
        }
        None
    }

    /// Once a tunnel is up, what goes on around it matters.
    async fn watch(&mut self) -> Option<Input> {
        match Watch::start(&self.bus) {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => {
                tracing::warn!("the kernel does not tell of changes of the network: {error}");
            }
        }
        self.look_around()
    }

    /// The number of the account whose secret agent answered, if it is logged in.
    fn uid(&self) -> Option<u32> {
        self.watch.as_ref()?.uid_of(self.user.as_deref()?)
    }

    /// What has changed around the connection, if it is anything that matters.
    fn look_around(&mut self) -> Option<Input> {
        let session = &self.session;
        let seen = self.watch.as_ref()?.look(
            session.endpoint_address(),
            |address| session.is_inside(address),
            self.user.as_deref(),
            self.has_agent,
            self.seen.source.filter(|_| session.is_up()),
        );
        let before = std::mem::replace(&mut self.seen, seen);
        (before != seen).then_some(Input::Surroundings(seen))
    }

    async fn end_second(&mut self) {
        if let Some(second) = self.second.take() {
            second.end(SECOND_END_LIMIT).await;
        }
    }

    async fn clean_up(&mut self) {
        self.end_second().await;
        self.protection.let_go().await;
        if let Some(openvpn) = self.openvpn.take() {
            openvpn.end(Duration::ZERO).await;
        }
    }

    /// Sends a signal to NetworkManager; if the bus is gone, the activation's end is near anyway.
    async fn signal(
        &self,
        emit: impl AsyncFnOnce(&zbus::object_server::SignalEmitter<'_>) -> zbus::Result<()>,
    ) {
        // A bus that was killed takes nothing, and would hold up what has to be done all the same.
        if self.bus_is_gone.get() {
            return;
        }
        let sent = match dbus::emitter(&self.bus, &self.caller) {
            Ok(emitter) => tokio::time::timeout(FLUSH_LIMIT, emit(&emitter)).await,
            Err(error) => Ok(Err(error)),
        };
        let why = match sent {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the bus does not take it".to_owned(),
        };
        self.bus_is_gone.set(true);
        // As at each shutdown: nobody is left to be told.
        tracing::info!("could not send a signal to NetworkManager: {why}");
    }
}

/// Says which networks can be reached another way as well.
fn tell_of_overlaps(config: &IpConfig, device: &str, is_enforced: bool) {
    let table = |name: &str| std::fs::read_to_string(name).unwrap_or_default();
    let routes = KernelRoute::read(&table("/proc/net/route"), &table("/proc/net/ipv6_route"));
    for overlap in overlaps(config, device, &routes, is_enforced) {
        tracing::warn!("{overlap}");
    }
}

async fn next_of(openvpn: &mut Option<OpenVpn>) -> openvpn::Event {
    match openvpn {
        Some(openvpn) => openvpn.next().await,
        None => pending().await,
    }
}

fn device(openvpn: &Option<OpenVpn>) -> Option<&TunDevice> {
    openvpn.as_ref().map(OpenVpn::device)
}

/// The profile's limits, cut to what NetworkManager leaves for one activation.
fn limits(connection: &VpnConnection) -> Limits {
    let settings = settings::limits(connection.data());
    let activation = Duration::from_secs(connection.timeout_seconds.into()) + ACTIVATION_EXTRA;
    Limits {
        login: settings
            .login
            .min(activation.saturating_sub(ACTIVATION_RESERVE)),
        ..settings
    }
}

/// Waits until the bus says that the watched name has no owner any more, or is gone itself.
async fn gone(changes: &mut MessageStream) {
    use futures_lite::StreamExt;
    while let Some(change) = changes.next().await {
        // A bus that was killed is an error in each stream, once, and then their end.
        let Ok(change) = change else { return };
        let owners = change.body().deserialize::<(String, String, String)>();
        if owners.is_ok_and(|(_, _, new_owner)| new_owner.is_empty()) {
            return;
        }
    }
}

/// NetworkManager's object of an activation: it numbers the service's names like them
/// (nm-vpn-connection.c).
fn activation_path(bus_name: &str) -> Option<OwnedObjectPath> {
    let (_, number) = bus_name.rsplit_once(".Connection_")?;
    let number: u64 = number.parse().ok()?;
    let path = format!("/org/freedesktop/NetworkManager/ActiveConnection/{number}");
    OwnedObjectPath::try_from(path).ok()
}

/// What NetworkManager says next of the activation.
async fn next_shown(shown: &mut Option<MessageStream>) -> Shown {
    use futures_lite::StreamExt;
    while let Some(stream) = shown {
        match stream.next().await {
            Some(Ok(signal)) => {
                if let Some(shown) = dbus::shown(&signal) {
                    return shown;
                }
            }
            Some(Err(_)) => {}
            None => *shown = None,
        }
    }
    pending().await
}

/// Waits until something may have changed around the connection.
async fn changed(watch: &mut Option<Watch>) {
    match watch {
        Some(watch) => watch.changed().await,
        None => pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
