//! The `aws-client-vpn` command; see the library of this package.

use aws_client_vpn_cli::command_line::{Command, CommandLine};
use aws_client_vpn_cli::{doctor, logs, renew, status};
use clap::Parser;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let outcome = runtime.block_on(run(command));
    // A name service that hangs must not keep us.
    runtime.shutdown_background();
    match outcome {
        Ok((text, code)) => {
            // Whoever closed the pipe has seen enough.
            drop(std::io::stdout().write_all(text.as_bytes()));
            code
        }
        Err(error) => failed(error.as_ref()),
    }
}

async fn run(command: Command) -> Result<(String, ExitCode), Box<dyn Error>> {
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
            let diagnosis = doctor::gather().await;
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

fn json(value: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

fn failed(error: &dyn Error) -> ExitCode {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    drop(writeln!(std::io::stderr(), "aws-client-vpn: {text}"));
    ExitCode::FAILURE
}
