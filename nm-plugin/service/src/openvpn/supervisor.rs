//! OpenVPN's supervisor: a small process without privileges between the service and OpenVPN.
//!
//! The tun device has to be persistent, and a killed service cannot remove it. The supervisor
//! outlives the service by a moment: when OpenVPN ends, or the service does, it sees to it that
//! OpenVPN is gone and takes the device away, which it may because its account owns it. If the
//! supervisor itself is killed, OpenVPN ends with the service's management socket, and the service
//! removes the device.

use super::confinement;
use super::tun_device::TunDevice;
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::Message;
use rustix::process::{
    DumpableBehavior, Pid, Signal, getppid, kill_process, set_dumpable_behavior,
    set_parent_process_death_signal,
};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// The first argument that makes this executable the supervisor. Then follow the process number of
/// the service, the tun device, what OpenVPN's process is to begin as ([`CONFINED`] or [`UNCONFINED`]), OpenVPN's path
/// and OpenVPN's arguments.
pub(crate) const ARGUMENT: &str = "--supervise-openvpn";

/// OpenVPN is confined before it begins, see [`super::confinement`].
pub(crate) const CONFINED: &str = "confined";
/// OpenVPN is not confined.
pub(crate) const UNCONFINED: &str = "unconfined";

/// The supervisor's name among the processes (at most 15 bytes, prctl(2)).
pub(crate) const NAME: &str = "openvpn-superv";

/// How long OpenVPN may take to end after SIGTERM. Less than the service waits for us.
const GRACE: Duration = Duration::from_secs(3);

/// Exit codes above this one say which signal ended OpenVPN, as in a shell.
const SIGNAL_BASE: i32 = 128;

/// Runs OpenVPN to its end; exits as it did.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    // It only tells apart; without it all the same works.
    let _ = rustix::thread::set_name(c"openvpn-superv");
    let mut arguments = arguments.into_iter();
    let (Some(service), Some(device), Some(how), Some(program)) = (
        arguments.next().as_deref().and_then(pid),
        arguments.next(),
        arguments.next(),
        arguments.next(),
    ) else {
        eprintln!(
            "{ARGUMENT} needs the service's process number, a tun device, {CONFINED} or \
             {UNCONFINED}, and OpenVPN's path"
        );
        return ExitCode::from(2);
    };
    let mut openvpn = if how == UNCONFINED {
        Command::new(program)
    } else {
        let mut command = Command::new("/proc/self/exe");
        command.arg(confinement::ARGUMENT).arg(program);
        command
    };
    openvpn.args(arguments);
    let outcome = supervise(service, openvpn);
    let device = device.to_str().and_then(TunDevice::from_argument);
    if let Some(Err(error)) = device.as_ref().map(TunDevice::remove) {
        eprintln!("could not remove the tun device: {error}");
    }
    match outcome {
        Ok(status) => ExitCode::from(u8::try_from(code(status)).unwrap_or(u8::MAX)),
        Err(error) => {
            eprintln!("could not run OpenVPN: {error}");
            ExitCode::from(127)
        }
    }
}

fn pid(argument: &OsStr) -> Option<Pid> {
    Pid::from_raw(argument.to_str()?.parse().ok()?)
}

/// What an exit code of the supervisor says of OpenVPN.
pub(crate) fn describe(status: ExitStatus) -> Message {
    match (status.code(), status.signal()) {
        (Some(code), _) if code > SIGNAL_BASE => {
            let signal = code - SIGNAL_BASE;
            // TRANSLATORS: In parentheses after “OpenVPN ended unexpectedly”
            message!("killed by signal {signal}", signal = signal)
        }
        // TRANSLATORS: In parentheses after “OpenVPN ended unexpectedly”
        (Some(code), _) => message!("exit code {code}", code = code),
        (None, Some(signal)) => {
            // TRANSLATORS: In parentheses after “OpenVPN ended unexpectedly”
            message!(
                "its supervisor was killed by signal {signal}",
                signal = signal
            )
        }
        // TRANSLATORS: In parentheses after “OpenVPN ended unexpectedly”
        (None, None) => message!("for an unknown reason"),
    }
}

fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| SIGNAL_BASE + status.signal().unwrap_or(0))
}

fn supervise(service: Pid, mut openvpn: Command) -> std::io::Result<ExitStatus> {
    // The change of account has cleared both, so they can only be set here.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // A service that ended before that sends no signal any more.
    if getppid() != Some(service) {
        return Err(std::io::Error::other("the service has ended"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // Standard input carries OpenVPN's configuration; the environment is empty already.
        let mut openvpn = openvpn.spawn()?;
        tokio::select! {
            status = openvpn.wait() => status,
            _ = terminate.recv() => end(&mut openvpn).await,
            _ = interrupt.recv() => end(&mut openvpn).await,
        }
    })
}

async fn end(openvpn: &mut Child) -> std::io::Result<ExitStatus> {
    let pid = openvpn
        .id()
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid {
        kill_process(pid, Signal::TERM)?;
    }
    match tokio::time::timeout(GRACE, openvpn.wait()).await {
        Ok(status) => status,
        Err(_) => {
            openvpn.start_kill()?;
            openvpn.wait().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_openvpn_ended_survives_the_supervisor_s_exit_code() {
        let killed = ExitStatus::from_raw(9);
        assert_eq!(code(killed), 137);
        assert_eq!(
            describe(ExitStatus::from_raw(137 << 8)).to_string(),
            "killed by signal 9"
        );
        let exited = describe(ExitStatus::from_raw(1 << 8));
        assert_eq!(exited.to_string(), "exit code 1");
        assert_eq!(
            describe(killed).to_string(),
            "its supervisor was killed by signal 9"
        );
    }
}
