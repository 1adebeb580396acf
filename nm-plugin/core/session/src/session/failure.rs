//! Why a connection failed: the words a user reads, and the only map to NetworkManager's codes.

use super::unverified::Unverified;
use crate::pushed::TunnelError;
use aws_client_vpn_profile::last_failure::FailureKind;
use aws_client_vpn_profile::settings::SettingsError;
use aws_client_vpn_sign_in::refusal::RefusalReason;
use aws_client_vpn_text::message::{Argument, Localize, Message};
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
#[derive(Debug, Clone, PartialEq, Eq, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum Failure {
    /// The endpoint's name could not be resolved.
    #[error(
        "The address of the endpoint {host} could not be found: {reason}. Check the network \
         connection, whether the profile is up to date, and what aws-client-vpn doctor says."
    )]
    NameNotResolved {
        /// The name asked for.
        host: String,
        /// What the resolver said.
        reason: Argument,
    },
    /// The proxy cannot be reached, or refuses to connect.
    #[error(
        "The endpoint could not be reached through the proxy {host}: {reason}. Check the proxy \
         in the connection's settings, and your user name and password for it."
    )]
    Proxy {
        /// The proxy's name.
        host: String,
        /// What is known.
        reason: Argument,
    },
    /// The connection's settings make no profile.
    #[error(transparent)]
    InvalidSettings(#[from] SettingsError),
    /// OpenVPN, its tun device or its socket could not be set up.
    #[error("OpenVPN could not be started: {0}. To check what it needs: aws-client-vpn doctor")]
    NotStarted(Message),
    /// What answered has not proved to be the endpoint.
    #[error(
        "The endpoint could not be verified, so no connection was made. {0} If that does not help, \
         somebody on the network may be pretending to be the endpoint: connect from another network."
    )]
    Unverified(Unverified),
    /// The endpoint did not answer in time.
    #[error(
        "The endpoint {host} did not answer within {seconds} s. Check the network connection, and \
         whether a firewall blocks the endpoint's port."
    )]
    NoAnswer {
        /// The name of the endpoint.
        host: String,
        /// The limit that ran out.
        seconds: u64,
    },
    /// The endpoint answered, and what follows did not come about in time.
    #[error(
        "The endpoint {host} answered, but no encrypted connection was established within {seconds} s. Try \
         another network, because this one may lose large packets. If it is the same there, ask your \
         administrator for the current profile, which may require other ciphers or versions of TLS."
    )]
    NoTls {
        /// The name of the endpoint.
        host: String,
        /// The limit that ran out.
        seconds: u64,
    },
    /// The endpoint did not answer in time to the sign-in that it was sent.
    #[error(
        "The endpoint {host} did not answer within {seconds} s while it checked the sign-in. \
         Connect again, and sign in without a pause."
    )]
    NoAnswerToSignIn {
        /// The name of the endpoint.
        host: String,
        /// The limit that ran out.
        seconds: u64,
    },
    /// The connection was lost between the challenge and the end of the sign-in.
    #[error(
        "The endpoint stopped answering while it checked the sign-in ({0}). A sign-in can be \
         used only once. Connect again for a new one."
    )]
    LostDuringSignIn(String),
    /// The endpoint refused the credentials.
    #[error(
        "The endpoint refused the sign-in: {0}. Connect to sign in again. If it is refused \
         again, ask your administrator whether you may use this endpoint."
    )]
    Refused(RefusalReason),
    /// The endpoint sent the person to the identity provider once more.
    #[error(
        "The endpoint asked for another sign-in instead of accepting this one. Connect to sign in \
         again. If this happens again, tell your administrator."
    )]
    SignInAskedAgain,
    /// The person has signed in at the identity provider, and the endpoint does not take it.
    #[error(
        "The endpoint refused the sign-in although it was completed in the browser: {0}. Most \
         likely the response arrived too late or had already been used. Connect again, and sign \
         in without a pause. If that does not help, ask your administrator whether you are \
         assigned to this VPN's application."
    )]
    RefusedAfterBrowser(RefusalReason),
    /// The endpoint checks the state of the device, which only AWS's own client can tell it.
    #[error(
        "This endpoint checks the state of the computer (device posture), which only AWS's own \
         client can report. The endpoint said: {0}. Ask your administrator for an endpoint without \
         device posture, or use AWS's client."
    )]
    DeviceChecked(String),
    /// The endpoint wants the sign-in later than there is time for.
    #[error("The endpoint cannot accept a sign-in at the moment: {0}. Try again in a few minutes.")]
    TemporarilyRefused(RefusalReason),
    #[error("The passphrase of the private key is incorrect. Connect again and re-enter it.")]
    WrongPassphrase,
    #[error(
        "The PIN of the security token is incorrect. Connect again and re-enter it. After a few \
         incorrect PINs the token locks itself."
    )]
    WrongPin,
    /// The token is not there.
    #[error("The security token was not found (OpenVPN says: {0}). Plug it in and connect again.")]
    TokenMissing(String),
    /// The client's certificate or key cannot be used.
    #[error(
        "The client certificate or its private key cannot be used: {0}. Check that they belong \
         together, and import the profile again."
    )]
    BadKey(Argument),
    /// The endpoint does not accept the client's certificate.
    #[error(
        "The endpoint refused the client certificate: {0}. Ask your administrator for a current \
         one, and import the profile with it."
    )]
    CertificateRefused(String),
    /// The endpoint broke off once it had seen the client's certificate.
    #[error(
        "The endpoint answered, but did not complete the connection within {seconds} s. Most \
         likely it refused the client certificate. Ask your administrator for a current one, and \
         import the profile with it."
    )]
    CertificateIgnored {
        /// The limit that ran out.
        seconds: u64,
    },
    #[error(
        "The endpoint did not accept the client certificate, which has expired. Ask your \
         administrator for a new one, and import the profile with it."
    )]
    CertificateExpired,
    #[error(
        "The endpoint did not accept the client certificate, which is not yet valid. Check the date \
         and time of this computer. If they are right, tell your administrator."
    )]
    CertificateNotYetValid,
    /// An answer that was refused came once more.
    #[error(
        "What you entered was refused before, so it was not sent again. Connect again, and enter \
         {0} again, correctly."
    )]
    Unchanged(Message),
    /// Something has to be asked, but nobody can be.
    #[error(
        "The sign-in needs {0}, but no program is running that can ask you. Connect from \
         a desktop session, or with 'aws-client-vpn connect' in a terminal."
    )]
    NobodyToAsk(Message),
    /// The endpoint sent a challenge that cannot be used.
    #[error(
        "The endpoint sent a sign-in request that cannot be used. {0} Tell the administrator of \
         the endpoint."
    )]
    BadChallenge(Message),
    #[error(
        "The sign-in needs a browser, but no program is running that can open one. Connect \
         from a desktop session, as the user who is logged in there, or with 'aws-client-vpn \
         connect' in a terminal."
    )]
    NotInteractive,
    /// The user did not finish the login in time.
    #[error("Nobody signed in within {minutes} min. Connect again to start over.")]
    LoginTimedOut {
        /// The limit that ran out.
        minutes: u64,
    },
    /// The person has cancelled the sign-in that was to bring a lost connection back, or the password
    /// of a renewal.
    #[error("The sign-in was cancelled, so the connection has ended. Connect again to sign in.")]
    Cancelled,
    /// The auth dialog reported why there is no login.
    #[error("The sign-in in the browser could not be completed. {0}")]
    LoginUnavailable(Message),
    /// A password that the endpoint needs was not given.
    #[error("The sign-in needs {0}, which was not entered. Connect again, and enter it.")]
    SecretMissing(&'static str),
    #[error(
        "The endpoint asks for a user name and password, although the profile signs in with a certificate only. Ask your administrator for the current profile."
    )]
    PasswordUnexpected,
    #[error(
        "What you entered contains a line break or another control character, so it was not sent. \
         Connect again, and enter it without one."
    )]
    Unsendable,
    /// The endpoint's addresses or routes cannot be used.
    #[error(
        "The endpoint sent network settings that cannot be used. {0} Tell the administrator of \
         the endpoint."
    )]
    BadTunnel(TunnelError),
    /// The kill switch cannot be closed.
    #[error(
        "The kill switch could not be turned on: {0}. The connection was therefore not made. To \
         find out why: aws-client-vpn doctor. To connect without the kill switch, turn it off in \
         the connection's settings."
    )]
    KillSwitchFailed(Message),
    #[error(
        "The endpoint requires a new sign-in, but the kill switch blocks the browser. Traffic \
         stays blocked. Connect again to sign in."
    )]
    WebBlocked,
    #[error(
        "The endpoint requires a new sign-in, but the settings of this connection were changed while it \
         was up, so NetworkManager cannot ask for one. Connect again to sign in."
    )]
    SettingsChanged,
    #[error(
        "The connection was ended because it was idle for longer than its settings allow. Connect \
         again when you need it."
    )]
    Inactive,
    #[error(
        "The endpoint ended the connection. Your session has expired, or an administrator ended \
         it. Connect to sign in again."
    )]
    EndedByEndpoint,
    /// OpenVPN ended by itself.
    #[error(
        "OpenVPN ended unexpectedly ({0}). Connect again. If this happens again, see the log \
         (sudo aws-client-vpn logs)."
    )]
    OpenVpnEnded(Message),
    /// OpenVPN gave up.
    #[error(
        "OpenVPN stopped with an error: {0}. Connect again. If this happens again, see the log \
         (sudo aws-client-vpn logs)."
    )]
    OpenVpnFatal(String),
}

