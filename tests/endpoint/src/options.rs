//! What an emulated endpoint is started with: flags of the program, fields of [`Options`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

/// The endpoint's DNS name, in the form AWS gives them. It has no address of its own: clients put
/// a random label in front (`remote-random-hostname`).
pub const ENDPOINT_NAME: &str =
    "cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com";

/// How users sign in at the endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum SignIn {
    /// In the browser, at the identity provider (AWS: "federated authentication").
    #[default]
    Saml,
    /// With a client certificate (AWS: "mutual authentication").
    Certificate,
    /// With a name and a password (AWS: "Active Directory authentication").
    Password,
    /// With a name, a password and a code that is asked for together with them.
    PasswordMfa,
    /// With a name and a password, and then a code that the endpoint asks for in words of its own.
    PasswordQuestion,
    /// With a name, a password and a client certificate.
    PasswordCertificate,
    /// In the browser, and with a client certificate.
    SamlCertificate,
}

impl SignIn {
    /// Whether the two phases of a SAML login are spoken.
    #[must_use]
    pub fn is_saml(self) -> bool {
        match self {
            Self::Saml | Self::SamlCertificate => true,
            Self::Certificate
            | Self::Password
            | Self::PasswordMfa
            | Self::PasswordQuestion
            | Self::PasswordCertificate => false,
        }
    }

    /// Whether the TLS handshake asks for a client certificate.
    #[must_use]
    pub fn needs_certificate(self) -> bool {
        match self {
            Self::Certificate | Self::SamlCertificate | Self::PasswordCertificate => true,
            Self::Saml | Self::Password | Self::PasswordMfa | Self::PasswordQuestion => false,
        }
    }
}

/// In which form a client certificate and its key come with the profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyForm {
    /// In blocks of the profile.
    #[default]
    Plain,
    /// As [`Self::Plain`], the key encrypted in PKCS #8.
    Pkcs8,
    /// As [`Self::Plain`], the key encrypted in the way of RFC 1421.
    Traditional,
    /// In one PKCS #12 block.
    Pkcs12,
    /// In files beside the profile, which names them.
    Files,
    /// In a PKCS #12 file beside the profile, which names it.
    Pkcs12File,
    /// Not with the profile, as AWS exports it.
    Absent,
}

/// What carries the tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP over IPv4.
    Udp,
    /// TCP over IPv4.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// What endpoints pushed, as logs of real connections show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Year {
    /// No `echo`; a default route comes with name servers only.
    #[value(name = "2019")]
    Of2019,
    /// One `echo`, and on a full tunnel `block-outside-dns` and all names.
    #[value(name = "2022")]
    Of2022,
    /// Two.
    #[value(name = "2024")]
    Of2024,
    /// Three.
    #[default]
    #[value(name = "2026")]
    Of2026,
}

impl Year {
    /// How many empty `echo` there are; they came with features of AWS's own client.
    pub(crate) fn echoes(self) -> usize {
        match self {
            Self::Of2019 => 0,
            Self::Of2022 => 1,
            Self::Of2024 => 2,
            Self::Of2026 => 3,
        }
    }
}

