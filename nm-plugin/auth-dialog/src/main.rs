//! The auth dialog: opens the browser for a login and catches the answer in the user's session.
//!
//! A secret agent (gnome-shell, nm-applet, our own tests) runs it, tells it on the command line
//! what the service asks for, and reads the answer from its standard output. What can be decided
//! without I/O is in [`aws_client_vpn_sign_in::request`] and [`aws_client_vpn_sign_in::saml`].
//!
//! The order of things is the point: the streams are made safe, the port is taken, and only then
//! is the browser sent off, as soon as possible, because a person is waiting.

mod acs;
mod agent;
mod ask;
mod browser;
mod caller;
mod cli;
mod dialog;
mod journal;
mod lock_screen;
mod login;
mod notice;
mod opened_page;
mod page;
mod port;
mod stdio;
mod window;

use crate::agent::Agent;
use crate::browser::portal;
use crate::cli::Invocation;
use crate::dialog::Dialog;
use crate::journal::Journal;
use crate::login::End;
use crate::stdio::Streams;
use crate::window::Dismissed;
use aws_client_vpn_i18n as i18n;
use aws_client_vpn_sign_in::answer::{self, EMPTY_ANSWER, LoginFailure};
use aws_client_vpn_sign_in::form::CredentialForm;
use aws_client_vpn_sign_in::hints::cancel_is_an_answer;
use aws_client_vpn_sign_in::request::{BrowserRequest, BrowserRequestError};
use aws_client_vpn_text::secret::Secret;
use rustix::process::DumpableBehavior;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use tokio::sync::Mutex;
use tokio::task::LocalSet;

/// To the agent, this exit code means that the user does not want to; it asks no one else.
const CANCELLED: ExitCode = ExitCode::FAILURE;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == portal::HELPER)
    {
        return portal::helper();
    }
    i18n::init_program();
    // No core dump, and no other process of this user may read this one's memory.
    let protected = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let Ok(Streams { answer, stderr }) = Streams::take() else {
        return ExitCode::FAILURE;
    };
    let arguments = std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned());
    let invocation = cli::parse(arguments);
    if let Err(error) = &invocation {
        tell_the_caller(
            &stderr,
            &format!("nm-aws-client-vpn-auth-dialog: {error}\n"),
        );
    }
    let own_window = matches!(&invocation, Ok(Invocation::Serve(request)) if request.own_window);
    let (own_window, stderr) = if own_window {
        (Some(stderr), None)
    } else {
        (None, Some(stderr))
    };
    let heard_by = stderr.as_ref().and_then(|stderr| stderr.try_clone().ok());
    let journal = Journal::open(stderr);
    if let Err(error) = protected {
        journal.error(&format!("core dumps cannot be switched off: {error}"));
    }
    match invocation {
        Ok(Invocation::Print(text)) => print(&answer, &text),
        Ok(Invocation::Serve(request)) => serve(
            &Dialog {
                request: &request,
                journal: &journal,
                own_window,
                dismissed: Dismissed::default(),
                notice: Mutex::default(),
                showing: Mutex::default(),
            },
            answer,
            heard_by,
        ),
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

fn serve(dialog: &Dialog<'_>, answer: File, heard_by: Option<File>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        let served = LocalSet::new().block_on(&runtime, async {
            let mut agent = Agent::listen(answer, heard_by)?;
            Ok(converse(dialog, &mut agent).await)
        });
        // The thread that writes may be stuck on an agent that reads no more.
        runtime.shutdown_background();
        served
    });
    served.unwrap_or_else(|error: io::Error| {
        let journal = dialog.journal;
        journal.error(&format!("cannot serve the request: {error}"));
        ExitCode::FAILURE
    })
}

async fn converse(dialog: &Dialog<'_>, agent: &mut Agent) -> ExitCode {
    let hints = || dialog.request.hints.iter().map(String::as_str);
    if !dialog.request.interactive {
        // A login counts once, so it is nothing that could be known.
        let connection = agent.connection().await;
        return match CredentialForm::parse([], &connection.data) {
            Some(form) => {
                hand_over(&ask::known(&form, connection, dialog).await, agent, dialog).await
            }
            None => hand_over(&Secret::from(EMPTY_ANSWER), agent, dialog).await,
        };
    }
    if cancel_is_an_answer(&dialog.request.hints) {
        lock_screen::leave_to_our_agent().await;
    }
    match BrowserRequest::parse(hints(), cfg!(feature = "test-http")) {
        Ok(prompt) => sign_in(&prompt, dialog, agent).await,
        Err(BrowserRequestError::NoAddress) => {
            let connection = agent.connection().await;
            let Some(form) = CredentialForm::parse(hints(), &connection.data) else {
                return hand_over(&Secret::from(EMPTY_ANSWER), agent, dialog).await;
            };
            let asked = tokio::select! {
                biased;
                asked = ask::ask(form, connection, dialog) => asked.ok_or(End::Cancelled),
                () = dialog.dismissed_by(agent) => Err(End::Dismissed),
            };
            match asked {
                Ok(asked) => hand_over(&asked, agent, dialog).await,
                Err(end) => ended(&end, dialog, agent).await,
            }
        }
        Err(error @ BrowserRequestError::UnsafeAddress) => fail(&error.into(), dialog, agent).await,
    }
}

async fn sign_in(prompt: &BrowserRequest, dialog: &Dialog<'_>, agent: &mut Agent) -> ExitCode {
    let outcome = tokio::select! {
        biased;
        outcome = login::login(prompt, dialog) => outcome,
        () = dialog.dismissed_by(agent) => Err(End::Dismissed),
    };
    match outcome {
        Ok(answered) => {
            let response = &answered.response;
            let text = format!("the browser answered ({} bytes)", response.len());
            dialog.journal.info(&text);
            let answer = answer::answer(response.secret());
            let told = hand_over(&answer, agent, dialog);
            tokio::join!(told, answered.page_delivered(), dialog.clear()).0
        }
        Err(end) => tokio::join!(ended(&end, dialog, agent), dialog.clear()).0,
    }
}

async fn ended(end: &End, dialog: &Dialog<'_>, agent: &mut Agent) -> ExitCode {
    match end {
        End::Failed(failure) => fail(failure, dialog, agent).await,
        End::Cancelled if cancel_is_an_answer(&dialog.request.hints) => {
            fail(&LoginFailure::Cancelled, dialog, agent).await
        }
        End::Cancelled => {
            dialog.journal.info("the login was cancelled");
            CANCELLED
        }
        // NetworkManager also does that to ask again.
        End::Dismissed => {
            dialog.journal.info("the request was taken back");
            CANCELLED
        }
    }
}

async fn fail(failure: &LoginFailure, dialog: &Dialog<'_>, agent: &mut Agent) -> ExitCode {
    dialog.journal.error(&failure.to_string());
    hand_over(&answer::answer(&failure.to_secret()), agent, dialog).await
}

/// Hands `answer` to the agent, as agents read it.
async fn hand_over(answer: &Secret, agent: &mut Agent, dialog: &Dialog<'_>) -> ExitCode {
    if let Err(error) = agent.tell(answer.clone()).await {
        dialog.journal.error(&format!(
            "the secret agent does not read the answer: {error}"
        ));
        return ExitCode::FAILURE;
    }
    // There is nothing in an empty answer that could be lost.
    if answer.expose() != EMPTY_ANSWER {
        agent.has_read(dialog.journal).await;
    }
    ExitCode::SUCCESS
}
