//! Carries out what the session decides: the only place of the service that performs effects.
//!
//! One task does everything in turn, so whatever the session asks for happens in the order it
//! asked for it, and NetworkManager sees signals and replies in that order.

use crate::conditions::{Change, Monitor};
use crate::dbus::PluginError;
use crate::dbus::Request;
use crate::dbus::connection::{Connection as VpnConnection, InvalidConnection};
use crate::dbus::network_manager::{Event, NetworkManager};
use crate::dbus::sign_in::{self, Expiry, SignInError};
use crate::journal;
use crate::last_failure::Requester;
use crate::openvpn::tun_device::TunDevice;
use crate::openvpn::{self, OpenVpn};
use crate::protection::{self, Protection};
use crate::resolver::{Answer, Resolver};
use crate::rtnetlink;
use crate::sleep_clock::SleepClock;
use crate::watchdog::Watchdog;
use aws_client_vpn_profile::renewal::NotRenewed;
use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_profile::well_known::{ATTEMPT_FIELD, CONNECTION_FIELD, ENDPOINT_FIELD};
use aws_client_vpn_session::kernel_routes::{KernelRoute, overlaps};
use aws_client_vpn_session::management::ControlCharacter;
use aws_client_vpn_session::netlink::routes_request;
use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::network_manager::ip_config::IpConfig;
use aws_client_vpn_session::session::{Effect, Failure, Input, ServiceState, Session};
use aws_client_vpn_text::message::Localize;
use std::future::pending;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use zbus::names::OwnedUniqueName;

/// NetworkManager ends an activation this long after `vpn.timeout` (nm-vpn-connection.c).
const ACTIVATION_EXTRA: Duration = Duration::from_secs(180);
/// What has to be left of it for the rest of the activation once the person has signed in.
const ACTIVATION_RESERVE: Duration = Duration::from_secs(15);
/// How often to look whether the computer has slept, and to tell the watchdog, at least.
const TURN_INTERVAL: Duration = Duration::from_secs(10);
/// How long the kernel may take for the renewal's OpenVPN that was killed. The session waits itself for
/// the one that carries the traffic.
const RENEWAL_END_LIMIT: Duration = Duration::from_secs(2);

/// What a connection is called.
struct Names {
    uuid: String,
    /// As its user has named it.
    id: String,
}

/// What an activation begins with.
pub(crate) struct Prepared {
    names: Names,
    session: Session,
    requester: Requester,
    protection: Protection,
}

/// An activation of a connection, and all that belongs to it on this machine.
pub(crate) struct Activation<'a> {
    names: Names,
    session: Session,
    network_manager: &'a mut NetworkManager,
    /// The one that carries the traffic.
    openvpn: Option<OpenVpn>,
    /// A second OpenVPN beside the first, which fetches a challenge.
    renewal: Option<OpenVpn>,
    resolver: Resolver,
    monitor: Monitor,
    protection: Protection,
    sleep_clock: SleepClock,
    /// The account whose secret agent answered.
    user: Option<String>,
    /// Who is told of a failure.
    requester: Requester,
    /// Who has asked for a new sign-in, as long as it is not known whether there can be one.
    renewing: Vec<sign_in::Reply<()>>,
    is_finished: bool,
}

impl<'a> Activation<'a> {
    /// Gets ready for an activation of `connection`, which the process `caller` asks for.
    pub(crate) async fn prepare(
        network_manager: &mut NetworkManager,
        connection: VpnConnection,
        interactive: bool,
        caller: OwnedUniqueName,
    ) -> Result<Prepared, PluginError> {
        network_manager.track(caller).await?;
        let requester = Requester::begin(&connection, network_manager.activation());
        let usable = async {
            let profile = connection.profile()?;
            tracing::info!(
                { ATTEMPT_FIELD } = connection.id.as_str(),
                { CONNECTION_FIELD } = %connection.uuid,
                "connecting {:?} to {}",
                connection.id,
                profile.display_endpoint()
            );
            let timeouts = timeouts(&connection)?;
            let protection = Protection::begin(network_manager, &connection).await?;
            Ok((profile, timeouts, protection))
        };
        let (profile, timeouts, protection) = match usable.await {
            Ok(usable) => usable,
            Err(error) => {
                // NetworkManager takes no reason before the activation has begun.
                if let InvalidConnection::Settings(error) = &error {
                    let failure = Failure::InvalidSettings(error.clone());
                    requester.tell(network_manager.bus(), &failure).await;
                }
                return Err(error.into());
            }
        };
        let names = Names {
            uuid: connection.uuid.clone(),
            id: connection.id.clone(),
        };
        let secrets = connection.into_secrets();
        let mut session = Session::new(profile, timeouts, interactive, secrets, Instant::now());
        session.set_web_access(protection.web_access());
        Ok(Prepared {
            names,
            session,
            requester,
            protection,
        })
    }

