//! Tunnel parameters as NetworkManager wants them: `Config`, `Ip4Config`, `Ip6Config`.
//!
//! Typed, with one field for each key of nm-vpn-dbus-interface.h that matters; the service turns
//! them into dictionaries.

use crate::tunnel_env::{Network, Route, TunnelError, TunnelParameters};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// All that NetworkManager is told of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpConfig {
    /// `Config`
    pub general: Config,
    /// `Ip4Config`, if the tunnel carries IPv4.
    pub ipv4: Option<FamilyConfig<Ipv4Addr>>,
    /// `Ip6Config`, if the tunnel carries IPv6.
    pub ipv6: Option<FamilyConfig<Ipv6Addr>>,
}

/// `Config`, but for the name of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The endpoint's address outside the tunnel; NetworkManager routes it through the device
    /// that has the network connection.
    pub gateway: IpAddr,
    /// In octets.
    pub mtu: Option<u32>,
}

/// `Ip4Config` or `Ip6Config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyConfig<A> {
    /// The address of this end, with the length of its network.
    pub address: Network<A>,
    /// Next hop of the default route.
    pub internal_gateway: Option<A>,
    /// Routes into the tunnel.
    pub routes: Vec<Route<A>>,
    /// Name servers of this family.
    pub name_servers: Vec<A>,
    /// WINS servers; IPv4 only.
    pub wins_servers: Vec<A>,
    /// Domains; one with a `~` in front is resolved through the tunnel, but not searched in.
    pub domains: Vec<String>,
    /// Whether the tunnel must not become the default route.
    pub never_default: bool,
}

/// The network settings for one generation of a tunnel.
///
/// `server` is the address of the login, if it is known better than from the environment. Odd
/// generations carry a host route to the next hop: NetworkManager never finishes an activation
/// whose new settings equal the old ones to the letter (nm-vpn-connection.c waits for a commit
/// that does not come).
///
/// # Errors
/// [`TunnelError::NoServer`] if the endpoint's address is not known.
pub fn ip_config(
    tunnel: &TunnelParameters,
    server: Option<IpAddr>,
    generation: u32,
) -> Result<IpConfig, TunnelError> {
    let gateway = server.or(tunnel.server).ok_or(TunnelError::NoServer)?;
    let domains = domains(tunnel);
    let toggle = generation % 2 == 1;
    let ipv4 = tunnel.ipv4.map(|address| {
        let mut routes = tunnel.ipv4_routes.clone();
        let next_hop = tunnel.ipv4_gateway.filter(|_| toggle);
        routes.extend(next_hop.map(|address| host_route(address, 32)));
        let name_servers = tunnel
            .name_servers
            .iter()
            .filter_map(|server| match server {
                IpAddr::V4(server) => Some(*server),
                IpAddr::V6(_) => None,
            });
        FamilyConfig {
            address,
            internal_gateway: tunnel.ipv4_gateway,
            routes,
            name_servers: name_servers.collect(),
            wins_servers: tunnel.wins_servers.clone(),
            domains: domains.clone(),
            never_default: !tunnel.redirect_ipv4,
        }
    });
    let ipv6 = tunnel.ipv6.map(|address| {
        let mut routes = tunnel.ipv6_routes.clone();
        let next_hop = tunnel.ipv6_gateway.filter(|_| toggle);
        routes.extend(next_hop.map(|address| host_route(address, 128)));
        let name_servers = tunnel
            .name_servers
            .iter()
            .filter_map(|server| match server {
                IpAddr::V6(server) => Some(*server),
                IpAddr::V4(_) => None,
            });
        FamilyConfig {
            address,
            internal_gateway: tunnel.ipv6_gateway,
            routes,
            name_servers: name_servers.collect(),
            wins_servers: Vec::new(),
            domains: domains.clone(),
            never_default: !tunnel.redirect_ipv6,
        }
    });
    Ok(IpConfig {
        general: Config {
            gateway,
            mtu: tunnel.mtu,
        },
        ipv4,
        ipv6,
    })
}

fn host_route<A>(address: A, prefix: u8) -> Route<A> {
    Route {
        network: Network { address, prefix },
        gateway: None,
    }
}

/// Search domains, then route-only ones. An endpoint that pushes name servers without any domain
/// means them for every name, as AWS's own client takes it; NetworkManager would not ask a
/// split tunnel's servers for anything then, so the domain of everything is added.
fn domains(tunnel: &TunnelParameters) -> Vec<String> {
    let mut domains = tunnel.search_domains.clone();
    domains.extend(
        tunnel
            .route_domains
            .iter()
            .map(|domain| match domain.as_str() {
                "" => "~.".to_owned(),
                domain => format!("~{domain}"),
            }),
    );
    if domains.is_empty() && !tunnel.name_servers.is_empty() {
        domains.push("~.".to_owned());
    }
    domains
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel() -> TunnelParameters {
        let variables = [
            ("ifconfig_local", "10.88.0.2"),
            ("ifconfig_netmask", "255.255.255.224"),
            ("route_vpn_gateway", "10.88.0.1"),
            ("trusted_ip", "203.0.113.5"),
            ("foreign_option_1", "dhcp-option DNS 10.20.0.2"),
        ];
        TunnelParameters::from_environment(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .unwrap()
    }

    #[test]
    fn a_split_tunnel_is_never_the_default_and_a_full_one_is() {
        let mut tunnel = tunnel();
        let ipv4 = |tunnel: &TunnelParameters| ip_config(tunnel, None, 0).unwrap().ipv4.unwrap();
        assert!(ipv4(&tunnel).never_default);
        tunnel.redirect_ipv4 = true;
        assert!(!ipv4(&tunnel).never_default);
    }

    #[test]
    fn two_generations_are_never_equal() {
        let config = |generation| ip_config(&tunnel(), None, generation).unwrap();
        assert_ne!(config(0), config(1));
        assert_ne!(config(1), config(2));
        assert_eq!(config(0), config(2));
    }

    #[test]
    fn servers_without_domains_are_for_every_name() {
        let mut tunnel = tunnel();
        let domains =
            |tunnel: &TunnelParameters| ip_config(tunnel, None, 0).unwrap().ipv4.unwrap().domains;
        assert_eq!(domains(&tunnel), ["~."]);
        tunnel.search_domains = vec!["corp.example".to_owned()];
        tunnel.route_domains = vec!["internal.example".to_owned()];
        assert_eq!(domains(&tunnel), ["corp.example", "~internal.example"]);
    }

    #[test]
    fn the_address_of_the_login_is_the_gateway() {
        let pinned = "203.0.113.9".parse().unwrap();
        assert_eq!(
            ip_config(&tunnel(), Some(pinned), 0)
                .unwrap()
                .general
                .gateway,
            pinned
        );
        let own = "203.0.113.5".parse::<IpAddr>().unwrap();
        assert_eq!(ip_config(&tunnel(), None, 0).unwrap().general.gateway, own);
    }
}
