//! `aws-client-vpn disconnect`: takes a connection down, also one that is on its way.

use crate::Failure;
use crate::actions::Manager;
use crate::answer::Answer;
use crate::choice;
use crate::network_manager::{self, Activation};
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_text::printable::printable;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a connection may take to go down: dispatcher scripts run first.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// Takes down the connection called `wanted`, or the only one that is up.
pub(crate) async fn disconnect(wanted: Option<&str>) -> Result<Answer, Failure> {
    let answer = network_manager::ask().await?;
    let (stored, activation) = choice::active(&answer.stored, &answer.active, wanted)?;
    Manager::open().await?.deactivate(&activation.path).await?;
    let limit = Instant::now() + LIMIT;
    loop {
        let active = network_manager::look_again().await?;
        let is_gone = |active: Vec<Activation>| active.iter().all(|it| it.path != activation.path);
        if active.is_some_and(is_gone) {
            break;
        }
        if Instant::now() >= limit {
            return Err(Failure::StillDisconnecting {
                name: stored.name.clone(),
                seconds: LIMIT.as_secs(),
            });
        }
        sleep(PAUSE).await;
    }
    let text = gettext!(
        "'{name}' has been disconnected.",
        name = printable(&stored.name)
    );
    let fields = serde_json::json!({ "name": stored.name, "uuid": stored.uuid });
    Ok(Answer::done(text + "\n", fields))
}
