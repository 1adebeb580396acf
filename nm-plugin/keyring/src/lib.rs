//! The passwords that a user has chosen to keep, in the keyring (Secret Service).
//!
//! They are kept exactly as gnome-shell and nm-applet keep them, so that each finds what another
//! has kept. A keyring may be absent, locked, or wait for somebody who has gone for lunch: every
//! call has a limit, and nobody depends on an answer. What counts once is no business of it.

pub mod session_dir;

use aws_client_vpn_text::secret::Secret;
use secret_service::{Collection, EncryptionType, Item, SecretService};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{sleep, timeout};
use zbus::fdo::DBusProxy;
use zbus::names::WellKnownName;
use zeroize::Zeroizing;

/// How long the keyring has for what needs no person, on a computer that has just been started and does
/// much else.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// How long a person has to unlock the keyring.
const UNLOCK_TIME: Duration = Duration::from_secs(30);

const NAME: &str = "org.freedesktop.secrets";
/// KDE's wallets, of Plasma 6 and 5: they have [`NAME`] once they run, and are not started by it.
const WALLETS: [&str; 2] = ["org.kde.kwalletd6", "org.kde.kwalletd5"];
/// Between looks at whether a wallet is ready.
const PAUSE: Duration = Duration::from_millis(100);

// libnm's and libnma's schema.
const SCHEMA: (&str, &str) = ("xdg:schema", "org.freedesktop.NetworkManager.Connection");
const CONNECTION: &str = "connection-uuid";
const SETTING: (&str, &str) = ("setting-name", "vpn");
const KEY: &str = "setting-key";
const TEXT: &str = "text/plain";

/// Why the keyring did not do what it should.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum KeyringError {
    /// There is none, or it refused.
    #[error("the keyring: {0}")]
    Refused(#[from] secret_service::Error),
    #[error("the keyring is locked")]
    Locked,
    #[error("there is no keyring yet, and none was made")]
    NoneMade,
    #[error("the keyring does not answer")]
    Silent,
}

/// Whether a person may be asked to unlock the keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlocking {
    /// They may: they are there.
    Allowed,
    /// They must not be disturbed.
    Forbidden,
}

/// What is kept of the connection `uuid` under `names`, by these names.
///
/// What can be had without asking counts first: it is newer than what a keyring has that nobody has
/// opened (see [`keep`]). A person is asked to unlock one only for what is still missing then.
/// After an error, go on without.
pub async fn look_up(
    uuid: &str,
    names: &[&str],
    unlocking: Unlocking,
) -> Result<BTreeMap<String, Secret>, KeyringError> {
    let service = connect().await?;
    let mut kept = BTreeMap::new();
    let mut locked = Vec::new();
    for name in names {
        let found = in_time(service.search_items(attributes(uuid, name))).await?;
        match found.unlocked.first() {
            Some(item) => kept.extend(in_time(value_of(name, item)).await?),
            None => locked.extend(found.locked.into_iter().map(|item| (name, item))),
        }
    }
    if locked.is_empty() {
        return Ok(kept);
    }
    match open(&service, locked.iter().map(|(_, item)| item), unlocking).await {
        Ok(()) => {}
        Err(error) if kept.is_empty() => return Err(error),
        Err(_) => return Ok(kept),
    }
    for (name, item) in locked {
        if !kept.contains_key(*name) {
            kept.extend(in_time(value_of(name, &item)).await?);
        }
    }
    Ok(kept)
}

/// Has a person unlock `items`, if they may be asked.
async fn open<'item, 'service: 'item>(
    service: &SecretService<'_>,
    items: impl Iterator<Item = &'item Item<'service>>,
    unlocking: Unlocking,
) -> Result<(), KeyringError> {
    match unlocking {
        Unlocking::Allowed => {
            let items: Vec<_> = items.collect();
            unlocked(service.unlock_all(&items)).await
        }
        Unlocking::Forbidden => Err(KeyringError::Locked),
    }
}

fn attributes<'a>(uuid: &'a str, name: &'a str) -> HashMap<&'a str, &'a str> {
    HashMap::from([(CONNECTION, uuid), SETTING, (KEY, name)])
}

async fn connect() -> Result<SecretService<'static>, KeyringError> {
    let connect = || in_time(SecretService::connect(EncryptionType::Dh));
    match connect().await {
        Err(KeyringError::Refused(_)) => {
            let started = timeout(ANSWER_TIME, start_wallet());
            started.await.map_err(|_elapsed| KeyringError::Silent)?;
            connect().await
        }
        found => found,
    }
}

