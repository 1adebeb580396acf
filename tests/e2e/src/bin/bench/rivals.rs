//! Those whose connections are measured.

use crate::site::{NODE, Push, Site, name_of};
use aws_client_vpn_harness::{ASKING_VPN, IDLE_VPN, Process};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// One way to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rival {
    /// Two handshakes of our OpenVPN, and nothing else.
    Floor,
    /// Our plugin, signing in with SAML.
    Saml,
    /// Our plugin, with a certificate.
    Certificate,
    /// NetworkManager-openvpn, with the same certificate.
    NetworkManagerOpenVpn,
    /// Debian's OpenVPN by itself, with the same certificate.
    StockOpenVpn,
    /// NetworkManager with a VPN that does nothing.
    IdleVpn,
    /// The same, which asks for a secret first.
    AskingVpn,
}

impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Floor => "a  two bare handshakes of our OpenVPN (the floor)",
            Self::Saml => "b  our nmcli up, SAML",
            Self::Certificate => "c  our nmcli up, certificate",
            Self::NetworkManagerOpenVpn => "d  NetworkManager-openvpn's nmcli up, certificate",
            Self::StockOpenVpn => "e  stock OpenVPN alone, certificate",
            Self::IdleVpn => "f  nmcli up of a VPN that does nothing",
            Self::AskingVpn => "g  the same, which asks an agent for a secret first",
        })
    }
}

impl Rival {
    pub(crate) const ALL: [Self; 7] = [
        Self::Floor,
        Self::Saml,
        Self::Certificate,
        Self::NetworkManagerOpenVpn,
        Self::StockOpenVpn,
        Self::IdleVpn,
        Self::AskingVpn,
    ];

    /// Brings a connection up, lets `meanwhile` look, and takes it down; the time to the first.
    pub(crate) fn measure(
        self,
        site: &Site,
        push: Push,
        meanwhile: impl FnOnce(&Site),
    ) -> Duration {
        match self {
            Self::Floor => floor(site, push),
            Self::Saml
            | Self::Certificate
            | Self::NetworkManagerOpenVpn
            | Self::IdleVpn
            | Self::AskingVpn => {
                let name = self.connection(push);
                let mut took = site.up(&name);
                if self == Self::Saml {
                    took = took.saturating_sub(site.login_took());
                }
                meanwhile(site);
                site.down(&name);
                took
            }
            Self::StockOpenVpn => {
                let (process, took) = stock(site, push);
                meanwhile(site);
                end(site, process);
                took
            }
        }
    }

    /// The name of its connection in NetworkManager, where it has one.
    pub(crate) fn connection(self, push: Push) -> String {
        match self {
            Self::Saml => name_of("saml", push),
            Self::Certificate => name_of("certificate", push),
            Self::NetworkManagerOpenVpn => name_of("rival", push),
            Self::IdleVpn => IDLE_VPN.to_owned(),
            Self::AskingVpn => ASKING_VPN.to_owned(),
            Self::Floor | Self::StockOpenVpn => String::new(),
        }
    }
}

fn floor(site: &Site, push: Push) -> Duration {
    let bench = std::env::current_exe().expect("/proc is there");
    let name = bench.file_name().expect("a program has a name");
    let program = format!("/run/lab-programs/{}", name.to_string_lossy());
    let words = [&program, "floor", site.saml_profile(push), NODE];
    let text = site.lab.client.check(words);
    Duration::from_micros(text.trim().parse().expect("the floor prints a number"))
}

/// Starts stock OpenVPN; returns when it says that it is up.
pub(crate) fn stock(site: &Site, push: Push) -> (Process, Duration) {
    let mut command = site.lab.client.command("/usr/sbin/openvpn");
    command
        .args(["--config", site.certificate_profile(push)])
        .stdout(Stdio::piped());
    let started = Instant::now();
    let mut process = site.lab.client.spawn("openvpn", &mut command);
    let stdout = process.entrance.stdout.take().expect("it is piped");
    let mut lines = BufReader::new(stdout).lines();
    let mut said = Vec::new();
    loop {
        let line = lines.next().and_then(Result::ok);
        let Some(line) = line else {
            panic!("stock OpenVPN has ended: {}", said.join("\n"));
        };
        if line.contains("Initialization Sequence Completed") {
            break;
        }
        said.push(line);
    }
    let took = started.elapsed();
    // It must not wait for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    (process, took)
}

/// Ends stock OpenVPN as Ctrl-C does, so that its routes go.
pub(crate) fn end(site: &Site, mut process: Process) {
    process.signal(rustix::process::Signal::INT);
    assert!(
        process.ended_within(Duration::from_secs(20)),
        "stock OpenVPN does not end"
    );
    site.wait_until_idle();
}
