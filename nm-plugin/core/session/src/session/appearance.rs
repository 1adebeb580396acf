//! What NetworkManager shows of a connection, and what follows from it.
//!
//! Once it has had settings, it takes any change of the tunnel's interface for the end of an
//! attempt: nm-vpn-connection.c (1.36 to 1.58) never clears `wait_for_pre_up_state`. It then says
//! "activated" while there is no tunnel, drops a question that a person is being asked, and ignores
//! the next one. So what it shows is watched, and put right.
//!
//! When it takes a connection down, it runs the dispatcher's pre-down scripts first, and shows
//! "activated" meanwhile, with the reason for the end. A service that says "starting" then cancels
//! the scripts and the end with them, in any version: so from that moment on nothing is said any
//! more, whatever the state was, until Disconnect comes.

use super::{Effect, Input, Process, ServiceState, Session, State};
use crate::network_manager::{Reason, Shown};
use std::time::Instant;

impl Session {
    /// NetworkManager says something of the connection.
    pub(super) fn shown(&mut self, shown: Shown, now: Instant) {
        match shown {
            Shown::TakenDown(reason) | Shown::Ended(reason) => self.taken_down(reason),
            Shown::Making | Shown::NeedsAnswer | Shown::Activated
                if matches!(self.state, State::TakenDown) =>
            {
                // What was said a moment before it began to take the connection down has crossed
                // the news of it, and Disconnect does not come any more.
                self.stop("NetworkManager was about to take it down", now);
            }
            Shown::NeedsAnswer => {
                if let Some(login) = self.login() {
                    login.is_asked = true;
                }
            }
            Shown::Activated if self.announced == ServiceState::Starting && self.was_up() => {
                self.note(
                    "NetworkManager takes the connection for one that is up; telling it again"
                        .to_owned(),
                );
                self.announce_anew();
                self.ask_anew(now);
            }
            // It has settings again, and takes that for a tunnel that is up.
            Shown::Activated if matches!(self.state, State::Connecting { .. }) => {
                self.tell_of_the_loss();
            }
            // It has taken in the browser's answer: told any earlier, it would keep the settings to
            // itself.
            Shown::Making if matches!(self.state, State::Connecting { .. }) => self.end_way(now),
            Shown::Making | Shown::Activated => {}
        }
    }

    /// Nothing is tried, asked or announced any more. A tunnel that is up stays: scripts may need
    /// it. NetworkManager limits how long they take, and if it goes, so does the session.
    fn taken_down(&mut self, reason: Reason) {
        if matches!(self.state, State::TakenDown) {
            return;
        }
        self.note(format!(
            "NetworkManager takes the connection down ({})",
            reason.in_words()
        ));
        self.end_renewal();
        self.reconnect = None;
        self.release_at = None;
        self.state = State::TakenDown;
    }

    /// Takes in what happened while NetworkManager takes the connection down.
    pub(super) fn while_taken_down(&mut self, input: Input, now: Instant) {
        match input {
            Input::Disconnect => self.stop("NetworkManager asked for it", now),
            Input::NetworkManagerGone => self.stop("NetworkManager is gone", now),
            Input::Shown(shown) => self.shown(shown, now),
            Input::OpenVpnEnded(_) | Input::NotStarted(_) => self.process = Process::Gone,
            Input::Resolved { .. }
            | Input::NotSent(_)
            | Input::Management(_)
            | Input::Second(_)
            | Input::SecondEnded(_)
            | Input::NewSecrets(_)
            | Input::Unprotected(_)
            | Input::Surroundings(_)
            | Input::Renew
            | Input::Slept(_)
            | Input::TimePassed => {}
        }
    }

    /// OpenVPN lives on for that moment, as NetworkManager refuses settings of an interface that is
    /// gone, forgets no names then, and tells the user that the settings were wrong.
    pub(super) fn while_failing(&mut self, input: Input, now: Instant) {
        let State::Failing { until, .. } = &self.state else {
            return;
        };
        let is_taken_in = match input {
            Input::Disconnect => {
                self.stop("NetworkManager asked for it", now);
                return;
            }
            Input::NetworkManagerGone => {
                self.stop("NetworkManager is gone", now);
                return;
            }
            Input::Shown(Shown::TakenDown(reason) | Shown::Ended(reason)) => {
                self.taken_down(reason);
                return;
            }
            Input::OpenVpnEnded(_) | Input::NotStarted(_) => {
                self.process = Process::Gone;
                true
            }
            Input::Shown(Shown::Activated) => true,
            Input::TimePassed => now >= *until,
            Input::Shown(Shown::Making | Shown::NeedsAnswer)
            | Input::Resolved { .. }
            | Input::NotSent(_)
            | Input::Management(_)
            | Input::Second(_)
            | Input::SecondEnded(_)
            | Input::NewSecrets(_)
            | Input::Unprotected(_)
            | Input::Surroundings(_)
            | Input::Renew
            | Input::Slept(_) => false,
        };
        if is_taken_in
            && let State::Failing { failure, .. } =
                std::mem::replace(&mut self.state, State::TakenDown)
        {
            self.failed(failure, now);
        }
    }

    /// Whether it was told before that the connection is up.
    fn was_up(&self) -> bool {
        self.reconnect.is_some() || self.awaits_login_beside_the_tunnel()
    }

    /// NetworkManager goes back to "connecting" only from a service that says it was up.
    fn announce_anew(&mut self) {
        for state in [ServiceState::Started, ServiceState::Starting] {
            self.effects.push_back(Effect::Announce(state));
        }
        self.announced = ServiceState::Starting;
    }
}
