//! The files of an endpoint: keys of its own, and what it gives its clients.

use crate::certificates::Certificates;
use crate::client_key;
use crate::endpoint::{Ready, StartError};
use crate::metadata::Provider;
use crate::options::{ENDPOINT_NAME, Options};
use crate::profile::client_profile;
use crate::server_plan::ServerPlan;
use crate::sign_in::Place;
use crate::state::Shared;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The files of an endpoint.
pub(crate) struct Files {
    /// Certificate that signatures are checked with.
    pub(crate) signer: PathBuf,
    ca: PathBuf,
    client_certificate: PathBuf,
    client_key: PathBuf,
    stranger_certificate: PathBuf,
    stranger_key: PathBuf,
    expired_certificate: PathBuf,
    expired_key: PathBuf,
    profiles: BTreeMap<String, PathBuf>,
}

impl Files {
    /// Writes them all.
    pub(crate) fn write(
        options: &Options,
        certificates: &Certificates,
        directory: &Path,
    ) -> Result<Self, StartError> {
        let private = |name: &str, text: &str| write(&directory.join(name), text, 0o600);
        private("server.pem", &certificates.server.certificate)?;
        private("server-key.pem", &certificates.server.key)?;
        private("auth-token.pem", &token_key())?;
        let exported = options.profiles.as_deref().unwrap_or(directory);
        std::fs::create_dir_all(exported)
            .map_err(|error| StartError::File(exported.to_owned(), error))?;
        let public = |name: &str, text: &str| write(&exported.join(name), text, 0o644);
        let key = client_key::added_text(options, &certificates.client, exported)?;
        let mut profiles = BTreeMap::new();
        for transport in &options.transports {
            for port in &options.ports {
                let text = client_profile(options, certificates, &key, *transport, *port);
                let name = format!("{transport}-{port}");
                profiles.insert(name.clone(), public(&format!("client-{name}.ovpn"), &text)?);
            }
        }
        private("ca.pem", &certificates.ca)?;
        Ok(Self {
            signer: private("signer.pem", &certificates.signer.certificate)?,
            ca: public("authority.pem", &certificates.ca)?,
            client_certificate: public("client.crt", &certificates.client.certificate)?,
            client_key: public("client.key", &certificates.client.key)?,
            stranger_certificate: public("stranger.crt", &certificates.stranger.certificate)?,
            stranger_key: public("stranger.key", &certificates.stranger.key)?,
            expired_certificate: public("expired.crt", &certificates.expired.certificate)?,
            expired_key: public("expired.key", &certificates.expired.key)?,
            profiles,
        })
    }

    /// What clients need to know, with the paths of their files.
    pub(crate) fn ready(self, shared: &Shared, plans: &[ServerPlan]) -> Ready {
        let options = &shared.options;
        let first = format!("{}-{}", options.transports[0], options.ports[0]);
        let gateways = plans.iter().map(|plan| {
            let Place {
                node,
                transport,
                port,
            } = plan.place;
            let gateway = Ipv4Addr::from(u32::from(plan.network) + 1);
            (format!("{node}-{transport}-{port}"), gateway)
        });
        Ready {
            endpoint: ENDPOINT_NAME.to_owned(),
            nodes: options.nodes.clone(),
            dns: SocketAddr::new(options.dns, options.dns_port),
            idp: shared
                .sign_on
                .strip_suffix("/sso/saml")
                .unwrap_or(&shared.sign_on)
                .to_owned(),
            user: options.user.clone(),
            password: options.password.clone(),
            profile: self.profiles.get(&first).cloned().unwrap_or_default(),
            profiles: self.profiles,
            ca: self.ca,
            client_certificate: self.client_certificate,
            client_key: self.client_key,
            stranger_certificate: self.stranger_certificate,
            stranger_key: self.stranger_key,
            expired_certificate: self.expired_certificate,
            expired_key: self.expired_key,
            gateways: gateways.collect(),
        }
    }
}

/// The certificate of an identity provider that somebody else runs, as a file.
pub(crate) fn signer(directory: &Path, provider: &Provider) -> Result<PathBuf, StartError> {
    write(
        &directory.join("provider.pem"),
        &provider.certificate,
        0o600,
    )
}

/// A key for OpenVPN's tokens, in the form of `openvpn --genkey auth-token`.
fn token_key() -> String {
    let bytes: Vec<u8> = std::iter::repeat_with(|| *Uuid::new_v4().as_bytes())
        .take(8)
        .flatten()
        .collect();
    let name = "OpenVPN auth-token server key";
    let text = STANDARD.encode(bytes);
    format!("-----BEGIN {name}-----\n{text}\n-----END {name}-----\n")
}

fn write(path: &Path, text: &str, mode: u32) -> Result<PathBuf, StartError> {
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| StartError::File(path.to_owned(), error))?;
    Ok(path.to_owned())
}
