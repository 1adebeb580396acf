//! What the endpoint pushed, out of the environment OpenVPN hands over with `>UPDOWN:ENV`.
//!
//! With `--ifconfig-noexec --route-noexec` OpenVPN sets nothing itself; this is all there is. The
//! values come from a server on the internet: an item that makes no sense is left out with a
//! warning, and only a tunnel without any address is an error.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use thiserror::Error;

/// How many routes are taken from one endpoint; AWS allows 100.
pub const ROUTE_LIMIT: usize = 1024;
/// How many name servers or domains are taken.
const NAME_LIMIT: usize = 64;
/// How many warnings are kept.
const WARNING_LIMIT: usize = 20;

/// An address with the length of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network<A> {
    /// The address; for a route, that of the network.
    pub address: A,
    /// Length of the prefix in bits.
    pub prefix: u8,
}

/// A route the endpoint pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route<A> {
    /// Where to.
    pub network: Network<A>,
    /// Through whom; `None` is on-link.
    pub gateway: Option<A>,
}

/// What the endpoint pushed, as far as it makes sense.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TunnelParameters {
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
    /// MTU of the tunnel in octets.
    pub mtu: Option<u32>,
    warnings: Vec<String>,
}

/// What was pushed makes no tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TunnelError {
    /// No usable address.
    #[error("it gave this computer no address")]
    NoAddress,
    /// The endpoint's own address is not known.
    #[error("its own address is not known")]
    NoServer,
}

