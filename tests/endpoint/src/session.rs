//! The sessions of SAML logins: what a node remembers between the two phases.
//!
//! AWS's session ids are known to the node that made them only, which is why a client that goes to
//! another address for phase 2 fails, and they serve once.

use crate::event::Refusal;
use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many sessions are remembered; a test makes some hundreds at most.
const SESSION_LIMIT: usize = 10_000;

/// The session id in a challenge. It opens the tunnel together with a SAML response, so `Debug`
/// does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(String);

impl SessionId {
    /// A new id in the form seen from AWS: `instance-<n>/<19 digits>/<uuid>`.
    pub(crate) fn random(node: usize) -> Self {
        const SMALLEST: u128 = 1_000_000_000_000_000_000;
        let digits = SMALLEST + Uuid::new_v4().as_u128() % (9 * SMALLEST);
        Self(format!("instance-{node}/{digits}/{}", Uuid::new_v4()))
    }

    /// The id that a client sent.
    pub(crate) fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text for the challenge.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

/// What phase 2 is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    /// `ID` of the `AuthnRequest` in the challenge.
    pub(crate) request_id: String,
    /// When phase 1 was.
    pub(crate) started: Instant,
}

#[derive(Debug)]
struct Session {
    node: usize,
    login: Login,
    used: bool,
}

/// All sessions of all nodes; each answer is given as the node alone would know it. That the
/// table is one only makes the reported reasons precise.
#[derive(Debug, Default)]
pub(crate) struct Sessions(HashMap<SessionId, Session>);

impl Sessions {
    /// Remembers a new login at `node`.
    pub(crate) fn open(&mut self, node: usize, request_id: String, now: Instant) -> SessionId {
        if self.0.len() >= SESSION_LIMIT {
            self.0.clear();
        }
        let id = SessionId::random(node);
        let login = Login {
            request_id,
            started: now,
        };
        self.0.insert(
            id.clone(),
            Session {
                node,
                login,
                used: false,
            },
        );
        id
    }

    /// The login of `id` if `node` may go on with it; whatever comes of it, it served its once.
    pub(crate) fn take(
        &mut self,
        node: usize,
        id: &SessionId,
        lifetime: Duration,
        now: Instant,
    ) -> Result<Login, Refusal> {
        let session = self.0.get_mut(id).ok_or(Refusal::UnknownSession)?;
        if session.node != node {
            return Err(Refusal::OtherNode);
        }
        if std::mem::replace(&mut session.used, true) {
            return Err(Refusal::SessionUsed);
        }
        if now.duration_since(session.login.started) > lifetime {
            return Err(Refusal::SessionExpired);
        }
        Ok(session.login.clone())
    }

    /// Forgets what a node knew, as its restart does.
    pub(crate) fn forget(&mut self, node: usize) {
        self.0.retain(|_, session| session.node != node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);

    #[test]
    fn an_id_has_the_form_seen_from_aws() {
        let id = SessionId::random(2);
        let parts: Vec<_> = id.expose().split('/').collect();
        assert_eq!(parts[0], "instance-2");
        assert!(parts[1].len() == 19 && parts[1].bytes().all(|b| b.is_ascii_digit()));
        assert!(Uuid::parse_str(parts[2]).is_ok());
        assert!(!format!("{id:?}").contains(parts[2]));
    }

    #[test]
    fn a_session_serves_its_node_once_within_its_lifetime() {
        let now = Instant::now();
        let mut sessions = Sessions::default();
        let id = sessions.open(1, "_request".into(), now);
        assert_eq!(
            sessions.take(2, &id, LIFETIME, now),
            Err(Refusal::OtherNode)
        );
        assert_eq!(
            sessions.take(1, &id, LIFETIME, now).unwrap().request_id,
            "_request"
        );
        assert_eq!(
            sessions.take(1, &id, LIFETIME, now),
            Err(Refusal::SessionUsed)
        );
        let id = sessions.open(1, "_request".into(), now);
        let late = now + LIFETIME + Duration::from_millis(1);
        assert_eq!(
            sessions.take(1, &id, LIFETIME, late),
            Err(Refusal::SessionExpired)
        );
        let never = SessionId::sent("instance-1/1/x");
        assert_eq!(
            sessions.take(1, &never, LIFETIME, now),
            Err(Refusal::UnknownSession)
        );
    }

    #[test]
    fn a_node_that_restarted_knows_no_session() {
        let now = Instant::now();
        let mut sessions = Sessions::default();
        let (first, second) = (
            sessions.open(1, "_a".into(), now),
            sessions.open(2, "_b".into(), now),
        );
        sessions.forget(1);
        assert_eq!(
            sessions.take(1, &first, LIFETIME, now),
            Err(Refusal::UnknownSession)
        );
        assert!(sessions.take(2, &second, LIFETIME, now).is_ok());
    }
}
