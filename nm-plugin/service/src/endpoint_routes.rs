//! Keeps the routes to the endpoint's addresses outside of every tunnel of ours.

use crate::openvpn::tun_device::{self, TunDevice};
use crate::rtnetlink::{self, ask};
use aws_client_vpn_session::endpoint_routes::{Change, Ways, removal};
use aws_client_vpn_session::interface::{links_request, newest as newest_of};
use aws_client_vpn_session::netlink::routes_request;
use rustix::io::Errno;
use std::io;
use std::net::IpAddr;

/// The routes to the endpoint of one tunnel.
#[derive(Debug, Default)]
pub(crate) struct EndpointRoutes {
    /// Whether NetworkManager has been given settings, or is about to be.
    is_at_work: bool,
    may_differ: bool,
    /// The newest interface when the first settings were given.
    newest: Option<u32>,
    addresses: Vec<IpAddr>,
    /// Each of the addresses that was looked at, and whether its route is ours.
    known: Vec<(IpAddr, bool)>,
    /// Whether it was said that it cannot be done.
    is_failing: bool,
}

impl EndpointRoutes {
    /// NetworkManager is about to be given settings. Whoever has set a route to just the endpoint
    /// until now, an administrator for example, knows better.
    pub(crate) fn begin(&mut self) {
        self.is_at_work = true;
        self.may_differ = true;
    }

    /// The kernel's routes may have changed.
    pub(crate) fn may_differ(&mut self) {
        self.may_differ = true;
    }

    /// Has the way to each of `addresses` be the best one outside, if something has changed.
    pub(crate) fn follow(&mut self, addresses: impl FnOnce() -> Vec<IpAddr>) {
        if !self.is_at_work {
            return;
        }
        let addresses = addresses();
        if !std::mem::take(&mut self.may_differ) && self.addresses == addresses {
            return;
        }
        self.addresses = addresses;
        match self.make_fit() {
            Ok(()) => self.is_failing = false,
            Err(error) if !std::mem::replace(&mut self.is_failing, true) => {
                tracing::warn!("cannot keep the endpoint reachable outside the tunnel: {error}");
            }
            Err(_) => {}
        }
    }

    fn make_fit(&mut self) -> io::Result<()> {
        let ways = look(&mut self.newest)?;
        let addresses = &self.addresses;
        let is_left = |(known, _): &mut (IpAddr, bool)| !addresses.contains(known);
        for (address, is_ours) in self.known.extract_if(.., is_left) {
            if is_ours {
                remove(&removal(address))?;
            }
        }
        for address in &self.addresses {
            if !self.known.iter().any(|(known, _)| known == address) {
                let is_ours = !ways.has_route_of_others(*address);
                self.known.push((*address, is_ours));
            }
        }
        let ours = self
            .addresses
            .iter()
            .filter(|address| self.is_ours(**address));
        let ours: Vec<_> = ours.copied().collect();
        let mut done = Ok(());
        for change in ways.changes(&ours) {
            match change {
                Change::Set(address, request) => match rtnetlink::carry_out(&request) {
                    Ok(()) => tracing::debug!("the way to {address} is set"),
                    // The network has changed once more: the kernel will tell.
                    Err(
                        Errno::NETUNREACH
                        | Errno::HOSTUNREACH
                        | Errno::NETDOWN
                        | Errno::NODEV
                        | Errno::INVAL,
                    ) => {}
                    Err(error) => done = Err(error.into()),
                },
                Change::Remove(_, request) => remove(&request)?,
            }
        }
        done
    }

    fn is_ours(&self, address: IpAddr) -> bool {
        self.known.contains(&(address, true))
    }

    /// The tunnel is gone: so are its routes.
    pub(crate) fn end(&mut self) {
        self.is_at_work = false;
        for (address, is_ours) in std::mem::take(&mut self.known) {
            if is_ours && let Err(error) = remove(&removal(address)) {
                tracing::warn!("the route to {address} cannot be removed: {error}");
            }
        }
    }
}

/// Takes away what services have left that were killed, unless a tunnel of one that lives is there.
pub(crate) fn remove_left_over() {
    if !TunDevice::is_any_in_use()
        && let Err(error) = remove_all()
    {
        tracing::warn!("a route to an endpoint of a killed service may have stayed: {error}");
    }
}

fn remove_all() -> io::Result<()> {
    let ways = look(&mut None)?;
    ways.own().try_for_each(|address| remove(&removal(address)))
}

/// Asks the kernel; `newest` is the newest interface at the first time.
fn look(newest: &mut Option<u32>) -> io::Result<Ways> {
    let tunnels = tun_device::numbers()?;
    let (interfaces, routes) = (ask(&links_request())?, ask(&routes_request())?);
    let newest = *newest.get_or_insert_with(|| newest_of(&interfaces));
    Ok(Ways::read(&routes, &interfaces, &tunnels, newest))
}

