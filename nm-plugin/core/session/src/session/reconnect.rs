//! What happens when a tunnel that was up is lost: the connection stays, and comes back.
//!
//! NetworkManager keeps addresses, routes and name servers meanwhile, so nothing leaves outside the
//! tunnel. The way back asks as little of the person as the endpoint allows: its token, then the
//! last answer once more, and only then a new login; that one only when there is a network, and
//! somebody to see it. Until then the connection waits, and is shown as one that is being made.
//!
//! A login needs the network outside the tunnel: the browser has to reach the identity provider, and
//! the tunnel's name servers and default route are dead. They are withdrawn only once the endpoint
//! has sent the page's address and somebody is there to see it, a moment before it is opened, and
//! are restored as soon as the answer is there; the routes to the networks behind the tunnel stay
//! all the time. The endpoint itself is always reached outside the tunnel.

use super::attempt::{Attempt, Sent, Step};
use super::conditions::Presence;
use super::context::Context;
use super::events::ServiceState;
use super::login::ComingLogin;
use super::loss::{Loss, Wait};
use super::phase::Phase;
use crate::challenge::Challenge;
use crate::management::Command;
use crate::network_manager::ip_config::IpConfig;
use aws_client_vpn_profile::parts::SignIn;
use std::time::{Duration, Instant};
use url::Url;

/// How long NetworkManager may take from new settings to "activated", which the dispatcher's pre-up
/// scripts come before. Told earlier that the tunnel is not up, it would cancel the scripts, leave the
/// name servers as they were, and go on to say that it is up (seen with 1.42).
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
/// The pause between two lookups in a network that leads to no address that is known: its name servers
/// may not answer at first.
const LOOK_UP_PAUSE: Duration = Duration::from_secs(30);
/// After how many failed tries in a row the pause grows no further: it is 8 s then.
const MAX_PAUSE_AFTER: u32 = 5;

impl Context {
    /// What has to be waited for before the endpoint is tried again.
    fn retry_blocker(&self) -> Option<Wait> {
        if self.conditions.asleep {
            Some(Wait::Asleep)
        } else if !self.is_online() {
            Some(Wait::Offline)
        } else {
            None
        }
    }

    /// What has to be waited for before a person may be asked to sign in.
    fn login_blocker(&self) -> Option<Wait> {
        let not_before = self.login_backoff.not_before;
        self.retry_blocker()
            .or_else(|| self.nobody_sees())
            .or(match not_before {
                Some(then) if self.now < then => Some(Wait::LoginPause(then)),
                _ if !self.conditions.has_agent => Some(Wait::NoAgent),
                _ => None,
            })
    }

    /// Why nobody would see a page, if so.
    fn nobody_sees(&self) -> Option<Wait> {
        match self.conditions.presence {
            _ if self.conditions.asleep => Some(Wait::Asleep),
            Presence::Locked => Some(Wait::Locked),
            Presence::Away => Some(Wait::Absent),
            Presence::Active => None,
        }
    }
}

impl Attempt {
    /// Counts a failed try. Returns how long to wait before the next.
    pub(super) fn count_failure(&mut self) -> Duration {
        self.failures += 1;
        match self.failures.min(MAX_PAUSE_AFTER) {
            0 | 1 => Duration::ZERO,
            failures => Duration::from_secs(1 << (failures - 2)),
        }
    }

    /// A try has failed.
    pub(super) fn try_failed(&mut self, why: &str, cx: &mut Context) {
        cx.note_of_endpoint(format!("no success at this address ({why}); trying again"));
        let pause = self.count_failure();
        if !pause.is_zero() {
            self.release_at = Some(cx.now + pause);
        }
        if self.loss.is_some() {
            if !cx.is_online() {
                return;
            }
            cx.resolve_first_remote();
        }
        cx.remote.mark_failed();
        self.leave_node(cx);
    }

    /// Another node is tried: the reply that made the tunnel means nothing to it, and OpenVPN may have it
    /// still.
    pub(super) fn leave_node(&mut self, cx: &mut Context) {
        if let Step::Trying { phase, .. } = &mut self.step
            && let Phase::Replay(_) = phase
        {
            if let Phase::Replay(reply) = std::mem::replace(phase, Phase::First) {
                self.resume.reply = Some(reply);
            }
            if self.sent.take() == Some(Sent::Again) {
                cx.send(Command::ForgetPasswords);
            }
        }
    }

