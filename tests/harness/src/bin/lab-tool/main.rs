//! What runs inside a lab's machines: the first process, a secret agent, a person at a browser.

mod agent;
mod browser;
mod form;
mod init;
mod logind;
mod notifications;
mod occupy;
mod report;
mod typist;
mod watch;
mod webdriver;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["init"] => init::run(),
        ["agent", style] => agent::run(style),
        ["occupy", port] => occupy::run(port),
        ["logind"] => logind::run(),
        ["notifications"] => notifications::run(),
        ["watch"] => watch::run(),
        ["browser", url] => browser::run(url),
        _ => {
            eprintln!(
                "usage: lab-tool init | agent STYLE | logind | notifications | watch | occupy PORT | browser URL"
            );
            ExitCode::from(2)
        }
    }
}
