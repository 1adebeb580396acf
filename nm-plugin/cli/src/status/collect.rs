//! Where the facts of `status` come from: NetworkManager, and /proc for the time of a start.

use super::{State, Status};
use crate::Failure;
use crate::network_manager::{self, NetworkManagerError};
use aws_client_vpn_attempt::last_failure;
use aws_client_vpn_keyring::session_dir::{AWAITS_TURN, session_file};
use std::fs;

/// Asks NetworkManager for the connections.
pub async fn collect() -> Result<Status, NetworkManagerError> {
    let answer = network_manager::ask().await?;
    let mut status = Status::of(answer.stored, &answer.active, started, last_failure);
    for connection in &mut status.connections {
        if connection.state == State::SigningIn && awaits_turn(&connection.uuid) {
            connection.state = State::Queued;
        }
    }
    Ok(status)
}

/// Whether the auth dialog of this user waits until another sign-in is over.
fn awaits_turn(uuid: &str) -> bool {
    session_file(AWAITS_TURN, uuid).is_some_and(|note| note.exists())
}

/// As [`collect`], of the connection called `wanted` alone if one is.
pub(crate) async fn look(wanted: Option<&str>) -> Result<Status, Failure> {
    let status = collect().await?;
    Ok(match wanted {
        Some(wanted) => status.only(wanted)?,
        None => status,
    })
}

/// When the process was started, in seconds since 1970.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let boot = fs::read_to_string("/proc/stat").ok()?;
    start_time(&stat, &boot)
}

/// From `/proc/PID/stat` (proc_pid_stat(5)) and `/proc/stat`, whose `btime` is the boot's time.
fn start_time(stat: &str, system: &str) -> Option<u64> {
    /// USER_HZ; 100 on every Linux that NetworkManager runs on.
    const TICKS: u64 = 100;
    // The name in parentheses may hold anything; what follows the last one is numbers.
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: u64 = fields.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let boot: u64 = system
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?
        .trim()
        .parse()
        .ok()?;
    Some(boot + ticks / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_s_start_is_found_whatever_its_name() {
        let fields = "S 1 2 2 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 12345 1 2";
        for name in ["nm-aws", "a) b (c", "x y"] {
            let stat = format!("77 ({name}) {fields}");
            assert_eq!(
                start_time(&stat, "cpu 1\nbtime 1000\nprocesses 3\n"),
                Some(1123)
            );
        }
        assert_eq!(start_time("77 (x) S 1", "btime 1000"), None);
    }
}
