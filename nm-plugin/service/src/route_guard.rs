//! Asks the kernel for the tunnel's addresses and routes, and sets those again that are gone.

use crate::openvpn::tun_device::TunDevice;
use crate::rtnetlink;
use aws_client_vpn_session::route_guard::rtnetlink::questions;
use aws_client_vpn_session::route_guard::{Action, RouteGuard, RtEntry};
use rustix::io::Errno;
use std::time::Instant;

/// Looks at the addresses and routes of `device`, and puts back what is missing.
pub(crate) fn keep(kept: &mut RouteGuard, device: &TunDevice, now: Instant) {
    if !kept.is_at_work() {
        return;
    }
    if !device.is_up() {
        kept.link_is_down();
        return;
    }
    let present = match entries_of(device.index()) {
        Ok(entries) => entries,
        Err(error) => {
            if kept.is_newly_unread(now) {
                tracing::warn!(
                    "the kernel does not tell the tunnel's addresses and routes; it is asked again \
                     in a second: {error}"
                );
            }
            return;
        }
    };
    let before = kept.count();
    let actions = kept.check(&present, now);
    if kept.count() > before {
        tracing::info!(
            "addresses of the tunnel and routes into it that are looked after: {}",
            kept.count()
        );
    }
    let (mut restored, mut failed, mut left_alone) = (Vec::new(), Vec::new(), Vec::new());
    for action in actions {
        match action {
            Action::Restore(entry) => match rtnetlink::carry_out(&entry.addition()) {
                Ok(()) => restored.push(entry),
                // The interface has gone down or is gone by now: the tunnel is being taken down.
                Err(Errno::NETUNREACH | Errno::NETDOWN | Errno::NODEV) if !device.is_up() => {
                    tracing::debug!("{entry} went with the interface");
                }
                Err(error) => failed.push((entry, error)),
            },
            Action::BackOff(entry) => left_alone.push(entry),
        }
    }
    match &restored[..] {
        [] => {}
        [entry] => tracing::warn!("{entry} was taken away; it is put back"),
        [entry, others @ ..] => tracing::warn!(
            "{entry} was taken away, and {} more of the tunnel's addresses and routes; all are put \
             back",
            others.len()
        ),
    }
    if let Some(told) = not_put_back(&failed) {
        tracing::warn!("{told}");
    }
    match &left_alone[..] {
        [] => {}
        [entry] => {
            tracing::warn!("{entry} is taken away again and again; it is left alone for a minute");
        }
        [entry, others @ ..] => tracing::warn!(
            "{entry} is taken away again and again, and {} more of the tunnel's addresses and \
             routes; all are left alone for a minute",
            others.len()
        ),
    }
}

/// What cannot be put back, in one line however much it is.
fn not_put_back(failed: &[(RtEntry, Errno)]) -> Option<String> {
    let ((entry, error), others) = failed.split_first()?;
    Some(match others.len() {
        0 => format!("{entry} cannot be put back: {error}"),
        count => format!(
            "{entry} cannot be put back: {error}; nor can {count} more of the tunnel's addresses and routes"
        ),
    })
}

fn entries_of(device: u32) -> Result<Vec<RtEntry>, Errno> {
    let mut entries = Vec::new();
    for request in questions() {
        entries.extend(RtEntry::read(&rtnetlink::ask(&request)?, device));
    }
    Ok(entries)
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
        let before = entries_of(one).unwrap().len();
        shell(
            "ip route add 10.99.0.0/16 dev one metric 50
            ip -6 route add 2001:db8:99::/48 dev one metric 60
            ip route add 10.98.0.0/16 dev other",
        );
        let shown = || shell("ip route show dev one; ip -6 route show dev one");
        let as_set = shown();
        let routes = entries_of(one).unwrap();
        let told: Vec<_> = routes.iter().map(ToString::to_string).collect();
        assert!(
            told.contains(&"the route to 10.99.0.0/16".to_owned()),
            "{told:?}"
        );
        assert!(
            !told.contains(&"the route to 10.98.0.0/16".to_owned()),
            "{told:?}"
        );
        assert!(routes.len() > before, "{told:?}");
        assert_ne!(entries_of(other).unwrap(), routes);
        assert_eq!(entries_of(u32::MAX).unwrap(), []);
        shell(
            "ip route delete 10.99.0.0/16 dev one
            ip -6 route delete 2001:db8:99::/48 dev one",
        );
        assert_ne!(shown(), as_set);
        let left = entries_of(one).unwrap();
        for route in routes.iter().filter(|route| !left.contains(route)) {
            rtnetlink::carry_out(&route.addition()).unwrap();
        }
        assert_eq!(shown(), as_set);
        // What cannot be put back is told of, in one line.
        shell("ip link set one down");
        let mut routes = routes.into_iter();
        let gone = routes.find(|route| route.to_string() == "the route to 10.99.0.0/16");
        let gone = gone.unwrap();
        let error = rtnetlink::carry_out(&gone.addition()).unwrap_err();
        let of_one = format!("the route to 10.99.0.0/16 cannot be put back: {error}");
        assert_eq!(not_put_back(&[]), None);
        assert_eq!(not_put_back(&[(gone.clone(), error)]), Some(of_one.clone()));
        let told = not_put_back(&vec![(gone, error); 3]).unwrap();
        let of_all = format!("{of_one}; nor can 2 more of the tunnel's addresses and routes");
        assert_eq!(told, of_all);
    }
}
