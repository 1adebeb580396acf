//! `aws-client-vpn import`: profiles become connections, also those that AWS's own client keeps.

use crate::Failure;
use crate::account::own_name;
use crate::actions::{Manager, value};
use crate::answer::{Answer, Outcome};
use crate::choice::{edited, told_apart};
use crate::command_line::Import;
use crate::network_manager::{self, NetworkManagerError, Stored};
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_network_manager::settings::{Settings, data, secrets};
use aws_client_vpn_profile::certificate::{Certificate, Validity};
use aws_client_vpn_profile::ovpn;
use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{
    self, PERSISTENT, Property, SettingsError, Update, have_same_endpoint,
};
use aws_client_vpn_profile_file as profile_file;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::printable::{is_control, printable};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use thiserror::Error;
use uuid::Uuid;

/// Where AWS's own client keeps the profiles that were imported into it, below a home directory, up
/// to its version 5. Where version 6 keeps them is not known.
const AWS_PROFILES: &str = "AWSVPNClient/OpenVpnConfigs";
/// The command that brings an imported connection up.
const CONNECT: &str = "aws-client-vpn connect";
/// A bound: nobody has more profiles.
const MOST_PROFILES: usize = 100;

/// NetworkManager calls a file after it, with the UUID and endings of its own; that has 255 bytes at
/// most.
const LONGEST_NAME: usize = 198;

/// Nothing was imported.
#[derive(Debug, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum ImportError {
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] profile_file::ImportError),
    /// A name that nobody could type, or NetworkManager could not store.
    #[error(
        "'{0}' cannot be the name of a connection: it is empty, too long, or contains control \
         characters. Choose another one with --name."
    )]
    BadName(String),
    /// A connection to this endpoint is there.
    #[error(
        "'{0}' is already a connection to this endpoint. To update it from this profile and keep \
         your own settings, add --update. To make another connection, give it another name with \
         --name."
    )]
    Exists(String),
    /// A connection to another endpoint has the name.
    #[error(
        "'{0}' is already a connection to another endpoint. Import the profile with another name \
         (--name), or remove that connection first: aws-client-vpn remove NAME"
    )]
    NameTaken(String),
    /// Several are.
    #[error("Several connections use this endpoint. Choose the one to update with --name: {0}")]
    Several(String),
    #[error("There is no connection to this endpoint yet. Leave out --update to make one.")]
    NothingToUpdate,
    /// There is something to update, which is called otherwise.
    #[error(
        "No connection to this endpoint is called '{name}'. Choose the one to update with --name: \
         {names}"
    )]
    OtherName {
        /// As it was given.
        name: String,
        /// Theirs.
        names: String,
    },
    #[error("--name can be used with one profile only. Import the profiles one by one.")]
    OneName,
    /// AWS's client is not there, or has none.
    #[error(
        "No profiles of AWS's own client were found in {directory}. Export them from that client, \
         or download them from the self-service portal, and import the files."
    )]
    NoAwsProfiles {
        /// Where they would be.
        directory: String,
    },
    /// The profile does not go with what the user has set.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(
        "Your account has no user name, so the connection cannot be made available to you alone. \
         To make it available to all users, add --all-users."
    )]
    NoUser,
}

impl ImportError {
    /// The outcome, for exit code and JSON.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Profile(profile_file::ImportError::File { reason, .. }) => reason.into(),
            Self::NoAwsProfiles { .. } | Self::NothingToUpdate | Self::OtherName { .. } => {
                Outcome::NotFound
            }
            Self::Profile(_)
            | Self::BadName(_)
            | Self::Exists(_)
            | Self::NameTaken(_)
            | Self::Several(_)
            | Self::OneName
            | Self::Settings(_)
            | Self::NoUser => Outcome::Failed,
        }
    }
}