/// Everything an endpoint is started with.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Address of a node; once for each node (all must be local addresses)
    #[arg(long = "node", value_name = "ADDRESS", default_values_t = [Ipv4Addr::new(127, 0, 71, 1), Ipv4Addr::new(127, 0, 71, 2)])]
    pub nodes: Vec<Ipv4Addr>,
    /// Port of each node; once for each port
    #[arg(long = "port", value_name = "PORT", default_values_t = [443, 1194])]
    pub ports: Vec<u16>,
    /// Transport of each port; once for each transport
    #[arg(long = "transport", value_enum, value_name = "TRANSPORT", default_values_t = [Transport::Udp, Transport::Tcp])]
    pub transports: Vec<Transport>,
    /// How users sign in
    #[arg(long, value_enum, default_value_t = SignIn::Saml)]
    pub sign_in: SignIn,
    /// The patched OpenVPN server
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "target/openvpn-server/openvpn"
    )]
    pub openvpn: PathBuf,
    /// Push only when the client asks, as AWS seems to do; else also as soon as it may be
    #[arg(long)]
    pub push_request_only: bool,
    /// Address of the DNS server
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.71.53")]
    pub dns: IpAddr,
    /// Port of the DNS server
    #[arg(long, default_value_t = 53)]
    pub dns_port: u16,
    /// Address of the identity provider
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.71.3")]
    pub idp: IpAddr,
    /// Port of the identity provider
    #[arg(long, default_value_t = 443)]
    pub idp_port: u16,
    /// DNS name of the identity provider; without it, its URL has its address
    #[arg(long, value_name = "NAME")]
    pub idp_name: Option<String>,
    /// Serve the identity provider without TLS
    #[arg(long)]
    pub idp_http: bool,
    /// Metadata of an identity provider to use instead of the emulated one; it has to know
    /// `urn:amazon:webservices:clientvpn` with the consumer service `http://127.0.0.1:35001`, and to
    /// sign response and assertion
    #[arg(long, value_name = "FILE")]
    pub idp_metadata: Option<PathBuf>,
    /// Answer every request for a login with a signed response at once, without a page
    #[arg(long)]
    pub auto_login: bool,
    /// Spare the check of signatures for what the identity provider issued, to the byte: for
    /// measurements, as `xmlsec1` needs more time than the whole rest of a login
    #[arg(long)]
    pub trust_issued: bool,
    /// User name that may sign in
    #[arg(long, default_value = "ada@example.com")]
    pub user: String,
    /// Password of that user
    #[arg(long, default_value = "correct horse")]
    pub password: String,
    /// One-time code of that user (`--sign-in password-mfa` and `password-question`)
    #[arg(long, default_value = "123456")]
    pub mfa_code: String,
    /// What the endpoint asks after the password (`--sign-in password-question`)
    #[arg(long, default_value = "Code from your device: ")]
    pub question: String,
    /// Flags of that question: `R` takes an answer, `E` may be shown
    #[arg(long, default_value = "R,E")]
    pub question_flags: String,
    /// In which form a client certificate and its key come with the profile
    #[arg(long, value_enum, default_value_t = KeyForm::Plain)]
    pub key_form: KeyForm,
    /// Passphrase of the key, where its form has one
    #[arg(long, default_value = "battery staple")]
    pub key_passphrase: String,
    /// Bytes of the SAML response in base64 (at most 131072)
    #[arg(long, value_name = "BYTES", default_value_t = 11_000, value_parser = clap::value_parser!(u32).range(4_000..=131_072))]
    pub response_bytes: u32,
    /// Bytes of the URL in the challenge
    #[arg(long, value_name = "BYTES", default_value_t = 1_500, value_parser = clap::value_parser!(u32).range(700..=12_000))]
    pub challenge_bytes: u32,
    /// Seconds that a SAML assertion is good for
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub saml_lifetime: u64,
    /// Seconds that a node keeps a session waiting for its assertion
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub session_lifetime: u64,
    /// Push what endpoints of that year pushed
    #[arg(long, value_enum, default_value_t = Year::Of2026)]
    pub pushes_of: Year,
    /// Push `redirect-gateway block-local`, as to a client whose local network is not a private one
    #[arg(long)]
    pub block_local: bool,
    /// Let the endpoint's name have addresses without a label in front, too
    #[arg(long)]
    pub bare_name: bool,
    /// Push a default route instead of the routes
    #[arg(long)]
    pub full_tunnel: bool,
    /// Give clients an IPv6 address too; with `--full-tunnel`, take all of IPv6
    #[arg(long)]
    pub ipv6: bool,
    /// MTU of the tunnels, which is pushed
    #[arg(long, value_name = "BYTES", default_value_t = 1500)]
    pub tun_mtu: u32,
    /// Give clients a token (`auth-token`) that lets them come back without a new sign-in
    #[arg(long)]
    pub auth_token: bool,
    /// Network behind the tunnel, as `10.99.0.0/16` or `fd00:99::/32`; once for each network
    #[arg(long = "route", value_name = "NETWORK/BITS", default_values_t = [String::from("10.99.0.0/16")])]
    pub routes: Vec<String>,
    /// First address of the tunnels; each server takes a /27 from here on
    #[arg(long, value_name = "ADDRESS", default_value = "10.88.0.0")]
    pub pool: Ipv4Addr,
    /// DNS server that is pushed; once for each server
    #[arg(long = "push-dns", value_name = "ADDRESS", default_values_t = [IpAddr::V4(Ipv4Addr::new(10, 99, 0, 2))])]
    pub push_dns: Vec<IpAddr>,
    /// A further option to push, as `dhcp-option DOMAIN corp.example`; once for each
    #[arg(long = "push", value_name = "OPTION")]
    pub push: Vec<String>,
    /// Address to put on the loopback interface, with a DNS server for `--inside-zone` on port 53
    #[arg(long, value_name = "ADDRESS")]
    pub inside: Option<Ipv4Addr>,
    /// The same for an IPv6 address
    #[arg(long, value_name = "ADDRESS")]
    pub inside_ipv6: Option<Ipv6Addr>,
    /// Zone that only the inside DNS server knows; all its names have the inside addresses
    #[arg(long, value_name = "ZONE", default_value = "corp.example")]
    pub inside_zone: String,
    /// Directory for the exported profiles (default: one that is removed at the end)
    #[arg(long, value_name = "DIRECTORY")]
    pub profiles: Option<PathBuf>,
    /// Leave `verify-x509-name` out of the profiles, as older exports do
    #[arg(long)]
    pub no_verify_name: bool,
}

impl Default for Options {
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            options: Options,
        }
        let flags: Flags = clap::Parser::parse_from(["endpoint"]);
        flags.options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_two_nodes_with_two_ports_of_two_transports() {
        let options = Options::default();
        assert_eq!(
            (options.nodes.len(), options.ports.as_slice()),
            (2, [443, 1194].as_slice())
        );
        assert_eq!(options.transports, [Transport::Udp, Transport::Tcp]);
        assert_eq!(options.sign_in, SignIn::Saml);
    }
}
