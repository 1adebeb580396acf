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
//! If the kernel lacks one of them, the other remains, and the service logs it. A PKCS #11
//! module is foreign code with needs of its own (daemons, locks, files in its vendor's directories), so
//! with a security token neither is used; OpenVPN then is unprivileged as before.

use landlock::{
    ABI, Access, AccessFs, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus,
};
use libseccomp::error::SeccompError;
use libseccomp::{ScmpAction, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The first argument that makes this executable confine itself. Then follow OpenVPN's path and
/// arguments.
pub(crate) const ARGUMENT: &str = "--confined-openvpn";

/// What a line on standard error begins with that the service's log has to have.
pub(crate) const NOTE: &str = "confinement: ";

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
        Err(error) => eprintln!("{NOTE}Landlock: {error}; OpenVPN sees files as any user does"),
    }
    // Its memory holds keys and answers. (The program that it becomes is dumpable again.)
    crate::privileges::make_no_core_files();
    if let Err(error) = close_kernel() {
        eprintln!("{NOTE}seccomp: {error}; OpenVPN may use all system calls");
    }
    let error = Command::new(&program).args(arguments).exec();
    eprintln!("could not run {}: {error}", program.display());
    ExitCode::from(127)
}

/// Directories and files that may be read: libraries, what the linker and the TLS library are set up
/// with, the zones of the clock.
const READABLE: [&str; 17] = [
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/lib",
    "/lib64",
    // NixOS and Guix keep each library in a directory of its own in there.
    "/nix/store",
    "/gnu/store",
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

/// The dynamic linker that `program` names in its ELF header (`PT_INTERP`), which the kernel
/// executes for it. It has another name on each processor, with each C library, and on systems that
/// keep every version in a directory of its own. A program that is linked statically has none.
fn linker_of(program: &OsStr) -> io::Result<Option<OsString>> {
    const LONGEST_PATH: u64 = 4096;
    let file = File::open(program)?;
    let at = |offset: u64, length: u64| -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    };
    // As wide as addresses are, in the order of bytes of this processor: it is to run it.
    let number = |bytes: &[u8]| {
        let in_order: &mut dyn Iterator<Item = &u8> = if cfg!(target_endian = "little") {
            &mut bytes.iter().rev()
        } else {
            &mut bytes.iter()
        };
        in_order.fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte))
    };
    let no_elf = || io::Error::new(io::ErrorKind::InvalidData, "it is no program in ELF");
    let header = at(0, 64)?;
    // Where the headers of segments are, how long one is, how many there are; in each of them,
    // where the segment lies in the file, and its length.
    let (table, size, count, offset_in, length_in) = match header.get(..5) {
        Some([0x7f, b'E', b'L', b'F', 1]) => (28..32, 42..44, 44..46, 4..8, 16..20),
        Some([0x7f, b'E', b'L', b'F', 2]) => (32..40, 54..56, 56..58, 8..16, 32..40),
        _ => return Err(no_elf()),
    };
    let (table, size) = (number(&header[table]), number(&header[size]));
    if size < 32 {
        return Err(no_elf());
    }
    for index in 0..number(&header[count]) {
        let start = table.checked_add(index * size).ok_or_else(no_elf)?;
        let segment = at(start, size)?;
        if number(&segment[..4]) != 3 {
            continue;
        }
        let length = number(segment.get(length_in).ok_or_else(no_elf)?);
        if length > LONGEST_PATH {
            return Err(no_elf());
        }
        let mut path = at(number(&segment[offset_in]), length)?;
        path.truncate(
            path.iter()
                .position(|byte| *byte == 0)
                .unwrap_or(path.len()),
        );
        return Ok(Some(OsString::from_vec(path)));
    }
    Ok(None)
}

fn close_file_system(program: &OsStr) -> Result<RulesetStatus, Box<dyn Error>> {
    let abi = ABI::V5;
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let program_access = AccessFs::ReadFile | AccessFs::Execute;
    let linker = linker_of(program)
        .map_err(|error| format!("OpenVPN's dynamic linker cannot be found: {error}"))?;
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(abi))?
        .create()?;
    let rules = READABLE
        .map(|path| (OsStr::new(path), AccessFs::ReadFile | AccessFs::ReadDir))
        .into_iter()
        .chain(DEVICES.map(|path| (OsStr::new(path), device)))
        .chain(linker.iter().map(|path| (path.as_os_str(), program_access)))
        .chain([(program, program_access)]);
    for (path, access) in rules {
        // What is not there needs no leave to be read.
        if let Ok(opened) = PathFd::new(path) {
            ruleset = ruleset.add_rule(PathBeneath::new(opened, access))?;
        }
    }
    Ok(ruleset.restrict_self()?.ruleset)
}

fn close_kernel() -> Result<(), SeccompError> {
    let mut filter = ScmpFilterContext::new(ScmpAction::Errno(libc::ENOSYS))?;
    allow(&mut filter)?;
    filter.load()?;
    Ok(())
}