/// What became of a profile.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Where it was; JSON has no words for a name that is not UTF-8.
    pub file: String,
    /// What was done.
    pub what: What,
    /// The connection's name.
    pub name: String,
    /// The connection's UUID; `None` if none was made.
    pub uuid: Option<String>,
    /// What of the profile has no effect, and why nothing was done.
    #[serde(serialize_with = "english")]
    pub notes: Vec<Message>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A connection was made.
    Added,
    /// The connection that was there has the profile now.
    Updated,
    /// The connection would be made or updated (`--dry-run`).
    Found,
    /// Nothing.
    LeftOut,
}

fn english<S: serde::Serializer>(notes: &[Message], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(notes.iter().map(ToString::to_string))
}

/// Imports what the command line says. What is wrong with one profile does not keep the others out.
pub async fn import(options: &Import) -> Result<Answer, Failure> {
    let files = files(options)?;
    let (mut imported, mut planned) = (Vec::new(), Vec::new());
    let mut why = None;
    for file in &files {
        match one(options, file, &mut planned).await {
            Ok(one) => imported.push(one),
            Err(failure) => {
                imported.push(left_out(options, file, &failure));
                // What is not the profile's fault would befall the next one, too.
                let is_of_profile = matches!(failure, Failure::Import(_));
                if why.is_none() || !is_of_profile {
                    why = Some(failure);
                }
                if !is_of_profile {
                    break;
                }
            }
        }
    }
    let text = imported.iter().map(|one| described(one, options.update));
    let text = text.collect();
    let fields = serde_json::json!({ "profiles": imported });
    let is_any = imported.iter().any(|one| one.what != What::LeftOut);
    match why {
        None => Ok(Answer::done(text, fields)),
        // Nobody has named them: some are of no use, or there already.
        Some(Failure::Import(_)) if options.from_aws_client && is_any => {
            Ok(Answer::done(text, fields))
        }
        Some(failure) if options.profiles.len() == 1 => Err(failure),
        Some(failure) => Ok(Answer::not_done(
            failure.outcome(),
            failure.reason(),
            text,
            fields,
        )),
    }
}

fn files(options: &Import) -> Result<Vec<PathBuf>, ImportError> {
    if !options.from_aws_client {
        return match options.name.is_some() && options.profiles.len() > 1 {
            true => Err(ImportError::OneName),
            false => Ok(options.profiles.clone()),
        };
    }
    let directory = aws_directory();
    let files = profiles_in(&directory);
    if files.is_empty() {
        let directory = directory.display().to_string();
        return Err(ImportError::NoAwsProfiles { directory });
    }
    Ok(files)
}

fn left_out(options: &Import, file: &Path, failure: &Failure) -> Imported {
    Imported {
        file: file.display().to_string(),
        what: What::LeftOut,
        name: new_name(options, file),
        uuid: None,
        notes: vec![failure.message()],
    }
}

/// The name of a connection that is made from `file`.
fn new_name(options: &Import, file: &Path) -> String {
    match &options.name {
        Some(name) => name.clone(),
        None if options.from_aws_client => aws_name(file),
        None => profile_file::connection_name(file),
    }
}

