//! What outlives every state: what the connection is to be, and what is known of OpenVPN,
//! NetworkManager and the computer.

use super::backoff::LoginBackoff;
use super::conditions::{Conditions, Presence, Ways};
use super::credentials::Credentials;
use super::diagnostics::outdated_certificate;
use super::events::{Effect, ServiceState, WebAccess};
use super::expiry::Expiry;
use super::failure::Failure;
use super::network_manager::NetworkManager;
use super::remote::Remote;
use crate::management::{Command, Notification};
use crate::network_manager::ip_config::IpConfig;
use crate::pushed::PushedOptions;
use aws_client_vpn_profile::parts::{self, Transport};
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::Timeouts;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;
use aws_client_vpn_text::secret::Secret;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Instant;

/// What is known of the proxy.
#[derive(Debug, Default)]
pub(super) struct ProxyState {
    pub(super) address: Option<IpAddr>,
    pub(super) credentials: ProxyCredentials,
    /// What it said last of why it lets nobody through.
    pub(super) said: Option<String>,
}

/// How much memory the variables of one tunnel may take: several times what the largest permitted
/// number of routes needs.
const ENVIRONMENT_LIMIT: usize = 4 << 20;
/// What a variable takes beside its name and its value.
const VARIABLE_SIZE: usize = 64;

/// The variables of a tunnel that comes up, as far as OpenVPN has told them.
#[derive(Debug, Default)]
struct Environment {
    variables: Vec<(String, String)>,
    size: usize,
    /// Whether there were more than have room.
    is_cut: bool,
}

impl Environment {
    fn push(&mut self, name: String, value: String) {
        let size = self.size + name.len() + value.len() + VARIABLE_SIZE;
        if size > ENVIRONMENT_LIMIT {
            self.is_cut = true;
            return;
        }
        self.size = size;
        self.variables.push((name, value));
    }
}

/// What became of the name and the password that a try has told the proxy.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyCredentials {
    /// They were not sent, or nobody refused them.
    #[default]
    Fine,
    /// They were sent, and the proxy has said nothing yet.
    Sent,
    /// The proxy has said that they are wrong.
    Refused,
}

/// What outlives the states: the session's parameters, and what is known of each peer, in a type
/// of its own.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) profile: Profile,
    pub(super) timeouts: Timeouts,
    /// Whether NetworkManager can ask a person.
    pub(super) interactive: bool,
    /// Which sign-ins open the web.
    pub(super) web_access: WebAccess,
    pub(super) credentials: Credentials,
    pub(super) openvpn: OpenVpn,
    pub(super) remote: Remote,
    pub(super) proxy: ProxyState,
    pub(super) network_manager: NetworkManager,
    pub(super) conditions: Conditions,
    /// The ways as they are, or as they were last where there is none.
    pub(super) last_ways: Ways,
    pub(super) expiry: Expiry,
    pub(super) login_backoff: LoginBackoff,
    /// When the input that is being handled has happened.
    pub(super) now: Instant,
    pub(super) effects: VecDeque<Effect>,
}

/// What is known of the one OpenVPN, whatever is done with it.
#[derive(Debug, Default)]
pub(super) struct OpenVpn {
    /// Whether it was started and has not ended.
    pub(super) is_running: bool,
    is_set_up: bool,
    pub(super) is_held: bool,
    /// The environment of a tunnel that comes up, as far as it was told.
    environment: Option<Environment>,
    /// The tunnel that came up last: a restart need not say "up" again.
    pub(super) tunnel: Option<PushedOptions>,
    /// What OpenVPN said of the client's certificate, if it has expired or is not yet valid.
    outdated_certificate: Option<Failure>,
    /// Why OpenVPN says that it ends.
    exiting: Option<String>,
}

/// A notification of OpenVPN whose meaning depends on the state.
#[derive(Debug)]
pub(super) enum OpenVpnEvent {
    Hold,
    Remote,
    PasswordNeeded(String),
    VerificationFailed {
        realm: String,
        reason: Option<Secret>,
    },
    Connected,
    Reconnecting(String),
    AuthToken,
    Log(Secret),
    Echo(String),
}

impl OpenVpn {
    /// What the endpoint accepts once is not out of date for it: this computer's clock was wrong when
    /// OpenVPN loaded the certificate, or the endpoint does not look at the date.
    pub(super) fn certificate_accepted(&mut self) {
        self.outdated_certificate = None;
    }
}

