//! One activation of one connection, from Connect to Stopped, as a state machine without I/O.
//!
//! A login through a browser spans two OpenVPN connections to the same node, a person who may
//! take ten minutes, and NetworkManager's own clocks. Every decision of that story is taken here,
//! so that each can be tested with a transcript and a made-up clock. The shell around it calls
//! [`Session::handle`] for each thing that happened, carries out every [`Effect`] that
//! [`Session::poll_effect`] then returns, in order, until there is none, and calls
//! `handle(Input::TimePassed, now)` at [`Session::deadline`].

mod ask;
mod credentials;
mod failure;
mod sign_in;

pub use failure::{Failure, FailureReason};

use ask::Asking;
use credentials::Credentials;
use sign_in::SECRETS_REQUEST_LIFETIME;

use crate::challenge::Challenge;
use crate::ip_config::{self, IpConfig};
use crate::management::{Command, Notification, State as OpenVpnState, StateName};
use crate::mark;
use crate::profile::Profile;
use crate::secret::Secret;
use crate::settings::Credential;
use crate::tunnel_env::TunnelParameters;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long OpenVPN may take to end after it was asked to.
const STOP_GRACE: Duration = Duration::from_secs(4);
/// How long to wait for the kernel to take a killed process away.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// NetworkManager's `NMVpnServiceState` as far as a session shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum ServiceState {
    /// Waiting for a Connect.
    Init = 1,
    /// The tunnel is being made, or made anew.
    Starting = 3,
    /// The tunnel is up.
    Started = 4,
    /// The tunnel is being taken down.
    Stopping = 5,
    /// Nothing is left of the tunnel.
    Stopped = 6,
}

/// How long a session waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For the endpoint, in each phase.
    pub connect: Duration,
    /// For the person at the browser.
    pub login: Duration,
}

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// The resolver answered for `host`; an error is the resolver's own text.
    Resolved {
        /// The name that was asked for in [`Effect::Resolve`].
        host: String,
        /// Its addresses, in the resolver's order.
        result: Result<Vec<IpAddr>, String>,
    },
    /// OpenVPN could not be started.
    NotStarted(String),
    /// A command cannot be sent as it is; why, in words.
    NotSent(String),
    /// OpenVPN's management interface said something.
    Management(Notification),
    /// The OpenVPN process is gone; how it ended, in words.
    OpenVpnEnded(String),
    /// NetworkManager hands over what was asked for with [`Effect::RequestSecrets`].
    NewSecrets(BTreeMap<String, Secret>),
    /// NetworkManager wants the connection down.
    Disconnect,
    /// NetworkManager itself is gone.
    NetworkManagerGone,
    /// The time of [`Session::deadline`] has come.
    TimePassed,
}

/// Something the shell has to do.
#[derive(Debug)]
pub enum Effect {
    /// Tell NetworkManager the state of the service.
    Announce(ServiceState),
    /// Resolve `host`, with a random label in front if `random_label`; answer with
    /// [`Input::Resolved`].
    Resolve {
        /// The name as the profile has it.
        host: String,
        /// Whether only names with a random label in front of it exist.
        random_label: bool,
    },
    /// Make the tun device and start OpenVPN.
    Launch,
    /// Send a command to OpenVPN's management interface.
    Send(Command),
    /// Ask NetworkManager for secrets.
    RequestSecrets {
        /// For the user.
        message: String,
        /// For the auth dialog, see [`crate::secret_prompt`].
        hints: Vec<String>,
    },
    /// Hand addresses, routes and names to NetworkManager.
    Configure(Box<IpConfig>),
    /// Tell the log, for a support engineer: one step of the story.
    Note(String),
    /// The connection failed: log the words, tell NetworkManager the code. At most one a session.
    Fail(Failure),
    /// Ask the OpenVPN process to end.
    Terminate,
    /// End the OpenVPN process at once.
    Kill,
    /// Remove the tun device and everything else the session left on the machine.
    CleanUp,
    /// The session is over; nothing follows.
    Finish,
}