/// `planned` is what would have been made before (`--dry-run`).
async fn one(
    options: &Import,
    file: &Path,
    planned: &mut Vec<Stored>,
) -> Result<Imported, Failure> {
    let ovpn::ParsedProfile { profile, warnings } =
        profile_file::read(file).map_err(ImportError::from)?;
    let network_manager::NetworkManager {
        mut stored, active, ..
    } = network_manager::ask().await?;
    stored.extend(planned.iter().cloned());
    let mut notes: Vec<Message> = warnings.iter().map(Localize::message).collect();
    notes.extend(note_of_certificate(&profile));
    let (what, name, uuid) = if options.update {
        let same = stored.iter();
        let same = same.filter(|it| have_same_endpoint(&it.data, &profile));
        let old = to_update(&same.collect::<Vec<_>>(), options.name.as_deref())?;
        if options.dry_run {
            // What is refused does not depend on secrets.
            Update::new(&old.data, &BTreeMap::new(), &profile).map_err(ImportError::from)?;
        } else {
            update(old, &profile).await?;
            notes.extend(edited(old, &active));
        }
        (What::Updated, old.name.clone(), Some(old.uuid.clone()))
    } else {
        let name = new_name(options, file);
        assert_new(&stored, &profile, &name, options.name.is_some())?;
        let uuid = if options.dry_run {
            planned.push(Stored {
                name: name.clone(),
                data: settings::to_data(&profile),
                ..Stored::default()
            });
            None
        } else {
            Some(add(options, &name, &profile).await?)
        };
        (What::Added, name, uuid)
    };
    Ok(Imported {
        file: file.display().to_string(),
        what: if options.dry_run { What::Found } else { what },
        name,
        uuid,
        notes,
    })
}

/// What is said of a client certificate that is out of date: the endpoint will hardly accept it.
fn note_of_certificate(profile: &Profile) -> Option<Message> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let now = i64::try_from(now.as_secs()).ok()?;
    let pem = profile.inline(InlineFile::Cert)?;
    match Certificate::read_all(pem).ok()?.first()?.validity(now) {
        Validity::Ended => Some(message!(
            "The client certificate has expired. Ask your administrator for a new one."
        )),
        Validity::NotYet => Some(message!(
            "The client certificate is not yet valid. Check the date and time of this computer. If they \
             are right, tell your administrator."
        )),
        Validity::Holds | Validity::EndsSoon { .. } => None,
    }
}

/// A connection is known by its name, so none gets that of another. A second one to the same endpoint
/// is made only under a name that the user has chosen.
fn assert_new(
    stored: &[Stored],
    profile: &Profile,
    name: &str,
    is_chosen: bool,
) -> Result<(), ImportError> {
    if name.trim().is_empty() || name.len() > LONGEST_NAME || name.contains(is_control) {
        return Err(ImportError::BadName(name.to_owned()));
    }
    let mut same = stored
        .iter()
        .filter(|it| have_same_endpoint(&it.data, profile));
    let twin = match is_chosen {
        true => same.find(|it| it.name == name),
        false => same.next(),
    };
    match twin {
        Some(twin) => Err(ImportError::Exists(twin.name.clone())),
        None if stored.iter().any(|it| it.name == name) => {
            Err(ImportError::NameTaken(name.to_owned()))
        }
        None => Ok(()),
    }
}

/// Makes a connection, and returns its UUID.
async fn add(options: &Import, name: &str, profile: &Profile) -> Result<String, Failure> {
    let uuid = Uuid::new_v4().to_string();
    let user = match options.all_users || rustix::process::geteuid().is_root() {
        true => None,
        false => Some(own_name().ok_or(ImportError::NoUser)?),
    };
    let settings = new_settings(name, &uuid, user.as_deref(), profile)?;
    let manager = Manager::open().await?;
    let path = manager.add(&settings).await?;
    // Of imports that began at once, none saw another's connection: the one that came first stays.
    let mut before = network_manager::ask().await?.stored;
    before.retain(|it| number(&it.path) < number(&path));
    if let Err(twin) = assert_new(&before, profile, name, options.name.is_some()) {
        // What is wrong is that there are two, also where the second one stays.
        drop(manager.delete(&path).await);
        return Err(twin.into());
    }
    Ok(uuid)
}

/// NetworkManager counts the connections in their paths.
fn number(path: &str) -> Option<u64> {
    path.rsplit('/').next()?.parse().ok()
}

fn new_settings(
    name: &str,
    uuid: &str,
    user: Option<&str>,
    profile: &Profile,
) -> Result<Settings, NetworkManagerError> {
    let mut all = Settings::new();
    for (setting, properties) in settings::new_connection(name, uuid, user, profile) {
        let setting = all.entry(setting.to_owned()).or_default();
        for (name, property) in properties {
            setting.insert(name.to_owned(), value(&property)?);
        }
    }
    Ok(all)
}