    /// Conditions have changed: what was waited for may be there, or be gone.
    pub(super) fn on_conditions_changed(&mut self, cx: &mut Context) {
        let page_is_for_nobody = match &self.step {
            Step::WithdrawingRoute(_) => cx.login_blocker().is_some(),
            // What goes past the tunnel for its sake, goes only while somebody sees it.
            Step::AwaitingLogin(_) => self.loss.is_some() && cx.nobody_sees().is_some(),
            Step::Trying { .. } | Step::Asking(_) => false,
        };
        if page_is_for_nobody {
            self.cancel_page(cx);
        }
        if self.loss.is_some() {
            self.look_up_elsewhere(cx);
            self.release_hold(cx);
        }
    }

    fn look_up_elsewhere(&mut self, cx: &mut Context) {
        let is_elsewhere = cx.is_online_elsewhere();
        if is_elsewhere {
            cx.resolve_first_remote();
        }
        if let Some(loss) = &mut self.loss {
            loss.look_up_at = is_elsewhere.then(|| cx.now + LOOK_UP_PAUSE);
        }
    }

    /// Lets OpenVPN go on, unless it has to wait.
    pub(super) fn release_hold(&mut self, cx: &mut Context) {
        if !cx.openvpn.is_held || !matches!(self.step, Step::Trying { .. }) {
            return;
        }
        let wait = self.wait(cx);
        if let Some(loss) = &mut self.loss
            && loss.wait != wait
        {
            loss.wait = wait;
            match wait {
                Some(wait) => {
                    let what = wait.describe();
                    cx.note(format!("waiting for {what}"));
                }
                None => {
                    cx.note("going on".to_owned());
                    // It may be another network.
                    self.unverified.clear();
                    self.restart_timeout(cx);
                }
            }
        }
        if wait.is_some() || self.release_at.is_some_and(|at| cx.now < at) {
            return;
        }
        self.release_at = None;
        cx.openvpn.is_held = false;
        cx.send(Command::HoldRelease);
    }

    fn wait(&self, cx: &Context) -> Option<Wait> {
        self.loss.as_ref()?;
        if self.begins_a_login(cx) {
            cx.login_blocker()
        } else {
            cx.retry_blocker()
        }
    }

    /// Whether the try that comes ends with a question to a person: once the last reply is refused,
    /// and there is no token, nothing else brings the tunnel back.
    fn begins_a_login(&self, cx: &Context) -> bool {
        let is_first = matches!(
            self.step,
            Step::Trying {
                phase: Phase::First,
                ..
            }
        );
        is_first
            && !self.resume.has_token
            && match cx.profile.sign_in() {
                SignIn::Saml => true,
                SignIn::Password { .. } | SignIn::Certificate => {
                    !cx.credentials.missing_for(&cx.profile).is_empty()
                }
            }
    }

    /// The endpoint asks for a login although a tunnel was up: at once, if somebody can see it.
    pub(super) fn start_browser_login_after_loss(
        &mut self,
        challenge: Challenge,
        url: Url,
        cx: &mut Context,
    ) {
        self.resume.reply = None;
        if cx.login_blocker().is_some() {
            // OpenVPN restarts, and is held until somebody is there.
            self.start_try(Phase::First, cx);
            return;
        }
        // A browser's packets must not go into the tunnel that is down.
        if let Some(config) = cx.network_manager.config_without_names_and_default_route() {
            if let Some(loss) = &mut self.loss {
                loss.default_route_is_withdrawn = true;
            }
            self.configure(config, cx);
        }
        let until = cx.now + SETTLE_LIMIT;
        let coming = ComingLogin {
            challenge,
            url,
            until,
        };
        self.step = Step::WithdrawingRoute(Box::new(coming));
    }

    /// NetworkManager has withdrawn the default route, or had time enough for it: the page is opened.
    pub(super) fn route_withdrawn(&mut self, cx: &mut Context) {
        if cx.login_blocker().is_some() {
            self.cancel_page(cx);
        } else if let Step::WithdrawingRoute(coming) = self.replace_with_first_try(cx) {
            cx.login_backoff.count(cx.now);
            let requested_by_user = self.login_requested_by_user();
            if let Some(loss) = &mut self.loss {
                loss.announce_at = None;
            }
            let login = cx.ask_for_login(coming.challenge, coming.url, requested_by_user);
            self.step = Step::AwaitingLogin(login);
        }
    }

    /// Nobody is there any more to see the page, which is open or about to be: it is asked for again
    /// once somebody is.
    fn cancel_page(&mut self, cx: &mut Context) {
        if let Step::AwaitingLogin(_) = self.step {
            cx.login_backoff.take_back();
            cx.give_up_page();
        }
        self.restore_default_route(cx);
        self.start_try(Phase::First, cx);
        self.release_hold(cx);
    }

