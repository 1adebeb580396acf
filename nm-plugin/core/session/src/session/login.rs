//! A person at the browser: what the endpoint asked, and what becomes of the answer.

use super::context::Context;
use super::events::ServiceState;
use crate::challenge::Challenge;
use aws_client_vpn_profile::keys::SAML_RESPONSE;
use aws_client_vpn_sign_in::answer::saml_response;
use aws_client_vpn_sign_in::request::login_hints;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::secret::Secret;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use url::Url;

/// NetworkManager gives a secret agent 120 s (nm-secret-agent.c) and can only be asked for more
/// by a new request; this leaves it ten seconds to arrive.
pub(super) const SECRETS_REQUEST_LIFETIME: Duration = Duration::from_secs(110);

/// A login that waits for a person.
#[derive(Debug)]
pub(super) struct BrowserLogin {
    challenge: Challenge,
    url: Url,
    pub(super) until: Instant,
    ask_again: Instant,
    /// Whether a page is open: NetworkManager has said that it asks, or has had time enough to.
    pub(super) agent_asked: bool,
    /// Whether a person has asked to sign in: has connected, or renews.
    pub(super) requested_by_user: bool,
}

/// A login that has no page yet: first the default route of the tunnel that is down is withdrawn.
#[derive(Debug)]
pub(super) struct ComingLogin {
    pub(super) challenge: Challenge,
    pub(super) url: Url,
    /// How long NetworkManager may take for that.
    pub(super) until: Instant,
}

impl BrowserLogin {
    /// When to ask again, or to give up.
    pub(super) fn deadline(&self) -> Instant {
        self.until.min(self.ask_again)
    }

    /// Asks once more, with a page only if there is none yet.
    pub(super) fn ask_again(&mut self, cx: &mut Context) {
        self.ask_again = cx.now + SECRETS_REQUEST_LIFETIME;
        self.request(self.agent_asked, cx);
    }

    fn request(&self, again: bool, cx: &mut Context) {
        let seconds_left = self.until.saturating_duration_since(cx.now).as_secs();
        let message = format!(
            "Sign in at {} in your browser to connect.",
            self.url.host_str().unwrap_or("the identity provider")
        );
        cx.request_secrets(message, login_hints(&self.url, seconds_left, again));
    }

    /// What goes to the endpoint, out of what NetworkManager brought.
    fn reply(&self, mut secrets: BTreeMap<String, Secret>) -> Result<(Secret, usize), Message> {
        let response = secrets.remove(SAML_RESPONSE).ok_or_else(|| {
            message!(
                // TRANSLATORS: Follows “The sign-in in the browser could not be completed.”
                "The program that showed the sign-in did not return the response of the browser. Connect again; if \
                 this happens again, use 'aws-client-vpn connect' in a terminal."
            )
        })?;
        let response = saml_response(response).map_err(|error| error.message())?;
        Ok((self.challenge.reply(response.secret()), response.len()))
    }
}

impl Context {
    /// Asks the person, who may have asked to sign in (`requested_by_user`).
    pub(super) fn ask_for_login(
        &mut self,
        challenge: Challenge,
        url: Url,
        requested_by_user: bool,
    ) -> Box<BrowserLogin> {
        let now = self.now;
        self.note_of_endpoint(format!(
            "the endpoint asks for a browser login at {}; waiting up to {} s",
            url.host_str().unwrap_or_default(),
            self.timeouts.login.as_secs()
        ));
        // NetworkManager takes a request for secrets only while it believes us to be starting.
        self.announce(ServiceState::Starting);
        let login = BrowserLogin {
            challenge,
            url,
            until: now + self.timeouts.login,
            ask_again: now + SECRETS_REQUEST_LIFETIME,
            agent_asked: false,
            requested_by_user,
        };
        login.request(false, self);
        Box::new(login)
    }

    /// NetworkManager, which ignores settings while it asks, takes the page back.
    pub(super) fn give_up_page(&mut self) {
        self.note("the page is given up, and asked for again if it is needed".to_owned());
        self.begin_again();
    }

    /// Takes the browser's answer out of what NetworkManager brought; why it is none, if so.
    pub(super) fn take_answer(
        &mut self,
        login: &BrowserLogin,
        secrets: BTreeMap<String, Secret>,
    ) -> Result<Secret, Message> {
        let (answer, bytes) = login.reply(secrets)?;
        self.note(format!("the browser login is done ({bytes} bytes)"));
        Ok(answer)
    }
}
