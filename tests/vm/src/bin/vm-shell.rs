//! A virtual machine to look around in: `make vm-shell`. Each line of the standard input is a command:
//!
//!     run SHELL            root's, in the machine
//!     do SHELL             the user's, in her session
//!     launch NAME          an application, by its name
//!     log in | lock | unlock | suspend | wake | reboot | install | pull | plug
//!     look PROGRAM         what it shows; all programs, without one
//!     click PROGRAM NAME   with its window maximised, or in gnome-shell
//!     double PROGRAM NAME
//!     at X Y               a click there
//!     press KEY KEY        together, by QEMU's names
//!     type TEXT
//!     picture NAME         into target/vm/*-results
//!     endpoint JSON        see tests/endpoint/README.md
//!
//! The argument is the machine's name, see `make-root.sh`.

use aws_client_vpn_vm::{Machine, Person};
use std::io::BufRead;
use std::panic::{AssertUnwindSafe, catch_unwind};

fn main() {
    let name = std::env::args().nth(1).expect("a machine's name");
    let mut person = Person::at(Machine::boot(&name));
    println!("ready");
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let outcome = catch_unwind(AssertUnwindSafe(|| obey(&mut person, &line)));
        println!("{}", if outcome.is_ok() { "done" } else { "failed" });
    }
}

fn obey(person: &mut Person, line: &str) {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    match command {
        "run" => println!("{}", person.run(rest).1),
        "do" => println!("{}", person.check_as_user(rest)),
        "launch" => person.launch(rest),
        "log" => person.log_in(),
        "lock" => person.lock(),
        "unlock" => person.unlock(),
        "suspend" => person.suspend(),
        "wake" => person.wake(),
        "reboot" => person.reboot(),
        "install" => person.install_packages(),
        "pull" => person.set_cable(false),
        "plug" => person.set_cable(true),
        "look" => {
            for seen in person.look(rest) {
                println!("{}", serde_json::json!(seen));
            }
        }
        "click" => person.click(first, second),
        "double" => person.click_times(first, second, 2),
        "at" => {
            let number = |text: &str| text.parse().expect("a number");
            person.click_at(number(first), number(second), 1);
        }
        "press" => person.press(&rest.split(' ').collect::<Vec<_>>()),
        "type" => person.type_text(rest),
        "picture" => person.picture(rest),
        "endpoint" => {
            let command = serde_json::from_str(rest).expect("JSON");
            person.server.endpoint_command(&command);
        }
        "" => {}
        other => println!("{other}: no such command"),
    }
}
