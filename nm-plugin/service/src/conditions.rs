//! What goes on around a connection that is up: networks that come and go, sleep, locked screens.
//!
//! The kernel reports networks: NetworkManager's own view of them would lag behind. logind reports sleep
//! and sessions; without it, somebody is taken to be present.

use crate::agents::Agents;
use crate::logind::{self, Told};
use crate::rtnetlink;
use aws_client_vpn_session::netlink::addresses_request;
use aws_client_vpn_session::own_addresses;
use aws_client_vpn_session::session::{
    Conditions, Presence, Session, Ways, may_act_for, person, presence_of,
};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use tokio::net::UnixDatagram;
use tokio::sync::watch;

/// `RTMGRP_LINK`, `_IPV4_IFADDR`, `_IPV4_ROUTE`, `_IPV4_RULE`, `_IPV6_IFADDR`, `_IPV6_ROUTE` and
/// `RTNLGRP_IPV6_RULE`, which is number 19 (rtnetlink.h).
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 1 << 18;
/// Any port will do: only the route is looked up.
const PORT: u16 = 9;
/// Addresses that nothing but a default route leads to: of documentation (RFC 5737, RFC 3849).
const ANYWHERE_IPV4: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const ANYWHERE_IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);

/// What has changed around a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A network, or what logind tells.
    Conditions,
    /// Whether a person can be asked.
    Agent,
}

/// Watches the conditions of a connection, from when its tunnel is up.
pub(crate) struct Monitor {
    bus: zbus::Connection,
    watch: Option<Watch>,
    agents: Agents,
    /// Whether an agent was there when last looked.
    has_agent: bool,
    seen: Conditions,
    /// The ways as they were, each when there was one last.
    ways: Ways,
}

impl Monitor {
    /// A monitor that does not watch yet.
    pub(crate) fn new(bus: &zbus::Connection) -> Self {
        Self {
            bus: bus.clone(),
            watch: None,
            agents: Agents::new(bus),
            has_agent: false,
            seen: Conditions::default(),
            ways: Ways::default(),
        }
    }

    /// Whether it watches.
    pub(crate) fn is_at_work(&self) -> bool {
        self.watch.is_some()
    }

    /// Begins to watch.
    pub(crate) fn begin(&mut self) {
        match Watch::start(&self.bus) {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => {
                tracing::warn!("the kernel does not tell of changes of the network: {error}");
            }
        }
    }

    /// Resolves when something may have changed for `user`, who signed in. `looks_for_agent` says
    /// whether it matters that a person can be asked. Nothing is lost if the future is dropped.
    pub(crate) async fn changed(&mut self, user: Option<&str>, looks_for_agent: bool) -> Change {
        let uid = self.uid_of(user);
        let conditions = async {
            match &mut self.watch {
                Some(watch) => watch.changed().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = conditions => Change::Conditions,
            has_agent = self.agents.look(uid), if looks_for_agent => {
                self.has_agent = has_agent;
                Change::Agent
            }
        }
    }

    /// Forgets whether an agent was there, which may be gone when somebody is asked. Returns whether
    /// one was.
    pub(crate) fn look_away(&mut self) -> bool {
        self.agents.look_away();
        std::mem::take(&mut self.has_agent)
    }

    /// How it looks to the connection of `session`, if anything has changed that matters.
    pub(crate) fn look(&mut self, session: &Session, user: Option<&str>) -> Option<Conditions> {
        let seen = self.watch.as_ref()?.look(
            &session.endpoint_addresses(),
            |address| session.is_inside(address),
            user,
            self.has_agent,
            Some(self.ways).filter(|_| session.is_up()),
        );
        self.ways = seen.ways.unwrap_or_default().or(self.ways);
        let before = std::mem::replace(&mut self.seen, seen);
        (before != seen).then_some(seen)
    }

    /// Whether `user` can be asked now.
    pub(crate) async fn finds_an_agent(&self, user: Option<&str>) -> bool {
        self.agents.may_be_there(self.uid_of(user)).await
    }

    fn uid_of(&self, user: Option<&str>) -> Option<u32> {
        self.watch.as_ref()?.uid_of(user?)
    }

    /// Who has to be there to sign in again, if `user` has signed in; `None` if anybody will do.
    pub(crate) fn person(&self, user: Option<&str>) -> Option<String> {
        let told = self.watch.as_ref()?.logind.borrow();
        person(told.sessions.as_deref()?, user).map(str::to_owned)
    }

    /// Whether the account numbered `caller` may act for `user`, who signed in.
    pub(crate) fn may_act_for(&self, user: Option<&str>, caller: u32) -> bool {
        let watch = self.watch.as_ref();
        watch.is_some_and(|watch| watch.may_act_for(user, caller))
    }
}

struct Watch {
    changes: UnixDatagram,
    logind: watch::Receiver<Told>,
}

impl Watch {
    fn start(bus: &zbus::Connection) -> std::io::Result<Self> {
        let socket = rtnetlink::open()?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self {
            // Any socket of datagrams is read alike, and this is the nearest that tokio knows.
            changes: UnixDatagram::from_std(socket.into())?,
            logind: logind::follow(bus),
        })
    }

