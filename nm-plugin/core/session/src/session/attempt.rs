//! The way to a tunnel, to the first one or back to one that was lost: one try after the other,
//! until one succeeds or a failure ends it.

use super::ask::{Prompt, PromptReason};
use super::context::{Context, OpenVpnEvent};
use super::credentials::KEY_REALM;
use super::diagnostics::Diagnostics;
use super::events::Input;
use super::expiry::Expiry;
use super::failure::Failure;
use super::login::{BrowserLogin, ComingLogin};
use super::loss::Loss;
use super::network_manager::Installed;
use super::phase::Phase;
use super::put_off::{self, PutOff};
use super::unverified::Unverified;
use crate::challenge::Challenge;
use crate::network_manager::VpnState;
use crate::pushed::{self, TunnelError};
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts;
use aws_client_vpn_sign_in::answer::is_cancelled;
use aws_client_vpn_sign_in::refusal::RefusalReason;
use aws_client_vpn_text::message::Localize;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const BLOCKS_LOCAL_NETWORK: &str = "the endpoint takes all traffic into the tunnel, also where only \
    some networks are its own, because this computer's local network has addresses that are not \
    private (redirect-gateway block-local)";

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) step: Step,
    /// What is known since a tunnel was up; `None` before the first.
    pub(super) loss: Option<Loss>,
    pub(super) resume: Resume,
    /// Which credentials OpenVPN was given for this try; `None`: none, so it sends its token, if it has one.
    pub(super) sent: Option<Sent>,
    /// The passphrase or PIN that OpenVPN has been given, until it is known to be right.
    pub(super) key_credential_sent: Option<Credential>,
    /// How many questions the endpoint has asked, in all tries.
    pub(super) questions: u32,
    /// Failed tries in a row.
    pub(super) failures: u32,
    /// When OpenVPN's hold may be released after a failed try.
    pub(super) release_at: Option<Instant>,
    /// What the endpoint said with its last `AUTH_FAILED,TEMP`.
    put_off: Option<RefusalReason>,
    /// Whether the endpoint answered in the last try.
    endpoint_answered: bool,
    /// Whether the endpoint broke off a try after its certificate had been verified.
    endpoint_broke_off: bool,
    /// Where the certificate did not verify, and why. See [`Self::certificate_judged`].
    pub(super) unverified: Vec<((parts::Remote, IpAddr), Unverified)>,
    pub(super) diagnostics: Diagnostics,
}

#[derive(Debug)]
pub(super) enum Step {
    /// OpenVPN connects and the endpoint has not answered yet; or it is held until it may (`release_at`,
    /// [`Loss::wait`]).
    Trying { phase: Phase, until: Instant },
    /// OpenVPN is held; NetworkManager removes the default route and name servers of the tunnel
    /// that is down, so that a browser gets through.
    WithdrawingRoute(Box<ComingLogin>),
    /// OpenVPN is held; a person is at the browser.
    AwaitingLogin(Box<BrowserLogin>),
    /// A person is asked for credentials.
    Asking(Prompt),
}

/// Credentials that OpenVPN has been given to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// Not accepted before.
    New,
    /// The credentials that the tunnel was made with.
    Again,
}

/// What brings a tunnel back without a person.
#[derive(Debug, Default)]
pub(super) struct Resume {
    /// Whether the endpoint has given OpenVPN a token to come back with.
    pub(super) has_token: bool,
    /// The reply to a challenge that made the tunnel.
    pub(super) reply: Option<Secret>,
}

/// A try has succeeded.
#[derive(Debug)]
pub(super) struct TunnelUp {
    pub(super) resume: Resume,
    pub(super) sent: Option<Sent>,
}

impl Attempt {
    /// The way to the first tunnel.
    pub(super) fn first(cx: &Context) -> Self {
        Self::new(None, Resume::default(), cx)
    }

    pub(super) fn new(loss: Option<Loss>, resume: Resume, cx: &Context) -> Self {
        let mut attempt = Self {
            step: Step::Trying {
                phase: Phase::First,
                until: cx.now,
            },
            loss,
            resume,
            sent: None,
            key_credential_sent: None,
            questions: 0,
            failures: 0,
            release_at: None,
            put_off: None,
            endpoint_answered: false,
            endpoint_broke_off: false,
            unverified: Vec::new(),
            diagnostics: Diagnostics::default(),
        };
        attempt.start_try(Phase::First, cx);
        attempt
    }

    /// Starts a try, whose timeout begins now.
    pub(super) fn start_try(&mut self, phase: Phase, cx: &Context) {
        let until = cx.now + self.timeout(&phase, cx);
        self.step = Step::Trying { phase, until };
    }

