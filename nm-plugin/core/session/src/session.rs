//! One activation of one connection, from Connect to Stopped, as a state machine without I/O.
//!
//! A login through a browser spans two OpenVPN connections to the same node (one address of the
//! endpoint), a person who may take ten minutes, and NetworkManager's own clocks. Every decision of
//! that sequence is made here, so that each can be tested with a transcript and a simulated clock. The
//! service calls [`Session::handle`] for each thing that happened, carries out every [`Effect`] that
//! [`Session::poll_effect`] then returns, in order, until there is none, and calls
//! `handle(Input::TimePassed, now)` at [`Session::deadline`].
//!
//! ```text
//!                 ┌──── Interruption: lost, renewed, or OpenVPN asks in it ────┐
//!                 ▼                                                            │
//!   new ──▶ Connecting(Attempt) ──────────────── TunnelUp ───────────────▶ Up(Up)
//!             step:                                                        renewal:
//!             Trying ──▶ Trying         the next address or credentials      None ──▶ Fetching
//!             Trying ◀─▶ Asking         a person types                       Fetching ──▶ AwaitingLogin
//!             Trying ──▶ AwaitingLogin, Asking ──▶ Trying(Reply)             AwaitingLogin ──▶ None
//!             after a loss: Trying ──▶ WithdrawingRoute ──▶ AwaitingLogin    all  ──▶ Interruption
//!             WithdrawingRoute ──▶ Trying   nobody or no network any more
//!             AwaitingLogin ──▶ Trying      after a loss: nobody is there any more
//!             Asking ──▶ Up             it was asked for inside a tunnel
//!
//!   Connecting, Up ── a failure ───────────────────────────────────▶ Stopping
//!   Connecting, Up ── a failure, while announced as lost ──▶ Failing ──▶ Stopping
//!   Connecting, Up, Failing ── NetworkManager deactivates ──▶ Deactivating ──▶ Stopping
//!   all four ── Disconnect, or NetworkManager is gone ─────────────▶ Stopping ──▶ Stopped
//! ```
//!
//! Where OpenVPN is not running, `Stopped` follows in place of `Stopping`. The page of a renewal is
//! given up with the tunnel. A prompt that OpenVPN raises inside a tunnel is an attempt, too, in the step
//! `Asking`: the tunnel stays up, and `Up` follows again.
//!
//! A state owns the data that only it needs. Its handler returns what an input has led to, and the
//! table in [`Session::step`] decides which state follows; the ways to the end are in
//! [`Session::fail`] and [`Session::begin_stop`]. An attempt knows nothing of `Up`; `Up::interrupted`
//! makes the attempt that takes its place. What outlives the states is in [`Context`]. An attempt
//! makes one try after the other; a try is one connection of OpenVPN to one node, and its
//! [`Phase`](phase::Phase) says which credentials it carries. An attempt is the same before the first
//! tunnel and after one; what is known of the time since is its [`Loss`](loss::Loss), and with it
//! `Trying` may wait: for a network, for a person, for the computer to wake up. A failure is the
//! error of a handler, so there is at most one. `Failing` is only for a connection that was announced
//! as lost: NetworkManager first gets settings without name servers and default route, so that it
//! removes them, and then the failure. Where it asks a person, it is made to stop that before: it
//! ignores settings meanwhile.

mod ask;
mod attempt;
mod backoff;
mod conditions;
mod context;
mod credentials;
mod diagnostics;
mod events;
mod expiry;
mod failure;
mod login;
mod loss;
mod network_manager;
mod phase;
mod proxy;
mod put_off;
mod reconnect;
mod remote;
mod resolve;
mod sign_in;
mod unverified;
mod up;

pub use conditions::{Conditions, LoginSession, Presence, Ways, may_act_for, person, presence_of};
pub use events::{Effect, Input, ServiceState, WebAccess, WebBlocked};
pub use failure::{Failure, FailureReason};
pub use unverified::Unverified;

