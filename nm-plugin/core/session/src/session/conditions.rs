//! The conditions of a connection: networks, sleep, and who sits at the computer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is known of the computer that a connection depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// The ways out of the computer; `None` if nobody has looked.
    pub ways: Option<Ways>,
    /// Whether the computer is about to sleep, or asleep.
    pub asleep: bool,
    /// Whether somebody would see a login.
    pub presence: Presence,
    /// Whether a program of that person's would show it: NetworkManager has a secret agent to ask.
    pub has_agent: bool,
}

/// The ways out of the computer, past the tunnel: for each family, the source address of packets to the
/// endpoint; or to anywhere, where no address of the endpoint of that family is known.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// Of IPv4.
    pub ipv4: Option<Ipv4Addr>,
    /// Of IPv6.
    pub ipv6: Option<Ipv6Addr>,
}

impl Ways {
    /// The address of this computer that packets to `address` come from.
    #[must_use]
    pub fn to(self, address: IpAddr) -> Option<IpAddr> {
        match address {
            IpAddr::V4(_) => self.ipv4.map(IpAddr::V4),
            IpAddr::V6(_) => self.ipv6.map(IpAddr::V6),
        }
    }

    /// These, and those of `last` where there is none of a family.
    #[must_use]
    pub fn or(self, last: Self) -> Self {
        Self {
            ipv4: self.ipv4.or(last.ipv4),
            ipv6: self.ipv6.or(last.ipv6),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Whether somebody sits at the computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Somebody could see a login, as far as can be told.
    Active,
    /// The screen is locked.
    Locked,
    /// Nobody is logged in who could answer.
    Away,
}

/// Somebody who is logged in to the computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSession {
    /// The name of the account.
    pub user: String,
    /// The number of the account.
    pub uid: u32,
    /// Whether it shows windows.
    pub is_graphical: bool,
    /// Whether it is the one that is seen.
    pub is_active: bool,
    /// Whether its screen is locked.
    pub is_locked: bool,
}

/// Whether `user`, who signed in, is there to do it again; where nobody did, or root without a session, as
/// with sudo, whoever is there.
#[must_use]
pub fn presence_of(sessions: &[LoginSession], user: Option<&str>) -> Presence {
    let user = person(sessions, user);
    let of_the_user = |session: &&LoginSession| user.is_none_or(|user| session.user == user);
    let own = sessions.iter().filter(of_the_user);
    let own: Vec<_> = own.filter(|session| session.is_active).collect();
    let graphical = own.iter().any(|session| session.is_graphical);
    let mut seen = own
        .iter()
        .filter(|session| session.is_graphical || !graphical);
    if own.is_empty() {
        Presence::Away
    } else if seen.any(|session| !session.is_locked) {
        Presence::Active
    } else {
        Presence::Locked
    }
}

/// Whether the account numbered `caller` may act for `user`, who signed in: root, and that person
/// while logged in to the computer. Where it is not known who signed in, or root did without a session,
/// whoever is at the screen.
#[must_use]
pub fn may_act_for(sessions: &[LoginSession], user: Option<&str>, caller: u32) -> bool {
    let is_theirs = |session: &LoginSession| {
        let may = match person(sessions, user) {
            Some(user) => session.user == user,
            None => session.is_active,
        };
        session.uid == caller && may
    };
    caller == 0 || sessions.iter().any(is_theirs)
}

/// Who signed in, unless that was root without a session, as with sudo.
#[must_use]
pub fn person<'a>(sessions: &[LoginSession], user: Option<&'a str>) -> Option<&'a str> {
    let has_session = |user: &&str| sessions.iter().any(|session| session.user == *user);
    user.filter(|user| *user != "root" || has_session(user))
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            ways: None,
            asleep: false,
            presence: Presence::Active,
            has_agent: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_signed_in_has_to_be_there_again() {
        let session = |user: &str, is_graphical, is_active, is_locked| LoginSession {
            user: user.to_owned(),
            uid: if user == "ada" { 1000 } else { 1001 },
            is_graphical,
            is_active,
            is_locked,
        };
        let at = |sessions: &[LoginSession]| presence_of(sessions, Some("ada"));
        assert_eq!(at(&[]), Presence::Away);
        assert_eq!(at(&[session("ada", true, true, false)]), Presence::Active);
        assert_eq!(at(&[session("ada", true, true, true)]), Presence::Locked);
        assert_eq!(at(&[session("bob", true, true, false)]), Presence::Away);
        // Another user has taken over the screen.
        let switched = [
            session("ada", true, false, false),
            session("bob", true, true, false),
        ];
        assert_eq!(at(&switched), Presence::Away);
        // The text console beside a locked desktop does not show a browser.
        let both = [
            session("ada", true, true, true),
            session("ada", false, true, false),
        ];
        assert_eq!(at(&both), Presence::Locked);
        assert_eq!(at(&[session("ada", false, true, false)]), Presence::Active);
        assert_eq!(presence_of(&switched, None), Presence::Active);
        // With sudo.
        assert_eq!(presence_of(&switched, Some("root")), Presence::Active);
        assert_eq!(presence_of(&switched[..1], Some("root")), Presence::Away);
        let roots = [session("root", false, false, false), switched[1].clone()];
        assert_eq!(presence_of(&roots, Some("root")), Presence::Away);
        // Both are logged in, and only one has signed in.
        let may = |caller| may_act_for(&switched, Some("ada"), caller);
        assert_eq!([0, 1000, 1001, 1002].map(may), [true, true, false, false]);
        // If nobody knows who has: who is at the screen, and nobody else.
        let may = |caller| may_act_for(&switched, None, caller);
        assert_eq!([0, 1000, 1001, 1002].map(may), [true, false, true, false]);
    }
}
