//! The first process of a machine: it takes leave of orphans, as init does, so that a process
//! that has ended is gone.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

pub(crate) fn run() -> ExitCode {
    println!("ready");
    if std::io::stdout().flush().is_err() {
        return ExitCode::FAILURE;
    }
    loop {
        match rustix::process::wait(rustix::process::WaitOptions::empty()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            // No child at the moment.
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
