//! An OpenVPN with all that belongs to it: its process, its management socket and its device. One
//! carries the traffic; a second one beside it fetches a challenge, and its device never sees a packet.

pub(crate) mod confinement;
mod management_socket;
mod pkcs11_module;
mod process;
mod runtime_dir;
pub(crate) mod supervisor;
pub(crate) mod tun_device;

use crate::account::{self, Account};
use crate::journal;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::well_known::ENDPOINT_FIELD;
use aws_client_vpn_session::management::{self, Command, ControlCharacter, Line, Notification};
use aws_client_vpn_session::openvpn::{self, LaunchParameters};
use aws_client_vpn_text::message;
use aws_client_vpn_text::message::{Localize, Message};
use aws_client_vpn_text::redact::for_journal;
use futures_lite::future::poll_once;
use management_socket::{ManagementSocket, SendError};
use process::OpenVpnProcess;
use runtime_dir::RuntimeDir;
use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tun_device::TunDevice;

/// How often to look whether the tun device is there still.
const DEVICE_INTERVAL: Duration = Duration::from_secs(5);
/// How long after its device the supervisor of an OpenVPN that has ended may take to end, too.
const SUPERVISOR_END_LIMIT: Duration = Duration::from_secs(2);
/// How long what an ended OpenVPN has said may take to be read, and how many lines.
const HEAR_OUT_LIMIT: Duration = Duration::from_secs(1);
const MOST_LAST_LINES: usize = 10_000;

/// What becomes of an OpenVPN.
#[derive(Debug)]
pub(crate) enum Event {
    /// OpenVPN's management interface said something.
    Said(Notification),
    /// OpenVPN is gone; how it ended, in words. All that it said has come before, and nothing
    /// follows.
    Ended(Message),
}

/// An OpenVPN that was started.
pub(crate) struct OpenVpn {
    /// What the journal calls it.
    name: &'static str,
    process: OpenVpnProcess,
    management: Option<ManagementSocket>,
    device: TunDevice,
    device_watch: DeviceWatch,
    end: Option<End>,
}

/// Watches for somebody who removes the device. OpenVPN takes that for a temporary error, but without
/// its device there is no tunnel. The device also goes when OpenVPN has ended, a moment before that
/// is known: then nobody removed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeviceWatch {
    /// It was there, and is looked for again then: not with each line that OpenVPN says.
    Watching { look_at: Instant },
    /// The device is gone, and from then on it is clear that somebody took it.
    Gone { blame: Instant },
    /// Somebody took it, so OpenVPN was killed.
    Taken,
    /// OpenVPN is to end.
    Over,
}

/// A process that has ended, and how much of its last output has been read.
#[derive(Debug)]
struct End {
    how: Message,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waiting for the processes that it left: while one of them lives, OpenVPN may still run.
    Reaping { until: Instant },
    /// What it said before it ended comes before its end.
    HearingOut { until: Instant, lines_left: usize },
    /// What it printed is read.
    Printed { until: Instant },
    /// All is told.
    Told,
}

impl OpenVpn {
    /// Makes a device and a management socket, and starts an OpenVPN of this profile on them, which
    /// the journal calls `name`.
    pub(crate) fn start(profile: &Profile, name: &'static str) -> Result<Self, Message> {
        let account = account::look_up().map_err(|error| error.message())?;
        let mut management = listen(account).map_err(|error| {
            // TRANSLATORS: Follows “OpenVPN could not be started:”
            message!(
                "no management socket could be made under /run: {error}",
                error = error
            )
        })?;
        let socket_path = management.path().unwrap_or_default();
        let socket_path = socket_path.to_str().ok_or_else(|| {
            // TRANSLATORS: Follows “OpenVPN could not be started:”
            message!("the path of the socket is not UTF-8")
        })?;
        let pkcs11_module = profile
            .pkcs11_id()
            .map(|_| pkcs11_module::find(profile.pkcs11_provider()))
            .transpose()
            .map_err(|error| error.message())?;
        let device = TunDevice::create(account.uid).map_err(|error| {
            // TRANSLATORS: Follows “OpenVPN could not be started:”
            message!("no tun device could be made: {error}", error = error)
        })?;
        let parameters = LaunchParameters {
            management_socket: socket_path,
            tun_device: device.name(),
            pkcs11_module: pkcs11_module.as_deref(),
        };
        let launch = openvpn::launch(profile, &parameters);
        let process = match OpenVpnProcess::start(launch, &device, account) {
            Ok(process) => process,
            Err(error) => {
                drop(device.remove());
                return Err(error);
            }
        };
        if let Some(pid) = process.supervisor_pid() {
            management.expect_child_of(pid);
        }
        Ok(Self::of(name, process, management, device))
    }

