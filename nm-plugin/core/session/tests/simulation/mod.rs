//! A session with its story: what it did, against a made-up clock.
#![allow(dead_code, reason = "each of the tests that share it uses some of it")]

pub(crate) mod lines;
pub(crate) mod random;

use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_session::management::{self, Command};
use aws_client_vpn_session::network_manager::ip_config::IpConfig;
use aws_client_vpn_session::session::{Effect, Failure, Input, Session};
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

pub(crate) const HOST: &str =
    "cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com";
pub(crate) const SESSION_ID: &str =
    "instance-1/8123456789012345678/0f8fad5b-d9cb-469f-a165-70867728950e";
const CA: &str = "<ca>\n-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n";

/// A session, what it did so far, and the time.
pub(crate) struct Simulation {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    pub(crate) did: Vec<String>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) hints: Vec<Vec<String>>,
    pub(crate) configs: usize,
    /// What NetworkManager was told last.
    pub(crate) config: Option<IpConfig>,
    pub(crate) notes: Vec<String>,
}

impl Simulation {
    pub(crate) fn begin(
        profile: &str,
        interactive: bool,
        secrets: BTreeMap<String, Secret>,
    ) -> Self {
        Self::begin_with(profile, interactive, secrets, Timeouts::default())
    }

    pub(crate) fn begin_with(
        profile: &str,
        interactive: bool,
        secrets: BTreeMap<String, Secret>,
        timeouts: Timeouts,
    ) -> Self {
        let transport = if profile.contains("-proxy ") {
            "tcp"
        } else {
            "udp"
        };
        let remote = format!("remote {HOST} 443 {transport}\nremote-random-hostname");
        Self::with_remotes(
            &format!("{remote}\n{profile}"),
            interactive,
            secrets,
            timeouts,
        )
    }

    /// With the remotes that `profile` has.
    pub(crate) fn with_remotes(
        profile: &str,
        interactive: bool,
        secrets: BTreeMap<String, Secret>,
        timeouts: Timeouts,
    ) -> Self {
        let (session, now) = Self::session(profile, interactive, secrets, timeouts);
        let (did, failures, hints) = (Vec::new(), Vec::new(), Vec::new());
        let mut simulation = Self {
            session,
            now,
            did,
            failures,
            hints,
            configs: 0,
            config: None,
            notes: Vec::new(),
        };
        simulation.collect();
        simulation
    }

