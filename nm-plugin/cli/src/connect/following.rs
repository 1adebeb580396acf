//! What NetworkManager tells of one activation.

use crate::answer::Outcome;
use crate::waiting::Waiting;
use aws_client_vpn_attempt::failure_of;
use aws_client_vpn_attempt::progress::{self, Progress};
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_network_manager::is_up;
use aws_client_vpn_network_manager::signals::{self, vpn_state};
use aws_client_vpn_profile::last_failure::FailureKind;
use aws_client_vpn_profile::well_known::network_manager::NAME;
use aws_client_vpn_profile::well_known::{service_of, state_reason, vpn_state as states};
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;
use futures_lite::StreamExt;
use std::time::Duration;
use tokio::time::sleep;
use zbus::MessageStream;

/// How many signals may wait.
const QUEUE: usize = 256;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Something else is waited for now.
    Working(String),
    /// The connection is up.
    Up,
    /// The attempt, or the connection, is over.
    Ended(Ended),
    /// NetworkManager is gone.
    ManagerGone,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// Why.
    pub reason: Message,
    /// The outcome, for exit code and JSON.
    pub outcome: Outcome,
}

/// Between two questions what a connection that is being made waits for.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// Between two questions whether a connection that NetworkManager calls up is.
const PAUSE: Duration = Duration::from_millis(500);

/// Listens on a connection of its own, on which nothing is called.
pub(super) struct Following {
    /// Where the service is asked.
    bus: zbus::Connection,
    uuid: String,
    /// The activation that is followed.
    pub(super) path: String,
    states: MessageStream,
    manager: MessageStream,
    /// Whether another program began it.
    is_joined: bool,
    /// Whether it has come further than to a look at what NetworkManager keeps.
    is_on_its_way: bool,
    /// Whether the connection is deleted.
    is_removed: bool,
    /// Whether NetworkManager calls it up, which its service has not confirmed yet.
    is_claimed: bool,
    /// Whether NetworkManager has called it up before it was.
    was_claimed: bool,
    /// NetworkManager's last state.
    state: u32,
    /// What the lost connection waits for.
    waiting: Option<Waiting>,
    said: Option<String>,
}

impl Following {
    /// Listens before anything is asked for, so that nothing is missed.
    pub(super) async fn start(uuid: &str, asking: zbus::Connection) -> zbus::Result<Self> {
        let bus = zbus::Connection::system().await?;
        let manager = signals::owner_changes()?.add_arg(NAME)?.build();
        let follow = |rule| MessageStream::for_match_rule(rule, &bus, Some(QUEUE));
        Ok(Self {
            bus: asking,
            uuid: uuid.to_owned(),
            path: String::new(),
            states: follow(signals::vpn_states()?).await?,
            manager: follow(manager).await?,
            is_joined: false,
            is_on_its_way: false,
            is_removed: false,
            is_claimed: false,
            was_claimed: false,
            state: states::UNKNOWN,
            waiting: None,
            said: None,
        })
    }

    /// Follows the activation at `path` from here on, which another program began if it `is_joined`.
    pub(super) fn begin(&mut self, path: &str, is_joined: bool) {
        path.clone_into(&mut self.path);
        self.is_joined = is_joined;
    }

    /// What is waited for in `state`, in which no signal may come for long.
    pub(super) fn now(&mut self, state: u32) -> Option<String> {
        match self.step(state, 0) {
            Some(Step::Working(words)) => Some(words),
            _ => None,
        }
    }

    /// What happens next. Nothing is lost if the future is dropped.
    pub(super) async fn next(&mut self) -> Step {
        loop {
            tokio::select! {
                biased;
                state = self.states.next() => {
                    let Some(Ok(signal)) = state else { return Step::ManagerGone };
                    if let Some((path, state, reason)) = vpn_state(&signal)
                        && path == self.path
                        && let Some(step) = self.step(state, reason)
                    {
                        return step;
                    }
                }
                change = self.manager.next() => {
                    let Some(Ok(signal)) = change else { return Step::ManagerGone };
                    let body = signal.body();
                    let owners = body.deserialize::<(&str, &str, &str)>();
                    if owners.is_ok_and(|(_, _, owner)| owner.is_empty()) {
                        return Step::ManagerGone;
                    }
                }
                () = confirmed(&self.bus, &self.path), if self.is_claimed => {
                    self.is_claimed = false;
                    self.was_claimed = false;
                    self.waiting = None;
                    self.said = None;
                    // Whoever began it may be gone by the next sign-in.
                    self.is_joined = false;
                    return Step::Up;
                }
                waiting = other_wait(&self.bus, &self.path, self.waiting.as_ref()),
                    if self.state == states::CONNECT =>
                {
                    self.waiting = waiting;
                    if let Some(step) = self.step(states::CONNECT, 0) {
                        return step;
                    }
                }
            }
        }
    }

