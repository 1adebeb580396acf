//! A person at a browser, who does what the file `browser.json` of the lab says.
//!
//! Nothing secret is ever in an argument: curl gets what it posts on its standard input.

use crate::form::Form;
use crate::report::report;
use crate::webdriver;
use aws_client_vpn_harness::wait_for;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const PLAN: &str = "/run/lab/browser.json";
/// How long the person waits for a test to go on.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the person does.
pub(crate) struct Plan {
    pub(crate) user: String,
    pub(crate) password: String,
}

pub(crate) fn run(url: &str) -> ExitCode {
    let text = std::fs::read_to_string(PLAN).unwrap_or_default();
    let plan: Value = serde_json::from_str(&text).unwrap_or_default();
    let word = |key: &str| plan[key].as_str().unwrap_or_default().to_owned();
    let person = Plan {
        user: word("user"),
        password: word("password"),
    };
    report(json!({"event": "opened", "how": word("how")}));
    if let Some(sign) = plan["waits_for"].as_str() {
        wait_for(PATIENCE, || Path::new(sign).exists().then_some(()));
    }
    let started = Instant::now();
    let outcome = match word("how").as_str() {
        "scripted" => scripted(url, &person),
        "replay" => replay(url),
        "chromium" => webdriver::log_in(url, &person),
        "closed" => Ok("closed the window"),
        other => Err(format!("no plan {other:?}")),
    };
    match outcome {
        Ok(what) => {
            let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            report(json!({"event": "done", "what": what, "micros": micros}));
            ExitCode::SUCCESS
        }
        Err(why) => {
            report(json!({"event": "failed", "why": why}));
            ExitCode::FAILURE
        }
    }
}

/// Logs in as a browser would, and keeps what was sent for [`replay`].
fn scripted(url: &str, person: &Plan) -> Result<&'static str, String> {
    let (mut page, mut at) = curl(url, None)?;
    let mut form = Form::first_of(&page).ok_or("the login page has no form")?;
    // An identity provider that knows the user already answers without a page.
    if form.field("SAMLResponse").is_none() {
        form.fill("username", &person.user);
        form.fill("password", &person.password);
        (page, at) = curl(&join(&at, &form.action), Some(form.body()))?;
    }
    let answer = Form::first_of(&page).filter(|form| form.field("SAMLResponse").is_some());
    let Some(form) = answer else {
        return Ok("was refused by the identity provider");
    };
    let body = form.body();
    std::fs::write("/run/lab/last-post", &body).map_err(|error| error.to_string())?;
    // Told before it is done: once the dialog has the answer, the next login may begin.
    report(json!({"event": "answers"}));
    curl(&join(&at, &form.action), Some(body))?;
    Ok("logged in")
}

/// Sends the response of the login before, as if it were the answer to this one.
fn replay(url: &str) -> Result<&'static str, String> {
    let old = std::fs::read_to_string("/run/lab/last-post").map_err(|error| error.to_string())?;
    let field = |text: &str, name: &str| {
        let mut fields = text.split(['&', '?']);
        fields.find_map(|field| Some(field.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    };
    let response = field(&old, "SAMLResponse").ok_or("there was no login before")?;
    let state = field(url, "RelayState").unwrap_or_default();
    let body = format!("SAMLResponse={response}&RelayState={state}");
    curl("http://127.0.0.1:35001", Some(body))?;
    Ok("sent the old response again")
}

/// Gets or posts; returns the page and its address.
fn curl(url: &str, body: Option<String>) -> Result<(String, String), String> {
    let mut command = Command::new("curl");
    command
        .args([
            "--silent",
            "--show-error",
            "--insecure",
            "--location",
            "--max-time",
            "300",
        ])
        .args([
            "--cookie",
            "/run/home/cookies",
            "--cookie-jar",
            "/run/home/cookies",
        ])
        .args(["--write-out", "\n%{url_effective}"]);
    if body.is_some() {
        command.args(["--data-binary", "@-"]);
    }
    let mut child = command
        .arg(url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("curl: {error}"))?;
    if let (Some(mut stdin), Some(body)) = (child.stdin.take(), body) {
        stdin
            .write_all(body.as_bytes())
            .map_err(|error| format!("curl: {error}"))?;
    }
    let output = child
        .wait_with_output()
        .map_err(|error| format!("curl: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let (page, at) = text.rsplit_once('\n').ok_or("curl printed nothing")?;
    Ok((page.to_owned(), at.to_owned()))
}

/// The address that `link` means on a page at `base`.
fn join(base: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_owned();
    }
    if link.is_empty() {
        return base.to_owned();
    }
    if link.starts_with('?') {
        return format!("{}{link}", base.split('?').next().unwrap_or(base));
    }
    let host_at = base.find("://").map_or(0, |at| at + 3);
    let host_end = base[host_at..]
        .find('/')
        .map_or(base.len(), |at| host_at + at);
    match link.strip_prefix('/') {
        Some(path) => format!("{}/{path}", &base[..host_end]),
        None => {
            let path = base.split('?').next().unwrap_or(base);
            let directory = path
                .rfind('/')
                .filter(|&at| at >= host_end)
                .unwrap_or(host_end);
            format!("{}/{link}", &path[..directory])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn links_are_joined_as_browsers_do() {
        for (base, link, expected) in [
            ("https://a/b/c?d", "/login", "https://a/login"),
            ("https://a/b/c?d", "login", "https://a/b/login"),
            ("https://a", "login", "https://a/login"),
            ("https://a/b", "", "https://a/b"),
            ("https://a/b/c?d", "?e", "https://a/b/c?e"),
            (
                "https://a/b",
                "http://127.0.0.1:35001",
                "http://127.0.0.1:35001",
            ),
        ] {
            assert_eq!(join(base, link), expected);
        }
    }
}
