//! The pushed name servers and domains: as `dhcp-option`, and as the `dns` options of OpenVPN 2.6.

use super::{Environment, PushedOptions};
use std::net::IpAddr;

/// How many name servers and domains are taken.
const NAME_LIMIT: usize = 64;

impl PushedOptions {
    /// Where there are `dns` options, OpenVPN derives foreign options from them, and not the other
    /// way round: they come first, and each name is taken once.
    pub(super) fn read_names(&mut self, environment: &Environment) {
        self.read_dns_options(environment);
        for number in 1.. {
            let Some(option) = environment.text(&format!("foreign_option_{number}")) else {
                break;
            };
            if number > NAME_LIMIT {
                self.warn(&format!("DHCP options after the first {NAME_LIMIT}"));
                break;
            }
            self.read_dhcp_option(option);
        }
    }

    fn read_dhcp_option(&mut self, option: &str) {
        let mut words = option.split_ascii_whitespace();
        if words.next() != Some("dhcp-option") {
            return;
        }
        match (words.next(), words.next()) {
            (Some("DNS" | "DNS6"), Some(address)) => self.add_name_server(address),
            (Some("WINS"), Some(address)) => match address.parse() {
                Ok(address) if super::is_ipv4_host(address) => {
                    if !self.wins_servers.contains(&address) {
                        self.wins_servers.push(address);
                    }
                }
                _ => self.warn(&format!("the WINS server {address}")),
            },
            (Some("DOMAIN" | "DOMAIN-SEARCH" | "ADAPTER_DOMAIN_SUFFIX"), Some(domain)) => {
                self.add_domain(domain, false);
            }
            (Some("DOMAIN-ROUTE"), Some(domain)) => self.add_domain(domain, true),
            _ => self.warn(&format!("the option '{option}'")),
        }
    }

    /// `dns_search_domain_{n}`, `dns_server_{n}_address_{m}`, `dns_server_{n}_resolve_domain_{m}`;
    /// all of them count from 1 without a gap (dns.c).
    fn read_dns_options(&mut self, environment: &Environment) {
        let texts = |name: &dyn Fn(usize) -> String| -> Vec<String> {
            (1..=NAME_LIMIT)
                .map_while(|number| environment.text(&name(number)).map(str::to_owned))
                .collect()
        };
        for domain in texts(&|number| format!("dns_search_domain_{number}")) {
            self.add_domain(&domain, false);
        }
        for server in 1..=NAME_LIMIT {
            let addresses = texts(&|number| format!("dns_server_{server}_address_{number}"));
            let domains = texts(&|number| format!("dns_server_{server}_resolve_domain_{number}"));
            if addresses.is_empty() {
                break;
            }
            for address in addresses {
                self.add_name_server(&address);
            }
            for domain in domains {
                self.add_domain(&domain, true);
            }
        }
    }

    fn add_name_server(&mut self, text: &str) {
        let address = text.parse::<IpAddr>().ok().filter(|address| match address {
            IpAddr::V4(address) => super::is_ipv4_host(*address),
            IpAddr::V6(address) => super::is_ipv6_host(*address),
        });
        match address {
            Some(address) if self.name_servers.contains(&address) => {}
            Some(address) if self.name_servers.len() < NAME_LIMIT => {
                self.name_servers.push(address);
            }
            Some(_) | None => self.warn(&format!("the name server {text}")),
        }
    }

    fn add_domain(&mut self, text: &str, route_only: bool) {
        let domain = text.trim_start_matches('~').trim_matches('.');
        // `.` and `~.`: everything; nothing can be searched in it.
        let everything = route_only && domain.is_empty() && text.contains('.');
        let list = if route_only {
            &mut self.route_domains
        } else {
            &mut self.search_domains
        };
        if list.iter().any(|known| known.eq_ignore_ascii_case(domain)) {
            return;
        }
        if (everything || is_domain(domain)) && list.len() < NAME_LIMIT {
            list.push(domain.to_owned());
        } else {
            self.warn(&format!("the domain {text}"));
        }
    }
}

