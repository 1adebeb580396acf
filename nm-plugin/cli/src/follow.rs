//! `aws-client-vpn status --follow`: what changes, as it changes, for bars.

use crate::Failure;
use crate::answer::Answer;
use crate::command_line;
use crate::status::{self, Status};
use aws_client_vpn_network_manager::signals::signals;
use aws_client_vpn_text::printable::printable;
use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use std::future::pending;
use std::io::{self, Write};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Changes come in bursts.
const PAUSE: Duration = Duration::from_millis(200);
/// What NetworkManager does not tell, as whether it is there again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Prints the state now and after each change, until nobody reads it any more.
pub(crate) async fn follow(options: &command_line::Status, json: bool) -> Result<Answer, Failure> {
    tokio::select! {
        biased;
        failed = print(options, json) => failed?,
        () = unread() => {}
    }
    // Whoever closed the pipe has seen enough.
    Ok(Answer::done(String::new(), serde_json::json!({})))
}

/// Ends when nobody reads the standard output any more.
async fn unread() {
    let closed = spawn_blocking(|| {
        let stdout = io::stdout();
        // An error or the end is told in any case.
        let mut stdout = [PollFd::new(&stdout, PollFlags::empty())];
        retry_on_intr(|| poll(&mut stdout, None))
    });
    if !matches!(closed.await, Ok(Ok(_))) {
        // The next write tells, too.
        pending().await
    }
}

async fn print(options: &command_line::Status, json: bool) -> Result<(), Failure> {
    let mut before = None;
    loop {
        // A bus or a NetworkManager that is gone comes back.
        let mut signals = signals().await.ok();
        loop {
            let shown = match status::look(options.connection.as_deref()).await {
                Err(unknown @ Failure::Choice(_)) if before.is_none() => return Err(unknown),
                looked => shown(looked, options.short, json),
            };
            if before.as_ref() != Some(&shown) {
                let mut out = io::stdout().lock();
                if out
                    .write_all(shown.as_bytes())
                    .and_then(|()| out.flush())
                    .is_err()
                {
                    return Ok(());
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

fn shown(looked: Result<Status, Failure>, is_short: bool, json: bool) -> String {
    let answer = match &looked {
        Ok(status) => Answer::done(status.text(is_short), status.fields()),
        Err(failure) => failure.answer(),
    };
    match (json, is_short, looked.is_ok()) {
        (true, _, _) => format!("{}\n", answer.json),
        (false, true, true) => answer.text,
        (false, true, false) => "\n".to_owned(),
        (false, false, true) => answer.text + "\n",
        (false, false, false) => printable(&answer.text) + "\n\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::ChoiceError;

    #[test]
    fn what_cannot_be_seen_is_not_said_to_be_missing() {
        let none = || {
            Ok(Status {
                connections: Vec::new(),
            })
        };
        let unknown = || Err(ChoiceError::Unknown("wrk\n".to_owned()).into());
        assert!(
            shown(none(), false, false).starts_with("There is no AWS Client VPN connection yet")
        );
        assert_eq!(
            shown(unknown(), false, false),
            "There is no AWS Client VPN connection called 'wrk '. To see all: aws-client-vpn list\n\n"
        );
        assert_eq!(shown(unknown(), true, false), "\n");
        let json = shown(unknown(), true, true);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["outcome"], "not-found");
        assert_eq!(json["connections"], serde_json::Value::Null);
    }
}
