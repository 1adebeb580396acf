//! Random stories: what may happen to a session, in any order, and some of it in the order in which
//! it does.

use super::lines::{
    AGAIN, CONNECTED, HOLD, LOST, NEED, NO_ANSWER, REFUSED, RESTARTED, challenge, remote,
};
use super::{HOST, SESSION_ID, Simulation};
use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::management;
use aws_client_vpn_session::network_manager::VpnState;
use aws_client_vpn_session::session::{
    Conditions, Input, Presence, Session, Ways, WebAccess, WebBlocked,
};
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::secret::Secret;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// One thing that happens, or several in the order in which they do.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    Says(Vec<String>),
    SecondSays(String),
    Resolves(Vec<&'static str>),
    Gives(Vec<(&'static str, &'static str)>),
    Around(Conditions),
    Shows(u32, u32),
    Slept(u64),
    Waits(u64),
    Fails(Failing),
    Renew,
    Disconnect,
    NetworkManagerGone,
}

/// What ends a session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Failing {
    NotStarted,
    Unsendable,
    Unprotected,
    Edited,
    Ended,
    SecondEnded,
}

/// How a session begins.
#[derive(Debug, Clone)]
pub(crate) struct Beginning {
    profile: &'static str,
    interactive: bool,
    with_secrets: bool,
    timeouts: Timeouts,
    web_access: WebAccess,
}

const CERT_AND_ENCRYPTED_KEY: &str = "auth-federate
<cert>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</cert>
<key>\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nTUlJ\n-----END ENCRYPTED PRIVATE KEY-----\n</key>";

pub(crate) fn beginning() -> impl Strategy<Value = Beginning> {
    let profile = prop_oneof![
        4 => Just("auth-federate"),
        2 => Just("auth-user-pass"),
        1 => Just("auth-user-pass\nstatic-challenge \"Code?\" 1"),
        1 => Just(CERT_AND_ENCRYPTED_KEY),
    ];
    let blocked = prop_oneof![
        4 => Just(WebBlocked::Never),
        1 => Just(WebBlocked::OnceUp),
        1 => Just(WebBlocked::FromTheStart),
    ];
    let length = proptest::option::of((60..40_000_u64).prop_map(Duration::from_secs));
    let often = proptest::bool::weighted(0.9);
    (
        profile,
        often,
        any::<bool>(),
        length,
        any::<bool>(),
        blocked,
    )
        .prop_map(
            |(profile, interactive, with_secrets, session, asked_for, blocked)| Beginning {
                profile,
                interactive,
                with_secrets,
                timeouts: Timeouts {
                    session,
                    ..Timeouts::default()
                },
                web_access: WebAccess {
                    activation_requested_by_user: asked_for,
                    for_any_sign_in: !asked_for,
                    blocked,
                },
            },
        )
}

impl Beginning {
    pub(crate) fn begin(&self) -> (Session, Instant) {
        let secrets = BTreeMap::from([
            ("username".to_owned(), Secret::from("ada")),
            ("password".to_owned(), Secret::from("horse")),
        ]);
        let secrets = if self.with_secrets {
            secrets
        } else {
            BTreeMap::new()
        };
        let profile = format!(
            "remote {HOST} 443 udp\nremote-random-hostname\n{}",
            self.profile
        );
        let (mut session, now) =
            Simulation::session(&profile, self.interactive, secrets, self.timeouts);
        session.set_web_access(self.web_access);
        (session, now)
    }
}

fn says(lines: &[&str]) -> Happening {
    Happening::Says(lines.iter().map(|line| (*line).to_owned()).collect())
}

