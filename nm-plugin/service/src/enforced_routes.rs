//! Has the kernel ask a table with the tunnel's routes before all others, where the user wants it.

use crate::rtnetlink::{self, ask};
use aws_client_vpn_session::enforced_routes::wire::{self, FAMILIES, LeftOver};
use aws_client_vpn_session::enforced_routes::{Changes, Tables, changes};
use aws_client_vpn_session::interface::link_request;
use aws_client_vpn_session::netlink::routes_request;
use rustix::io::Errno;
use std::io;
use std::net::IpAddr;

/// The table of one tunnel, and the rules that have it asked.
#[derive(Debug, Default)]
pub(crate) struct EnforcedRoutes {
    /// The number of the tunnel's interface, once there is anything to give back.
    device: Option<u32>,
    /// What reaches the endpoint, which never goes into the tunnel.
    endpoints: Vec<IpAddr>,
    /// How many routes go before others: of IPv4, of IPv6.
    routes: [usize; 2],
    may_differ: bool,
}

impl EnforcedRoutes {
    /// The kernel's routes or rules may have changed.
    pub(crate) fn may_differ(&mut self) {
        self.may_differ = true;
    }

    /// Makes the table and the rules fit the routes that the interface with number `device` has,
    /// and the addresses of `endpoints`, if something has changed.
    pub(crate) fn follow(&mut self, device: u32, endpoints: Vec<IpAddr>) {
        if !std::mem::take(&mut self.may_differ) && self.endpoints == endpoints {
            return;
        }
        self.endpoints = endpoints;
        if let Err(error) = self.make_fit(device) {
            tracing::warn!("the tunnel's routes cannot take precedence over others: {error}");
        }
    }

    fn make_fit(&mut self, device: u32) -> io::Result<()> {
        let tables = Tables::read(&ask(&routes_request())?, device);
        let changes = changes(&tables, &self.endpoints);
        if changes.routes == [0, 0] && self.device.is_none() {
            return Ok(());
        }
        self.device = Some(device);
        perform(&changes, device)?;
        for (family, routes) in FAMILIES.into_iter().zip(changes.routes) {
            let (request, is_so_already) = match routes {
                0 => (wire::no_rule(family, device), Errno::NOENT),
                _ => (wire::rule(family, device), Errno::EXIST),
            };
            match rtnetlink::carry_out(&request) {
                Err(error) if error == is_so_already => {}
                // A kernel without IPv6.
                Err(Errno::AFNOSUPPORT | Errno::OPNOTSUPP) if routes == 0 => {}
                done => done?,
            }
        }
        if std::mem::replace(&mut self.routes, changes.routes) != changes.routes {
            let [ipv4, ipv6] = self.routes;
            tracing::info!(
                "{} routes into the tunnel take precedence over all others (enforce-routes)",
                ipv4 + ipv6
            );
        }
        Ok(())
    }

    /// The other routes count again.
    pub(crate) fn give_back(&mut self) {
        let Some(device) = self.device.take() else {
            return;
        };
        for family in FAMILIES {
            match rtnetlink::carry_out(&wire::no_rule(family, device)) {
                Ok(()) | Err(Errno::NOENT | Errno::AFNOSUPPORT | Errno::OPNOTSUPP) => {}
                Err(error) => tracing::warn!("a rule for routes cannot be removed: {error}"),
            }
        }
        if let Err(error) = empty(device) {
            tracing::warn!("a table of routes cannot be emptied: {error}");
        }
        self.routes = [0, 0];
        self.may_differ = true;
        tracing::info!("the routes into the tunnel no longer take precedence over others");
    }
}

/// Takes away what services have left that were killed. Without its interface a table leads
/// nowhere, so it does no harm until then.
pub(crate) fn remove_left_over() {
    if let Err(error) = look_for_left_over() {
        tracing::warn!("a rule for routes of a killed service may have stayed: {error}");
    }
}

fn look_for_left_over() -> io::Result<()> {
    // What cannot be found out is left alone.
    let is_there = |device| rtnetlink::carry_out(&link_request(device)) != Err(Errno::NODEV);
    let mut left_over = LeftOver::read(&ask(&wire::rules_request())?, is_there);
    if left_over.is_empty() {
        return Ok(());
    }
    left_over.read_routes(&ask(&routes_request())?);
    for request in left_over.requests() {
        rtnetlink::carry_out(&request)?;
    }
    tracing::warn!("removed rules for routes that a killed service left");
    Ok(())
}

fn empty(device: u32) -> io::Result<()> {
    let mut tables = Tables::read(&ask(&routes_request())?, device);
    tables.tunnel.clear();
    perform(&changes(&tables, &[]), device)
}

