//! The command line: one description for parsing, `--help`, the man pages and the completions.

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// Connect to AWS Client VPN endpoints, and find out why a connection failed
///
/// Connections are stored in NetworkManager, so those made here also appear in the desktop's network
/// menu and settings and in nmcli, and vice versa.
#[derive(Debug, Parser)]
#[command(
    name = "aws-client-vpn",
    version,
    after_help = "Examples:\n  aws-client-vpn import work.ovpn\n  aws-client-vpn connect work\n  \
                  aws-client-vpn status\n  aws-client-vpn disconnect\n  aws-client-vpn doctor\n  \
                  sudo aws-client-vpn logs work >ticket.txt",
    // The codes are for scripts, and stay.
    after_long_help = "\
Exit codes:
   0  done               Done: connected, disconnected, imported, …
   1  failed             It failed for a reason that has no code of its own. doctor: it found a problem.
   2                     The command line is wrong.
   3  refused            The endpoint refused this person or this computer.
   4  cancelled          Ctrl+C was pressed, the sign-in was cancelled, or somebody took the connection down.
   5  timed-out          Nobody signed in in time, or the time of --timeout is over. disconnect: the connection was still not down after a minute.
   6  not-permitted      The policy of this computer (polkit), a file's permissions or another user's sign-in forbid it.
   7  unreachable        There is no network, or the endpoint does not answer or cannot accept a sign-in now.
   8  nobody-to-ask      Something has to be asked, and there is neither a terminal nor a desktop, or the answer was left empty.
   9  not-found          There is no such connection or file.
  10  not-connected      The connection is not up. connect --stay: it was up, and ended without being taken down.
  11  no-networkmanager  NetworkManager does not run or does not answer.