    /// Starts a first try, and returns the step that it replaces.
    pub(super) fn replace_with_first_try(&mut self, cx: &Context) -> Step {
        let phase = Phase::First;
        let until = cx.now + self.timeout(&phase, cx);
        std::mem::replace(&mut self.step, Step::Trying { phase, until })
    }

    /// Restarts the timeout of the current try.
    pub(super) fn restart_timeout(&mut self, cx: &Context) {
        if let Step::Trying { phase, .. } = &self.step {
            let timeout = self.timeout(phase, cx);
            if let Step::Trying { until, .. } = &mut self.step {
                *until = cx.now + timeout;
            }
        }
    }

    fn timeout(&self, phase: &Phase, cx: &Context) -> Duration {
        match (phase, &self.loss) {
            (Phase::Reply(_), _) | (_, None) => cx.timeouts.connect,
            (Phase::First | Phase::Replay(_), Some(_)) => cx.timeouts.reconnect,
        }
    }

    pub(super) fn handle(
        &mut self,
        input: Input,
        cx: &mut Context,
    ) -> Result<Option<TunnelUp>, Failure> {
        match input {
            Input::Management(notification) => {
                return match cx.interpret(notification)? {
                    Some(event) => self.on_openvpn_event(event, cx),
                    None => Ok(None),
                };
            }
            Input::NewSecrets(secrets) => return self.new_secrets(secrets, cx),
            Input::Resolved { host, result } => {
                cx.resolved(host, result)?;
                self.answer_remote(cx)?;
                // Which may be what was waited for.
                if self.is_waiting() {
                    self.release_hold(cx);
                }
            }
            Input::Conditions(conditions) => {
                cx.conditions_changed(conditions);
                self.on_conditions_changed(cx);
            }
            Input::VpnState(state) => self.vpn_state(state, cx),
            Input::TimePassed => self.time_passed(cx)?,
            Input::SettingsChanged => return Err(Failure::SettingsChanged),
            // There is no sign-in to renew.
            Input::Renew | Input::RenewalSaid(_) | Input::RenewalEnded(_) => {}
            Input::NotStarted(_)
            | Input::Unsendable
            | Input::OpenVpnEnded(_)
            | Input::KillSwitchFailed(_)
            | Input::Slept(_)
            | Input::Disconnect
            | Input::NetworkManagerGone => {}
        }
        Ok(None)
    }

    pub(super) fn on_openvpn_event(
        &mut self,
        event: OpenVpnEvent,
        cx: &mut Context,
    ) -> Result<Option<TunnelUp>, Failure> {
        match event {
            OpenVpnEvent::Connected => return self.connected(cx),
            OpenVpnEvent::Hold => self.on_hold(cx)?,
            OpenVpnEvent::Remote => self.answer_remote(cx)?,
            OpenVpnEvent::PasswordNeeded(realm) => self.password_needed(realm, cx)?,
            OpenVpnEvent::VerificationFailed { realm, reason } => {
                self.verification_failed(&realm, reason.as_ref(), cx)?;
            }
            OpenVpnEvent::Reconnecting(why) => self.reconnecting(&why, cx)?,
            OpenVpnEvent::AuthToken => self.resume.has_token = true,
            OpenVpnEvent::Log(text) => {
                self.diagnostics.log(text.expose());
                cx.proxy_says(text.expose());
                if pushed::blocks_local_network(text.expose()) {
                    cx.note(BLOCKS_LOCAL_NETWORK.to_owned());
                }
            }
            OpenVpnEvent::Echo(text) => {
                if let Err(unknown) = self.diagnostics.banner.push(&text) {
                    cx.note_of_endpoint(format!(
                        "the endpoint sent what is not understood: {unknown}"
                    ));
                }
            }
        }
        Ok(None)
    }

    fn on_hold(&mut self, cx: &mut Context) -> Result<(), Failure> {
        self.diagnostics = Diagnostics::default();
        if let Step::Asking(asking) = &mut self.step {
            asking.restarts();
        }
        let is_first = matches!(
            self.step,
            Step::Trying {
                phase: Phase::First,
                ..
            }
        );
        // Once a tunnel was up, OpenVPN may have a token that spares the person, so nothing is
        // asked before it is needed.
        if is_first && self.loss.is_none() {
            let missing = cx.credentials.missing_for(&cx.profile);
            if !missing.is_empty() {
                let why = PromptReason::Beforehand(Phase::First);
                self.step = Step::Asking(cx.ask(missing, why)?);
            }
        }
        self.release_hold(cx);
        Ok(())
    }

