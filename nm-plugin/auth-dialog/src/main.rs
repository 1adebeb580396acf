//! The auth dialog: opens the browser for a login and catches the answer in the user's session.
//!
//! A secret agent (gnome-shell, nm-applet, our own tests) runs it, tells it on the command line
//! what the service asks for, and reads the answer from its standard output. What can be decided
//! without I/O is in [`aws_client_vpn_core::secret_prompt`] and [`aws_client_vpn_core::saml`].
//!
//! The order of things is the point: the streams are made safe, the port is taken, and only then
//! is the browser sent off, as soon as possible, because a person is waiting.

mod acs;
mod agent;
mod browser;
mod cli;
mod journal;
mod login;
mod page;
mod port;
mod stdio;
mod window;

use crate::agent::Agent;
use crate::cli::{Invocation, Request};
use crate::journal::Journal;
use crate::login::End;
use crate::stdio::Streams;
use aws_client_vpn_core::secret::Secret;
use aws_client_vpn_core::secret_prompt::{self, EMPTY_ANSWER, Prompt, PromptError};
use rustix::process::DumpableBehavior;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use tokio::task::LocalSet;

/// For the agent it means "the user does not want to", and it asks no one else.
const CANCELLED: ExitCode = ExitCode::FAILURE;

fn main() -> ExitCode {
    // No core dump, and no other process of this user may read this one's memory.
    let protected = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let Ok(Streams { answer, complaints }) = Streams::take() else {
        return ExitCode::FAILURE;
    };
    let arguments = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let invocation = cli::parse(arguments);
    if let (Err(error), stderr) = (&invocation, &complaints) {
        tell_the_caller(stderr, &format!("nm-aws-client-vpn-auth-dialog: {error}\n"));
    }
    let journal = Journal::open(complaints);
    if let Err(error) = protected {
        journal.error(&format!("core dumps cannot be switched off: {error}"));
    }
    match invocation {
        Ok(Invocation::Print(text)) => print(&answer, &text),
        Ok(Invocation::Serve(request)) => serve(&request, answer, &journal),
        Err(_told) => ExitCode::from(2),
    }
}

/// A message to whoever wrote the command line. It does not matter if nobody reads it.
fn tell_the_caller(mut stderr: &File, text: &str) {
    drop(stderr.write_all(text.as_bytes()));
}

fn print(mut output: &File, text: &str) -> ExitCode {
    match output.write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve(request: &Request, answer: File, journal: &Journal) -> ExitCode {
    // Without interaction an agent asks what is already known; nothing is: an answer counts once.
    if !request.interactive {
        return print(&answer, EMPTY_ANSWER);
    }
    let hints = request.hints.iter().map(String::as_str);
    let prompt = Prompt::parse(hints, cfg!(feature = "test-http"));
    if prompt == Err(PromptError::NoAddress) {
        return print(&answer, EMPTY_ANSWER);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        let served = LocalSet::new().block_on(&runtime, async {
            let mut agent = Agent::listen(answer)?;
            Ok(converse(prompt, request, &mut agent, journal).await)
        });
        // The thread that writes may be stuck on an agent that reads no more.
        runtime.shutdown_background();
        served
    });
    served.unwrap_or_else(|error: io::Error| {
        journal.error(&format!("cannot serve the login: {error}"));
        ExitCode::FAILURE
    })
}

async fn converse(
    prompt: Result<Prompt, PromptError>,
    request: &Request,
    agent: &mut Agent,
    journal: &Journal,
) -> ExitCode {
    let outcome = match &prompt {
        Err(error) => Err(End::Failed(error.clone().into())),
        Ok(prompt) => tokio::select! {
            biased;
            outcome = login::login(prompt, &request.connection, journal) => outcome,
            () = agent.gives_up() => Err(End::Cancelled),
        },
    };
    let (secret, page) = match outcome {
        Ok(answered) => {
            journal.info(&format!(
                "the browser answered ({} octets)",
                answered.response.len()
            ));
            (answered.response.secret().clone(), Some(answered))
        }
        Err(End::Failed(failure)) => {
            journal.error(&format!("{failure}"));
            (failure.to_secret(), None)
        }
        Err(End::Cancelled) => {
            journal.info("the login was cancelled");
            return CANCELLED;
        }
    };
    let told = hand_over(&secret, agent, journal);
    let delivered = async {
        if let Some(answered) = page {
            answered.page_delivered().await;
        }
    };
    tokio::join!(told, delivered).0
}

async fn hand_over(secret: &Secret, agent: &mut Agent, journal: &Journal) -> ExitCode {
    if let Err(error) = agent.tell(secret_prompt::answer(secret)).await {
        journal.error(&format!(
            "the secret agent does not read the answer: {error}"
        ));
        return ExitCode::FAILURE;
    }
    agent.has_read(journal).await;
    ExitCode::SUCCESS
}
