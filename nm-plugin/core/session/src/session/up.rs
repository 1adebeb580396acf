//! The tunnel is up: what ends it, and a new sign-in while it stays up.
//!
//! The first phase of a login needs no tunnel, so a second OpenVPN fetches the challenge beside the
//! one that carries the traffic, from the same node. The person signs in meanwhile. Only then does
//! the first OpenVPN restart, with the answer, which takes it a moment.

use super::ask::PromptReason;
use super::attempt::{Attempt, Resume, Sent, Step, TunnelUp};
use super::backoff::LoginBackoff;
use super::context::{Context, OpenVpnEvent};
use super::credentials::{KEY_REALM, key_credential};
use super::events::{Effect, Input};
use super::failure::Failure;
use super::login::BrowserLogin;
use super::loss::Loss;
use super::phase::Phase;
use super::proxy;
use super::unverified::Unverified;
use crate::challenge::{Challenge, SAML_USER_NAME, saml_first_password};
use crate::management::{Command, Notification};
use crate::network_manager::VpnState;
use aws_client_vpn_profile::credential::Credential;
use aws_client_vpn_profile::parts::SignIn;
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// After a tunnel was up for this long, its loss has nothing to do with the loss before.
const STABLE_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug)]
pub(super) struct Up {
    since: Instant,
    resume: Resume,
    sent: Option<Sent>,
    /// A new sign-in that is under way beside the tunnel.
    renewal: Option<Renewal>,
}

/// How far a new sign-in beside the tunnel is.
#[derive(Debug)]
enum Renewal {
    /// The renewal's OpenVPN is on its way to the challenge.
    Fetching { until: Instant },
    /// A person is at the browser.
    AwaitingLogin(Box<BrowserLogin>),
}

/// Why an attempt takes the place of [`Up`].
#[derive(Debug)]
pub(super) enum Interruption {
    /// The tunnel is lost. Whatever is available brings it back: the token, the last reply, a new
    /// sign-in.
    Lost {
        why: String,
        /// What OpenVPN said, if the attempt has to handle it.
        event: Option<OpenVpnEvent>,
    },
    /// A person has asked for a new sign-in, and it cannot be had beside the tunnel.
    SignIn,
    /// A person has signed in beside the tunnel; this is the reply to the challenge.
    Renewed(Secret),
    /// OpenVPN waits for a credential that a person has to enter. The tunnel stays up.
    Question {
        wanted: Vec<Credential>,
        realm: String,
    },
}

impl Interruption {
    /// What it is in the log.
    fn describe(&self) -> String {
        match self {
            Self::Lost { why, .. } => format!("the connection was lost ({why}); connecting again"),
            Self::SignIn => "a new sign-in was asked for; the tunnel pauses for it".to_owned(),
            Self::Renewed(_) => "the tunnel is made again with the new sign-in".to_owned(),
            Self::Question { .. } => {
                "OpenVPN waits for a credential; the tunnel stays up meanwhile".to_owned()
            }
        }
    }
}

impl Up {
    pub(super) fn new(TunnelUp { resume, sent }: TunnelUp, now: Instant) -> Self {
        Self {
            since: now,
            resume,
            sent,
            renewal: None,
        }
    }

    pub(super) fn handle(
        &mut self,
        input: Input,
        cx: &mut Context,
    ) -> Result<Option<Interruption>, Failure> {
        match input {
            Input::Management(notification) => {
                return match cx.interpret(notification)? {
                    Some(event) => self.on_openvpn_event(event, cx),
                    None => Ok(None),
                };
            }
            Input::RenewalSaid(notification) => return Ok(self.renewal_heard(notification, cx)),
            Input::RenewalEnded(how) => return Ok(self.renewal_failed(&how, cx)),
            Input::Renew => return Ok(self.renew(cx)),
            Input::NewSecrets(secrets) => return Ok(self.answered(secrets, cx)),
            Input::TimePassed => return Ok(self.time_passed(cx)),
            Input::Resolved { host, result } => cx.resolved(host, result)?,
            Input::Conditions(conditions) => {
                if cx.conditions_changed(conditions) {
                    cx.send(Command::Restart);
                }
            }
            Input::VpnState(state) => self.vpn_state(state, cx),
            Input::SettingsChanged => {
                self.end_renewal(cx);
                if cx.network_manager.shown == Some(VpnState::NeedAuth) {
                    cx.begin_again();
                }
                keep_the_old_sign_in("the settings of the connection were changed", cx);
            }
            Input::NotStarted(_)
            | Input::Unsendable
            | Input::OpenVpnEnded(_)
            | Input::KillSwitchFailed(_)
            | Input::Slept(_)
            | Input::Disconnect
            | Input::NetworkManagerGone => {}
        }
        Ok(None)
    }

