//! Listens where the auth dialog wants to listen.

use crate::report::report;
use std::net::TcpListener;
use std::process::ExitCode;

pub(crate) fn run(port: &str) -> ExitCode {
    match TcpListener::bind(("127.0.0.1", port.parse().unwrap_or(0))) {
        Ok(listener) => {
            report(serde_json::json!({"event": "occupied"}));
            loop {
                drop(listener.accept());
            }
        }
        Err(error) => {
            report(serde_json::json!({"event": "error", "text": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}