/// One activation of one connection.
#[derive(Debug)]
pub struct Session {
    profile: Profile,
    limits: Limits,
    interactive: bool,
    credentials: Credentials,
    /// What the person is told of the last refusal, when asked again.
    refusal: Option<String>,
    /// The passphrase or PIN that OpenVPN has been given and not used with success yet.
    key_credential_sent: Option<Credential>,
    /// What OpenVPN last said of a key that it cannot load.
    key_complaint: Option<String>,
    /// Whether the current attempt has met an endpoint with the right certificate.
    endpoint_recognised: bool,
    /// How many questions the endpoint has asked.
    challenges: u32,
    state: State,
    announced: ServiceState,
    process: Process,
    held: bool,
    set_up: bool,
    resolver: Resolver,
    last_answer: Option<Secret>,
    environment: Vec<(String, String)>,
    /// Whether the environment is that of a tunnel that comes up, not of one that went.
    going_up: bool,
    tunnel: Option<TunnelParameters>,
    generation: u32,
    effects: VecDeque<Effect>,
}

#[derive(Debug)]
enum State {
    /// OpenVPN is on its way to an answer of the endpoint.
    Connecting { phase: Phase, until: Instant },
    /// OpenVPN is held; a person is at the browser.
    AwaitingLogin {
        challenge: Challenge,
        url: url::Url,
        until: Instant,
        ask_again: Instant,
    },
    /// A person is asked for credentials.
    Asking(Asking),
    /// The tunnel is up.
    Connected,
    /// OpenVPN was asked to end.
    Stopping { until: Instant, killed: bool },
    /// Nothing is left.
    Stopped,
}

/// Which credentials a connection attempt carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first: for SAML, it asks for a challenge.
    First,
    /// The second: it carries the answer to the challenge, so it must reach the same node.
    Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    /// Launched, as far as is known.
    Running,
    /// Not there, or not any more.
    Gone,
}

/// What is known of the endpoint's addresses, for one login.
#[derive(Debug, Default)]
struct Resolver {
    known: BTreeMap<String, Vec<IpAddr>>,
    /// How many attempts have failed; picks the next address.
    attempts: usize,
    /// What OpenVPN waits for: the host and port of its `>REMOTE` question.
    waiting: Option<(String, u16)>,
    /// The address the current attempt uses.
    current: Option<IpAddr>,
}

impl Session {
    /// Starts an activation. `interactive` says whether NetworkManager can ask for secrets later;
    /// `secrets` are those it gave with the request.
    #[must_use]
    pub fn new(
        profile: Profile,
        limits: Limits,
        interactive: bool,
        secrets: BTreeMap<String, Secret>,
        now: Instant,
    ) -> Self {
        let mut session = Self {
            state: State::Connecting {
                phase: Phase::First,
                until: now + limits.connect,
            },
            profile,
            limits,
            interactive,
            credentials: Credentials::new(secrets),
            refusal: None,
            key_credential_sent: None,
            key_complaint: None,
            endpoint_recognised: false,
            challenges: 0,
            announced: ServiceState::Init,
            process: Process::Running,
            held: false,
            set_up: false,
            resolver: Resolver::default(),
            last_answer: None,
            environment: Vec::new(),
            going_up: false,
            tunnel: None,
            generation: 0,
            effects: VecDeque::new(),
        };
        session.announce(ServiceState::Starting);
        session.resolve_first_remote();
        session.effects.push_back(Effect::Launch);
        session
    }

