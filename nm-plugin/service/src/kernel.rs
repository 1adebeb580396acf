//! The few kernel calls that no safe wrapper exists for. All unsafe code of the service is here.
#![expect(
    unsafe_code,
    reason = "ioctls on /dev/net/tun, close_range and timers have no safe wrapper"
)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// The bytes of an interface name, the closing NUL included (IFNAMSIZ, linux/if.h).
pub(crate) const INTERFACE_NAME_SIZE: usize = libc::IFNAMSIZ;

/// Attaches `tun`, an open `/dev/net/tun`, to the interface `name`, which is made if it is not
/// there; a `%d` in the name is replaced with the first free number. Returns the name.
pub(crate) fn attach_tun(tun: &File, name: &str) -> io::Result<String> {
    if name.len() >= INTERFACE_NAME_SIZE {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: ifreq is plain old data; all zeroes is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        // A character has a sign on some processors only.
        *to = libc::c_char::from_ne_bytes([from]);
    }
    let flags = libc::IFF_TUN | libc::IFF_NO_PI;
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(flags).unwrap_or(0);
    // SAFETY: TUNSETIFF reads and writes one ifreq, which lives for the whole call.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, &raw mut request) })?;
    let name = request.ifr_name.iter().take_while(|&&byte| byte != 0);
    Ok(name
        .flat_map(|byte| byte.to_ne_bytes())
        .map(char::from)
        .collect())
}

/// Lets the user `uid` attach to the interface that `tun` is attached to.
pub(crate) fn set_tun_owner(tun: &File, uid: u32) -> io::Result<()> {
    // SAFETY: TUNSETOWNER takes a number, not a pointer.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETOWNER, libc::c_ulong::from(uid)) })
}

/// Lets the interface that `tun` is attached to outlive its last user, or not.
pub(crate) fn set_tun_persistent(tun: &File, persistent: bool) -> io::Result<()> {
    let value = libc::c_ulong::from(persistent);
    // SAFETY: TUNSETPERSIST takes a number, not a pointer.
    check(unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETPERSIST, value) })
}

/// Keeps every descriptor but the three standard ones from the programs that are executed later.
pub(crate) fn close_inherited_on_exec() -> io::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC.cast_signed();
    // SAFETY: the call changes flags of descriptors only; it closes none in this process.
    check(unsafe { libc::close_range(3, libc::c_uint::MAX, flags) })
}

/// Has the kernel kill this process, also one that was stopped, if [`Self::put_off`] is not called
/// again in time.
pub(crate) struct DeadMansSwitch(libc::timer_t);

impl DeadMansSwitch {
    /// A timer that is not armed yet.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: sigevent is plain old data; all zeroes is a valid value.
        let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
        event.sigev_notify = libc::SIGEV_SIGNAL;
        event.sigev_signo = libc::SIGKILL;
        let mut timer = std::ptr::null_mut();
        // SAFETY: timer_create reads the one and writes the other; both live for the whole call.
        check(unsafe {
            libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer)
        })?;
        Ok(Self(timer))
    }

    /// Kills no earlier than after `limit` from now.
    pub(crate) fn put_off(&self, limit: Duration) -> io::Result<()> {
        // SAFETY: itimerspec is plain old data; all zeroes is a valid value.
        let mut due: libc::itimerspec = unsafe { std::mem::zeroed() };
        due.it_value.tv_sec = limit.as_secs().try_into().unwrap_or(libc::time_t::MAX);
        // SAFETY: timer_settime reads one itimerspec; the timer lives as long as this value.
        check(unsafe { libc::timer_settime(self.0, 0, &raw const due, std::ptr::null_mut()) })
    }
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
