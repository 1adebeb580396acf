//! What the endpoint pushed, out of the environment OpenVPN hands over with `>UPDOWN:ENV`.
//!
//! With `--ifconfig-noexec --route-noexec` OpenVPN sets nothing itself; this is all there is. The
//! values come from a server on the internet: an item that makes no sense is left out with a
//! warning, and only a tunnel without any address is an error. Names of the variables: OpenVPN's
//! doc/man-sections/script-options.rst, and what 2.6.14 and 2.7.7 were seen to send.

mod names;
mod routes;

pub use routes::ROUTE_LIMIT;

use crate::ip::{Network, Route};
use aws_client_vpn_text::message::{Argument, Localize};
use aws_client_vpn_text::printable::is_control;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use thiserror::Error;

/// The MTUs that make sense.
const MTUS: std::ops::RangeInclusive<u32> = 576..=65_535;
/// How many warnings are kept.
const WARNING_LIMIT: usize = 20;
/// How much of one warning is kept, in characters.
const WARNING_LENGTH: usize = 200;

/// What the endpoint pushed, as far as it makes sense: a field for each thing that it may push.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushedOptions {
    /// The address of this end.
    pub ipv4: Option<Network<Ipv4Addr>>,
    /// The address of this end.
    pub ipv6: Option<Network<Ipv6Addr>>,
    /// Next hop inside the tunnel.
    pub ipv4_gateway: Option<Ipv4Addr>,
    /// Next hop inside the tunnel.
    pub ipv6_gateway: Option<Ipv6Addr>,
    /// The endpoint's own address, outside the tunnel.
    pub server: Option<IpAddr>,
    /// Pushed routes.
    pub ipv4_routes: Vec<Route<Ipv4Addr>>,
    /// Pushed routes.
    pub ipv6_routes: Vec<Route<Ipv6Addr>>,
    /// Whether all IPv4 traffic goes through the tunnel.
    pub redirect_ipv4: bool,
    /// Whether all IPv6 traffic goes through the tunnel.
    pub redirect_ipv6: bool,
    /// Name servers, in the order pushed.
    pub name_servers: Vec<IpAddr>,
    /// WINS servers.
    pub wins_servers: Vec<Ipv4Addr>,
    /// Domains to search in.
    pub search_domains: Vec<String>,
    /// Domains to resolve through the tunnel, without searching in them.
    pub route_domains: Vec<String>,
    /// MTU of the tunnel in bytes.
    pub mtu: Option<u32>,
    warnings: Vec<String>,
}

/// What was pushed makes no tunnel.
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum TunnelError {
    // TRANSLATORS: Follows “The endpoint sent network settings that cannot be used.”
    #[error("The endpoint assigned no address to this computer.")]
    NoAddress,
    // TRANSLATORS: Follows “The endpoint sent network settings that cannot be used.”
    #[error("The address of the endpoint is not among them.")]
    NoServer,
    // TRANSLATORS: Follows “The endpoint sent network settings that cannot be used.”
    #[error("OpenVPN says: {0}.")]
    Refused(Argument),
}

