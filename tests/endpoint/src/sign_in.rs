//! Who is let in: the judgement of one sign-in.

use crate::client_message::ClientEnvironment;
use crate::event::{Event, Refusal};
use crate::options::{SignIn, Transport};
use crate::saml::AuthnRequest;
use crate::session::SessionId;
use crate::state::{Settings, Shared};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The user name of both phases of a SAML login.
const NOT_A_NAME: &str = "N/A";
/// The password of phase 1: "my assertion consumer service listens on port 35001".
const PHASE_1: &str = "ACS::35001";
/// What the password of phase 2 starts with: `CRV1::<session id>::<SAML response>`.
const PHASE_2: &str = "CRV1::";
/// What OpenVPN's own tokens start with.
const TOKEN: &str = "SESS_ID_AT_";
/// What a client is told whose token is refused; OpenVPN's own words begin alike.
const TOKEN_REFUSED: &str = "SESSION: token expired";
/// All that a client is told of a refusal.
pub(crate) const REFUSED: &str = "Invalid username or password";

/// The server that a sign-in came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) node: usize,
    pub(crate) transport: Transport,
    pub(crate) port: u16,
}

impl Place {
    /// The report of a refusal here.
    fn refused(self, reason: Refusal, password_bytes: usize) -> Event {
        Event::Refused {
            node: self.node,
            transport: self.transport,
            port: self.port,
            reason,
            why: reason.why(),
            password_bytes,
        }
    }
}

/// What a client is answered.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The tunnel.
    Accept,
    /// `AUTH_FAILED` with this text, which may be a challenge.
    Deny(String),
    /// Nothing at all.
    Silence,
}

/// Judges the sign-in of `environment` at `place` and reports it.
pub(crate) async fn judge(
    shared: &Shared,
    place: Place,
    environment: &ClientEnvironment,
) -> Verdict {
    let settings = shared.settings();
    tokio::time::sleep(settings.answer_delay).await;
    let password = environment.value("password");
    let Place {
        node,
        transport,
        port,
    } = place;
    if shared.options.sign_in.is_saml()
        && environment.value("username") == NOT_A_NAME
        && password == PHASE_1
    {
        if !settings.answer_phase1 {
            shared.report(Event::Ignored { node, phase: 1 });
            return Verdict::Silence;
        }
        let challenge = challenge(shared, node, &settings);
        let aws_framing = has_aws_framing(environment);
        shared.report(Event::Phase1 {
            node,
            transport,
            port,
            aws_framing,
        });
        return Verdict::Deny(challenge);
    }
    let password_bytes = password.len();
    if shared.options.auth_token && password.starts_with(TOKEN) {
        // OpenVPN has looked at its token itself, and says what it thinks of it.
        if settings.accept_tokens && environment.value("session_state") == "Authenticated" {
            shared.report(Event::CameBack { node });
            return Verdict::Accept;
        }
        shared.report(place.refused(Refusal::TokenRefused, password_bytes));
        return Verdict::Deny(TOKEN_REFUSED.to_owned());
    }
    if !settings.answer_phase2 {
        shared.report(Event::Ignored { node, phase: 2 });
        return Verdict::Silence;
    }
    if shared.options.sign_in == SignIn::PasswordQuestion && !password.starts_with(PHASE_2) {
        return ask(shared, place, environment);
    }
    match (examine(shared, node, environment).await, settings.deny) {
        (Ok(since_phase1), None) => {
            let since_phase1_ms = u64::try_from(since_phase1.as_millis()).unwrap_or(u64::MAX);
            let accepted = Event::Accepted {
                node,
                transport,
                port,
                password_bytes,
                since_phase1_ms,
            };
            shared.report(accepted);
            Verdict::Accept
        }
        (Ok(_), Some(text)) => {
            shared.report(place.refused(Refusal::Denied, password_bytes));
            Verdict::Deny(text)
        }
        (Err(reason), _) => {
            shared.report(place.refused(reason, password_bytes));
            Verdict::Deny(REFUSED.to_owned())
        }
    }
}

