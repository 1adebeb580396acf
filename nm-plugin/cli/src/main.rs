//! The `aws-client-vpn` command; see the library of this package.

use aws_client_vpn_cli::answer::{Answer, Outcome};
use aws_client_vpn_cli::command_line::CommandLine;
use aws_client_vpn_cli::failure::Failure;
use aws_client_vpn_cli::run::run;
use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_text::printable::printable;
use clap::Parser;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    i18n::init_program();
    let line = CommandLine::parse();
    let (answer, failed) = answer(&line);
    if failed {
        let text = printable(&answer.text);
        drop(writeln!(io::stderr(), "aws-client-vpn: {text}"));
    }
    let text = match (line.json, failed) {
        (true, _) => format!("{:#}\n", answer.json),
        (false, true) => String::new(),
        (false, false) => answer.text,
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let text = gettext!("The output cannot be written: {reason}", reason = error);
            drop(writeln!(io::stderr(), "aws-client-vpn: {text}"));
            ExitCode::from(Outcome::Failed.code())
        }
        Ok(()) | Err(_) => ExitCode::from(answer.outcome.code()),
    }
}

/// The answer, and whether it is that nothing was done.
fn answer(line: &CommandLine) -> (Answer, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return (Failure::Exhausted(error).answer(), true),
    };
    let outcome = runtime.block_on(run(line));
    // A name service that hangs must not keep us.
    runtime.shutdown_background();
    match outcome {
        Ok(answer) => (answer, false),
        Err(failure) => (failure.answer(), true),
    }
}