    fn of(
        name: &'static str,
        process: OpenVpnProcess,
        management: ManagementSocket,
        device: TunDevice,
    ) -> Self {
        Self {
            name,
            process,
            management: Some(management),
            device,
            device_watch: DeviceWatch::Watching {
                look_at: Instant::now(),
            },
            end: None,
        }
    }

    /// The tun device of this OpenVPN.
    pub(crate) fn device(&self) -> &TunDevice {
        &self.device
    }

    /// What becomes of it next. Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.step().await {
                return event;
            }
        }
    }

    async fn step(&mut self) -> Option<Event> {
        if self.end.is_some() {
            return self.next_of_end().await;
        }
        // In no order: one that has something to say all the time does not hide its end.
        tokio::select! {
            line = next_line(&mut self.management) => self.read(line),
            how = self.process.ended() => {
                let until = Instant::now() + process::REAP_LIMIT;
                let how = match self.device_watch {
                    // TRANSLATORS: In parentheses after “OpenVPN ended unexpectedly”
                    DeviceWatch::Taken => message!("its network interface was taken away"),
                    DeviceWatch::Watching { .. } | DeviceWatch::Gone { .. } | DeviceWatch::Over => how,
                };
                self.end = Some(End { how, stage: Stage::Reaping { until } });
                None
            }
            () = due(self.device_watch) => {
                self.look_at_device();
                None
            }
        }
    }

    /// The next step of OpenVPN's end, which comes in steps so that nothing else waits for one.
    async fn next_of_end(&mut self) -> Option<Event> {
        let end = self.end.as_mut()?;
        match end.stage {
            Stage::Reaping { until } => {
                self.process.reap_orphans(until).await;
                end.stage = Stage::HearingOut {
                    until: Instant::now() + HEAR_OUT_LIMIT,
                    lines_left: MOST_LAST_LINES,
                };
                None
            }
            Stage::HearingOut { until, lines_left } => {
                let line = match &mut self.management {
                    Some(management) if management.is_connected() => {
                        timeout_at(until, management.next_line()).await.ok()
                    }
                    Some(management) => poll_once(management.next_line()).await,
                    None => None,
                };
                match (line, lines_left.checked_sub(1)) {
                    (Some(line), Some(lines_left)) => {
                        end.stage = Stage::HearingOut { until, lines_left };
                        self.read(line)
                    }
                    (None, _) | (_, None) => {
                        let until = Instant::now() + process::PIPE_GRACE;
                        end.stage = Stage::Printed { until };
                        None
                    }
                }
            }
            Stage::Printed { until } => {
                let printed = self.process.last_output(until).await;
                // Printed lines matter only where the management interface never came up; the
                // session is told of them then, for the reason stands there.
                let never_connected = self
                    .management
                    .as_ref()
                    .is_some_and(|end| end.path().is_some());
                for line in &printed {
                    let (name, line) = (self.name, for_journal(line));
                    match never_connected {
                        true => tracing::info!("{name} printed: {line}"),
                        false => tracing::debug!("{name} printed: {line}"),
                    }
                }
                let how = end.how.clone();
                end.stage = Stage::Told;
                Some(Event::Ended(match reason(&printed) {
                    Some(reason) if never_connected => Message::new("{0}: {1}")
                        .with("0", &how)
                        .with("1", &for_journal(reason).into_owned()),
                    Some(_) | None => how,
                }))
            }
            Stage::Told => pending().await,
        }
    }

    fn read(&mut self, line: io::Result<Option<Line>>) -> Option<Event> {
        let name = self.name;
        match line {
            Ok(Some(Line::Complete(line))) => {
                let notification = management::decode(line.expose());
                if let Notification::Log(text) = &notification {
                    let shown = for_journal(text.expose());
                    match management::tells_of_endpoint(text.expose()) {
                        true => tracing::info!({ ENDPOINT_FIELD } = true, "{name}: {shown}"),
                        false => tracing::info!("{name}: {shown}"),
                    }
                }
                Some(Event::Said(notification))
            }
            Ok(Some(Line::TooLong)) => {
                tracing::warn!("{name}: ignored an over-long line of its management interface");
                None
            }
            // It is about to end, and tells more by how it does.
            Ok(None) => {
                self.management = None;
                None
            }
            Err(error) => {
                tracing::warn!("{name}: its management interface failed: {error}");
                if error.kind() == io::ErrorKind::TimedOut {
                    self.give_up();
                } else {
                    self.management = None;
                }
                None
            }
        }
    }

    /// Sends one command. An error is one of the command itself: if it cannot be sent for another
    /// reason, the end of this OpenVPN follows, and tells more.
    pub(crate) fn send(&mut self, command: &Command) -> Result<(), ControlCharacter> {
        let sent = match &mut self.management {
            Some(management) => management.send(command),
            None => Err(SendError::NotConnected),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(SendError::Unsendable(error)) => Err(error),
            Err(error) => {
                tracing::warn!("{}", journal::error_chain(&error));
                if let SendError::Stuck = error {
                    self.give_up();
                }
                Ok(())
            }
        }
    }

    /// Kills it: an OpenVPN that does not read its commands would not see a request to end, either.
    fn give_up(&mut self) {
        self.management = None;
        self.process.kill();
    }

    /// Looks at the tun device at once: an interface has changed.
    pub(crate) fn interfaces_changed(&mut self) {
        if let DeviceWatch::Watching { look_at } = &mut self.device_watch {
            *look_at = Instant::now();
        }
    }

    fn look_at_device(&mut self) {
        self.device_watch = match self.device_watch {
            DeviceWatch::Watching { .. } if self.device.is_there() => DeviceWatch::Watching {
                look_at: Instant::now() + DEVICE_INTERVAL,
            },
            DeviceWatch::Watching { .. } => DeviceWatch::Gone {
                blame: Instant::now() + SUPERVISOR_END_LIMIT,
            },
            DeviceWatch::Gone { .. } => {
                tracing::warn!("somebody has taken the tunnel's interface away");
                self.process.kill();
                DeviceWatch::Taken
            }
            DeviceWatch::Taken | DeviceWatch::Over => self.device_watch,
        };
    }

    /// Asks it to end; [`Event::Ended`] follows.
    pub(crate) fn terminate(&mut self) {
        self.is_to_end();
        self.process.terminate();
    }

    /// Ends it at once; [`Event::Ended`] follows.
    pub(crate) fn kill(&mut self) {
        self.is_to_end();
        self.process.kill();
    }

    /// Records that it was asked to end, so that the loss of its device is expected.
    fn is_to_end(&mut self) {
        if let DeviceWatch::Watching { .. } = self.device_watch {
            self.device_watch = DeviceWatch::Over;
        }
    }

    /// Takes away all that belongs to it. If it has not ended, it is killed, and the kernel has so
    /// long for that.
    pub(crate) async fn end(mut self, limit: Duration) {
        self.management = None;
        let until = match self.end.map(|end| end.stage) {
            Some(Stage::Reaping { until }) => Some(until),
            Some(_) => None,
            None => {
                self.process.kill();
                let ended = timeout(limit, self.process.ended()).await;
                if ended.is_err() {
                    tracing::warn!("{} does not end", self.name);
                }
                ended.ok().map(|_| Instant::now() + process::REAP_LIMIT)
            }
        };
        if let Some(until) = until {
            self.process.reap_orphans(until).await;
        }
        if let Err(error) = self.device.remove() {
            let device = self.device.name();
            tracing::warn!("could not remove the interface {device}: {error}");
        }
    }
}

fn listen(account: Account) -> io::Result<ManagementSocket> {
    ManagementSocket::listen(RuntimeDir::create(account)?, account)
}

async fn next_line(management: &mut Option<ManagementSocket>) -> io::Result<Option<Line>> {
    match management {
        Some(management) => management.next_line().await,
        None => pending().await,
    }
}

/// Why an OpenVPN that has printed this ended: its last line, but for an option that it refuses, after
/// which it tells where its help is.
fn reason<'a>(printed: &'a VecDeque<String>) -> Option<&'a str> {
    let refusal = |line: &'a String| Some(&line[line.find("Options error: ")?..]);
    let refusal = printed.iter().find_map(refusal);
    refusal.or(printed.back().map(String::as_str))
}

/// Waits until it is time for [`OpenVpn::look_at_device`].
async fn due(watch: DeviceWatch) {
    match watch {
        DeviceWatch::Watching { look_at: at } | DeviceWatch::Gone { blame: at } => {
            sleep_until(at).await;
        }
        DeviceWatch::Taken | DeviceWatch::Over => pending().await,
    }
}

#[cfg(test)]
mod tests;