fn to_update<'a>(same: &[&'a Stored], name: Option<&str>) -> Result<&'a Stored, ImportError> {
    let meant =
        |stored: &&Stored| name.is_none_or(|name| stored.name == name || stored.uuid == name);
    let meant: Vec<_> = same.iter().copied().filter(meant).collect();
    let names = |stored: &[&Stored]| told_apart(stored).join(", ");
    match (&meant[..], name) {
        ([only], _) => Ok(only),
        ([], Some(name)) if !same.is_empty() => Err(ImportError::OtherName {
            name: name.to_owned(),
            names: names(same),
        }),
        ([], _) => Err(ImportError::NothingToUpdate),
        (several, _) => Err(ImportError::Several(names(several))),
    }
}

/// An update replaces all secrets that NetworkManager keeps, so they have to be in it.
async fn update(old: &Stored, profile: &Profile) -> Result<(), Failure> {
    let manager = Manager::of_secrets().await?;
    let mut settings = manager.settings(&old.path).await?;
    let secrets = secrets(&manager.secrets(&old.path).await?);
    let update = Update::new(&data(&settings), &secrets, profile).map_err(ImportError::from)?;
    let vpn = settings.entry("vpn".to_owned()).or_default();
    for (name, property) in [
        ("data", Property::Items(update.data)),
        ("secrets", Property::Secrets(update.secrets)),
        (PERSISTENT, Property::Flag(true)),
    ] {
        vpn.insert(name.to_owned(), value(&property)?);
    }
    Ok(manager.update(&old.path, &settings).await?)
}

/// A line for what became of it, and one for each note.
fn described(imported: &Imported, is_update: bool) -> String {
    let name = printable(&imported.name);
    let file = printable(&imported.file);
    let mut text = match imported.what {
        What::Added => {
            gettext!("'{name}' has been added. To connect:", name = name)
                + &["\n  ", CONNECT, " ", &argument(&name)].concat()
        }
        What::Updated => gettext!(
            "'{name}' has been updated from {file}.",
            name = name,
            file = file
        ),
        What::Found if is_update => gettext!(
            "'{name}' would be updated from {file}.",
            name = name,
            file = file
        ),
        What::Found => gettext!(
            "'{name}' would be added from {file}.",
            name = name,
            file = file
        ),
        What::LeftOut => gettext!("{file} was left out.", file = file),
    };
    for note in &imported.notes {
        text.push_str("\n  ");
        text.push_str(&printable(&i18n::localize(note)));
    }
    text + "\n"
}

/// As a shell takes it for one word, and the command for no option.
fn argument(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let word = match !name.is_empty() && name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    };
    match name.starts_with('-') {
        true => format!("-- {word}"),
        false => word,
    }
}

/// The files are called as the profiles are in that client, mostly without an ending.
fn aws_name(file: &Path) -> String {
    match file.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("ovpn") => profile_file::connection_name(file),
        _ => {
            let name = file.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    }
}

fn aws_directory() -> PathBuf {
    let configuration = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let configuration = configuration.filter(|path| path.is_absolute());
    let usual = || std::env::home_dir().unwrap_or_default().join(".config");
    // Never where the command happens to be called.
    let configuration = Path::new("/").join(configuration.unwrap_or_else(usual));
    configuration.join(AWS_PROFILES)
}

