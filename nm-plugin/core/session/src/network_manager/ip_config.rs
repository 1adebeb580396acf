//! Tunnel parameters as NetworkManager wants them: `Config`, `Ip4Config`, `Ip6Config`.
//!
//! Typed, with one field for each key of nm-vpn-dbus-interface.h that matters; the service turns
//! them into dictionaries.

use crate::ip::{Network, Route};
use crate::pushed::{PushedOptions, TunnelError};
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
    /// In bytes.
    pub mtu: Option<u32>,
    /// A text for the user.
    pub banner: Option<String>,
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
/// generations carry one more route, to a host that is inside the tunnel anyway: NetworkManager
/// never finishes an activation whose new settings equal the old ones to the letter
/// (nm-vpn-connection.c waits for a commit that does not come).
pub fn ip_config(
    tunnel: &PushedOptions,
    server: Option<IpAddr>,
    generation: u32,
) -> Result<IpConfig, TunnelError> {
    let gateway = server.or(tunnel.server).ok_or(TunnelError::NoServer)?;
    let domains = domains(tunnel);
    let ipv4 = tunnel.ipv4.map(|address| {
        let mut routes = tunnel.ipv4_routes.clone();
        let hosts = [tunnel.ipv4_gateway, Some(address.address)];
        toggle_host_route(&mut routes, hosts, 32, generation);
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
        let hosts = [tunnel.ipv6_gateway, Some(address.address)];
        toggle_host_route(&mut routes, hosts, 128, generation);
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
            banner: None,
        },
        ipv4,
        ipv6,
    })
}

/// In odd generations, adds a route to the first of `hosts` that has none yet.
fn toggle_host_route<A: Copy + PartialEq>(
    routes: &mut Vec<Route<A>>,
    hosts: [Option<A>; 2],
    prefix: u8,
    generation: u32,
) {
    if generation.is_multiple_of(2) {
        return;
    }
    let network = |address| Network { address, prefix };
    let missing = |network: &Network<A>| routes.iter().all(|route| route.network != *network);
    let added = hosts.into_iter().flatten().map(network).find(missing);
    routes.extend(added.map(|network| Route {
        network,
        gateway: None,
    }));
}

