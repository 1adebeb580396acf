//! One activation of one connection, from Connect to Stopped, as a state machine without I/O.
//!
//! A login through a browser spans two OpenVPN connections to the same node, a person who may
//! take ten minutes, and NetworkManager's own clocks. Every decision of that story is taken here,
//! so that each can be tested with a transcript and a made-up clock. The shell around it calls
//! [`Session::handle`] for each thing that happened, carries out every [`Effect`] that
//! [`Session::poll_effect`] then returns, in order, until there is none, and calls
//! `handle(Input::TimePassed, now)` at [`Session::deadline`].

mod appearance;
mod ask;
mod credentials;
mod expiry;
mod failure;
mod login;
mod put_off;
mod reconnect;
mod remote;
mod renewal;
mod sign_in;

pub use failure::{Failure, FailureReason};
pub use reconnect::{LoginSession, Person, Surroundings, may_act_for, person_at};

use ask::Asking;
use credentials::Credentials;
use expiry::Term;
use login::{ComingLogin, Login, LoginPace};
use reconnect::Reconnect;
use remote::Remote;
use renewal::Renewal;
use sign_in::SECRETS_REQUEST_LIFETIME;

use crate::banner::Banner;
use crate::kill_switch::FirewallPolicy;
use crate::management::{Command, Notification, State as OpenVpnState, StateName};
use crate::network_manager::Shown;
use crate::network_manager::ip_config::{self, IpConfig};
use crate::tunnel_env::{TunnelError, TunnelParameters};
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::Limits;
use aws_client_vpn_sign_in::again::Again;
use aws_client_vpn_text::mark;
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long OpenVPN may take to end after it was asked to.
const STOP_GRACE: Duration = Duration::from_secs(4);
/// How long to wait for the kernel to take a killed process away.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// How long NetworkManager may take to take in settings before a lost connection ends.
const TAKEN_IN: Duration = Duration::from_secs(5);

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
    /// The second OpenVPN's management interface said something.
    Second(Notification),
    /// The second OpenVPN is gone, or could not be started; why, in words.
    SecondEnded(String),
    /// NetworkManager hands over what was asked for with [`Effect::RequestSecrets`].
    NewSecrets(BTreeMap<String, Secret>),
    /// The kill switch that the connection is to have cannot be closed; why, in words.
    Unprotected(String),
    /// The world around the connection has changed.
    Surroundings(Surroundings),
    /// What NetworkManager says of the connection has changed.
    Shown(Shown),
    /// A person wants to sign in anew now.
    Renew,
    /// The computer has slept for so long, which the `now` of the inputs does not count.
    Slept(Duration),
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
    /// Start a second OpenVPN beside the one that carries the traffic, to fetch a challenge.
    LaunchSecond,
    /// Send a command to the second OpenVPN.
    SendSecond(Command),
    /// End the second OpenVPN, and take away all that belongs to it.
    EndSecond,
    /// Ask NetworkManager for secrets.
    RequestSecrets {
        /// For the user.
        message: String,
        /// For the auth dialog, see [`aws_client_vpn_sign_in::request`].
        hints: Vec<String>,
    },
    /// Hand addresses, routes and names to NetworkManager.
    Configure(Box<IpConfig>),
    /// Tell the log, for a support engineer: one step of the story.
    Note(String),
    /// Tell the person that the endpoint will end the connection, and when.
    SignInEnds {
        /// How long it will go on.
        left: Duration,
    },
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

/// Which sign-ins a browser is let out for, where a kill switch is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Browsers {
    /// Whether a person has asked for this activation.
    pub activation_is_asked_for: bool,
    /// Whether the user lets a browser out for each sign-in, also for one that nobody asked for.
    pub for_any_sign_in: bool,
    /// From when on no page is opened that the connection's own kill switch would stop.
    pub stopped: BrowsersStopped,
}

/// From when on a connection's own kill switch stops browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowsersStopped {
    /// Never.
    Never,
    /// From when the tunnel was up.
    OnceUp,
    /// From the beginning: it was closed before.
    FromTheStart,
}

impl Default for Browsers {
    fn default() -> Self {
        Self {
            activation_is_asked_for: true,
            for_any_sign_in: false,
            stopped: BrowsersStopped::Never,
        }
    }
}

