//! Which connection is meant.

use crate::answer::Outcome;
use crate::network_manager::{Activation, Stored};
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::printable::printable;
use thiserror::Error;

/// None, or not one.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
pub enum ChoiceError {
    /// There is no such connection.
    #[error("There is no AWS Client VPN connection called '{0}'. To see all: aws-client-vpn list")]
    Unknown(String),
    /// Several have that name.
    #[error("Several connections are called '{name}'. Give the UUID of one of them: {uuids}")]
    Several {
        /// As it was given.
        name: String,
        /// Theirs.
        uuids: String,
    },
    /// Nothing is up.
    #[error("No AWS Client VPN connection is active. To connect: aws-client-vpn connect NAME")]
    NoneUp,
    /// The one that is meant is not up.
    #[error("'{0}' is not connected.")]
    NotUp(String),
    /// More than one is up.
    #[error("Several connections are active. Name one of them: {0}")]
    SeveralUp(String),
}

impl ChoiceError {
    /// The outcome, for exit code and JSON.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Unknown(_) => Outcome::NotFound,
            Self::NoneUp | Self::NotUp(_) => Outcome::NotConnected,
            Self::Several { .. } | Self::SeveralUp(_) => Outcome::Failed,
        }
    }
}

/// The connection with this name or UUID.
pub(crate) fn called<'a>(stored: &'a [Stored], wanted: &str) -> Result<&'a Stored, ChoiceError> {
    if let Some(found) = stored.iter().find(|stored| stored.uuid == wanted) {
        return Ok(found);
    }
    let found: Vec<_> = stored.iter().filter(|it| it.name == wanted).collect();
    match found[..] {
        [] => Err(ChoiceError::Unknown(wanted.to_owned())),
        [only] => Ok(only),
        ref several => Err(ChoiceError::Several {
            name: wanted.to_owned(),
            uuids: several
                .iter()
                .map(|stored| stored.uuid.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}

/// Their names, and the UUIDs of those that are called as another, or whose names cannot be shown as they are.
pub(crate) fn told_apart<'a>(stored: &[&'a Stored]) -> Vec<&'a str> {
    let is_alone = |one: &Stored| stored.iter().filter(|it| it.name == one.name).count() == 1;
    let word = |one: &&'a Stored| match is_alone(one) && printable(&one.name) == one.name {
        true => one.name.as_str(),
        false => one.uuid.as_str(),
    };
    stored.iter().map(word).collect()
}

/// What there is to say of an edit of `stored`, if it is up.
pub(crate) fn edited(stored: &Stored, active: &[Activation]) -> Option<Message> {
    let up = activation_of(stored, active).filter(|activation| !activation.is_ending());
    up.map(|_| {
        message!(
            // TRANSLATORS: Follows “'{name}' has been updated from {file}.” and the like: it is the connection.
            "It is up: disconnect and connect again before its sign-in ends, because NetworkManager \
             asks nobody to sign in for a connection that was changed while it was up."
        )
    })
}

/// The connection that is up, or on its way: the one called `wanted`, or the only one.
pub(crate) fn active<'a>(
    stored: &'a [Stored],
    active: &'a [Activation],
    wanted: Option<&str>,
) -> Result<(&'a Stored, &'a Activation), ChoiceError> {
    let up = stored
        .iter()
        .filter_map(|stored| Some((stored, activation_of(stored, active)?)));
    // Two may have one name; the one that is up is meant.
    let is_meant = |stored: &Stored| wanted.is_none_or(|wanted| stored.name == wanted);
    let up: Vec<_> = up.filter(|(stored, _)| is_meant(stored)).collect();
    match (&up[..], wanted) {
        ([only], _) => Ok(*only),
        (_, Some(wanted)) => {
            let stored = called(stored, wanted)?;
            let activation = activation_of(stored, active);
            let activation = activation.ok_or_else(|| ChoiceError::NotUp(wanted.to_owned()))?;
            Ok((stored, activation))
        }
        ([], None) => Err(ChoiceError::NoneUp),
        (several, None) => {
            let several: Vec<_> = several.iter().map(|(it, _)| *it).collect();
            Err(ChoiceError::SeveralUp(told_apart(&several).join(", ")))
        }
    }
}

