//! One OpenVPN process, with its management interface and its log.

use crate::network::Network;
use crate::{Certificates, Management};
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// Which program is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Our patched client.
    Patched,
    /// The patched server for tests.
    TestServer,
    /// Debian's.
    Stock,
}

/// How client and server talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

/// What the process is, and on which port of loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A client of the server on this port.
    Client(Transport, u16),
    /// A server; `certificate` says whether its clients need one.
    Server(Transport, u16, bool),
}

/// A running OpenVPN; it is killed when this is dropped.
#[derive(Debug)]
pub struct OpenVpn {
    /// Its management interface.
    pub management: Management,
    child: Child,
    log: Arc<(Mutex<String>, Condvar)>,
    _directory: TempDir,
}

impl Program {
    /// Where the program is: in `$OPENVPN_DIR` or cargo's target directory, or Debian's.
    ///
    /// When it is not there.
    pub fn path(self) -> PathBuf {
        let built = |name: &str| {
            let target = std::env::var_os("OPENVPN_DIR").map_or_else(target, PathBuf::from);
            target.join(name).join("openvpn")
        };
        let (path, remedy) = match self {
            Self::Patched => (built("openvpn"), "make openvpn"),
            Self::TestServer => (built("openvpn-server"), "make openvpn-for-tests"),
            Self::Stock => (PathBuf::from("/usr/sbin/openvpn"), "make deps"),
        };
        assert!(
            path.exists(),
            "{} is not there: run `{remedy}`",
            path.display()
        );
        path
    }
}

/// Cargo's target directory: the running test is `debug/deps/NAME` in it.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("/proc is there");
    let target = test.ancestors().nth(3);
    target
        .expect("cargo builds tests three directories deep")
        .to_owned()
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Udp, Self::Tcp];
}

impl OpenVpn {
    /// Starts a server with management-client-auth, and waits until it takes clients.
    pub fn server(program: Program, transport: Transport, options: &[&str]) -> (Self, u16) {
        Self::server_with(program, transport, false, options)
    }

    /// As [`OpenVpn::server`], for clients that have a certificate.
    pub fn server_with(
        program: Program,
        transport: Transport,
        certificate: bool,
        options: &[&str],
    ) -> (Self, u16) {
        let port = Network::shared().port();
        let mut server = Self::start(program, Role::Server(transport, port, certificate), options);
        server.management.send("state on");
        server.management.send("hold release");
        server.management.wait_state("CONNECTED");
        (server, port)
    }

    /// Starts a client and lets it go.
    pub fn client(program: Program, transport: Transport, port: u16, options: &[&str]) -> Self {
        let mut client = Self::start(program, Role::Client(transport, port), options);
        client.management.send("state on");
        client.management.send("hold release");
        client
    }