/// One activation of one connection.
#[derive(Debug)]
pub struct Session {
    profile: Profile,
    limits: Limits,
    interactive: bool,
    credentials: Credentials,
    /// What the person is told of the last refusal, when asked again.
    refusal: Option<Again>,
    /// The passphrase or PIN that OpenVPN has been given and not used with success yet.
    key_credential_sent: Option<Credential>,
    /// What OpenVPN last said of a key that it cannot load.
    key_complaint: Option<String>,
    /// Whether the current attempt has met an endpoint with the right certificate.
    endpoint_recognised: bool,
    /// Whether it broke off an attempt once it had been met and had seen the client's certificate.
    endpoint_broke_off: bool,
    /// How many questions the endpoint has asked.
    challenges: u32,
    state: State,
    announced: ServiceState,
    process: Process,
    held: bool,
    set_up: bool,
    remote: Remote,
    last_answer: Option<Secret>,
    environment: Vec<(String, String)>,
    /// Whether the environment is that of a tunnel that comes up, not of one that went.
    going_up: bool,
    tunnel: Option<TunnelParameters>,
    /// The MTU that was pushed, which the environment does not have.
    pushed_mtu: Option<u32>,
    generation: u32,
    configured: Option<Configured>,
    banner: Banner,
    surroundings: Surroundings,
    reconnect: Option<Reconnect>,
    /// Attempts in a row that led nowhere.
    failures: u32,
    /// When OpenVPN may go on after such an attempt.
    release_at: Option<Instant>,
    /// What the endpoint said when it last wanted the sign-in later.
    put_off: Option<String>,
    login_pace: LoginPace,
    /// Whether names and default route were taken back for a login.
    has_made_way: bool,
    up_since: Option<Instant>,
    /// Whether the endpoint has given OpenVPN a token to come back with.
    has_token: bool,
    /// The phase for which OpenVPN was given what it sends next; if for none, it sends the token.
    given: Option<Phase>,
    term: Term,
    /// A new sign-in that is under way beside the tunnel.
    renewal: Option<Renewal>,
    /// Which sign-ins a browser is let out for.
    browsers: Browsers,
    /// Why OpenVPN says that it ends.
    exiting: Option<String>,
    effects: VecDeque<Effect>,
}

#[derive(Debug)]
enum State {
    /// OpenVPN is on its way to an answer of the endpoint.
    Connecting { phase: Phase, until: Instant },
    /// OpenVPN is held; NetworkManager lets a browser past the tunnel that is down.
    MakingWay(Box<ComingLogin>),
    /// OpenVPN is held; a person is at the browser.
    AwaitingLogin(Box<Login>),
    /// A person is asked for credentials.
    Asking(Asking),
    /// The tunnel is up.
    Connected,
    /// NetworkManager is taking the connection down, and nothing but its Disconnect matters.
    TakenDown,
    /// NetworkManager takes in settings without names before it hears why the connection ends.
    Failing { failure: Failure, until: Instant },
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
    /// The same answer once more, after a loss: where an endpoint takes it, nobody has to sign in.
    Reuse,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    /// Launched, as far as is known.
    Running,
    /// Not there, or not any more.
    Gone,
}

/// What NetworkManager was told of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Configured {
    tunnel: TunnelParameters,
    server: Option<IpAddr>,
    banner: Option<String>,
}

impl Configured {
    fn ip_config(&self, generation: u32) -> Result<IpConfig, TunnelError> {
        self.ip_config_of(&self.tunnel, generation)
    }

    /// As long as a browser has to get past the tunnel.
    fn ip_config_for_a_login(&self, generation: u32) -> Result<IpConfig, TunnelError> {
        self.ip_config_of(&self.tunnel.without_names_and_default(), generation)
    }

