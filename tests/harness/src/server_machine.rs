//! The server machine alone, for a client that is no machine of ours: a virtual one.

use crate::endpoint::{Endpoint, EndpointOptions};
use crate::events::Events;
use crate::lab::{self, Browser};
use crate::machines;
use crate::world::World;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The server machine with the endpoint, and a tap named `eth0` where its cable begins. Dropping it
/// takes everything down.
#[derive(Debug)]
pub struct ServerMachine {
    endpoint: Endpoint,
    /// The machine.
    pub world: World,
    dir: PathBuf,
}

impl ServerMachine {
    /// Starts it; returns when the endpoint is ready.
    #[must_use]
    pub fn start(options: &EndpointOptions) -> Self {
        let dir = lab::new_directory();
        lab::write_browser_plan(&dir, &Browser::Scripted);
        let world = World::start("server", &dir, None, "");
        world.check(["ip", "tuntap", "add", "dev", "eth0", "mode", "tap"]);
        machines::give_addresses(&world);
        let endpoint = Endpoint::start(&world, options);
        Self {
            endpoint,
            world,
            dir,
        }
    }

    /// The directory that the machine sees as `/run/lab`: its logs are in `logs`.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the endpoint saw.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.endpoint.events
    }

    /// Sends the endpoint a command, see its README.
    pub fn endpoint_command(&mut self, command: &Value) {
        self.endpoint.command(command);
    }
}

impl Drop for ServerMachine {
    fn drop(&mut self) {
        lab::leave(&self.dir);
    }
}
