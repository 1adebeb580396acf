//! One machine of the lab: namespaces for network, mounts and processes, held by a process that
//! dies with us.

use crate::process::{self, Process};
use crate::tools::Tools;
use crate::wait::{START_LIMIT, eventually};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Where a lab's directory is seen inside a world.
pub(crate) const LAB_INSIDE: &str = "/run/lab";
/// Where the test programs are seen inside a world.
pub(crate) const PROGRAMS_INSIDE: &str = "/run/lab-programs";
/// Where the workspace's target directory is seen inside a world.
pub(crate) const TARGET_INSIDE: &str = "/run/lab-target";

/// A machine made of namespaces.
#[derive(Debug)]
pub struct World {
    name: String,
    dir: PathBuf,
    holder: Child,
    init: i32,
}

impl World {
    /// Makes the machine, runs `setup` (shell, as root of the new mount namespace) in it. `/run`,
    /// `/tmp` and `/var/tmp` are its own and empty; `dir` is seen as `/run/lab`. With `system`,
    /// the rest of its file system is that directory's, else this machine's.
    pub(crate) fn start(name: &str, dir: &Path, system: Option<&Path>, setup: &str) -> Self {
        let tools = Tools::locate();
        let enter = system.map_or_else(String::new, |system| enter_system(name, dir, system));
        let script = format!(
            "set -e\n\
             # Without notes on mounts in /run, which is another one a moment later.\n\
             mount() {{ command mount --no-mtab \"$@\"; }}\n\
             mount -t sysfs -o ro sysfs /sys\n\
             mount --make-rprivate /\n\
             mkdir -p {dir}/{name}-run\n\
             mount -t tmpfs -o mode=755 tmpfs {dir}/{name}-run\n\
             cd {dir}/{name}-run\n\
             mkdir -p lab lab-programs lab-target home lock dbus overlay\n\
             mount --bind {dir} lab\n\
             mount --bind {programs} lab-programs\n\
             mount --bind {target} lab-target\n\
             cd /\n\
             mount --move {dir}/{name}-run /run\n\
             {enter}\
             mount -t tmpfs -o mode=1777 tmpfs /tmp\n\
             mount -t tmpfs -o mode=1777 tmpfs /var/tmp\n\
             mknod -m 666 /run/overlay/tun c 10 200\n\
             mount --bind /run/overlay/tun /dev/net/tun\n\
             ip link set lo up\n\
             {setup}\n\
             exec {PROGRAMS_INSIDE}/lab-tool init\n",
            dir = dir.display(),
            programs = tools.programs.display(),
            target = tools.target.display(),
        );
        let log = log_file(dir, &format!("{name}-world"));
        // The network namespace needs a sysfs of its own, read-only: else NetworkManager waits for
        // a udev that is not there.
        let mut holder = holder()
            .args(["--uts", "--ipc", "sh", "-c"])
            .arg(script)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("setpriv and unshare (util-linux) can be run");
        let stdout = holder.stdout.take().expect("it is piped");
        let mut ready = String::new();
        drop(BufReader::new(stdout).read_line(&mut ready));
        if ready.trim() != "ready" {
            let why = fs::read_to_string(dir.join(format!("logs/{name}-world.log")));
            panic!(
                "could not make the {name} machine: {}",
                why.unwrap_or_default()
            );
        }
        let init = eventually("init of the machine", START_LIMIT, || {
            process::children(holder.id().cast_signed())
                .first()
                .copied()
        });
        Self {
            name: name.to_owned(),
            dir: dir.to_owned(),
            holder,
            init,
        }
    }

    /// As [`Self::start`], but `script` boots the machine, whose first process is systemd.
    pub(crate) fn boot(name: &str, dir: &Path, script: &str) -> Self {
        let log = log_file(dir, &format!("{name}-world"));
        let mut holder = holder()
            .args(["sh", "-c", script])
            .stdout(log.try_clone().expect("a file can be duplicated"))
            .stderr(log)
            .spawn()
            .expect("setpriv and unshare (util-linux) can be run");
        let booted = eventually("the machine boots or fails", START_LIMIT, || {
            let ended = !matches!(holder.try_wait(), Ok(None));
            let init = process::booted_below(holder.id().cast_signed());
            (ended || init.is_some()).then_some(init)
        });
        let Some(init) = booted else {
            let why = fs::read_to_string(dir.join(format!("logs/{name}-world.log")));
            panic!("{name} does not boot: {}", why.unwrap_or_default());
        };
        Self {
            name: name.to_owned(),
            dir: dir.to_owned(),
            holder,
            init,
        }
    }

    /// The number of its first process, counted from outside.
    #[must_use]
    pub fn init(&self) -> i32 {
        self.init
    }

