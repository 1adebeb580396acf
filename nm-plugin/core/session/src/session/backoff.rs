//! How often a person is asked to sign in who did not ask for it.

use std::time::{Duration, Instant};

/// The pause between one login and a second one that nobody asked for; doubled for each further.
const LOGIN_PAUSE: Duration = Duration::from_secs(60);
/// How often it is doubled.
const MAX_DOUBLINGS: u32 = 4;

/// How often logins that nobody asked for may come.
#[derive(Debug, Default)]
pub(super) struct LoginBackoff {
    logins: u32,
    pub(super) not_before: Option<Instant>,
}

impl LoginBackoff {
    /// A login that nobody asked for is asked for now.
    pub(super) fn count(&mut self, now: Instant) {
        let pause = LOGIN_PAUSE * 2_u32.pow(self.logins.min(MAX_DOUBLINGS));
        self.logins += 1;
        self.not_before = Some(now + pause);
    }

    /// The last one is given up, for nobody is there to see it.
    pub(super) fn take_back(&mut self) {
        self.logins = self.logins.saturating_sub(1);
        self.not_before = None;
    }
}