use attempt::{Attempt, Step};
use backoff::LoginBackoff;
use context::{Context, OpenVpn, ProxyState};
use credentials::Credentials;
use expiry::Expiry;
use login::BrowserLogin;
use network_manager::{Installed, NetworkManager};
use remote::Remote;
use up::Up;

use crate::kill_switch::FirewallPolicy;
use crate::network_manager::VpnState;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_profile::waiting::WaitsFor;
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// How long OpenVPN may take to end after it was asked to.
const STOP_GRACE: Duration = Duration::from_secs(4);
/// How long to wait for the kernel to take a killed process away.
const KILL_GRACE: Duration = Duration::from_secs(2);
/// How long NetworkManager may take to apply settings before a lost connection ends.
const SETTINGS_GRACE: Duration = Duration::from_secs(5);

/// An activation of a connection.
#[derive(Debug)]
pub struct Session {
    state: State,
    cx: Context,
}

#[derive(Debug)]
enum State {
    /// No tunnel is up, yet or any more. Or one is, and a person is asked for what OpenVPN needs in it.
    Connecting(Box<Attempt>),
    /// The tunnel is up.
    Up(Up),
    /// NetworkManager is taking the connection down, and nothing but its Disconnect matters.
    Deactivating,
    /// NetworkManager applies settings without name servers and default route before it is told of the
    /// failure; it ignores them while it asks a person, so it may have to stop that first.
    Failing {
        failure: Failure,
        until: Instant,
        has_settings: bool,
    },
    /// OpenVPN was asked to end; at `until` it is killed, and at the next `until` no longer waited for.
    Stopping { until: Instant, killed: bool },
    /// Nothing is left.
    Stopped,
}

impl Session {
    /// Starts an activation. `interactive` says whether NetworkManager can ask for secrets later;
    /// `secrets` are those it gave with the request.
    #[must_use]
    pub fn new(
        profile: Profile,
        timeouts: Timeouts,
        interactive: bool,
        secrets: BTreeMap<String, Secret>,
        now: Instant,
    ) -> Self {
        let mut cx = Context {
            profile,
            timeouts,
            interactive,
            web_access: WebAccess::default(),
            credentials: Credentials::new(secrets),
            openvpn: OpenVpn::default(),
            remote: Remote::default(),
            proxy: ProxyState::default(),
            network_manager: NetworkManager::default(),
            conditions: Conditions::default(),
            last_ways: Ways::default(),
            expiry: Expiry::default(),
            login_backoff: LoginBackoff::default(),
            now,
            effects: VecDeque::new(),
        };
        cx.announce(ServiceState::Starting);
        if !cx.resolve_proxy() {
            cx.launch();
        }
        Self {
            state: State::Connecting(Box::new(Attempt::first(&cx))),
            cx,
        }
    }

