//! What holds whatever happens, and in whatever order.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod simulation;

use aws_client_vpn_session::management::{Command, Notification, decode};
use aws_client_vpn_session::session::{Effect, ServiceState, Session};
use proptest::prelude::*;
use simulation::random::{beginning, has_a_secret, simulation, story};
use std::time::Instant;

/// What is known of a session from outside.
#[derive(Default)]
struct Watcher {
    announced: Option<ServiceState>,
    has_failed: bool,
    is_stopping: bool,
    is_finished: bool,
    launched: bool,
    /// What OpenVPN waits for.
    wants: Vec<String>,
    is_held: bool,
    /// A second OpenVPN is there.
    has_second: bool,
    configs: Vec<String>,
    /// Whether settings were given since the tunnel was last said to be made.
    is_configured: bool,
    /// "Started" was said without settings, so "starting" has to follow.
    has_to_take_back: bool,
}

impl Watcher {
    fn look(&mut self, session: &mut Session, said: &str, now: Instant) {
        let said_by_openvpn = decode(said);
        if said_by_openvpn == Notification::Hold {
            self.is_held = true;
            self.wants.clear();
        } else if let Notification::PasswordNeeded { realm } = said_by_openvpn {
            self.wants.push(realm);
        }
        while let Some(effect) = session.poll_effect() {
            assert!(!self.is_finished, "something follows the end: {effect:?}");
            self.effect(effect, session);
        }
        assert!(!self.has_to_take_back, "NetworkManager takes it for up");
        if let Some(deadline) = session.deadline() {
            assert!(!self.is_finished, "a session that is over waits");
            let is_ahead = deadline > now || said != "TimePassed";
            assert!(is_ahead, "time passes and nothing comes of it");
        }
        if self.is_stopping {
            assert!(session.is_stopping() && !session.expects_secrets() && !session.is_up());
        }
    }

    fn effect(&mut self, effect: Effect, session: &Session) {
        let belongs_to_an_end = matches!(
            effect,
            Effect::Announce(ServiceState::Stopping | ServiceState::Stopped)
                | Effect::Note(_)
                | Effect::NoteOfEndpoint(_)
                | Effect::Terminate
                | Effect::Kill
                | Effect::EndRenewal
                | Effect::CleanUp
                | Effect::Finish
        );
        assert!(!self.has_failed || belongs_to_an_end, "{effect:?}");
        assert!(!self.is_stopping || belongs_to_an_end, "{effect:?}");
        if let Effect::Announce(ServiceState::Starting) = effect {
            self.is_configured = false;
            self.has_to_take_back = false;
        }
        assert!(!self.has_to_take_back, "{effect:?}");
        if let Effect::Announce(state) = effect {
            let before = self.announced.replace(state);
            assert_ne!(before, Some(state), "NetworkManager knows");
        }
        match effect {
            Effect::Fail(failure) => {
                self.has_failed = true;
                assert!(!has_a_secret(&failure.to_string()), "{failure}");
            }
            Effect::Note(text) | Effect::NoteOfEndpoint(text) => {
                assert!(!has_a_secret(&text), "{text}")
            }
            Effect::Announce(ServiceState::Stopping) => self.is_stopping = true,
            Effect::Announce(ServiceState::Started) => self.has_to_take_back = !self.is_configured,
            Effect::Configure(config) => {
                let config = format!("{config:?}");
                assert_ne!(
                    self.configs.last(),
                    Some(&config),
                    "NetworkManager sees no change"
                );
                self.configs.push(config);
                self.is_configured = true;
            }
            Effect::Launch => assert!(!std::mem::replace(&mut self.launched, true)),
            Effect::StartRenewal => assert!(!std::mem::replace(&mut self.has_second, true)),
            Effect::EndRenewal => assert!(std::mem::take(&mut self.has_second)),
            Effect::SendToRenewal(_) => assert!(self.has_second),
            Effect::Send(Command::HoldRelease) => assert!(std::mem::take(&mut self.is_held)),
            Effect::Send(Command::Password { realm, .. }) => {
                let asked = self.wants.iter().position(|wanted| *wanted == realm);
                assert!(asked.is_some(), "nobody asked for a password of {realm}");
                self.wants.retain(|wanted| *wanted != realm);
            }
            Effect::RequestSecrets { message, hints } => {
                assert!(session.expects_secrets(), "an answer would be refused");
                assert!(!has_a_secret(&message) && !hints.iter().any(|hint| has_a_secret(hint)));
            }
            Effect::Finish => self.is_finished = true,
            Effect::Announce(_)
            | Effect::Resolve { .. }
            | Effect::Send(_)
            | Effect::SignInExpires { .. }
            | Effect::RefuseRenewal
            | Effect::Terminate
            | Effect::Kill
            | Effect::CleanUp => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// At most one failure, and nothing but the end behind it; no password that was not asked for;
    /// never "started" without settings; each session comes to an end, once, and waits for nothing
    /// that is over; no secret in what is logged or asked.
    #[test]
    fn whatever_happens(beginning in beginning(), story in story()) {
        let (mut session, now) = beginning.begin();
        let mut watcher = Watcher::default();
        watcher.look(&mut session, "", now);
        simulation(&mut session, now, &story, &mut |session, said, now| {
            watcher.look(session, said, now);
        });
        assert!(watcher.is_finished, "it does not end");
        assert!(!watcher.has_second, "the renewal's OpenVPN stays");
    }
}