impl TunnelParameters {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`TunnelError::NoAddress`] if there is neither an IPv4 nor an IPv6 address.
    pub fn from_environment(
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, TunnelError> {
        let environment = Environment(environment.into_iter().collect());
        let mut parameters = Self::default();
        parameters.read_addresses(&environment);
        parameters.read_ipv4_routes(&environment);
        parameters.read_ipv6_routes(&environment);
        parameters.read_names(&environment);
        if parameters.ipv4.is_none() && parameters.ipv6.is_none() {
            return Err(TunnelError::NoAddress);
        }
        Ok(parameters)
    }

    /// What was left out, and why.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn warn(&mut self, what: String) {
        if self.warnings.len() < WARNING_LIMIT {
            self.warnings.push(what);
        }
    }

    fn read_addresses(&mut self, environment: &Environment) {
        if let Some(address) = environment.parsed::<Ipv4Addr>("ifconfig_local") {
            let prefix = match environment.text("ifconfig_netmask") {
                Some(mask) => mask.parse().ok().and_then(prefix_of),
                // Point to point: `ifconfig_remote` is the other end.
                None => Some(32),
            };
            match prefix {
                Some(prefix) if is_host(address) => {
                    self.ipv4 = Some(Network { address, prefix });
                }
                _ => self.warn(format!("the address {address}")),
            }
        }
        if let Some(address) = environment.parsed::<Ipv6Addr>("ifconfig_ipv6_local") {
            let prefix = environment
                .parsed("ifconfig_ipv6_netbits")
                .filter(|bits| *bits <= 128);
            self.ipv6 = Some(Network {
                address,
                prefix: prefix.unwrap_or(128),
            });
        }
        self.ipv4_gateway = environment
            .parsed("route_vpn_gateway")
            .or_else(|| environment.parsed("ifconfig_remote"));
        self.ipv6_gateway = environment.parsed("ifconfig_ipv6_remote");
        self.server = environment
            .parsed("trusted_ip")
            .map(IpAddr::V4)
            .or_else(|| environment.parsed("trusted_ip6").map(IpAddr::V6));
        self.mtu = environment
            .parsed("tun_mtu")
            .filter(|mtu| (576..=65535).contains(mtu));
    }

    fn read_ipv4_routes(&mut self, environment: &Environment) {
        // OpenVPN 2.7 says so itself; the patch teaches it to 2.6.
        self.redirect_ipv4 = environment.text("route_redirect_gateway_ipv4") == Some("1");
        for number in 1.. {
            let name = |part: &str| format!("route_{part}_{number}");
            let Some(network) = environment.text(&name("network")) else {
                break;
            };
            if number > ROUTE_LIMIT {
                self.warn(format!("routes after the first {ROUTE_LIMIT}"));
                break;
            }
            let address = network.parse::<Ipv4Addr>().ok();
            let prefix = match environment.text(&name("netmask")) {
                Some(mask) => mask.parse().ok().and_then(prefix_of),
                None => Some(32),
            };
            let gateway = environment.parsed(&name("gateway"));
            match (address, prefix) {
                (Some(address), Some(0)) if address.is_unspecified() => self.redirect_ipv4 = true,
                (Some(address), Some(prefix)) if may_route_ipv4(address, prefix) => {
                    let address = masked_ipv4(address, prefix);
                    let network = Network { address, prefix };
                    self.ipv4_routes.push(Route { network, gateway });
                }
                _ => self.warn(format!("the route to {network}")),
            }
        }
        // `redirect-gateway def1` as two routes.
        let half = |first: u8| {
            let address = Ipv4Addr::new(first, 0, 0, 0);
            Network { address, prefix: 1 }
        };
        let has = |network| {
            self.ipv4_routes
                .iter()
                .any(|route| route.network == network)
        };
        if has(half(0)) && has(half(128)) {
            self.redirect_ipv4 = true;
            self.ipv4_routes.retain(|route| route.network.prefix != 1);
        }
    }

    fn read_ipv6_routes(&mut self, environment: &Environment) {
        self.redirect_ipv6 = environment.text("route_redirect_gateway_ipv6") == Some("1");
        for number in 1.. {
            let Some(text) = environment.text(&format!("route_ipv6_network_{number}")) else {
                break;
            };
            if number > ROUTE_LIMIT {
                self.warn(format!("IPv6 routes after the first {ROUTE_LIMIT}"));
                break;
            }
            let network = text.split_once('/').and_then(|(address, prefix)| {
                let address = address.parse::<Ipv6Addr>().ok()?;
                let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= 128)?;
                Some(Network { address, prefix })
            });
            let gateway = environment.parsed(&format!("route_ipv6_gateway_{number}"));
            match network {
                Some(Network { address, prefix: 0 }) if address.is_unspecified() => {
                    self.redirect_ipv6 = true;
                }
                Some(network) if may_route_ipv6(network) => {
                    self.ipv6_routes.push(Route { network, gateway });
                }
                _ => self.warn(format!("the route to {text}")),
            }
        }
    }

    fn read_names(&mut self, environment: &Environment) {
        for number in 1.. {
            let Some(option) = environment.text(&format!("foreign_option_{number}")) else {
                break;
            };
            if number > NAME_LIMIT {
                self.warn(format!("DHCP options after the first {NAME_LIMIT}"));
                break;
            }
            let mut words = option.split_ascii_whitespace();
            if words.next() != Some("dhcp-option") {
                continue;
            }
            match (words.next(), words.next()) {
                (Some("DNS" | "DNS6"), Some(address)) => self.add_name_server(address),
                (Some("WINS"), Some(address)) => match address.parse() {
                    Ok(address) => self.wins_servers.push(address),
                    Err(_) => self.warn(format!("the WINS server {address}")),
                },
                (Some("DOMAIN" | "DOMAIN-SEARCH" | "ADAPTER_DOMAIN_SUFFIX"), Some(domain)) => {
                    self.add_domain(domain, false);
                }
                (Some("DOMAIN-ROUTE"), Some(domain)) => self.add_domain(domain, true),
                _ => self.warn(format!("the option {option:?}")),
            }
        }
        self.read_dns_options(environment);
    }

    /// The `dns` options of OpenVPN 2.6 and later. Where there are any, OpenVPN derives the
    /// foreign options from them, so nothing is lost by taking each name once.
    fn read_dns_options(&mut self, environment: &Environment) {
        for number in 1..=NAME_LIMIT {
            if let Some(domain) = environment.text(&format!("dns_search_domain_{number}")) {
                self.add_domain(domain, false);
            }
            for part in 1..=NAME_LIMIT {
                let server = format!("dns_server_{number}_address_{part}");
                let domain = format!("dns_server_{number}_resolve_domain_{part}");
                let (server, domain) = (environment.text(&server), environment.text(&domain));
                if let Some(address) = server {
                    self.add_name_server(address);
                }
                if let Some(domain) = domain {
                    self.add_domain(domain, true);
                }
                if server.is_none() && domain.is_none() {
                    break;
                }
            }
        }
    }

    fn add_name_server(&mut self, text: &str) {
        match text.parse::<IpAddr>() {
            Ok(address) if self.name_servers.contains(&address) => {}
            Ok(address)
                if !address.is_loopback()
                    && !address.is_unspecified()
                    && !address.is_multicast() =>
            {
                self.name_servers.push(address);
            }
            _ => self.warn(format!("the name server {text}")),
        }
    }

    fn add_domain(&mut self, text: &str, route_only: bool) {
        let domain = text.trim_start_matches('~').trim_matches('.');
        // `.` and `~.`: everything.
        if domain.is_empty() || !is_domain(domain) {
            if route_only && matches!(text, "." | "~.") {
                self.route_domains.push(String::new());
            } else {
                self.warn(format!("the domain {text:?}"));
            }
            return;
        }
        let list = if route_only {
            &mut self.route_domains
        } else {
            &mut self.search_domains
        };
        if !list.iter().any(|known| known == domain) {
            list.push(domain.to_owned());
        }
    }
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

