//! The floor: the two handshakes of a SAML login by our OpenVPN alone, driven by the least that
//! can drive it. No D-Bus, no tun device, no routes, no DNS, no supervisor.

use crate::login;
use std::io::{BufRead, BufReader, Error, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Our OpenVPN on the client.
const OPENVPN: &str = "/usr/libexec/nm-aws-client-vpn/openvpn";
const ARGUMENTS: &str = "--config stdin --management-client --management-hold \
    --management-query-passwords --auth-user-pass --auth-retry interact --early-push-request \
    --dev null --ifconfig-noexec --route-noexec --verb 3 --suppress-timestamps";
/// Far more than any phase takes.
const LIMIT: Duration = Duration::from_secs(20);

/// Runs inside the client's namespaces; prints the microseconds without those of the login.
pub(crate) fn main(profile: &str, node: &str) -> ExitCode {
    match handshakes(profile, node) {
        Ok(took) => {
            println!("{}", took.as_micros());
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn handshakes(profile: &str, node: &str) -> Result<Duration, String> {
    let config = pinned(&std::fs::read_to_string(profile).map_err(text)?, node);
    let socket = format!("/tmp/floor-{}", std::process::id());
    let listener = UnixListener::bind(&socket).map_err(text)?;
    let started = Instant::now();
    let mut child = Command::new(OPENVPN)
        .args(ARGUMENTS.split_whitespace())
        .args(["--management", &socket, "unix"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(text)?;
    let outcome = converse(&mut child, &listener, &config);
    let took = started.elapsed();
    drop(child.kill());
    drop(child.wait());
    drop(std::fs::remove_file(&socket));
    Ok(took.saturating_sub(outcome?))
}

/// Until the tunnel is up; how long the login took.
fn converse(child: &mut Child, listener: &UnixListener, config: &str) -> Result<Duration, String> {
    let mut stdin = child.stdin.take().ok_or("standard input is piped")?;
    stdin.write_all(config.as_bytes()).map_err(text)?;
    drop(stdin);
    let (stream, _) = listener.accept().map_err(text)?;
    stream.set_read_timeout(Some(LIMIT)).map_err(text)?;
    say(&stream, "state on\n")?;
    let mut password = "ACS::35001".to_owned();
    let mut login_took = Duration::ZERO;
    let mut lines = BufReader::new(stream.try_clone().map_err(text)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(text)? == 0 {
            return Err("OpenVPN has ended".to_owned());
        }
        let line = String::from_utf8_lossy(&line);
        if line.starts_with(">HOLD:") {
            say(&stream, "hold release\n")?;
        } else if line.starts_with(">PASSWORD:Need 'Auth'") {
            let answer = format!("username \"Auth\" \"N/A\"\npassword \"Auth\" \"{password}\"\n");
            say(&stream, &answer)?;
        } else if let Some(reason) = line.strip_prefix(">PASSWORD:Verification Failed: 'Auth'") {
            let reason = reason
                .trim()
                .trim_start_matches("['")
                .trim_end_matches("']");
            let parts: Vec<&str> = reason.splitn(5, ':').collect();
            let ["CRV1", _, session, _, url] = parts[..] else {
                return Err("the endpoint refused the login".to_owned());
            };
            let (response, took) = login::fetch(url)?;
            login_took += took;
            password = format!("CRV1::{session}::{response}");
        } else if line.starts_with(">STATE:") && line.contains(",CONNECTED,SUCCESS,") {
            return Ok(login_took);
        }
    }
}

fn say(mut stream: &UnixStream, words: &str) -> Result<(), String> {
    stream.write_all(words.as_bytes()).map_err(text)
}

fn text(error: Error) -> String {
    error.to_string()
}

/// The profile for one address: no name is looked up.
pub(crate) fn pinned(profile: &str, node: &str) -> String {
    let mut pinned = String::new();
    for line in profile.lines() {
        match line.strip_prefix("remote ") {
            Some(remote) => {
                let port = remote.split(' ').nth(1).unwrap_or("443");
                pinned.push_str(&format!("remote {node} {port}\n"));
            }
            None if line == "remote-random-hostname" => {}
            None => {
                pinned.push_str(line);
                pinned.push('\n');
            }
        }
    }
    pinned
}

#[cfg(test)]
mod tests {
    use super::pinned;

    #[test]
    fn the_address_takes_the_place_of_the_name() {
        let profile = "client\nremote a.example 1443\nremote-random-hostname\nnobind\n";
        assert_eq!(
            pinned(profile, "192.0.2.1"),
            "client\nremote 192.0.2.1 1443\nnobind\n"
        );
    }
}
