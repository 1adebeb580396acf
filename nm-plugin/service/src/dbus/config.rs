//! The typed network settings as the dictionaries NetworkManager takes.
//!
//! Keys and types: NetworkManager's nm-vpn-dbus-interface.h. An IPv4 address is a `u` whose four
//! octets in memory are the address in network byte order, an IPv6 address is `ay`.

use aws_client_vpn_session::network_manager::ip_config::{FamilyConfig, IpConfig};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use zbus::zvariant::Value;

/// A dictionary `a{sv}`.
pub(crate) type Settings<'a> = HashMap<&'static str, Value<'a>>;

/// `Config`, and `Ip4Config` and `Ip6Config` where the tunnel has the family.
pub(crate) fn dictionaries<'a>(
    config: &IpConfig,
    tun_device: &'a str,
) -> (Settings<'a>, Option<Settings<'a>>, Option<Settings<'a>>) {
    let mut general: Settings<'a> = HashMap::from([
        ("tundev", Value::from(tun_device)),
        ("has-ip4", Value::from(config.ipv4.is_some())),
        ("has-ip6", Value::from(config.ipv6.is_some())),
        // The loss of a device is no reason to end: the service follows to the next one.
        ("can-persist", Value::from(true)),
    ]);
    general.insert(
        "gateway",
        match config.general.gateway {
            IpAddr::V4(address) => Value::from(ipv4(address)),
            IpAddr::V6(address) => Value::from(ipv6(address)),
        },
    );
    if let Some(mtu) = config.general.mtu {
        general.insert("mtu", Value::from(mtu));
    }
    if let Some(banner) = &config.general.banner {
        general.insert("banner", Value::from(banner.clone()));
    }
    (
        general,
        config.ipv4.as_ref().map(ip4_config),
        config.ipv6.as_ref().map(ip6_config),
    )
}

fn ip4_config<'a>(config: &FamilyConfig<Ipv4Addr>) -> Settings<'a> {
    let addresses = |list: &[Ipv4Addr]| -> Vec<u32> { list.iter().copied().map(ipv4).collect() };
    // Network, prefix, next hop, metric (which NetworkManager does not look at).
    let routes: Vec<Vec<u32>> = config
        .routes
        .iter()
        .map(|route| {
            let gateway = route.gateway.map_or(0, ipv4);
            vec![
                ipv4(route.network.address),
                u32::from(route.network.prefix),
                gateway,
                0,
            ]
        })
        .collect();
    let mut settings = common(config);
    settings.insert("address", Value::from(ipv4(config.address.address)));
    if let Some(gateway) = config.internal_gateway {
        settings.insert("internal-gateway", Value::from(ipv4(gateway)));
    }
    settings.insert("dns", Value::from(addresses(&config.name_servers)));
    settings.insert("nbns", Value::from(addresses(&config.wins_servers)));
    settings.insert("routes", Value::from(routes));
    settings
}

fn ip6_config<'a>(config: &FamilyConfig<Ipv6Addr>) -> Settings<'a> {
    let routes: Vec<(Vec<u8>, u32, Vec<u8>, u32)> = config
        .routes
        .iter()
        .map(|route| {
            let gateway = ipv6(route.gateway.unwrap_or(Ipv6Addr::UNSPECIFIED));
            (
                ipv6(route.network.address),
                u32::from(route.network.prefix),
                gateway,
                0,
            )
        })
        .collect();
    let servers: Vec<Vec<u8>> = config.name_servers.iter().copied().map(ipv6).collect();
    let mut settings = common(config);
    settings.insert("address", Value::from(ipv6(config.address.address)));
    if let Some(gateway) = config.internal_gateway {
        settings.insert("internal-gateway", Value::from(ipv6(gateway)));
    }
    settings.insert("dns", Value::from(servers));
    settings.insert("routes", Value::from(routes));
    settings
}

fn common<'a, A>(config: &FamilyConfig<A>) -> Settings<'a> {
    HashMap::from([
        ("prefix", Value::from(u32::from(config.address.prefix))),
        ("domains", Value::from(config.domains.clone())),
        ("never-default", Value::from(config.never_default)),
        ("preserve-routes", Value::from(false)),
    ])
}

fn ipv4(address: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(address.octets())
}

fn ipv6(address: Ipv6Addr) -> Vec<u8> {
    address.octets().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_session::ip::{Network, Route};
    use aws_client_vpn_session::network_manager::ip_config::Config;

    #[test]
    fn keys_and_types_are_networkmanager_s() {
        let network = Network {
            address: Ipv4Addr::new(10, 20, 0, 0),
            prefix: 16,
        };
        let config = IpConfig {
            general: Config {
                gateway: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5)),
                mtu: Some(1500),
                banner: Some("Be nice".to_owned()),
            },
            ipv4: Some(FamilyConfig {
                address: Network {
                    address: Ipv4Addr::new(10, 88, 0, 2),
                    prefix: 27,
                },
                internal_gateway: Some(Ipv4Addr::new(10, 88, 0, 1)),
                routes: vec![Route {
                    network,
                    gateway: None,
                }],
                name_servers: vec![Ipv4Addr::new(10, 20, 0, 2)],
                wins_servers: vec![],
                domains: vec!["~.".to_owned()],
                never_default: true,
            }),
            ipv6: None,
        };
        let (general, ip4, ip6) = dictionaries(&config, "awsvpn0");
        assert_eq!(general["tundev"], Value::from("awsvpn0"));
        assert_eq!(
            general["gateway"],
            Value::from(u32::from_ne_bytes([203, 0, 113, 5]))
        );
        assert_eq!(general["has-ip6"], Value::from(false));
        assert_eq!(general["can-persist"], Value::from(true));
        assert_eq!(general["banner"], Value::from("Be nice"));
        let ip4 = ip4.unwrap();
        assert_eq!(ip4["routes"].value_signature().to_string(), "aau");
        assert_eq!(ip4["dns"].value_signature().to_string(), "au");
        assert_eq!(ip4["prefix"], Value::from(27_u32));
        assert_eq!(ip4["never-default"], Value::from(true));
        assert!(ip6.is_none());
    }

    #[test]
    fn ipv6_routes_have_the_old_signature_that_every_networkmanager_reads() {
        let address = "fd00::2".parse().unwrap();
        let route = Route {
            network: Network {
                address: "fd01::".parse().unwrap(),
                prefix: 64,
            },
            gateway: None,
        };
        let settings = ip6_config(&FamilyConfig {
            address: Network {
                address,
                prefix: 64,
            },
            internal_gateway: None,
            routes: vec![route],
            name_servers: vec![address],
            wins_servers: vec![],
            domains: vec![],
            never_default: true,
        });
        assert_eq!(
            settings["routes"].value_signature().to_string(),
            "a(ayuayu)"
        );
        assert_eq!(settings["dns"].value_signature().to_string(), "aay");
    }
}
