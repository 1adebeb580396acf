//! A browser in a script: it fills in the form and reads the form that comes back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const PAGE_LIMIT: Duration = Duration::from_secs(120);

/// A browser that trusts one authority.
pub(crate) struct Browser(TlsConnector);

impl Browser {
    /// It trusts the authority whose certificate is in this file.
    pub(crate) fn new(authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(authority).unwrap())
            .unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self(TlsConnector::from(Arc::new(config)))
    }

    /// Opens the challenge's URL, signs in, and returns the response as a browser would post it:
    /// percent-encoded.
    pub(crate) async fn log_in(&self, url: &str) -> String {
        let page = self.open(url).await;
        let page = self
            .submit(url, &page, "ada@example.com", "correct horse")
            .await;
        saml_response(&page).expect("the login is good")
    }

    /// The page at `url`.
    pub(crate) async fn open(&self, url: &str) -> String {
        let (host, path) = split(url);
        self.fetch(host, &format!("GET {path} HTTP/1.1\r\n"), "")
            .await
    }

    /// The page after the login form of `page` was sent.
    pub(crate) async fn submit(&self, url: &str, page: &str, user: &str, password: &str) -> String {
        let (host, _) = split(url);
        let mut form = form_urlencoded::Serializer::new(String::new());
        for name in ["SAMLRequest", "RelayState"] {
            form.append_pair(name, &field(page, name).unwrap());
        }
        let body = form
            .append_pair("username", user)
            .append_pair("password", password)
            .finish();
        let head = "POST /sso/login HTTP/1.1\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n";
        self.fetch(host, head, &body).await
    }

    async fn fetch(&self, host: &str, head: &str, body: &str) -> String {
        let exchange = async {
            let stream = TcpStream::connect((host, 443)).await.unwrap();
            let name = ServerName::try_from(host.to_owned()).unwrap();
            let mut stream = self.0.connect(name, stream).await.unwrap();
            let length = body.len();
            let request = format!(
                "{head}Host: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // A server that closes without TLS's good-bye has said everything all the same.
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8(answer).unwrap()
        };
        timeout(PAGE_LIMIT, exchange).await.expect("the page comes")
    }
}

/// The SAML response on a page, percent-encoded.
pub(crate) fn saml_response(page: &str) -> Option<String> {
    let value = field(page, "SAMLResponse")?;
    Some(form_urlencoded::byte_serialize(value.as_bytes()).collect())
}

fn field(page: &str, name: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

fn split(url: &str) -> (&str, &str) {
    let rest = url
        .strip_prefix("https://")
        .expect("the URL is an https one");
    rest.split_at(rest.find('/').unwrap())
}