fn allow(filter: &mut ScmpFilterContext) -> Result<(), SeccompError> {
    for name in system_calls() {
        // What an older library does not know, nothing here uses; what this processor does not
        // have, it leaves out.
        if let Ok(call) = ScmpSyscall::from_name(name) {
            filter.add_rule(ScmpAction::Allow, call)?;
        }
    }
    for family in SOCKET_FAMILIES {
        allow_if(
            filter,
            "socket",
            argument(0, u32::MAX, family.unsigned_abs()),
        )?;
    }
    for command in FCNTL_COMMANDS {
        for call in ["fcntl", "fcntl64"] {
            allow_if(filter, call, argument(1, u32::MAX, command))?;
        }
    }
    for (mask, request) in IOCTL_REQUESTS {
        allow_if(filter, "ioctl", argument(1, mask, request))?;
    }
    // To itself, as abort(3) does, and of itself: OpenVPN has this process's number. Those of other
    // connections run as the same user.
    let own = std::process::id();
    allow_if(filter, "tgkill", argument(0, u32::MAX, own))?;
    for process in [0, own] {
        allow_if(filter, "prlimit64", argument(0, u32::MAX, process))?;
    }
    Ok(())
}

fn allow_if(
    filter: &mut ScmpFilterContext,
    call: &str,
    condition: ScmpArgCompare,
) -> Result<(), SeccompError> {
    let call = ScmpSyscall::from_name(call)?;
    filter.add_rule_conditional(ScmpAction::Allow, call, &[condition])?;
    Ok(())
}

/// That an argument has this value where `mask` has ones. The kernel looks at no more of an `int` than
/// its 32 bits.
fn argument(index: u32, mask: u32, value: u32) -> ScmpArgCompare {
    let op = ScmpCompareOp::MaskedEqual(u64::from(mask));
    ScmpArgCompare::new(index, op, u64::from(value))
}

/// `F_DUPFD` to `F_SETFL`, locks of files, `F_DUPFD_CLOEXEC`. None that
/// has the kernel send signals to another process (`F_SETOWN`, `F_SETSIG`).
const FCNTL_COMMANDS: [u32; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 1030];

/// Those of terminals and tun devices, and those of sockets that are about interfaces: none that has the
/// kernel send signals (`FIOSETOWN`, `SIOCSPGRP`). Those of terminals have other numbers on POWER (`'t'`,
/// not `'T'`), and are refused there: OpenVPN asks only whether it has a terminal, and it has none.
const IOCTL_REQUESTS: [(u32, u32); 4] = [
    (0xff00, 0x5400),
    (0xffff_fff0, 0x8910),
    (0xffff_fff0, 0x8920),
    (0xffff_fff0, 0x8930),
];

/// IP for the endpoint, Unix for the management interface, netlink for the devices' names. Where a program
/// can make sockets by `socketcall` (i386, ppc64el, s390x), a filter does not see the family: the
/// arguments are in memory. libseccomp allows that call there; the C library of i386 and s390x knows no other.
const SOCKET_FAMILIES: [i32; 4] = [
    libc::AF_UNIX,
    libc::AF_INET,
    libc::AF_INET6,
    libc::AF_NETLINK,
];

/// Seen in runs of OpenVPN 2.6 and 2.7 (strace: login, restart and end, on UDP and TCP), with
/// their relatives that other versions and other C libraries use for the same.
const SYSTEM_CALLS: [&str; 9] = [
    // To begin and to end.
    "execve exit exit_group restart_syscall set_tid_address set_robust_list rseq getrlimit prctl \
     uname sysinfo getcwd",
    // Memory.
    "brk mmap mprotect mremap munmap madvise",
    // Files and descriptors.
    "close dup dup3 faccessat faccessat2 fstat lseek newfstatat openat pread64 read readlinkat \
     readv statx write writev getdents64 pipe2",
    // Sockets; `socket` itself is above, with its families.
    "bind connect getpeername getsockname getsockopt recvfrom recvmsg sendmsg sendto setsockopt \
     shutdown",
    // Waiting, time, chance.
    "clock_getres clock_gettime clock_nanosleep epoll_create1 epoll_ctl epoll_pwait futex \
     getrandom gettimeofday nanosleep ppoll pselect6 sched_getaffinity sched_yield",
    // Who am I; signals. `tgkill` is above, to itself only.
    "capget getegid geteuid getgid getgroups getpid getppid gettid getuid rt_sigaction \
     rt_sigprocmask rt_sigreturn sigaltstack",
    // The same with other numbers or wider arguments, on 32 bits.
    "_llseek clock_getres_time64 clock_gettime64 clock_nanosleep_time64 fstat64 fstatat64 \
     futex_time64 getegid32 geteuid32 getgid32 getgroups32 getuid32 mmap2 ppoll_time64 \
     pselect6_time64 recv send ugetrlimit",
    // To keep descriptors and threads in order, on one processor or another.
    "cacheflush set_thread_area set_tls riscv_flush_icache",
    // Older calls for the same, where there are such.
    "access arch_prctl dup2 epoll_create epoll_wait lstat open poll readlink select stat \
     _newselect lstat64 pipe sigreturn stat64 time",
];

