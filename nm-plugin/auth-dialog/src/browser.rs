//! The user's browser, sent to the page of the identity provider.
//!
//! The desktop's portal knows the browser best and needs no display in our environment; without
//! it, `$BROWSER`, `xdg-open` and `gio open` are tried in turn. Why one was passed over is in the
//! journal, also if the next does it. A child gets no stream of ours,
//! a process group of its own (an agent that ends the dialog must not end the browser), and the
//! address as one argument, which cannot pass for an option because it begins with `https://`.

pub(crate) mod portal;

use crate::journal::Journal;
use aws_client_vpn_sign_in::answer::LoginFailure;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use std::env;
use std::fmt::Display;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::time::timeout;
use url::Url;

/// A portal that has to be started may take a while; one that hangs would take 25 s.
const PORTAL_TIME: Duration = Duration::from_secs(5);
/// The same where there is no other way: at the first login after a boot, much has to be started.
const ONLY_PORTAL_TIME: Duration = Duration::from_secs(60);
/// A program that has not failed by then has opened the browser, or is it.
const FAILING_TIME: Duration = Duration::from_secs(5);

/// Opens `url` and returns only if that fails. `launched` is told as soon as the browser is on its
/// way, before it is known whether it gets there.
///
/// Keep polling it during the login: it keeps the portal's request alive and takes leave of
/// children that have ended. With a `token` from the desktop, the browser may come to the front.
pub(crate) async fn open(
    url: &Url,
    token: Option<&str>,
    launched: &Notify,
    journal: &Journal,
) -> LoginFailure {
    let mut reasons = Vec::new();
    let mut passed_over = |reason: Message| {
        journal.info(&format!("no browser yet: {reason}"));
        reasons.push(reason);
    };
    let browser = env::var("BROWSER").ok();
    let openers = openers(url.as_str(), browser.as_deref(), has_display());
    let limit = match openers.is_empty() {
        true => ONLY_PORTAL_TIME,
        false => PORTAL_TIME,
    };
    let portal = if may_have_desktop() {
        portal::open(url, token, limit).await
    } else {
        Ok(None)
    };
    match portal {
        Ok(Some(opened)) => {
            launched.notify_one();
            journal.info("the desktop's portal opens the browser");
            match opened.failure().await {
                portal::Failure::Declined => {
                    return LoginFailure::NoBrowser(portal::Failure::Declined.message());
                }
                failure @ portal::Failure::Portal => passed_over(failure.message()),
            }
        }
        Ok(None) => {}
        Err(absent) => passed_over(absent.message()),
    }
    for arguments in openers {
        match run(&arguments, token, launched).await {
            Ok(()) => {
                journal.info(&format!("{} opens the browser", arguments[0]));
                return std::future::pending().await;
            }
            Err(reason) => passed_over(reason),
        }
    }
    let all = reasons
        .into_iter()
        .reduce(|all, next| Message::new("{0} {1}").with("0", &all).with("1", &next));
    LoginFailure::NoBrowser(
        all.unwrap_or_else(|| message!("There is no desktop session, and BROWSER is not set.")),
    )
}

/// Whether the environment names a display.
pub(crate) fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Whether there may be a desktop, with a portal. A text console says that it is none; to ask there
/// would start a portal that cannot work.
fn may_have_desktop() -> bool {
    has_display() || env::var_os("XDG_SESSION_TYPE").is_none_or(|kind| kind != "tty")
}

/// The command lines that may open `url`, best first. `browser` is `$BROWSER`: command lines
/// between colons, each with `%s` where the address goes, or else at its end. The desktop's
/// programs are left out without a display: they would find a browser for terminals.
fn openers(url: &str, browser: Option<&str>, display: bool) -> Vec<Vec<String>> {
    let own = browser.unwrap_or_default().split(':').filter_map(|line| {
        let mut words: Vec<_> = line
            .split_whitespace()
            .map(|word| word.replace("%s", url))
            .collect();
        if words.is_empty() {
            return None;
        }
        if !line.contains("%s") {
            words.push(url.to_owned());
        }
        Some(words)
    });
    let desktop = [&["xdg-open"][..], &["gio", "open"]]
        .into_iter()
        .filter(|_| display)
        .map(|command| {
            command
                .iter()
                .map(|word| (*word).to_owned())
                .chain([url.to_owned()])
                .collect()
        });
    own.chain(desktop).collect()
}

/// Starts a program and waits until it has either failed or done its work.
async fn run(arguments: &[String], token: Option<&str>, launched: &Notify) -> Result<(), Message> {
    let Some((program, rest)) = arguments.split_first() else {
        return Ok(());
    };
    // A program's name and what the system says of it: nothing of ours to translate.
    let failed = |why: &dyn Display| Message::literal(format!("{program}: {why}."));
    let mut command = Command::new(program);
    if let Some(token) = token {
        // As Wayland and X11 hand it on.
        command
            .env("XDG_ACTIVATION_TOKEN", token)
            .env("DESKTOP_STARTUP_ID", token);
    }
    let mut child = command
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| failed(&error))?;
    launched.notify_one();
    match timeout(FAILING_TIME, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(&status)),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_still_running) => {
            tokio::spawn(async move { child.wait().await });
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://idp.example/sso?a=%20b";

    #[test]
    fn the_user_s_browser_comes_first() {
        let lines = |browser, display| -> Vec<String> {
            openers(URL, browser, display)
                .iter()
                .map(|words| words.join(" "))
                .collect()
        };
        assert_eq!(lines(None, false), Vec::<String>::new());
        assert_eq!(
            lines(Some(""), true),
            [format!("xdg-open {URL}"), format!("gio open {URL}")]
        );
        assert_eq!(
            lines(Some("fox --new %s --quiet:/opt/b"), false),
            [format!("fox --new {URL} --quiet"), format!("/opt/b {URL}")]
        );
    }
}
