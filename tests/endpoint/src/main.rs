//! The emulated endpoint by itself: events go to standard output, commands come from standard
//! input, one JSON object on a line; the end of the input ends it.

use aws_client_vpn_endpoint::{Command, Endpoint, Event, Options};
use clap::Parser;
use std::io::Write as _;
use std::process::ExitCode;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};

/// An emulated AWS Client VPN endpoint with its identity provider and DNS server (needs root)
#[derive(Parser)]
#[command(name = "aws-client-vpn-endpoint")]
struct Flags {
    #[command(flatten)]
    options: Options,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(flags.options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut endpoint = Endpoint::start(options).await?;
    say(endpoint.ready())?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            event = endpoint.event() => say(&event)?,
            line = lines.next_line() => match line? {
                None => break,
                Some(line) if line.trim().is_empty() => {}
                Some(line) => match serde_json::from_str(&line) {
                    Ok(Command::Stop(true)) => break,
                    Ok(command) => endpoint.command(command).await,
                    Err(error) => say(&Event::CommandFailed { reason: error.to_string() })?,
                },
            },
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
        }
    }
    endpoint.stop().await;
    Ok(())
}

fn say(message: &impl serde::Serialize) -> Result<(), Box<dyn std::error::Error>> {
    let mut output = std::io::stdout().lock();
    serde_json::to_writer(&mut output, message)?;
    output.write_all(b"\n")?;
    output.flush()?;
    Ok(())
}
