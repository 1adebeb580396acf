//! `aws-client-vpn status --follow`: what changes, as it changes, for bars.

use crate::Failure;
use crate::answer::Answer;
use crate::command_line::Status;
use crate::status;
use aws_client_vpn_secret_agent::signals::signals;
use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use std::io::{self, Write};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Changes come in bursts.
const PAUSE: Duration = Duration::from_millis(200);
/// What NetworkManager does not tell, as whether it is there again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Prints the state now and after each change, until nobody reads it any more.
pub(crate) async fn follow(options: &Status, json: bool) -> Result<Answer, Failure> {
    let mut before = None;
    loop {
        // A bus or a NetworkManager that is gone comes back.
        let mut signals = signals().await.ok();
        loop {
            let shown = shown(options, json).await;
            if before.as_ref() != Some(&shown) {
                let mut out = io::stdout().lock();
                if out
                    .write_all(shown.as_bytes())
                    .and_then(|()| out.flush())
                    .is_err()
                {
                    // Whoever closed the pipe has seen enough.
                    return Ok(Answer::done(String::new(), serde_json::json!({})));
                }
                before = Some(shown);
            }
            let Some(signals) = &mut signals else {
                sleep(LOOK_AGAIN).await;
                break;
            };
            match timeout(LOOK_AGAIN, signals.next()).await {
                Ok(None | Some(Err(_))) => break,
                Ok(Some(Ok(_))) => {
                    sleep(PAUSE).await;
                    while let Some(Some(Ok(_))) = poll_once(signals.next()).await {}
                }
                Err(_elapsed) => {}
            }
        }
    }
}

async fn shown(options: &Status, json: bool) -> String {
    let answer = match status::collect().await {
        Ok(status) => match &options.connection {
            Some(wanted) => status.clone().only(wanted).unwrap_or(status::none()),
            None => status,
        },
        Err(error) => {
            if json {
                return Failure::from(error).answer().json.to_string() + "\n";
            }
            status::none()
        }
    };
    match (json, options.short) {
        (true, _) => {
            Answer::done(String::new(), answer.fields())
                .json
                .to_string()
                + "\n"
        }
        (false, true) => answer.short(),
        (false, false) => answer.to_string() + "\n",
    }
}
