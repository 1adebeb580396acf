//! The typed network settings as the dictionaries NetworkManager takes.
//!
//! Keys and types: NetworkManager's nm-vpn-dbus-interface.h. An IPv4 address is a `u` in network
//! byte order, an IPv6 address 16 octets.
