//! `aws-client-vpn import`: profiles become connections, also those that AWS's own client keeps.

use crate::Failure;
use crate::actions::{ActionError, Manager, Settings, value};
use crate::answer::{Answer, Outcome};
use crate::command_line::Import;
use crate::export::{data_of, secrets_of};
use crate::line::one_line;
use crate::network_manager::{self, Stored};
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_profile::ovpn;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings::{
    self, PERSISTENT, Property, SettingsError, Update, VpnProperties, have_same_endpoint,
};
use aws_client_vpn_profile_file as profile_file;
use aws_client_vpn_profile_file::file::FileError;
use aws_client_vpn_text::message::{Localize, Message};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use thiserror::Error;
use uuid::Uuid;

/// Where AWS's own client keeps the profiles that were imported into it, below a home directory, up
/// to its version 5. Where version 6 keeps them is not known.
const AWS_PROFILES: &str = "AWSVPNClient/OpenVpnConfigs";
/// The command that brings an imported connection up.
const CONNECT: &str = "aws-client-vpn connect";
/// A bound: nobody has more profiles.
const MOST_PROFILES: usize = 100;

/// Nothing was imported.
#[derive(Debug, Error, Localize)]
pub enum ImportError {
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] profile_file::ImportError),
    /// A connection to this endpoint is there.
    #[error(
        "'{0}' is already a connection to this endpoint. To update it from this profile and keep \
         your own settings, add --update. To make another connection, add --name."
    )]
    Exists(String),
    /// Several are.
    #[error("Several connections use this endpoint. Choose the one to update with --name: {0}")]
    Several(String),
    /// There is nothing to update.
    #[error("There is no connection to this endpoint yet. Leave out --update to make one.")]
    NothingToUpdate,
    /// A name belongs to one profile.
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
    /// The account has no name.
    #[error(
        "Your account has no user name, so the connection cannot be made available to you alone. \
         To make it available to all users, add --all-users."
    )]
    NoUser,
}

impl ImportError {
    /// The outcome, for exit code and JSON.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Profile(profile_file::ImportError::File { reason, .. }) => match reason {
                FileError::Missing => Outcome::NotFound,
                FileError::Denied => Outcome::NotPermitted,
                FileError::System(_) | FileError::NotRegular | FileError::TooLarge => {
                    Outcome::Failed
                }
            },
            Self::NoAwsProfiles { .. } | Self::NothingToUpdate => Outcome::NotFound,
            Self::Profile(_)
            | Self::Exists(_)
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
    /// Where it was.
    pub file: PathBuf,
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
    /// The connection would be made (`--dry-run`).
    Found,
    /// Nothing.
    LeftOut,
}

fn english<S: serde::Serializer>(notes: &[Message], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(notes.iter().map(ToString::to_string))
}

/// Imports what the command line says.
///
/// # Errors
/// If one of the profiles that were named cannot be imported; those before it are. Of those of AWS's
/// own client, one that cannot be is left out.
pub async fn import(options: &Import) -> Result<Answer, Failure> {
    let mut imported = Vec::new();
    if options.from_aws_client {
        let directory = aws_directory();
        let files = profiles_in(&directory);
        if files.is_empty() {
            let directory = directory.display().to_string();
            return Err(ImportError::NoAwsProfiles { directory }.into());
        }
        for file in files {
            imported.push(of_aws_client(options, file).await?);
        }
    } else {
        if options.name.is_some() && options.profiles.len() > 1 {
            return Err(ImportError::OneName.into());
        }
        for file in &options.profiles {
            imported.push(one(options, file).await?);
        }
    }
    let text = imported.iter().map(described).collect();
    let outcome = match imported.iter().all(|one| one.what == What::LeftOut) {
        true => Outcome::Failed,
        false => Outcome::Done,
    };
    let fields = serde_json::json!({ "profiles": imported });
    Ok(Answer::of(outcome, text, fields))
}

async fn of_aws_client(options: &Import, file: PathBuf) -> Result<Imported, Failure> {
    match one(options, &file).await {
        Err(Failure::Import(error)) => Ok(Imported {
            what: What::LeftOut,
            name: aws_name(&file),
            uuid: None,
            notes: vec![error.message()],
            file,
        }),
        imported => imported,
    }
}