fn prefix_of(mask: Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let prefix = bits.leading_ones();
    (bits.count_ones() == prefix).then_some(u8::try_from(prefix).ok()?)
}

fn masked_ipv4(address: Ipv4Addr, prefix: u8) -> Ipv4Addr {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    Ipv4Addr::from(u32::from(address) & mask)
}

fn is_host(address: Ipv4Addr) -> bool {
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_broadcast())
}

/// Whether a network may be routed into the tunnel: not the machine itself, not its own links.
fn may_route_ipv4(address: Ipv4Addr, prefix: u8) -> bool {
    if prefix == 0 {
        return false;
    }
    !(address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || (address.is_unspecified() && prefix > 1))
}

fn may_route_ipv6(network: Network<Ipv6Addr>) -> bool {
    let address = network.address;
    network.prefix != 0
        && !(address.is_loopback()
            || address.is_unicast_link_local()
            || address.is_multicast()
            || (address.is_unspecified() && network.prefix > 1))
}

/// Letters, digits, hyphens and underscores in labels of 1 to 63 octets, 253 in all (RFC 1035).
fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|o| o.is_ascii_alphanumeric() || matches!(o, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(variables: &[(&str, &str)]) -> Result<TunnelParameters, TunnelError> {
        TunnelParameters::from_environment(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    const ADDRESS: [(&str, &str); 3] = [
        ("ifconfig_local", "10.88.0.2"),
        ("ifconfig_netmask", "255.255.255.224"),
        ("route_vpn_gateway", "10.88.0.1"),
    ];

    fn with(variables: &[(&str, &str)]) -> TunnelParameters {
        read(&[&ADDRESS[..], variables].concat()).unwrap()
    }

    #[test]
    fn what_aws_pushes() {
        let parameters = with(&[
            ("trusted_ip", "203.0.113.5"),
            ("tun_mtu", "1500"),
            ("route_network_1", "10.20.3.4"),
            ("route_netmask_1", "255.255.0.0"),
            ("route_gateway_1", "10.88.0.1"),
            ("foreign_option_1", "dhcp-option DNS 10.20.0.2"),
            ("foreign_option_2", "dhcp-option DOMAIN corp.example"),
            ("foreign_option_3", "dhcp-option DOMAIN-ROUTE ."),
        ]);
        let address = Ipv4Addr::new(10, 88, 0, 2);
        assert_eq!(
            parameters.ipv4,
            Some(Network {
                address,
                prefix: 27
            })
        );
        assert_eq!(parameters.ipv4_gateway, Some(Ipv4Addr::new(10, 88, 0, 1)));
        assert_eq!(parameters.server, Some("203.0.113.5".parse().unwrap()));
        assert_eq!(parameters.mtu, Some(1500));
        let network = Network {
            address: Ipv4Addr::new(10, 20, 0, 0),
            prefix: 16,
        };
        let gateway = Some(Ipv4Addr::new(10, 88, 0, 1));
        assert_eq!(parameters.ipv4_routes, [Route { network, gateway }]);
        assert_eq!(
            parameters.name_servers,
            ["10.20.0.2".parse::<IpAddr>().unwrap()]
        );
        assert_eq!(parameters.search_domains, ["corp.example"]);
        assert_eq!(parameters.route_domains, [""]);
        assert!(!parameters.redirect_ipv4);
        assert!(parameters.warnings().is_empty());
    }

    #[test]
    fn a_redirected_gateway_is_seen_in_each_of_its_forms() {
        assert!(with(&[("route_redirect_gateway_ipv4", "1")]).redirect_ipv4);
        let all = with(&[
            ("route_network_1", "0.0.0.0"),
            ("route_netmask_1", "0.0.0.0"),
        ]);
        assert!(all.redirect_ipv4 && all.ipv4_routes.is_empty());
        let halves = with(&[
            ("route_network_1", "0.0.0.0"),
            ("route_netmask_1", "128.0.0.0"),
            ("route_network_2", "128.0.0.0"),
            ("route_netmask_2", "128.0.0.0"),
        ]);
        assert!(halves.redirect_ipv4 && halves.ipv4_routes.is_empty());
        assert!(with(&[("route_ipv6_network_1", "::/0")]).redirect_ipv6);
    }

    #[test]
    fn what_makes_no_sense_is_left_out_with_a_warning() {
        let parameters = with(&[
            ("route_network_1", "127.0.0.0"),
            ("route_netmask_1", "255.0.0.0"),
            ("route_network_2", "10.1.0.0"),
            ("route_netmask_2", "255.0.255.0"),
            ("route_network_3", "224.0.0.0"),
            ("route_netmask_3", "240.0.0.0"),
            ("route_ipv6_network_1", "fe80::/10"),
            ("foreign_option_1", "dhcp-option DNS 127.0.0.1"),
            ("foreign_option_2", "dhcp-option DOMAIN evil;rm"),
            ("foreign_option_3", "dhcp-option PROXY_HTTP host 80"),
        ]);
        assert!(parameters.ipv4_routes.is_empty() && parameters.ipv6_routes.is_empty());
        assert!(parameters.name_servers.is_empty() && parameters.search_domains.is_empty());
        assert_eq!(parameters.warnings().len(), 7);
    }

    #[test]
    fn without_an_address_there_is_no_tunnel() {
        assert_eq!(read(&[]), Err(TunnelError::NoAddress));
        let loopback = [
            ("ifconfig_local", "127.0.0.1"),
            ("ifconfig_netmask", "255.0.0.0"),
        ];
        assert_eq!(read(&loopback), Err(TunnelError::NoAddress));
    }

    #[test]
    fn the_number_of_routes_is_bounded() {
        let routes = (1..2000).map(|number| (format!("route_network_{number}"), "10.0.0.1".into()));
        let address = ADDRESS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = TunnelParameters::from_environment(address.into_iter().chain(routes));
        assert_eq!(parameters.unwrap().ipv4_routes.len(), ROUTE_LIMIT);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(values in proptest::collection::vec("[0-9a-f:./ ]{0,20}", 12)) {
            let names = [
                "ifconfig_local", "ifconfig_netmask", "ifconfig_ipv6_local", "trusted_ip",
                "ifconfig_ipv6_netbits", "route_network_1", "route_netmask_1", "route_gateway_1",
                "route_ipv6_network_1", "foreign_option_1", "tun_mtu", "dns_server_1_address_1",
            ];
            let variables = names.iter().map(|name| (*name).to_owned()).zip(values);
            let _ = TunnelParameters::from_environment(variables);
        }
    }
}
