//! What the service gives up before it does anything: all that a child of it could inherit.
//!
//! OpenVPN meets the internet, so it has to be without privileges from its first instruction. The
//! bounding set, `no_new_privs` and the limits are inherited, so the service sets them for itself;
//! the account is changed when the supervisor is started.

use crate::kernel;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set, set_no_new_privs};
use std::io;

/// Gives up what no child may have: inherited descriptors, core dumps, capabilities, set-user-ID.
pub(crate) fn reduce() -> io::Result<()> {
    kernel::close_inherited_on_exec()?;
    // The service holds secrets: neither a core file nor another process may show its memory.
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    set_no_new_privs(true)?;
    // What a killed supervisor leaves comes to the service, which sees to its end.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    for capability in CapabilitySet::all() {
        match remove_capability_from_bounding_set(capability) {
            // Unknown to this kernel.
            Ok(()) | Err(Errno::INVAL) => {}
            // Without CAP_SETPCAP (NetworkManager's unit has not got it) the set cannot be made
            // smaller; no_new_privs then sees to it that a program gains nothing from it.
            Err(Errno::PERM) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
