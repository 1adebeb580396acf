//! What an endpoint did, for those who write this program: `aws-client-vpn logs --report`.
//!
//! Nobody outside AWS knows all that its endpoints push and say. A report has just that, out of the
//! log of one attempt: what was pushed, the form of the challenge, what was refused and how, how
//! it ended, and the versions of what took part. Only lines that the service has marked as being of
//! that kind are taken, and each passes the filter for secrets.

use super::{Entry, shown};
use std::net::{IpAddr, Ipv4Addr};

/// What the reader of a report cannot see, and its writer may know.
const QUESTIONS: [&str; 4] = [
    "is a login banner set on the endpoint?",
    "is client route enforcement on?",
    "is the endpoint dual stack (IPv4 and IPv6)?",
    "after how many hours does the endpoint end a session, and what came then?",
];
/// How OpenVPN begins to tell what was pushed; the options follow.
const PUSHED: &str = "PUSH: Received control message: '";
/// What separates words that may be an address or a name.
const BETWEEN: [char; 9] = [' ', ',', '\'', '"', '[', ']', '(', ')', ';'];

/// The report on the attempt that `entries` are the log of. `versions` are those of the programs;
/// with `hides_addresses`, numbers stand for addresses and names.
pub fn report(versions: &[String], entries: &[Entry], hides_addresses: bool) -> String {
    let mut lines = vec!["Report on an endpoint of AWS Client VPN".to_owned()];
    lines.push("\nversions".to_owned());
    lines.extend(versions.iter().map(|line| format!("  {}", shown(line))));
    lines.push("\nwhat the endpoint did, in seconds".to_owned());
    let began = entries.iter().find_map(|entry| entry.time);
    let mut hidden = Hidden::default();
    for entry in entries {
        let texts = told(entry);
        for (number, text) in texts.iter().enumerate() {
            let time = match (entry.time, began) {
                (Some(time), Some(began)) if number == 0 => seconds(time.saturating_sub(began)),
                _ => String::new(),
            };
            let text = shown(text);
            let text = match hides_addresses {
                true => hidden.hide(&text),
                false => text,
            };
            lines.push(format!("{time:>9}  {text}"));
        }
    }
    lines.push("\nplease add what you know".to_owned());
    lines.extend(QUESTIONS.map(|question| format!("  {question} ")));
    lines.join("\n") + "\n"
}

fn seconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000_000, micros % 1_000_000 / 1000)
}

/// What of a line is for the report: a line, or one for each option that was pushed.
fn told(entry: &Entry) -> Vec<String> {
    if !entry.tells_of_endpoint() {
        return Vec::new();
    }
    let Some((_, options)) = entry.text.split_once(PUSHED) else {
        return vec![entry.text.clone()];
    };
    let options = options.trim_end_matches('\'').split(',').enumerate();
    let options = options.map(|(number, option)| match number {
        0 => format!("pushed {option}"),
        _ => format!("  {option}"),
    });
    options.collect()
}

/// Addresses and names that were seen, in the order of their numbers.
#[derive(Debug, Default)]
struct Hidden {
    addresses: Vec<IpAddr>,
    names: Vec<String>,
}

impl Hidden {
    fn hide(&mut self, line: &str) -> String {
        let words = line.split_inclusive(BETWEEN).map(|word| {
            let bare = word.trim_end_matches(BETWEEN);
            self.word(bare) + &word[bare.len()..]
        });
        words.collect()
    }

    fn word(&mut self, word: &str) -> String {
        let bare = word.trim_end_matches(['.', ':']);
        let (address, prefix) = bare.split_once('/').unwrap_or((bare, ""));
        let rest = &word[address.len()..];
        if let Ok(address) = address.parse::<IpAddr>() {
            if prefix.is_empty() && is_mask(address) {
                return word.to_owned();
            }
            return format!("<address {}>{rest}", number(&mut self.addresses, address));
        }
        // OpenVPN writes an address with its port; a URL has a name in it.
        if let Some((address, port)) = address.rsplit_once(':')
            && let Ok(address) = address.parse::<IpAddr>()
        {
            let number = number(&mut self.addresses, address);
            return format!("<address {number}>:{port}{rest}");
        }
        if is_name(bare) {
            let rest = &word[bare.len()..];
            return match bare.split_once("cvpn-endpoint-") {
                // The region matters, and which of its endpoints it is does not.
                Some((_, name)) => match name.split_once('.') {
                    Some((_, domain)) => format!("cvpn-endpoint-<…>.{domain}{rest}"),
                    None => format!("cvpn-endpoint-<…>{rest}"),
                },
                None => {
                    let number = number(&mut self.names, bare.to_owned());
                    format!("<name {number}>{rest}")
                }
            };
        }
        match word.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://<…>"),
            None => word.to_owned(),
        }
    }
}

fn number<T: PartialEq>(seen: &mut Vec<T>, item: T) -> usize {
    match seen.iter().position(|own| *own == item) {
        Some(position) => position + 1,
        None => {
            seen.push(item);
            seen.len()
        }
    }
}

