//! Finds the endpoint's addresses.
//!
//! The name of an AWS endpoint has no address of its own: any label in front of it has, and a
//! random one keeps caches from pinning all users to one node.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::task::JoinSet;

/// As many random bytes as OpenVPN's own `remote-random-hostname` takes (init.c).
const LABEL_BYTES: usize = 6;
/// How long the system's resolver may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Looks for addresses while other things go on.
#[derive(Default)]
pub(crate) struct Resolver {
    /// Nobody waits for them any more once this is dropped.
    searches: JoinSet<Answer>,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The name that was asked for.
    pub(crate) host: String,
    /// The host's addresses; an error is text for the user.
    pub(crate) result: Result<Vec<IpAddr>, String>,
}

impl Resolver {
    /// Begins to look for the addresses of `host`.
    pub(crate) fn begin(&mut self, host: String, random_label: bool) {
        self.searches.spawn(async move {
            let result = resolve(host.clone(), random_label).await;
            Answer { host, result }
        });
    }

    /// The next answer. Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Answer {
        loop {
            match self.searches.join_next().await {
                Some(Ok(answer)) => return answer,
                // It panicked, and nothing waits for it longer than for a name server.
                Some(Err(error)) => tracing::error!("cannot resolve a name: {error}"),
                None => return pending().await,
            }
        }
    }
}

async fn resolve(host: String, random_label: bool) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let name = if random_label {
        format!("{}.{host}", label()?)
    } else {
        host
    };
    match tokio::time::timeout(LIMIT, tokio::net::lookup_host((name.as_str(), 0))).await {
        Ok(Ok(addresses)) => Ok(in_turns(&distinct(addresses))),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "the resolver did not answer within {} s",
            LIMIT.as_secs()
        )),
    }
}

fn label() -> Result<String, String> {
    let mut bytes = [0_u8; LABEL_BYTES];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| error.to_string())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn distinct(addresses: impl Iterator<Item = SocketAddr>) -> Vec<IpAddr> {
    let mut distinct = Vec::new();
    for address in addresses {
        if !distinct.contains(&address.ip()) {
            distinct.push(address.ip());
        }
    }
    distinct
}

/// IPv4 and IPv6 take turns (RFC 8305, section 4), in the resolver's order: where one of them leads
/// nowhere, it costs one try.
fn in_turns(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let is_first = |address: &IpAddr| address.is_ipv6() == addresses[0].is_ipv6();
    let (first, other): (Vec<_>, Vec<_>) = addresses.iter().copied().partition(is_first);
    let turns = 0..first.len().max(other.len());
    turns
        .flat_map(|turn| [first.get(turn), other.get(turn)])
        .flatten()
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_twelve_hexadecimal_digits_and_differ() {
        let (one, other) = (label().unwrap(), label().unwrap());
        assert_eq!(one.len(), 12);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }

    #[test]
    fn addresses_keep_their_order_and_appear_once() {
        let list = ["10.0.0.2:0", "10.0.0.1:0", "10.0.0.2:0"].map(|text| text.parse().unwrap());
        let expected: Vec<IpAddr> = vec!["10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap()];
        assert_eq!(distinct(list.into_iter()), expected);
    }

    #[test]
    fn ipv4_and_ipv6_take_turns() {
        let addresses = |list: &[&str]| -> Vec<IpAddr> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        for (found, expected) in [
            (&[][..], &[][..]),
            (&["10.0.0.2", "10.0.0.1"], &["10.0.0.2", "10.0.0.1"]),
            (
                &["fd00::1", "fd00::2", "fd00::3", "10.0.0.2", "10.0.0.1"],
                &["fd00::1", "10.0.0.2", "fd00::2", "10.0.0.1", "fd00::3"],
            ),
            (
                &["10.0.0.1", "10.0.0.2", "fd00::1"],
                &["10.0.0.1", "fd00::1", "10.0.0.2"],
            ),
        ] {
            assert_eq!(in_turns(&addresses(found)), addresses(expected));
        }
    }
}
