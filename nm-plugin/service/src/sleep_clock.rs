//! How long the computer has slept.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The two clocks are read one after the other: a smaller difference is no sleep.
const LEAST: Duration = Duration::from_millis(500);

/// CLOCK_BOOTTIME, which goes on during sleep, minus CLOCK_MONOTONIC, which does not.
pub(crate) struct SleepClock(Duration);

impl SleepClock {
    /// Begins now.
    pub(crate) fn start() -> Self {
        Self(ahead())
    }

    /// How long the computer has slept since the last call.
    pub(crate) fn slept(&mut self) -> Option<Duration> {
        self.slept_by(ahead())
    }

    fn slept_by(&mut self, ahead: Duration) -> Option<Duration> {
        let slept = ahead.saturating_sub(self.0);
        if slept < LEAST {
            return None;
        }
        self.0 = ahead;
        Some(slept)
    }
}

fn ahead() -> Duration {
    let awake = clock_gettime(ClockId::Monotonic);
    Duration::try_from(clock_gettime(ClockId::Boottime) - awake).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sleep_is_told_once() {
        let mut clock = SleepClock(Duration::from_secs(100));
        let mut at = |seconds| clock.slept_by(Duration::from_secs_f64(seconds));
        assert_eq!(at(100.0), None);
        assert_eq!(at(100.4), None);
        assert_eq!(at(3700.0), Some(Duration::from_secs(3600)));
        assert_eq!(at(3700.0), None);
        assert_eq!(at(3699.9), None);
        assert_eq!(SleepClock::start().slept(), None);
    }
}