    fn reconnecting(&mut self, why: &str, cx: &mut Context) -> Result<(), Failure> {
        cx.proxy_try_over();
        let is_put_off = self.put_off.is_some() && why.starts_with(put_off::RESTART);
        if !is_put_off {
            self.put_off = None;
        }
        // The way a challenge and a refusal end; decided by their own notification.
        if why.starts_with("auth-failure") {
            return Ok(());
        }
        if why == "private-key-password-failure" {
            return self.key_not_loaded(cx);
        }
        match &self.step {
            // The same once more, when it is time; or it was told to.
            Step::Trying { .. } if is_put_off || why == "SIGUSR1" => {}
            Step::Trying { .. } if why == "process-push-msg-failed" => {
                return Err(self.diagnostics.options_refused());
            }
            Step::Trying {
                phase: Phase::Reply(_),
                ..
            } => {
                // No other node takes the reply.
                let unverified = self.diagnostics.unverified.take();
                let lost = || Failure::LostDuringSignIn(why.to_owned());
                return Err(unverified.map_or_else(lost, Failure::Unverified));
            }
            Step::Trying { .. } => {
                self.certificate_judged(cx);
                self.endpoint_answered = self.diagnostics.endpoint_answered;
                let breaks_off = matches!(why, "connection-reset" | "tls-error");
                self.endpoint_broke_off |= self.diagnostics.endpoint_recognised && breaks_off;
                if let Some(failure) = self.diagnostics.certificate_refused() {
                    return Err(cx.with_outdated_certificate(failure));
                }
                self.try_failed(why, cx);
            }
            Step::WithdrawingRoute(_) | Step::AwaitingLogin(_) | Step::Asking(_) => {}
        }
        Ok(())
    }

    /// Remembers whose certificate does not verify.
    ///
    /// A first connection ends when it is such an address's turn again, all others having been tried
    /// ([`Self::answer_remote`]): more tries would only delay the warning. A tunnel that was lost is tried
    /// for until its time limit, and ends with this reason then: a clock that is wrong after sleep is soon
    /// set, and a network that answers in the endpoint's place is soon left. Ending would cost a sign-in,
    /// and trying costs nothing: no credentials are sent to a peer that does not verify.
    ///
    /// This is the same with UDP. A forged packet alone does not get here: a peer's packets are dropped
    /// unless they acknowledge the client's session id (64 random bits), so it takes somebody who reads
    /// what the client sends. Nor can the endpoint's own certificate be waited for within a try: OpenVPN
    /// drops the connection at the first that fails.
    fn certificate_judged(&mut self, cx: &Context) {
        match (self.diagnostics.unverified.take(), cx.remote.node()) {
            (Some(why), Some(node)) => {
                self.unverified.retain(|(known, _)| known != node);
                self.unverified.push((node.clone(), why));
            }
            // The endpoint is there after all.
            _ if self.diagnostics.endpoint_recognised => self.unverified.clear(),
            _ => {}
        }
    }

    /// Tells OpenVPN the address to use, once both the question and the addresses are there.
    fn answer_remote(&mut self, cx: &mut Context) -> Result<(), Failure> {
        let ways = cx.ways_to_endpoint();
        let has_way = |node| ways.is_none_or(|ways| ways.to(node).is_some());
        if cx.remote.address().is_some_and(|node| !has_way(node)) {
            self.leave_node(cx);
        }
        let pinned = match &self.step {
            Step::Trying { phase, .. } => phase.reply().is_some(),
            Step::WithdrawingRoute(_) | Step::AwaitingLogin(_) | Step::Asking(_) => false,
        };
        if let Some(remote) = cx.next_address(pinned) {
            let node = cx.remote.node();
            let mut known = self.unverified.iter();
            let known = known.find(|(unverified, _)| Some(unverified) == node);
            if let Some((_, why)) = known
                && self.loss.is_none()
            {
                return Err(Failure::Unverified(why.clone()));
            }
            cx.send_remote(remote);
        }
        Ok(())
    }

