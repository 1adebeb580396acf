//! Why a connection failed: the words a user reads, and the only map to NetworkManager's codes.

use crate::tunnel_env::TunnelError;
use aws_client_vpn_profile::last_failure::FailureKind;
use aws_client_vpn_text::message::{Message, Worded};
use thiserror::Error;

/// NetworkManager's `NMVpnPluginFailure` (nm-vpn-dbus-interface.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum FailureReason {
    /// The user could not be authenticated.
    LoginFailed = 0,
    /// No tunnel could be made.
    ConnectFailed = 1,
    /// The endpoint's addresses or routes cannot be used.
    BadIpConfig = 2,
}

/// Why a connection failed. `Display` is written for the user: what happened, why, what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error, Worded)]
pub enum Failure {
    /// The endpoint's name could not be resolved.
    #[error(
        "could not find the address of the endpoint {host}: {reason}. \
         Check the network connection, and that the profile is the current one"
    )]
    NameNotResolved {
        /// The name asked for.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The proxy on the way is not to be had, or lets nothing through.
    #[error(
        "the proxy {host} did not lead to the endpoint: {reason}. Check the proxy in the connection's \
         settings, and your user name and password there"
    )]
    Proxy {
        /// Its name.
        host: String,
        /// What is known.
        reason: String,
    },
    /// OpenVPN, its tun device or its socket could not be set up.
    #[error("could not start OpenVPN: {0}")]
    NotStarted(String),
    /// The endpoint did not answer in time.
    #[error(
        "the endpoint {host} did not answer within {seconds} seconds ({step}). \
         Check the network connection and whether a firewall blocks the endpoint's port"
    )]
    NoAnswer {
        /// The name of the endpoint.
        host: String,
        /// The limit that ran out.
        seconds: u64,
        /// What was being waited for.
        step: &'static str,
    },
    /// The connection was lost between the challenge and the end of the sign-in.
    #[error(
        "the endpoint stopped answering while the sign-in was being checked ({0}). \
         A sign-in can be used only once: connect again to sign in anew"
    )]
    LostDuringSignIn(String),
    /// The endpoint refused the credentials.
    #[error("the endpoint refused the sign-in: {0}. Connect again to sign in anew")]
    Refused(String),
    /// The person has signed in at the identity provider, and the endpoint does not take it.
    #[error(
        "the endpoint refused the sign-in although the browser finished it: {0}. Most likely the \
         answer was late or had been used: connect again, and sign in without a pause. Else ask your \
         administrator whether you are assigned to this VPN's application, whether the provider \
         signs the assertion, not only the response, and whether your NameID has at most 1,024 bytes"
    )]
    RefusedAfterBrowser(String),
    /// The endpoint checks the state of the device, which only AWS's own client can tell it.
    #[error(
        "this endpoint lets in only computers whose state AWS's own client has checked, and takes no \
         other client: {0}. Ask your administrator for an endpoint without device posture, or use \
         AWS's client"
    )]
    DeviceChecked(String),
    /// The endpoint wants the sign-in later than there is time for.
    #[error("the endpoint cannot take a sign-in at the moment: {0}. Try again in a few minutes")]
    NotNow(String),
    /// The private key's passphrase is wrong.
    #[error("the passphrase of the private key is wrong. Connect again and enter it anew")]
    WrongPassphrase,
    /// The PIN of the security token is wrong.
    #[error(
        "the PIN of the security token is wrong. Connect again and enter it anew; after a few \
         wrong ones a token locks itself"
    )]
    WrongPin,
    /// The token is not there.
    #[error("the security token is not there: {0}. Plug it in and connect again")]
    TokenMissing(String),
    /// The client's certificate or key cannot be used.
    #[error(
        "the client certificate or its key cannot be used: {0}. Check that they belong together, \
         and import the profile again"
    )]
    BadKey(String),
    /// The endpoint does not accept the client's certificate.
    #[error(
        "the endpoint refused the client certificate: {0}. Ask your administrator for a current \
         one, and import the profile with it"
    )]
    CertificateRefused(String),
    /// The endpoint broke off once it had seen the client's certificate.
    #[error(
        "the endpoint answered, but did not let this computer in within {seconds} seconds. Most \
         likely it refused the client certificate: ask your administrator for a current one, and \
         import the profile with it"
    )]
    CertificateIgnored {
        /// The limit that ran out.
        seconds: u64,
    },
    /// An answer that was refused came once more.
    #[error(
        "what was refused was given once more, so it was not sent again. Connect again, and enter \
         {0} anew"
    )]
    SameAgain(Message),
    /// Something has to be asked, but nobody can be.
    #[error(
        "signing in needs {0}, but no secret agent is there to ask for it. Connect from a desktop \
         session, or with 'nmcli --ask'"
    )]
    NobodyToAsk(Message),
    /// The endpoint sent a challenge that cannot be used.
    #[error("the endpoint sent a sign-in request that cannot be used: {0}")]
    BadChallenge(String),
    /// The endpoint asked for a browser login, but nobody can show one.
    #[error(
        "signing in needs a browser, but no secret agent that can open one is there. \
         Connect from a desktop session, or as the user whose session it is"
    )]
    NotInteractive,
    /// The user did not finish the login in time.
    #[error("nobody signed in within {minutes} minutes. Connect again to start over")]
    LoginTimedOut {
        /// The limit that ran out.
        minutes: u64,
    },
    /// The auth dialog reported why there is no login.
    #[error("the browser login could not be done: {0}")]
    LoginUnavailable(String),
    /// A password that the endpoint needs was not given.
    #[error("the endpoint asks for {0}, which was not given")]
    SecretMissing(&'static str),
    /// A secret cannot be handed to OpenVPN.
    #[error("the answer to the endpoint's request cannot be sent: {0}")]
    Unsendable(String),
    /// The endpoint's addresses or routes cannot be used.
    #[error("the endpoint sent network settings that cannot be used: {0}")]
    BadTunnel(TunnelError),
    /// The kill switch cannot be closed.
    #[error(
        "the kill switch could not be closed: {0}. Without it the connection is not made; switch it \
         off in the connection's settings to connect all the same"
    )]
    Unprotected(String),
    /// A new sign-in is needed, and the kill switch lets no browser out.
    #[error(
        "the endpoint wants a new sign-in, and the kill switch lets no browser out. Traffic stays \
         stopped: connect again to sign in"
    )]
    BrowsersStopped,
    /// Nothing was sent for as long as a setting allows.
    #[error(
        "the connection was ended because it was not used for as long as its settings allow. \
         Connect again when you need it"
    )]
    Inactive,
    /// The endpoint ended the connection for good.
    #[error(
        "the endpoint ended the connection: your session is over, or an administrator ended it. \
         Connect again to sign in anew"
    )]
    EndedByEndpoint,
    /// OpenVPN ended by itself.
    #[error("OpenVPN ended unexpectedly ({0})")]
    OpenVpnEnded(String),
    /// OpenVPN gave up.
    #[error("OpenVPN gave up: {0}")]
    OpenVpnFatal(String),
}

