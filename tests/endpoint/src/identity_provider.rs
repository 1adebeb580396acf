//! The identity provider: a web server with a login page that signs its responses.

use crate::command::IdpMode;
use crate::event::Event;
use crate::pages::{login_page, message_page, response_page};
use crate::saml::{AuthnRequest, Fault, ResponseParameters, signed_response};
use crate::state::Shared;
use crate::xmlsec::Signer;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Path of the single sign-on service in the challenge's URL.
const SSO_PATH: &str = "/sso/saml";
/// Cookie with which a request for the login page gets the response at once.
const AUTO_COOKIE: &str = "login=auto";
/// Query parameter that does the same.
const AUTO_PARAMETER: &str = "login";
/// Longest form that is read.
const BODY_LIMIT: usize = 64 * 1024;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

/// The identity provider.
pub(crate) struct IdentityProvider {
    shared: Arc<Shared>,
    signer: Signer,
    /// The last response, for [`IdpMode::Replay`].
    last: Mutex<Option<String>>,
}

impl IdentityProvider {
    pub(crate) fn new(shared: Arc<Shared>, signer: Signer) -> Self {
        Self {
            shared,
            signer,
            last: Mutex::default(),
        }
    }

    /// Serves the connections to `listener`, for ever; with TLS if there is an acceptor.
    pub(crate) async fn serve(self, listener: TcpListener, tls: Option<TlsAcceptor>) {
        let this = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(connection(Arc::clone(&this), stream, tls.clone()));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        match (request.method(), path.as_str()) {
            (&Method::GET, SSO_PATH) => {
                let cookies = request.headers().get_all(COOKIE).iter();
                let mut cookies = cookies.filter_map(|value| value.to_str().ok());
                let wants_auto = cookies.any(|value| value.contains(AUTO_COOKIE));
                self.sso(&form(query.as_bytes()), wants_auto).await
            }
            (&Method::POST, "/sso/login") => {
                match Limited::new(request.into_body(), BODY_LIMIT)
                    .collect()
                    .await
                {
                    Ok(body) => self.login(&form(&body.to_bytes())).await,
                    Err(_) => page(StatusCode::PAYLOAD_TOO_LARGE, message_page("Too long.")),
                }
            }
            _ => page(
                StatusCode::NOT_FOUND,
                message_page("There is nothing here."),
            ),
        }
    }

    /// The browser comes with the challenge's URL.
    async fn sso(&self, query: &Form, wants_auto: bool) -> Response<Full<Bytes>> {
        let request = match AuthnRequest::decode(query.field("SAMLRequest")) {
            Ok(request) => request,
            Err(error) => return page(StatusCode::BAD_REQUEST, message_page(&error.to_string())),
        };
        let mode = self.shared.settings().idp;
        if mode == IdpMode::Auto || wants_auto || query.field(AUTO_PARAMETER) == "auto" {
            return self.issue(&request, query.field("RelayState"), mode).await;
        }
        self.shared.report(Event::LoginPage);
        let text = login_page(query.field("SAMLRequest"), query.field("RelayState"), None);
        page(StatusCode::OK, text)
    }

    /// The user pressed the button.
    async fn login(&self, form: &Form) -> Response<Full<Bytes>> {
        let (saml_request, relay) = (form.field("SAMLRequest"), form.field("RelayState"));
        let request = match AuthnRequest::decode(saml_request) {
            Ok(request) => request,
            Err(error) => return page(StatusCode::BAD_REQUEST, message_page(&error.to_string())),
        };
        let options = &self.shared.options;
        if form.field("username") != options.user || form.field("password") != options.password {
            self.shared.report(Event::LoginRefused);
            let problem = Some("User name or password are wrong. Try again.");
            return page(StatusCode::OK, login_page(saml_request, relay, problem));
        }
        self.shared.report(Event::LoginAccepted);
        let mode = self.shared.settings().idp;
        if let IdpMode::Delay(delay) = mode {
            tokio::time::sleep(delay).await;
        }
        self.issue(&request, relay, mode).await
    }

    async fn issue(
        &self,
        request: &AuthnRequest,
        relay: &str,
        mode: IdpMode,
    ) -> Response<Full<Bytes>> {
        let settings = self.shared.settings();
        let parameters = ResponseParameters {
            request,
            issuer: &self.shared.idp_url,
            user: &self.shared.options.user,
            lifetime: settings.saml_lifetime,
            bytes: settings.response_bytes,
            fault: fault(mode),
        };
        let fresh = match signed_response(&self.signer, &parameters) {
            Ok(text) => text,
            Err(error) => {
                let text = message_page(&error.to_string());
                return page(StatusCode::INTERNAL_SERVER_ERROR, text);
            }
        };
        let text = {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            match (mode, last.as_ref()) {
                (IdpMode::Replay, Some(old)) => old.clone(),
                _ => last.insert(fresh).clone(),
            }
        };
        self.shared
            .report(Event::ResponseIssued { bytes: text.len() });
        let answer = page(
            StatusCode::OK,
            response_page(&request.consumer, &text, relay),
        );
        if self.shared.options.trust_issued && fault(mode).is_none() {
            self.shared.verifier.trust(&text);
        } else {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move { shared.verifier.check_ahead(&text).await });
        }
        answer
    }
}

fn fault(mode: IdpMode) -> Option<Fault> {
    match mode {
        IdpMode::Normal | IdpMode::Auto | IdpMode::Delay(_) | IdpMode::Replay => None,
        IdpMode::BrokenSignature => Some(Fault::BrokenSignature),
        IdpMode::Unsigned => Some(Fault::Unsigned),
        IdpMode::Late => Some(Fault::Late),
        IdpMode::OtherRequest => Some(Fault::OtherRequest),
        IdpMode::OtherAudience => Some(Fault::OtherAudience),
        IdpMode::Failed => Some(Fault::Failed),
    }
}

async fn connection(this: Arc<IdentityProvider>, stream: TcpStream, tls: Option<TlsAcceptor>) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => http(this, stream).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await
            {
                http(this, stream).await;
            }
        }
    }
}

async fn http(this: Arc<IdentityProvider>, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let service = service_fn(|request| {
        let this = Arc::clone(&this);
        async move { Ok::<_, Infallible>(this.respond(request).await) }
    });
    // A browser that goes away is no news.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn page(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        CACHE_CONTROL,
        hyper::header::HeaderValue::from_static("no-store"),
    );
    response
}

/// The fields of a form or a query.
struct Form(HashMap<String, String>);

fn form(text: &[u8]) -> Form {
    Form(form_urlencoded::parse(text).into_owned().collect())
}

impl Form {
    /// The value of `name`, or an empty text.
    fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}
