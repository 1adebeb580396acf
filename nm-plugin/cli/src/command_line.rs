//! The command line: one description for parsing, `--help`, the man pages and the completions.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// See what AWS Client VPN connections do, and why one does not work.
///
/// Connections are made and used with NetworkManager: nmcli, the network menu of the desktop, or
/// its settings. This command looks at them, and renews their sign-ins.
#[derive(Debug, Parser)]
#[command(
    name = "aws-client-vpn",
    version,
    after_help = "Examples:\n  aws-client-vpn status\n  aws-client-vpn doctor\n  \
                  aws-client-vpn logs work >ticket.txt"
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the connections: state, since when, addresses, endpoint, sign-in
    Status(Status),
    /// Check that all a connection needs is there; each problem with its remedy
    ///
    /// The exit code is 0 if no problem was found (warnings do not count), 1 if there is one. With
    /// --fix, it is the one of what is left.
    Doctor(Doctor),
    /// Print the story of a connection from the journal, ready to paste into a ticket
    ///
    /// No secret is ever written to the journal; what looks like one is cut off here once more.
    Logs(Logs),
    /// Sign in anew to a connection that is up, before its endpoint ends it
    ///
    /// An endpoint lets a sign-in count for some hours and then ends the connection. This asks for
    /// the new one at a moment that suits you. The tunnel stays up while you sign in in your browser.
    Renew(Renew),
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print JSON, for programs
    ///
    /// An object with "schema" (1; it changes when a field goes or means something else) and
    /// "connections", a list of objects: "name"; "uuid"; "state" (off, starting, signing-in,
    /// connecting, up, ending); "since" and "sign_in_ends" (seconds since 1970, or null);
    /// "endpoint"; "sign_in" (saml, certificate, password, password-and-code); "addresses" (a list);
    /// "problem" (an English sentence, or null). Fields may be added.
    #[arg(long)]
    pub json: bool,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print JSON, for programs
    ///
    /// An object with "schema" (1; it changes when a field goes or means something else), "version"
    /// (of this command) and "findings", a list of objects: "check" (its name stays the same);
    /// "verdict" (good, warning, problem); "seen"; "remedy" (null if all is well). The last two are
    /// English sentences for people. Fields and checks may be added.
    #[arg(long)]
    pub json: bool,
    /// First take away what a connection left that ended without being taken down (root only)
    ///
    /// Traffic that its kill switch still stops flows again, past the VPN; the network interface of
    /// a service that was killed is removed. Connections that are up are left alone, and so is
    /// everything else that is found.
    #[arg(long)]
    pub fix: bool,
}

/// Options of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// Name or UUID of the connection [default: the one used last]
    pub connection: Option<String>,
    /// All attempts since the computer was started, not only the last one
    #[arg(long)]
    pub all: bool,
    /// Read this file, not the journal: the output of `journalctl -o json`, or a log of
    /// NetworkManager ("-" for standard input)
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Options of `renew`.
#[derive(Debug, Args)]
pub struct Renew {
    /// Name or UUID of the connection [default: the one that is up]
    pub connection: Option<String>,
}
