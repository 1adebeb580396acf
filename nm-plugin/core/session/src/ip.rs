//! Networks and routes.

use std::fmt;
use std::net::IpAddr;

/// An address with the length of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network<A> {
    /// The address; for a route, that of the network.
    pub address: A,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

impl<A: fmt::Display> fmt::Display for Network<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Network<IpAddr> {
    /// The address alone.
    pub fn host(address: IpAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self { address, prefix }
    }

    /// Whether they have an address in common.
    pub fn overlaps(self, other: Self) -> bool {
        let prefix = u32::from(self.prefix.min(other.prefix));
        match (self.address, other.address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= prefix
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= prefix
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// Whether all of `narrow` is in it.
    pub fn covers(self, narrow: Self) -> bool {
        self.prefix <= narrow.prefix && self.overlaps(narrow)
    }
}

/// A route the endpoint pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<A> {
    /// Where to.
    pub network: Network<A>,
    /// Through whom; `None` is on-link.
    pub gateway: Option<A>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network<IpAddr> {
        let (address, prefix) = text.split_once('/').unwrap();
        Network {
            address: address.parse().unwrap(),
            prefix: prefix.parse().unwrap(),
        }
    }

    #[test]
    fn the_wider_network_covers_and_either_overlaps() {
        for (wide, narrow) in [
            ("10.0.0.0/8", "10.255.0.0/16"),
            ("0.0.0.0/0", "255.255.255.255/32"),
            ("192.0.2.1/32", "192.0.2.1/32"),
            ("fd00::/8", "fdff::/128"),
            ("::/0", "::1/128"),
        ] {
            let (wide, narrow) = (network(wide), network(narrow));
            assert!(wide.covers(narrow) && wide.overlaps(narrow) && narrow.overlaps(wide));
            assert_eq!(narrow.covers(wide), wide == narrow);
        }
        for (one, other) in [
            ("10.0.0.0/9", "10.128.0.0/9"),
            ("192.0.2.1/32", "192.0.2.0/32"),
            ("fd00::/128", "fd00::1/128"),
            ("0.0.0.0/0", "::/0"),
            // Longer than an address: nothing is in it.
            ("::/200", "::/255"),
        ] {
            let (one, other) = (network(one), network(other));
            assert!(!one.overlaps(other) && !other.overlaps(one));
            assert!(!one.covers(other) && !other.covers(one));
        }
    }

    #[test]
    fn a_host_is_the_longest_network() {
        for (address, host) in [("192.0.2.1", "192.0.2.1/32"), ("fd00::1", "fd00::1/128")] {
            assert_eq!(Network::host(address.parse().unwrap()), network(host));
        }
    }
}
