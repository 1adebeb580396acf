//! Profiles with more than one endpoint, and names without an address.
#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only what has to do with names is looked at"
)]

use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::Limits;
use aws_client_vpn_session::management;
use aws_client_vpn_session::session::{Effect, Failure, Input, Session};
use std::collections::BTreeMap;
use std::time::Instant;

const CA: &str = "<ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n";
const HOLD: &str = ">HOLD:Waiting for hold release:0";
const FIRST: &str = ">REMOTE:one.example,443,udp";
const SECOND: &str = ">REMOTE:two.example,1194,udp";

struct Play(Session, Instant);

impl Play {
    fn begin(remotes: &str) -> (Self, Vec<String>) {
        let text = format!("client\n{remotes}\nauth-federate\n{CA}");
        let profile = Profile::parse(&text, &mut |_| Err(String::new()))
            .unwrap()
            .profile;
        #[expect(
            clippy::disallowed_methods,
            reason = "there is no other way to begin a made-up clock"
        )]
        let now = Instant::now();
        let session = Session::new(profile, Limits::default(), true, BTreeMap::new(), now);
        let mut play = Self(session, now);
        let did = play.did();
        (play, did)
    }

    fn line(&mut self, line: &str) -> Vec<String> {
        let input = Input::Management(management::decode(line));
        self.0.handle(input, self.1);
        self.did()
    }

    fn resolved(&mut self, host: &str, address: Option<&str>) -> Vec<String> {
        let result = match address {
            Some(address) => Ok(vec![address.parse().unwrap()]),
            None => Err("no such name".to_owned()),
        };
        let host = host.to_owned();
        self.0.handle(Input::Resolved { host, result }, self.1);
        self.did()
    }

    /// What is resolved, what OpenVPN is told, how it fails.
    fn did(&mut self) -> Vec<String> {
        let mut did = Vec::new();
        while let Some(effect) = self.0.poll_effect() {
            match effect {
                Effect::Resolve { host, random_label } => {
                    did.push(format!("resolve {host} {random_label}"));
                }
                Effect::Send(command) => {
                    let line = command.encode().unwrap();
                    did.push(line.expose().trim_end().replace('"', ""));
                }
                Effect::Fail(Failure::NameNotResolved { host, .. }) => {
                    did.push(format!("cannot resolve {host}"));
                }
                Effect::Fail(failure) => did.push(format!("{failure:?}")),
                _ => {}
            }
        }
        did
    }
}

const TWO: &str = "remote one.example 443 udp\nremote two.example 1194 udp";

#[test]
fn the_second_is_tried_if_the_first_has_no_address() {
    // The resolver answers before OpenVPN asks, or after.
    for is_early in [true, false] {
        let (mut play, did) = Play::begin(TWO);
        assert_eq!(did, ["resolve one.example false"]);
        play.line(HOLD);
        if is_early {
            let did = play.resolved("one.example", None);
            assert_eq!(did, ["resolve two.example false"]);
            assert_eq!(play.line(FIRST), ["remote SKIP"]);
        } else {
            assert_eq!(play.line(FIRST), [""; 0]);
            let did = play.resolved("one.example", None);
            assert_eq!(did, ["resolve two.example false", "remote SKIP"]);
        }
        assert_eq!(play.line(SECOND), [""; 0]);
        let did = play.resolved("two.example", Some("192.0.2.7"));
        assert_eq!(did, ["remote MOD 192.0.2.7 1194"]);
        // If that one does not answer, the first may have an address by now.
        play.line(">STATE:1,RECONNECTING,server_poll,,,,,");
        play.line(HOLD);
        assert_eq!(play.line(FIRST), ["resolve one.example false"]);
        let did = play.resolved("one.example", Some("192.0.2.6"));
        assert_eq!(did, ["remote MOD 192.0.2.6 443"]);
    }
}

#[test]
fn without_an_address_of_any_the_connection_fails() {
    let (mut play, _) = Play::begin(TWO);
    play.line(HOLD);
    play.line(FIRST);
    play.resolved("one.example", None);
    play.line(SECOND);
    let did = play.resolved("two.example", None);
    assert_eq!(did, ["cannot resolve two.example"]);
    // Two ways to one name are one name.
    let (mut play, _) = Play::begin("remote one.example 443 udp\nremote one.example 443 tcp");
    let did = play.resolved("one.example", None);
    assert_eq!(did, ["cannot resolve one.example"]);
}

#[test]
fn a_name_of_aws_has_a_label_in_front_whatever_the_profile_says() {
    let aws = "cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-west-1.amazonaws.com";
    let (_, did) = Play::begin(&format!("remote {aws} 443 udp"));
    assert_eq!(did, [format!("resolve {aws} true")]);
    let (_, did) = Play::begin("remote one.example 443 udp\nremote-random-hostname");
    assert_eq!(did, ["resolve one.example true"]);
}