    fn ip_config_of(
        &self,
        tunnel: &TunnelParameters,
        generation: u32,
    ) -> Result<IpConfig, TunnelError> {
        let mut config = ip_config::ip_config(tunnel, self.server, generation)?;
        config.general.banner.clone_from(&self.banner);
        Ok(config)
    }
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
            endpoint_broke_off: false,
            challenges: 0,
            announced: ServiceState::Init,
            process: Process::Running,
            held: false,
            set_up: false,
            remote: Remote::default(),
            last_answer: None,
            environment: Vec::new(),
            going_up: false,
            tunnel: None,
            pushed_mtu: None,
            generation: 0,
            configured: None,
            banner: Banner::default(),
            surroundings: Surroundings::default(),
            reconnect: None,
            failures: 0,
            release_at: None,
            put_off: None,
            login_pace: LoginPace::default(),
            has_made_way: false,
            up_since: None,
            has_token: false,
            given: None,
            term: Term::default(),
            renewal: None,
            browsers: Browsers::default(),
            exiting: None,
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
        let due = [
            self.state_deadline(),
            self.reconnect_deadline(),
            self.term_deadline(),
            self.renewal_deadline(),
        ];
        due.into_iter().flatten().min()
    }

    fn state_deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Connecting { .. } if self.is_waiting() => None,
            State::Connecting { until, .. }
            | State::Failing { until, .. }
            | State::Stopping { until, .. } => Some(*until),
            State::MakingWay(coming) => Some(coming.at),
            State::AwaitingLogin(login) => Some(login.deadline()),
            State::Asking(asking) => Some(asking.until.min(asking.ask_again)),
            State::Connected | State::TakenDown | State::Stopped => None,
        }
    }

    /// The endpoint's address that is used now, or was last.
    #[must_use]
    pub fn endpoint_address(&self) -> Option<IpAddr> {
        self.remote.current
    }

    /// Whether `address` is this computer's inside the tunnel.
    #[must_use]
    pub fn is_inside(&self, address: IpAddr) -> bool {
        let Some(Configured { tunnel, .. }) = &self.configured else {
            return false;
        };
        match address {
            IpAddr::V4(address) => tunnel.ipv4.is_some_and(|own| own.address == address),
            IpAddr::V6(address) => tunnel.ipv6.is_some_and(|own| own.address == address),
        }
    }

    /// Whether packets flow.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Connected)
    }

    /// What may leave the computer now for this connection's sake, as far as the session knows:
    /// packets to each known address of its endpoint, what it is looked up with, and a browser.
    #[must_use]
    pub fn firewall(&self) -> FirewallPolicy {
        FirewallPolicy {
            endpoints: self.remote.endpoints(self.profile.remotes()),
            // The endpoint of a connection that was up is known, and is not looked for outside.
            names: self.remote.is_resolving() && self.reconnect.is_none(),
            web: self.lets_a_browser_out(),
            ..FirewallPolicy::default()
        }
    }

    /// Says which sign-ins a browser is let out for, where a kill switch is closed.
    pub fn let_browsers_out(&mut self, browsers: Browsers) {
        self.browsers = browsers;
    }

    fn lets_a_browser_out(&self) -> bool {
        let login = match (&self.state, &self.renewal) {
            (State::AwaitingLogin(login), _) | (_, Some(Renewal::AwaitingLogin(login))) => login,
            (_, Some(Renewal::Fetching { .. }) | None) => return false,
        };
        login.is_wanted || self.browsers.for_any_sign_in
    }

    /// Whether a NewSecrets call is expected now.
    #[must_use]
    pub fn expects_secrets(&self) -> bool {
        matches!(self.state, State::AwaitingLogin(_) | State::Asking(_))
            || self.awaits_login_beside_the_tunnel()
    }

    /// Whether a Disconnect call makes sense now.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping { .. } | State::Stopped)
    }

    /// Takes in what happened at `now`.
    pub fn handle(&mut self, input: Input, now: Instant) {
        if matches!(self.state, State::TakenDown) {
            self.while_taken_down(input, now);
            return;
        }
        if matches!(self.state, State::Failing { .. }) {
            self.while_failing(input, now);
            return;
        }
        match input {
            Input::OpenVpnEnded(how) => self.openvpn_ended(how, now),
            Input::NotStarted(why) => {
                self.process = Process::Gone;
                self.fail(Failure::NotStarted(why), now);
            }
            Input::NotSent(why) => self.fail(Failure::Unsendable(why), now),
            Input::Unprotected(why) => self.fail(Failure::Unprotected(why), now),
            Input::TimePassed => self.time_passed(now),
            Input::Slept(length) => self.slept(length),
            Input::Disconnect => self.stop("NetworkManager asked for it", now),
            Input::NetworkManagerGone => self.stop("NetworkManager is gone", now),
            // What arrives after the decision to stop changes nothing.
            Input::Resolved { .. }
            | Input::Management(_)
            | Input::Second(_)
            | Input::SecondEnded(_)
            | Input::NewSecrets(_)
            | Input::Surroundings(_)
            | Input::Shown(_)
            | Input::Renew
                if self.is_stopping() => {}
            Input::Surroundings(surroundings) => self.surroundings_changed(surroundings, now),
            Input::Shown(shown) => self.shown(shown, now),
            Input::Renew => self.renew(now),
            Input::Resolved { host, result } => self.resolved(host, result, now),
            Input::NewSecrets(secrets) => self.new_secrets(secrets, now),
            Input::Management(notification) => self.notified(notification, now),
            Input::Second(notification) => self.second_notified(notification, now),
            Input::SecondEnded(how) => self.second_failed(&how, now),
        }
    }

    fn notified(&mut self, notification: Notification, now: Instant) {
        match notification {
            Notification::Hold => self.on_hold(now),
            Notification::Remote {
                host,
                port,
                transport,
            } => {
                self.remote.asked(host, port, transport);
                self.answer_remote(now);
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
            Notification::Log { text, .. } => self.logged(text.expose(), now),
            Notification::Echo(text) => {
                if let Err(unknown) = self.banner.push(&text) {
                    self.note(format!(
                        "the endpoint sent what is not understood: {unknown}"
                    ));
                }
            }
            Notification::AuthToken(_) => self.has_token = true,
            Notification::Info(_)
            | Notification::InfoMessage(_)
            | Notification::Notify(_)
            | Notification::ByteCount { .. }
            | Notification::Success(_)
            | Notification::Other(_) => {}
        }
    }

    fn on_hold(&mut self, now: Instant) {
        self.held = true;
        if let State::Asking(asking) = &mut self.state {
            asking.starts_anew();
        }
        self.endpoint_recognised = false;
        self.pushed_mtu = None;
        self.banner = Banner::default();
        if !self.set_up {
            self.set_up = true;
            self.send(Command::StateOn);
            self.send(Command::LogOn);
            self.send(Command::EchoOn);
        }
        if matches!(self.state, State::Connected) {
            self.lost("OpenVPN starts anew", now);
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
        self.release_hold(now);
    }

    fn connect(&mut self, phase: Phase, now: Instant) {
        let limit = match (phase, &self.reconnect) {
            (Phase::Answer, _) | (_, None) => self.limits.connect,
            (Phase::First | Phase::Reuse, Some(_)) => self.limits.reconnect,
        };
        self.state = State::Connecting {
            phase,
            until: now + limit,
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
            | StateName::Other(_) => {}
            StateName::Exiting => self.exiting = Some(state.detail.clone()),
        }
    }

    fn reconnecting(&mut self, why: &str, now: Instant) {
        let is_put_off = self.put_off.is_some() && why.starts_with(put_off::RESTART);
        if !is_put_off {
            self.put_off = None;
        }
        match self.state {
            // The same once more, when it is time.
            State::Connecting { .. } if is_put_off => {}
            // The way a challenge and a refusal end; decided by their own notification.
            _ if why.starts_with("auth-failure") => {}
            _ if why == "private-key-password-failure" => self.key_not_loaded(now),
            // It was told to.
            State::Connecting { .. } if why == "SIGUSR1" => {}
            State::Connected => self.lost(why, now),
            State::Connecting {
                phase: Phase::First | Phase::Reuse,
                ..
            } => {
                let breaks_off = matches!(why, "connection-reset" | "tls-error");
                self.endpoint_broke_off |= self.endpoint_recognised && breaks_off;
                if !self.certificate_refused(now) {
                    self.attempt_failed(why, now);
                }
            }
            State::Connecting {
                phase: Phase::Answer,
                ..
            } => {
                self.fail(Failure::LostDuringSignIn(why.to_owned()), now);
            }
            State::MakingWay(_)
            | State::AwaitingLogin(_)
            | State::Asking(_)
            | State::Failing { .. }
            | State::Stopping { .. }
            | State::TakenDown
            | State::Stopped => {}
        }
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
        let Some(mut tunnel) = self.tunnel.clone() else {
            self.fail(Failure::BadTunnel(TunnelError::NoAddress), now);
            return;
        };
        tunnel.mtu = self.pushed_mtu.or(tunnel.mtu);
        let server = self.remote.current;
        let configured = Configured {
            tunnel,
            server,
            banner: self.banner.text().map(str::to_owned),
        };
        match configured.ip_config(self.generation) {
            Ok(config) => {
                if self.is_new_sign_in() {
                    self.signed_in(now);
                }
                self.given = None;
                self.put_off = None;
                self.endpoint_broke_off = false;
                self.remote.reached();
                let unnoticed = self.came_back(now);
                self.state = State::Connected;
                self.credentials.accepted();
                self.key_credential_sent = None;
                self.challenges = 0;
                let configured = Some(configured);
                if unnoticed && self.configured == configured {
                    return;
                }
                self.configured = configured;
                self.hand_over(config);
            }
            Err(error) => self.fail(Failure::BadTunnel(error), now),
        }
    }

    /// Whether the tunnel that is coming up costs the person, or the endpoint, a new sign-in.
    fn is_new_sign_in(&self) -> bool {
        match &self.state {
            State::Connecting { phase, .. } => match phase {
                Phase::Answer => true,
                Phase::Reuse => false,
                Phase::First => self.given.is_some() || self.reconnect.is_none(),
            },
            State::MakingWay(_)
            | State::AwaitingLogin(_)
            | State::Asking(_)
            | State::Connected
            | State::Failing { .. }
            | State::Stopping { .. }
            | State::TakenDown
            | State::Stopped => false,
        }
    }

    fn time_passed(&mut self, now: Instant) {
        self.term_nears_its_end(now);
        if self.renewal_deadline().is_some_and(|at| now >= at) {
            self.renewal_due(now);
        }
        if self.reconnect_deadline().is_some_and(|at| now >= at) {
            self.reconnect_due(now);
        }
        if self.state_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match &mut self.state {
            State::Connecting { phase, .. } => {
                let step = match phase {
                    Phase::First | Phase::Reuse => mark!("while connecting"),
                    Phase::Answer => mark!("while the sign-in was being checked"),
                };
                let seconds = match (*phase, &self.reconnect) {
                    (Phase::Answer, _) | (_, None) => self.limits.connect.as_secs(),
                    (Phase::First | Phase::Reuse, Some(_)) => self.limits.reconnect.as_secs(),
                };
                let failure = match self.put_off.take() {
                    Some(text) => Failure::NotNow(text),
                    None => self.silence(step, seconds),
                };
                self.fail(failure, now);
            }
            State::AwaitingLogin(login) => {
                if now >= login.until {
                    let minutes = self.limits.login.as_secs().div_ceil(60);
                    self.fail(Failure::LoginTimedOut { minutes }, now);
                } else {
                    login.is_asked = true;
                    self.note("still waiting for the browser login".to_owned());
                    self.ask_anew(now);
                }
            }
            State::MakingWay(_) => self.way_is_made(now),
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
            State::Connected | State::TakenDown | State::Failing { .. } | State::Stopped => {}
        }
    }

    fn openvpn_ended(&mut self, how: String, now: Instant) {
        self.process = Process::Gone;
        if matches!(self.state, State::Stopping { .. }) {
            self.finish();
        } else {
            let failure = match self.exiting.as_deref() {
                Some("inactive") => Failure::Inactive,
                Some("server-pushed-halt") => Failure::EndedByEndpoint,
                Some(_) | None => Failure::OpenVpnEnded(how),
            };
            self.fail(failure, now);
        }
    }

    /// The one place a failure is announced: a session that is already ending has had its say.
    fn fail(&mut self, failure: Failure, now: Instant) {
        if self.is_stopping() {
            return;
        }
        if self.leave_no_names_behind() && self.process == Process::Running {
            self.end_renewal();
            self.state = State::Failing {
                failure,
                until: now + TAKEN_IN,
            };
        } else {
            self.failed(failure, now);
        }
    }

    fn failed(&mut self, failure: Failure, now: Instant) {
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
        self.end_renewal();
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
