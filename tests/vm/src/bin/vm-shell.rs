//! A virtual machine to look around in: `make selinux-shell`. Each line of the standard input is a
//! command:
//!
//!     run SHELL        root's, in the machine
//!     install          our packages
//!     press KEY KEY    together, by QEMU's names
//!     type TEXT        and Enter
//!     picture NAME     into target/vm/*-results
//!     pull | plug      the network's cable
//!     endpoint JSON    see tests/endpoint/README.md
//!
//! The argument is the machine's name, see `make-root.sh`.

use aws_client_vpn_vm::Machine;
use std::io::BufRead;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn main() {
    let name = std::env::args().nth(1).expect("a machine's name");
    let mut machine = Machine::boot(&name);
    println!("ready");
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let outcome = catch_unwind(AssertUnwindSafe(|| obey(&mut machine, &line)));
        println!("{}", if outcome.is_ok() { "done" } else { "failed" });
    }
}

fn obey(machine: &mut Machine, line: &str) {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "run" => println!("{}", machine.run(rest).1),
        "install" => machine.install_packages(),
        "press" => machine.press(&rest.split(' ').collect::<Vec<_>>()),
        "type" => machine.type_text(&format!("{rest}\n")),
        "picture" => machine.picture(rest),
        "pull" => machine.set_cable(false),
        "plug" => machine.set_cable(true),
        "endpoint" => {
            let command = serde_json::from_str(rest).expect("JSON");
            machine.server.endpoint_command(&command);
        }
        other => println!("{other}: no such command"),
    }
}