    /// Its file system, seen from outside.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.init))
    }

    /// A command that will run inside, with a clean environment.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args([
                "-t",
                &self.init.to_string(),
                "--mount",
                "--net",
                "--pid",
                "--uts",
                "--ipc",
                "--cgroup",
            ])
            .args(["--wdns=/", "--root", "--", program])
            .env_clear()
            .env(
                "PATH",
                "/run/lab/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", "/run/home")
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command inside to its end.
    pub fn run<I: IntoIterator<Item: AsRef<str>>>(&self, line: I) -> Output {
        let mut words = line.into_iter();
        let program = words.next().expect("a command has a name");
        let mut command = self.command(program.as_ref());
        for word in words {
            command.arg(word.as_ref());
        }
        command.output().expect("nsenter (util-linux) can be run")
    }

    /// Runs a command inside that has to succeed, and returns what it printed.
    #[track_caller]
    pub fn check<I: IntoIterator<Item: AsRef<str>>>(&self, line: I) -> String {
        let words: Vec<String> = line
            .into_iter()
            .map(|word| word.as_ref().to_owned())
            .collect();
        let output = self.run(&words);
        assert!(
            output.status.success(),
            "{} failed on the {}: {}{}",
            words.join(" "),
            self.name,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts a command inside whose output goes to the log file `name`.
    pub fn spawn_logged(&self, name: &str, mut command: Command) -> Process {
        let log = log_file(&self.dir, name);
        let stderr = log.try_clone().expect("a file can be duplicated");
        self.spawn(name, command.stdout(log).stderr(stderr))
    }

    /// The log file `name` of the lab, to append to.
    pub(crate) fn log(&self, name: &str) -> File {
        log_file(&self.dir, name)
    }

    /// What the log file `name` of the lab holds.
    pub(crate) fn read_log(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(format!("logs/{name}.log"))).unwrap_or_default()
    }

    /// Starts a command of [`Self::command`] as it is.
    pub fn spawn(&self, name: &str, command: &mut Command) -> Process {
        Process::new(
            name,
            command.spawn().expect("nsenter (util-linux) can be run"),
        )
    }

    /// The processes inside, by their numbers outside, without those that only ended.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        let Ok(ours) = fs::read_link(format!("/proc/{}/ns/pid", self.init)) else {
            return Vec::new();
        };
        let inside = |pid: &i32| {
            fs::read_link(format!("/proc/{pid}/ns/pid")).is_ok_and(|theirs| theirs == ours)
        };
        process::all().into_iter().filter(inside).collect()
    }

    /// The processes inside whose executable is called `name`.
    #[must_use]
    pub fn processes_called(&self, name: &str) -> Vec<i32> {
        let called = |pid: &i32| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                let program = line.split(|&byte| byte == 0).next().unwrap_or_default();
                Path::new(&*String::from_utf8_lossy(program)).ends_with(name)
            })
        };
        self.processes().into_iter().filter(called).collect()
    }

    /// Sends a signal to all processes inside whose executable is called `name`.
    #[track_caller]
    pub fn signal(&self, name: &str, signal: Signal) {
        let pids = self.processes_called(name);
        assert!(!pids.is_empty(), "no {name} runs on the {}", self.name);
        for pid in pids {
            process::send(pid, signal);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The first process takes all others of its namespace with it, and the kernel the rest.
        process::send(self.init, Signal::KILL);
        drop(self.holder.wait());
    }
}

/// What makes network, mount and process namespaces for the program that is its further arguments,
/// and takes all processes in them with it when this thread ends.
fn holder() -> Command {
    let mut holder = Command::new("setpriv");
    holder
        .args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--mount"])
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .stdin(Stdio::null());
    holder
}

/// Shell that goes on with the directory `system` as `/`; what is written there goes to memory.
fn enter_system(name: &str, dir: &Path, system: &Path) -> String {
    format!(
        "mkdir -p {dir}/{name}-system\n\
         mount -t tmpfs -o mode=755 tmpfs {dir}/{name}-system\n\
         cd {dir}/{name}-system\n\
         mkdir upper work root\n\
         mount -t overlay overlay -o lowerdir={system},upperdir=upper,workdir=work root\n\
         for directory in dev proc sys; do mount --rbind /$directory root/$directory; done\n\
         mount --move /run root/run\n\
         cd root\n\
         pivot_root . mnt\n\
         cd /\n\
         umount -l /mnt\n",
        dir = dir.display(),
        system = system.display(),
    )
}

pub(crate) fn log_file(dir: &Path, name: &str) -> File {
    let logs = dir.join("logs");
    fs::create_dir_all(&logs).expect("the lab's directory is writable");
    File::options()
        .append(true)
        .create(true)
        .open(logs.join(format!("{name}.log")))
        .expect("the lab's directory is writable")
}
