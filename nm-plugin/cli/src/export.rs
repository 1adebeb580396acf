//! `aws-client-vpn export`: a connection as a profile.

use crate::Failure;
use crate::actions::Manager;
use crate::answer::Answer;
use crate::choice::called;
use crate::network_manager;
use aws_client_vpn_i18n::gettext;
use aws_client_vpn_network_manager::settings::{data, secrets};
use aws_client_vpn_profile::settings::from_settings;
use aws_client_vpn_profile_file::file;
use std::path::Path;

/// Prints the profile of the connection called `wanted`, or puts it into the file `to` that only its
/// owner may read. Its private key is in it if it has one and the user may see it.
pub(crate) async fn export(wanted: &str, to: Option<&Path>) -> Result<Answer, Failure> {
    let answer = network_manager::ask().await?;
    let stored = called(&answer.stored, wanted)?;
    let manager = Manager::of_secrets().await?;
    let settings = manager.settings(&stored.path).await?;
    // Whether it has a key, only NetworkManager knows.
    let kept = manager.secrets(&stored.path).await?;
    let profile = from_settings(&data(&settings), &secrets(&kept));
    let profile = profile.map_err(Failure::Export)?.to_ovpn();
    let Some(path) = to else {
        let fields = serde_json::json!({ "name": stored.name, "profile": *profile });
        return Ok(Answer::done(profile.to_string(), fields));
    };
    file::write(path, &profile)?;
    let text = gettext!("The profile is in {file}.", file = path.display());
    let fields = serde_json::json!({ "name": stored.name, "file": path.to_string_lossy() });
    Ok(Answer::done(text + "\n", fields))
}
