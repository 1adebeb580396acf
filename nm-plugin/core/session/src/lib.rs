//! The brain of the service: what OpenVPN, the kernel and NetworkManager are told, and the state
//! machine of a connection.
//!
//! Nothing here knows a socket, file, process, clock, D-Bus or toolkit, so all of it is tested
//! without root; the service is a thin shell around it.
#![forbid(unsafe_code)]

mod banner;
pub mod challenge;
pub mod endpoint_routes;
pub mod enforced_routes;
pub mod interface;
pub mod ip;
pub mod kernel_routes;
pub mod kill_switch;
pub mod management;
pub mod netlink;
pub mod network_manager;
pub mod openvpn;
pub mod own_addresses;
pub mod own_table;
pub mod pushed;
pub mod route_guard;
pub mod session;
