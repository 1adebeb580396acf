//! `org.freedesktop.portal.OpenURI` on the session bus.
//!
//! The portal looks at who calls it, in /proc, and refuses whoever cannot be looked at; and this
//! program cannot, for what it has in its memory. So another process of the same program asks: it
//! has only the address, which comes on its standard input, says on its standard output whether the
//! portal has taken the request, and ends with the portal's response. The portal drops a request
//! whose caller leaves the bus, so [`Opened`] keeps it.

use aws_client_vpn_text::message::Localize;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use std::collections::HashMap;
use std::env;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::path::Path;
use std::pin::Pin;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use url::Url;
use zbus::export::futures_core::Stream;
use zbus::zvariant::{OwnedObjectPath, Value};
use zbus::{Connection, MatchRule, Message, MessageStream};

/// The one argument of the process that asks.
pub(crate) const HELPER: &str = "--ask-portal";

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.OpenURI";
const REQUEST_INTERFACE: &str = "org.freedesktop.portal.Request";

/// The longest address and token, and the longest reason, that the two processes tell each other.
const LONGEST: u64 = 64 * 1024;
/// What the helper says when the portal has taken the request; else it says why not.
const TAKEN: &str = "taken";

/// How the helper ends: as the portal's responses are numbered, or before there is one.
const DECLINED: u8 = 1;
const FAILED: u8 = 2;
const NOT_TAKEN: u8 = 3;

/// A request that the portal has taken.
#[derive(Debug)]
pub(super) struct Opened {
    helper: Child,
}

/// Why the portal was not asked, although there is a session bus.
#[derive(Debug, Error, Localize)]
pub(super) enum Absent {
    /// There is a bus, but the portal on it cannot be asked.
    // TRANSLATORS: Follows “No web browser could be opened for the sign-in.”
    #[error("The desktop's portal failed: {0}.")]
    NoPortal(String),
    // TRANSLATORS: Follows “No web browser could be opened for the sign-in.”
    #[error("The desktop's portal does not answer.")]
    Silent,
}

/// Why the portal did not open the browser after all.
#[derive(Debug, Error, Localize)]
pub(super) enum Failure {
    // TRANSLATORS: Follows “No web browser could be opened for the sign-in.”
    #[error("No program was chosen to open the page.")]
    Declined,
    // TRANSLATORS: Follows “No web browser could be opened for the sign-in.”
    #[error("The desktop's portal could not open the page.")]
    Portal,
}

/// Asks the portal, which has `limit` for its answer, to open `url`, in front of everything if there is a
/// `token` for that. Without a session bus there is none.
pub(super) async fn open(
    url: &Url,
    token: Option<&str>,
    limit: Duration,
) -> Result<Option<Opened>, Absent> {
    if !has_session_bus() {
        return Ok(None);
    }
    let asked = timeout(limit, ask(url, token)).await;
    let (helper, said) = asked
        .map_err(|_elapsed| Absent::Silent)?
        .map_err(|error| Absent::NoPortal(error.to_string()))?;
    if said == TAKEN {
        Ok(Some(Opened { helper }))
    } else {
        Err(Absent::NoPortal(said))
    }
}

/// Starts the helper and waits for what it says.
async fn ask(url: &Url, token: Option<&str>) -> io::Result<(Child, String)> {
    let mut helper = Command::new("/proc/self/exe")
        .arg(HELPER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(mut stdin), Some(stdout)) = (helper.stdin.take(), helper.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let told = [url.as_str(), "\n", token.unwrap_or_default(), "\n"].concat();
    stdin.write_all(told.as_bytes()).await?;
    drop(stdin);
    let mut said = String::new();
    stdout.take(LONGEST).read_to_string(&mut said).await?;
    Ok((helper, said))
}

impl Opened {
    /// Returns only if the portal says that it did not open the browser.
    pub(super) async fn failure(mut self) -> Failure {
        match self.helper.wait().await.ok().and_then(|end| end.code()) {
            Some(code) if code == i32::from(DECLINED) => Failure::Declined,
            Some(code) if code == i32::from(FAILED) => Failure::Portal,
            // Opened; or the bus is gone, which says nothing about the browser.
            Some(_) | None => std::future::pending().await,
        }
    }
}

fn has_session_bus() -> bool {
    env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || env::var_os("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists())
}

/// The process that asks.
pub(crate) fn helper() -> ExitCode {
    // Everybody of this user may look at it, and it leaves nothing behind.
    let nothing = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, nothing);
    // systemd gives CAP_WAKE_ALARM to whoever logs in at a screen, and what a compositor starts has it;
    // the portal, which systemd starts, has not, and may not look at a process that has more.
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    let _ = set_capabilities(None, none);
    let mut told = String::new();
    if io::stdin().take(LONGEST).read_to_string(&mut told).is_err() {
        return ExitCode::from(NOT_TAKEN);
    }
    let mut lines = told.lines();
    let (url, token) = (lines.next().unwrap_or_default(), lines.next());
    let token = token.filter(|token| !token.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve(url, token)),
        Err(_) => ExitCode::from(NOT_TAKEN),
    }
}

async fn serve(url: &str, token: Option<&str>) -> ExitCode {
    let requested = request(url, token).await;
    let said = match &requested {
        Ok(_) => TAKEN.to_owned(),
        Err(error) => error.to_string(),
    };
    // The end of it is what tells that all of it was said.
    let mut stdout = io::stdout();
    let told = stdout
        .write_all(said.as_bytes())
        .and_then(|()| stdout.flush());
    let null = std::fs::File::options().write(true).open("/dev/null");
    let closed = null.and_then(|null| Ok(rustix::stdio::dup2_stdout(&null)?));
    let (Ok(mut responses), Ok(()), Ok(())) = (requested, told, closed) else {
        return ExitCode::from(NOT_TAKEN);
    };
    let response = poll_fn(|context| Pin::new(&mut responses).poll_next(context)).await;
    let code = response
        .and_then(Result::ok)
        .and_then(|message| response_code(&message));
    match code {
        Some(0) | None => ExitCode::SUCCESS,
        Some(1) => ExitCode::from(DECLINED),
        Some(_) => ExitCode::from(FAILED),
    }
}

async fn request(url: &str, token: Option<&str>) -> zbus::Result<MessageStream> {
    let connection = Connection::session().await?;
    let sender = connection.unique_name().map_or("", |name| name.as_str());
    let sender = sender.trim_start_matches(':').replace('.', "_");
    let handle = format!("aws_client_vpn_{}", std::process::id());
    // Heard before the call: the response may come before the call returns.
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface(REQUEST_INTERFACE)?
        .member("Response")?
        .path(format!("{PATH}/request/{sender}/{handle}"))?
        .build();
    let responses = MessageStream::for_match_rule(rule, &connection, Some(4)).await?;
    let mut options = HashMap::from([("handle_token", Value::from(handle))]);
    if let Some(token) = token {
        options.insert("activation_token", Value::from(token));
    }
    let _request: OwnedObjectPath = connection
        .call_method(
            Some(NAME),
            PATH,
            Some(INTERFACE),
            "OpenURI",
            &("", url, options),
        )
        .await?
        .body()
        .deserialize()?;
    Ok(responses)
}

/// Signature `ua{sv}`: 0 done, 1 declined by the user, 2 ended in another way.
fn response_code(message: &Message) -> Option<u32> {
    let body = message.body();
    body.deserialize::<(u32, HashMap<String, Value<'_>>)>()
        .ok()
        .map(|(code, _)| code)
}
