//! When the agent of a session connects by itself: once when its user has logged in and a network is
//! there, and once for each network that comes later; never against what the person has said.

use std::collections::BTreeSet;

/// What is known of one login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtLogins {
    /// The network that is there, by what tells it from others.
    network: Option<String>,
    /// Whether it has come since somebody looked.
    is_new: bool,
    /// What the person switched off, or did not want to sign in to.
    off: BTreeSet<String>,
}

impl AtLogins {
    /// The network that is there now; `None` while there is none.
    pub fn network(&mut self, now: Option<&str>) {
        if now != self.network.as_deref() {
            self.network = now.map(str::to_owned);
            self.is_new = now.is_some();
        }
    }

    /// The connection `uuid` is up or on its way: whoever switched it on wants it.
    pub fn seen(&mut self, uuid: &str) {
        self.off.remove(uuid);
    }

    /// The person switched it off.
    pub fn switched_off(&mut self, uuid: &str) {
        self.off.insert(uuid.to_owned());
    }

    /// Whether it is time to connect what is not up. What is set up later has to wait for the next
    /// network, so that nothing connects while somebody still edits it.
    pub fn is_due(&self, uuid: &str) -> bool {
        self.is_new && !self.off.contains(uuid)
    }

    /// All that was due was tried.
    pub fn tried(&mut self) {
        self.is_new = false;
    }

    /// What the next agent of the login `name` has to know: lines, for a file.
    pub fn to_text(&self, name: &str) -> String {
        // One that was not tried yet is new to the next agent, too.
        let network = self.network.as_deref().filter(|_| !self.is_new);
        let lines = [name, network.unwrap_or_default()].into_iter();
        let lines = lines.chain(self.off.iter().map(String::as_str));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// What an agent of the login `name` left; nothing, if `text` is of another login.
    pub fn from_text(text: &str, name: &str) -> Self {
        let mut lines = text.lines().map(str::to_owned);
        if lines.next().as_deref() != Some(name) {
            return Self::default();
        }
        Self {
            network: lines.next().filter(|network| !network.is_empty()),
            is_new: false,
            off: lines.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_for_a_login_and_once_for_each_network() {
        let mut login = AtLogins::default();
        assert!(!login.is_due("a"), "there is no network");
        for network in ["home", "train"] {
            login.network(Some(network));
            assert!(login.is_due("a"));
            login.tried();
            login.network(Some(network));
            assert!(!login.is_due("a"), "nothing has changed");
        }
        login.network(None);
        assert!(!login.is_due("a"));
        login.network(Some("train"));
        assert!(login.is_due("a"), "it came again");
    }

    #[test]
    fn what_the_person_switched_off_stays_off_until_they_switch_it_on() {
        let mut login = AtLogins::default();
        login.switched_off("a");
        login.network(Some("home"));
        assert!(!login.is_due("a") && login.is_due("b"));
        login.network(Some("train"));
        assert!(!login.is_due("a"));
        // By hand.
        login.seen("a");
        login.network(Some("home"));
        assert!(login.is_due("a"));
    }

    #[test]
    fn an_agent_that_was_restarted_is_no_login() {
        let mut login = AtLogins::default();
        login.network(Some("home"));
        login.switched_off("a");
        let again = |login: &AtLogins| {
            let mut again = AtLogins::from_text(&login.to_text("3"), "3");
            again.network(Some("home"));
            again
        };
        // It ended before it had tried.
        assert!(again(&login).is_due("b") && !again(&login).is_due("a"));
        login.tried();
        assert_eq!(again(&login), login);
        assert!(!again(&login).is_due("b"));
        for text in ["", "\n", "3", "3\n"] {
            assert_eq!(AtLogins::from_text(text, "3"), AtLogins::default());
        }
    }

    /// The file outlives a login: for a while, or for as long as the user is there in another way.
    #[test]
    fn another_login_starts_from_the_beginning() {
        let mut login = AtLogins::default();
        login.network(Some("home"));
        login.tried();
        login.switched_off("a");
        let mut next = AtLogins::from_text(&login.to_text("3"), "5");
        next.network(Some("home"));
        assert!(next.is_due("a"));
    }
}