    fn on_openvpn_event(
        &mut self,
        event: OpenVpnEvent,
        cx: &mut Context,
    ) -> Result<Option<Interruption>, Failure> {
        let lost = |why: &str, event| {
            Some(Interruption::Lost {
                why: why.to_owned(),
                event,
            })
        };
        Ok(match event {
            OpenVpnEvent::Hold => lost("OpenVPN restarts", Some(event)),
            // The way a refusal ends; what it means is decided by its own notification.
            OpenVpnEvent::Reconnecting(why) if why.starts_with("auth-failure") => None,
            OpenVpnEvent::Reconnecting(why) => lost(&why, None),
            OpenVpnEvent::VerificationFailed { ref realm, .. } if realm == KEY_REALM => None,
            // The keys of a live connection were to be renewed.
            OpenVpnEvent::VerificationFailed { .. } => {
                if !self.resume.has_token {
                    // OpenVPN has sent what made the tunnel, without asking for it.
                    self.sent = Some(Sent::Again);
                }
                lost("the endpoint wants a new sign-in", Some(event))
            }
            OpenVpnEvent::PasswordNeeded(realm) => self.password_needed(realm, cx)?,
            OpenVpnEvent::AuthToken => {
                self.resume.has_token = true;
                None
            }
            OpenVpnEvent::Connected
            | OpenVpnEvent::Remote
            | OpenVpnEvent::Log(_)
            | OpenVpnEvent::Echo(_) => None,
        })
    }

    /// A renegotiation inside a live connection takes the reply that made it.
    fn password_needed(
        &mut self,
        realm: String,
        cx: &mut Context,
    ) -> Result<Option<Interruption>, Failure> {
        let wanted = match key_credential(&realm) {
            Some(credential) => match cx.credentials.get(credential).cloned() {
                Some(password) => {
                    cx.send(Command::Password { realm, password });
                    return Ok(None);
                }
                None => vec![credential],
            },
            None => {
                self.sent = Some(Sent::Again);
                if cx.give_credentials(&realm, self.resume.reply.as_ref())? {
                    return Ok(None);
                }
                cx.missing_passwords()
            }
        };
        Ok(Some(Interruption::Question { wanted, realm }))
    }

    /// The attempt that takes its place.
    pub(super) fn interrupted(
        &mut self,
        interruption: Interruption,
        cx: &mut Context,
    ) -> Result<Attempt, Failure> {
        cx.note_of_endpoint(interruption.describe());
        if cx.now.saturating_duration_since(self.since) >= STABLE_AFTER {
            cx.login_backoff = LoginBackoff::default();
        }
        cx.remote.mark_reached();
        // Whoever was asked to renew the sign-in sees it already.
        let mut loss = Loss::new(cx.now, cx.network_manager.announced_lost());
        loss.login_requested_by_user =
            self.renewal.is_some() || matches!(interruption, Interruption::SignIn);
        let mut attempt = Attempt::new(Some(loss), std::mem::take(&mut self.resume), cx);
        attempt.sent = self.sent;
        let is_saml = matches!(cx.profile.sign_in(), SignIn::Saml);
        if let Some(reply) = attempt.resume.reply.take_if(|_| is_saml) {
            attempt.start_try(Phase::Replay(reply), cx);
        }
        // The way of its page may lead into the tunnel, and NetworkManager asks one thing at a time.
        if self.login().is_some() {
            cx.give_up_page();
        }
        self.end_renewal(cx);
        match interruption {
            Interruption::Lost { event, .. } => {
                if let Some(event) = event {
                    attempt.on_openvpn_event(event, cx)?;
                }
            }
            Interruption::SignIn => {
                attempt.resume = Resume::default();
                attempt.start_try(Phase::First, cx);
                restart(cx);
            }
            Interruption::Renewed(reply) => {
                attempt.resume = Resume::default();
                attempt.start_try(Phase::Reply(reply), cx);
                restart(cx);
            }
            Interruption::Question { wanted, realm } => {
                let why = PromptReason::Needed {
                    realm,
                    phase: Phase::First,
                    is_up: true,
                };
                attempt.step = Step::Asking(cx.ask(wanted, why)?);
            }
        }
        Ok(attempt)
    }

