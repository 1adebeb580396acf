//! A DNS server that knows the endpoint's name as AWS's does: only with a label in front.

use crate::event::Event;
use simple_dns::rdata::{A, AAAA, RData};
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use std::collections::HashMap;
use std::net::IpAddr;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::UnboundedSender;
use uuid::Uuid;

/// AWS's records live for a minute.
const TTL_SECONDS: u32 = 60;
/// Longest query that is read: EDNS clients announce 1232 or 4096 for answers, queries are short.
const QUERY_LIMIT: usize = 4096;

/// The names that one server knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone {
    /// Names that have these addresses with any labels in front, and none by themselves.
    pub(crate) below: HashMap<String, Vec<IpAddr>>,
    /// Whether those have them by themselves, too.
    pub(crate) bare_names: bool,
    /// Names that have this address as they are.
    pub(crate) exact: HashMap<String, IpAddr>,
    /// Whether the server is behind the tunnel; for its reports.
    pub(crate) inside: bool,
}

enum Answer {
    Addresses(Vec<IpAddr>),
    NoSuchName,
}

impl Zone {
    /// The answer to `question`; the addresses of a name come in an order of chance, as from AWS.
    fn answer(&self, name: &str, chance: u128) -> Answer {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if let Some(address) = self.exact.get(&name) {
            return Answer::Addresses(vec![*address]);
        }
        for (parent, addresses) in &self.below {
            if name == *parent && !self.bare_names {
                return Answer::Addresses(Vec::new());
            }
            if name
                .strip_suffix(parent)
                .is_some_and(|label| label.is_empty() || label.ends_with('.'))
            {
                let mut addresses = addresses.clone();
                shuffle(&mut addresses, chance);
                return Answer::Addresses(addresses);
            }
        }
        Answer::NoSuchName
    }

    /// The reply to a query, and what is reported of it; `None` for what is no query.
    fn reply(&self, query: &[u8], chance: u128) -> Option<(Vec<u8>, Event)> {
        let query = Packet::parse(query).ok()?;
        if query.has_flags(PacketFlag::RESPONSE) {
            return None;
        }
        let question = query.questions.first()?.clone();
        let name = question.qname.to_string();
        let wanted = |address: &IpAddr| match question.qtype {
            QTYPE::TYPE(TYPE::A) => address.is_ipv4(),
            QTYPE::TYPE(TYPE::AAAA) => address.is_ipv6(),
            QTYPE::ANY => true,
            QTYPE::TYPE(_) | QTYPE::IXFR | QTYPE::AXFR | QTYPE::MAILB | QTYPE::MAILA => false,
        };
        let mut reply = Packet::new_reply(query.id());
        reply.set_flags(PacketFlag::AUTHORITATIVE_ANSWER | PacketFlag::RECURSION_AVAILABLE);
        if query.has_flags(PacketFlag::RECURSION_DESIRED) {
            reply.set_flags(PacketFlag::RECURSION_DESIRED);
        }
        match self.answer(&name, chance) {
            Answer::Addresses(addresses) => {
                let addresses = addresses.into_iter().filter(wanted);
                reply.answers.extend(addresses.map(|address| {
                    let data = match address {
                        IpAddr::V4(address) => RData::A(A::from(address)),
                        IpAddr::V6(address) => RData::AAAA(AAAA::from(address)),
                    };
                    ResourceRecord::new(question.qname.clone(), CLASS::IN, TTL_SECONDS, data)
                }));
            }
            Answer::NoSuchName => *reply.rcode_mut() = RCODE::NameError,
        }
        let answers = reply.answers.len();
        reply.questions.push(question);
        Some((
            reply.build_bytes_vec_compressed().ok()?,
            Event::Lookup {
                name,
                answers,
                inside: self.inside,
            },
        ))
    }
}

/// Answers the queries that come to `socket`, for ever; reports those that `events` wants.
pub(crate) async fn serve(socket: UdpSocket, zone: Zone, events: UnboundedSender<Event>) {
    let mut buffer = [0; QUERY_LIMIT];
    loop {
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let chance = Uuid::new_v4().as_u128();
        if let Some((reply, event)) = zone.reply(&buffer[..length], chance) {
            let _ = socket.send_to(&reply, client).await;
            let _ = events.send(event);
        }
    }
}

fn shuffle(addresses: &mut [IpAddr], mut chance: u128) {
    for last in (1..addresses.len()).rev() {
        let count = last as u128 + 1;
        addresses.swap(last, (chance % count) as usize);
        chance /= count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::ENDPOINT_NAME;
    use simple_dns::{Name, Question};
    use std::net::Ipv4Addr;

    fn zone() -> Zone {
        let nodes = vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])];
        Zone {
            bare_names: false,
            below: HashMap::from([(ENDPOINT_NAME.to_owned(), nodes)]),
            exact: HashMap::from([("idp.example".to_owned(), IpAddr::from([10, 0, 0, 3]))]),
            inside: false,
        }
    }

    fn ask(name: &str, kind: TYPE, chance: u128) -> (RCODE, Vec<Ipv4Addr>) {
        let mut query = Packet::new_query(7);
        query.set_flags(PacketFlag::RECURSION_DESIRED);
        let name = Name::new(name).unwrap();
        query
            .questions
            .push(Question::new(name, kind.into(), CLASS::IN.into(), false));
        let (reply, _) = zone()
            .reply(&query.build_bytes_vec().unwrap(), chance)
            .unwrap();
        let reply = Packet::parse(&reply).unwrap();
        assert_eq!(reply.id(), 7);
        let addresses = reply.answers.iter().filter_map(|record| {
            if let RData::A(A { address }) = record.rdata {
                Some(address.into())
            } else {
                None
            }
        });
        (reply.rcode(), addresses.collect())
    }

    #[test]
    fn the_endpoint_has_addresses_only_with_a_label_in_front() {
        let label = format!("0123456789ab.{ENDPOINT_NAME}");
        assert_eq!(ask(&label, TYPE::A, 0).1.len(), 2);
        assert_eq!(ask(&label.to_uppercase(), TYPE::A, 0).1.len(), 2);
        assert_eq!(ask(ENDPOINT_NAME, TYPE::A, 0), (RCODE::NoError, vec![]));
        assert_eq!(ask(&label, TYPE::AAAA, 0), (RCODE::NoError, vec![]));
        assert_eq!(
            ask(&format!("x{ENDPOINT_NAME}"), TYPE::A, 0).0,
            RCODE::NameError
        );
        assert_eq!(
            ask("idp.example", TYPE::A, 0).1,
            [Ipv4Addr::new(10, 0, 0, 3)]
        );
        assert_eq!(
            ask("aws.amazon.com", TYPE::A, 0),
            (RCODE::NameError, vec![])
        );
    }

    #[test]
    fn the_order_of_the_addresses_is_one_of_chance() {
        let label = format!("a.{ENDPOINT_NAME}");
        assert_ne!(ask(&label, TYPE::A, 0).1, ask(&label, TYPE::A, 1).1);
    }
}