    /// Starts a process; it waits for `hold release`.
    ///
    /// When it does not come up; with its log.
    pub fn start(program: Program, role: Role, options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let socket = directory.path().join("management");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let mut child = Network::shared()
            .command(&program.path())
            .args(arguments(role, &socket))
            .args(options)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("OpenVPN starts");
        let log = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let ended = keep_log(&mut child, Arc::clone(&log), &socket);
        let (stream, _) = listener.accept().expect("a connection");
        if ended.load(std::sync::atomic::Ordering::SeqCst) {
            panic!(
                "{program:?} ended at once:\n{}",
                log.0.lock().expect("a log")
            );
        }
        Self {
            management: Management::new(stream, format!("{program:?} {role:?}")),
            child,
            log,
            _directory: directory,
        }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged until now.
    pub fn log(&self) -> String {
        self.log.0.lock().expect("a log").clone()
    }

    /// Waits until the log has `text` at least `times` times.
    ///
    /// When that takes more than 60 seconds.
    pub fn wait_log(&self, text: &str, times: usize) {
        let (log, news) = &*self.log;
        let log = log.lock().expect("a log");
        let (log, waited) = news
            .wait_timeout_while(log, Duration::from_secs(180), |log| {
                log.matches(text).count() < times
            })
            .expect("a log");
        assert!(
            !waited.timed_out(),
            "{text:?} is not {times} times in the log:\n{log}"
        );
    }

    /// Resident memory, in KiB.
    ///
    /// When the process is gone.
    pub fn resident_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))
            .expect("a running process");
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|value| value.trim().trim_end_matches(" kB").parse().ok())
            .expect("a number")
    }

    /// How many times `text` is in the memory that the process can write.
    ///
    /// When the process is gone, or its memory may not be read.
    pub fn copies_in_memory(&self, text: &[u8]) -> usize {
        use std::os::unix::fs::FileExt;
        let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid()))
            .expect("a running process");
        let memory = std::fs::File::open(format!("/proc/{}/mem", self.pid()))
            .expect("the memory of a child");
        let mut copies = 0;
        for map in maps.lines() {
            let mut words = map.split(' ');
            let (range, rights) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            if !rights.starts_with("rw") {
                continue;
            }
            let (start, end) = range.split_once('-').expect("a range");
            let number = |hex| u64::from_str_radix(hex, 16).expect("an address");
            let (start, end) = (number(start), number(end));
            let mut bytes = vec![0; usize::try_from(end - start).expect("a size")];
            if memory.read_exact_at(&mut bytes, start).is_ok() {
                copies += find_all(&bytes, text);
            }
        }
        copies
    }
}

impl Drop for OpenVpn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find_all(bytes: &[u8], text: &[u8]) -> usize {
    let mut found = 0;
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == text[0]) {
        from += at;
        if bytes[from..].starts_with(text) {
            found += 1;
        }
        from += 1;
    }
    found
}

/// Copies the log, and knocks at the socket when the process has ended, so that nobody waits.
fn keep_log(
    child: &mut Child,
    log: Arc<(Mutex<String>, Condvar)>,
    socket: &Path,
) -> Arc<std::sync::atomic::AtomicBool> {
    let output = child.stdout.take().expect("a pipe");
    let socket = socket.to_owned();
    let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            let mut text = log.0.lock().expect("a log");
            text.push_str(&String::from_utf8_lossy(&line));
            log.1.notify_all();
            line.clear();
        }
        flag.store(true, std::sync::atomic::Ordering::SeqCst);
        let _ = std::os::unix::net::UnixStream::connect(socket);
    });
    ended
}

fn arguments(role: Role, socket: &Path) -> Vec<String> {
    let certificates = Certificates::shared();
    let file = |name: &str| certificates.path(name).to_string_lossy().into_owned();
    // A client without a tun does all that is asked of it here; a server insists on one.
    let device = match role {
        Role::Client(..) => "null",
        Role::Server(..) => "tun",
    };
    let mut text = format!(
        "--dev {device} --management {} unix --management-client --management-hold --verb 4 \
         --ca {} --ifconfig-noexec --route-noexec",
        socket.display(),
        file("ca")
    );
    match role {
        Role::Server(transport, port, certificate) => {
            let protocol = match transport {
                Transport::Udp => "udp4",
                Transport::Tcp => "tcp4-server",
            };
            let need = if certificate { "require" } else { "none" };
            text += &format!(
                " --server 10.88.0.0 255.255.255.0 --topology subnet --local 127.0.0.1 \
                 --proto {protocol} --port {port} --dh none --cert {} --key {} \
                 --verify-client-cert {need} --tmp-dir /tmp --keepalive 10 60",
                file("server"),
                file("server-key"),
            );
        }
        Role::Client(transport, port) => {
            let protocol = match transport {
                Transport::Udp => "udp4",
                Transport::Tcp => "tcp4-client",
            };
            text += &format!(
                " --client --nobind --proto {protocol} --remote 127.0.0.1 {port} \
                 --remote-cert-tls server --management-query-passwords --auth-retry interact \
                 --auth-nocache --script-security 0",
            );
        }
    }
    text.split_whitespace().map(str::to_owned).collect()
}