    fn vpn_state(&mut self, state: VpnState, cx: &mut Context) {
        let Some(Renewal::AwaitingLogin(login)) = &mut self.renewal else {
            return;
        };
        match state {
            VpnState::NeedAuth => login.agent_asked = true,
            VpnState::Activated if cx.network_manager.announced_lost() => {
                cx.reassert_state();
                login.ask_again(cx);
            }
            VpnState::Activated
            | VpnState::Connecting
            | VpnState::Deactivating(_)
            | VpnState::Ended(_) => {}
        }
    }

    /// A person wants to sign in again now, rather than when the endpoint ends the connection.
    fn renew(&mut self, cx: &mut Context) -> Option<Interruption> {
        if self.renewal.is_some() {
            return None;
        }
        cx.login_backoff = LoginBackoff::default();
        if !matches!(cx.profile.sign_in(), SignIn::Saml) || !cx.interactive {
            return Some(Interruption::SignIn);
        }
        cx.note("a new sign-in was asked for; the tunnel stays up meanwhile".to_owned());
        self.renewal = Some(Renewal::Fetching {
            until: cx.now + cx.timeouts.connect,
        });
        cx.effects.push_back(Effect::StartRenewal);
        None
    }

    /// The renewal's OpenVPN says something.
    fn renewal_heard(
        &mut self,
        notification: Notification,
        cx: &mut Context,
    ) -> Option<Interruption> {
        if !matches!(self.renewal, Some(Renewal::Fetching { .. })) {
            return None;
        }
        let mut send = |command| cx.effects.push_back(Effect::SendToRenewal(command));
        match notification {
            Notification::Hold => {
                send(Command::LogOn);
                send(Command::HoldRelease);
            }
            Notification::Remote { port, .. } => match cx.remote.address() {
                Some(address) => send(Command::RemoteModify {
                    host: address.to_string(),
                    port,
                }),
                None => return self.renewal_failed("the endpoint's address is not known", cx),
            },
            Notification::PasswordNeeded { realm } if proxy::is_realm(&realm) => {
                let answers = cx.proxy_answers(&realm);
                if answers.is_empty() {
                    return self.renewal_failed("its proxy wants a password that is not kept", cx);
                }
                let commands = answers.into_iter().map(Effect::SendToRenewal);
                cx.effects.extend(commands);
            }
            Notification::PasswordNeeded { realm } => {
                let password = match key_credential(&realm) {
                    Some(credential) => cx.credentials.get(credential).cloned(),
                    None => {
                        let (realm, name) = (realm.clone(), SAML_USER_NAME.to_owned());
                        send(Command::Username { realm, name });
                        Some(saml_first_password())
                    }
                };
                match password {
                    Some(password) => send(Command::Password { realm, password }),
                    None => {
                        return self.renewal_failed("it wants a passphrase that is not kept", cx);
                    }
                }
            }
            Notification::VerificationFailed { reason, .. } => {
                let reason = reason.as_ref().map_or("", Secret::expose);
                let challenge = Challenge::parse(reason)
                    .and_then(|challenge| Ok((challenge.url()?, challenge)));
                let Ok((url, challenge)) = challenge else {
                    return self.renewal_failed("the endpoint sent no challenge", cx);
                };
                cx.effects.push_back(Effect::EndRenewal);
                let login = cx.ask_for_login(challenge, url, true);
                self.renewal = Some(Renewal::AwaitingLogin(login));
            }
            Notification::Log(text) => {
                // The tunnel would pause for one that is not made, either.
                if let Some(why) = Unverified::parse(text.expose()) {
                    self.end_renewal(cx);
                    cx.effects.push_back(Effect::RefuseRenewal);
                    note_the_old_sign_in(&format!("the endpoint does not verify: {why}"), cx);
                }
            }
            Notification::Fatal(text) => return self.renewal_failed(&text, cx),
            Notification::Reconnecting(why) if why != "auth-failure" => {
                return self.renewal_failed(&why, cx);
            }
            Notification::Connected
            | Notification::Reconnecting(_)
            | Notification::Exiting(_)
            | Notification::Up
            | Notification::Down
            | Notification::Environment { .. }
            | Notification::EnvironmentEnd
            | Notification::Error(_)
            | Notification::NeedOk { .. }
            | Notification::Echo(_)
            | Notification::AuthToken
            | Notification::Ignored
            | Notification::Other => {}
        }
        None
    }

