//! A new sign-in while the tunnel stays up.
//!
//! The first phase of a login needs no tunnel, so a second OpenVPN fetches the challenge beside the
//! one that carries the traffic, from the same node. The person signs in meanwhile. Only then does
//! the first OpenVPN start anew, with the answer, which takes it a moment.

use super::credentials::key_credential;
use super::login::{Login, LoginPace};
use super::{Command, Effect, Phase, Session, State};
use crate::challenge::{Challenge, SAML_USER_NAME, saml_first_password};
use crate::management::{Notification, StateName};
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::time::Instant;

/// How far a new sign-in beside the tunnel is.
#[derive(Debug)]
pub(super) enum Renewal {
    /// The second OpenVPN is on its way to the challenge.
    Fetching { until: Instant },
    /// A person is at the browser.
    AwaitingLogin(Box<Login>),
}

impl Session {
    /// A person wants to sign in anew now, rather than when the endpoint ends the connection.
    pub(super) fn renew(&mut self, now: Instant) {
        if !matches!(self.state, State::Connected) || self.renewal.is_some() {
            return;
        }
        self.login_pace = LoginPace::default();
        if !matches!(self.profile.sign_in(), SignIn::Saml) || !self.interactive {
            self.renew_with_a_pause(now);
            return;
        }
        self.note("a new sign-in was asked for; the tunnel stays up meanwhile".to_owned());
        self.renewal = Some(Renewal::Fetching {
            until: now + self.limits.connect,
        });
        self.effects.push_back(Effect::LaunchSecond);
    }

    /// The way that always works: the tunnel goes, and comes back with a new sign-in.
    fn renew_with_a_pause(&mut self, now: Instant) {
        self.last_answer = None;
        self.lost("a new sign-in was asked for", now);
        if let Some(reconnect) = &mut self.reconnect {
            reconnect.login_is_wanted = true;
        }
        self.connect(Phase::First, now);
        self.start_anew();
    }

    fn start_anew(&mut self) {
        self.has_token = false;
        self.send(Command::ForgetPasswords);
        self.send(Command::Restart);
    }

    /// The second OpenVPN says something.
    pub(super) fn second_notified(&mut self, notification: Notification, now: Instant) {
        if !matches!(self.renewal, Some(Renewal::Fetching { .. })) {
            return;
        }
        let second = |command| Effect::SendSecond(command);
        match notification {
            Notification::Hold => self.effects.push_back(second(Command::HoldRelease)),
            Notification::Remote { port, .. } => match self.remote.current {
                Some(address) => self.effects.push_back(second(Command::RemoteModify {
                    host: address.to_string(),
                    port,
                })),
                None => self.second_failed("the endpoint's address is not known", now),
            },
            Notification::PasswordNeeded { realm, .. } => {
                let key = key_credential(&realm);
                let password = match key {
                    Some(credential) => self.credentials.get(credential).cloned(),
                    None => Some(saml_first_password()),
                };
                let Some(password) = password else {
                    self.second_failed("it wants a passphrase that is not kept", now);
                    return;
                };
                if key.is_none() {
                    let (realm, name) = (realm.clone(), SAML_USER_NAME.to_owned());
                    self.effects
                        .push_back(second(Command::Username { realm, name }));
                }
                self.effects
                    .push_back(second(Command::Password { realm, password }));
            }
            Notification::VerificationFailed { reason, .. } => {
                let reason = reason.as_ref().map_or("", Secret::expose);
                let challenge = Challenge::parse(reason)
                    .and_then(|challenge| Ok((challenge.url()?, challenge)));
                match challenge {
                    Ok((url, challenge)) => self.ask_beside_the_tunnel(challenge, url, now),
                    Err(_) => self.second_failed("the endpoint sent no challenge", now),
                }
            }
            Notification::Fatal(text) => self.second_failed(&text, now),
            Notification::State(state)
                if state.name == StateName::Reconnecting && state.detail != "auth-failure" =>
            {
                self.second_failed(&state.detail, now);
            }
            Notification::State(_)
            | Notification::Up
            | Notification::Down
            | Notification::Environment { .. }
            | Notification::EnvironmentEnd
            | Notification::Error(_)
            | Notification::NeedOk { .. }
            | Notification::Log { .. }
            | Notification::Echo(_)
            | Notification::AuthToken(_)
            | Notification::Info(_)
            | Notification::InfoMessage(_)
            | Notification::Notify(_)
            | Notification::ByteCount { .. }
            | Notification::Success(_)
            | Notification::Other(_) => {}
        }
    }

    /// The second OpenVPN leads nowhere; the tunnel has to pause for the new sign-in.
    pub(super) fn second_failed(&mut self, why: &str, now: Instant) {
        if matches!(self.renewal, Some(Renewal::Fetching { .. })) {
            self.end_renewal();
            self.note(format!(
                "no challenge could be had beside the tunnel ({why}); it pauses for the sign-in"
            ));
            self.renew_with_a_pause(now);
        }
    }

    fn ask_beside_the_tunnel(&mut self, challenge: Challenge, url: url::Url, now: Instant) {
        self.effects.push_back(Effect::EndSecond);
        let login = self.ask_for_login(challenge, url, true, now);
        self.renewal = Some(Renewal::AwaitingLogin(login));
    }

    /// Whether a person is at the browser although the tunnel is up.
    pub(super) fn awaits_login_beside_the_tunnel(&self) -> bool {
        matches!(self.renewal, Some(Renewal::AwaitingLogin(_)))
    }

    /// The browser's answer has come.
    pub(super) fn answered_beside_the_tunnel(
        &mut self,
        secrets: BTreeMap<String, Secret>,
        now: Instant,
    ) {
        let Some(Renewal::AwaitingLogin(login)) = self.renewal.take() else {
            return;
        };
        match self.take_answer(&login, secrets) {
            Ok(answer) => {
                self.lost("the tunnel is made anew with the new sign-in", now);
                self.is_shown_already();
                self.last_answer = Some(answer);
                self.connect(Phase::Answer, now);
                self.start_anew();
            }
            Err(why) => self.keep_the_old_sign_in(&why),
        }
    }

    /// When something is due of a new sign-in.
    pub(super) fn renewal_deadline(&self) -> Option<Instant> {
        match self.renewal.as_ref()? {
            Renewal::Fetching { until } => Some(*until),
            Renewal::AwaitingLogin(login) => Some(login.deadline()),
        }
    }

    /// The time of [`Self::renewal_deadline`] has come.
    pub(super) fn renewal_due(&mut self, now: Instant) {
        match &mut self.renewal {
            Some(Renewal::Fetching { .. }) => {
                self.second_failed("the endpoint did not answer", now);
            }
            Some(Renewal::AwaitingLogin(login)) if now < login.until => {
                login.is_asked = true;
                self.ask_anew(now);
            }
            Some(Renewal::AwaitingLogin(_)) => {
                self.renewal = None;
                self.keep_the_old_sign_in("nobody signed in in time");
            }
            None => {}
        }
    }

    /// The tunnel goes on as it is, and NetworkManager is told that it is up.
    fn keep_the_old_sign_in(&mut self, why: &str) {
        self.note(format!(
            "there is no new sign-in ({why}); the connection goes on with the old one"
        ));
        self.show_as_up();
    }

    /// Nothing is left of a new sign-in that is under way.
    pub(super) fn end_renewal(&mut self) {
        if let Some(Renewal::Fetching { .. }) = self.renewal.take() {
            self.effects.push_back(Effect::EndSecond);
        }
    }
}
