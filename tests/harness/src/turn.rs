//! Labs take turns: a machine that runs too many at a time keeps none of their time limits.

use std::sync::{Condvar, Mutex};

/// How many labs run at a time. Each has some fifteen processes, which wait more than they compute:
/// this many keep two processors busy. As many tests run at a time (`.cargo/config.toml`).
const PLACES: usize = 6;
/// How many places a lab takes that has a desktop, which draws its windows on the processor.
const PLACES_OF_A_DESKTOP: usize = 3;

/// Leave to run one of a few labs.
#[derive(Debug)]
pub(crate) struct Turn {
    places: usize,
}

static TAKEN: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

impl Turn {
    pub(crate) fn take(with_desktop: bool) -> Self {
        let places = if with_desktop { PLACES_OF_A_DESKTOP } else { 1 };
        let mut taken = TAKEN.lock().expect("not poisoned");
        while *taken + places > PLACES {
            taken = ENDED.wait(taken).expect("not poisoned");
        }
        *taken += places;
        Self { places }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TAKEN.lock().expect("not poisoned") -= self.places;
        // Those who wait want one place or several.
        ENDED.notify_all();
    }
}