JSON:
  With --json, a command prints one object. Each has \"schema\" (1; it changes when a field is
  removed or its meaning changes), \"outcome\" (a name from the list of exit codes) and, unless that
  is \"done\", \"reason\" (an English sentence). Fields may be added. The other fields are described in
  /usr/share/doc/*aws-client-vpn/docs/json.md.

Examples:
  aws-client-vpn import work.ovpn
  aws-client-vpn connect work
  aws-client-vpn status
  aws-client-vpn disconnect
  aws-client-vpn doctor
  sudo aws-client-vpn logs work >ticket.txt"
)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print JSON, for programs; aws-client-vpn(1) describes it
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Connect, and sign in from this terminal
    ///
    /// The browser opens. Without a display, or over ssh, the link to sign in is printed instead; over
    /// ssh, with the ssh -L command that lets the browser of your own computer answer. Passwords and
    /// codes are asked for in this terminal. Ctrl+C cancels.
    Connect(Connect),
    /// Take a connection down
    Disconnect {
        /// Name or UUID of the connection [default: the only one that is up or coming up]
        connection: Option<String>,
    },
    /// List the connections: name, state, endpoint
    List {
        /// Print the names only, a line each, for completions
        #[arg(long, hide = true)]
        names: bool,
    },
    /// Make a connection from a profile (.ovpn)
    ///
    /// It is for you alone, unless you are root or give --all-users.
    Import(Import),
    /// Print the profile of a connection
    Export {
        /// Name or UUID of the connection
        connection: String,
        /// Write the profile to this file, which only you can read
        #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
    /// Delete a connection
    Remove {
        /// Name or UUID of the connection
        connection: String,
    },
    /// Show the connections: state, since when, addresses, endpoint, sign-in, the last failure
    ///
    /// For one connection, the exit code is 0 if it is up, and 10 if it is not.
    Status(Status),
    /// Turn connecting at login on or off
    ///
    /// The agent of your session connects once after you log in, and again each time you join another
    /// network. It does not if you have taken the connection down yourself, or cancelled its sign-in,
    /// since you logged in.
    AtLogin(AtLogin),
    /// Sign in again to a connection that is up, before the endpoint ends it
    ///
    /// An endpoint accepts a sign-in for some hours and then ends the connection. This command starts
    /// the new sign-in at a moment that suits you; your desktop or the agent shows it. The tunnel stays
    /// up while you sign in in your browser.
    Renew {
        /// Name or UUID of the connection [default: the only one that is up]
        connection: Option<String>,
    },
    /// Check that everything a connection needs is there, and give a remedy for each problem
    ///
    /// The exit code is 1 if there is a problem, and 0 if there is none; warnings do not count. With
    /// --fix, problems that were fixed do not count either.
    Doctor {
        /// First remove what is left of connections that ended without being taken down (root only)
        ///
        /// Traffic that a kill switch still blocks flows again, outside the VPN; the network interface of
        /// a service that was killed is removed. Connections that are up are left alone, and so is
        /// every other problem.
        #[arg(long)]
        fix: bool,
    },
    /// Print the log of the last attempt to connect, ready to paste into a ticket
    ///
    /// Reading the journal needs sudo, or membership in the group systemd-journal. No secret is ever
    /// written to the journal; anything that looks like one is also removed here.
    Logs(Logs),
}

/// Options of `connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Name or UUID of the connection
    pub connection: String,
    /// Give up if the connection is not up after this many seconds [default: the
    /// connection's own limits, such as login-timeout]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,
    /// Open no browser, only print the link
    #[arg(long)]
    pub no_browser: bool,
    /// Keep running until the connection ends, and handle later sign-ins
    ///
    /// Ctrl+C or SIGTERM takes the connection down once it is up. The exit code is 0 if it was up and was taken down,
    /// here or elsewhere, or a new sign-in was cancelled; 11 if NetworkManager stopped; and 10 if the
    /// connection ended in another way. For a unit with Type=notify, systemd is notified when the
    /// connection is up.
    #[arg(long)]
    pub stay: bool,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The profile, as AWS exports it; files that it names are looked for beside it
    #[arg(
        required_unless_present = "from_aws_client",
        value_name = "PROFILE",
        value_hint = ValueHint::FilePath
    )]
    pub profiles: Vec<PathBuf>,
    /// Name of the connection [default: the file's name without .ovpn]; with --update, which one to
    /// update
    #[arg(long, conflicts_with = "from_aws_client")]
    pub name: Option<String>,
    /// Give the connection to all users of this computer
    #[arg(long)]
    pub all_users: bool,
    /// Update the connection to the same endpoint from the profile; your own settings are kept
    #[arg(long)]
    pub update: bool,
    /// Import all profiles that AWS's own client keeps for you
    ///
    /// AWS's client up to version 5 keeps them in ~/.config/AWSVPNClient/OpenVpnConfigs. A profile
    /// whose endpoint already has a connection is left out.
    #[arg(long, conflicts_with = "profiles")]
    pub from_aws_client: bool,
    /// Only show what would be imported
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `at-login`.
#[derive(Debug, Args)]
pub struct AtLogin {
    /// Name or UUID of the connection
    pub connection: String,
    /// Whether it connects when you log in
    #[arg(value_enum)]
    pub choice: Switch,
    /// Do not connect on this network (the name of its connection in NetworkManager); may be given
    /// several times
    #[arg(long, value_name = "NETWORK")]
    pub except_on: Vec<String>,
    /// Do not connect if this host already answers on this port, as inside the office
    #[arg(long, value_name = "HOST:PORT")]
    pub unless_reachable: Option<String>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Connect at login
    On,
    /// Do not connect at login
    Off,
}

/// Options of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Name or UUID of the connection [default: all]
    pub connection: Option<String>,
    /// Keep running, and print the status again whenever it changes; with --json, one object per line
    #[arg(long)]
    pub follow: bool,
    /// Print one line for a status bar: the connections that are up, coming up or going down; empty if
    /// there are none
    #[arg(long)]
    pub short: bool,
}

/// Options of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// Name or UUID of the connection [default: the one used last]
    pub connection: Option<String>,
    /// Print all attempts since the computer was started, not only the last one
    #[arg(long)]
    pub all: bool,
    /// Read this file instead of the journal: the output of `journalctl -o json`, or a log of
    /// NetworkManager ("-" for standard input)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Write a report on the endpoint to this file, for the developers of this program
    ///
    /// It says what the endpoint pushed, the form of its challenge, what it refused and how, and the
    /// versions of all programs. It contains no secret. It is shown first, and written only if you
    /// type 'yes' (or the word of your language that is shown).
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub report: Option<PathBuf>,
    /// Replace addresses and names in the report with numbers
    #[arg(long, requires = "report")]
    pub without_addresses: bool,
}
