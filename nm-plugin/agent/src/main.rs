//! A secret agent of NetworkManager's for sessions whose desktop runs no auth dialogs: KDE Plasma,
//! sway, a text console, ssh.
//!
//! It serves connections of our type only, by running the same auth dialog as gnome-shell does. In
//! a terminal it is the dialog's window, too. It is for the user who runs it: NetworkManager asks
//! it for what that user's own programs activate.
//!
//! In every session, it shows what an endpoint says after a login, and tells of a sign-in that is
//! about to end.

mod activation;
mod at_login;
mod audience;
mod banner;
mod command_line;
mod instance;
mod network_manager;
mod notification;
mod outcome;
mod rights;
mod services;

use crate::command_line::Arguments;
use crate::network_manager::AgentEnd;
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_secret_agent::report::report;
use aws_client_vpn_secret_agent::terminal::Terminal;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    i18n::init_program();
    let arguments = Arguments::parse();
    // What passes through here is in no core dump, and no other process of this user reads it.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let terminal = if arguments.background {
        None
    } else {
        Terminal::open()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(network_manager::serve(terminal));
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(AgentEnd::Exhausted(error)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}