/// Any line by itself.
fn line() -> impl Strategy<Value = String> {
    let fixed = proptest::sample::select(vec![
        HOLD,
        NEED,
        AGAIN,
        LOST,
        REFUSED,
        NO_ANSWER,
        RESTARTED,
        CONNECTED,
        ">STATE:1,RECONNECTING,auth-temp-failure,,,,,",
        ">STATE:1,RECONNECTING,private-key-password-failure,,,,,",
        ">STATE:1,EXITING,inactive,,,,,",
        ">STATE:1,WAIT,,,,,,",
        ">PASSWORD:Need 'Private Key' password",
        ">PASSWORD:Need 'Tolkien token' password",
        ">PASSWORD:Verification Failed: 'Private Key'",
        ">PASSWORD:Verification Failed: 'Auth' ['TEMP[backoff 5]:busy']",
        ">PASSWORD:Verification Failed: 'Auth' ['TEMP:busy']",
        ">PASSWORD:Verification Failed: 'Auth'",
        ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R,E:sid:YWRh:Code?']",
        ">PASSWORD:Verification Failed: 'Auth' ['CRV1:nonsense']",
        ">PASSWORD:Auth-Token:SESS_ID_AT_x",
        ">UPDOWN:UP",
        ">UPDOWN:DOWN",
        ">UPDOWN:ENV,ifconfig_local=10.88.0.3",
        ">UPDOWN:ENV,END",
        ">LOG:1,I,VERIFY OK: depth=0, CN=server",
        ">LOG:1,N,VERIFY ERROR: depth=0, error=certificate has expired: CN=SESS_ID_x, serial=1",
        ">LOG:1,N,OPTIONS ERROR: server pushed compression settings that are not allowed.",
        ">STATE:1,RECONNECTING,process-push-msg-failed,,,,,",
        ">LOG:1,W,OpenSSL: error:0A000415:SSL routines::sslv3 alert certificate expired:x",
        ">LOG:1,I,PUSH: Received control message: 'PUSH_REPLY,tun-mtu 1400,x'",
        ">LOG:1,N,unknown control message: _FAILED,CRV1:R:instance-1/2:x",
        ">ECHO:1,msg Authorised use only",
        ">NEED-OK:Need 'token-insertion-request' confirmation MSG:Please insert",
        ">FATAL:no way",
        "ERROR: no",
        "SUCCESS: yes",
    ]);
    prop_oneof![
        8 => fixed.prop_map(str::to_owned),
        1 => Just(challenge()),
        1 => Just(remote()),
    ]
}

/// What often comes in this order.
fn scene() -> impl Strategy<Value = Happening> {
    let up = [
        ">UPDOWN:UP",
        ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
        ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
        ">UPDOWN:ENV,route_redirect_gateway_ipv4=1",
        ">UPDOWN:ENV,route_vpn_gateway=10.88.0.1",
        ">UPDOWN:ENV,END",
        CONNECTED,
    ];
    let (challenge, remote) = (challenge(), remote());
    proptest::sample::select(vec![
        says(&[HOLD, &remote, NEED, &challenge, AGAIN, HOLD]),
        says(&[&remote, NEED]),
        says(&[&challenge, AGAIN, HOLD]),
        says(&[REFUSED, AGAIN, HOLD]),
        says(&[NO_ANSWER, HOLD, &remote]),
        says(&[LOST, HOLD, &remote]),
        says(&[LOST, HOLD, CONNECTED]),
        says(&up),
        says(&[">PASSWORD:Auth-Token:SESS_ID_AT_x"]),
        Happening::SecondSays(HOLD.to_owned()),
        Happening::SecondSays(remote.clone()),
        Happening::SecondSays(NEED.to_owned()),
        Happening::SecondSays(challenge.clone()),
    ])
}

