//! A new sign-in while the tunnel stays up.
//!
//! The first phase of a login needs no tunnel, so a second OpenVPN fetches the challenge beside the
//! one that carries the traffic, from the same node. The person signs in meanwhile. Only then does
//! the first OpenVPN start anew, with the answer, which takes it a moment.

use super::reconnect::LoginPace;
use super::sign_in::{SAML_FIRST_PASSWORD, SAML_USER_NAME};
use super::{Command, Effect, Phase, SECRETS_REQUEST_LIFETIME, ServiceState, Session, State};
use crate::challenge::Challenge;
use crate::management::{Notification, StateName};
use crate::profile::SignIn;
use crate::saml::SamlResponse;
use crate::secret::Secret;
use crate::settings;
use std::collections::BTreeMap;
use std::time::Instant;

/// How far a new sign-in beside the tunnel is.
#[derive(Debug)]
pub(super) enum Renewal {
    /// The second OpenVPN is on its way to the challenge.
    Fetching { until: Instant },
    /// A person is at the browser.
    AwaitingLogin {
        challenge: Box<Challenge>,
        url: url::Url,
        until: Instant,
        ask_again: Instant,
        /// Whether NetworkManager has said that it asks, so that a page is open.
        is_asked: bool,
    },
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
                let key = super::sign_in::key_credential(&realm);
                let password = match key {
                    Some(credential) => self.credentials.get(credential).cloned(),
                    None => Some(Secret::from(SAML_FIRST_PASSWORD)),
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
        self.note(format!(
            "the endpoint asks for a browser login at {}; waiting up to {} s",
            url.host_str().unwrap_or_default(),
            self.limits.login.as_secs()
        ));
        // NetworkManager takes a request for secrets only while it believes us to be starting.
        self.announce(ServiceState::Starting);
        let until = now + self.limits.login;
        self.request_login(&url, until, false, now);
        self.renewal = Some(Renewal::AwaitingLogin {
            challenge: Box::new(challenge),
            url,
            until,
            ask_again: now + SECRETS_REQUEST_LIFETIME,
            is_asked: false,
        });
    }

    /// Whether a person is at the browser although the tunnel is up.
    pub(super) fn awaits_login_beside_the_tunnel(&self) -> bool {
        matches!(self.renewal, Some(Renewal::AwaitingLogin { .. }))
    }

    /// NetworkManager has said that it asks the person.
    pub(super) fn renewal_is_asked(&mut self) {
        if let Some(Renewal::AwaitingLogin { is_asked, .. }) = &mut self.renewal {
            *is_asked = true;
        }
    }

    /// Asks once more, with a page only if there is none yet.
    pub(super) fn ask_anew_beside_the_tunnel(&mut self, now: Instant) {
        if let Some(Renewal::AwaitingLogin {
            url,
            until,
            ask_again,
            is_asked,
            ..
        }) = &mut self.renewal
        {
            *ask_again = now + SECRETS_REQUEST_LIFETIME;
            let (url, until, is_asked) = (url.clone(), *until, *is_asked);
            self.request_login(&url, until, is_asked, now);
        }
    }

    /// The browser's answer has come.
    pub(super) fn answered_beside_the_tunnel(
        &mut self,
        mut secrets: BTreeMap<String, Secret>,
        now: Instant,
    ) {
        let Some(Renewal::AwaitingLogin { challenge, .. }) = self.renewal.take() else {
            return;
        };
        let response = secrets
            .remove(settings::SAML_RESPONSE)
            .ok_or_else(|| "the secret agent sent no answer of the browser login".to_owned())
            .and_then(|response| {
                SamlResponse::from_secret(response).map_err(|error| error.to_string())
            });
        match response {
            Ok(response) => {
                let octets = response.len();
                self.note(format!("the browser login is done ({octets} octets)"));
                let answer = challenge.reply(response.secret());
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
            Renewal::AwaitingLogin {
                until, ask_again, ..
            } => Some(*until.min(ask_again)),
        }
    }

    /// The time of [`Self::renewal_deadline`] has come.
    pub(super) fn renewal_due(&mut self, now: Instant) {
        match &mut self.renewal {
            Some(Renewal::Fetching { .. }) => {
                self.second_failed("the endpoint did not answer", now);
            }
            Some(Renewal::AwaitingLogin {
                until, is_asked, ..
            }) => {
                if now >= *until {
                    self.renewal = None;
                    self.keep_the_old_sign_in("nobody signed in in time");
                } else {
                    *is_asked = true;
                    self.ask_anew_beside_the_tunnel(now);
                }
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
