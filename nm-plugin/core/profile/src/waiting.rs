//! What a lost connection waits for, as its service tells it on the bus and `status` in JSON.

use crate::named::named;

named! {
    /// What has to be there before the endpoint is tried again, or a person is asked to sign in.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    WaitsFor {
        /// The computer sleeps.
        WakeUp = "wake-up",
        /// There is no network.
        Network = "network",
        /// The screen of the person who is to sign in is locked.
        Unlock = "unlock",
        /// The person who is to sign in is not at the computer.
        Person = "person",
        /// No program runs that can show the sign-in.
        Agent = "agent",
        /// The last sign-in was a moment ago.
        Pause = "pause",
    }
}

impl WaitsFor {
    /// Whether it is there for some people, and not for others.
    #[must_use]
    pub fn is_for_a_person(self) -> bool {
        match self {
            Self::Unlock | Self::Person | Self::Agent => true,
            Self::WakeUp | Self::Network | Self::Pause => false,
        }
    }
}
