//! When to be registered with NetworkManager: while it is there and no desktop's agent is.

use std::collections::BTreeSet;

/// What is known, and whether we are registered.
#[derive(Debug)]
pub(crate) struct Registration {
    steps_back: bool,
    network_manager: bool,
    desktop: BTreeSet<&'static str>,
    registered: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Register,
    Unregister,
    Nothing,
}

impl Registration {
    /// Before anything is known. `steps_back`: whether a desktop's agent matters at all.
    pub(crate) fn new(steps_back: bool) -> Self {
        Self {
            steps_back,
            network_manager: false,
            desktop: BTreeSet::new(),
            registered: false,
        }
    }

    /// A NetworkManager has started, one that does not know us, or the last one has gone.
    pub(crate) fn network_manager(&mut self, present: bool) -> Step {
        self.network_manager = present;
        self.registered = false;
        self.step()
    }

    /// A desktop's agent has come or gone.
    pub(crate) fn desktop(&mut self, agent: &'static str, present: bool) -> Step {
        if present {
            self.desktop.insert(agent);
        } else {
            self.desktop.remove(agent);
        }
        self.step()
    }

    /// NetworkManager did not take us: try again when something changes.
    pub(crate) fn failed(&mut self) {
        self.registered = false;
    }

    /// Whether there is a NetworkManager.
    pub(crate) fn knows_network_manager(&self) -> bool {
        self.network_manager
    }

    /// Who serves instead of us.
    pub(crate) fn served_by(&self) -> Option<&'static str> {
        self.desktop.first().copied().filter(|_| self.steps_back)
    }

    fn step(&mut self) -> Step {
        let wanted = self.network_manager && self.served_by().is_none();
        match (std::mem::replace(&mut self.registered, wanted), wanted) {
            (false, true) => Step::Register,
            (true, false) => Step::Unregister,
            (true, true) | (false, false) => Step::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_networkmanager_is_told_once() {
        let mut registration = Registration::new(true);
        assert_eq!(registration.network_manager(true), Step::Register);
        assert_eq!(registration.network_manager(false), Step::Nothing);
        assert_eq!(registration.network_manager(true), Step::Register);
        // One follows another without a gap.
        assert_eq!(registration.network_manager(true), Step::Register);
        registration.failed();
        assert_eq!(registration.network_manager(true), Step::Register);
    }

    #[test]
    fn it_steps_back_where_a_desktop_serves() {
        let mut registration = Registration::new(true);
        assert_eq!(registration.desktop("gnome-shell", true), Step::Nothing);
        assert_eq!(registration.network_manager(true), Step::Nothing);
        assert_eq!(registration.served_by(), Some("gnome-shell"));
        assert_eq!(registration.desktop("nm-applet", true), Step::Nothing);
        assert_eq!(registration.desktop("gnome-shell", false), Step::Nothing);
        assert_eq!(registration.desktop("nm-applet", false), Step::Register);
        assert_eq!(registration.desktop("nm-applet", true), Step::Unregister);
        // Without NetworkManager nobody needs to be told.
        assert_eq!(registration.network_manager(false), Step::Nothing);
        assert_eq!(registration.desktop("nm-applet", false), Step::Nothing);
    }

    #[test]
    fn who_insists_is_registered_all_the_same() {
        let mut registration = Registration::new(false);
        assert_eq!(registration.desktop("gnome-shell", true), Step::Nothing);
        assert_eq!(registration.network_manager(true), Step::Register);
        assert_eq!(registration.served_by(), None);
    }
}
