//! Asks the kernel for the tunnel's routes, and sets those again that somebody has taken away.

use crate::rtnetlink;
use aws_client_vpn_session::route_guard::rtnetlink::dump_request;
use aws_client_vpn_session::route_guard::{Action, RouteGuard, RtRoute};
use rustix::io::Errno;
use std::io;
use std::time::Instant;

/// Looks at the routes of the interface with number `device`, and puts back what is missing.
pub(crate) fn keep(kept: &mut RouteGuard, device: u32, now: Instant) {
    if !kept.is_at_work() {
        return;
    }
    let present = match routes_of(device) {
        Ok(routes) => routes,
        Err(error) => {
            tracing::warn!("the kernel does not tell the routes: {error}");
            return;
        }
    };
    let before = kept.count();
    let actions = kept.check(&present, now);
    if kept.count() > before {
        tracing::info!(
            "routes into the tunnel that are looked after: {}",
            kept.count()
        );
    }
    for action in actions {
        match action {
            Action::Restore(route) => match put_back(&route) {
                Ok(()) => tracing::warn!("somebody took the route to {route} away; it is put back"),
                // The interface has no address any more, or is gone: the tunnel is being taken down.
                Err(Errno::NETUNREACH | Errno::NETDOWN | Errno::NODEV) => {
                    tracing::debug!("the route to {route} went with the interface's address");
                }
                Err(error) => tracing::warn!("the route to {route} cannot be put back: {error}"),
            },
            Action::BackOff(route) => tracing::warn!(
                "somebody takes the route to {route} away again and again; it is left alone for a \
                 minute"
            ),
        }
    }
}

fn routes_of(device: u32) -> io::Result<Vec<RtRoute>> {
    let mut routes = Vec::new();
    rtnetlink::ask(&dump_request(), |kind, payload| {
        routes.extend(RtRoute::read(kind, payload, device));
    })?;
    Ok(routes)
}

fn put_back(route: &RtRoute) -> Result<(), Errno> {
    rtnetlink::carry_out(&route.addition())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::own_network::{in_its_own_network, shell};

    #[test]
    fn the_routes_of_an_interface_are_read_and_put_back() {
        in_its_own_network(module_path!(), "routes");
    }

    #[test]
    #[ignore = "run by the test before, in a network namespace"]
    fn routes() {
        shell(
            "ip link add one type veth peer name other
            # Or they have an address of their own in a second or two, and a route with it.
            ip link set one addrgenmode none
            ip link set other addrgenmode none
            ip link set one up
            ip link set other up
            ip address add 192.0.2.10/24 dev one
            ip address add 198.51.100.10/24 dev other",
        );
        let index = |name: &str| -> u32 {
            let shown = shell(&format!("ip -o link show {name}"));
            shown.split(':').next().unwrap().parse().unwrap()
        };
        let (one, other) = (index("one"), index("other"));
        let before = routes_of(one).unwrap().len();
        shell(
            "ip route add 10.99.0.0/16 dev one metric 50
            ip -6 route add 2001:db8:99::/48 dev one metric 60
            ip route add 10.98.0.0/16 dev other",
        );
        let shown = || shell("ip route show dev one; ip -6 route show dev one");
        let as_set = shown();
        let routes = routes_of(one).unwrap();
        let told: Vec<_> = routes.iter().map(ToString::to_string).collect();
        assert!(told.contains(&"10.99.0.0/16".to_owned()), "{told:?}");
        assert!(!told.contains(&"10.98.0.0/16".to_owned()), "{told:?}");
        assert!(routes.len() > before, "{told:?}");
        assert_ne!(routes_of(other).unwrap(), routes);
        assert_eq!(routes_of(u32::MAX).unwrap(), []);
        shell(
            "ip route delete 10.99.0.0/16 dev one
            ip -6 route delete 2001:db8:99::/48 dev one",
        );
        assert_ne!(shown(), as_set);
        let left = routes_of(one).unwrap();
        for route in routes.iter().filter(|route| !left.contains(route)) {
            put_back(route).unwrap();
        }
        assert_eq!(shown(), as_set);
        // What cannot be put back is told of.
        shell("ip link set one down");
        let gone = routes
            .iter()
            .find(|route| route.to_string() == "10.99.0.0/16");
        assert!(put_back(gone.unwrap()).is_err());
    }
}