fn remove(request: &[u8]) -> io::Result<()> {
    match rtnetlink::carry_out(request) {
        // It went with its interface, or was never set, as where there is no IPv6.
        Ok(()) | Err(Errno::SRCH | Errno::OPNOTSUPP) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::own_network::{in_its_own_network, shell};

    const ENDPOINT: &str = "192.0.2.1";
    const IPV6_ENDPOINT: &str = "2001:db8:1::1";
    /// Two networks with a router each, and a tunnel of ours that everything goes into.
    const SITE: &str = "ip link set lo up
        for name in home office awsvpn0; do
            ip link add $name type veth peer name far-$name
            ip link set $name addrgenmode none
            ip link set far-$name addrgenmode none
            ip link set $name up
            ip link set far-$name up
        done
        ip address add 10.0.0.7/24 dev home
        ip -6 address add fd00:1::7/64 dev home nodad
        ip address add 10.1.0.7/24 dev office
        ip address add 10.88.0.2/27 dev awsvpn0
        ip route add default via 10.0.0.1 dev home metric 100
        ip -6 route add default via fd00:1::1 dev home metric 100
        ip route add default dev awsvpn0 metric 50
        ip -6 route add default dev awsvpn0 metric 50";

    fn addresses() -> Vec<IpAddr> {
        [ENDPOINT, IPV6_ENDPOINT]
            .map(|text| text.parse().unwrap())
            .to_vec()
    }

    fn way_to(address: &str) -> String {
        let shown = shell(&format!("ip route get {address}"));
        let words: Vec<_> = shown.split_whitespace().collect();
        let after = |word: &str| {
            let at = words.iter().position(|own| *own == word);
            at.map_or("", |at| words[at + 1])
        };
        format!("{} {}", after("dev"), after("via"))
    }

    #[test]
    fn the_endpoint_is_reached_outside_whatever_the_network_is() {
        in_its_own_network(module_path!(), "roams");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn roams() {
        shell(SITE);
        let before = shell("ip route; ip -6 route");
        let mut routes = EndpointRoutes::default();
        routes.follow(addresses);
        assert_eq!(way_to(ENDPOINT), "awsvpn0 ", "there were no settings yet");
        routes.begin();
        let mut after = |change: &str| {
            shell(change);
            routes.may_differ();
            routes.follow(addresses);
            [way_to(ENDPOINT), way_to(IPV6_ENDPOINT)]
        };
        assert_eq!(after("true"), ["home 10.0.0.1", "home fd00:1::1"]);
        // NetworkManager sets its own, and another router comes.
        let another = "ip route add 192.0.2.1 via 10.0.0.1 dev home metric 100
            ip route replace default via 10.0.0.254 dev home metric 100
            ip -6 route replace default via fd00:1::fe dev home metric 100";
        assert_eq!(after(another), ["home 10.0.0.254", "home fd00:1::fe"]);
        // The other interface is the better one.
        let other = "ip route add default via 10.1.0.1 dev office metric 20";
        assert_eq!(after(other), ["office 10.1.0.1", "home fd00:1::fe"]);
        let none = "ip link set office down; ip route delete 192.0.2.1 metric 100
            ip route delete default dev home";
        assert_eq!(after(none), ["awsvpn0 ", "home fd00:1::fe"]);
        let back = "ip route add default via 10.0.0.1 dev home metric 100
            ip -6 route replace default via fd00:1::1 dev home metric 100";
        assert_eq!(after(back), ["home 10.0.0.1", "home fd00:1::1"]);
        shell("ip link set office up");
        let only_one = || addresses().drain(..1).collect();
        routes.follow(only_one);
        assert_eq!(way_to(ENDPOINT), "home 10.0.0.1");
        assert_eq!(way_to(IPV6_ENDPOINT), "awsvpn0 ", "it is not used");
        routes.end();
        assert_eq!(shell("ip route; ip -6 route"), before);
    }

    #[test]
    fn a_tunnel_inside_ours_is_no_way_to_the_endpoint_and_one_around_it_is() {
        in_its_own_network(module_path!(), "inside");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn inside() {
        shell(SITE);
        let mut routes = EndpointRoutes::default();
        routes.begin();
        routes.follow(addresses);
        let mut after = |change: &str| {
            shell(change);
            routes.may_differ();
            routes.follow(addresses);
            way_to(ENDPOINT)
        };
        let other = "ip link add other type veth peer name far-other
            ip link set far-other up
            ip link set other arp off up
            ip address add 10.51.0.2/24 dev other
            ip route add 0.0.0.0/1 via 10.51.0.1 dev other
            ip route add 128.0.0.0/1 via 10.51.0.1 dev other";
        assert_eq!(after(other), "home 10.0.0.1");
        let router = "ip route replace default via 10.0.0.254 dev home metric 100";
        assert_eq!(after(router), "home 10.0.0.254");
        let modem = "ip route delete default dev home";
        assert_eq!(after(modem), "other 10.51.0.1", "there is nothing else");
        assert_eq!(after(&modem.replace("delete", "add")), "home ");
        let chosen = "ip route add 192.0.2.0/24 via 10.51.0.1 dev other";
        assert_eq!(after(chosen), "other 10.51.0.1", "somebody wants it there");
        assert_eq!(after(&chosen.replace("add", "delete")), "home ");
        routes.end();
        let mut next = EndpointRoutes::default();
        next.begin();
        next.follow(addresses);
        assert_eq!(way_to(ENDPOINT), "other 10.51.0.1");
    }

    #[test]
    fn an_administrator_s_own_route_to_the_endpoint_stays() {
        in_its_own_network(module_path!(), "own_route");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn own_route() {
        shell(SITE);
        shell("ip route add 192.0.2.1 via 10.1.0.1 dev office");
        let mut routes = EndpointRoutes::default();
        routes.begin();
        routes.follow(addresses);
        assert_eq!(way_to(ENDPOINT), "office 10.1.0.1");
        assert_eq!(way_to(IPV6_ENDPOINT), "home fd00:1::1");
    }

    #[test]
    fn what_a_killed_service_leaves_is_removed() {
        in_its_own_network(module_path!(), "killed");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn killed() {
        shell(SITE);
        let before = shell("ip route; ip -6 route");
        let mut routes = EndpointRoutes::default();
        routes.begin();
        routes.follow(addresses);
        assert_eq!(way_to(ENDPOINT), "home 10.0.0.1");
        remove_all().unwrap();
        assert_eq!(shell("ip route; ip -6 route"), before);
    }
}
