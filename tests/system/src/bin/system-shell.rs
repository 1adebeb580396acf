//! A shell of root on the booted system, to look around: `make system-shell`. The system is gone
//! when the shell ends. The arguments are the users who are logged in at first; after `--desktop
//! xfce`, to `xsessions/xfce` of the system that has it.

use aws_client_vpn_harness::EndpointOptions;
use aws_client_vpn_system::System;
use std::process::{ExitCode, Stdio};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let desktop = match arguments.first().is_some_and(|first| first == "--desktop") {
        true => arguments.drain(..2).nth(1),
        false => None,
    };
    let system = match &desktop {
        Some(name) => {
            let name = name.rsplit('/').next().unwrap_or_default();
            System::start_with_desktop(name, &EndpointOptions::default())
        }
        None => System::start(),
    };
    let log_in = |user: &String| match &desktop {
        Some(file) => {
            if file.ends_with("/sway") {
                system.configure_sway(user);
            }
            system.log_in_to(user, file)
        }
        None => system.log_in(user),
    };
    let _sessions: Vec<_> = arguments.iter().map(log_in).collect();
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
