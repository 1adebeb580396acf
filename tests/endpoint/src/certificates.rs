//! The certificates of an endpoint: generated at each start, kept in its own directory.

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use std::net::IpAddr;

/// Name in the OpenVPN servers' certificate (`verify-x509-name` of the profile).
pub(crate) const SERVER_NAME: &str = "server.clientvpn.example";

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// All certificates of an endpoint.
pub(crate) struct Certificates {
    /// Certificate of the authority that signed all others, in PEM.
    pub(crate) ca: String,
    /// The OpenVPN servers', with AWS's requirement: extended key usage `serverAuth`.
    pub(crate) server: Identity,
    /// A user's, for the sign-ins that need one.
    pub(crate) client: Identity,
    /// The same user's, but signed by an authority that the endpoint does not know.
    pub(crate) stranger: Identity,
    /// The same user's, but it has expired.
    pub(crate) expired: Identity,
    /// The identity provider's web server's.
    pub(crate) web: Identity,
    /// The key that signs SAML responses, self-signed as in identity providers' metadata.
    pub(crate) signer: Identity,
}

impl Certificates {
    /// Makes all of them. `web_name` is what the identity provider is reached as.
    pub(crate) fn generate(
        web_address: IpAddr,
        web_name: Option<&str>,
        user: &str,
    ) -> Result<Self, rcgen::Error> {
        let ca_key = KeyPair::generate()?;
        let mut ca = named("Emulated AWS Client VPN authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca_certificate = ca.self_signed(&ca_key)?;
        let issuer = Issuer::new(ca, ca_key);

        let mut server = CertificateParams::new([SERVER_NAME.to_owned()])?;
        server.distinguished_name = named(SERVER_NAME).distinguished_name;
        let mut web = named(web_name.unwrap_or("Emulated identity provider"));
        web.subject_alt_names = vec![SanType::IpAddress(web_address)];
        if let Some(name) = web_name {
            web.subject_alt_names
                .push(SanType::DnsName(name.try_into()?));
        }
        let mut other = named("Another authority");
        other.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let other = Issuer::new(other, KeyPair::generate()?);
        let mut expired = named(user);
        expired.not_after = date_time_ymd(2020, 1, 1);
        let signer_key = KeyPair::generate()?;
        let signer = named("Emulated identity provider").self_signed(&signer_key)?;
        Ok(Self {
            ca: ca_certificate.pem(),
            server: issue(server, ExtendedKeyUsagePurpose::ServerAuth, &issuer)?,
            client: issue(named(user), ExtendedKeyUsagePurpose::ClientAuth, &issuer)?,
            stranger: issue(named(user), ExtendedKeyUsagePurpose::ClientAuth, &other)?,
            expired: issue(expired, ExtendedKeyUsagePurpose::ClientAuth, &issuer)?,
            web: issue(web, ExtendedKeyUsagePurpose::ServerAuth, &issuer)?,
            signer: identity(&signer, &signer_key),
        })
    }
}

fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

fn issue(
    mut params: CertificateParams,
    usage: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Identity, rcgen::Error> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok(identity(&certificate, &key))
}

fn identity(certificate: &Certificate, key: &KeyPair) -> Identity {
    Identity {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    }
}
