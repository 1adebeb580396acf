//! Recorded conversations with OpenVPN, replayed from their bytes to the settings NetworkManager
//! gets. What the session sends has to be what the recording says, at the place where it says it.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of tests; the clock is made up, but needs a beginning"
)]

use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::ip::{Network, Route};
use aws_client_vpn_session::management::{Line, LineBuffer, Notification, decode};
use aws_client_vpn_session::network_manager::ip_config::{FamilyConfig, IpConfig};
use aws_client_vpn_session::session::{Effect, Input, Session};
use aws_client_vpn_text::secret::Secret;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

const SPLIT_TUNNEL: &str = include_str!("transcripts/split_tunnel.txt");
const REFUSED: &str = include_str!("transcripts/refused.txt");
const RESTART: &str = include_str!("transcripts/restart.txt");
const EVERYTHING_PUSHED: &str = include_str!("transcripts/everything_pushed.txt");
const DNS_OPTIONS: &str = include_str!("transcripts/dns_options.txt");
const ALL: [&str; 5] = [
    SPLIT_TUNNEL,
    REFUSED,
    RESTART,
    EVERYTHING_PUSHED,
    DNS_OPTIONS,
];

const HOST: &str = "cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com";

/// What came of a transcript.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// Every effect but commands, in order.
    story: Vec<String>,
    configs: Vec<IpConfig>,
}

struct Player {
    session: Session,
    now: Instant,
    lines: LineBuffer,
    /// Commands that were sent, but not yet found in the transcript.
    sent: VecDeque<String>,
    outcome: Outcome,
}

/// Replays a transcript; OpenVPN's bytes come in pieces of `size`.
fn replay(transcript: &str, size: usize) -> Outcome {
    let text = format!(
        "client\nremote {HOST} 443 udp\nremote-random-hostname\nauth-federate\n\
         <ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n"
    );
    let profile = Profile::parse(&text, &mut |_| Err(String::new()))
        .unwrap()
        .profile;
    let timeouts = Timeouts {
        connect: Duration::from_secs(60),
        login: Duration::from_secs(600),
        ..Timeouts::default()
    };
    let now = Instant::now();
    let mut player = Player {
        session: Session::new(profile, timeouts, true, BTreeMap::new(), now),
        now,
        lines: LineBuffer::new(),
        sent: VecDeque::new(),
        outcome: Outcome::default(),
    };
    player.collect();
    for line in transcript.lines().filter(|line| !line.starts_with('#')) {
        if let Some(command) = line.strip_prefix("< ") {
            assert_eq!(player.sent.pop_front().as_deref(), Some(command));
            continue;
        }
        assert_eq!(player.sent, [""; 0], "sent before {line}");
        match line
            .strip_prefix("* ")
            .and_then(|event| event.split_once(' '))
        {
            Some(("resolved", address)) => player.input(Input::Resolved {
                host: HOST.to_owned(),
                result: Ok(vec![address.parse().unwrap()]),
            }),
            Some(("saml", response)) => player.input(Input::NewSecrets(BTreeMap::from([(
                "saml-response".to_owned(),
                Secret::from(response),
            )]))),
            Some((event, _)) => panic!("unknown event {event}"),
            None => player.bytes(format!("{line}\r\n").as_bytes(), size),
        }
    }
    assert_eq!(player.sent, [""; 0], "sent at the end");
    player.outcome
}