    fn connected(&mut self, cx: &mut Context) -> Result<Option<TunnelUp>, Failure> {
        let Step::Trying { phase, .. } = &self.step else {
            return Ok(None);
        };
        let tunnel = cx.openvpn.tunnel.clone();
        let mut tunnel = tunnel.ok_or(Failure::BadTunnel(TunnelError::NoAddress))?;
        tunnel.mtu = self.diagnostics.mtu.or(tunnel.mtu);
        let installed = Installed {
            tunnel,
            server: cx.outer_address(),
            banner: self.diagnostics.banner.text().map(str::to_owned),
        };
        let config = cx.network_manager.config_of(&installed);
        let config = config.map_err(Failure::BadTunnel)?;
        let takes_all_of = installed.tunnel.takes_all_of_one_family();
        // Whether it costs the person, or the endpoint, a new sign-in.
        let is_new = match phase {
            Phase::Reply(_) => true,
            Phase::Replay(_) => false,
            Phase::First => self.sent.is_some() || self.loss.is_none(),
        };
        if is_new {
            cx.expiry = Expiry::of(cx.timeouts.session, cx.now);
        }
        cx.remote.mark_reached();
        cx.credentials.accepted();
        cx.openvpn.certificate_accepted();
        self.log_tunnel_up(cx);
        let installed = Some(installed);
        if !self.is_loss_unannounced(cx) || cx.network_manager.installed != installed {
            if let Some([taken, past]) = takes_all_of {
                cx.note_of_endpoint(format!(
                    "the endpoint takes all of {taken} into the tunnel, and nothing of {past}: where \
                     this computer's network has {past}, that goes past the tunnel"
                ));
            }
            cx.network_manager.installed = installed;
            cx.install(config);
        }
        Ok(Some(self.take_tunnel_up(None)))
    }

    /// Moves what [`Up`](super::up::Up) needs of the attempt out of it.
    fn take_tunnel_up(&mut self, sent: Option<Sent>) -> TunnelUp {
        let mut resume = std::mem::take(&mut self.resume);
        if let Step::Trying { phase, .. } = &mut self.step
            && let Phase::Reply(reply) | Phase::Replay(reply) =
                std::mem::replace(phase, Phase::First)
        {
            resume.reply = Some(reply);
        }
        TunnelUp { resume, sent }
    }

    fn verification_failed(
        &mut self,
        realm: &str,
        reason: Option<&Secret>,
        cx: &mut Context,
    ) -> Result<(), Failure> {
        let Step::Trying { until, .. } = self.step else {
            return Ok(());
        };
        // OpenVPN does not send this for every kind of key. It always sends
        // `private-key-password-failure`, which follows.
        if realm == KEY_REALM {
            return Ok(());
        }
        // The endpoint has answered, so the PIN or passphrase was right. A token may ask for its PIN
        // again at the next signature; that is no refusal.
        self.key_credential_sent = None;
        cx.openvpn.certificate_accepted();
        self.unverified.clear();
        let reason = reason.map_or("", Secret::expose);
        if let Some(PutOff { backoff, why }) = PutOff::parse(reason) {
            cx.note_of_endpoint(format!("the endpoint cannot take the sign-in now: {why}"));
            let then = cx.now + self.count_failure().max(backoff);
            if then >= until {
                return Err(Failure::TemporarilyRefused(why));
            }
            self.put_off = Some(why);
            self.release_at = Some(then);
            return Ok(());
        }
        self.endpoint_broke_off = false;
        let sent = self.sent.take();
        if Challenge::is_challenge(reason) {
            let challenge = Challenge::parse(reason);
            let challenge = challenge.map_err(|error| Failure::BadChallenge(error.message()))?;
            cx.note_of_endpoint(format!("the endpoint's challenge has {}", challenge.form()));
            // OpenVPN has dropped it with the refusal (push.c).
            self.resume.has_token = false;
            self.challenged(challenge, cx)
        } else {
            self.refused(RefusalReason::parse(reason), sent, cx)
        }
    }

    /// NetworkManager reports a state of the connection.
    fn vpn_state(&mut self, state: VpnState, cx: &mut Context) {
        match (state, &mut self.step) {
            (VpnState::NeedAuth, Step::AwaitingLogin(login)) => login.agent_asked = true,
            (VpnState::Activated, _) if cx.network_manager.announced_lost() => {
                cx.reassert_state();
                self.ask_again(cx);
            }
            (VpnState::Activated, Step::WithdrawingRoute(_)) => self.route_withdrawn(cx),
            // It has settings again, and takes that for a tunnel that is up.
            (VpnState::Activated, Step::Trying { .. }) => self.announce_loss(cx),
            // It has processed the browser's answer. Settings that it gets earlier, it ignores.
            (VpnState::Connecting, Step::Trying { .. }) => self.restore_default_route(cx),
            (
                VpnState::Connecting
                | VpnState::NeedAuth
                | VpnState::Activated
                | VpnState::Deactivating(_)
                | VpnState::Ended(_),
                _,
            ) => {}
        }
    }

    /// Asks once more for what is being waited for.
    fn ask_again(&mut self, cx: &mut Context) {
        match &mut self.step {
            Step::AwaitingLogin(login) => login.ask_again(cx),
            Step::Asking(asking) => asking.ask_again(cx),
            Step::Trying { .. } | Step::WithdrawingRoute(_) => {}
        }
    }