fn conditions() -> impl Strategy<Value = Conditions> {
    let presence = prop_oneof![
        3 => Just(Presence::Active),
        1 => Just(Presence::Locked),
        1 => Just(Presence::Away),
    ];
    let ipv4 = prop_oneof![Just([192, 0, 2, 1].into()), Just([192, 0, 2, 2].into()),];
    let ipv6 = Just([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into());
    let mostly = || proptest::bool::weighted(0.8);
    let ipv4 = proptest::option::weighted(0.8, ipv4);
    let ipv6 = proptest::option::weighted(0.2, ipv6);
    (ipv4, ipv6, mostly(), presence, mostly()).prop_map(
        |(ipv4, ipv6, awake, presence, has_agent)| Conditions {
            ways: Some(Ways { ipv4, ipv6 }),
            asleep: !awake,
            presence,
            has_agent,
        },
    )
}

pub(crate) fn story() -> impl Strategy<Value = Vec<Happening>> {
    use Happening as H;
    let gives = proptest::sample::select(vec![
        vec![("saml-response", "PHNhbWw%2B")],
        vec![("username", "ada"), ("password", "hunter2")],
        vec![("username", "ada"), ("password", "horse")],
        vec![
            ("username", "ada"),
            ("password", "horse"),
            ("challenge-response", "code-42"),
        ],
        vec![("cert-pass", "staple")],
        vec![],
    ]);
    let resolves = proptest::sample::select(vec![
        vec!["10.77.0.2", "10.77.0.1"],
        vec!["10.77.0.1"],
        vec![],
    ]);
    let fails = proptest::sample::select(vec![
        Failing::NotStarted,
        Failing::Unsendable,
        Failing::Unprotected,
        Failing::Edited,
        Failing::Ended,
        Failing::SecondEnded,
    ]);
    let happening = prop_oneof![
        30 => scene(),
        10 => line().prop_map(|line| H::Says(vec![line])),
        12 => gives.prop_map(H::Gives),
        6 => (0..8_u32, 0..12_u32).prop_map(|(state, reason)| H::Shows(state, reason)),
        6 => proptest::sample::select(vec![(3, 0), (2, 0), (5, 0)])
            .prop_map(|(state, reason)| H::Shows(state, reason)),
        6 => conditions().prop_map(H::Around),
        5 => resolves.prop_map(H::Resolves),
        6 => Just(H::Renew),
        2 => line().prop_map(H::SecondSays),
        8 => (0..20_u64).prop_map(H::Waits),
        3 => (0..2_000_u64).prop_map(H::Waits),
        1 => (1..10_000_u64).prop_map(H::Slept),
        1 => fails.prop_map(H::Fails),
        1 => Just(H::Disconnect),
        1 => Just(H::NetworkManagerGone),
    ];
    let login = [
        H::Resolves(vec!["10.77.0.2", "10.77.0.1"]),
        H::Gives(vec![("username", "ada"), ("password", "horse")]),
        H::Gives(vec![("cert-pass", "staple")]),
        H::Says(vec![HOLD.to_owned(), remote(), NEED.to_owned()]),
        H::Says(vec![challenge(), AGAIN.to_owned(), HOLD.to_owned()]),
        H::Gives(vec![("saml-response", "PHNhbWw%2B")]),
        H::Says(vec![remote(), NEED.to_owned()]),
    ];
    (0..=login.len(), vec(happening, 0..40)).prop_map(move |(length, mut rest)| {
        let mut story = login[..length].to_vec();
        story.append(&mut rest);
        story
    })
}

/// Plays `story`, and then on until the session is over or nothing is due. `each` is called after
/// each input, to see what came of it.
pub(crate) fn simulation(
    session: &mut Session,
    mut now: Instant,
    story: &[Happening],
    each: &mut dyn FnMut(&mut Session, &str, Instant),
) {
    for happening in story {
        for (name, input) in inputs(happening) {
            session.handle(input, now);
            each(session, &name, now);
        }
        if let Happening::Waits(seconds) = happening {
            let then = now + Duration::from_secs(*seconds);
            time_passes(session, &mut now, then, each);
        }
    }
    session.handle(Input::Disconnect, now);
    each(session, "Disconnect", now);
    let end = now + Duration::from_secs(3600);
    time_passes(session, &mut now, end, each);
}

/// Each deadline until `then` is kept.
fn time_passes(
    session: &mut Session,
    now: &mut Instant,
    then: Instant,
    each: &mut dyn FnMut(&mut Session, &str, Instant),
) {
    let mut steps = 0;
    while let Some(due) = session.deadline().filter(|due| *due <= then) {
        steps += 1;
        assert!(steps < 1000, "time passes, and nothing comes of it");
        *now = due.max(*now);
        session.handle(Input::TimePassed, *now);
        each(session, "TimePassed", *now);
    }
    *now = then;
}

fn inputs(happening: &Happening) -> Vec<(String, Input)> {
    let why = || "a reason".to_owned();
    let input = match happening {
        Happening::Says(lines) => {
            let said = |line: &String| (line.clone(), Input::Management(management::decode(line)));
            return lines.iter().map(said).collect();
        }
        Happening::Waits(_) => return Vec::new(),
        Happening::SecondSays(line) => Input::RenewalSaid(management::decode(line)),
        Happening::Resolves(addresses) => Input::Resolved {
            host: HOST.to_owned(),
            result: Ok(addresses
                .iter()
                .filter_map(|text| text.parse().ok())
                .collect()),
        },
        Happening::Gives(secrets) => {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::from(*value));
            Input::NewSecrets(secrets.iter().map(own).collect())
        }
        Happening::Around(conditions) => Input::Conditions(*conditions),
        Happening::Shows(state, reason) => Input::VpnState(VpnState::of_vpn(*state, *reason)),
        Happening::Slept(seconds) => Input::Slept(Duration::from_secs(*seconds)),
        Happening::Fails(Failing::NotStarted) => Input::NotStarted(Message::literal(why())),
        Happening::Fails(Failing::Unsendable) => Input::Unsendable,
        Happening::Fails(Failing::Unprotected) => Input::KillSwitchFailed(Message::literal(why())),
        Happening::Fails(Failing::Edited) => Input::SettingsChanged,
        Happening::Fails(Failing::Ended) => Input::OpenVpnEnded(Message::literal(why())),
        Happening::Fails(Failing::SecondEnded) => Input::RenewalEnded(why()),
        Happening::Renew => Input::Renew,
        Happening::Disconnect => Input::Disconnect,
        Happening::NetworkManagerGone => Input::NetworkManagerGone,
    };
    vec![(format!("{happening:?}"), input)]
}

/// Whether `text` has something in it that only OpenVPN may see.
pub(crate) fn has_a_secret(text: &str) -> bool {
    [
        SESSION_ID, "horse", "hunter2", "staple", "PHNhbWw", "code-42",
    ]
    .iter()
    .any(|secret| text.contains(secret))
}