/// Search domains, then route-only ones, as NetworkManager writes them: `~` in front of a domain
/// that is only to be resolved through the tunnel, `~.` for every name.
///
/// An endpoint that pushes name servers without any domain, as AWS's do, means them for every
/// name: AWS's own client takes it so, and who sets a DNS server on an endpoint relies on it. For
/// a split tunnel NetworkManager would not ask them for anything but reverse names: it gives
/// the domain of everything to a VPN by itself only where the tunnel is the default route, or may
/// be (`_mgr_configs_data_construct` in nm-dns-manager.c, 1.42 to 1.58; of a VPN with
/// `never-default` and no domain, systemd-resolved and dnsmasq hear no routing domain). So it is
/// given here; a VPN's DNS priority (50) is before a device's (100), so all names are then asked
/// of the tunnel's servers alone. A profile can say otherwise with `ipv4.ignore-auto-dns`,
/// `ipv4.dns-search` or `ipv4.dns-priority`. A domain that is pushed keeps NetworkManager's
/// meaning: only its names are asked of the tunnel's servers, where a resolver can tell.
fn domains(tunnel: &PushedOptions) -> Vec<String> {
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

    fn tunnel() -> PushedOptions {
        let variables = [
            ("ifconfig_local", "10.88.0.2"),
            ("ifconfig_netmask", "255.255.255.224"),
            ("route_vpn_gateway", "10.88.0.1"),
            ("trusted_ip", "203.0.113.5"),
            ("foreign_option_1", "dhcp-option DNS 10.20.0.2"),
        ];
        PushedOptions::from_environment(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .unwrap()
    }

    #[test]
    fn a_split_tunnel_is_never_the_default_and_a_full_one_is() {
        let mut tunnel = tunnel();
        let ipv4 = |tunnel: &PushedOptions| ip_config(tunnel, None, 0).unwrap().ipv4.unwrap();
        assert!(ipv4(&tunnel).never_default);
        tunnel.redirect_ipv4 = true;
        assert!(!ipv4(&tunnel).never_default);
    }

    #[test]
    fn two_generations_are_never_equal() {
        let mut no_gateway = tunnel();
        no_gateway.ipv4_gateway = None;
        let mut pushed = tunnel();
        pushed.ipv4_routes.push(Route {
            network: Network {
                address: Ipv4Addr::new(10, 88, 0, 1),
                prefix: 32,
            },
            gateway: None,
        });
        for tunnel in [tunnel(), no_gateway, pushed] {
            let config = |generation| ip_config(&tunnel, None, generation).unwrap();
            assert_ne!(config(0), config(1));
            assert_ne!(config(1), config(2));
            assert_eq!(config(0), config(2));
            // NetworkManager takes a route that is there twice as one.
            let routes = config(1).ipv4.unwrap().routes;
            let hosts = routes.iter().filter(|route| route.network.prefix == 32);
            let hosts: Vec<_> = hosts.map(|route| route.network.address).collect();
            assert!((1..hosts.len()).all(|i| !hosts[i..].contains(&hosts[i - 1])));
            assert_ne!(config(u32::MAX), config(u32::MAX.wrapping_add(1)));
        }
    }

    #[test]
    fn servers_without_domains_are_for_every_name() {
        let mut tunnel = tunnel();
        let domains =
            |tunnel: &PushedOptions| ip_config(tunnel, None, 0).unwrap().ipv4.unwrap().domains;
        assert_eq!(domains(&tunnel), ["~."]);
        tunnel.search_domains = vec!["corp.example".to_owned()];
        assert_eq!(domains(&tunnel), ["corp.example"]);
        tunnel.route_domains = vec!["internal.example".to_owned(), String::new()];
        assert_eq!(
            domains(&tunnel),
            ["corp.example", "~internal.example", "~."]
        );
        let mut no_servers = self::tunnel();
        no_servers.name_servers.clear();
        assert!(domains(&no_servers).is_empty());
    }

    #[test]
    fn each_family_has_its_own_servers_routes_and_default() {
        let variables = [
            ("ifconfig_local", "10.88.0.2"),
            ("ifconfig_netmask", "255.255.255.224"),
            ("ifconfig_ipv6_local", "fd00:88::1000"),
            ("ifconfig_ipv6_netbits", "64"),
            ("ifconfig_ipv6_remote", "fd00:88::1"),
            ("route_vpn_gateway", "10.88.0.1"),
            ("route_network_1", "10.20.0.0"),
            ("route_netmask_1", "255.255.0.0"),
            ("route_ipv6_network_1", "fd00:20::/32"),
            ("route_redirect_gateway_ipv6", "1"),
            ("trusted_ip6", "2001:db8::5"),
            ("foreign_option_1", "dhcp-option DNS 10.20.0.2"),
            ("foreign_option_2", "dhcp-option DNS6 fd00:20::53"),
            ("foreign_option_3", "dhcp-option WINS 10.20.0.9"),
            ("tun_mtu", "1400"),
        ];
        let tunnel = PushedOptions::from_environment(
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
        .unwrap();
        let config = ip_config(&tunnel, None, 0).unwrap();
        let (ipv4, ipv6) = (config.ipv4.unwrap(), config.ipv6.unwrap());
        assert_eq!(config.general.mtu, Some(1400));
        assert_eq!(
            config.general.gateway,
            "2001:db8::5".parse::<IpAddr>().unwrap()
        );
        assert!(ipv4.never_default && !ipv6.never_default);
        assert_eq!(ipv4.name_servers, [Ipv4Addr::new(10, 20, 0, 2)]);
        assert_eq!(ipv4.wins_servers, [Ipv4Addr::new(10, 20, 0, 9)]);
        assert_eq!(
            ipv6.name_servers,
            ["fd00:20::53".parse::<Ipv6Addr>().unwrap()]
        );
        assert_eq!((ipv4.address.prefix, ipv6.address.prefix), (27, 64));
        assert_eq!((ipv4.routes.len(), ipv6.routes.len()), (1, 1));
        assert_eq!(ipv6.internal_gateway, Some("fd00:88::1".parse().unwrap()));
    }

    #[test]
    fn without_the_endpoint_s_address_there_is_no_config() {
        let mut unknown = tunnel();
        unknown.server = None;
        assert_eq!(ip_config(&unknown, None, 0), Err(TunnelError::NoServer));
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
