//! NetworkManager's VPN service for AWS Client VPN.
//!
//! NetworkManager starts one such process, as root, for each activation, and ends with it. All
//! decisions are `aws_client_vpn_session`'s; this program carries them out. The same executable, run
//! without privileges, is also OpenVPN's supervisor (see [`openvpn::supervisor`]) and the process that becomes
//! OpenVPN (see [`openvpn::confinement`]).

mod account;
mod activation;
mod agents;
mod conditions;
mod dbus;
mod endpoint_routes;
mod enforced_routes;
mod journal;
mod kernel;
mod kill_switch;
mod last_failure;
mod logind;
mod openvpn;
mod privileges;
mod protection;
mod resolver;
mod route_guard;
mod rtnetlink;
mod server;
mod sleep_clock;
mod watchdog;

use aws_client_vpn_profile::kill_switch_mark::LEFT_OVER;
use kill_switch::Lifted;
use openvpn::tun_device::TunDevice;
use openvpn::{confinement, supervisor};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: nm-aws-client-vpn-service [OPTION]
NetworkManager's VPN service for AWS Client VPN. NetworkManager starts it; there is no reason to
run it by hand.

  --bus-name NAME  Own this name on the system bus
                   [default: org.freedesktop.NetworkManager.aws-client-vpn]
  --lift-kill-switch [UUID]
                   Lift the kill switch that a connection which has ended has left: that of the
                   connection with this UUID, or of any connection
  --lift-deleted-kill-switches
                   Lift the kill switches of connections that NetworkManager no longer has
  --check-kill-switch
                   Say whether the kernel has a kill switch that no connection has turned on
  --clear-away     Remove what is left of connections that ended without being taken down: kill
                   switches, network interfaces and routes
  --version        Print version
  --help           Print help
";

fn main() -> ExitCode {
    let mut bus_name = aws_client_vpn_profile::well_known::SERVICE_TYPE.to_owned();
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        return match argument.to_str() {
            Some("--help" | "-h") => {
                print!("{USAGE}");
                ExitCode::SUCCESS
            }
            Some("--version") => {
                println!("nm-aws-client-vpn-service {}", env!("CARGO_PKG_VERSION"));
                ExitCode::SUCCESS
            }
            Some("--bus-name") => match arguments.next().and_then(|name| name.into_string().ok()) {
                Some(name) => {
                    bus_name = name;
                    continue;
                }
                None => wrong("--bus-name needs a name"),
            },
            Some("--lift-kill-switch") => {
                let uuid = arguments.next().and_then(|uuid| uuid.into_string().ok());
                lift_kill_switch(uuid.as_deref())
            }
            Some("--lift-deleted-kill-switches") => lift_deleted(),
            Some("--check-kill-switch") => check_kill_switch(),
            Some("--clear-away") => clear_away(),
            Some(supervisor::ARGUMENT) => supervisor::run(arguments.collect()),
            Some(confinement::ARGUMENT) => confinement::run(arguments.collect()),
            _ => wrong(&format!("unknown argument {}", argument.to_string_lossy())),
        };
    }
    serve(&bus_name)
}

fn wrong(why: &str) -> ExitCode {
    eprintln!("nm-aws-client-vpn-service: {why}\n{USAGE}");
    ExitCode::from(2)
}

fn lift_kill_switch(uuid: Option<&str>) -> ExitCode {
    journal::start();
    match kill_switch::lift(|left| uuid.is_none_or(|uuid| uuid == left)) {
        Ok(Lifted { over: 0, wanted: 0 }) => {
            println!("no kill switch stops traffic");
            ExitCode::SUCCESS
        }
        Ok(Lifted { over: 0, .. }) => {
            eprintln!(
                "nm-aws-client-vpn-service: the connection whose kill switch stops traffic is \
                 wanted still: take it down"
            );
            ExitCode::FAILURE
        }
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => failed_as_root(&error),
    }
}

fn check_kill_switch() -> ExitCode {
    match kill_switch::is_left_over() {
        Ok(is_left_over) => {
            println!(
                "{}",
                if is_left_over {
                    LEFT_OVER
                } else {
                    "none left over"
                }
            );
            ExitCode::SUCCESS
        }
        Err(error) => failed_as_root(&error),
    }
}

fn clear_away() -> ExitCode {
    journal::start();
    TunDevice::remove_orphans();
    enforced_routes::remove_left_over();
    endpoint_routes::remove_left_over();
    match kill_switch::lift(|_| true) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => failed_as_root(&error),
    }
}

fn failed_as_root(error: &dyn std::error::Error) -> ExitCode {
    eprintln!(
        "nm-aws-client-vpn-service: {}; this takes root",
        journal::error_chain(error)
    );
    ExitCode::FAILURE
}

fn lift_deleted() -> ExitCode {
    journal::start();
    match runtime().map(|runtime| runtime.block_on(protection::lift_all_deleted())) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("nm-aws-client-vpn-service: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("nm-aws-client-vpn-service: could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

fn serve(bus_name: &str) -> ExitCode {
    journal::start();
    if let Err(error) = privileges::reduce() {
        tracing::error!("could not give up privileges: {error}");
        return ExitCode::FAILURE;
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(server::run(bus_name));
    // A resolver that hangs must not keep the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", journal::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// What tests of several modules need.
#[cfg(test)]
mod tests {
    pub(crate) mod own_bus;
    pub(crate) mod own_network;
}
