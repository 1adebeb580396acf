//! Whatever the kernel answers, in netlink's bytes or in the texts of /proc: routes that are read are
//! read again as they are set, and no local network is larger than one may be.
#![no_main]

use aws_client_vpn_session::kernel_routes::KernelRoute;
use aws_client_vpn_session::kill_switch::{local_networks, netlink};
use aws_client_vpn_session::netlink::{outcome, read_part};
use aws_client_vpn_session::route_guard::RtEntry;
use libfuzzer_sys::fuzz_target;

fn routes_of(bytes: &[u8], device: u32) -> Vec<RtEntry> {
    let mut routes = Vec::new();
    let _ = read_part(bytes, |kind, payload| {
        routes.extend(RtEntry::read(kind, payload, device))
    });
    routes
}

fuzz_target!(|input: (&[u8], u32, &str, &str)| {
    let (bytes, device, routes, addresses) = input;
    let _ = netlink::replacement(None, 1).answered(bytes);
    let _ = (netlink::last_change(bytes), outcome(bytes));
    for route in routes_of(bytes, device) {
        let _ = route.to_string();
        assert_eq!(routes_of(&route.addition(), device), [route]);
    }
    let routes = KernelRoute::read(routes, routes);
    for network in local_networks(&routes, addresses, addresses, "awsvpn") {
        let shortest = if network.address.is_ipv4() { 16 } else { 64 };
        assert!(network.prefix >= shortest);
    }
});