impl Failure {
    /// What a script can act on.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Refused(_)
            | Self::RefusedAfterBrowser(_)
            | Self::DeviceChecked(_)
            | Self::WrongPassphrase
            | Self::WrongPin
            | Self::BadKey(_)
            | Self::CertificateRefused(_)
            | Self::CertificateIgnored { .. }
            | Self::SameAgain(_) => FailureKind::Refused,
            Self::LoginTimedOut { .. } => FailureKind::TimedOut,
            Self::NameNotResolved { .. }
            | Self::Proxy { .. }
            | Self::NoAnswer { .. }
            | Self::NotNow(_)
            | Self::LostDuringSignIn(_) => FailureKind::Unreachable,
            Self::NobodyToAsk(_) | Self::NotInteractive | Self::SecretMissing(_) => {
                FailureKind::NobodyToAsk
            }
            Self::BrowsersStopped | Self::Inactive | Self::EndedByEndpoint => FailureKind::Ended,
            Self::NotStarted(_)
            | Self::TokenMissing(_)
            | Self::BadChallenge(_)
            | Self::LoginUnavailable(_)
            | Self::Unsendable(_)
            | Self::BadTunnel(_)
            | Self::Unprotected(_)
            | Self::OpenVpnEnded(_)
            | Self::OpenVpnFatal(_) => FailureKind::Other,
        }
    }

    /// The code NetworkManager is told.
    #[must_use]
    pub fn reason(&self) -> FailureReason {
        match self {
            Self::Refused(_)
            | Self::RefusedAfterBrowser(_)
            | Self::DeviceChecked(_)
            | Self::WrongPassphrase
            | Self::WrongPin
            | Self::TokenMissing(_)
            | Self::BadKey(_)
            | Self::CertificateRefused(_)
            | Self::CertificateIgnored { .. }
            | Self::SameAgain(_)
            | Self::NobodyToAsk(_)
            | Self::BadChallenge(_)
            | Self::NotInteractive
            | Self::LoginTimedOut { .. }
            | Self::LoginUnavailable(_)
            | Self::SecretMissing(_)
            | Self::BrowsersStopped
            | Self::Unsendable(_) => FailureReason::LoginFailed,
            Self::BadTunnel(_) => FailureReason::BadIpConfig,
            Self::NameNotResolved { .. }
            | Self::Proxy { .. }
            | Self::NotStarted(_)
            | Self::NoAnswer { .. }
            | Self::NotNow(_)
            | Self::LostDuringSignIn(_)
            | Self::Unprotected(_)
            | Self::Inactive
            | Self::EndedByEndpoint
            | Self::OpenVpnEnded(_)
            | Self::OpenVpnFatal(_) => FailureReason::ConnectFailed,
        }
    }
}
