//! The assertion consumer service: the web server of one login, on loopback.
//!
//! Any page in the user's browser and any program of the machine can talk to it, so it counts
//! nothing but the one form it waits for: posted to `/`, under its own name, by a navigation of a
//! program of this user, for the login that is waiting. Everything else gets a short page and changes nothing. Nobody can
//! keep the answer out: reading has a time limit, and with too many connections the oldest goes.

use crate::{page, port};
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_profile::well_known::ACS_PORT;
use aws_client_vpn_sign_in::saml::{self, FORM_LIMIT, SamlError, SamlResponse};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::cell::Cell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How long the head of a request may take. A browser opens connections in advance and leaves them
/// idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long one connection may take in all.
const CONNECTION_TIME: Duration = Duration::from_secs(30);
/// The browser's own connection is among the newest few.
const CONNECTIONS: usize = 32;
/// The longest head: other programs on 127.0.0.1 may have left cookies.
const HEAD_LIMIT: usize = 64 * 1024;
/// How much of a form that is too long is still read, so that the browser shows why.
const PATIENCE_LIMIT: usize = 2 * 1024 * 1024;
/// How long the browser has to take the last page.
const FAREWELL_TIME: Duration = Duration::from_secs(1);
/// Between attempts to accept a connection when descriptors are exhausted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The login that is waiting.
#[derive(Debug)]
pub(crate) struct Login {
    /// The connection's name, for the page.
    pub(crate) connection: String,
    /// What the answer has to be for.
    pub(crate) request: saml::Request,
}

/// A login that has its answer.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The answer.
    pub(crate) response: SamlResponse,
    /// Ends with the connection that brought it.
    connection: oneshot::Receiver<()>,
}

impl Answered {
    /// Waits until the browser has its page.
    pub(crate) async fn page_delivered(self) {
        drop(timeout(FAREWELL_TIME, self.connection).await);
    }
}

/// Serves `listener` until the answer of `login` has come; then the port is free.
///
/// Call it within a [`tokio::task::LocalSet`], which also serves the last page.
pub(crate) async fn receive(listener: TcpListener, login: Login) -> Answered {
    let (answer, mut answered) = oneshot::channel();
    let waiting = Rc::new(Waiting {
        login,
        answer: Cell::new(Some(answer)),
    });
    let mut connections = VecDeque::<AbortHandle>::new();
    loop {
        tokio::select! {
            biased;
            Ok(answered) = &mut answered => return answered,
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                connections.retain(|connection| !connection.is_finished());
                if connections.len() >= CONNECTIONS && let Some(oldest) = connections.pop_front() {
                    oldest.abort();
                }
                let connection = spawn_local(Rc::clone(&waiting).converse(stream, peer));
                connections.push_back(connection.abort_handle());
            }
        }
    }
}

/// A login until it has its answer.
struct Waiting {
    login: Login,
    answer: Cell<Option<oneshot::Sender<Answered>>>,
}

/// What a request is answered with.
struct Reply {
    status: StatusCode,
    page: String,
}

impl Waiting {
    /// Serves one request on one connection.
    async fn converse(self: Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        let (_end, ended) = oneshot::channel();
        let ended = Rc::new(Cell::new(Some(ended)));
        let service = service_fn(|request| {
            let (waiting, ended) = (Rc::clone(&self), Rc::clone(&ended));
            async move { waiting.reply(request, peer, &ended).await.into_response() }
        });
        let conversation = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_LIMIT)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // Whoever breaks off or takes too long has only themselves to tell.
        drop(timeout(CONNECTION_TIME, conversation).await);
    }

    async fn reply(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        connection: &Cell<Option<oneshot::Receiver<()>>>,
    ) -> Reply {
        if let Some(refusal) = refusal(&request) {
            return refusal;
        }
        // Loopback knows no users, the kernel does.
        if !port::speaks_for_user(peer) {
            return Reply::refused(
                StatusCode::FORBIDDEN,
                &gettext!("Request blocked"),
                &gettext!(
                    "This request came from a program of another user of this computer. \
                           Continue in the tab of your sign-in."
                ),
            );
        }
        let form = match read_form(request.into_body()).await {
            Ok(form) => form,
            Err(refusal) => return refusal,
        };
        let response = match SamlResponse::from_form_body(&form, &self.login.request) {
            Ok(response) => response,
            Err(error) => return unusable(&error),
        };
        match (self.answer.take(), connection.take()) {
            (Some(answer), Some(connection)) => {
                drop(answer.send(Answered {
                    response,
                    connection,
                }));
                Reply {
                    status: StatusCode::OK,
                    page: page::signed_in(&self.login.connection),
                }
            }
            _ => Reply::refused(
                StatusCode::CONFLICT,
                &gettext!("This sign-in is already complete"),
                &gettext!("The response has been received. You can close this tab."),
            ),
        }
    }
}

