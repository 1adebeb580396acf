//! What happens when a tunnel that was up is lost: the connection stays, and comes back.
//!
//! NetworkManager keeps addresses, routes and name servers meanwhile, so nothing goes beside the
//! tunnel. The way back asks as little of the person as the endpoint allows: its token, then the
//! last answer once more, and only then a new login; that one only when there is a network, and
//! somebody to see it. Until then the connection waits, and is shown as one that is being made.
//!
//! A login goes past the tunnel: the browser has to find the identity provider, and the tunnel's
//! name servers and default route are dead. They are taken back only once the endpoint has sent
//! the page's address and somebody is there to see it, a moment before it is opened, and are put
//! back as soon as the answer is there; the routes to the networks behind the tunnel stay all the
//! time. The endpoint itself is reached past the tunnel anyway.

use super::login::LoginPace;
use super::renewal::Renewal;
use super::{Command, Effect, Phase, ServiceState, Session, State};
use crate::network_manager::ip_config::IpConfig;
use aws_client_vpn_profile::parts::{SignIn, Transport};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// A loss that ends sooner is not shown. AWS's endpoints have OpenVPN call a connection lost after
/// 20 s of silence; with these, it is shown after 25.
const QUIET: Duration = Duration::from_secs(5);
/// How long NetworkManager may take from new settings to "activated", dispatcher scripts included.
/// Told earlier that the tunnel is not up, it would go on to say that it is (seen with 1.42).
const SETTLE: Duration = Duration::from_secs(2);
/// The longest pause before another attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The pause between one login and a second one that nobody asked for; doubled for each further.
const LOGIN_PAUSE: Duration = Duration::from_secs(60);
/// How often it is doubled.
const MOST_DOUBLINGS: u32 = 4;
/// A tunnel that was up for as long had nothing to do with the loss of the one before.
const STABLE: Duration = Duration::from_secs(600);

/// What is known of the world around a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether there is a way to the endpoint, past the tunnel.
    pub online: bool,
    /// The address of this computer on that way.
    pub source: Option<IpAddr>,
    /// Whether the computer is about to sleep, or asleep.
    pub asleep: bool,
    /// Whether somebody would see a login.
    pub person: Person,
    /// Whether a program of that person's would show it: NetworkManager has a secret agent to ask.
    pub has_agent: bool,
}

/// Whether somebody sits at the computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// As far as can be told.
    Present,
    /// The screen is locked.
    Locked,
    /// Nobody is logged in who could answer.
    Absent,
}

/// Somebody who is logged in to the computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSession {
    /// The name of the account.
    pub user: String,
    /// The number of the account.
    pub uid: u32,
    /// Whether it shows windows.
    pub is_graphical: bool,
    /// Whether it is the one that is seen.
    pub is_active: bool,
    /// Whether its screen is locked.
    pub is_locked: bool,
}

/// Whether `user`, who signed in, is there to do it again; where nobody did, whoever is there.
#[must_use]
pub fn person_at(sessions: &[LoginSession], user: Option<&str>) -> Person {
    let of_the_user = |session: &&LoginSession| user.is_none_or(|user| session.user == user);
    let own = sessions.iter().filter(of_the_user);
    let own: Vec<_> = own.filter(|session| session.is_active).collect();
    let graphical = own.iter().any(|session| session.is_graphical);
    let mut seen = own
        .iter()
        .filter(|session| session.is_graphical || !graphical);
    if own.is_empty() {
        Person::Absent
    } else if seen.any(|session| !session.is_locked) {
        Person::Present
    } else {
        Person::Locked
    }
}

/// Whether the account numbered `caller` may act for `user`, who signed in: root, and that person
/// while logged in to the computer. Where it is not known who signed in, whoever is at the screen.
#[must_use]
pub fn may_act_for(sessions: &[LoginSession], user: Option<&str>, caller: u32) -> bool {
    let is_theirs = |session: &LoginSession| {
        let may = match user {
            Some(user) => session.user == user,
            None => session.is_active,
        };
        session.uid == caller && may
    };
    caller == 0 || sessions.iter().any(is_theirs)
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            online: true,
            source: None,
            asleep: false,
            person: Person::Present,
            has_agent: true,
        }
    }
}

