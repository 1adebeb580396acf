//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Give an AWS Client VPN connection to the users of many computers
#[derive(Debug, Parser)]
#[command(name = "aws-client-vpn-provision", version)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Make a connection, or a package that installs it, from a profile (.ovpn)
    Make(Make),
    /// Update a connection that users have changed from the file that a package has installed
    Update(Update),
}

#[derive(Debug, Args)]
pub(crate) struct Make {
    /// The profile, as AWS exports it
    pub(crate) profile: PathBuf,
    /// Name of the connection [default: the file's name without .ovpn]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Give the connection to this user, who can then change it without being an administrator
    /// [default: all users of the computer]
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// What to make
    #[arg(long, value_enum, default_value = "keyfile")]
    pub(crate) format: Format,
    /// Version of the package; a higher one replaces a lower one
    #[arg(long, value_name = "VERSION", default_value = "1", alias = "edition")]
    pub(crate) package_version: String,
    /// Directory for the result
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A connection file for /etc/NetworkManager/system-connections
    Keyfile,
    /// A Debian package (needs dpkg-deb)
    Deb,
    /// An RPM package (needs rpmbuild)
    Rpm,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The connection file that the package has installed
    pub(crate) release: PathBuf,
    /// Directory in which NetworkManager keeps a connection that users have changed
    #[arg(
        long,
        value_name = "DIRECTORY",
        default_value = "/etc/NetworkManager/system-connections",
        alias = "copies"
    )]
    pub(crate) overrides: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_manual_page_tells_of_every_option() {
        let page = include_str!("../../../service-files/man/aws-client-vpn-provision.1");
        let command = CommandLine::command();
        command.clone().debug_assert();
        for action in command.get_subcommands() {
            assert!(page.contains(&format!("\\fB{}\\fR", action.get_name())));
            for option in action.get_arguments().filter_map(clap::Arg::get_long) {
                let option = format!("\\-\\-{}", option.replace('-', "\\-"));
                assert!(page.contains(&option), "the manual page lacks {option}");
            }
        }
    }
}
