//! The end of a sign-in, announced some time before.
//!
//! An endpoint lets a sign-in count for 8 to 24 hours and then ends the connection; it does not
//! say how long, so this is a setting. Near the end the person is told, and may renew it at a
//! moment of their own choice. The endpoint's clock goes on while this computer sleeps.

use std::time::{Duration, Instant};

/// How long before the end the person is told.
const NOTICE: Duration = Duration::from_secs(600);

/// A sign-in and its end, if it is known.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    pub(super) ends: Option<Instant>,
    /// When the person is told of it; `None` once that is done.
    pub(super) notice_at: Option<Instant>,
}

impl Expiry {
    /// The endpoint has accepted a sign-in at `now`, which counts for `length`.
    pub(super) fn of(length: Option<Duration>, now: Instant) -> Self {
        Self {
            ends: length.map(|length| now + length),
            // A short one is told of when a quarter of it is left.
            notice_at: length.map(|length| now + length - NOTICE.min(length / 4)),
        }
    }

    /// The computer has slept for `length`: the end is nearer by as much.
    pub(super) fn slept(&mut self, length: Duration) {
        for time in [&mut self.ends, &mut self.notice_at] {
            *time = time.and_then(|time| time.checked_sub(length));
        }
    }

    /// How long it still counts, if the person has to be told now. Nobody is told of an end that
    /// the computer has slept through.
    pub(super) fn due(&mut self, now: Instant) -> Option<Duration> {
        self.notice_at.take_if(|at| now >= *at)?;
        let left = self.ends?.checked_duration_since(now)?;
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_once_and_not_when_it_was_slept_through() {
        #[expect(clippy::disallowed_methods, reason = "a moment to count from")]
        let now = Instant::now() + Duration::from_secs(3600);
        let length = Duration::from_secs(400);
        let fresh = || Expiry {
            ends: Some(now + length),
            notice_at: Some(now + length - Duration::from_secs(100)),
        };
        let mut told = fresh();
        assert_eq!(told.due(now), None);
        let then = now + Duration::from_secs(310);
        assert_eq!(told.due(then), Some(Duration::from_secs(90)));
        assert_eq!(told.due(then), None);
        for slept in [400, 500] {
            let mut over = fresh();
            over.slept(Duration::from_secs(slept));
            assert_eq!(over.due(now), None, "{slept}");
        }
    }
}
