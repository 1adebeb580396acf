//! The tun device of a connection: made by the service, owned by the account OpenVPN runs as.
//!
//! OpenVPN has no capability, so it can only attach to a device that is there already, and such a
//! device has to be persistent. It is taken away again by whichever of the two that watch OpenVPN
//! is left: the supervisor, or the service.

use crate::kernel;
use std::fs::File;
use std::io;
use std::path::Path;

/// The kernel puts the first free number in the place of `%d`.
const NAME_PATTERN: &str = "awsvpn%d";

/// Makes a persistent device that `owner` may attach to, and returns its name.
pub(crate) fn create(owner: u32) -> io::Result<String> {
    let tun = open()?;
    let name = kernel::attach_tun(&tun, NAME_PATTERN)?;
    kernel::set_tun_owner(&tun, owner)?;
    kernel::set_tun_persistent(&tun, true)?;
    Ok(name)
}

/// Removes the device `name` if it is there. Nobody may be attached to it any more.
pub(crate) fn remove(name: &str) -> io::Result<()> {
    if !exists(name) {
        return Ok(());
    }
    let tun = open()?;
    kernel::attach_tun(&tun, name)?;
    kernel::set_tun_persistent(&tun, false)
}

fn exists(name: &str) -> bool {
    Path::new("/sys/class/net").join(name).exists()
}

fn open() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/net/tun")
}