fn system_calls() -> impl Iterator<Item = &'static str> {
    SYSTEM_CALLS.iter().flat_map(|calls| calls.split(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use libseccomp::{ScmpArch, ScmpVersion, check_version};

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
            if !cfg!(any(target_arch = "x86", target_arch = "s390x")) {
                assert_eq!(family(AddressFamily::PACKET), Err(Errno::NOSYS));
            }
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
            "clone",
            "clone3",
            "ptrace",
            "process_vm_readv",
            "kill",
            "listen",
            "accept4",
            "bpf",
            "mount",
            "unshare",
            "setns",
            "keyctl",
            "perf_event_open",
            "io_uring_setup",
            "userfaultfd",
            "setuid",
            "capset",
            "unlinkat",
            "renameat2",
            "fchmodat",
        ] {
            assert!(!system_calls().any(|own| own == call), "{call}");
        }
        for call in ["socket", "fcntl", "fcntl64", "ioctl", "prlimit64", "tgkill"] {
            assert!(!system_calls().any(|own| own == call), "has conditions");
        }
    }

    /// The architectures that Debian releases, and which calls of the list's first groups have
    /// another name there, or arguments of another width.
    const ARCHITECTURES: [(ScmpArch, &[&str]); 8] = [
        (ScmpArch::X8664, &[]),
        (ScmpArch::Aarch64, &[]),
        (ScmpArch::Riscv64, &[]),
        (ScmpArch::Ppc64Le, &[]),
        (ScmpArch::S390X, &[]),
        (ScmpArch::Loongarch64, &["getrlimit"]),
        (ScmpArch::Arm, &["getrlimit", "mmap", "newfstatat"]),
        (ScmpArch::X86, &["newfstatat"]),
    ];
    /// How many groups of the list every processor has; the next one is for those of 32 bits.
    const COMMON_GROUPS: usize = 6;

    #[test]
    fn there_is_a_filter_for_each_processor() {
        for (arch, elsewhere) in ARCHITECTURES {
            let is_new = check_version(ScmpVersion::from((2, 6, 1))).unwrap();
            if arch == ScmpArch::Loongarch64 && !is_new {
                continue;
            }
            let mut filter = ScmpFilterContext::new(ScmpAction::Errno(libc::ENOSYS)).unwrap();
            if arch != ScmpArch::native() {
                filter.remove_arch(ScmpArch::native()).unwrap();
                filter.add_arch(arch).unwrap();
            }
            allow(&mut filter).unwrap();
            let mut program = tempfile::tempfile().unwrap();
            filter.export_bpf(&mut program).unwrap();
            // One instruction of eight bytes for each call at least.
            let length = program.metadata().unwrap().len();
            assert!(length > 8 * 80, "{arch:?}: {length}");

            let is_narrow = matches!(arch, ScmpArch::Arm | ScmpArch::X86);
            let groups = COMMON_GROUPS + usize::from(is_narrow);
            let conditional = "socket fcntl ioctl tgkill prlimit64";
            let missing: Vec<&str> = SYSTEM_CALLS[..groups]
                .iter()
                .chain([&conditional])
                .flat_map(|calls| calls.split(' '))
                .filter(|call| {
                    let number = i32::from(ScmpSyscall::from_name_by_arch(call, arch).unwrap());
                    // From -120 to -101 are those of sockets that are one call there, `socketcall`.
                    number < -120 || (-100..0).contains(&number)
                })
                .collect();
            assert_eq!(missing, elsewhere, "{arch:?}");
        }
    }

    #[test]
    fn each_call_on_the_list_is_one_that_some_processor_has() {
        for call in system_calls() {
            assert!(ScmpSyscall::from_name(call).is_ok(), "{call}");
        }
    }

    #[test]
    fn the_linker_is_the_one_that_the_program_names() {
        let own = std::env::current_exe().unwrap();
        let linker = linker_of(own.as_os_str()).unwrap().unwrap();
        assert!(File::open(&linker).is_ok(), "{}", linker.display());
        let listed = std::process::Command::new(&linker)
            .arg("--list")
            .arg(&own)
            .output();
        assert!(listed.unwrap().status.success(), "{}", linker.display());
    }

    #[test]
    fn what_is_no_program_names_no_linker() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // A table of segments that lies past the end of all files.
        // (Where it lies is written from byte 28 on in 32 bits, from 32 on in 64.)
        program[28..40].fill(0xff);
        program.truncate(4096);
        for content in [
            &b""[..],
            b"#!/bin/sh\n",
            &[0x7f; 64],
            b"\x7fELF\x02",
            &program,
        ] {
            std::fs::write(&path, content).unwrap();
            assert!(linker_of(path.as_os_str()).is_err(), "{content:?}");
        }
    }
}