/// What is wrong with a request before anything of its body is read.
fn refusal(request: &Request<Incoming>) -> Option<Reply> {
    let headers = request.headers();
    if !is_for_us(headers) {
        return Some(Reply::refused(
            StatusCode::MISDIRECTED_REQUEST,
            &gettext!("Page not found"),
            &gettext!(
                "There is no page at this address. It is used only for the sign-in to a VPN \
                 connection."
            ),
        ));
    }
    if request.uri().path() != "/" {
        return Some(Reply::refused(
            StatusCode::NOT_FOUND,
            &gettext!("Page not found"),
            &gettext!("There is no page at this address. Continue in the tab of your sign-in."),
        ));
    }
    if request.method() != Method::POST {
        return Some(Reply::refused(
            StatusCode::METHOD_NOT_ALLOWED,
            &gettext!("Waiting for your sign-in"),
            &gettext!("Sign in in the other tab. The response then arrives here automatically."),
        ));
    }
    if only(headers, &HeaderName::from_static("sec-fetch-mode")).is_some_and(|m| m != "navigate") {
        return Some(Reply::refused(
            StatusCode::FORBIDDEN,
            &gettext!("Request blocked"),
            &gettext!(
                "Another web page tried to use this sign-in. Continue in the tab of your \
                       sign-in."
            ),
        ));
    }
    if only(headers, &header::CONTENT_TYPE).is_some_and(|kind| !is_form(kind)) {
        return Some(Reply::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            &gettext!("The response cannot be used"),
            &gettext!(
                "The SAML response must be sent as a form, and this was something else. Tell \
                       the administrator of the identity provider."
            ),
        ));
    }
    None
}

/// Whether the request names us as its host: a name that a hostile DNS server points at loopback
/// does not count.
fn is_for_us(headers: &HeaderMap) -> bool {
    only(headers, &header::HOST).is_some_and(|host| {
        host.rsplit_once(':').is_some_and(|(name, port)| {
            (name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost"))
                && port.parse() == Ok(ACS_PORT)
        })
    })
}

fn is_form(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// A header's value. Repeated or unreadable, it is `""`, which nothing expects.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(if values.next().is_some() {
        ""
    } else {
        first.to_str().unwrap_or_default()
    })
}

async fn read_form(mut body: Incoming) -> Result<Zeroizing<Vec<u8>>, Reply> {
    // Reserved at once, so that growing leaves no copy behind.
    let mut form = Zeroizing::new(Vec::with_capacity(FORM_LIMIT));
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Reply::refused(
                StatusCode::BAD_REQUEST,
                &gettext!("The response was incomplete"),
                &gettext!("Go back one page in this tab, and sign in again."),
            )
        })?;
        let piece = frame.into_data().unwrap_or_default();
        length += piece.len();
        if length <= FORM_LIMIT {
            form.extend_from_slice(&piece);
        } else if length > PATIENCE_LIMIT {
            break;
        }
    }
    if length > FORM_LIMIT {
        Err(unusable(&SamlError::TooLong(length)))
    } else {
        Ok(form)
    }
}

/// Tells the person at the browser why an answer of the identity provider does not count.
fn unusable(error: &SamlError) -> Reply {
    let (status, heading) = match error {
        SamlError::TooLong(_) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            gettext!("The response is too long"),
        ),
        SamlError::OtherLogin => (StatusCode::CONFLICT, gettext!("This is another sign-in")),
        SamlError::Missing
        | SamlError::Repeated
        | SamlError::NotEncoded
        | SamlError::NoResponse
        | SamlError::LoginFailed(_) => (
            StatusCode::BAD_REQUEST,
            gettext!("The response cannot be used"),
        ),
    };
    Reply::refused(status, &heading, &i18n::localize(error))
}

impl Reply {
    fn refused(status: StatusCode, heading: &str, advice: &str) -> Self {
        Self {
            status,
            page: page::refused(heading, advice),
        }
    }

    fn into_response(self) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
            .header(
                header::CONTENT_SECURITY_POLICY,
                page::CONTENT_SECURITY_POLICY,
            )
            .header(header::REFERRER_POLICY, "no-referrer")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response = response.header(header::ALLOW, "POST");
        }
        response.body(Full::new(Bytes::from(self.page)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn only_our_own_name_is_a_host() {
        for (hosts, ours) in [
            (&["127.0.0.1:35001"][..], true),
            (&["localhost:35001"], true),
            (&["LocalHost:35001"], true),
            (&["127.0.0.1"], false),
            (&["127.0.0.1:3500"], false),
            (&["evil.example:35001"], false),
            (&["[::1]:35001"], false),
            (&["127.0.0.1:35001", "evil.example"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(header::HOST, HeaderValue::from_static(host));
            }
            assert_eq!(is_for_us(&headers), ours, "{hosts:?}");
        }
    }

    #[test]
    fn a_form_is_known_by_its_type() {
        assert!(is_form("application/x-www-form-urlencoded"));
        assert!(is_form("Application/X-WWW-form-urlencoded; charset=UTF-8"));
        assert!(!is_form("multipart/form-data; boundary=x"));
        assert!(!is_form("text/plain"));
    }
}