    /// Begins the activation that was prepared.
    pub(crate) async fn begin(network_manager: &'a mut NetworkManager, prepared: Prepared) -> Self {
        let mut activation = Self {
            names: prepared.names,
            session: prepared.session,
            openvpn: None,
            renewal: None,
            resolver: Resolver::default(),
            monitor: Monitor::new(network_manager.bus()),
            protection: prepared.protection,
            sleep_clock: SleepClock::start(),
            user: None,
            requester: prepared.requester,
            renewing: Vec::new(),
            is_finished: false,
            network_manager,
        };
        activation.perform_effects().await;
        activation
    }

    /// The connection's UUID.
    pub(crate) fn uuid(&self) -> &str {
        &self.names.uuid
    }

    /// Runs until the connection is down.
    pub(crate) async fn run(
        &mut self,
        sign_in_requests: &mut mpsc::Receiver<sign_in::Request>,
        terminate: &mut Signal,
    ) {
        let watchdog = Watchdog::new();
        while !self.is_finished {
            watchdog.alive();
            // Buffered lines are always ready: without this, no other task would run.
            tokio::task::coop::consume_budget().await;
            if !self.session.may_ask_a_person() && self.monitor.look_away() {
                self.check_conditions().await;
            }
            let may_ask = self.session.may_ask_a_person();
            let deadline = [self.session.deadline(), self.protection.due()];
            let deadline = deadline.into_iter().flatten().min();
            // Not biased: a source that is always ready does not starve the others.
            let input = tokio::select! {
                event = self.network_manager.next() => self.heard(event).await,
                Some(request) = sign_in_requests.recv() => self.sign_in_requested(request).await,
                _ = terminate.recv() => Some(Input::Disconnect),
                event = next_of(&mut self.openvpn) => Some(match event {
                    openvpn::Event::Said(notification) => Input::Management(notification),
                    openvpn::Event::Ended(how) => Input::OpenVpnEnded(how),
                }),
                event = next_of(&mut self.renewal) => Some(match event {
                    openvpn::Event::Said(notification) => Input::RenewalSaid(notification),
                    openvpn::Event::Ended(how) => {
                        self.end_renewal().await;
                        Input::RenewalEnded(how.to_string())
                    }
                }),
                Answer { host, result } = self.resolver.next() => {
                    Some(Input::Resolved { host, result })
                }
                change = self.monitor.changed(self.user.as_deref(), may_ask) => {
                    if change == Change::Conditions {
                        self.protection.network_changed();
                        if let Some(openvpn) = &mut self.openvpn {
                            openvpn.interfaces_changed();
                        }
                    }
                    self.conditions()
                }
                () = self.protection.disturbed() => None,
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

    async fn heard(&mut self, event: Event) -> Option<Input> {
        match event {
            Event::Asked(request) => self.requested(request).await,
            Event::VpnState(state) => {
                // From now on somebody may change them, and nobody is kept waiting.
                if matches!(state, VpnState::NeedAuth | VpnState::Activated) {
                    self.network_manager.remember_settings().await;
                }
                let uuid = &self.names.uuid;
                let state = self.network_manager.with_reason(state, uuid).await;
                Some(Input::VpnState(state))
            }
            Event::Gone => {
                let bus = self.network_manager.bus();
                self.protection.network_manager_gone(bus).await;
                Some(Input::NetworkManagerGone)
            }
        }
    }

    /// Tells the session how long the computer has slept: `Instant` stands still meanwhile.
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
        if self.session.is_stopping() {
            self.answer_renewal(Err(NotRenewed::NotUp));
        } else if !self.session.is_fetching_challenge() {
            self.answer_renewal(Ok(()));
        }
    }

    fn answer_renewal(&mut self, answer: Result<(), NotRenewed>) {
        for reply in self.renewing.drain(..) {
            // Whoever asked may be gone.
            drop(reply.send(answer.map_err(SignInError::NotRenewed)));
        }
    }

    /// Answers NetworkManager at once: what the request leads to takes its time.
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
                    self.requester.answered(self.user.as_deref());
                    Some(Input::NewSecrets(connection.into_secrets()))
                } else if self.session.may_get_late_secrets() {
                    drop(reply.send(Ok(())));
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
                    let end = self.network_manager.end_of(&self.names.uuid).await;
                    self.protection.end_asked_for(end);
                    Some(Input::Disconnect)
                }
            }
        }
    }

    /// Sign-in requests come from anybody on this computer, in any number.
    async fn sign_in_requested(&mut self, request: sign_in::Request) -> Option<Input> {
        match request {
            sign_in::Request::Expiry { reply } => {
                self.note_sleep().await;
                drop(reply.send(Ok(self.expiry())));
                None
            }
            sign_in::Request::IsUp { reply } => {
                drop(reply.send(Ok(self.session.is_shown_as_up())));
                None
            }
            sign_in::Request::WaitsFor { reply } => {
                let waiting = self.session.waits_for().map(|what| {
                    let user = self.user.as_deref().filter(|_| what.is_for_a_person());
                    (what, self.monitor.person(user))
                });
                drop(reply.send(Ok(waiting)));
                None
            }
            sign_in::Request::Renew { caller, reply } => {
                if let Some(why) = self.why_not_renewed(caller).await {
                    drop(reply.send(Err(SignInError::NotRenewed(why))));
                    return None;
                }
                self.renewing.push(reply);
                Some(Input::Renew)
            }
        }
    }

    /// Why the account numbered `caller` cannot have the sign-in renewed now.
    async fn why_not_renewed(&self, caller: u32) -> Option<NotRenewed> {
        let user = self.user.as_deref();
        if !self.session.is_up() {
            return Some(NotRenewed::NotUp);
        }
        if caller != 0 && !self.monitor.may_act_for(user, caller) {
            tracing::warn!("user {caller} may not renew the sign-in of this connection");
            return Some(NotRenewed::NotYours);
        }
        if !self.session.asks_a_person_to_renew() {
            return None;
        }
        if self.network_manager.has_changed_settings().await {
            return Some(NotRenewed::SettingsChanged);
        }
        (!self.monitor.finds_an_agent(user).await).then_some(NotRenewed::NobodyToAsk)
    }

    /// The sign-in and its end, by the clock on the wall.
    fn expiry(&self) -> Expiry {
        let ends = self.session.sign_in_ends().and_then(|ends| {
            let (now, wall) = (Instant::now(), SystemTime::now());
            let end = match ends.checked_duration_since(now) {
                Some(left) => wall + left,
                None => wall - now.duration_since(ends),
            };
            end.duration_since(UNIX_EPOCH).ok()
        });
        Expiry {
            uuid: self.names.uuid.clone(),
            name: self.names.id.clone(),
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
            Effect::NoteOfEndpoint(text) => tracing::info!({ ENDPOINT_FIELD } = true, "{text}"),
            Effect::Announce(state) => {
                tracing::debug!("state: {state:?}");
                self.network_manager.announce(state).await;
                // Once a tunnel is up, what goes on around it matters.
                if state == ServiceState::Started && !self.monitor.is_at_work() {
                    self.monitor.begin();
                    return self.conditions();
                }
            }
            Effect::SignInExpires { left } => {
                let minutes = left.as_secs().div_ceil(60);
                tracing::warn!(
                    { ENDPOINT_FIELD } = true,
                    "the endpoint ends the connection in {minutes} min"
                );
                let expiry = self.expiry();
                if let Err(error) = sign_in::tell(self.network_manager.bus(), &expiry).await {
                    tracing::warn!("nobody was told of it: {error}");
                }
            }
            Effect::Fail(failure) => {
                tracing::error!("{}", journal::error_chain(&failure));
                // Before NetworkManager tells anybody that it is to be read.
                self.requester
                    .tell(self.network_manager.bus(), &failure)
                    .await;
                self.network_manager.fail(failure.reason()).await;
            }
            Effect::RequestSecrets { message, hints } => {
                let was_up = self.monitor.is_at_work();
                if was_up && self.network_manager.has_changed_settings().await {
                    return Some(Input::SettingsChanged);
                }
                self.network_manager.require_secrets(&message, &hints).await;
            }
            Effect::Configure(ip_config) => {
                self.protection.settings_change();
                self.protection.keep_endpoint_reachable(&self.session);
                let device = device(&self.openvpn);
                if let Err(error) = self.protection.close(&self.session, device) {
                    return Some(Input::KillSwitchFailed(error.message()));
                }
                if !self.monitor.is_at_work() {
                    let index = device.map_or(0, TunDevice::index);
                    tell_of_overlaps(&ip_config, index, self.protection.enforces_routes());
                }
                let device = device.map_or("", TunDevice::name);
                self.network_manager.configure(&ip_config, device).await;
            }
            Effect::Resolve { host, random_label } => {
                let proxy = self.session.profile().proxy();
                if let Some(known) = self.protection.known_addresses(&host, proxy) {
                    return Some(Input::Resolved {
                        host,
                        result: Ok(known),
                    });
                }
                self.resolver.begin(host, random_label);
            }
            Effect::Launch => match OpenVpn::start(self.session.profile(), "openvpn") {
                Ok(openvpn) => self.openvpn = Some(openvpn),
                Err(why) => return Some(Input::NotStarted(why)),
            },
            Effect::Send(command) => {
                let sent = self.openvpn.as_mut().map(|openvpn| openvpn.send(&command));
                if let Some(Err(ControlCharacter)) = sent {
                    return Some(Input::Unsendable);
                }
            }
            Effect::StartRenewal => {
                match OpenVpn::start(self.session.profile(), "second openvpn") {
                    Ok(openvpn) => self.renewal = Some(openvpn),
                    Err(why) => return Some(Input::RenewalEnded(why.to_string())),
                }
            }
            Effect::SendToRenewal(command) => {
                let sent = self.renewal.as_mut().map(|openvpn| openvpn.send(&command));
                if let Some(Err(error)) = sent {
                    return Some(Input::RenewalEnded(error.to_string()));
                }
            }
            Effect::EndRenewal => self.end_renewal().await,
            Effect::RefuseRenewal => self.answer_renewal(Err(NotRenewed::Unverified)),
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
            Effect::Finish => self.is_finished = true,
        }
        None
    }

    /// What has changed around the connection, if it is anything that matters.
    fn conditions(&mut self) -> Option<Input> {
        self.protection.keep_endpoint_reachable(&self.session);
        let seen = self.monitor.look(&self.session, self.user.as_deref());
        seen.map(Input::Conditions)
    }

    async fn check_conditions(&mut self) {
        if let Some(input) = self.conditions() {
            self.take_in(input).await;
        }
    }

    async fn end_renewal(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.end(RENEWAL_END_LIMIT).await;
        }
    }

    async fn clean_up(&mut self) {
        self.end_renewal().await;
        let end = self.network_manager.end_of(&self.names.uuid).await;
        self.protection.let_go(end);
        // If the connection is deleted in this moment, the unit that looks for such ones has found this
        // process still running.
        protection::lift_deleted(self.network_manager).await;
        if let Some(openvpn) = self.openvpn.take() {
            openvpn.end(Duration::ZERO).await;
        }
        self.protection.endpoint_left();
    }
}

/// Says which networks can be reached another way as well.
fn tell_of_overlaps(config: &IpConfig, device: u32, is_enforced: bool) {
    let routes = KernelRoute::read(&rtnetlink::ask(&routes_request()).unwrap_or_default());
    for overlap in overlaps(config, device, &routes, rtnetlink::name_of, is_enforced) {
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

/// The profile's timeouts, cut to what NetworkManager leaves for one activation.
fn timeouts(connection: &VpnConnection) -> Result<Timeouts, InvalidConnection> {
    let settings = connection.timeouts()?;
    let activation = Duration::from_secs(connection.timeout_seconds.into()) + ACTIVATION_EXTRA;
    Ok(Timeouts {
        login: settings
            .login
            .min(activation.saturating_sub(ACTIVATION_RESERVE)),
        ..settings
    })
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}