/// A tunnel was lost and is not back yet.
#[derive(Debug)]
pub(super) struct Reconnect {
    since: Instant,
    /// When NetworkManager is told; `None` once it has been.
    tell_at: Option<Instant>,
    obstacle: Option<Obstacle>,
    /// Whether a person has asked for the login that brings it back.
    pub(super) login_is_wanted: bool,
}

/// What has to be waited for before OpenVPN may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    Asleep,
    Offline,
    Locked,
    Absent,
    /// NetworkManager could ask nobody.
    NoAgent,
    /// The last login was a moment ago.
    LoginPause(Instant),
}

impl Obstacle {
    fn what_is_waited_for(self) -> &'static str {
        match self {
            Self::Asleep => "the computer to wake up",
            Self::Offline => "a network",
            Self::Locked => "the screen to be unlocked, for a login",
            Self::Absent => "somebody to be there for a login",
            Self::NoAgent => "the desktop to be ready for a login",
            Self::LoginPause(_) => "some time to pass since the last login",
        }
    }
}

impl Session {
    /// The tunnel is lost.
    pub(super) fn lost(&mut self, why: &str, now: Instant) {
        self.note(format!("the connection was lost ({why}); connecting again"));
        self.reconnect = Some(Reconnect {
            since: now,
            tell_at: Some(now + QUIET),
            obstacle: None,
            login_is_wanted: matches!(self.renewal, Some(Renewal::Fetching { .. })),
        });
        let was_stable = |since: Instant| now.saturating_duration_since(since) >= STABLE;
        if self.up_since.is_some_and(was_stable) {
            self.login_pace = LoginPace::default();
        }
        self.failures = 0;
        self.remote.reached();
        let renewal = self.renewal.take();
        let has_answer = self.last_answer.is_some();
        let phase = match self.profile.sign_in() {
            SignIn::Saml if has_answer => Phase::Reuse,
            SignIn::Saml | SignIn::Password { .. } | SignIn::Certificate => Phase::First,
        };
        self.connect(phase, now);
        match renewal {
            // A page is open already: its answer brings the tunnel back.
            Some(Renewal::AwaitingLogin(login)) => self.state = State::AwaitingLogin(login),
            Some(Renewal::Fetching { .. }) => self.effects.push_back(Effect::EndSecond),
            None => {}
        }
    }

    /// Whether a person has asked for the sign-in that brings the lost tunnel back.
    pub(super) fn is_renewed(&self) -> bool {
        let reconnect = self.reconnect.as_ref();
        reconnect.is_some_and(|reconnect| reconnect.login_is_wanted)
    }

    /// NetworkManager has been told of the loss.
    pub(super) fn is_shown_already(&mut self) {
        if let Some(reconnect) = &mut self.reconnect {
            reconnect.tell_at = None;
        }
    }

    /// Tells NetworkManager that the tunnel is up, as it is.
    pub(super) fn show_as_up(&mut self) {
        if let Some(config) = self.config_of_the_tunnel() {
            self.hand_over(config);
        }
    }

    /// What NetworkManager was told of the tunnel, for another time.
    fn config_of_the_tunnel(&self) -> Option<IpConfig> {
        self.configured.as_ref()?.ip_config(self.generation).ok()
    }

    /// How long to wait after one more attempt that led nowhere.
    pub(super) fn next_pause(&mut self) -> Duration {
        let pauses = self.failures.min(MOST_DOUBLINGS);
        self.failures += 1;
        match pauses {
            0 => Duration::ZERO,
            pauses => Duration::from_secs(1 << (pauses - 1)).min(LONGEST_PAUSE),
        }
    }

