//! What is left to OpenVPN of the kernel: the calls it was seen to use, and no file to write.
//!
//! OpenVPN has no privilege, but an attacker who takes it over could still try every system call
//! for a hole in the kernel, read what all users may read and leave files behind. So the process
//! that becomes OpenVPN first confines itself:
//!
//! * **Landlock**: the file system is closed but for the libraries and settings that OpenVPN and
//!   its TLS library read, and for its tun device. Nothing else can be read, nothing written, and
//!   no other program executed.
//! * **seccomp**: a list of the system calls that OpenVPN was seen to use. All others
//!   fail with ENOSYS, as on an older kernel: the C library then falls back where it can, and a
//!   library that was upgraded costs a fallback and not the connection. Killing the process
//!   instead would tell an attacker no less and a user much less.
//!
//! Where the kernel has one of them not, the other remains; the service's log says so. A PKCS #11
//! module is foreign code with needs of its own (daemons, locks, files in its vendor's folders), so
//! with a security token neither is used; OpenVPN then is unprivileged as before.

use landlock::{
    ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use thiserror::Error;

/// The first argument that makes this executable confine itself. Then follow OpenVPN's path and
/// arguments.
pub(crate) const ARGUMENT: &str = "--confined-openvpn";

/// What a line on standard error begins with that the service's log has to have.
pub(crate) const NOTE: &str = "confinement: ";

/// One of the two could not be put on.
#[derive(Debug, Error)]
enum ConfinementError {
    /// The rules for files.
    #[error("Landlock: {0}")]
    Landlock(#[from] RulesetError),
    /// The list of system calls.
    #[error("seccomp: {0}")]
    Seccomp(#[from] seccompiler::Error),
    /// The list makes no program.
    #[error("seccomp: {0}")]
    Filter(#[from] seccompiler::BackendError),
}

/// Confines this process and becomes OpenVPN.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let Some(program) = arguments.next() else {
        eprintln!("{ARGUMENT} needs the path of OpenVPN");
        return ExitCode::from(2);
    };
    match close_file_system(&program) {
        Ok(RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced) => {}
        Ok(RulesetStatus::NotEnforced) => {
            eprintln!("{NOTE}this kernel has no Landlock; OpenVPN sees files as any user does");
        }
        Err(error) => eprintln!("{NOTE}{error}; OpenVPN sees files as any user does"),
    }
    // Its memory holds keys and answers. (The program that it becomes is dumpable again.)
    crate::privileges::make_no_core_files();
    if let Err(error) = close_kernel() {
        eprintln!("{NOTE}{error}; OpenVPN may use all system calls");
    }
    let error = Command::new(&program).args(arguments).exec();
    eprintln!("could not run {}: {error}", program.display());
    ExitCode::from(127)
}

/// Folders and files that may be read: libraries, what the linker and the TLS library are set up
/// with, the zones of the clock.
const READABLE: [&str; 15] = [
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/ssl",
    "/etc/pki",
    "/etc/crypto-policies",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/usr/share/crypto-policies",
    "/dev/urandom",
    // Whether the TLS library has to keep to FIPS 140.
    "/proc/sys/crypto/fips_enabled",
];

/// Devices that may be read and written.
const DEVICES: [&str; 2] = ["/dev/net/tun", "/dev/null"];

/// The dynamic linkers, which the kernel executes for OpenVPN.
const LINKERS: [&str; 4] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

fn close_file_system(program: &OsStr) -> Result<RulesetStatus, ConfinementError> {
    let abi = ABI::V5;
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let program_access = AccessFs::ReadFile | AccessFs::Execute;
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .create()?;
    let rules = READABLE
        .map(|path| (OsStr::new(path), AccessFs::ReadFile | AccessFs::ReadDir))
        .into_iter()
        .chain(DEVICES.map(|path| (OsStr::new(path), device)))
        .chain(LINKERS.map(|path| (OsStr::new(path), program_access)))
        .chain([(program, program_access)]);
    for (path, access) in rules {
        // What is not there needs no leave to be read.
        if let Ok(opened) = PathFd::new(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(opened, access))?;
        }
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

fn close_kernel() -> Result<(), ConfinementError> {
    let program = filter()?;
    seccompiler::apply_filter(&program)?;
    Ok(())
}

fn filter() -> Result<BpfProgram, ConfinementError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = SYSTEM_CALLS
        .iter()
        .map(|call| (*call, Vec::new()))
        .collect();
    let socket = SOCKET_FAMILIES
        .iter()
        .map(|family| {
            let family = u64::from(family.unsigned_abs());
            let is_family =
                SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, family)?;
            SeccompRule::new(vec![is_family])
        })
        .collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_socket, socket);
    // To itself, as abort(3) does: OpenVPN has this process's number. Those of other connections
    // run as the same user.
    let own = u64::from(std::process::id());
    let is_own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![is_own])?]);
    let target = TargetArch::try_from(std::env::consts::ARCH)?;
    let otherwise = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    Ok(SeccompFilter::new(rules, otherwise, SeccompAction::Allow, target)?.try_into()?)
}

