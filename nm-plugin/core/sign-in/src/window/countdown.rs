//! The time that a person still has, as a window or a terminal shows it.

use std::time::{Duration, Instant};

/// A span of time that runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Countdown {
    end: Instant,
    whole: Duration,
}

impl Countdown {
    /// Starts it at `now`.
    pub fn new(now: Instant, whole: Duration) -> Self {
        Self {
            end: now + whole,
            whole,
        }
    }

    /// What is left, as `9:58`: rounded up, so that it shows zero only when it is over.
    pub fn clock(&self, now: Instant) -> String {
        let left = self.left(now);
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }

    /// Which part is left, from 1 down to 0.
    #[must_use]
    pub fn fraction(&self, now: Instant) -> f64 {
        if self.whole.is_zero() {
            return 0.0;
        }
        self.left(now).as_secs_f64() / self.whole.as_secs_f64()
    }

    /// Whether it is worth a warning: the last half minute, unless there never was more.
    pub fn is_short(&self, now: Instant) -> bool {
        self.left(now) <= SHORT && self.whole > SHORT
    }

    fn left(&self, now: Instant) -> Duration {
        self.end.saturating_duration_since(now)
    }
}

const SHORT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_out_and_stays_there() {
        // Any moment will do: core has no clock.
        #[expect(clippy::disallowed_methods, reason = "a moment to count from")]
        let start = Instant::now();
        let countdown = Countdown::new(start, Duration::from_secs(600));
        for (after, clock, fraction, short) in [
            (0, "10:00", 1.0, false),
            (500, "10:00", 0.999, false),
            (1_000, "9:59", 0.998, false),
            (300_000, "5:00", 0.5, false),
            (570_000, "0:30", 0.05, true),
            (599_001, "0:01", 0.0, true),
            (600_000, "0:00", 0.0, true),
            (900_000, "0:00", 0.0, true),
        ] {
            let now = start + Duration::from_millis(after);
            assert_eq!(countdown.clock(now), clock, "{after}");
            let difference = countdown.fraction(now) - fraction;
            assert!(difference.abs() < 0.002, "{after}");
            assert_eq!(countdown.is_short(now), short, "{after}");
        }
        assert_eq!(Countdown::new(start, Duration::ZERO).fraction(start), 0.0);
        let never_more = Countdown::new(start, SHORT);
        assert!(!never_more.is_short(start) && !never_more.is_short(start + SHORT));
    }
}
