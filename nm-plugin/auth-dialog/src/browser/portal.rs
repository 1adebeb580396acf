//! `org.freedesktop.portal.OpenURI` on the session bus.
//!
//! The call returns a request, whose `Response` signal says how it went. The portal drops a
//! request when its caller leaves the bus, so [`Opened`] keeps the connection.

use aws_client_vpn_text::mark;
use aws_client_vpn_text::message::Worded;
use std::collections::HashMap;
use std::env;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;
use url::Url;
use zbus::export::futures_core::Stream;
use zbus::zvariant::{OwnedObjectPath, Value};
use zbus::{Connection, MatchRule, Message, MessageStream};

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.OpenURI";
const REQUEST_INTERFACE: &str = "org.freedesktop.portal.Request";

/// A portal that has to be started may take a while; one that hangs would take 25 s.
const CALL_TIME: Duration = Duration::from_secs(5);

/// A request that the portal has taken.
#[derive(Debug)]
pub(super) struct Opened {
    responses: MessageStream,
}

/// Why there is no portal to ask.
#[derive(Debug, Error, Worded)]
pub(super) enum Absent {
    /// The environment has no session bus.
    #[error("there is no session bus")]
    NoBus,
    /// There is a bus, but the portal on it cannot be asked.
    #[error("the desktop's portal: {0}")]
    NoPortal(String),
    /// The portal does not answer.
    #[error("the desktop's portal does not answer")]
    Silent,
}

/// Why the portal did not open the browser after all.
#[derive(Debug, Error, Worded)]
pub(super) enum Failure {
    /// The user was asked and declined.
    #[error("declined")]
    Declined,
    /// The portal failed.
    #[error("the desktop's portal: {0}")]
    Portal(&'static str),
}

/// Asks the portal to open `url`.
pub(super) async fn open(url: &Url) -> Result<Opened, Absent> {
    if !has_session_bus() {
        return Err(Absent::NoBus);
    }
    match timeout(CALL_TIME, request(url)).await {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(error)) => Err(Absent::NoPortal(error.to_string())),
        Err(_elapsed) => Err(Absent::Silent),
    }
}

impl Opened {
    /// Returns only if the portal says that it did not open the browser.
    pub(super) async fn failure(mut self) -> Failure {
        let response = poll_fn(|context| Pin::new(&mut self.responses).poll_next(context)).await;
        match response
            .and_then(Result::ok)
            .and_then(|message| response_code(&message))
        {
            Some(1) => Failure::Declined,
            Some(2..) => Failure::Portal(mark!("it could not open the address")),
            // Opened; or the bus is gone, which says nothing about the browser.
            Some(0) | None => std::future::pending().await,
        }
    }
}

fn has_session_bus() -> bool {
    env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || env::var_os("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists())
}

async fn request(url: &Url) -> zbus::Result<Opened> {
    let connection = Connection::session().await?;
    let sender = connection.unique_name().map_or("", |name| name.as_str());
    let sender = sender.trim_start_matches(':').replace('.', "_");
    let token = format!("aws_client_vpn_{}", std::process::id());
    // Heard before the call: the response may come before the call returns.
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface(REQUEST_INTERFACE)?
        .member("Response")?
        .path(format!("{PATH}/request/{sender}/{token}"))?
        .build();
    let responses = MessageStream::for_match_rule(rule, &connection, Some(4)).await?;
    let options = HashMap::from([("handle_token", Value::from(token))]);
    let _request: OwnedObjectPath = connection
        .call_method(
            Some(NAME),
            PATH,
            Some(INTERFACE),
            "OpenURI",
            &("", url.as_str(), options),
        )
        .await?
        .body()
        .deserialize()?;
    Ok(Opened { responses })
}

/// Signature `ua{sv}`: 0 done, 1 declined by the user, 2 ended in another way.
fn response_code(message: &Message) -> Option<u32> {
    let body = message.body();
    body.deserialize::<(u32, HashMap<String, Value<'_>>)>()
        .ok()
        .map(|(code, _)| code)
}