/// IP for the endpoint, Unix for the management interface, netlink for the devices' names.
const SOCKET_FAMILIES: [i32; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// Seen in runs of OpenVPN 2.6 and 2.7 (strace: login, restart and end, on UDP and TCP), with
/// their relatives that other versions and other C libraries use for the same.
const SYSTEM_CALLS: &[i64] = &[
    // To begin and to end.
    libc::SYS_execve,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_prlimit64,
    libc::SYS_getrlimit,
    libc::SYS_prctl,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getcwd,
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_madvise,
    // Files and descriptors.
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_ioctl,
    libc::SYS_lseek,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_statx,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_getdents64,
    libc::SYS_pipe2,
    // Sockets; `socket` itself is below, with its families.
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    // Waiting, time, chance.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    // Who am I; signals. `tgkill` is below, to itself only.
    libc::SYS_capget,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getgroups,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    // Older calls for the same, on this processor only.
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_arch_prctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_dup2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_create,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_open,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_time,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_lets_through_what_is_on_the_list_and_nothing_else() {
        use rustix::io::Errno;
        use rustix::net::{AddressFamily, SocketType, socket};
        let family = |family| socket(family, SocketType::DGRAM, None).map(drop);
        assert_eq!(family(AddressFamily::INET), Ok(()));
        assert!(std::net::TcpListener::bind("127.0.0.1:0").is_ok());
        // A filter is its thread's.
        let tried = std::thread::spawn(move || {
            close_kernel().unwrap();
            let no_call = Some(libc::ENOSYS);
            assert!(std::fs::read_to_string("/proc/self/stat").is_ok());
            assert_eq!(family(AddressFamily::INET), Ok(()));
            assert_eq!(family(AddressFamily::UNIX), Ok(()));
            assert_eq!(family(AddressFamily::PACKET), Err(Errno::NOSYS));
            let listens = std::net::TcpListener::bind("127.0.0.1:0");
            assert_eq!(listens.unwrap_err().raw_os_error(), no_call);
            let child = std::process::Command::new("true").spawn();
            assert_eq!(child.unwrap_err().raw_os_error(), no_call);
            let own = rustix::process::getpid();
            let killed = rustix::process::test_kill_process(own);
            assert_eq!(killed, Err(Errno::NOSYS));
        });
        tried.join().unwrap();
    }

    #[test]
    fn nothing_that_makes_processes_or_privileges_is_on_the_list() {
        for call in [
            libc::SYS_clone,
            libc::SYS_clone3,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_kill,
            libc::SYS_listen,
            libc::SYS_accept4,
            libc::SYS_bpf,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_keyctl,
            libc::SYS_perf_event_open,
            libc::SYS_io_uring_setup,
            libc::SYS_userfaultfd,
            libc::SYS_setuid,
            libc::SYS_capset,
            libc::SYS_unlinkat,
            libc::SYS_renameat2,
            libc::SYS_fchmodat,
        ] {
            assert!(!SYSTEM_CALLS.contains(&call), "{call}");
        }
        for call in [libc::SYS_socket, libc::SYS_tgkill] {
            assert!(!SYSTEM_CALLS.contains(&call), "has conditions");
        }
    }
}
