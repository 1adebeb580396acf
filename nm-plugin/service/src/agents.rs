//! Whether NetworkManager has somebody to ask: a secret agent of the person who signs in.
//!
//! A request that no agent takes ends the connection at once. NetworkManager tells nobody which
//! agents it has, and gnome-shell's is away while the screen is locked, and comes some time after
//! the session. But each agent is an object at NetworkManager's path on the system bus, and answers
//! there: so the bus is looked at, before anything is asked.

use aws_client_vpn_profile::well_known::network_manager::{SECRET_AGENT, SECRET_AGENT_PATH};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, JoinSet};
use zbus::fdo::DBusProxy;
use zbus::names::{BusName, OwnedUniqueName};

/// Cancels a request that does not exist: harmless, and every agent answers it.
const METHOD: &str = "CancelGetSecrets";
const NO_REQUEST: (&str, &str) = ("/", "vpn");
/// How long a program may take for an answer; an agent that does not answer is none.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// How often to look.
const PAUSE: Duration = Duration::from_secs(1);
/// How many programs are asked at most; nobody has more on the system bus.
const PROGRAM_LIMIT: usize = 256;

/// Looks for an agent again and again.
pub(crate) struct Agents {
    bus: zbus::Connection,
    /// The look that is under way.
    look: Option<JoinHandle<bool>>,
    not_before: Instant,
    /// Whether the last look found none.
    was_missing: bool,
}

impl Agents {
    pub(crate) fn new(bus: &zbus::Connection) -> Self {
        Self {
            bus: bus.clone(),
            look: None,
            not_before: Instant::now(),
            was_missing: false,
        }
    }

    /// Whether an agent of the account numbered `uid` is there, or of anybody. One that was not there
    /// before has to be seen twice: it answers already while NetworkManager still registers it, which
    /// takes a moment on a computer where somebody has just logged in. Nothing is lost if the future is
    /// dropped.
    pub(crate) async fn look(&mut self, uid: Option<u32>) -> bool {
        if self.look.is_none() {
            tokio::time::sleep_until(self.not_before.into()).await;
        }
        let bus = &self.bus;
        let look = self
            .look
            .get_or_insert_with(|| tokio::spawn(is_there(bus.clone(), uid)));
        let found = look.await;
        self.look = None;
        self.not_before = Instant::now() + PAUSE;
        let is_there = found.unwrap_or(false);
        let was_missing = std::mem::replace(&mut self.was_missing, !is_there);
        is_there && !was_missing
    }

    /// A single look, at once: whether there is one, as far as the bus tells in time.
    pub(crate) async fn may_be_there(&self, uid: Option<u32>) -> bool {
        found(&self.bus, uid).await.unwrap_or(true)
    }

    /// Drops a look that is under way: its result would be out of date.
    pub(crate) fn look_away(&mut self) {
        if let Some(look) = self.look.take() {
            look.abort();
        }
    }
}

async fn is_there(bus: zbus::Connection, uid: Option<u32>) -> bool {
    found(&bus, uid).await.unwrap_or(false)
}

/// Whether an agent answers; `None` if the bus does not say in time who is on it.
async fn found(bus: &zbus::Connection, uid: Option<u32>) -> Option<bool> {
    let listed = tokio::time::timeout(ANSWER_LIMIT, programs(bus, uid)).await;
    let programs = listed.ok()?.inspect_err(|error| {
        tracing::warn!("cannot tell whether the desktop is ready for a login: {error}");
    });
    let answers = programs.ok()?.into_iter();
    let answers = answers.map(|name| is_agent(bus.clone(), name)).collect();
    Some(is_any(answers).await)
}

/// Whether any of them is true, as soon as one is.
async fn is_any(mut answers: JoinSet<bool>) -> bool {
    while let Some(answer) = answers.join_next().await {
        if answer.unwrap_or(false) {
            return true;
        }
    }
    false
}

/// The connections to the bus that are of the account numbered `uid`.
async fn programs(bus: &zbus::Connection, uid: Option<u32>) -> zbus::Result<Vec<OwnedUniqueName>> {
    let daemon = DBusProxy::new(bus).await?;
    let mut programs = Vec::new();
    for name in daemon.list_names().await? {
        let BusName::Unique(name) = name.inner() else {
            continue;
        };
        if programs.len() == PROGRAM_LIMIT {
            break;
        }
        if Some(name.as_str()) == bus.unique_name().map(|own| own.as_str()) {
            continue;
        }
        // One that has gone meanwhile has no owner.
        let owner = daemon.get_connection_unix_user(name.clone().into()).await;
        if owner.is_ok_and(|owner| uid.is_none_or(|uid| uid == owner)) {
            programs.push(name.to_owned().into());
        }
    }
    Ok(programs)
}

async fn is_agent(bus: zbus::Connection, program: OwnedUniqueName) -> bool {
    let call = bus.call_method(
        Some(&program),
        SECRET_AGENT_PATH,
        Some(SECRET_AGENT),
        METHOD,
        &NO_REQUEST,
    );
    match tokio::time::timeout(ANSWER_LIMIT, call).await {
        Ok(Ok(_)) => true,
        Ok(Err(zbus::Error::MethodError(error, _, _))) => is_of_an_agent(&error),
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Whether an error is that of an agent which NetworkManager asks. libnm's has its object on the
/// bus also while it is not registered, and denies then (nm-secret-agent-old.c, 1.24 and later).
fn is_of_an_agent(error: &str) -> bool {
    match error.strip_prefix("org.freedesktop.DBus.Error.") {
        Some(of_the_bus) => matches!(of_the_bus, "Failed" | "InvalidArgs"),
        None => error != "org.freedesktop.NetworkManager.SecretAgent.PermissionDenied",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_told_from_other_programs_by_its_answer() {
        for (error, is_agent) in [
            ("org.freedesktop.NetworkManager.SecretAgent.Failed", true),
            ("org.freedesktop.NetworkManager.SecretAgent.NoSecrets", true),
            ("org.freedesktop.DBus.Error.Failed", true),
            // It is not registered, or steps back.
            (
                "org.freedesktop.NetworkManager.SecretAgent.PermissionDenied",
                false,
            ),
            ("org.freedesktop.DBus.Error.UnknownMethod", false),
            ("org.freedesktop.DBus.Error.UnknownObject", false),
            ("org.freedesktop.DBus.Error.AccessDenied", false),
            ("org.freedesktop.DBus.Error.NameHasNoOwner", false),
        ] {
            assert_eq!(is_of_an_agent(error), is_agent, "{error}");
        }
    }

    #[tokio::test]
    async fn one_agent_is_enough_and_the_others_are_not_waited_for() {
        let mut answers = JoinSet::new();
        answers.spawn(std::future::pending());
        answers.spawn(async { false });
        answers.spawn(async { true });
        assert!(is_any(answers).await);
        let mut answers = JoinSet::new();
        answers.spawn(async { false });
        assert!(!is_any(answers).await);
    }
}