/// The time since phase 1, where there is one, if all is well.
async fn examine(
    shared: &Shared,
    node: usize,
    environment: &ClientEnvironment,
) -> Result<Duration, Refusal> {
    let options = &shared.options;
    let expected = match options.sign_in {
        SignIn::Saml | SignIn::SamlCertificate => {
            return second_phase(shared, node, environment).await;
        }
        // The TLS handshake checked the certificate; there is nothing else.
        SignIn::Certificate => return Ok(Duration::ZERO),
        SignIn::PasswordQuestion => return answered(shared, node, environment),
        SignIn::Password | SignIn::PasswordCertificate => options.password.clone(),
        SignIn::PasswordMfa => format!(
            "SCRV1:{}:{}",
            STANDARD.encode(&options.password),
            STANDARD.encode(&options.mfa_code)
        ),
    };
    if environment.value("username") == options.user && environment.value("password") == expected {
        Ok(Duration::ZERO)
    } else {
        Err(Refusal::WrongPassword)
    }
}

/// The question that follows name and password, if they are right.
fn ask(shared: &Shared, place: Place, environment: &ClientEnvironment) -> Verdict {
    let node = place.node;
    let options = &shared.options;
    let password = environment.value("password");
    if environment.value("username") != options.user || password != options.password {
        shared.report(place.refused(Refusal::WrongPassword, password.len()));
        return Verdict::Deny(REFUSED.to_owned());
    }
    let session = shared.sessions().open(node, String::new(), Instant::now());
    shared.report(Event::Asked { node });
    Verdict::Deny(format!(
        "CRV1:{}:{}:{}:{}",
        options.question_flags,
        session.expose(),
        STANDARD.encode(&options.user),
        options.question
    ))
}

/// The answer to the question, at the node that asked it and once.
fn answered(
    shared: &Shared,
    node: usize,
    environment: &ClientEnvironment,
) -> Result<Duration, Refusal> {
    let answer = environment.value("password").strip_prefix(PHASE_2);
    let (session, code) = answer
        .and_then(|answer| answer.split_once("::"))
        .ok_or(Refusal::WrongPassword)?;
    let now = Instant::now();
    let lifetime = shared.settings().session_lifetime;
    let session = SessionId::sent(session);
    let login = shared.sessions().take(node, &session, lifetime, now)?;
    let options = &shared.options;
    if environment.value("username") == options.user && code == options.mfa_code {
        Ok(now.duration_since(login.started))
    } else {
        Err(Refusal::WrongPassword)
    }
}

async fn second_phase(
    shared: &Shared,
    node: usize,
    environment: &ClientEnvironment,
) -> Result<Duration, Refusal> {
    let answer = environment.value("password").strip_prefix(PHASE_2);
    let (session, response) = answer
        .and_then(|answer| answer.split_once("::"))
        .ok_or(Refusal::NotSaml)?;
    if environment.value("username") != NOT_A_NAME {
        return Err(Refusal::NotSaml);
    }
    let settings = shared.settings();
    if settings.require_aws_framing && !has_aws_framing(environment) {
        return Err(Refusal::StockFraming);
    }
    let now = Instant::now();
    let session = SessionId::sent(session);
    let login = shared
        .sessions()
        .take(node, &session, settings.session_lifetime, now)?;
    shared.verifier.accept(response, &login.request_id).await?;
    Ok(now.duration_since(login.started))
}

/// What our test-only server patch says of a client that wrote AWS's key-method-2 framing.
fn has_aws_framing(environment: &ClientEnvironment) -> bool {
    environment.value("aws_framing") == "1"
}

/// A new session's challenge: `CRV1:<flags>:<session id>:<user>:<URL>`, the user as the bytes
/// literal that AWS writes, unless a setting says otherwise.
fn challenge(shared: &Shared, node: usize, settings: &Settings) -> String {
    let url_bytes = settings.challenge_bytes;
    let request = AuthnRequest::new();
    let destination = &shared.sign_on;
    let encoded = request.encode(destination);
    let parameter: String = form_urlencoded::byte_serialize(encoded.as_bytes()).collect();
    // A provider's address may have a question of its own.
    let join = if destination.contains('?') { '&' } else { '?' };
    let mut url = format!("{destination}{join}SAMLRequest={parameter}&RelayState=");
    while url.len() < url_bytes {
        let _ = write!(url, "{}", Uuid::new_v4().simple());
    }
    let shortest = format!("{destination}?SAMLRequest={parameter}&RelayState=a").len();
    url.truncate(url_bytes.max(shortest));
    let session = shared.sessions().open(node, request.id, Instant::now());
    format!(
        "CRV1:{}:{}:{}:{url}",
        settings.challenge_flags,
        session.expose(),
        settings.challenge_user
    )
}
