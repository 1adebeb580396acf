//! A network namespace that all processes of a test program share.
//!
//! A server needs a tun device, and the ports are nobody else's. Nothing of the machine's own
//! network is touched; the namespace is gone when the test program is.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// The namespace, kept by a process that ends when its standard input is closed.
#[derive(Debug)]
pub(crate) struct Network {
    keeper: Child,
    by_root: bool,
    next_port: AtomicU16,
}

impl Network {
    /// The namespace of this test program, made at the first call.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Network> = OnceLock::new();
        SHARED.get_or_init(Self::make)
    }

    fn make() -> Self {
        let by_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let mut command = Command::new("unshare");
        if !by_root {
            command.args(["--user", "--map-root-user"]);
        }
        let mut keeper = command
            .args(["--net", "sh", "-c"])
            .arg("ip link set lo up && echo up && read -r end")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the unshare program; `make deps` installs it");
        let mut line = String::new();
        let output = keeper.stdout.as_mut().expect("a pipe");
        let _ = BufReader::new(output).read_line(&mut line);
        assert_eq!(
            line.trim(),
            "up",
            "cannot make a network namespace; run the tests as root"
        );
        Self {
            keeper,
            by_root,
            next_port: AtomicU16::new(20_000),
        }
    }

    /// A port that no other process of the namespace has had.
    pub(crate) fn port(&self) -> u16 {
        self.next_port.fetch_add(1, Ordering::Relaxed)
    }

    /// A command that runs `program` in the namespace, as the process that is started.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={}", self.keeper.id()));
        if !self.by_root {
            command.args(["--user", "--preserve-credentials"]);
        }
        command.arg("--net").arg(program);
        command
    }
}
