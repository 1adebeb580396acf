//! The command line: one description for parsing, `--help`, the man pages and the completions.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Connect to AWS Client VPN endpoints, and see why it does not work.
///
/// Connections are NetworkManager's: what is made here is in the network menu of the desktop, in its
/// settings and in nmcli, and the other way round.
#[derive(Debug, Parser)]
#[command(
    name = "aws-client-vpn",
    version,
    after_help = "Examples:\n  aws-client-vpn import work.ovpn\n  aws-client-vpn connect work\n  \
                  aws-client-vpn status\n  aws-client-vpn disconnect\n  aws-client-vpn doctor\n  \
                  aws-client-vpn logs work >ticket.txt",
    // The codes are for scripts, and stay.
    after_long_help = "\
Exit codes:
   0  done             it is as it was wanted: connected, disconnected, imported, …
   1  failed           for another reason than those below; doctor: there is a problem
   2                   the command line is wrong
   3  refused          the endpoint did not let this person or this computer in
   4  cancelled        Ctrl+C, or the login was cancelled
   5  timed-out        nobody signed in in time, or --timeout is over
   6  not-permitted    the policy of this computer (polkit) or a file's mode forbids it
   7  unreachable      there is no network, or the endpoint does not answer
   8  nobody-to-ask    something has to be asked, and there is no terminal and no desktop
   9  not-found        there is no such connection or file
  10  not-connected    it is not up; connect --stay: it was up, and is over
  11  no-networkmanager  NetworkManager does not run or does not answer

Examples:
  aws-client-vpn import work.ovpn
  aws-client-vpn connect work
  aws-client-vpn status
  aws-client-vpn disconnect
  aws-client-vpn doctor
  aws-client-vpn logs work >ticket.txt"
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print JSON, for programs
    ///
    /// One object. Each has "schema" (1; it changes when a field goes or means something else),
    /// "outcome" (a name of the list of exit codes in aws-client-vpn(1)) and, if nothing was done,
    /// "reason" (an English sentence). The rest is in docs/json.md, which packages install below
    /// /usr/share/doc. Fields may be added.
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Connect, and be asked for the sign-in here
    ///
    /// The browser opens; without a display or over ssh, the link to sign in is shown, and the ssh -L
    /// line that lets the browser of another computer answer. Passwords and codes are asked for at
    /// this terminal. Ctrl+C cancels.
    Connect(Connect),
    /// Take a connection down
    Disconnect(Disconnect),
    /// List the connections: name, state, endpoint
    List(List),
    /// Make a connection of a profile (.ovpn)
    ///
    /// It is yours alone, unless you are root or say --all-users.
    Import(Import),
    /// Print the profile of a connection
    Export(Export),
    /// Delete a connection
    Remove(Remove),
    /// Show the connections: state, since when, addresses, endpoint, sign-in, the last failure
    ///
    /// Of one connection, the exit code is 0 if it is up, and 10 if it is not.
    Status(Status),
    /// Have a connection come up by itself when you log in, or not any more
    ///
    /// The agent of your session does it, once when you have logged in and a network is there, and once
    /// for each network that comes later; not if you have switched the connection off.
    AtLogin(AtLogin),
    /// Sign in again to a connection that is up, before its endpoint ends it
    ///
    /// An endpoint lets a sign-in count for some hours and then ends the connection. This asks for
    /// the new one at a moment that suits you. The tunnel stays up while you sign in in your browser.
    Renew(Renew),
    /// Check that all a connection needs is there; each problem with its remedy
    ///
    /// The exit code is 0 if no problem was found (warnings do not count), 1 if there is one. With
    /// --fix, it is the one of what is left.
    Doctor(Doctor),
    /// Print the story of a connection from the journal, ready to paste into a ticket
    ///
    /// No secret is ever written to the journal; what looks like one is cut off here once more.
    Logs(Logs),
}

/// Options of `connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Name or UUID of the connection
    pub connection: String,
    /// Give up when the connection is not up after so many seconds [default: as its settings say]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// Open no browser, only print the link
    #[arg(long)]
    pub no_browser: bool,
    /// Stay until the connection is over, and serve its later sign-ins
    ///
    /// Ctrl+C or SIGTERM takes it down; the exit code is 0 then, and 10 if it ended otherwise. systemd
    /// is told when it is up, for a unit with Type=notify.
    #[arg(long)]
    pub stay: bool,
}

/// Options of `disconnect`.
#[derive(Debug, Args)]
pub struct Disconnect {
    /// Name or UUID of the connection [default: the one that is up]
    pub connection: Option<String>,
}

/// Options of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Print the names only, a line each, for completions
    #[arg(long, hide = true)]
    pub names: bool,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The profile, as AWS exports it; files that it names are read beside it
    #[arg(required_unless_present = "from_aws_client", value_hint = ValueHint::FilePath)]
    pub profiles: Vec<PathBuf>,
    /// Name of the connection [default: that of the file]
    #[arg(long, conflicts_with = "from_aws_client")]
    pub name: Option<String>,
    /// Give the connection to all users of this computer
    #[arg(long)]
    pub all_users: bool,
    /// Bring the connection to the profile's endpoint up to it; your own settings stay
    #[arg(long)]
    pub update: bool,
    /// Import all profiles that AWS's own client keeps for you
    ///
    /// Its versions up to 5 keep them in ~/.config/AWSVPNClient/OpenVpnConfigs. One whose endpoint
    /// has a connection is left out.
    #[arg(long, conflicts_with = "profiles")]
    pub from_aws_client: bool,
    /// Only show what would be imported
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Name or UUID of the connection
    pub connection: String,
    /// Write it to this file, which only you may read
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: Option<PathBuf>,
}

/// Options of `remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Name or UUID of the connection
    pub connection: String,
}

/// Options of `at-login`.
#[derive(Debug, Args)]
pub struct AtLogin {
    /// Name or UUID of the connection
    pub connection: String,
    /// Whether it comes up by itself
    #[arg(value_enum)]
    pub choice: Switch,
    /// Not on this network: the name of a connection of NetworkManager's; may be given several times
    #[arg(long, value_name = "NETWORK")]
    pub except_on: Vec<String>,
    /// Not where this host answers at this port: that is inside already
    #[arg(long, value_name = "HOST:PORT")]
    pub unless_reachable: Option<String>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It does
    On,
    /// It does not
    Off,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Name or UUID of the connection [default: all]
    pub connection: Option<String>,
    /// Go on, and print it again whenever it changes; with --json, an object a line
    #[arg(long)]
    pub follow: bool,
    /// In one line, for a bar: what is up or on its way, or nothing
    #[arg(long)]
    pub short: bool,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
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
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Write a report on the endpoint to this file, for those who write this program
    ///
    /// It has what the endpoint pushed, the form of its challenge, what it refused and how, and the
    /// versions of all programs; nothing secret is in it. It is shown first, and written if you
    /// answer yes.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Put numbers in the place of addresses and names in the report
    #[arg(long, requires = "report")]
    pub without_addresses: bool,
}

/// Options of `renew`.
#[derive(Debug, Args)]
pub struct Renew {
    /// Name or UUID of the connection [default: the one that is up]
    pub connection: Option<String>,
}