/// Starts KDE's wallet, if there is one, and waits until it is a keyring.
async fn start_wallet() -> Option<()> {
    let session = zbus::Connection::session().await.ok()?;
    let bus = DBusProxy::new(&session).await.ok()?;
    for wallet in WALLETS {
        let name = WellKnownName::from_static_str_unchecked(wallet);
        if bus.start_service_by_name(name, 0).await.is_ok() {
            let keyring = WellKnownName::from_static_str_unchecked(NAME);
            while !bus.name_has_owner(keyring.clone().into()).await.ok()? {
                sleep(PAUSE).await;
            }
            break;
        }
    }
    Some(())
}

async fn value_of(
    name: &str,
    item: &Item<'_>,
) -> Result<Option<(String, Secret)>, secret_service::Error> {
    let bytes = Zeroizing::new(item.get_secret().await?);
    let secret = std::str::from_utf8(&bytes).ok().map(Secret::from);
    Ok(secret.map(|secret| (name.to_owned(), secret)))
}

/// Keeps `values`, by the names of the secrets, for the connection `uuid`, which the user calls
/// `connection`. What was kept under the same names goes; of what is in a keyring that is locked, a
/// person is asked to unlock it, and where they do not, the new value counts for as long as the old
/// one is locked. After an error, nothing or not all is kept.
pub async fn keep(
    uuid: &str,
    connection: &str,
    values: &[(&str, &Secret)],
) -> Result<(), KeyringError> {
    let service = connect().await?;
    let collection = default_collection(&service).await?;
    if in_time(collection.is_locked()).await? {
        unlocked(collection.unlock()).await?;
    }
    let mut outdated = Vec::new();
    for (name, value) in values {
        let bytes = value.expose().as_bytes();
        // Whoever kept it, under whatever schema: two of them would be one too many.
        let kept = in_time(service.search_items(attributes(uuid, name))).await?;
        for item in &kept.unlocked {
            in_time(item.set_secret(bytes, TEXT)).await?;
        }
        if kept.unlocked.is_empty() {
            let attributes = attributes(uuid, name).into_iter().chain([SCHEMA]).collect();
            // As gnome-shell words it, so that people find them side by side.
            let label = format!("VPN {name} secret for {connection}/vpn");
            in_time(collection.create_item(&label, attributes, bytes, true, TEXT)).await?;
        }
        outdated.extend(kept.locked);
    }
    if !outdated.is_empty()
        && open(&service, outdated.iter(), Unlocking::Allowed)
            .await
            .is_ok()
    {
        for item in outdated {
            in_time(item.delete()).await?;
        }
    }
    Ok(())
}

/// Where passwords are kept. A person who has no such keyring yet is asked to make one, as libsecret
/// asks: what is put elsewhere would be forgotten at the logout.
async fn default_collection<'service>(
    service: &'service SecretService<'_>,
) -> Result<Collection<'service>, KeyringError> {
    match in_time(service.get_default_collection()).await {
        Err(KeyringError::Refused(secret_service::Error::NoResult)) => {
            let made = service.create_collection("Default keyring", "default");
            match timeout(UNLOCK_TIME, made).await {
                Ok(Ok(made)) => Ok(made),
                // Declined, or nobody to ask.
                Ok(Err(_)) | Err(_) => Err(KeyringError::NoneMade),
            }
        }
        found => found,
    }
}

/// Forgets everything that is kept of the connection `uuid`, as far as that can be had without
/// asking a person. After an error, something may still be kept.
pub async fn forget(uuid: &str) -> Result<(), KeyringError> {
    let service = connect().await?;
    let attributes = HashMap::from([(CONNECTION, uuid), SETTING]);
    let found = in_time(service.search_items(attributes)).await?;
    let mut result = Ok(());
    for item in found.unlocked.iter().chain(&found.locked) {
        // One that stays is no reason to leave the others.
        result = result.and(in_time(item.delete()).await);
    }
    result
}

async fn in_time<T>(
    call: impl Future<Output = Result<T, secret_service::Error>>,
) -> Result<T, KeyringError> {
    match timeout(ANSWER_TIME, call).await {
        Ok(result) => Ok(result?),
        Err(_elapsed) => Err(KeyringError::Silent),
    }
}

async fn unlocked(
    call: impl Future<Output = Result<(), secret_service::Error>>,
) -> Result<(), KeyringError> {
    match timeout(UNLOCK_TIME, call).await {
        Ok(Ok(())) => Ok(()),
        // Declined, or nobody to ask.
        Ok(Err(_)) | Err(_) => Err(KeyringError::Locked),
    }
}
