//! What the service gives up before it does anything: all that a child of it could inherit, and all
//! that it does not use itself.
//!
//! OpenVPN meets the internet, so it has to be without privileges from its first instruction. The
//! bounding set, `no_new_privs` and the timeouts are inherited, so the service sets them for itself;
//! the account is changed when the supervisor is started.

use crate::kernel;
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};
use std::io;

/// Gives up what no child may have: inherited descriptors, core dumps, capabilities, set-user-ID.
pub(crate) fn reduce() -> io::Result<()> {
    kernel::close_inherited_on_exec()?;
    // The service holds secrets: neither a core file nor another process may show its memory.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    make_no_core_files();
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
    keep_only_what_is_used()
}

/// No core file of this process and its children. A limit of no byte counts for files only: what crashes
/// is written into a pipe all the same, if that is where the system wants it (core(5)). One byte is too
/// few for a file, and for the kernel the sign that nothing is to be written into a pipe either
/// (`do_coredump`). The hard limit stays: SELinux lets nobody of
/// NetworkManager's domain change it, and an unprivileged child gains nothing by raising its own.
/// A process that is not dumpable makes none anyway, so a failure here ends nothing.
pub(crate) fn make_no_core_files() {
    let maximum = getrlimit(Resource::Core).maximum;
    let limit = Rlimit {
        current: Some(maximum.map_or(1, |most| most.min(1))),
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Core, limit) {
        tracing::warn!("core files cannot be forbidden: {error}");
    }
}

/// What the service itself does as root: it makes tun devices, starts OpenVPN as another user, and
/// ends it. It opens files as their owner; no right over other people's is needed.
const USED: CapabilitySet = CapabilitySet::NET_ADMIN
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::KILL);

fn keep_only_what_is_used() -> io::Result<()> {
    // A service that is not root (in a test) has none of them.
    let permitted = capabilities(None)?.permitted & USED;
    set_capabilities(
        None,
        CapabilitySets {
            effective: permitted,
            permitted,
            inheritable: CapabilitySet::empty(),
        },
    )?;
    Ok(())
}
