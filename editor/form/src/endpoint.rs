//! The addresses of an endpoint as a person writes them: `a.example, b.example 1194 tcp`.
//!
//! Mostly there is one, with the port and protocol of the fields beside it. Another one says only
//! what is different.

use aws_client_vpn_profile::directive::is_host;
use aws_client_vpn_profile::parts::{Remote, Transport};

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadEndpoint {
    /// Nothing there.
    Missing,
    /// This is no name of a host.
    Host(String),
    /// This is neither port nor protocol.
    Word(String),
}

/// As it is shown: the text, and the port and protocol of the first address.
pub(crate) fn shown(remotes: &[Remote]) -> Option<(String, u16, Transport)> {
    let first = remotes.first()?;
    let texts: Vec<String> = remotes
        .iter()
        .map(|remote| {
            if (remote.port, remote.transport) == (first.port, first.transport) {
                remote.host.clone()
            } else {
                let transport = remote.transport.as_str();
                format!("{} {} {transport}", remote.host, remote.port)
            }
        })
        .collect();
    Some((texts.join(", "), first.port, first.transport))
}

/// What is meant.
pub(crate) fn meant(
    text: &str,
    port: u16,
    transport: Transport,
) -> Result<Vec<Remote>, BadEndpoint> {
    if text.trim().is_empty() {
        return Err(BadEndpoint::Missing);
    }
    text.split(',')
        .map(|part| {
            let mut words = part.split_whitespace();
            let host = words.next().unwrap_or_default();
            // As AWS's console shows it; what stands for the asterisk is another field.
            let host = host.strip_prefix("*.").unwrap_or(host);
            if !is_host(host) {
                return Err(BadEndpoint::Host(part.trim().to_owned()));
            }
            let mut remote = Remote {
                host: host.to_owned(),
                port,
                transport,
            };
            if let Some(word) = words.next() {
                let own = word.parse().ok().filter(|port| *port != 0);
                remote.port = own.ok_or_else(|| BadEndpoint::Word(word.to_owned()))?;
            }
            if let Some(word) = words.next() {
                remote.transport = match word.to_ascii_lowercase().as_str() {
                    "udp" => Transport::Udp,
                    "tcp" => Transport::Tcp,
                    _ => return Err(BadEndpoint::Word(word.to_owned())),
                };
            }
            match words.next() {
                Some(word) => Err(BadEndpoint::Word(word.to_owned())),
                None => Ok(remote),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_address_is_its_name_and_others_say_what_is_different() {
        let read = |text| meant(text, 443, Transport::Udp).unwrap();
        let one = read(" a.example ");
        assert_eq!(shown(&one), Some(("a.example".into(), 443, Transport::Udp)));
        assert_eq!(read("*.a.example")[0].host, "a.example");
        let three = read("a.example, b.example, c.example 1194 TCP");
        assert_eq!(
            shown(&three).unwrap().0,
            "a.example, b.example, c.example 1194 tcp"
        );
        assert_eq!(three[2].transport, Transport::Tcp);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let bad = |text| meant(text, 443, Transport::Udp).unwrap_err();
        assert_eq!(bad("  "), BadEndpoint::Missing);
        assert_eq!(bad("a b c"), BadEndpoint::Word("b".into()));
        assert_eq!(bad("a 443 icmp"), BadEndpoint::Word("icmp".into()));
        assert_eq!(bad("a 443 udp x"), BadEndpoint::Word("x".into()));
        assert_eq!(bad("a, "), BadEndpoint::Host(String::new()));
        assert_eq!(bad("https://a"), BadEndpoint::Host("https://a".into()));
    }

    proptest! {
        #[test]
        fn what_is_shown_means_the_same(
            remotes in proptest::collection::vec(("[a-z]{1,8}(:|\\.)[a-z]{1,3}", 1..=u16::MAX, any::<bool>()), 1..5)
        ) {
            let remotes: Vec<Remote> = remotes
                .into_iter()
                .map(|(host, port, tcp)| Remote {
                    host,
                    port,
                    transport: if tcp { Transport::Tcp } else { Transport::Udp },
                })
                .collect();
            let (text, port, transport) = shown(&remotes).unwrap();
            prop_assert_eq!(meant(&text, port, transport), Ok(remotes));
        }
    }
}
