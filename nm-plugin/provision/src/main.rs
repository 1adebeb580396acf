//! `aws-client-vpn-provision`: gives an AWS Client VPN connection to all users of many machines.
//!
//! An administrator runs `make` once for a profile and installs what comes out; the package runs
//! `update` on each machine, for copies of the connection that users have changed.

mod command_line;
mod package;
mod release;

use aws_client_vpn_i18n as i18n;
use clap::Parser;
use command_line::{Action, CommandLine, Format};
use std::process::ExitCode;

fn main() -> ExitCode {
    i18n::init_program();
    let outcome = match CommandLine::parse().action {
        Action::Make(make) => release::read(&make).and_then(|release| match make.format {
            Format::Keyfile => package::write_keyfile(&release, &make.output),
            Format::Deb => package::build_deb(&release, &make.output),
            Format::Rpm => package::build_rpm(&release, &make.output),
        }),
        Action::Update(update) => release::update_overrides(&update.release, &update.overrides),
    };
    match outcome {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("aws-client-vpn-provision: {}", i18n::localize(&error));
            ExitCode::FAILURE
        }
    }
}
