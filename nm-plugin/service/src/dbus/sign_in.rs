//! Our own interface, `org.freedesktop.NetworkManager.AwsClientVpn.SignIn`, for what NetworkManager
//! has no words for: when the endpoint ends the sign-in, a new one at a moment that suits, whether
//! the connection is up where NetworkManager takes a lost one for that, and what a lost one waits for.
//!
//! Everybody may ask all but for a new sign-in, as everybody may ask NetworkManager what is connected. A new
//! sign-in is for root and for the person whose sign-in it is. The signal is a broadcast, for the
//! service does not know who shows notifications: it carries nothing but names and a time.

use super::{PluginError, sender, user_of};
use aws_client_vpn_profile::renewal::NotRenewed;
use aws_client_vpn_profile::waiting::WaitsFor;
use aws_client_vpn_profile::well_known::SIGN_IN_PATH;
use tokio::sync::{mpsc, oneshot};
use zbus::DBusError;
use zbus::message::{Header, Message};
use zbus::names::ErrorName;
use zbus::object_server::SignalEmitter;

/// A sign-in and its end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expiry {
    /// The connection's UUID.
    pub(crate) uuid: String,
    /// The connection's name.
    pub(crate) name: String,
    /// The account of the person who signed in; empty if it is not known.
    pub(crate) user: String,
    /// When the endpoint ends it, in seconds since 1970; 0 if that is not known.
    pub(crate) ends: u64,
}

/// The errors a caller sees.
#[derive(Debug)]
pub(crate) enum SignInError {
    /// The sign-in is not renewed, for a reason that callers know.
    NotRenewed(NotRenewed),
    /// As of NetworkManager's interface.
    Other(PluginError),
}

impl From<PluginError> for SignInError {
    fn from(error: PluginError) -> Self {
        Self::Other(error)
    }
}

impl DBusError for SignInError {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        match self {
            Self::NotRenewed(why) => Message::error(call, self.name())?.build(&why.to_string()),
            Self::Other(error) => error.create_reply(call),
        }
    }

    fn name(&self) -> ErrorName<'_> {
        match self {
            Self::NotRenewed(why) => ErrorName::from_static_str_unchecked(why.name()),
            Self::Other(error) => error.name(),
        }
    }

    fn description(&self) -> Option<&str> {
        match self {
            Self::NotRenewed(_) => None,
            Self::Other(error) => error.description(),
        }
    }
}

/// The reply to a request.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, SignInError>>;

/// What anybody may ask for, as often as they like: it has a queue of its own, and what finds no
/// room there is refused.
#[derive(Debug)]
pub(crate) enum Request {
    /// When does the sign-in end?
    Expiry {
        /// Answered with what is known.
        reply: Reply<Expiry>,
    },
    /// Is the connection up?
    IsUp {
        /// Answered with what the session knows.
        reply: Reply<bool>,
    },
    /// What does the lost connection wait for?
    WaitsFor {
        /// Answered with that, and the account of the person it waits for.
        reply: Reply<Option<(WaitsFor, Option<String>)>>,
    },
    /// Ask the person to sign in again.
    Renew {
        /// The number of the account that asks.
        caller: u32,
        /// Answered once it is known whether there can be a sign-in.
        reply: Reply<()>,
    },
}

impl Request {
    /// Answers with an error.
    pub(crate) fn refuse(self, why: PluginError) {
        // Whoever asked may be gone.
        match self {
            Self::Expiry { reply } => drop(reply.send(Err(why.into()))),
            Self::IsUp { reply } => drop(reply.send(Err(why.into()))),
            Self::WaitsFor { reply } => drop(reply.send(Err(why.into()))),
            Self::Renew { reply, .. } => drop(reply.send(Err(why.into()))),
        }
    }
}

/// The object that answers.
pub(crate) struct SignIn {
    requests: mpsc::Sender<Request>,
}

impl SignIn {
    /// An object that passes requests on to `requests`.
    pub(crate) fn new(requests: mpsc::Sender<Request>) -> Self {
        Self { requests }
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, SignInError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .try_send(request(reply))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    PluginError::Failed("too many ask at once; ask again later".to_owned())
                }
                mpsc::error::TrySendError::Closed(_) => super::ending(),
            })?;
        answer.await.map_err(|_| super::ending())?
    }
}

#[zbus::interface(name = "org.freedesktop.NetworkManager.AwsClientVpn.SignIn")]
impl SignIn {
    /// `GetTerm() → (s uuid, s name, t ends)`: in seconds since 1970, 0 if it is not known.
    async fn get_term(&self) -> Result<(String, String, u64), SignInError> {
        let expiry = self.ask(|reply| Request::Expiry { reply }).await?;
        Ok((expiry.uuid, expiry.name, expiry.ends))
    }

    /// `GetUser() → s`: the account of the person who connected; empty if it is not known.
    async fn get_user(&self) -> Result<String, SignInError> {
        let expiry = self.ask(|reply| Request::Expiry { reply }).await?;
        Ok(expiry.user)
    }

    /// `IsUp() → b`: whether the connection is up. NetworkManager may say so, for a moment, of one that is lost.
    async fn is_up(&self) -> Result<bool, SignInError> {
        self.ask(|reply| Request::IsUp { reply }).await
    }

    /// `WaitsFor() → (s what, s user)`: what the lost connection waits for, by its
    /// [name](aws_client_vpn_profile::waiting), empty if for nothing; and the account of the person it waits
    /// for, empty if anybody will do.
    async fn waits_for(&self) -> Result<(String, String), SignInError> {
        let waiting = self.ask(|reply| Request::WaitsFor { reply }).await?;
        let (what, user) = waiting.unzip();
        let what = what.map_or("", WaitsFor::name);
        Ok((what.to_owned(), user.flatten().unwrap_or_default()))
    }

    /// `Renew()`: asks the person to sign in again, now.
    async fn renew(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &zbus::Connection,
    ) -> Result<(), SignInError> {
        let caller = user_of(bus, sender(&header)?).await?;
        self.ask(|reply| Request::Renew { caller, reply }).await
    }

    /// `Ends(s uuid, s name, s user, t ends)`: a broadcast some time before the end.
    #[zbus(signal)]
    pub(crate) async fn ends(
        emitter: &SignalEmitter<'_>,
        uuid: &str,
        name: &str,
        user: &str,
        ends: u64,
    ) -> zbus::Result<()>;
}

/// Tells everybody that a sign-in nears its end.
pub(crate) async fn tell(bus: &zbus::Connection, expiry: &Expiry) -> zbus::Result<()> {
    let emitter = SignalEmitter::new(bus, SIGN_IN_PATH)?;
    SignIn::ends(
        &emitter,
        &expiry.uuid,
        &expiry.name,
        &expiry.user,
        expiry.ends,
    )
    .await
}