    /// A session at the beginning of a made-up clock.
    pub(crate) fn session(
        profile: &str,
        interactive: bool,
        secrets: BTreeMap<String, Secret>,
        timeouts: Timeouts,
    ) -> (Session, Instant) {
        let text = format!("client\n{profile}\n{CA}");
        let profile = Profile::parse(&text, &mut |_| Err(String::new()))
            .unwrap()
            .profile;
        #[expect(
            clippy::disallowed_methods,
            reason = "there is no other way to begin a made-up clock"
        )]
        let now = Instant::now();
        (
            Session::new(profile, timeouts, interactive, secrets, now),
            now,
        )
    }

    pub(crate) fn saml() -> Self {
        Self::begin("auth-federate", true, BTreeMap::new())
    }

    pub(crate) fn input(&mut self, input: Input) -> Vec<String> {
        self.did.clear();
        self.session.handle(input, self.now);
        self.collect();
        self.did.clone()
    }

    pub(crate) fn line(&mut self, line: &str) -> Vec<String> {
        self.input(Input::Management(management::decode(line)))
    }

    pub(crate) fn lines(&mut self, lines: &[&str]) -> Vec<String> {
        lines.iter().flat_map(|line| self.line(line)).collect()
    }

    pub(crate) fn resolved(&mut self, addresses: &[&str]) -> Vec<String> {
        self.lookup_ended(HOST, addresses)
    }

    /// The name `host` has these addresses, or none.
    pub(crate) fn lookup_ended(&mut self, host: &str, addresses: &[&str]) -> Vec<String> {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        let found = !addresses.is_empty();
        self.input(Input::Resolved {
            host: host.to_owned(),
            result: found
                .then_some(addresses)
                .ok_or_else(|| "no such name".to_owned()),
        })
    }

    pub(crate) fn after(&mut self, seconds: u64) -> Vec<String> {
        self.now += Duration::from_secs(seconds);
        self.input(Input::TimePassed)
    }

    pub(crate) fn collect(&mut self) {
        while let Some(effect) = self.session.poll_effect() {
            let done = match effect {
                Effect::Announce(state) => format!("{state:?}"),
                Effect::Resolve { host, random_label } if host == HOST => {
                    format!("resolve, random label: {random_label}")
                }
                Effect::Resolve { host, random_label } => {
                    format!("resolve {host}, random label: {random_label}")
                }
                Effect::Launch => "launch".to_owned(),
                Effect::Send(Command::Password { password, .. }) => {
                    format!("password {}", password.expose())
                }
                Effect::StartRenewal => "launch second".to_owned(),
                Effect::SendToRenewal(Command::Password { password, .. }) => {
                    format!("second: password {}", password.expose())
                }
                Effect::SendToRenewal(command) => {
                    let command = command.encode().unwrap();
                    format!("second: {}", command.expose().trim_end().replace('"', ""))
                }
                Effect::EndRenewal => "end second".to_owned(),
                Effect::RefuseRenewal => "refuse renewal".to_owned(),
                Effect::Send(command) => command
                    .encode()
                    .unwrap()
                    .expose()
                    .trim_end()
                    .replace('"', ""),
                Effect::RequestSecrets { hints, .. } => {
                    self.hints.push(hints);
                    "ask".to_owned()
                }
                Effect::Configure(config) => {
                    self.configs += 1;
                    self.config = Some(*config);
                    "configure".to_owned()
                }
                Effect::Fail(failure) => {
                    let text = format!("fail {:?}", failure.reason());
                    self.failures.push(failure);
                    text
                }
                Effect::Note(text) | Effect::NoteOfEndpoint(text) => {
                    assert!(!text.contains("instance-1"), "{text}");
                    self.notes.push(text);
                    continue;
                }
                Effect::SignInExpires { left } => format!("sign-in ends in {} s", left.as_secs()),
                Effect::Terminate => "terminate".to_owned(),
                Effect::Kill => "kill".to_owned(),
                Effect::CleanUp => "clean up".to_owned(),
                Effect::Finish => "finish".to_owned(),
            };
            self.did.push(done);
        }
    }

    /// Up to the question for the first password.
    pub(crate) fn first_phase(&mut self) {
        self.line(">HOLD:Waiting for hold release:0");
        self.resolved(&["10.77.0.2", "10.77.0.1"]);
        self.line(&lines::remote());
    }

    /// Up to the wait for the browser.
    pub(crate) fn challenged(&mut self) -> Vec<String> {
        self.first_phase();
        self.line(lines::NEED);
        let mut did = self.line(&format!(
            ">PASSWORD:Verification Failed: 'Auth' ['CRV1:R:{SESSION_ID}:b'Ti9B':\
             https://idp.example/sso?SAMLRequest=x']"
        ));
        did.extend(self.lines(&[lines::AGAIN, ">HOLD:Waiting for hold release:1"]));
        did
    }

    pub(crate) fn answered(&mut self) -> Vec<String> {
        self.input(Input::NewSecrets(BTreeMap::from([(
            "saml-response".to_owned(),
            Secret::from("PHNhbWw%2B"),
        )])))
    }

    pub(crate) fn up(&mut self) -> Vec<String> {
        self.lines(&[
            ">UPDOWN:UP",
            ">UPDOWN:ENV,ifconfig_local=10.88.0.2",
            ">UPDOWN:ENV,ifconfig_netmask=255.255.255.224",
            ">UPDOWN:ENV,route_vpn_gateway=10.88.0.1",
            ">UPDOWN:ENV,END",
            lines::CONNECTED,
        ])
    }

    pub(crate) fn connected() -> Self {
        Self::connected_with(Timeouts::default())
    }

    pub(crate) fn connected_with(timeouts: Timeouts) -> Self {
        let mut simulation = Self::begin_with("auth-federate", true, BTreeMap::new(), timeouts);
        simulation.challenged();
        simulation.answered();
        simulation.lines(&[lines::NEED, &lines::remote()]);
        simulation.up();
        simulation
    }
}