/// Letters, digits, hyphens and underscores in labels of 1 to 63 bytes, 253 in all (RFC 1035). No
/// label begins or ends with a hyphen: such a name might be taken for an option by a program.
fn is_domain(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    use super::super::tests::with;
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn dhcp(options: &[&str]) -> PushedOptions {
        let variables: Vec<(String, String)> = options
            .iter()
            .zip(1..)
            .map(|(option, number)| {
                let name = format!("foreign_option_{number}");
                (name, format!("dhcp-option {option}"))
            })
            .collect();
        let variables = variables.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        with(&variables.collect::<Vec<_>>())
    }

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn each_dhcp_option_is_understood() {
        let tunnel = dhcp(&[
            "DNS 10.20.0.2",
            "DNS 10.20.0.3",
            "DNS6 fd00:20::53",
            "DNS 10.20.0.2",
            "DOMAIN corp.example",
            "DOMAIN-SEARCH search.example.",
            "DOMAIN-ROUTE internal.example",
            "DOMAIN-ROUTE .",
            "ADAPTER_DOMAIN_SUFFIX Corp.Example",
            "WINS 10.20.0.9",
        ]);
        assert_eq!(
            tunnel.name_servers,
            addresses(&["10.20.0.2", "10.20.0.3", "fd00:20::53"])
        );
        assert_eq!(tunnel.search_domains, ["corp.example", "search.example"]);
        assert_eq!(tunnel.route_domains, ["internal.example", ""]);
        assert_eq!(tunnel.wins_servers, [Ipv4Addr::new(10, 20, 0, 9)]);
        assert!(tunnel.warnings().is_empty());
    }

    #[test]
    fn the_dns_options_come_first_and_each_name_once() {
        let tunnel = with(&[
            ("dns_search_domain_1", "corp.example"),
            ("dns_server_1_address_1", "10.20.0.2"),
            ("dns_server_1_address_2", "fd00:20::53"),
            ("dns_server_1_resolve_domain_1", "internal.example"),
            ("dns_server_2_address_1", "10.20.0.3"),
            ("foreign_option_1", "dhcp-option DNS 10.20.0.9"),
            ("foreign_option_2", "dhcp-option DNS 10.20.0.2"),
            ("foreign_option_3", "dhcp-option DOMAIN corp.example"),
        ]);
        assert_eq!(
            tunnel.name_servers,
            addresses(&["10.20.0.2", "fd00:20::53", "10.20.0.3", "10.20.0.9"])
        );
        assert_eq!(tunnel.search_domains, ["corp.example"]);
        assert_eq!(tunnel.route_domains, ["internal.example"]);
    }

    #[test]
    fn what_makes_no_sense_is_left_out_with_a_warning() {
        for option in [
            "DNS 127.0.0.1",
            "DNS ::1",
            "DNS 0.0.0.0",
            "DNS 239.0.0.1",
            "DNS ns.example",
            "DNS",
            "WINS fd00::1",
            "DOMAIN evil;rm",
            "DOMAIN -v",
            "DOMAIN a..b",
            "DOMAIN .",
            "DOMAIN-ROUTE ~",
            "PROXY_HTTP host 80",
            "NTP 10.20.0.7",
        ] {
            let tunnel = dhcp(&[option]);
            assert!(tunnel.name_servers.is_empty(), "{option}");
            assert!(tunnel.wins_servers.is_empty(), "{option}");
            assert!(tunnel.search_domains.is_empty(), "{option}");
            assert!(tunnel.route_domains.is_empty(), "{option}");
            assert_eq!(tunnel.warnings().len(), 1, "{option}");
        }
    }

    #[test]
    fn the_number_of_names_is_bounded() {
        let options: Vec<String> = (0..100).map(|n| format!("DOMAIN d{n}.example")).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        assert_eq!(dhcp(&options).search_domains.len(), NAME_LIMIT);
        // From both sources together, too.
        let searched: Vec<(String, String)> = (1..=NAME_LIMIT)
            .flat_map(|n| {
                [
                    (format!("dns_search_domain_{n}"), format!("s{n}.example")),
                    (
                        format!("foreign_option_{n}"),
                        format!("dhcp-option DOMAIN d{n}.example"),
                    ),
                ]
            })
            .collect();
        let variables = searched.iter().map(|(n, v)| (n.as_str(), v.as_str()));
        let tunnel = with(&variables.collect::<Vec<_>>());
        assert_eq!(tunnel.search_domains.len(), NAME_LIMIT);
        let names: Vec<String> = (1..=8)
            .flat_map(|s| (1..=64).map(move |a| format!("dns_server_{s}_address_{a}")))
            .collect();
        let values: Vec<String> = (0..names.len())
            .map(|n| format!("10.9.{}.{}", n / 64, n % 64 + 1))
            .collect();
        let variables = names.iter().zip(&values);
        let variables: Vec<_> = variables
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(with(&variables).name_servers.len(), NAME_LIMIT);
    }

    proptest! {
        #[test]
        fn a_domain_that_is_taken_is_a_plain_name(text in "[a-zA-Z0-9._~ ;/-]{0,40}|\\PC{0,20}") {
            let tunnel = dhcp(&[&format!("DOMAIN {text}"), &format!("DOMAIN-ROUTE {text}")]);
            for domain in tunnel.search_domains.iter().chain(&tunnel.route_domains) {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
                prop_assert!(domain.chars().all(plain), "{}", domain);
                prop_assert!(!domain.starts_with(['.', '-']) && !domain.ends_with(['.', '-']));
            }
            prop_assert!(tunnel.search_domains.iter().all(|domain| !domain.is_empty()));
        }
    }
}