    /// An attempt led nowhere.
    pub(super) fn attempt_failed(&mut self, why: &str, now: Instant) {
        self.note(format!("no success at this address ({why}); trying again"));
        let pause = self.next_pause();
        if !pause.is_zero() {
            self.release_at = Some(now + pause);
        }
        if self.reconnect.is_some() {
            if !self.surroundings.online {
                return;
            }
            self.resolve_first_remote();
        }
        self.remote.failed();
        if let State::Connecting { phase, .. } = &mut self.state
            && *phase == Phase::Reuse
        {
            // The answer means nothing to another node, and OpenVPN may have it still.
            *phase = Phase::First;
            if self.given.take() == Some(Phase::Reuse) {
                self.send(Command::ForgetPasswords);
            }
        }
    }

    /// The world around the connection has changed.
    pub(super) fn surroundings_changed(&mut self, surroundings: Surroundings, now: Instant) {
        let before = std::mem::replace(&mut self.surroundings, surroundings);
        let moved = before.source.is_some()
            && surroundings.source.is_some()
            && before.source != surroundings.source;
        if moved {
            self.note("this computer has another address on the way to the endpoint".to_owned());
            // Packets find their way from any address; a connection of TCP is bound to one.
            if matches!(self.state, State::Connected)
                && self.remote.transport == Some(Transport::Tcp)
            {
                self.send(Command::Restart);
            }
        }
        if before.person != surroundings.person {
            self.note(match surroundings.person {
                Person::Present => "somebody is there who could sign in".to_owned(),
                Person::Locked => "the screen is locked".to_owned(),
                Person::Absent => "nobody is there who could sign in".to_owned(),
            });
        }
        if matches!(self.state, State::MakingWay(_)) && self.hindrance_to_a_login(now).is_some() {
            self.page_is_not_opened(now);
        }
        if self.reconnect.is_some() {
            self.release_hold(now);
        }
    }

    /// Lets OpenVPN go on, unless it has to wait.
    pub(super) fn release_hold(&mut self, now: Instant) {
        if !self.held || !matches!(self.state, State::Connecting { .. }) {
            return;
        }
        let obstacle = self.obstacle(now);
        if let Some(reconnect) = &mut self.reconnect
            && reconnect.obstacle != obstacle
        {
            reconnect.obstacle = obstacle;
            match (obstacle, &self.state) {
                (Some(obstacle), _) => {
                    let what = obstacle.what_is_waited_for();
                    self.note(format!("waiting for {what}"));
                }
                (None, State::Connecting { phase, .. }) => {
                    let phase = *phase;
                    self.note("going on".to_owned());
                    self.connect(phase, now);
                }
                (None, _) => {}
            }
        }
        if obstacle.is_some() || self.release_at.is_some_and(|at| now < at) {
            return;
        }
        self.release_at = None;
        self.held = false;
        self.send(Command::HoldRelease);
    }

    fn obstacle(&self, now: Instant) -> Option<Obstacle> {
        self.reconnect.as_ref()?;
        if self.begins_a_login() {
            self.hindrance_to_a_login(now)
        } else {
            self.obstacle_to_an_attempt()
        }
    }

    fn obstacle_to_an_attempt(&self) -> Option<Obstacle> {
        if self.surroundings.asleep {
            Some(Obstacle::Asleep)
        } else if !self.surroundings.online {
            Some(Obstacle::Offline)
        } else {
            None
        }
    }

    /// What has to be waited for before a person may be asked to sign in.
    pub(super) fn hindrance_to_a_login(&self, now: Instant) -> Option<Obstacle> {
        self.obstacle_to_an_attempt().or(
            match (self.surroundings.person, self.login_pace.not_before) {
                (Person::Locked, _) => Some(Obstacle::Locked),
                (Person::Absent, _) => Some(Obstacle::Absent),
                (Person::Present, Some(then)) if now < then => Some(Obstacle::LoginPause(then)),
                (Person::Present, _) if !self.surroundings.has_agent => Some(Obstacle::NoAgent),
                (Person::Present, _) => None,
            },
        )
    }