impl Context {
    /// Records what a notification says of OpenVPN; returns what is left for the state to decide.
    pub(super) fn interpret(
        &mut self,
        notification: Notification,
    ) -> Result<Option<OpenVpnEvent>, Failure> {
        Ok(match notification {
            Notification::Hold => {
                self.on_hold();
                Some(OpenVpnEvent::Hold)
            }
            Notification::Remote {
                host,
                port,
                transport,
            } => {
                self.remote.waiting = Some(parts::Remote {
                    host,
                    port,
                    transport,
                });
                Some(OpenVpnEvent::Remote)
            }
            Notification::PasswordNeeded { realm } => Some(OpenVpnEvent::PasswordNeeded(realm)),
            Notification::VerificationFailed { realm, reason } => {
                Some(OpenVpnEvent::VerificationFailed { realm, reason })
            }
            Notification::Connected => Some(OpenVpnEvent::Connected),
            Notification::Reconnecting(why) => Some(OpenVpnEvent::Reconnecting(why)),
            Notification::Exiting(why) => {
                self.openvpn.exiting = Some(why);
                None
            }
            Notification::AuthToken => Some(OpenVpnEvent::AuthToken),
            Notification::Log(text) => {
                let said = text.expose();
                if said.contains("unknown control message") && said.contains("CRV1:") {
                    // OpenVPN has thrown the challenge away, and waits for an answer that will not
                    // come.
                    return Err(Failure::BadChallenge(message!(
                        // TRANSLATORS: Follows “The endpoint sent a sign-in request that cannot be used.”
                        "The request has a form that OpenVPN does not know."
                    )));
                }
                if let Some(why) = outdated_certificate(said) {
                    self.openvpn.outdated_certificate = Some(why);
                }
                Some(OpenVpnEvent::Log(text))
            }
            Notification::Echo(text) => Some(OpenVpnEvent::Echo(text)),
            Notification::Up => {
                self.openvpn.environment = Some(Environment::default());
                None
            }
            Notification::Environment { name, value } => {
                if let Some(environment) = &mut self.openvpn.environment {
                    environment.push(name, value);
                }
                None
            }
            Notification::EnvironmentEnd => {
                self.environment_complete();
                None
            }
            Notification::Down => {
                self.openvpn.environment = None;
                self.openvpn.tunnel = None;
                None
            }
            Notification::Fatal(text) => return Err(Failure::OpenVpnFatal(text)),
            Notification::Error(text) => {
                self.note(format!("OpenVPN refused a command: {text}"));
                None
            }
            Notification::NeedOk { name, message } => {
                // For example, a token is to be plugged in.
                let is_token = name == "token-insertion-request";
                self.send(Command::NeedCancel { name });
                if is_token {
                    return Err(Failure::TokenMissing(message));
                }
                None
            }
            Notification::Ignored | Notification::Other => None,
        })
    }

    fn on_hold(&mut self) {
        self.openvpn.is_held = true;
        if !std::mem::replace(&mut self.openvpn.is_set_up, true) {
            self.send(Command::StateOn);
            self.send(Command::LogOn);
            self.send(Command::EchoOn);
        }
    }

    fn environment_complete(&mut self) {
        let Some(environment) = self.openvpn.environment.take() else {
            return;
        };
        if environment.is_cut {
            self.note_of_endpoint(format!(
                "ignored what the endpoint sent: variables after the first {ENVIRONMENT_LIMIT} bytes"
            ));
        }
        let environment = environment.variables;
        self.openvpn.tunnel = match PushedOptions::from_environment(environment) {
            Ok(parameters) => {
                for warning in parameters.warnings() {
                    self.note_of_endpoint(format!("ignored what the endpoint sent: {warning}"));
                }
                Some(parameters)
            }
            Err(error) => {
                self.note_of_endpoint(format!(
                    "the endpoint's network settings are unusable: {error}"
                ));
                None
            }
        };
    }

    /// The same failure, with what OpenVPN has said of the certificate if that was refused.
    pub(super) fn with_outdated_certificate(&self, failure: Failure) -> Failure {
        let is_about_it = matches!(
            failure,
            Failure::CertificateRefused(_) | Failure::CertificateIgnored { .. }
        );
        let known = self.openvpn.outdated_certificate.clone();
        known.filter(|_| is_about_it).unwrap_or(failure)
    }

    /// Why the connection ends when OpenVPN has ended, which it did as `how` says.
    pub(super) fn openvpn_ended(&mut self, how: Message) -> Failure {
        self.openvpn.is_running = false;
        match self.openvpn.exiting.as_deref() {
            Some("inactive") => Failure::Inactive,
            Some("server-pushed-halt") => Failure::EndedByEndpoint,
            Some(_) | None => Failure::OpenVpnEnded(how),
        }
    }