    fn step(&mut self, state: u32, reason: u32) -> Option<Step> {
        self.state = state;
        if !matches!(state, states::CONNECT | states::ACTIVATED) {
            self.waiting = None;
        }
        self.was_claimed |= std::mem::take(&mut self.is_claimed);
        self.is_on_its_way |= self.is_joined || state == states::CONNECT;
        // NetworkManager says it first, and then that somebody disconnected it.
        self.is_removed |= reason == state_reason::CONNECTION_REMOVED;
        let reason = match self.is_removed {
            true => state_reason::CONNECTION_REMOVED,
            false => reason,
        };
        match progress::of_activation(&self.uuid, &self.path, state, reason) {
            // Nobody is asked yet.
            Progress::Working(_) if state == states::NEED_AUTH && !self.is_on_its_way => None,
            // Nothing is set up again.
            Progress::Working(_) if state == states::IP_CONFIG_GET && self.was_claimed => None,
            Progress::Working(words) => {
                let words = match (&self.waiting, state) {
                    (Some(waiting), states::CONNECT) => waiting.words(),
                    // Its agent was asked first.
                    (_, states::NEED_AUTH) if self.is_joined => gettext!(
                        "Waiting for the sign-in, which another program shows. Complete it there."
                    ),
                    _ => words,
                };
                let is_new = self.said.as_ref() != Some(&words);
                self.said = Some(words.clone());
                is_new.then_some(Step::Working(words))
            }
            Progress::Connected => {
                self.is_claimed = true;
                None
            }
            Progress::SwitchedOff => Some(Step::Ended(Ended {
                reason: message!(
                    // TRANSLATORS: Follows “'{name}' is not connected.”: it is the connection.
                    "Somebody disconnected it."
                ),
                outcome: Outcome::Cancelled,
            })),
            Progress::Failed(_) => {
                let failure = failure_of(&self.uuid, &self.path);
                let kind = failure.as_ref().map(|failure| failure.kind);
                let number = || Message::new(progress::failure(reason));
                Some(Step::Ended(Ended {
                    reason: failure.map_or_else(number, |failure| failure.reason),
                    outcome: outcome(kind, reason),
                }))
            }
        }
    }
}

/// Waits until the connection is up, which NetworkManager also says of one that is lost when something
/// changes around its interface, until the service has told it better. A tunnel that comes up in that
/// moment is no news to it.
async fn confirmed(bus: &zbus::Connection, path: &str) {
    while is_up(bus, path).await != Some(true) {
        sleep(PAUSE).await;
    }
}

/// Waits until the connection waits for something else than for `known`.
async fn other_wait(
    bus: &zbus::Connection,
    path: &str,
    known: Option<&Waiting>,
) -> Option<Waiting> {
    loop {
        let told = Waiting::of(bus, &service_of(path)).await;
        if let Some(waiting) = told
            && waiting.as_ref() != known
        {
            return waiting;
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// As the service recorded it, else by NetworkManager's reason code.
fn outcome(kind: Option<FailureKind>, reason: u32) -> Outcome {
    match (kind, reason) {
        (Some(FailureKind::Refused), _) => Outcome::Refused,
        (Some(FailureKind::TimedOut), _) => Outcome::TimedOut,
        (Some(FailureKind::Unreachable), _) => Outcome::Unreachable,
        (Some(FailureKind::NobodyToAsk), _) => Outcome::NobodyToAsk,
        (Some(FailureKind::Ended), _) => Outcome::NotConnected,
        (Some(FailureKind::Cancelled), _) => Outcome::Cancelled,
        (Some(FailureKind::Other), _) => Outcome::Failed,
        (None, state_reason::LOGIN_FAILED) => Outcome::Refused,
        (None, state_reason::NO_SECRETS) => Outcome::NobodyToAsk,
        (None, state_reason::CONNECT_TIMEOUT) => Outcome::TimedOut,
        (None, state_reason::DEVICE_DISCONNECTED) => Outcome::Unreachable,
        (None, state_reason::CONNECTION_REMOVED) => Outcome::NotFound,
        (None, _) => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_s_word_goes_before_networkmanager_s_number() {
        let refused = state_reason::LOGIN_FAILED;
        for (kind, reason, expected) in [
            (Some(FailureKind::TimedOut), refused, Outcome::TimedOut),
            (Some(FailureKind::Cancelled), refused, Outcome::Cancelled),
            (
                Some(FailureKind::NobodyToAsk),
                refused,
                Outcome::NobodyToAsk,
            ),
            (None, refused, Outcome::Refused),
            (None, state_reason::NO_SECRETS, Outcome::NobodyToAsk),
            (
                None,
                state_reason::DEVICE_DISCONNECTED,
                Outcome::Unreachable,
            ),
            (None, state_reason::CONNECTION_REMOVED, Outcome::NotFound),
            (None, state_reason::UNKNOWN, Outcome::Failed),
        ] {
            assert_eq!(outcome(kind, reason), expected);
        }
    }
}