    /// Whether the attempt that comes ends with a question to a person.
    fn begins_a_login(&self) -> bool {
        let is_first = matches!(
            self.state,
            State::Connecting {
                phase: Phase::First,
                ..
            }
        );
        is_first && self.needs_a_person()
    }

    /// Whether nothing but a person brings the tunnel back, once the last answer is refused.
    fn needs_a_person(&self) -> bool {
        !self.has_token
            && match self.profile.sign_in() {
                SignIn::Saml => true,
                SignIn::Password { .. } | SignIn::Certificate => {
                    !self.credentials.missing_for(&self.profile).is_empty()
                }
            }
    }

    /// A login that nobody asked for is asked for now.
    pub(super) fn count_login(&mut self, now: Instant) {
        let pause = LOGIN_PAUSE * 2_u32.pow(self.login_pace.logins.min(MOST_DOUBLINGS));
        self.login_pace.logins += 1;
        self.login_pace.not_before = Some(now + pause);
    }

    /// Takes back what would lead a browser into the tunnel that is down; when that is done.
    pub(super) fn make_way(&mut self, now: Instant) -> Instant {
        let configured = self.configured.as_ref();
        let config = configured.map(|configured| configured.ip_config_for_a_login(self.generation));
        if let Some(Ok(config)) = config {
            self.has_made_way = true;
            self.configure(config, now);
        }
        now + SETTLE
    }

    /// Leads everything into the tunnel again, though nothing comes through it yet.
    pub(super) fn end_way(&mut self, now: Instant) {
        if std::mem::take(&mut self.has_made_way)
            && let Some(config) = self.config_of_the_tunnel()
        {
            self.configure(config, now);
        }
    }

    /// NetworkManager forgets the name servers of a VPN that fails only if it was past "connecting"
    /// (nm-policy.c): so it is given settings once more, without any. Returns whether it was.
    pub(super) fn leave_no_names_behind(&mut self) -> bool {
        let is_shown = self.reconnect.is_some() && self.announced == ServiceState::Starting;
        let configured = self.configured.as_ref().filter(|_| is_shown);
        let config = configured.map(|configured| configured.ip_config_for_a_login(self.generation));
        let Some(Ok(config)) = config else {
            return false;
        };
        self.hand_over(config);
        true
    }

    /// Hands over settings in the midst of a reconnect. NetworkManager takes settings for the end
    /// of an attempt, whenever it next looks at them: so an attempt ends, for a moment, and once
    /// it has taken them in, the next begins.
    pub(super) fn configure(&mut self, config: IpConfig, now: Instant) {
        self.hand_over(config);
        if let Some(reconnect) = &mut self.reconnect {
            let settled = now + SETTLE;
            let at = reconnect.tell_at.map_or(settled, |at| at.max(settled));
            reconnect.tell_at = Some(at);
        }
    }

    /// Hands over settings, as the end of an attempt.
    pub(super) fn hand_over(&mut self, config: IpConfig) {
        self.generation = self.generation.wrapping_add(1);
        self.announce(ServiceState::Starting);
        self.effects.push_back(Effect::Configure(Box::new(config)));
        self.announce(ServiceState::Started);
    }

    /// The tunnel is up; whether it was lost before, and nobody was told.
    pub(super) fn came_back(&mut self, now: Instant) -> bool {
        self.failures = 0;
        self.up_since = Some(now);
        let Some(reconnect) = self.reconnect.take() else {
            self.note("the tunnel is up".to_owned());
            return false;
        };
        let seconds = now.saturating_duration_since(reconnect.since).as_secs();
        self.note(format!("the tunnel is up again, after {seconds} s"));
        let has_made_way = std::mem::take(&mut self.has_made_way);
        self.announced == ServiceState::Started && !has_made_way
    }

