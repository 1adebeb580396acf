//! What goes on around a connection that is up: networks that come and go, sleep, locked screens.
//!
//! The kernel tells of networks: NetworkManager's own view would be a second one, and behind.
//! logind tells of sleep and of sessions; where there is none, somebody is taken to be present.

use aws_client_vpn_session::session::{LoginSession, Person, Surroundings, may_act_for, person_at};
use futures_lite::StreamExt;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use thiserror::Error;
use tokio::net::UnixDatagram;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{MatchRule, MessageStream, message};

const LOGIND: &str = "org.freedesktop.login1";
const LOGIND_PATH: &str = "/org/freedesktop/login1";
const LOGIND_MANAGER: &str = "org.freedesktop.login1.Manager";
const LOGIND_SESSION: &str = "org.freedesktop.login1.Session";
/// How long logind may take for an answer.
const LOGIND_LIMIT: Duration = Duration::from_secs(2);
/// How many of its signals may wait.
const QUEUE: usize = 32;
/// More sessions than a computer has.
const SESSION_LIMIT: usize = 64;
/// `RTMGRP_LINK`, `_IPV4_IFADDR`, `_IPV4_ROUTE`, `_IPV6_IFADDR`, `_IPV6_ROUTE` (rtnetlink.h).
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// Any port will do to ask the kernel for a way.
const PORT: u16 = 9;

/// The surroundings cannot be watched.
#[derive(Debug, Error)]
pub(crate) enum WatchError {
    /// The kernel does not tell.
    #[error("the kernel does not tell of changes of the network")]
    Kernel(#[from] std::io::Error),
    /// The bus does not tell.
    #[error("the system bus does not pass on what logind tells")]
    Bus(#[from] zbus::Error),
}

/// Watches the surroundings of a connection.
pub(crate) struct Watch {
    bus: zbus::Connection,
    changes: UnixDatagram,
    logind: MessageStream,
    asleep: bool,
    sessions: Option<Vec<LoginSession>>,
}

impl Watch {
    /// Begins to watch.
    pub(crate) async fn start(bus: &zbus::Connection) -> Result<Self, WatchError> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
            // NETLINK_ROUTE is protocol 0.
            None,
        )
        .map_err(std::io::Error::from)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, GROUPS))
            .map_err(std::io::Error::from)?;
        let rule = MatchRule::builder()
            .msg_type(message::Type::Signal)
            .sender(LOGIND)?
            .path_namespace(LOGIND_PATH)?
            .build();
        let logind = MessageStream::for_match_rule(rule, bus, Some(QUEUE)).await?;
        let mut watch = Self {
            bus: bus.clone(),
            // Any socket of datagrams is read alike, and this is the nearest that tokio knows.
            changes: UnixDatagram::from_std(socket.into())?,
            logind,
            asleep: false,
            sessions: None,
        };
        watch.sessions = watch.ask_logind().await;
        Ok(watch)
    }

    /// Resolves when something may have changed.
    pub(crate) async fn changed(&mut self) {
        enum Change {
            Network,
            Logind(zbus::Result<zbus::Message>),
        }
        let change = tokio::select! {
            _ = self.changes.readable() => {
                drain(&self.changes);
                Change::Network
            }
            Some(message) = self.logind.next() => Change::Logind(message),
        };
        if let Change::Logind(Ok(message)) = change {
            let header = message.header();
            let is_about_sleep = header
                .member()
                .is_some_and(|name| name == "PrepareForSleep");
            match message.body().deserialize::<bool>() {
                Ok(asleep) if is_about_sleep => self.asleep = asleep,
                Ok(_) | Err(_) => self.sessions = self.ask_logind().await,
            }
        }
    }

    /// How it looks to a connection whose endpoint is at `endpoint`. `is_inside` says whether an
    /// address is one of the tunnel's own; `user` is who signed in; `has_agent` is what was seen of
    /// that person's agent.
    pub(crate) fn look(
        &self,
        endpoint: Option<IpAddr>,
        is_inside: impl Fn(IpAddr) -> bool,
        user: Option<&str>,
        has_agent: bool,
    ) -> Surroundings {
        let source = endpoint
            .and_then(way_to)
            .filter(|source| !is_inside(*source));
        Surroundings {
            online: source.is_some(),
            source,
            asleep: self.asleep,
            person: match &self.sessions {
                Some(sessions) => person_at(sessions, user),
                None => Person::Present,
            },
            has_agent,
        }
    }

    /// The number of the account of `user`, who is logged in.
    pub(crate) fn uid_of(&self, user: &str) -> Option<u32> {
        let mut sessions = self.sessions.iter().flatten();
        let session = sessions.find(|session| session.user == user);
        session.map(|session| session.uid)
    }

    /// Whether the account numbered `caller` may act for `user`, who signed in.
    pub(crate) fn may_act_for(&self, user: Option<&str>, caller: u32) -> bool {
        may_act_for(self.sessions.as_deref().unwrap_or_default(), user, caller)
    }

    async fn ask_logind(&self) -> Option<Vec<LoginSession>> {
        match tokio::time::timeout(LOGIND_LIMIT, self.list_sessions()).await {
            Ok(Ok(sessions)) => Some(sessions),
            Ok(Err(error)) => {
                tracing::debug!("no sessions are known: {error}");
                None
            }
            Err(_) => {
                tracing::warn!("logind does not answer");
                None
            }
        }
    }

    async fn list_sessions(&self) -> zbus::Result<Vec<LoginSession>> {
        type Row = (String, u32, String, String, OwnedObjectPath);
        let to = Some(LOGIND);
        let listed = self
            .bus
            .call_method(to, LOGIND_PATH, Some(LOGIND_MANAGER), "ListSessions", &())
            .await?;
        let rows: Vec<Row> = listed.body().deserialize()?;
        let mut sessions = Vec::new();
        for (_, uid, user, _, path) in rows.into_iter().take(SESSION_LIMIT) {
            let properties = self
                .bus
                .call_method(
                    to,
                    path.as_str(),
                    Some("org.freedesktop.DBus.Properties"),
                    "GetAll",
                    &LOGIND_SESSION,
                )
                .await;
            // A session may end while it is asked about.
            let Ok(properties) = properties else { continue };
            let properties: HashMap<String, OwnedValue> = properties.body().deserialize()?;
            let text = |name: &str| -> &str {
                let value = properties.get(name).and_then(|value| value.try_into().ok());
                value.unwrap_or_default()
            };
            let flag = |name: &str| -> bool {
                let value = properties.get(name).and_then(|value| value.try_into().ok());
                value.unwrap_or_default()
            };
            if text("Class") == "user" {
                sessions.push(LoginSession {
                    user,
                    uid,
                    is_graphical: matches!(text("Type"), "x11" | "wayland" | "mir"),
                    is_active: flag("Active"),
                    is_locked: flag("LockedHint"),
                });
            }
        }
        Ok(sessions)
    }
}

/// The address of this computer that packets to `endpoint` come from; the kernel looks up a route
/// for that, and sends nothing.
fn way_to(endpoint: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match endpoint {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    socket.connect(SocketAddr::new(endpoint, PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Takes the messages away unread: each only says that it is time to look.
fn drain(changes: &UnixDatagram) {
    let mut buffer = [0_u8; 4096];
    loop {
        match changes.try_recv(&mut buffer) {
            Ok(_) => {}
            // Some were lost, which says the same.
            Err(error) if error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_oneself_begins_at_oneself() {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(way_to(here), Some(here));
    }
}
