//! The end of a sign-in, told in time.
//!
//! An endpoint lets a sign-in count for 8 to 24 hours and then ends the connection; it does not
//! say how long, so this is a setting. Near the end the person is told, and may renew it at a
//! moment of their own choice. The endpoint's clock goes on while this computer sleeps.

use super::{Effect, Session, State};
use std::time::{Duration, Instant};

/// How long before the end the person is told.
const NOTICE: Duration = Duration::from_secs(600);

/// A sign-in and its end, if it is known.
#[derive(Debug, Default)]
pub(super) struct Term {
    ends: Option<Instant>,
    tell_at: Option<Instant>,
}

impl Session {
    /// The endpoint has accepted a sign-in.
    pub(super) fn signed_in(&mut self, now: Instant) {
        self.term = match self.limits.session {
            // A short one is told of when a quarter of it is left.
            Some(length) => Term {
                ends: Some(now + length),
                tell_at: Some(now + length - NOTICE.min(length / 4)),
            },
            None => Term::default(),
        };
    }

    /// The computer has slept for `length`: the end is nearer by as much.
    pub(super) fn slept(&mut self, length: Duration) {
        for time in [&mut self.term.ends, &mut self.term.tell_at] {
            *time = time.and_then(|time| time.checked_sub(length));
        }
    }

    /// When the endpoint ends the connection, if that is known.
    #[must_use]
    pub fn sign_in_ends(&self) -> Option<Instant> {
        self.term.ends
    }

    /// When the end has to be told.
    pub(super) fn term_deadline(&self) -> Option<Instant> {
        self.term
            .tell_at
            .filter(|_| matches!(self.state, State::Connected))
    }

    /// The time of [`Self::term_deadline`] has come.
    pub(super) fn term_nears_its_end(&mut self, now: Instant) {
        if self.term_deadline().is_none_or(|at| now < at) {
            return;
        }
        self.term.tell_at = None;
        if let Some(ends) = self.term.ends {
            let left = ends.saturating_duration_since(now);
            self.effects.push_back(Effect::SignInEnds { left });
        }
    }
}
