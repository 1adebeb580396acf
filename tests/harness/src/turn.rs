//! Labs take turns: a machine that runs too many at a time keeps none of their time limits.

use std::sync::{Condvar, Mutex};

/// How many labs run at a time; each has some fifteen processes.
const LABS_AT_A_TIME: usize = 6;

/// Leave to run one of a few labs.
#[derive(Debug)]
pub(crate) struct Turn;

static RUNNING: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

impl Turn {
    pub(crate) fn take() -> Self {
        let mut running = RUNNING.lock().expect("not poisoned");
        while *running >= LABS_AT_A_TIME {
            running = ENDED.wait(running).expect("not poisoned");
        }
        *running += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *RUNNING.lock().expect("not poisoned") -= 1;
        ENDED.notify_one();
    }
}
