//! Whatever the kernel answers: what is kept is read again as it is set, and no local network is
//! larger than one may be.
#![no_main]

use aws_client_vpn_session::endpoint_routes::Ways;
use aws_client_vpn_session::enforced_routes::wire::LeftOver;
use aws_client_vpn_session::enforced_routes::{Tables, changes};
use aws_client_vpn_session::kernel_routes::KernelRoute;
use aws_client_vpn_session::kill_switch::{local_networks, netlink};
use aws_client_vpn_session::netlink::{is_last, outcome};
use aws_client_vpn_session::own_addresses::is_kept;
use aws_client_vpn_session::route_guard::RtEntry;
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv6Addr};

fuzz_target!(|input: (&[u8], u32, IpAddr)| {
    let (bytes, device, address) = input;
    let _ = netlink::replacement(None, 1).answered(bytes);
    let _ = (netlink::last_change(bytes), outcome(bytes), is_last(bytes));
    for entry in RtEntry::read(bytes, device) {
        let _ = entry.to_string();
        let again: Vec<_> = RtEntry::read(&entry.addition(), device).collect();
        assert_eq!(again, [entry]);
    }
    let ways = Ways::read(bytes, bytes, &[device], 0);
    let _ = (ways.changes(&[address]), ways.has_route_of_others(address));
    let _ = changes(&Tables::read(bytes, device), &[address]);
    let mut left_over = LeftOver::read(bytes, |index| index == device);
    left_over.read_routes(bytes);
    let _ = left_over.requests().count();
    let _ = is_kept(bytes, Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED);
    for network in local_networks(&KernelRoute::read(bytes), bytes, &[device]) {
        let shortest = if network.address.is_ipv4() { 16 } else { 64 };
        assert!(network.prefix >= shortest);
    }
});