    /// The renewal's OpenVPN has failed; the tunnel has to pause for the new sign-in.
    fn renewal_failed(&mut self, why: &str, cx: &mut Context) -> Option<Interruption> {
        if !matches!(self.renewal, Some(Renewal::Fetching { .. })) {
            return None;
        }
        self.end_renewal(cx);
        cx.note(format!(
            "no challenge could be fetched beside the tunnel ({why})"
        ));
        Some(Interruption::SignIn)
    }

    /// The browser's answer has come.
    fn answered(
        &mut self,
        secrets: BTreeMap<String, Secret>,
        cx: &mut Context,
    ) -> Option<Interruption> {
        let Some(Renewal::AwaitingLogin(login)) = self
            .renewal
            .take_if(|renewal| matches!(renewal, Renewal::AwaitingLogin(_)))
        else {
            // They crossed the end of the page. NetworkManager connects again because of them.
            cx.unasked_secrets();
            cx.show_as_up();
            return None;
        };
        match cx.take_answer(&login, secrets) {
            Ok(answer) => Some(Interruption::Renewed(answer)),
            Err(why) => {
                keep_the_old_sign_in(&why.to_string(), cx);
                None
            }
        }
    }

    /// The login that a person is at the browser for, although the tunnel is up.
    pub(super) fn login(&self) -> Option<&BrowserLogin> {
        match self.renewal.as_ref()? {
            Renewal::AwaitingLogin(login) => Some(login),
            Renewal::Fetching { .. } => None,
        }
    }

    /// Whether it is not known yet whether a new sign-in can be asked for.
    pub(super) fn is_fetching(&self) -> bool {
        matches!(self.renewal, Some(Renewal::Fetching { .. }))
    }

    /// When something is due.
    pub(super) fn deadline(&self, cx: &Context) -> Option<Instant> {
        let renewal = self.renewal.as_ref().map(|renewal| match renewal {
            Renewal::Fetching { until } => *until,
            Renewal::AwaitingLogin(login) => login.deadline(),
        });
        [renewal, cx.expiry.notice_at].into_iter().flatten().min()
    }

    fn time_passed(&mut self, cx: &mut Context) -> Option<Interruption> {
        let now = cx.now;
        if let Some(left) = cx.expiry.due(now) {
            cx.effects.push_back(Effect::SignInExpires { left });
        }
        match &mut self.renewal {
            Some(Renewal::Fetching { until }) if now >= *until => {
                return self.renewal_failed("the endpoint did not answer", cx);
            }
            Some(Renewal::AwaitingLogin(login)) if now >= login.until => {
                self.renewal = None;
                keep_the_old_sign_in("nobody signed in in time", cx);
            }
            Some(Renewal::AwaitingLogin(login)) if now >= login.deadline() => {
                login.agent_asked = true;
                login.ask_again(cx);
            }
            Some(Renewal::Fetching { .. } | Renewal::AwaitingLogin(_)) | None => {}
        }
        None
    }

    /// Nothing is left of a new sign-in that is under way.
    pub(super) fn end_renewal(&mut self, cx: &mut Context) {
        if let Some(Renewal::Fetching { .. }) = self.renewal.take() {
            cx.effects.push_back(Effect::EndRenewal);
        }
    }
}

fn restart(cx: &mut Context) {
    cx.send(Command::ForgetPasswords);
    cx.send(Command::Restart);
}

/// The tunnel goes on as it is, and NetworkManager is told that it is up.
fn keep_the_old_sign_in(why: &str, cx: &mut Context) {
    note_the_old_sign_in(why, cx);
    cx.show_as_up();
}

fn note_the_old_sign_in(why: &str, cx: &mut Context) {
    cx.note(format!(
        "there is no new sign-in ({why}); the connection goes on with the old one"
    ));
}