/// What NetworkManager has of it, if it is up or on its way. One that is being taken down may be there
/// beside the one that comes after it.
pub(crate) fn activation_of<'a>(
    stored: &Stored,
    active: &'a [Activation],
) -> Option<&'a Activation> {
    let of_it = active.iter().filter(|active| active.uuid == stored.uuid);
    of_it.min_by_key(|active| active.is_ending())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_meant_before_a_name_and_one_of_two_is_not_guessed() {
        let stored = |name: &str, uuid: &str| Stored {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            ..Stored::default()
        };
        let all = [
            stored("work", "1"),
            stored("work", "2"),
            stored("home", "3"),
            stored("3", "4"),
        ];
        let uuid = |wanted| called(&all, wanted).map(|stored| stored.uuid.as_str());
        assert_eq!(uuid("home"), Ok("3"));
        assert_eq!(uuid("2"), Ok("2"));
        assert_eq!(uuid("3"), Ok("3"));
        assert_eq!(uuid("hme"), Err(ChoiceError::Unknown("hme".to_owned())));
        let several = uuid("work").unwrap_err().to_string();
        assert!(several.ends_with("1, 2"), "{several}");
    }

    #[test]
    fn what_is_offered_is_taken() {
        let names = ["work", "work", "home", "a\tb", "\u{200f}בית", "Zoë’s 会社"];
        let stored = |(number, name): (usize, &&str)| Stored {
            name: (*name).to_owned(),
            uuid: number.to_string(),
            ..Stored::default()
        };
        let all: Vec<_> = names.iter().enumerate().map(stored).collect();
        let offered = told_apart(&all.iter().collect::<Vec<_>>());
        assert_eq!(offered, ["0", "1", "home", "3", "4", "Zoë’s 会社"]);
        for (stored, word) in all.iter().zip(offered) {
            assert_eq!(called(&all, &printable(word)), Ok(stored));
        }
    }

    #[test]
    fn what_comes_up_counts_before_what_is_being_taken_down() {
        let stored = Stored {
            uuid: "1".to_owned(),
            ..Stored::default()
        };
        let active = |path: &str, active_state| Activation {
            path: path.to_owned(),
            uuid: "1".to_owned(),
            active_state,
            ..Activation::default()
        };
        let (old, new) = (active("/old", 3), active("/new", 1));
        for both in [[old.clone(), new.clone()], [new, old.clone()]] {
            assert_eq!(activation_of(&stored, &both).unwrap().path, "/new");
        }
        assert_eq!(activation_of(&stored, &[old]).unwrap().path, "/old");
    }

    #[test]
    fn the_one_that_is_up_is_meant() {
        let stored = |name: &str, uuid: &str| Stored {
            name: name.to_owned(),
            uuid: uuid.to_owned(),
            ..Stored::default()
        };
        let active = |uuid: &str| Activation {
            uuid: uuid.to_owned(),
            ..Activation::default()
        };
        let known = [
            stored("work", "1"),
            stored("work", "2"),
            stored("home", "3"),
        ];
        let chosen = |up: &[Activation], wanted| {
            super::active(&known, up, wanted).map(|(stored, _)| stored.uuid.clone())
        };
        let up = [active("2")];
        for wanted in [None, Some("work"), Some("2")] {
            assert_eq!(chosen(&up, wanted).unwrap(), "2");
        }
        let down = ChoiceError::NotUp("home".to_owned());
        assert_eq!(chosen(&up, Some("home")), Err(down));
        assert_eq!(chosen(&[], None), Err(ChoiceError::NoneUp));
        let both = [active("2"), active("3")];
        let several = ChoiceError::SeveralUp("work, home".to_owned());
        assert_eq!(chosen(&both, None), Err(several));
    }
}