impl Player {
    fn bytes(&mut self, bytes: &[u8], size: usize) {
        for piece in bytes.chunks(size) {
            self.lines.push(piece);
            while let Some(line) = self.lines.next_line() {
                let Line::Complete(line) = line else {
                    panic!("too long")
                };
                self.input(Input::Management(decode(line.expose())));
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.session.handle(input, self.now);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(effect) = self.session.poll_effect() {
            let shown = format!("{effect:?} {:?}", self.session);
            assert!(!shown.contains("instance-1"), "{shown}");
            assert!(!shown.contains("PHNhbWxw"), "{shown}");
            let step = match effect {
                Effect::Send(command) => {
                    let line = command.encode().unwrap();
                    self.sent.push_back(line.expose().trim_end().to_owned());
                    continue;
                }
                Effect::Configure(config) => {
                    self.outcome.configs.push(*config);
                    "configure".to_owned()
                }
                Effect::Fail(failure) => failure.to_string(),
                Effect::RequestSecrets { message, .. } => message,
                Effect::Note(_) | Effect::NoteOfEndpoint(_) => continue,
                Effect::Announce(state) => format!("{state:?}"),
                Effect::Resolve { .. } => "resolve".to_owned(),
                Effect::Launch
                | Effect::Terminate
                | Effect::SignInExpires { .. }
                | Effect::Kill
                | Effect::CleanUp
                | Effect::StartRenewal
                | Effect::SendToRenewal(_)
                | Effect::EndRenewal
                | Effect::RefuseRenewal
                | Effect::Finish => format!("{effect:?}"),
            };
            self.outcome.story.push(step);
        }
    }
}

fn ipv4(octets: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(octets))
}

fn ipv6_address(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn network(octets: [u8; 4], prefix: u8) -> Network<Ipv4Addr> {
    let address = Ipv4Addr::from(octets);
    Network { address, prefix }
}

#[test]
fn every_line_is_understood_and_its_pieces_do_not_matter() {
    for transcript in ALL {
        let whole = replay(transcript, usize::MAX);
        assert_eq!(replay(transcript, 1), whole);
        assert_eq!(replay(transcript, 7), whole);
        for line in transcript.lines().filter(|line| line.starts_with('>')) {
            assert_ne!(decode(line), Notification::Other, "{line}");
        }
    }
}

#[test]
fn a_split_tunnel_gets_its_route_and_its_name_server() {
    let outcome = replay(SPLIT_TUNNEL, 4096);
    assert_eq!(
        outcome.story,
        [
            "Starting",
            "resolve",
            "Launch",
            "Sign in at idp.example in your browser to connect.",
            "configure",
            "Started",
        ]
    );
    let [config] = outcome.configs.as_slice() else {
        panic!("{:?}", outcome.configs)
    };
    assert_eq!(config.general.gateway, ipv4([10, 77, 0, 1]));
    assert_eq!(config.general.mtu, Some(1500));
    assert_eq!(config.ipv6, None);
    let expected = FamilyConfig {
        address: network([10, 88, 0, 34], 27),
        internal_gateway: Some(Ipv4Addr::new(10, 88, 0, 33)),
        routes: vec![Route {
            network: network([10, 99, 0, 0], 16),
            gateway: Some(Ipv4Addr::new(10, 88, 0, 33)),
        }],
        name_servers: vec![Ipv4Addr::new(10, 99, 0, 2)],
        wins_servers: Vec::new(),
        domains: vec!["~.".to_owned()],
        never_default: true,
    };
    assert_eq!(config.ipv4.as_ref(), Some(&expected));
}

#[test]
fn a_refused_answer_is_told_in_the_endpoint_s_words() {
    let outcome = replay(REFUSED, 4096);
    assert!(outcome.configs.is_empty());
    assert_eq!(
        outcome.story,
        [
            "Starting",
            "resolve",
            "Launch",
            "Sign in at idp.example in your browser to connect.",
            "The endpoint refused the sign-in although it was completed in the browser: Invalid username or password. Most likely the response arrived too late or had already been used. Connect again, and sign in without a pause. If that does not help, ask your administrator whether you are assigned to this VPN's application.",
            "Stopping",
            "Terminate",
        ]
    );
}

#[test]
fn a_restart_offers_the_last_answer_once_more_where_it_was_good() {
    let outcome = replay(RESTART, 4096);
    assert_eq!(outcome.configs.len(), 1);
    assert_eq!(
        outcome.story,
        [
            "Starting",
            "resolve",
            "Launch",
            "Sign in at idp.example in your browser to connect.",
            "configure",
            "Started",
        ]
    );
}

#[test]
fn everything_that_can_be_pushed_reaches_networkmanager() {
    let outcome = replay(EVERYTHING_PUSHED, 4096);
    let [config] = outcome.configs.as_slice() else {
        panic!("{:?}", outcome.configs)
    };
    let (ipv4, ipv6) = (config.ipv4.as_ref().unwrap(), config.ipv6.as_ref().unwrap());
    assert!(!ipv4.never_default && !ipv6.never_default);
    // Not the one that was pushed for the network outside.
    assert_eq!(ipv4.routes.len(), 1);
    assert_eq!(ipv4.routes[0].network, network([10, 20, 0, 0], 16));
    // Not those that OpenVPN makes of `redirect-gateway ipv6`.
    assert_eq!(ipv6.routes.len(), 1);
    assert_eq!(ipv6.routes[0].network.address, ipv6_address("fd00:20::"));
    assert_eq!(ipv4.name_servers, [Ipv4Addr::new(10, 20, 0, 2)]);
    assert_eq!(ipv6.name_servers, [ipv6_address("fd00:20::53")]);
    assert_eq!(ipv4.wins_servers, [Ipv4Addr::new(10, 20, 0, 9)]);
    assert_eq!(ipv6.address.address, ipv6_address("fd00:88::1000"));
    assert_eq!(ipv6.address.prefix, 64);
    assert_eq!(ipv6.internal_gateway, Some(ipv6_address("fd00:88::1")));
    assert_eq!(
        ipv4.domains,
        [
            "corp.example",
            "search.example",
            "adapter.example",
            "~internal.example"
        ]
    );
    assert_eq!(ipv6.domains, ipv4.domains);
}

#[test]
fn the_dns_options_reach_networkmanager() {
    let outcome = replay(DNS_OPTIONS, 4096);
    let ipv4 = outcome.configs[0].ipv4.as_ref().unwrap();
    assert_eq!(ipv4.name_servers, [Ipv4Addr::new(10, 20, 0, 2)]);
    assert_eq!(
        ipv4.domains,
        ["corp.example", "search.example", "~internal.example"]
    );
    assert!(ipv4.never_default && ipv4.routes.is_empty());
}

#[test]
fn a_challenge_of_ten_kilobytes_is_no_different() {
    let long = SPLIT_TUNNEL.replace(
        "SAMLRequest=",
        &format!("SAMLRequest={}", "A".repeat(10_000)),
    );
    assert_eq!(replay(&long, 4096), replay(SPLIT_TUNNEL, 4096));
}