    /// Restores the default route and name servers, although the tunnel is still down.
    pub(super) fn restore_default_route(&mut self, cx: &mut Context) {
        let withdrawn = |loss: &mut Loss| std::mem::take(&mut loss.default_route_is_withdrawn);
        if self.loss.as_mut().is_some_and(withdrawn)
            && let Some(config) = cx.network_manager.config()
        {
            self.configure(config, cx);
        }
    }

    /// Gives NetworkManager settings during a reconnect. It takes settings for the end of an
    /// activation whenever it gets to them, so "started" is announced with them; once it shows "activated",
    /// [`Self::announce_loss`] follows.
    fn configure(&mut self, config: IpConfig, cx: &mut Context) {
        cx.install(config);
        if let Some(loss) = &mut self.loss {
            loss.announce_at = Some(cx.now + SETTLE_LIMIT);
            loss.is_shown = true;
        }
    }

    /// Whether a person has asked for the sign-in that brings the lost tunnel back.
    pub(super) fn login_requested_by_user(&self) -> bool {
        self.loss
            .as_ref()
            .is_some_and(|loss| loss.login_requested_by_user)
    }

    /// Logs that the tunnel is up.
    pub(super) fn log_tunnel_up(&self, cx: &mut Context) {
        cx.note_of_endpoint(match &self.loss {
            Some(loss) => {
                let seconds = cx.now.saturating_duration_since(loss.since).as_secs();
                format!("the tunnel is up again, after {seconds} s")
            }
            None => "the tunnel is up".to_owned(),
        });
    }

    /// Whether the tunnel was lost and NetworkManager was not told of it.
    pub(super) fn is_loss_unannounced(&self, cx: &Context) -> bool {
        self.loss.as_ref().is_some_and(|loss| {
            cx.network_manager.announced_up() && !loss.default_route_is_withdrawn
        })
    }

    /// Whether a person is about to be asked, so that it matters whether an agent is there.
    pub(super) fn may_ask_a_person(&self, cx: &Context) -> bool {
        let Some(loss) = &self.loss else {
            return false;
        };
        let is_next = self.begins_a_login(cx) || matches!(self.step, Step::WithdrawingRoute(_));
        is_next && matches!(loss.wait, None | Some(Wait::NoAgent))
    }

    /// Whether something is waited for: the endpoint owes no answer meanwhile.
    pub(super) fn is_waiting(&self) -> bool {
        self.loss.as_ref().is_some_and(|loss| loss.wait.is_some())
    }

    /// When something is due besides the endpoint's answer.
    pub(super) fn reconnect_deadline(&self, cx: &Context) -> Option<Instant> {
        if !matches!(self.step, Step::Trying { .. }) {
            return None;
        }
        let loss = self.loss.as_ref();
        let announce_at = loss.and_then(|loss| loss.announce_at);
        let look_up_at = loss.and_then(|loss| loss.look_up_at);
        let is_held = cx.openvpn.is_held && !self.is_waiting();
        let release_at = self.release_at.filter(|_| is_held);
        let pause_over = match loss.and_then(|loss| loss.wait) {
            Some(Wait::LoginPause(then)) => Some(then),
            Some(Wait::Asleep | Wait::Offline | Wait::Locked | Wait::Absent | Wait::NoAgent)
            | None => None,
        };
        [announce_at, look_up_at, release_at, pause_over]
            .into_iter()
            .flatten()
            .min()
    }

    /// NetworkManager is told that there is no tunnel, if there was one.
    pub(super) fn announce_loss(&mut self, cx: &mut Context) {
        if let Some(loss) = &mut self.loss {
            loss.announce_at = None;
            loss.is_shown = true;
            cx.announce(ServiceState::Starting);
        }
    }

    /// The time of [`Self::reconnect_deadline`] has come.
    pub(super) fn reconnect_due(&mut self, cx: &mut Context) {
        let announce_at = self.loss.as_ref().and_then(|loss| loss.announce_at);
        if announce_at.is_some_and(|at| cx.now >= at) {
            self.announce_loss(cx);
        }
        let look_up_at = self.loss.as_ref().and_then(|loss| loss.look_up_at);
        if look_up_at.is_some_and(|at| cx.now >= at) {
            self.look_up_elsewhere(cx);
        }
        self.release_hold(cx);
    }
}
