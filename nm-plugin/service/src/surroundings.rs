//! What goes on around a connection that is up: networks that come and go, sleep, locked screens.
//!
//! The kernel tells of networks: NetworkManager's own view would be a second one, and behind.
//! logind tells of sleep and of sessions; where there is none, somebody is taken to be present.

use crate::logind::{self, Told};
use aws_client_vpn_session::own_addresses;
use aws_client_vpn_session::session::{Person, Surroundings, may_act_for, person_at};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use tokio::net::UnixDatagram;
use tokio::sync::watch;

/// `RTMGRP_LINK`, `_IPV4_IFADDR`, `_IPV4_ROUTE`, `_IPV4_RULE`, `_IPV6_IFADDR`, `_IPV6_ROUTE` and
/// `RTNLGRP_IPV6_RULE`, which is number 19 (rtnetlink.h).
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 1 << 18;
/// Any port will do to ask the kernel for a way.
const PORT: u16 = 9;

/// Watches the surroundings of a connection.
pub(crate) struct Watch {
    changes: UnixDatagram,
    logind: watch::Receiver<Told>,
}

impl Watch {
    /// Begins to watch.
    pub(crate) fn start(bus: &zbus::Connection) -> std::io::Result<Self> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
            // NETLINK_ROUTE is protocol 0.
            None,
        )?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
        Ok(Self {
            // Any socket of datagrams is read alike, and this is the nearest that tokio knows.
            changes: UnixDatagram::from_std(socket.into())?,
            logind: logind::follow(bus),
        })
    }

    /// Resolves when something may have changed. Nothing is lost if the future is dropped.
    pub(crate) async fn changed(&mut self) {
        let told = async {
            if self.logind.changed().await.is_err() {
                // The bus is gone: nothing follows.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            _ = self.changes.readable() => drain(&self.changes),
            () = told => {}
        }
    }

    /// How it looks to a connection whose endpoint is at `endpoint`. `is_inside` says whether an
    /// address is one of the tunnel's own; `user` is who signed in; `has_agent` is what was seen of
    /// that person's agent; `before` is the address that the tunnel was made from.
    pub(crate) fn look(
        &self,
        endpoint: Option<IpAddr>,
        is_inside: impl Fn(IpAddr) -> bool,
        user: Option<&str>,
        has_agent: bool,
        before: Option<IpAddr>,
    ) -> Surroundings {
        let told = self.logind.borrow();
        let source = endpoint
            .and_then(way_to)
            .filter(|source| !is_inside(*source))
            .map(|now| match before {
                Some(before) if is_kept(before, now) => before,
                Some(_) | None => now,
            });
        Surroundings {
            online: source.is_some(),
            source,
            asleep: told.asleep,
            person: match &told.sessions {
                Some(sessions) => person_at(sessions, user),
                None => Person::Present,
            },
            has_agent,
        }
    }

    /// The number of the account of `user`, who is logged in.
    pub(crate) fn uid_of(&self, user: &str) -> Option<u32> {
        let told = self.logind.borrow();
        let mut sessions = told.sessions.iter().flatten();
        let session = sessions.find(|session| session.user == user);
        session.map(|session| session.uid)
    }

    /// Whether the account numbered `caller` may act for `user`, who signed in.
    pub(crate) fn may_act_for(&self, user: Option<&str>, caller: u32) -> bool {
        let told = self.logind.borrow();
        may_act_for(told.sessions.as_deref().unwrap_or_default(), user, caller)
    }
}

/// Whether `before` is still an address that packets leave from on the way that `now` is for.
fn is_kept(before: IpAddr, now: IpAddr) -> bool {
    match (before, now) {
        (IpAddr::V6(before), IpAddr::V6(now)) if before != now => {
            let table = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
            own_addresses::is_kept(&table, before, now)
        }
        (before, now) => before == now,
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
    use crate::own_network::{in_its_own_network, shell};

    #[test]
    fn the_way_to_an_endpoint_begins_at_the_address_that_the_kernel_takes() {
        in_its_own_network(module_path!(), "ways");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn ways() {
        let way = |to: &str| way_to(to.parse().unwrap()).map(|from| from.to_string());
        assert_eq!(way("192.0.2.1"), None, "there is no network");
        shell(
            "ip link add one type veth peer name other
            ip link set one up
            ip link set other up
            ip address add 192.0.2.10/24 dev one
            ip address add 198.51.100.10/24 dev other
            ip -6 address add 2001:db8::10/64 dev one nodad",
        );
        assert_eq!(way("192.0.2.1").as_deref(), Some("192.0.2.10"));
        assert_eq!(way("198.51.100.1").as_deref(), Some("198.51.100.10"));
        assert_eq!(way("2001:db8::1").as_deref(), Some("2001:db8::10"));
        assert_eq!(way("203.0.113.1"), None, "no route leads there");
        shell("ip route add default via 192.0.2.1");
        assert_eq!(way("203.0.113.1").as_deref(), Some("192.0.2.10"));
        shell("ip route add 203.0.113.0/24 via 198.51.100.1");
        assert_eq!(way("203.0.113.1").as_deref(), Some("198.51.100.10"));
        shell("ip route add unreachable 203.0.113.1");
        assert_eq!(way("203.0.113.1"), None);
    }

    #[test]
    fn a_new_preferred_address_of_ipv6_leaves_the_one_in_use() {
        in_its_own_network(module_path!(), "addresses");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn addresses() {
        shell(
            "ip link add one type veth peer name other
            ip link set one up
            ip link set other up
            ip -6 address add 2001:db8::10/64 dev one nodad
            ip -6 route add default via 2001:db8::1",
        );
        let endpoint = "2001:db8:1::1".parse().unwrap();
        let first = way_to(endpoint).unwrap();
        assert_eq!(first.to_string(), "2001:db8::10");
        // As privacy extensions do each day: a new one, and the old one for what is under way.
        shell(
            "ip -6 address add 2001:db8::11/64 dev one nodad
            ip -6 address change 2001:db8::10/64 dev one preferred_lft 0 valid_lft 600",
        );
        let second = way_to(endpoint).unwrap();
        assert_eq!(second.to_string(), "2001:db8::11");
        assert!(is_kept(first, second));
        shell("ip -6 address delete 2001:db8::10/64 dev one");
        assert!(!is_kept(first, second));
    }
}