fn profiles_in(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_shown = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && path.is_file()
    };
    let paths = entries.map(|entry| entry.path()).filter(is_shown);
    let mut paths: Vec<_> = paths.take(MOST_PROFILES).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_of_aws_s_client_is_called_as_there() {
        for (file, name) in [
            ("/h/OpenVpnConfigs/Work", "Work"),
            ("/h/OpenVpnConfigs/v1.2", "v1.2"),
            ("/h/OpenVpnConfigs/work.ovpn", "work"),
        ] {
            assert_eq!(aws_name(Path::new(file)), name);
        }
    }

    #[test]
    fn a_name_can_be_pasted_into_a_shell() {
        for (name, word) in [
            ("work", "work"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("-x", "-- -x"),
        ] {
            assert_eq!(argument(name), word);
        }
    }

    #[test]
    fn the_one_to_update_is_not_guessed() {
        let stored = |name: &str| Stored {
            name: name.to_owned(),
            uuid: format!("uuid of {name}"),
            ..Stored::default()
        };
        let (a, b) = (stored("a"), stored("b"));
        let name = |same: &[&Stored], name| {
            let found = to_update(same, name).map(|stored| stored.name.clone());
            found.map_err(|error| error.outcome())
        };
        assert_eq!(name(&[&a], None), Ok("a".to_owned()));
        assert_eq!(name(&[&a, &b], Some("b")), Ok("b".to_owned()));
        assert_eq!(name(&[&a, &b], Some("uuid of a")), Ok("a".to_owned()));
        assert_eq!(name(&[&a, &b], None), Err(Outcome::Failed));
        assert_eq!(name(&[], None), Err(Outcome::NotFound));
        let why = to_update(&[&a, &b], Some("c")).unwrap_err().to_string();
        assert!(
            why.ends_with("called 'c'. Choose the one to update with --name: a, b"),
            "{why}"
        );
        let other = Stored {
            uuid: "2".to_owned(),
            ..a.clone()
        };
        let why = to_update(&[&a, &other], Some("a")).unwrap_err().to_string();
        assert!(why.ends_with(": uuid of a, 2"), "{why}");
    }

    #[test]
    fn a_name_belongs_to_one_connection() {
        let profile = |host: &str| {
            let text = format!(
                "remote {host}.clientvpn.eu-north-1.amazonaws.com 443\nauth-federate\n<ca>\n\
                 -----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n</ca>\n"
            );
            let parsed = Profile::parse(&text, &mut |_| Err(String::new()));
            parsed.unwrap().profile
        };
        let stored = |name: &str, host: &str| Stored {
            name: name.to_owned(),
            data: settings::to_data(&profile(host)),
            ..Stored::default()
        };
        let known = [
            stored("work", "a"),
            stored("second", "a"),
            stored("lab", "b"),
        ];
        let refused = |host: &str, name: &str, is_chosen| {
            let new = assert_new(&known, &profile(host), name, is_chosen);
            new.err().map(|error| error.to_string())
        };
        let long = "x".repeat(LONGEST_NAME);
        assert_eq!(refused("c", &long, true), None);
        for bad in ["", " ", "a\nb", "a\u{202e}b", &(long + "x")] {
            let why = refused("c", bad, false).unwrap();
            assert!(why.contains("cannot be the name of a connection"), "{why}");
        }
        assert_eq!(refused("a", "third", true), None);
        assert_eq!(refused("c", "third", false), None);
        for (host, name, is_chosen, begin, remedy) in [
            (
                "a",
                "work",
                true,
                "'work' is already a connection to this",
                "--update",
            ),
            (
                "a",
                "second",
                true,
                "'second' is already a connection to this",
                "--update",
            ),
            (
                "a",
                "lab",
                false,
                "'work' is already a connection to this",
                "--update",
            ),
            (
                "a",
                "lab",
                true,
                "'lab' is already a connection to another",
                "remove",
            ),
            (
                "c",
                "work",
                true,
                "'work' is already a connection to another",
                "remove",
            ),
            (
                "c",
                "work",
                false,
                "'work' is already a connection to another",
                "remove",
            ),
        ] {
            let why = refused(host, name, is_chosen).unwrap();
            assert!(why.starts_with(begin) && why.contains(remedy), "{why}");
        }
    }
}
