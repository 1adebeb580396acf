//! What the system's policy (polkit) lets a user do with NetworkManager, and what follows from it
//! for a connection.

use std::collections::HashMap;

/// What polkit says to an action, as NetworkManager's `GetPermissions` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// The session may do it.
    Yes,
    /// The session may do it with an administrator's password.
    WithPassword,
    /// The session may not do it.
    No,
}

impl Right {
    fn of(word: &str) -> Self {
        match word {
            "yes" => Self::Yes,
            "auth" => Self::WithPassword,
            _ => Self::No,
        }
    }
}

/// What a user may do in the session that asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Start and stop connections.
    pub control: Right,
    /// Add and change connections that all users have.
    pub change_shared: Right,
}

impl Rights {
    /// What everything is allowed to.
    pub const ALL: Self = Self {
        control: Right::Yes,
        change_shared: Right::Yes,
    };

    /// Reads the answer of `GetPermissions`.
    pub fn of(permissions: &HashMap<String, String>) -> Self {
        let right = |action: &str| {
            let word = permissions.get(&format!("org.freedesktop.NetworkManager.{action}"));
            Right::of(word.map_or("", String::as_str))
        };
        Self {
            control: right("network-control"),
            change_shared: right("settings.modify.system"),
        }
    }

    /// Whether NetworkManager `version` has polkit ask for a password before each sign-in of a
    /// connection that all users have. It does so for the case that secrets are stored with the
    /// connection, and up to 1.56.0 (and in 1.57) it does not look whether there are any.
    pub fn sign_in_needs_password(self, version: &str) -> bool {
        let mut numbers = version
            .split(['.', '-', '~', '+'])
            .map_while(|word| word.parse::<u32>().ok());
        let version = [(); 3].map(|()| numbers.next().unwrap_or(0));
        let looks = version >= [1, 57, 3] || ([1, 56, 1]..[1, 57, 0]).contains(&version);
        self.control == Right::Yes && self.change_shared != Right::Yes && !looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(control: &str, change_shared: &str) -> Rights {
        let name = |action: &str| format!("org.freedesktop.NetworkManager.{action}");
        Rights::of(&HashMap::from([
            (name("network-control"), control.to_owned()),
            (name("settings.modify.system"), change_shared.to_owned()),
        ]))
    }

    #[test]
    fn what_is_not_allowed_in_words_known_here_is_not_allowed() {
        assert_eq!(rights("yes", "yes"), Rights::ALL);
        assert_eq!(rights("auth", "maybe").control, Right::WithPassword);
        assert_eq!(rights("auth", "maybe").change_shared, Right::No);
        assert_eq!(Rights::of(&HashMap::new()).control, Right::No);
    }

    #[test]
    fn an_older_networkmanager_has_a_password_asked_for() {
        for (version, asks) in [
            ("1.42.4", true),
            ("1.52.1", true),
            ("1.54.3", true),
            ("1.56.0", true),
            ("1.56.1", false),
            ("1.57.2", true),
            ("1.57.3-dev", false),
            ("1.58.1", false),
            ("2.0", false),
        ] {
            let user = rights("yes", "auth");
            assert_eq!(user.sign_in_needs_password(version), asks, "{version}");
        }
        assert!(!rights("yes", "yes").sign_in_needs_password("1.52.1"));
        // Who may not even connect is told that, and nothing of passwords.
        assert!(!rights("auth", "auth").sign_in_needs_password("1.52.1"));
    }
}
