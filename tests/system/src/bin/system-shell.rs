//! A shell of root on the booted system, to look around: `make system-shell`. The system is gone
//! when the shell ends. The arguments are the users who are logged in at first.

use aws_client_vpn_system::System;
use std::process::{ExitCode, Stdio};

fn main() -> ExitCode {
    let system = System::start();
    let users: Vec<String> = std::env::args().skip(1).collect();
    let _sessions: Vec<_> = users.iter().map(|user| system.log_in(user)).collect();
    println!(
        "The profiles of the emulated endpoint are in /run/lab/profiles; the user there is \
         ada@example.com, the password 'correct horse'."
    );
    let status = system
        .client
        .command("bash")
        .stdin(Stdio::inherit())
        .status()
        .expect("nsenter can be run");
    if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
