//! How long something takes, but for the time in which the machine stood still: one that others use,
//! too, may do nothing for seconds.

use crate::wait::wait_for;
use std::time::{Duration, Instant};

/// Between two looks, more than this is not the program's that is looked at.
const LONGEST_LOOK: Duration = Duration::from_millis(500);

/// A stopwatch that runs. It is to be looked at again and again.
#[derive(Debug)]
pub struct Stopwatch {
    counted: Duration,
    last: Instant,
}

impl Stopwatch {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self {
            counted: Duration::ZERO,
            last: Instant::now(),
        }
    }

    /// The time since its start, as far as it counts.
    pub fn look(&mut self) -> Duration {
        let now = Instant::now();
        self.counted += (now - self.last).min(LONGEST_LOOK);
        self.last = now;
        self.counted
    }

    /// As [`wait_for`], and looks at itself meanwhile.
    pub fn wait_for<T>(
        &mut self,
        limit: Duration,
        mut condition: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        wait_for(limit, || {
            let found = condition();
            self.look();
            found
        })
    }
}