    /// The profile that is being connected.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.cx.profile
    }

    /// The next thing to do. Call it until it returns `None`, after each [`Self::handle`].
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.cx.effects.pop_front()
    }

    /// When to call `handle(Input::TimePassed, _)`. Changes with each [`Self::handle`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Connecting(attempt) => attempt.deadline(&self.cx),
            State::Up(up) => up.deadline(&self.cx),
            State::Failing { until, .. } | State::Stopping { until, .. } => Some(*until),
            State::Deactivating | State::Stopped => None,
        }
    }

    /// The endpoint's address that is used now, or was last, and then its others.
    #[must_use]
    pub fn endpoint_addresses(&self) -> Vec<IpAddr> {
        self.cx.outer_addresses()
    }

    /// Whether `address` is this computer's inside the tunnel.
    #[must_use]
    pub fn is_inside(&self, address: IpAddr) -> bool {
        let Some(Installed { tunnel, .. }) = &self.cx.network_manager.installed else {
            return false;
        };
        match address {
            IpAddr::V4(address) => tunnel.ipv4.is_some_and(|own| own.address == address),
            IpAddr::V6(address) => tunnel.ipv6.is_some_and(|own| own.address == address),
        }
    }

    /// Whether the tunnel is up and OpenVPN waits for nobody.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Whether it is not known yet whether a new sign-in, which was asked for, can be had beside the tunnel.
    #[must_use]
    pub fn is_fetching_challenge(&self) -> bool {
        matches!(&self.state, State::Up(up) if up.is_fetching())
    }

    /// Whether the connection is to be shown as up: its tunnel is, or was a moment ago, and nobody is told of
    /// that. NetworkManager's word alone is not enough: it takes any change of the interface, and settings
    /// that lead a browser past a tunnel that is down, for a tunnel that is up.
    #[must_use]
    pub fn is_shown_as_up(&self) -> bool {
        let is_or_was_just_now = match &self.state {
            State::Up(_) => true,
            State::Connecting(attempt) => attempt.loss.as_ref().is_some_and(|loss| !loss.is_shown),
            State::Deactivating
            | State::Failing { .. }
            | State::Stopping { .. }
            | State::Stopped => false,
        };
        is_or_was_just_now && self.cx.network_manager.announced_up()
    }

    /// What the lost connection waits for, once somebody is told that it is lost.
    #[must_use]
    pub fn waits_for(&self) -> Option<WaitsFor> {
        match &self.state {
            State::Connecting(attempt) if !self.is_shown_as_up() => {
                attempt.loss.as_ref()?.wait.map(WaitsFor::from)
            }
            State::Connecting(_)
            | State::Up(_)
            | State::Deactivating
            | State::Failing { .. }
            | State::Stopping { .. }
            | State::Stopped => None,
        }
    }

    /// What may leave the computer now for this connection's sake, as far as the session knows:
    /// packets to each known address of its endpoint; of every program, name lookups while the endpoint's
    /// address is looked up, and these and the web while a person signs in.
    #[must_use]
    pub fn firewall(&self) -> FirewallPolicy {
        let was_up = self.cx.network_manager.installed.is_some();
        let lets_out =
            |login: &BrowserLogin| login.requested_by_user || self.cx.web_access.for_any_sign_in;
        FirewallPolicy {
            endpoints: match self.cx.profile.proxy() {
                Some(_) => self.cx.proxy_endpoint().into_iter().collect(),
                None => self.cx.remote.endpoints(self.cx.profile.remotes()),
            },
            // The endpoint of a connection that was up is known, and is not looked for outside.
            names: (self.cx.remote.is_resolving() || self.cx.is_resolving_proxy()) && !was_up,
            web: self.login().is_some_and(lets_out),
            ..FirewallPolicy::default()
        }
    }

    /// Says which sign-ins open the web, where a kill switch is closed.
    pub fn set_web_access(&mut self, web_access: WebAccess) {
        self.cx.web_access = web_access;
    }

    /// When the endpoint ends the connection, if that is known.
    #[must_use]
    pub fn sign_in_ends(&self) -> Option<Instant> {
        self.cx.expiry.ends
    }

    /// Whether a person is about to be asked, so that it matters whether an agent is there.
    #[must_use]
    pub fn may_ask_a_person(&self) -> bool {
        matches!(&self.state, State::Connecting(attempt) if attempt.may_ask_a_person(&self.cx))
    }

    /// Whether a person is asked when the sign-in is renewed now: a request that no agent takes would
    /// end the connection.
    #[must_use]
    pub fn asks_a_person_to_renew(&self) -> bool {
        match self.cx.profile.sign_in() {
            SignIn::Saml => true,
            SignIn::Password { .. } => !self.cx.missing_passwords().is_empty(),
            SignIn::Certificate => false,
        }
    }

    /// Whether a NewSecrets call is expected now.
    #[must_use]
    pub fn expects_secrets(&self) -> bool {
        self.login().is_some()
            || matches!(&self.state, State::Connecting(attempt)
                if matches!(attempt.step, Step::Asking(_)))
    }

    /// Whether a NewSecrets call may cross the end of its page, with the tunnel or at its time limit.
    /// NetworkManager ends a connection whose answer is refused, with a reason of its own, so this one is
    /// taken, and means nothing.
    #[must_use]
    pub fn may_get_late_secrets(&self) -> bool {
        match &self.state {
            State::Connecting(attempt) => attempt.loss.is_some(),
            State::Up(_) | State::Failing { .. } | State::Stopping { .. } | State::Stopped => true,
            // To go on connecting would cancel that.
            State::Deactivating => false,
        }
    }

    /// Whether a Disconnect call makes no sense any more.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping { .. } | State::Stopped)
    }

    /// Whether a person's browser needs the network as it is without the tunnel, which is down.
    #[must_use]
    pub fn needs_network_outside_tunnel(&self) -> bool {
        match &self.state {
            State::Connecting(attempt) => {
                matches!(
                    attempt.step,
                    Step::WithdrawingRoute(_) | Step::AwaitingLogin(_)
                )
            }
            State::Up(_)
            | State::Deactivating
            | State::Failing { .. }
            | State::Stopping { .. }
            | State::Stopped => false,
        }
    }

    /// The login that waits for a person, beside the tunnel or without one.
    fn login(&self) -> Option<&BrowserLogin> {
        match &self.state {
            State::Connecting(attempt) => match &attempt.step {
                Step::AwaitingLogin(login) => Some(login),
                Step::Trying { .. } | Step::WithdrawingRoute(_) | Step::Asking(_) => None,
            },
            State::Up(up) => up.login(),
            State::Deactivating
            | State::Failing { .. }
            | State::Stopping { .. }
            | State::Stopped => None,
        }
    }

    /// Handles what happened at `now`.
    pub fn handle(&mut self, input: Input, now: Instant) {
        self.cx.now = now;
        if let Input::VpnState(state) = &input {
            self.cx.network_manager.shown = Some(*state);
        }
        if let Err(failure) = self.step(input) {
            self.fail(failure);
        }
    }

    /// The table of transitions: what an input means in a state, and which follows.
    fn step(&mut self, input: Input) -> Result<(), Failure> {
        let cx = &mut self.cx;
        match (&mut self.state, input) {
            (State::Stopped, _) => {}
            (State::Stopping { .. }, Input::OpenVpnEnded(_) | Input::NotStarted(_)) => {
                self.finish();
            }
            (State::Stopping { until, killed }, Input::TimePassed) if cx.now >= *until => {
                if *killed {
                    self.finish();
                } else {
                    (*until, *killed) = (cx.now + KILL_GRACE, true);
                    cx.note("OpenVPN did not end in time; killing it".to_owned());
                    cx.effects.push_back(Effect::Kill);
                }
            }
            // What arrives after the decision to stop changes nothing.
            (State::Stopping { .. }, _) => {}
            (_, Input::Disconnect) => self.stop("NetworkManager asked for it"),
            (_, Input::NetworkManagerGone) => self.stop("NetworkManager is gone"),
            (State::Deactivating, Input::OpenVpnEnded(_) | Input::NotStarted(_)) => {
                cx.openvpn.is_running = false;
            }
            (
                State::Deactivating,
                Input::VpnState(VpnState::Connecting | VpnState::NeedAuth | VpnState::Activated),
            ) => {
                // A race: the last state was announced before we learned that the connection is
                // being taken down, and has cancelled that. Disconnect will not come any more.
                self.stop("NetworkManager was about to take it down");
            }
            (State::Deactivating, _) => {}
            (_, Input::VpnState(VpnState::Deactivating(reason) | VpnState::Ended(reason))) => {
                // Nothing is tried, asked or announced any more, not even a failure that was about to
                // be: NetworkManager has its own reason for the end by now. A tunnel that is up
                // stays: pre-down scripts may need it. NetworkManager limits how long they take, and
                // if it stops, so does the session.
                let why = reason.in_words();
                cx.note(format!("NetworkManager takes the connection down ({why})"));
                self.end_renewal();
                self.state = State::Deactivating;
            }
            (
                State::Failing {
                    until,
                    has_settings,
                    ..
                },
                input,
            ) => {
                if !*has_settings && matches!(input, Input::VpnState(VpnState::Connecting)) {
                    (*until, *has_settings) = (cx.now + SETTINGS_GRACE, true);
                    cx.remove_name_servers();
                }
                // OpenVPN is kept running until then: NetworkManager refuses settings of an interface
                // that is gone, keeps the name servers, and tells the user that the settings were
                // wrong.
                cx.openvpn.is_running &=
                    !matches!(input, Input::OpenVpnEnded(_) | Input::NotStarted(_));
                let is_up = matches!(input, Input::VpnState(VpnState::Activated));
                let is_applied = *has_settings && (is_up || !cx.openvpn.is_running);
                let is_due = cx.now >= *until;
                // The state is only a placeholder: `announce_failure` sets the next one.
                if (is_applied || is_due)
                    && let State::Failing { failure, .. } =
                        std::mem::replace(&mut self.state, State::Deactivating)
                {
                    self.announce_failure(failure);
                }
            }
            (State::Connecting(_) | State::Up(_), Input::OpenVpnEnded(how)) => {
                return Err(cx.openvpn_ended(how));
            }
            (State::Connecting(_) | State::Up(_), Input::NotStarted(why)) => {
                cx.openvpn.is_running = false;
                return Err(Failure::NotStarted(why));
            }
            (_, Input::Unsendable) => return Err(Failure::Unsendable),
            (_, Input::KillSwitchFailed(why)) => return Err(Failure::KillSwitchFailed(why)),
            (_, Input::Slept(length)) => cx.expiry.slept(length),
            (State::Connecting(attempt), input) => {
                if let Some(tunnel) = attempt.handle(input, cx)? {
                    self.state = State::Up(Up::new(tunnel, cx.now));
                }
            }
            (State::Up(up), input) => {
                if let Some(interruption) = up.handle(input, cx)? {
                    let attempt = up.interrupted(interruption, cx)?;
                    self.state = State::Connecting(Box::new(attempt));
                }
            }
        }
        Ok(())
    }

    /// Ends the connection because of `failure`: at once, or by way of `Failing`.
    fn fail(&mut self, failure: Failure) {
        let cx = &mut self.cx;
        let is_asking = cx.network_manager.announced_lost()
            && cx.network_manager.shown == Some(VpnState::NeedAuth);
        if is_asking {
            cx.begin_again();
        }
        // Also where OpenVPN is gone and nothing is waited for: that NetworkManager is given settings
        // is what makes it remove the names when it is told of the failure next.
        if is_asking || (cx.remove_name_servers() && cx.openvpn.is_running) {
            let until = cx.now + SETTINGS_GRACE;
            self.end_renewal();
            self.state = State::Failing {
                failure,
                until,
                has_settings: !is_asking,
            };
        } else {
            self.announce_failure(failure);
        }
    }

    /// Announces a failure; nothing else does.
    fn announce_failure(&mut self, failure: Failure) {
        self.cx.effects.push_back(Effect::Fail(failure));
        self.begin_stop();
    }

    fn stop(&mut self, why: &str) {
        self.cx.note_of_endpoint(format!("disconnecting: {why}"));
        self.begin_stop();
    }

    fn begin_stop(&mut self) {
        self.end_renewal();
        self.cx.announce(ServiceState::Stopping);
        self.cx.credentials.clear();
        if self.cx.openvpn.is_running {
            self.cx.effects.push_back(Effect::Terminate);
            self.state = State::Stopping {
                until: self.cx.now + STOP_GRACE,
                killed: false,
            };
        } else {
            self.finish();
        }
    }

    fn end_renewal(&mut self) {
        if let State::Up(up) = &mut self.state {
            up.end_renewal(&mut self.cx);
        }
    }

    fn finish(&mut self) {
        self.state = State::Stopped;
        self.cx.effects.push_back(Effect::CleanUp);
        self.cx.announce(ServiceState::Stopped);
        self.cx.effects.push_back(Effect::Finish);
    }
}
