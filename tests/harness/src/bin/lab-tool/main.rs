//! What runs inside a lab's machines: the first process, a secret agent, a person at a browser.

mod agent;
mod babble;
mod browser;
mod flood;
mod form;
mod hold_port;
mod idle_vpn;
mod init;
mod logind;
mod notifications;
mod path;
mod report;
mod scripted_user;
mod watch;
mod webdriver;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // A test lays it over the VPN's own OpenVPN, which has no word for it.
    if words.first().is_some_and(|name| name.ends_with("/openvpn")) {
        return babble::run(&words);
    }
    if let [program, "--bus-name", name] = words[..]
        && program.ends_with(idle_vpn::NAME)
    {
        return idle_vpn::run(name);
    }
    match words.get(1..).unwrap_or_default() {
        ["init"] => init::run(),
        ["agent", style] => agent::run(style),
        ["hold-port", port] => hold_port::run(port),
        ["logind"] => logind::run(),
        ["flood", target] => flood::run(target),
        ["notifications"] => notifications::run(),
        ["watch"] => watch::run(),
        ["browser", url] => browser::run(url),
        ["path", device, address, delay, lost_per_thousand, seed] => {
            path::run(device, address, [delay, lost_per_thousand, seed])
        }
        _ => {
            eprintln!(
                "usage: lab-tool init | agent STYLE | logind | notifications | watch | hold-port PORT \
                 | browser URL | path DEVICE ADDRESS/BITS DELAY LOST_PER_THOUSAND SEED | flood logind|NAME"
            );
            ExitCode::from(2)
        }
    }
}