impl Failure {
    /// What a script can act on.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.classified().0
    }

    /// The code NetworkManager is told.
    #[must_use]
    pub fn reason(&self) -> FailureReason {
        self.classified().1
    }

    fn classified(&self) -> (FailureKind, FailureReason) {
        use FailureReason::{BadIpConfig, ConnectFailed, LoginFailed};
        match self {
            Self::Refused(_)
            | Self::SignInAskedAgain
            | Self::RefusedAfterBrowser(_)
            | Self::DeviceChecked(_)
            | Self::WrongPassphrase
            | Self::WrongPin
            | Self::BadKey(_)
            | Self::CertificateRefused(_)
            | Self::CertificateIgnored { .. }
            | Self::CertificateExpired
            | Self::CertificateNotYetValid
            | Self::PasswordUnexpected
            | Self::Unchanged(_) => (FailureKind::Refused, LoginFailed),
            Self::LoginTimedOut { .. } => (FailureKind::TimedOut, LoginFailed),
            Self::NobodyToAsk(_) | Self::NotInteractive | Self::SecretMissing(_) => {
                (FailureKind::NobodyToAsk, LoginFailed)
            }
            Self::NameNotResolved { .. }
            | Self::Proxy { .. }
            | Self::NoAnswer { .. }
            | Self::NoTls { .. }
            | Self::NoAnswerToSignIn { .. }
            | Self::TemporarilyRefused(_)
            | Self::LostDuringSignIn(_) => (FailureKind::Unreachable, ConnectFailed),
            Self::WebBlocked | Self::SettingsChanged => (FailureKind::Ended, LoginFailed),
            Self::Cancelled => (FailureKind::Cancelled, LoginFailed),
            Self::Inactive | Self::EndedByEndpoint => (FailureKind::Ended, ConnectFailed),
            Self::TokenMissing(_)
            | Self::BadChallenge(_)
            | Self::LoginUnavailable(_)
            | Self::Unsendable => (FailureKind::Other, LoginFailed),
            Self::BadTunnel(_) => (FailureKind::Other, BadIpConfig),
            // Not refused, which is the endpoint's, nor unreachable, which is tried again and again.
            Self::Unverified(_)
            | Self::InvalidSettings(_)
            | Self::NotStarted(_)
            | Self::KillSwitchFailed(_)
            | Self::OpenVpnEnded(_)
            | Self::OpenVpnFatal(_) => (FailureKind::Other, ConnectFailed),
        }
    }
}