    /// Records changed conditions. Returns whether a tunnel that is up has to be made again: UDP
    /// survives a new address of this computer, TCP does not.
    pub(super) fn conditions_changed(&mut self, conditions: Conditions) -> bool {
        let before = std::mem::replace(&mut self.conditions, conditions);
        // Between two networks there is often none for a moment.
        let now = conditions.ways.unwrap_or_default();
        let last = self.last_ways;
        self.last_ways = now.or(last);
        let has_moved = self.outer_address().is_some_and(|address| {
            let (last, now) = (last.to(address), now.to(address));
            last.is_some() && now.is_some() && last != now
        });
        if has_moved {
            self.note("this computer has another address on the way to the endpoint".to_owned());
        }
        if before.presence != conditions.presence {
            self.note(match conditions.presence {
                Presence::Active => "somebody is there who could sign in".to_owned(),
                Presence::Locked => "the screen is locked".to_owned(),
                Presence::Away => "nobody is there who could sign in".to_owned(),
            });
        }
        has_moved && self.remote.transport() == Some(Transport::Tcp)
    }

    /// The ways that lead to the endpoint, as far as is known: a proxy has its own.
    pub(super) fn ways_to_endpoint(&self) -> Option<Ways> {
        let is_direct = self.profile.proxy().is_none();
        self.conditions.ways.filter(|_| is_direct)
    }

    /// Whether there is a way to an address that is known.
    pub(super) fn is_online(&self) -> bool {
        let mut addresses = self.outer_addresses().into_iter();
        let ways = self.conditions.ways;
        addresses.any(|address| ways.is_none_or(|ways| ways.to(address).is_some()))
    }

    /// Whether the network that is there leads to no address that is known, and may have one of its own
    /// for the endpoint: of the other family, or of its NAT64.
    pub(super) fn is_online_elsewhere(&self) -> bool {
        let has_any = self.conditions.ways.is_some_and(|ways| !ways.is_empty());
        has_any && self.profile.proxy().is_none() && !self.is_online()
    }

    pub(super) fn send(&mut self, command: Command) {
        self.effects.push_back(Effect::Send(command));
    }

    pub(super) fn note(&mut self, text: String) {
        self.effects.push_back(Effect::Note(text));
    }

    pub(super) fn note_of_endpoint(&mut self, text: String) {
        self.effects.push_back(Effect::NoteOfEndpoint(text));
    }

    pub(super) fn announce(&mut self, state: ServiceState) {
        if self.network_manager.announced != state {
            self.network_manager.announced = state;
            self.effects.push_back(Effect::Announce(state));
        }
    }

    /// Hands over settings, and announces that the tunnel is up: NetworkManager takes settings for the end
    /// of an activation.
    pub(super) fn install(&mut self, config: IpConfig) {
        self.network_manager.generation = self.network_manager.generation.wrapping_add(1);
        self.announce(ServiceState::Starting);
        self.effects.push_back(Effect::Configure(Box::new(config)));
        self.announce(ServiceState::Started);
    }

    /// Tells NetworkManager that the tunnel is up, as it is.
    pub(super) fn show_as_up(&mut self) {
        if let Some(config) = self.network_manager.config() {
            self.install(config);
        }
    }

    /// NetworkManager takes a connection for up that is not.
    pub(super) fn reassert_state(&mut self) {
        self.note(
            "NetworkManager takes the connection for one that is up; telling it again".to_owned(),
        );
        self.begin_again();
    }

    /// Has NetworkManager go back to "connecting", which takes back what it asks a person. It does so
    /// only from a service that says it was up.
    pub(super) fn begin_again(&mut self) {
        for state in [ServiceState::Started, ServiceState::Starting] {
            self.effects.push_back(Effect::Announce(state));
        }
    }

    /// Has NetworkManager remove the name servers of a connection that is about to fail. It does so by
    /// itself only if that was being given settings (IP_CONFIG_GET), or was further (nm-policy.c). One that
    /// was announced as lost is not: it is given settings once more, without name servers and default
    /// route. Returns whether it was.
    pub(super) fn remove_name_servers(&mut self) -> bool {
        if !self.network_manager.announced_lost() {
            return false;
        }
        let config = self
            .network_manager
            .config_without_names_and_default_route();
        let is_given = config.is_some();
        if let Some(config) = config {
            self.install(config);
        }
        is_given
    }
}