impl PushedOptions {
    /// Reads the environment.
    pub fn from_environment(
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, TunnelError> {
        let environment = Environment(environment.into_iter().collect());
        let mut parameters = Self::default();
        parameters.read_addresses(&environment);
        parameters.read_names(&environment);
        parameters.read_ipv4_routes(&environment);
        parameters.read_ipv6_routes(&environment);
        if parameters.ipv4.is_none() && parameters.ipv6.is_none() {
            return Err(TunnelError::NoAddress);
        }
        parameters.drop_what_has_no_address();
        Ok(parameters)
    }

    /// This tunnel as long as nothing comes through it: its networks, but not the rest of the
    /// world.
    pub fn without_names_and_default_route(&self) -> Self {
        Self {
            redirect_ipv4: false,
            redirect_ipv6: false,
            name_servers: Vec::new(),
            wins_servers: Vec::new(),
            search_domains: Vec::new(),
            route_domains: Vec::new(),
            ..self.clone()
        }
    }

    /// The family that a tunnel takes all of, and the one that goes past it.
    #[must_use]
    pub fn takes_all_of_one_family(&self) -> Option<[&'static str; 2]> {
        match (self.redirect_ipv4, self.redirect_ipv6) {
            (true, false) => Some(["IPv4", "IPv6"]),
            (false, true) => Some(["IPv6", "IPv4"]),
            (true, true) | (false, false) => None,
        }
    }

    /// What was left out, and why.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Notes what was left out. The text may hold what the server sent, and goes to a log.
    fn warn(&mut self, what: &str) {
        if self.warnings.len() < WARNING_LIMIT {
            let printable = what.chars().map(|c| if is_control(c) { '?' } else { c });
            self.warnings.push(printable.take(WARNING_LENGTH).collect());
        }
    }

    /// Routes and name servers of a family in which this computer got no address lead nowhere.
    fn drop_what_has_no_address(&mut self) {
        let (ipv4, ipv6) = (self.ipv4.is_some(), self.ipv6.is_some());
        let servers = self.name_servers.len();
        self.name_servers
            .retain(|server| if server.is_ipv4() { ipv4 } else { ipv6 });
        let mut dropped = servers - self.name_servers.len();
        if !ipv4 {
            dropped += std::mem::take(&mut self.ipv4_routes).len();
            dropped += usize::from(std::mem::take(&mut self.redirect_ipv4));
        }
        if !ipv6 {
            dropped += std::mem::take(&mut self.ipv6_routes).len();
            dropped += usize::from(std::mem::take(&mut self.redirect_ipv6));
        }
        if dropped > 0 {
            let family = if ipv4 { "IPv6" } else { "IPv4" };
            self.warn(&format!(
                "{dropped} {family} routes or name servers, for it gave no {family} address"
            ));
        }
    }

    fn read_addresses(&mut self, environment: &Environment) {
        if let Some(text) = environment.text("ifconfig_local") {
            let address = text.parse().ok().filter(|address| is_ipv4_host(*address));
            let prefix = match environment.text("ifconfig_netmask") {
                Some(mask) => mask.parse().ok().and_then(prefix_of),
                // Point to point: `ifconfig_remote` is the other end.
                None => Some(32),
            };
            match (address, prefix) {
                // NetworkManager refuses an address whose network is everything.
                (Some(address), Some(prefix @ 1..)) => {
                    self.ipv4 = Some(Network { address, prefix })
                }
                _ => self.warn(&format!("the address {text}")),
            }
        }
        if let Some(text) = environment.text("ifconfig_ipv6_local") {
            let address = text.parse().ok().filter(|address| is_ipv6_host(*address));
            let prefix = match environment.text("ifconfig_ipv6_netbits") {
                Some(bits) => bits.parse().ok().filter(|bits| (1..=128).contains(bits)),
                None => Some(128),
            };
            match (address, prefix) {
                (Some(address), Some(prefix)) => self.ipv6 = Some(Network { address, prefix }),
                _ => self.warn(&format!("the address {text}")),
            }
        }
        self.ipv4_gateway = environment
            .parsed("route_vpn_gateway")
            .or_else(|| environment.parsed("ifconfig_remote"))
            .filter(|address| is_ipv4_host(*address));
        self.ipv6_gateway = environment
            .parsed("ifconfig_ipv6_remote")
            .filter(|address| is_ipv6_host(*address));
        self.server = environment
            .parsed("trusted_ip")
            .map(IpAddr::V4)
            .or_else(|| environment.parsed("trusted_ip6").map(IpAddr::V6));
        if let Some(text) = environment.text("tun_mtu") {
            self.mtu = text.parse().ok().filter(|mtu| MTUS.contains(mtu));
            if self.mtu.is_none() {
                self.warn(&format!("the MTU {text}"));
            }
        }
    }
}

/// The MTU that a line of OpenVPN's log says was pushed: the environment is handed over before
/// OpenVPN takes a pushed `tun-mtu` in, and has the one before (init.c, `do_deferred_options`).
pub(crate) fn pushed_mtu(log: &str) -> Option<u32> {
    let (_, number) = log.split_once("OPTIONS IMPORT: tun-mtu set to ")?;
    number.trim().parse().ok().filter(|mtu| MTUS.contains(mtu))
}

/// Whether a line of OpenVPN's log says that the endpoint blocks the local network, for which
/// OpenVPN makes the tunnel the default. The environment tells it from a pushed default route only
/// in 2.7.
pub(crate) fn blocks_local_network(log: &str) -> bool {
    let (_, options) = log.split_once("PUSH_REPLY,").unwrap_or_default();
    let mut options = options.split(',');
    options.any(|option| {
        let mut words = option.trim_end_matches('\'').split_ascii_whitespace();
        let redirects = matches!(words.next(), Some("redirect-gateway" | "redirect-private"));
        redirects && words.any(|flag| flag == "block-local")
    })
}

/// The variables by name.
struct Environment(BTreeMap<String, String>);

impl Environment {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

/// The length of a netmask, unless it has holes.
fn prefix_of(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let prefix = bits.leading_ones();
    (bits.count_ones() == prefix).then_some(u8::try_from(prefix).ok()?)
}

fn is_ipv4_host(address: Ipv4Addr) -> bool {
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_broadcast())
}

fn is_ipv6_host(address: Ipv6Addr) -> bool {
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn read(variables: &[(&str, &str)]) -> Result<PushedOptions, TunnelError> {
        PushedOptions::from_environment(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    const ADDRESSES: [(&str, &str); 7] = [
        ("ifconfig_local", "10.88.0.2"),
        ("ifconfig_netmask", "255.255.255.224"),
        ("ifconfig_ipv6_local", "fd00:88::1000"),
        ("ifconfig_ipv6_netbits", "64"),
        ("ifconfig_ipv6_remote", "fd00:88::1"),
        ("route_vpn_gateway", "10.88.0.1"),
        ("route_net_gateway", "192.168.1.1"),
    ];

    /// A tunnel with both families and `variables`.
    pub(super) fn with(variables: &[(&str, &str)]) -> PushedOptions {
        read(&[&ADDRESSES[..], variables].concat()).unwrap()
    }

    #[test]
    fn a_blocked_local_network_is_read_from_the_log() {
        let push = |options: &str| {
            blocks_local_network(&format!(
                "PUSH: Received control message: 'PUSH_REPLY,{options}'"
            ))
        };
        assert!(push(
            "redirect-gateway block-local,route 10.0.0.0 255.0.0.0"
        ));
        assert!(push(
            "route 10.0.0.0 255.0.0.0,redirect-gateway def1 block-local"
        ));
        assert!(!push("redirect-gateway def1 bypass-dhcp,echo block-local"));
        assert!(!blocks_local_network("redirect-gateway block-local"));
    }

    #[test]
    fn a_tunnel_that_pauses_keeps_its_networks() {
        let tunnel = with(&[
            ("route_network_1", "10.20.0.0"),
            ("route_netmask_1", "255.255.0.0"),
            ("route_ipv6_network_1", "fd00:20::/32"),
            ("foreign_option_1", "dhcp-option DNS 10.20.0.2"),
            ("foreign_option_2", "dhcp-option DOMAIN corp.example"),
            ("route_redirect_gateway_ipv4", "1"),
            ("route_redirect_gateway_ipv6", "1"),
        ]);
        assert!(tunnel.redirect_ipv4 && tunnel.redirect_ipv6);
        assert_eq!(
            (tunnel.name_servers.len(), tunnel.ipv4_routes.len()),
            (1, 1)
        );
        let expected = PushedOptions {
            redirect_ipv4: false,
            redirect_ipv6: false,
            name_servers: Vec::new(),
            search_domains: Vec::new(),
            route_domains: Vec::new(),
            ..tunnel.clone()
        };
        assert_eq!(tunnel.without_names_and_default_route(), expected);
        assert_ne!(expected, PushedOptions::default());
    }

    #[test]
    fn the_addresses_of_both_families_are_read() {
        let tunnel = with(&[("trusted_ip", "203.0.113.5"), ("tun_mtu", "1500")]);
        let (ipv4, ipv6) = (tunnel.ipv4.unwrap(), tunnel.ipv6.unwrap());
        assert_eq!(ipv4.address, Ipv4Addr::new(10, 88, 0, 2));
        assert_eq!(ipv4.prefix, 27);
        assert_eq!(ipv6.address, "fd00:88::1000".parse::<Ipv6Addr>().unwrap());
        assert_eq!(ipv6.prefix, 64);
        assert_eq!(tunnel.ipv4_gateway, Some(Ipv4Addr::new(10, 88, 0, 1)));
        assert_eq!(tunnel.ipv6_gateway, Some("fd00:88::1".parse().unwrap()));
        assert_eq!(tunnel.server, Some("203.0.113.5".parse().unwrap()));
        assert_eq!(tunnel.mtu, Some(1500));
        assert!(tunnel.warnings().is_empty());
        let over_ipv6 = with(&[("trusted_ip6", "2001:db8::5")]);
        assert_eq!(over_ipv6.server, Some("2001:db8::5".parse().unwrap()));
    }

    #[test]
    fn point_to_point_has_the_other_end_as_next_hop() {
        let tunnel = read(&[
            ("ifconfig_local", "10.88.0.6"),
            ("ifconfig_remote", "10.88.0.5"),
        ])
        .unwrap();
        assert_eq!(tunnel.ipv4.unwrap().prefix, 32);
        assert_eq!(tunnel.ipv4_gateway, Some(Ipv4Addr::new(10, 88, 0, 5)));
    }

    #[test]
    fn without_an_address_there_is_no_tunnel() {
        assert_eq!(read(&[]), Err(TunnelError::NoAddress));
        for (local, mask) in [
            ("127.0.0.1", "255.0.0.0"),
            ("0.0.0.0", "255.0.0.0"),
            ("239.1.1.1", "255.255.255.0"),
            ("10.0.0.1", "0.0.0.0"),
            ("10.0.0.1", "255.0.255.0"),
            ("10.0.0.256", "255.0.0.0"),
        ] {
            let variables = [("ifconfig_local", local), ("ifconfig_netmask", mask)];
            assert_eq!(
                read(&variables),
                Err(TunnelError::NoAddress),
                "{local} {mask}"
            );
        }
        for (local, bits) in [("::1", "64"), ("ff02::1", "64"), ("fd00::1", "0")] {
            let variables = [
                ("ifconfig_ipv6_local", local),
                ("ifconfig_ipv6_netbits", bits),
            ];
            assert_eq!(read(&variables), Err(TunnelError::NoAddress), "{local}");
        }
    }

    #[test]
    fn what_a_missing_family_would_need_is_left_out() {
        let tunnel = read(&[
            ("ifconfig_local", "10.88.0.2"),
            ("ifconfig_netmask", "255.255.255.224"),
            ("route_ipv6_network_1", "fd01::/64"),
            ("route_redirect_gateway_ipv6", "1"),
            ("foreign_option_1", "dhcp-option DNS6 fd00::53"),
        ])
        .unwrap();
        assert!(tunnel.ipv6_routes.is_empty() && tunnel.name_servers.is_empty());
        assert!(!tunnel.redirect_ipv6);
        assert_eq!(
            tunnel.warnings(),
            ["3 IPv6 routes or name servers, for it gave no IPv6 address"]
        );
    }

    #[test]
    fn a_pushed_mtu_is_read_from_the_log() {
        let line = "OPTIONS IMPORT: tun-mtu set to 1400";
        assert_eq!(pushed_mtu(line), Some(1400));
        for other in [
            "OPTIONS IMPORT: tun-mtu set to 9",
            "tun-mtu set to 1400",
            "OPTIONS",
        ] {
            assert_eq!(pushed_mtu(other), None, "{other}");
        }
    }

    #[test]
    fn warnings_are_bounded_and_fit_for_a_log() {
        let long = "\u{1b}[31m".repeat(100);
        assert_eq!(with(&[("tun_mtu", "9")]).warnings(), ["the MTU 9"]);
        let tunnel = with(&[("tun_mtu", &long)]);
        let warning = &tunnel.warnings()[0];
        assert!(warning.chars().count() <= WARNING_LENGTH);
        assert!(!warning.contains('\u{1b}'));
        let names: Vec<String> = (1..60).map(|n| format!("route_network_{n}")).collect();
        let routes: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
        assert_eq!(with(&routes).warnings().len(), WARNING_LIMIT);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            values in proptest::collection::vec("[0-9a-f:./ ]{0,20}|[0-9.]{0,15}(/[0-9]{1,4})?|\\PC{0,20}", 16),
        ) {
            let names = [
                "ifconfig_local", "ifconfig_netmask", "ifconfig_ipv6_local", "trusted_ip",
                "ifconfig_ipv6_netbits", "route_network_1", "route_netmask_1", "route_gateway_1",
                "route_ipv6_network_1", "foreign_option_1", "tun_mtu", "dns_server_1_address_1",
                "route_vpn_gateway", "route_net_gateway", "dns_search_domain_1", "ifconfig_remote",
            ];
            let variables = names.iter().map(|name| (*name).to_owned()).zip(values);
            let _ = PushedOptions::from_environment(variables);
        }
    }
}