fn perform(changes: &Changes, device: u32) -> io::Result<()> {
    for entry in &changes.add {
        match rtnetlink::carry_out(&wire::addition(entry, device)) {
            // The interface has no address any more, or is gone: the tunnel is being taken down.
            Ok(()) | Err(Errno::NETUNREACH | Errno::NETDOWN | Errno::NODEV) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for entry in &changes.remove {
        match rtnetlink::carry_out(&wire::removal(entry, device)) {
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::own_network::{in_its_own_network, shell};

    /// A home network, a tunnel to a company that has its numbers, and the endpoint among them.
    /// No interface has an address that nobody gave it, which would come a second later.
    const SITE: &str = "ip link set lo up
        ip link add home type veth peer name machine
        ip link set home addrgenmode none
        ip link set machine addrgenmode none
        ip link set home up
        ip link set machine up
        ip address add 192.168.1.7/24 dev home
        ip -6 address add fd00:99:1::7/64 dev home nodad
        ip route add default via 192.168.1.1
        ip link add tunnel type veth peer name endpoint
        ip link set tunnel addrgenmode none
        ip link set endpoint addrgenmode none
        ip link set tunnel up
        ip link set endpoint up
        ip address add 10.88.0.2/27 dev tunnel
        ip route add 192.168.0.0/16 via 10.88.0.1 dev tunnel metric 50
        ip route add 192.168.250.5 via 192.168.1.1 dev home
        ip -6 route add fd00:99::/32 dev tunnel metric 50";

    fn index(name: &str) -> u32 {
        let shown = shell(&format!("ip -o link show {name}"));
        shown.split(':').next().unwrap().parse().unwrap()
    }

    fn endpoints() -> Vec<IpAddr> {
        vec!["192.168.250.5".parse().unwrap()]
    }

    fn goes_through(address: &str, device: &str) -> bool {
        let way = shell(&format!("ip route get {address}"));
        way.contains(&format!("dev {device} "))
    }

    #[test]
    fn a_home_network_with_the_company_s_numbers_is_overruled_and_given_back() {
        in_its_own_network(module_path!(), "overruled");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn overruled() {
        shell(SITE);
        // IPv6 has its own routes of a link some time after the link is up.
        let all = "ip rule; ip -6 rule; ip -4 route show table all
            ip -6 route show table all | grep -v ' table local '";
        let before = shell(all);
        assert!(goes_through("192.168.1.9", "home"));
        let mut enforced = EnforcedRoutes::default();
        let tunnel = index("tunnel");
        enforced.follow(tunnel, endpoints());
        for (address, device) in [
            ("192.168.1.9", "tunnel"),
            ("192.168.7.9", "tunnel"),
            ("fd00:99:1::9", "tunnel"),
            // The router, the endpoint, this computer, and what is somewhere else.
            ("192.168.1.1", "home"),
            ("192.168.250.5", "home"),
            ("192.168.1.7", "lo"),
            ("198.51.100.1", "home"),
        ] {
            assert!(goes_through(address, device), "{address}\n{}", shell(all));
        }
        // Nothing is done twice.
        let enforced_so = shell(all);
        enforced.may_differ();
        enforced.follow(tunnel, endpoints());
        assert_eq!(shell(all), enforced_so);
        // A route that comes later is overruled, too, and one into the tunnel is followed.
        shell(
            "ip route add 192.168.7.9 via 192.168.1.1 dev home
            ip route add 172.16.0.0/12 dev tunnel
            ip route add 172.16.5.0/24 via 192.168.1.1 dev home",
        );
        enforced.may_differ();
        enforced.follow(tunnel, endpoints());
        assert!(goes_through("192.168.7.9", "tunnel"));
        assert!(goes_through("172.16.5.1", "tunnel"));
        shell("ip route delete 172.16.0.0/12 dev tunnel");
        enforced.may_differ();
        enforced.follow(tunnel, endpoints());
        assert!(goes_through("172.16.5.1", "home"));
        // Somebody takes the rules away.
        shell("ip rule delete pref 32000; ip -6 rule delete pref 32000");
        assert!(goes_through("192.168.1.9", "home"));
        enforced.may_differ();
        enforced.follow(tunnel, endpoints());
        assert!(goes_through("192.168.1.9", "tunnel"));
        shell(
            "ip route delete 192.168.7.9 via 192.168.1.1 dev home
            ip route delete 172.16.5.0/24",
        );
        enforced.give_back();
        assert_eq!(shell(all), before);
        enforced.give_back();
    }

    #[test]
    fn everything_goes_through_a_full_tunnel_but_what_is_of_the_link() {
        in_its_own_network(module_path!(), "full");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn full() {
        shell(SITE);
        shell("ip route add default dev tunnel metric 50");
        let mut enforced = EnforcedRoutes::default();
        enforced.follow(index("tunnel"), endpoints());
        for (address, device) in [
            ("192.168.1.9", "tunnel"),
            ("198.51.100.1", "tunnel"),
            ("192.168.1.1", "home"),
            ("192.168.250.5", "home"),
            ("192.168.1.255", "home"),
            ("127.0.0.1", "lo"),
        ] {
            assert!(goes_through(address, device), "{address}");
        }
        // What is taken away by NetworkManager for a browser is not kept by us.
        shell("ip route delete default dev tunnel metric 50");
        enforced.may_differ();
        enforced.follow(index("tunnel"), endpoints());
        assert!(goes_through("198.51.100.1", "home"));
    }

    #[test]
    fn what_a_killed_service_leaves_leads_nowhere_and_is_removed() {
        in_its_own_network(module_path!(), "killed");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn killed() {
        shell(SITE);
        EnforcedRoutes::default().follow(index("tunnel"), endpoints());
        remove_left_over();
        assert!(goes_through("192.168.1.9", "tunnel"), "its tunnel is there");
        shell("ip link delete tunnel");
        assert!(goes_through("192.168.1.9", "home"));
        let rules = || shell("ip rule; ip -6 rule; ip route show table all type throw");
        assert!(rules().contains("32000:"), "{}", rules());
        remove_left_over();
        assert!(
            !rules().contains("32000:") && !rules().contains("throw"),
            "{}",
            rules()
        );
        remove_left_over();
    }
}
