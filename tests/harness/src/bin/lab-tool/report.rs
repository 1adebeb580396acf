//! JSON lines on standard output: how a tool tells the test what happens.

use std::io::Write;
use std::process::ExitCode;

/// Prints one event.
pub(crate) fn report(event: serde_json::Value) {
    let mut stdout = std::io::stdout().lock();
    // The test that would read it may be over.
    drop(writeln!(stdout, "{event}").and_then(|()| stdout.flush()));
}

/// Runs `future` on one thread.
pub(crate) fn block_on(future: impl Future<Output = zbus::Result<()>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime.expect("a runtime can be made").block_on(future) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(serde_json::json!({"event": "error", "text": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}
