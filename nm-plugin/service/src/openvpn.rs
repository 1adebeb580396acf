//! An OpenVPN with its management socket and its device: the one that carries the traffic, or a
//! second one beside it that fetches a challenge.

pub(crate) mod confinement;
pub(crate) mod management_socket;
mod pkcs11_module;
pub(crate) mod process;
mod runtime_dir;
pub(crate) mod supervisor;
pub(crate) mod tun_device;

use crate::account::{self, Account};
use crate::journal;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_session::management::{self, Line, Notification};
use aws_client_vpn_session::openvpn::{self, LaunchParameters};
use aws_client_vpn_session::session::Input;
use aws_client_vpn_text::redact::for_journal;
use management_socket::ManagementSocket;
use process::OpenVpnProcess;
use runtime_dir::RuntimeDir;
use std::time::Duration;
use tun_device::TunDevice;

/// How long the kernel may take for a process that was killed.
const END_LIMIT: Duration = Duration::from_secs(2);

/// An OpenVPN that was started.
pub(crate) struct LaunchedOpenVpn {
    pub(crate) process: OpenVpnProcess,
    pub(crate) management: ManagementSocket,
    pub(crate) device: TunDevice,
}

impl LaunchedOpenVpn {
    /// Makes a device and a management socket, and starts an OpenVPN of this profile on them.
    pub(crate) fn by(profile: &Profile) -> Result<Self, String> {
        let account = account::look_up().map_err(|error| journal::chain(&error))?;
        let mut management = listen(account)
            .map_err(|error| format!("no management socket could be made under /run: {error}"))?;
        let socket_path = management.path().unwrap_or_default();
        let socket_path = socket_path
            .to_str()
            .ok_or("the path of the socket is not text")?;
        let pkcs11_module = profile
            .pkcs11_id()
            .map(|_| pkcs11_module::find(profile.pkcs11_provider()))
            .transpose()
            .map_err(|error| error.to_string())?;
        let device = TunDevice::create(account.uid)
            .map_err(|error| format!("no tun device could be made: {error}"))?;
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
                return Err(error.to_string());
            }
        };
        if let Some(pid) = process.supervisor_pid() {
            management.expect_child_of(pid);
        }
        Ok(Self {
            process,
            management,
            device,
        })
    }

    /// Ends it, and takes away all that belongs to it.
    pub(crate) async fn end(mut self) {
        self.process.kill();
        if tokio::time::timeout(END_LIMIT, self.process.ended())
            .await
            .is_err()
        {
            tracing::warn!("the second OpenVPN does not end");
        }
        self.process.reap_orphans().await;
        if let Err(error) = self.device.remove() {
            let name = self.device.name();
            tracing::warn!("could not remove the interface {name}: {error}");
        }
    }

    /// What a second one says next, or how it ended.
    pub(crate) async fn next(&mut self) -> Input {
        loop {
            let line = tokio::select! {
                biased;
                line = self.management.next_line() => line,
                how = self.process.ended() => return Input::SecondEnded(how),
            };
            match line {
                Ok(Some(Line::Complete(line))) => {
                    let notification = management::decode(line.expose());
                    if let Notification::Log { text, .. } = &notification {
                        tracing::info!("second openvpn: {}", for_journal(text.expose()));
                    }
                    return Input::Second(notification);
                }
                Ok(Some(Line::TooLong)) => {}
                Ok(None) => return Input::SecondEnded(self.process.ended().await),
                Err(error) => return Input::SecondEnded(error.to_string()),
            }
        }
    }
}

fn listen(account: Account) -> std::io::Result<ManagementSocket> {
    ManagementSocket::listen(RuntimeDir::create(account)?, account)
}