    async fn changed(&mut self) {
        let told = async {
            if self.logind.changed().await.is_err() {
                // The bus is gone: nothing follows.
                pending::<()>().await;
            }
        };
        tokio::select! {
            _ = self.changes.readable() => drain(&self.changes),
            () = told => {}
        }
    }

    /// How it looks to a connection whose endpoint has the addresses `endpoint`. `is_inside` says
    /// whether an address is one of the tunnel's own; `user` is who signed in; `has_agent` is what was
    /// seen of that person's agent; `before` are the ways that the tunnel was made on.
    fn look(
        &self,
        endpoint: &[IpAddr],
        is_inside: impl Fn(IpAddr) -> bool,
        user: Option<&str>,
        has_agent: bool,
        before: Option<Ways>,
    ) -> Conditions {
        let told = self.logind.borrow();
        Conditions {
            ways: Some(ways_to(endpoint, is_inside, before)),
            asleep: told.asleep,
            presence: match &told.sessions {
                Some(sessions) => presence_of(sessions, user),
                None => Presence::Active,
            },
            has_agent,
        }
    }

    /// The number of the account of `user`, who is logged in.
    fn uid_of(&self, user: &str) -> Option<u32> {
        let told = self.logind.borrow();
        let mut sessions = told.sessions.iter().flatten();
        let session = sessions.find(|session| session.user == user);
        session.map(|session| session.uid)
    }

    fn may_act_for(&self, user: Option<&str>, caller: u32) -> bool {
        let told = self.logind.borrow();
        may_act_for(told.sessions.as_deref().unwrap_or_default(), user, caller)
    }
}

/// The ways to `endpoint`, or to anywhere where it has no address of a family; from the addresses of
/// `before` where packets still leave from those.
fn ways_to(endpoint: &[IpAddr], is_inside: impl Fn(IpAddr) -> bool, before: Option<Ways>) -> Ways {
    let (mut ipv4, mut ipv6): (Vec<IpAddr>, Vec<IpAddr>) =
        endpoint.iter().partition(|address| address.is_ipv4());
    if ipv4.is_empty() {
        ipv4.push(ANYWHERE_IPV4.into());
    }
    if ipv6.is_empty() {
        ipv6.push(ANYWHERE_IPV6.into());
    }
    let mut ways = Ways::default();
    for address in ipv4.into_iter().chain(ipv6) {
        if ways.to(address).is_some() {
            continue;
        }
        match way_to(address).filter(|source| !is_inside(*source)) {
            Some(IpAddr::V4(source)) => ways.ipv4 = Some(source),
            Some(IpAddr::V6(source)) => {
                let before = before.and_then(|before| before.ipv6);
                let kept = before.filter(|before| is_kept(*before, source));
                ways.ipv6 = kept.or(Some(source));
            }
            None => {}
        }
    }
    ways
}

/// Whether `before` is still an address that packets leave from on the way that `now` is for.
fn is_kept(before: Ipv6Addr, now: Ipv6Addr) -> bool {
    // Whoever cannot look, as where they change all the time, has not seen that it is gone.
    let has_both = || {
        let addresses = rtnetlink::ask(&addresses_request());
        addresses.map_or(true, |addresses| {
            own_addresses::is_kept(&addresses, before, now)
        })
    };
    before == now || has_both()
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
mod tests;
