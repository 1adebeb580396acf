//! What each command does.

use crate::Failure;
use crate::answer::{Answer, Outcome};
use crate::choice::ChoiceError;
use crate::command_line::{Command, CommandLine, Status};
use crate::{
    at_login, connect, disconnect, doctor, export, follow, import, list, logs, remove, renew,
    status,
};

/// Does what the command line says.
pub async fn run(line: &CommandLine) -> Result<Answer, Failure> {
    match &line.command {
        Command::Connect(options) => connect::connect(options).await,
        Command::Disconnect { connection } => disconnect::disconnect(connection.as_deref()).await,
        Command::List { names: true } => Ok(list::names().await?),
        Command::List { names: false } => Ok(list::list().await?),
        Command::Import(options) => import::import(options).await,
        Command::Export { connection, output } => {
            export::export(connection, output.as_deref()).await
        }
        Command::AtLogin(options) => at_login::at_login(options).await,
        Command::Remove { connection } => remove::remove(connection).await,
        Command::Status(options) if options.follow => follow::follow(options, line.json).await,
        Command::Status(options) => shown(options).await,
        Command::Doctor { fix } => {
            let diagnosis = if *fix {
                doctor::fix().await?
            } else {
                doctor::collect().await
            };
            let (text, fields) = (diagnosis.to_string(), diagnosis.fields());
            Ok(match diagnosis.has_problem() {
                true => {
                    let why = "At least one check found a problem.".to_owned();
                    Answer::not_done(Outcome::Failed, why, text, fields)
                }
                false => Answer::done(text, fields),
            })
        }
        Command::Logs(options) => {
            if let Some(path) = &options.report {
                return logs::write_report(options, path).await;
            }
            let log = logs::collect(options).await?;
            let lines: Vec<&str> = log.lines().collect();
            let fields = serde_json::json!({ "lines": lines });
            Ok(Answer::done(log, fields))
        }
        Command::Renew { connection } => renew::renew(connection.as_deref()).await,
    }
}

/// Of one connection, the exit code tells whether it is up.
async fn shown(options: &Status) -> Result<Answer, Failure> {
    let status = status::look(options.connection.as_deref()).await?;
    let (text, fields) = (status.text(options.short), status.fields());
    Ok(match &options.connection {
        Some(wanted) if !status.is_up() => {
            let why = Failure::from(ChoiceError::NotUp(wanted.clone()));
            Answer::not_done(why.outcome(), why.reason(), text, fields)
        }
        _ => Answer::done(text, fields),
    })
}