    /// The profile that is being connected.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The next thing to do. Call it until it returns `None`, after each [`Self::handle`].
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call `handle(Input::TimePassed, _)`. Changes with each [`Self::handle`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Connecting { until, .. } | State::Stopping { until, .. } => Some(*until),
            State::AwaitingLogin {
                until, ask_again, ..
            } => Some(*until.min(ask_again)),
            State::Asking(asking) => Some(asking.until.min(asking.ask_again)),
            State::Connected | State::Stopped => None,
        }
    }

    /// Whether a NewSecrets call is expected now.
    #[must_use]
    pub fn expects_secrets(&self) -> bool {
        matches!(self.state, State::AwaitingLogin { .. } | State::Asking(_))
    }

    /// Whether a Disconnect call makes sense now.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping { .. } | State::Stopped)
    }

    /// Takes in what happened at `now`.
    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::OpenVpnEnded(how) => self.openvpn_ended(how, now),
            Input::NotStarted(why) => {
                self.process = Process::Gone;
                self.fail(Failure::NotStarted(why), now);
            }
            Input::NotSent(why) => self.fail(Failure::Unsendable(why), now),
            Input::TimePassed => self.time_passed(now),
            Input::Disconnect => self.stop("NetworkManager asked for it", now),
            Input::NetworkManagerGone => self.stop("NetworkManager is gone", now),
            // What arrives after the decision to stop changes nothing.
            Input::Resolved { .. } | Input::Management(_) | Input::NewSecrets(_)
                if self.is_stopping() => {}
            Input::Resolved { host, result } => self.resolved(host, result, now),
            Input::NewSecrets(secrets) => self.new_secrets(secrets, now),
            Input::Management(notification) => self.notified(notification, now),
        }
    }

    fn notified(&mut self, notification: Notification, now: Instant) {
        match notification {
            Notification::Hold => self.on_hold(now),
            Notification::Remote { host, port, .. } => {
                self.resolver.waiting = Some((host, port));
                self.answer_remote();
            }
            Notification::PasswordNeeded { realm, kind } => self.password_needed(realm, &kind, now),
            Notification::VerificationFailed { realm, reason } => {
                self.verification_failed(&realm, reason.as_ref(), now);
            }
            Notification::State(state) => self.openvpn_state(&state, now),
            Notification::Up => {
                self.environment.clear();
                self.going_up = true;
            }
            Notification::Environment { name, value } => self.environment.push((name, value)),
            Notification::EnvironmentEnd => self.environment_complete(),
            Notification::Down => {
                self.environment.clear();
                self.going_up = false;
                self.tunnel = None;
            }
            Notification::Fatal(text) => self.fail(Failure::OpenVpnFatal(text), now),
            Notification::Error(text) => self.note(format!("OpenVPN refused a command: {text}")),
            Notification::NeedOk { name, message } => self.deed_needed(name, message, now),
            Notification::Log { text, .. } => self.logged(text.expose()),
            Notification::Echo(_)
            | Notification::Info(_)
            | Notification::InfoMessage(_)
            | Notification::Notify(_)
            | Notification::AuthToken(_)
            | Notification::ByteCount { .. }
            | Notification::Success(_)
            | Notification::Other(_) => {}
        }
    }

    fn on_hold(&mut self, now: Instant) {
        self.held = true;
        self.endpoint_recognised = false;
        if !self.set_up {
            self.set_up = true;
            self.send(Command::StateOn);
            self.send(Command::LogOn);
            self.send(Command::EchoOn);
        }
        if matches!(self.state, State::Connected) {
            self.begin_reconnect(now);
        }
        if matches!(
            self.state,
            State::Connecting {
                phase: Phase::First,
                ..
            }
        ) && self.ask_beforehand(now)
        {
            return;
        }
        self.release_hold();
    }

    /// Lets OpenVPN go on, unless it has to wait for a person.
    fn release_hold(&mut self) {
        if self.held && matches!(self.state, State::Connecting { .. }) {
            self.held = false;
            self.send(Command::HoldRelease);
        }
    }

    fn resolve_first_remote(&mut self) {
        if let Some(remote) = self.profile.remotes().first() {
            let host = remote.host.clone();
            self.resolve(host);
        }
    }

    fn resolve(&mut self, host: String) {
        let random_label = self.profile.random_hostname() && host.parse::<IpAddr>().is_err();
        self.effects
            .push_back(Effect::Resolve { host, random_label });
    }

    fn resolved(&mut self, host: String, result: Result<Vec<IpAddr>, String>, now: Instant) {
        match result {
            Ok(addresses) if !addresses.is_empty() => {
                self.note(format!("{host} has the addresses {addresses:?}"));
                self.resolver.known.insert(host, addresses);
                self.answer_remote();
            }
            Ok(_) => {
                let reason = "it has no address".to_owned();
                self.fail(Failure::NameNotResolved { host, reason }, now);
            }
            Err(reason) => self.fail(Failure::NameNotResolved { host, reason }, now),
        }
    }

    /// Tells OpenVPN the address to use, once both the question and the addresses are there.
    fn answer_remote(&mut self) {
        let Some((host, port)) = self.resolver.waiting.take() else {
            return;
        };
        let answering = matches!(
            self.state,
            State::Connecting {
                phase: Phase::Answer,
                ..
            }
        );
        let address = match (self.resolver.current, self.resolver.known.get(&host)) {
            (Some(pinned), _) if answering => Some(pinned),
            (_, Some(known)) => known
                .get(self.resolver.attempts % known.len().max(1))
                .copied(),
            (_, None) => None,
        };
        match address {
            Some(address) => {
                self.resolver.current = Some(address);
                self.note(format!("connecting to {host} at {address} port {port}"));
                self.send(Command::RemoteModify {
                    host: address.to_string(),
                    port,
                });
            }
            None => {
                let asked = self
                    .profile
                    .remotes()
                    .first()
                    .is_some_and(|first| first.host == host);
                if !asked {
                    self.resolve(host.clone());
                }
                self.resolver.waiting = Some((host, port));
            }
        }
    }

    fn connect(&mut self, phase: Phase, now: Instant) {
        self.state = State::Connecting {
            phase,
            until: now + self.limits.connect,
        };
    }

    fn openvpn_state(&mut self, state: &OpenVpnState, now: Instant) {
        match &state.name {
            StateName::Connected => self.connected(now),
            StateName::Reconnecting => self.reconnecting(&state.detail, now),
            StateName::Connecting
            | StateName::Resolve
            | StateName::TcpConnect
            | StateName::Wait
            | StateName::Auth
            | StateName::AuthPending
            | StateName::GetConfig
            | StateName::AssignIp
            | StateName::AddRoutes
            | StateName::Exiting
            | StateName::Other(_) => {}
        }
    }

    fn reconnecting(&mut self, why: &str, now: Instant) {
        match self.state {
            // The way a challenge and a refusal end; decided by their own notification.
            _ if why.starts_with("auth-failure") => {}
            _ if why == "private-key-password-failure" => self.key_not_loaded(now),
            State::Connected => {
                self.note(format!("the connection was lost ({why}); connecting again"));
                self.begin_reconnect(now);
            }
            State::Connecting {
                phase: Phase::First,
                ..
            } => {
                if self.certificate_refused(now) {
                    return;
                }
                self.note(format!("no success at this address ({why}); trying again"));
                self.resolver.attempts += 1;
            }
            State::Connecting {
                phase: Phase::Answer,
                ..
            } => {
                self.fail(Failure::LostDuringSignIn(why.to_owned()), now);
            }
            State::AwaitingLogin { .. }
            | State::Asking(_)
            | State::Stopping { .. }
            | State::Stopped => {}
        }
    }

    /// A new login may go to any node, so the name is resolved anew.
    fn begin_reconnect(&mut self, now: Instant) {
        self.resolver = Resolver::default();
        self.resolve_first_remote();
        self.connect(Phase::First, now);
    }

    fn environment_complete(&mut self) {
        let environment = std::mem::take(&mut self.environment);
        if !self.going_up {
            return;
        }
        match TunnelParameters::from_environment(environment) {
            Ok(parameters) => {
                for warning in parameters.warnings() {
                    self.note(format!("ignored what the endpoint sent: {warning}"));
                }
                self.tunnel = Some(parameters);
            }
            Err(error) => {
                self.note(format!(
                    "the endpoint's network settings are unusable: {error}"
                ));
                self.tunnel = None;
            }
        }
    }

    fn connected(&mut self, now: Instant) {
        let Some(tunnel) = &self.tunnel else {
            self.fail(
                Failure::BadTunnel(crate::tunnel_env::TunnelError::NoAddress),
                now,
            );
            return;
        };
        match ip_config::ip_config(tunnel, self.resolver.current, self.generation) {
            Ok(config) => {
                self.generation = self.generation.wrapping_add(1);
                self.state = State::Connected;
                self.credentials.accepted();
                self.key_credential_sent = None;
                self.challenges = 0;
                self.note("the tunnel is up".to_owned());
                self.effects.push_back(Effect::Configure(Box::new(config)));
                self.announce(ServiceState::Started);
            }
            Err(error) => self.fail(Failure::BadTunnel(error), now),
        }
    }

    fn time_passed(&mut self, now: Instant) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.state {
            State::Connecting { phase, .. } => {
                let step = match phase {
                    Phase::First => mark!("while connecting"),
                    Phase::Answer => mark!("while the sign-in was being checked"),
                };
                let failure = self.silence(step);
                self.fail(failure, now);
            }
            State::AwaitingLogin {
                url,
                until,
                ask_again,
                ..
            } => {
                if now >= *until {
                    let minutes = self.limits.login.as_secs().div_ceil(60);
                    self.fail(Failure::LoginTimedOut { minutes }, now);
                } else {
                    *ask_again = now + SECRETS_REQUEST_LIFETIME;
                    let (url, until) = (url.clone(), *until);
                    self.note("still waiting for the browser login".to_owned());
                    self.request_login(&url, until, true, now);
                }
            }
            State::Asking(_) => self.nobody_answered(now),
            State::Stopping { killed: false, .. } => {
                self.note("OpenVPN did not end in time; killing it".to_owned());
                self.effects.push_back(Effect::Kill);
                self.state = State::Stopping {
                    until: now + KILL_GRACE,
                    killed: true,
                };
            }
            State::Stopping { killed: true, .. } => self.finish(),
            State::Connected | State::Stopped => {}
        }
    }

    fn openvpn_ended(&mut self, how: String, now: Instant) {
        self.process = Process::Gone;
        if matches!(self.state, State::Stopping { .. }) {
            self.finish();
        } else {
            self.fail(Failure::OpenVpnEnded(how), now);
        }
    }

    /// The one place a failure is announced: a session that is already ending has had its say.
    fn fail(&mut self, failure: Failure, now: Instant) {
        if self.is_stopping() {
            return;
        }
        self.effects.push_back(Effect::Fail(failure));
        self.begin_stop(now);
    }

    fn stop(&mut self, why: &str, now: Instant) {
        if self.is_stopping() {
            return;
        }
        self.note(format!("disconnecting: {why}"));
        self.begin_stop(now);
    }

    fn begin_stop(&mut self, now: Instant) {
        self.announce(ServiceState::Stopping);
        self.last_answer = None;
        self.credentials.clear();
        self.state = State::Stopping {
            until: now + STOP_GRACE,
            killed: false,
        };
        match self.process {
            Process::Running => self.effects.push_back(Effect::Terminate),
            Process::Gone => self.finish(),
        }
    }

    fn finish(&mut self) {
        self.state = State::Stopped;
        self.effects.push_back(Effect::CleanUp);
        self.announce(ServiceState::Stopped);
        self.effects.push_back(Effect::Finish);
    }

    fn announce(&mut self, state: ServiceState) {
        if self.announced != state {
            self.announced = state;
            self.effects.push_back(Effect::Announce(state));
        }
    }

    fn send(&mut self, command: Command) {
        self.effects.push_back(Effect::Send(command));
    }

    fn note(&mut self, text: String) {
        self.effects.push_back(Effect::Note(text));
    }
}

/// A line of OpenVPN's log as it may stand in the journal: what carries a session id, a login or a
/// token is cut off.
#[must_use]
pub fn for_journal(line: &str) -> Cow<'_, str> {
    const SECRET_FROM: [&str; 4] = ["CRV1:", "SAMLResponse", "auth-token ", "SESS_ID"];
    match SECRET_FROM
        .iter()
        .filter_map(|start| line.find(start))
        .min()
    {
        Some(cut) => Cow::Owned(format!("{}[not shown]", &line[..cut])),
        None => Cow::Borrowed(line),
    }
}