/// Whether it is a mask, which is no address of anybody.
fn is_mask(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let bits = u32::from(address);
            address == Ipv4Addr::UNSPECIFIED
                || bits.leading_ones() == bits.count_ones() && bits != 0
        }
        IpAddr::V6(address) => address.is_unspecified(),
    }
}

/// Words with dots between them, the last of which is of letters.
fn is_name(word: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || "-_.*~".contains(c);
    let last = word.rsplit_once('.').map(|(_, last)| last);
    word.chars().all(fits)
        && last
            .is_some_and(|last| last.chars().count() > 1 && last.chars().all(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn line(seconds: u64, is_of_endpoint: bool, text: &str) -> Entry {
        Entry {
            time: Some(1_795_539_600_000_000 + seconds * 1_000_000),
            source: Source::Service,
            process: None,
            connection: None,
            attempt: None,
            is_of_endpoint,
            text: text.to_owned(),
        }
    }

    fn log() -> Vec<Entry> {
        let marked = |seconds, text: &str| line(seconds, true, text);
        let starting = Entry {
            source: Source::NetworkManager,
            ..marked(0, "vpn[0x55,uuid,\"work\"]: starting")
        };
        vec![
            starting,
            line(
                0,
                false,
                "connecting \"work\" to cvpn-endpoint-0a1b.prod.clientvpn.eu-west-1.amazonaws.com",
            ),
            marked(
                1,
                "connecting to cvpn-endpoint-0a1b.prod.clientvpn.eu-west-1.amazonaws.com at 203.0.113.5 port 443",
            ),
            line(
                1,
                false,
                "openvpn: MANAGEMENT: CMD 'username \"Auth\" \"ada\"'",
            ),
            marked(
                2,
                "openvpn: AUTH: Received control message: AUTH_FAILED,CRV1:R:c2VjcmV0:Ti9B:https://idp/",
            ),
            marked(
                2,
                "the endpoint asks for a browser login at login.example.com; waiting up to 600 s",
            ),
            marked(
                9,
                "openvpn: PUSH: Received control message: 'PUSH_REPLY,dhcp-option DNS 10.0.0.2,dhcp-option DOMAIN corp.example,route 10.0.0.0 255.255.0.0,route-ipv6 fd00:9::/32,auth-token SECRET,echo,peer-id 1'",
            ),
            marked(
                90,
                "openvpn: Connection reset command was pushed by server ('')",
            ),
            line(
                91,
                false,
                "openvpn: UDPv4 link remote: [AF_INET]203.0.113.5:443",
            ),
        ]
    }

    #[test]
    fn a_report_has_what_the_endpoint_did_and_nothing_else() {
        let text = report(&["OpenVPN 2.6.14".to_owned()], &log(), false);
        for told in [
            "  OpenVPN 2.6.14\n",
            "    1.000  connecting to cvpn-endpoint-0a1b.prod",
            "    2.000  openvpn: AUTH: Received control message: AUTH_FAILED,[not shown]\n",
            "    9.000  pushed PUSH_REPLY\n             dhcp-option DNS 10.0.0.2\n",
            "             route 10.0.0.0 255.255.0.0\n",
            "             echo\n             peer-id 1\n",
            "   90.000  openvpn: Connection reset command was pushed by server ('')\n",
            "is a login banner set",
        ] {
            assert!(text.contains(told), "{told:?} is not in\n{text}");
        }
        for kept in ["SECRET", "c2VjcmV0", "ada", "work", "link remote"] {
            assert!(!text.contains(kept), "{kept} is in\n{text}");
        }
    }

    #[test]
    fn addresses_and_names_are_left_out_where_that_is_asked_for() {
        let text = report(&[], &log(), true);
        for told in [
            "connecting to cvpn-endpoint-<…>.prod.clientvpn.eu-west-1.amazonaws.com at <address 1> port 443",
            "a browser login at <name 1>; waiting",
            "dhcp-option DNS <address 2>\n",
            "dhcp-option DOMAIN <name 2>\n",
            "route <address 3> 255.255.0.0\n",
            "route-ipv6 <address 4>/32\n",
        ] {
            assert!(text.contains(told), "{told:?} is not in\n{text}");
        }
        for kept in ["203.0.113.5", "10.0.0", "example", "0a1b", "fd00"] {
            assert!(!text.contains(kept), "{kept} is in\n{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_left() {
        let mut hidden = Hidden::default();
        for line in [
            "redirect-gateway def1 bypass-dhcp",
            "Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384",
            "dhcp-option DOMAIN-ROUTE .",
            "route 0.0.0.0 128.0.0.0",
            "OpenVPN 2.6.14",
            "AUTH_FAILED,Invalid username or password",
            "",
        ] {
            assert_eq!(hidden.hide(line), line);
        }
        assert_eq!(
            hidden.hide("[AF_INET]192.0.2.1:443, 192.0.2.1. https://a.example/b?c"),
            "[AF_INET]<address 1>:443, <address 1>. https://<…>"
        );
    }
}