    /// Whether a person is about to be asked, so that it matters whether an agent is there.
    #[must_use]
    pub fn may_ask_a_person(&self) -> bool {
        let Some(reconnect) = &self.reconnect else {
            return false;
        };
        let is_next = self.begins_a_login() || matches!(self.state, State::MakingWay(_));
        is_next && matches!(reconnect.obstacle, None | Some(Obstacle::NoAgent))
    }

    /// Whether an obstacle is waited for: the endpoint owes no answer meanwhile.
    pub(super) fn is_waiting(&self) -> bool {
        let waiting = |reconnect: &Reconnect| reconnect.obstacle.is_some();
        self.reconnect.as_ref().is_some_and(waiting)
    }

    /// When something is due that has nothing to do with the state.
    pub(super) fn reconnect_deadline(&self) -> Option<Instant> {
        if !matches!(self.state, State::Connecting { .. }) {
            return None;
        }
        let reconnect = self.reconnect.as_ref();
        let tell_at = reconnect.and_then(|reconnect| reconnect.tell_at);
        let release_at = self.release_at.filter(|_| self.held && !self.is_waiting());
        let pause_over = match reconnect.and_then(|reconnect| reconnect.obstacle) {
            Some(Obstacle::LoginPause(then)) => Some(then),
            Some(
                Obstacle::Asleep
                | Obstacle::Offline
                | Obstacle::Locked
                | Obstacle::Absent
                | Obstacle::NoAgent,
            )
            | None => None,
        };
        [tell_at, release_at, pause_over]
            .into_iter()
            .flatten()
            .min()
    }

    /// NetworkManager is told that there is no tunnel, if there was one.
    pub(super) fn tell_of_the_loss(&mut self) {
        if let Some(reconnect) = &mut self.reconnect {
            reconnect.tell_at = None;
            self.announce(ServiceState::Starting);
        }
    }

    /// The time of [`Self::reconnect_deadline`] has come.
    pub(super) fn reconnect_due(&mut self, now: Instant) {
        let tell_at = self.reconnect.as_ref().and_then(|lost| lost.tell_at);
        if tell_at.is_some_and(|at| now >= at) {
            self.tell_of_the_loss();
        }
        self.release_hold(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_in_has_to_be_there_again() {
        let session = |user: &str, is_graphical, is_active, is_locked| LoginSession {
            user: user.to_owned(),
            uid: if user == "ada" { 1000 } else { 1001 },
            is_graphical,
            is_active,
            is_locked,
        };
        let at = |sessions: &[LoginSession]| person_at(sessions, Some("ada"));
        assert_eq!(at(&[]), Person::Absent);
        assert_eq!(at(&[session("ada", true, true, false)]), Person::Present);
        assert_eq!(at(&[session("ada", true, true, true)]), Person::Locked);
        assert_eq!(at(&[session("bob", true, true, false)]), Person::Absent);
        // Another user has taken over the screen.
        let switched = [
            session("ada", true, false, false),
            session("bob", true, true, false),
        ];
        assert_eq!(at(&switched), Person::Absent);
        // The text console beside a locked desktop does not show a browser.
        let both = [
            session("ada", true, true, true),
            session("ada", false, true, false),
        ];
        assert_eq!(at(&both), Person::Locked);
        assert_eq!(at(&[session("ada", false, true, false)]), Person::Present);
        assert_eq!(person_at(&switched, None), Person::Present);
        // Both are logged in, and only one has signed in.
        let may = |caller| may_act_for(&switched, Some("ada"), caller);
        assert_eq!([0, 1000, 1001, 1002].map(may), [true, true, false, false]);
        // If nobody knows who has: who is at the screen, and nobody else.
        let may = |caller| may_act_for(&switched, None, caller);
        assert_eq!([0, 1000, 1001, 1002].map(may), [true, false, true, false]);
    }
}
