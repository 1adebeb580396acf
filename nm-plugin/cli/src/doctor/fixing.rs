//! `doctor --fix`: removes what a killed service left behind.

use super::facts::Facts;
use super::{Diagnosis, checks, collect};
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use thiserror::Error;
use tokio::process::Command;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(20);

/// Nothing was mended.
#[derive(Debug, Error, Localize)]
#[expect(missing_docs, reason = "the messages tell")]
pub enum FixError {
    #[error("Only root can do this: sudo aws-client-vpn doctor --fix")]
    NotRoot,
    #[error("The VPN service is missing. Install the package again.")]
    NoService,
    /// The service ran, and could not clean up.
    #[error("The VPN service could not clean up: {reason}")]
    Refused {
        /// As it says, or the system.
        reason: Message,
    },
}

/// Takes away what is left, then looks at this machine once more.
pub async fn fix() -> Result<Diagnosis, FixError> {
    let facts = collect::facts().await;
    if let Some(program) = who_mends(&facts)? {
        clear_away(&program).await?;
    }
    Ok(collect::collect().await)
}

/// The program that takes away what is left, if anything is.
fn who_mends(facts: &Facts) -> Result<Option<PathBuf>, FixError> {
    if !checks::is_left(facts) {
        return Ok(None);
    }
    if facts.user != 0 {
        return Err(FixError::NotRoot);
    }
    let name_file = facts.name_file.as_ref();
    let program = name_file.and_then(|file| file.program.clone());
    program.map(Some).ok_or(FixError::NoService)
}

async fn clear_away(program: &Path) -> Result<(), FixError> {
    let refused = |reason| FixError::Refused { reason };
    let foreign = |reason: String| refused(Message::literal(reason));
    let output = Command::new(program)
        .arg("--clear-away")
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, output)
        .await
        .map_err(|_| {
            // TRANSLATORS: Follows “The VPN service could not clean up:”
            refused(message!(
                "It did not finish in time. Try again; if this repeats, restart the computer."
            ))
        })?
        .map_err(|error| foreign(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let first = errors.lines().next().unwrap_or_default();
    Err(foreign(first.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{Closed, File, NameFile};

    fn left(user: u32, is_served: bool, has_service: bool) -> Facts {
        let file = File {
            path: PathBuf::from("/service.name"),
            inode: Some((0o644, 0)),
            program: false,
        };
        Facts {
            user,
            stopped_by: vec![Closed {
                uuid: "1111".to_owned(),
                is_served,
            }],
            name_file: has_service.then_some(NameFile {
                file,
                program: Some(PathBuf::from("/service")),
                auth_dialog: None,
                plugin: None,
            }),
            ..Facts::default()
        }
    }

    #[test]
    fn what_a_killed_service_left_is_mended_by_root_and_what_is_wanted_by_nobody() {
        let mends = |facts: &Facts| who_mends(facts).map_err(|error| error.to_string());
        let service = Some(PathBuf::from("/service"));
        assert_eq!(mends(&left(0, false, true)), Ok(service.clone()));
        assert_eq!(mends(&left(0, true, true)), Ok(None));
        assert_eq!(mends(&left(1000, true, true)), Ok(None));
        let refused = mends(&left(1000, false, true)).unwrap_err();
        assert!(refused.contains("sudo"), "{refused}");
        let refused = mends(&left(0, false, false)).unwrap_err();
        assert!(refused.contains("Install"), "{refused}");
        let orphan = Facts {
            orphans: vec!["awsvpn0".to_owned()],
            ..left(0, true, true)
        };
        assert_eq!(mends(&orphan), Ok(service.clone()));
        let rules = Facts {
            kill_switch_left_over: Some(true),
            ..left(0, true, true)
        };
        assert_eq!(mends(&rules), Ok(service));
    }
}