    fn new_secrets(
        &mut self,
        secrets: BTreeMap<String, Secret>,
        cx: &mut Context,
    ) -> Result<Option<TunnelUp>, Failure> {
        let is_asking = matches!(self.step, Step::AwaitingLogin(_) | Step::Asking(_));
        if is_asking && is_cancelled(&secrets) {
            return Err(Failure::Cancelled);
        }
        match self.replace_with_first_try(cx) {
            Step::AwaitingLogin(login) => {
                let answer = cx.take_answer(&login, secrets);
                let answer = answer.map_err(Failure::LoginUnavailable)?;
                self.start_try(Phase::Reply(answer), cx);
            }
            Step::Asking(asking) => match asking.take(secrets, &mut cx.credentials)? {
                PromptReason::Beforehand(phase) => self.start_try(phase, cx),
                PromptReason::Needed {
                    realm,
                    phase,
                    is_up,
                } => {
                    self.start_try(phase, cx);
                    self.password_needed(realm, cx)?;
                    if is_up {
                        cx.show_as_up();
                        return Ok(Some(self.take_tunnel_up(Some(Sent::Again))));
                    }
                    return Ok(None);
                }
                PromptReason::Challenged(challenge) => {
                    let answer = cx.credentials.get(Credential::ChallengeResponse).cloned();
                    let answer = answer.unwrap_or_else(|| Secret::from(""));
                    self.answer_challenge(&challenge, &answer, cx);
                }
            },
            step @ (Step::Trying { .. } | Step::WithdrawingRoute(_)) => {
                self.step = step;
                cx.unasked_secrets();
                return Ok(None);
            }
        }
        self.release_hold(cx);
        Ok(None)
    }

    /// When something is due.
    pub(super) fn deadline(&self, cx: &Context) -> Option<Instant> {
        match &self.step {
            Step::Trying { until, .. } => {
                let until = Some(*until).filter(|_| !self.is_waiting());
                [until, self.reconnect_deadline(cx)]
                    .into_iter()
                    .flatten()
                    .min()
            }
            Step::WithdrawingRoute(coming) => Some(coming.until),
            Step::AwaitingLogin(login) => Some(login.deadline()),
            Step::Asking(asking) => Some(asking.deadline()),
        }
    }

    fn time_passed(&mut self, cx: &mut Context) -> Result<(), Failure> {
        let now = cx.now;
        if self.reconnect_deadline(cx).is_some_and(|at| now >= at) {
            self.reconnect_due(cx);
        }
        let is_waiting = self.is_waiting();
        let minutes = cx.timeouts.login.as_secs().div_ceil(60);
        match &mut self.step {
            Step::Trying { phase, until } if !is_waiting && now >= *until => {
                let checks_sign_in = matches!(phase, Phase::Reply(_));
                let phase = std::mem::replace(phase, Phase::First);
                let seconds = self.timeout(&phase, cx).as_secs();
                Err(match (self.put_off.take(), self.unverified.pop()) {
                    (Some(why), _) => Failure::TemporarilyRefused(why),
                    (None, Some((_, why))) => Failure::Unverified(why),
                    (None, None) => {
                        self.diagnostics.endpoint_answered |= self.endpoint_answered;
                        self.diagnostics.endpoint_recognised |= self.endpoint_broke_off;
                        let in_the_way = cx.proxy_in_the_way();
                        in_the_way.unwrap_or_else(|| {
                            let silence =
                                self.diagnostics
                                    .silence(&cx.profile, checks_sign_in, seconds);
                            cx.with_outdated_certificate(silence)
                        })
                    }
                })
            }
            Step::AwaitingLogin(login) if now >= login.until => {
                Err(Failure::LoginTimedOut { minutes })
            }
            Step::AwaitingLogin(login) if now >= login.deadline() => {
                login.agent_asked = true;
                cx.note("still waiting for the browser login".to_owned());
                self.ask_again(cx);
                Ok(())
            }
            Step::Asking(asking) if now >= asking.until => Err(Failure::LoginTimedOut { minutes }),
            Step::Asking(asking) if now >= asking.deadline() => {
                cx.note("still waiting for an answer".to_owned());
                self.ask_again(cx);
                Ok(())
            }
            Step::WithdrawingRoute(coming) if now >= coming.until => {
                self.route_withdrawn(cx);
                Ok(())
            }
            Step::Trying { .. }
            | Step::AwaitingLogin(_)
            | Step::Asking(_)
            | Step::WithdrawingRoute(_) => Ok(()),
        }
    }
}
