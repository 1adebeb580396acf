//! The `aws-client-vpn` command; see the library of this package.

use aws_client_vpn_cli::command_line::{Command, CommandLine};
use aws_client_vpn_cli::doctor::FixError;
use aws_client_vpn_cli::line::one_line;
use aws_client_vpn_cli::logs::LogsError;
use aws_client_vpn_cli::renew::RenewError;
use aws_client_vpn_cli::{NetworkManagerError, doctor, logs, renew, status};
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_text::message::Worded;
use clap::Parser;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why nothing is printed.
#[derive(Debug, thiserror::Error, Worded)]
enum Failure {
    #[error(transparent)]
    NetworkManager(#[from] NetworkManagerError),
    #[error(transparent)]
    Logs(#[from] LogsError),
    #[error(transparent)]
    Renew(#[from] RenewError),
    #[error(transparent)]
    Fix(#[from] FixError),
    #[error("this computer is out of resources: {0}")]
    Exhausted(io::Error),
}

fn main() -> ExitCode {
    i18n::start();
    let command = CommandLine::parse().command;
    match answer(command) {
        Ok((text, code)) => {
            // Whoever closed the pipe has seen enough.
            drop(io::stdout().write_all(text.as_bytes()));
            code
        }
        Err(failure) => {
            let text = one_line(&told(&failure));
            drop(writeln!(io::stderr(), "aws-client-vpn: {text}"));
            ExitCode::FAILURE
        }
    }
}

fn answer(command: Command) -> Result<(String, ExitCode), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Exhausted)?;
    let outcome = runtime.block_on(run(command));
    // A name service that hangs must not keep us.
    runtime.shutdown_background();
    outcome
}

async fn run(command: Command) -> Result<(String, ExitCode), Failure> {
    Ok(match command {
        Command::Status(options) => {
            let status = status::gather().await?;
            let text = if options.json {
                json(&status)?
            } else {
                status.to_string()
            };
            (text, ExitCode::SUCCESS)
        }
        Command::Doctor(options) => {
            let diagnosis = if options.fix {
                doctor::fix().await?
            } else {
                doctor::gather().await
            };
            let text = if options.json {
                json(&diagnosis)?
            } else {
                diagnosis.to_string()
            };
            (text, ExitCode::from(u8::from(diagnosis.has_problem())))
        }
        Command::Logs(options) => (logs::gather(&options).await?, ExitCode::SUCCESS),
        Command::Renew(options) => {
            let done = renew::renew(options.connection.as_deref()).await?;
            (done, ExitCode::SUCCESS)
        }
    })
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::Exhausted(error.into()))
}

/// In the user's language, with what others say of the causes in theirs.
fn told(failure: &Failure) -> String {
    let mut text = i18n::of(failure);
    let mut source = failure.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
