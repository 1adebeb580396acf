//! Finds the endpoint's addresses.
//!
//! The name of an AWS endpoint has no address of its own: any label in front of it has, and a
//! random one keeps caches from pinning all users to one node.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// As many random octets as OpenVPN's own `remote-random-hostname` takes (init.c).
const LABEL_OCTETS: usize = 6;
/// How long the system's resolver may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Resolves `host`; an error is text for the user.
pub(crate) async fn resolve(host: String, random_label: bool) -> Result<Vec<IpAddr>, String> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let name = if random_label {
        format!("{}.{host}", label()?)
    } else {
        host
    };
    match tokio::time::timeout(LIMIT, tokio::net::lookup_host((name.as_str(), 0))).await {
        Ok(Ok(addresses)) => Ok(distinct(addresses)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "the resolver did not answer within {} s",
            LIMIT.as_secs()
        )),
    }
}

fn label() -> Result<String, String> {
    let mut octets = [0_u8; LABEL_OCTETS];
    rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| error.to_string())?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_twelve_hexadecimal_digits_and_differ() {
        let (one, other) = (label().unwrap(), label().unwrap());
        assert_eq!(one.len(), 12);
        assert!(one.bytes().all(|octet| octet.is_ascii_hexdigit()));
        assert_ne!(one, other);
    }

    #[test]
    fn addresses_keep_their_order_and_appear_once() {
        let list = ["10.0.0.2:0", "10.0.0.1:0", "10.0.0.2:0"].map(|text| text.parse().unwrap());
        let expected: Vec<IpAddr> = vec!["10.0.0.2".parse().unwrap(), "10.0.0.1".parse().unwrap()];
        assert_eq!(distinct(list.into_iter()), expected);
    }
}