async fn one(options: &Import, file: &Path) -> Result<Imported, Failure> {
    let ovpn::ParsedProfile { profile, warnings } =
        profile_file::read(file).map_err(ImportError::from)?;
    let notes = warnings.iter().map(Localize::message).collect();
    let stored = network_manager::ask().await?.stored;
    let same = stored
        .iter()
        .filter(|stored| have_same_endpoint(&stored.data, &profile))
        .collect::<Vec<_>>();
    let file = file.to_owned();
    if options.update {
        let old = to_update(&same, options.name.as_deref())?;
        let (name, uuid) = (old.name.clone(), Some(old.uuid.clone()));
        let what = match options.dry_run {
            true => What::Found,
            false => {
                update(old, &profile).await?;
                What::Updated
            }
        };
        return Ok(Imported {
            file,
            what,
            name,
            uuid,
            notes,
        });
    }
    if let Some(existing) = same.first()
        && options.name.is_none()
    {
        return Err(ImportError::Exists(existing.name.clone()).into());
    }
    let name = match &options.name {
        Some(name) => name.clone(),
        None if options.from_aws_client => aws_name(&file),
        None => profile_file::connection_name(&file),
    };
    if options.dry_run {
        return Ok(Imported {
            file,
            what: What::Found,
            name,
            uuid: None,
            notes,
        });
    }
    let uuid = Uuid::new_v4().to_string();
    let user = match options.all_users || rustix::process::geteuid().is_root() {
        true => None,
        false => Some(own_name().ok_or(ImportError::NoUser)?),
    };
    let settings = new_settings(&name, &uuid, user.as_deref(), &profile)?;
    Manager::open().await?.add(&settings).await?;
    Ok(Imported {
        file,
        what: What::Added,
        name,
        uuid: Some(uuid),
        notes,
    })
}

fn new_settings(
    name: &str,
    uuid: &str,
    user: Option<&str>,
    profile: &Profile,
) -> Result<Settings, ActionError> {
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
        |stored: &&&Stored| name.is_none_or(|name| stored.name == name || stored.uuid == name);
    let meant: Vec<_> = same.iter().filter(meant).collect();
    match meant[..] {
        [] => Err(ImportError::NothingToUpdate),
        [only] => Ok(only),
        ref several => {
            let names: Vec<_> = several.iter().map(|it| it.name.as_str()).collect();
            Err(ImportError::Several(names.join(", ")))
        }
    }
}

/// An update replaces all secrets that NetworkManager keeps, so they have to be in it.
async fn update(old: &Stored, profile: &Profile) -> Result<(), Failure> {
    let manager = Manager::of_secrets().await?;
    let mut settings = manager.settings(&old.path).await?;
    let secrets = secrets_of(&manager.secrets(&old.path).await?);
    let update = Update::new(&data_of(&settings), &secrets, profile).map_err(ImportError::from)?;
    let vpn = settings.entry("vpn".to_owned()).or_default();
    let persistent = VpnProperties::of_new_connection().persistent;
    for (name, property) in [
        ("data", Property::Items(update.data)),
        ("secrets", Property::Secrets(update.secrets)),
        (PERSISTENT, Property::Flag(persistent)),
    ] {
        vpn.insert(name.to_owned(), value(&property)?);
    }
    Ok(manager.update(&old.path, &settings).await?)
}

/// A line for what became of it, and one for each note.
fn described(imported: &Imported) -> String {
    let name = one_line(&imported.name);
    let file = one_line(&imported.file.display().to_string());
    let mut text = match imported.what {
        What::Added => {
            gettext!("'{name}' has been added. To connect:", name = name)
                + &["\n  ", CONNECT, " ", &shell_word(&name)].concat()
        }
        What::Updated => gettext!(
            "'{name}' has been updated from {file}.",
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
        text.push_str(&one_line(&i18n::localize(note)));
    }
    text + "\n"
}

/// As a shell takes it for one word.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
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
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let configuration = set("XDG_CONFIG_HOME").map(PathBuf::from);
    let configuration = configuration
        .or_else(|| Some(Path::new(&set("HOME")?).join(".config")))
        .unwrap_or_default();
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

/// The name of the account that runs this, from wherever accounts are.
fn own_name() -> Option<String> {
    let output = Command::new("id").arg("-un").output().ok()?;
    let name = String::from_utf8(output.stdout).ok()?;
    let name = name.trim_end();
    (output.status.success() && !name.is_empty()).then(|| name.to_owned())
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
        for (name, word) in [("work", "work"), ("a b", "'a b'"), ("it's", r"'it'\''s'")] {
            assert_eq!(shell_word(name), word);
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
    }
}
