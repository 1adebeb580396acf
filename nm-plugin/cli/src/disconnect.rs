//! `aws-client-vpn disconnect`: takes a connection down, also one that is on its way.

use crate::Failure;
use crate::actions::Manager;
use crate::answer::{Answer, Outcome};
use crate::choice::{ChoiceError, activation_of, called, only_active};
use crate::line::one_line;
use crate::network_manager::{self, Activation, Stored};
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_text::message::Localize;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep};

/// How long a connection may take to go down: dispatcher scripts run first.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// The connection is not down yet.
#[derive(Debug, Error, Localize)]
pub enum DisconnectError {
    /// Scripts are not done.
    #[error(
        "'{name}' is still being disconnected after {seconds} s: NetworkManager waits for scripts in \
         pre-down.d. Wait for it to end; 'aws-client-vpn status' shows when it is off."
    )]
    TimedOut {
        /// The connection's name.
        name: String,
        /// How long was waited.
        seconds: u64,
    },
}

impl DisconnectError {
    /// For scripts.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::TimedOut { .. } => Outcome::TimedOut,
        }
    }
}

/// Takes down the connection called `wanted`, or the only one that is up.
pub(crate) async fn disconnect(wanted: Option<&str>) -> Result<Answer, Failure> {
    let answer = network_manager::ask().await?;
    let (stored, activation) = choose(&answer.stored, &answer.active, wanted)?;
    Manager::open().await?.deactivate(&activation.path).await?;
    let limit = Instant::now() + LIMIT;
    loop {
        let active = network_manager::look_again().await?;
        let is_gone = |active: Vec<Activation>| active.iter().all(|it| it.path != activation.path);
        if active.is_some_and(is_gone) {
            break;
        }
        if Instant::now() >= limit {
            return Err(Failure::Disconnect(DisconnectError::TimedOut {
                name: stored.name.clone(),
                seconds: LIMIT.as_secs(),
            }));
        }
        sleep(PAUSE).await;
    }
    let text = gettext!(
        "'{name}' has been disconnected.",
        name = one_line(&stored.name)
    );
    let fields = serde_json::json!({ "name": stored.name, "uuid": stored.uuid });
    Ok(Answer::done(text + "\n", fields))
}

fn choose<'a>(
    stored: &'a [Stored],
    active: &'a [Activation],
    wanted: Option<&str>,
) -> Result<(&'a Stored, &'a Activation), ChoiceError> {
    let active_of = |stored: &Stored| activation_of(stored, active);
    if let Some(wanted) = wanted {
        // Two may have one name; the one that is up is meant.
        let up = |stored: &&Stored| stored.name == wanted && active_of(stored).is_some();
        let mut up = stored.iter().filter(up);
        let stored = match (up.next(), up.next()) {
            (Some(only), None) => only,
            _ => called(stored, wanted)?,
        };
        let active = active_of(stored).ok_or_else(|| ChoiceError::NotUp(wanted.to_owned()))?;
        return Ok((stored, active));
    }
    only_active(stored, active)
}

#[cfg(test)]
mod tests {
    use super::*;

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
            choose(&known, up, wanted).map(|(stored, _)| stored.uuid.clone())
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
