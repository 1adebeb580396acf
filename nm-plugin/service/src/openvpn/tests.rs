use super::*;
use aws_client_vpn_text::secret::Secret;
use std::fs;
use std::path::Path;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::time::sleep;

/// How long a step may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A device that is there: a loopback device is in every network namespace.
fn present() -> TunDevice {
    let index = fs::read_to_string("/sys/class/net/lo/ifindex").unwrap();
    TunDevice::from_argument(&format!("lo#{}", index.trim())).unwrap()
}

fn taken_away() -> TunDevice {
    TunDevice::from_argument("lo#4294967295").unwrap()
}

/// A line of shell in OpenVPN's place, which has its name in `$0`.
fn process(line: &str, argument: &Path) -> OpenVpnProcess {
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", line]).arg(argument);
    OpenVpnProcess::spawn(command, Secret::from("go\n")).unwrap()
}

fn openvpn(line: &str, device: TunDevice) -> (OpenVpn, UnixStream) {
    let (management, peer) = ManagementSocket::connected();
    let process = process(line, Path::new("openvpn"));
    (OpenVpn::of("openvpn", process, management, device), peer)
}

async fn say(peer: &mut UnixStream, lines: usize) {
    for number in 0..lines {
        let line = format!(">LOG:1,I,{number}\n");
        peer.write_all(line.as_bytes()).await.unwrap();
    }
}

/// Waits for a file of a process.
async fn is_made(path: &Path) {
    let made = async {
        while !path.exists() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(LIMIT, made).await.unwrap();
}

/// The next event, of futures each of which is dropped at its first wait.
async fn next(openvpn: &mut OpenVpn) -> Event {
    let event = async {
        loop {
            if let Some(event) = poll_once(openvpn.next()).await {
                return event;
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LIMIT, event).await.unwrap()
}

#[tokio::test]
async fn all_that_it_said_comes_before_its_end_which_comes_once() {
    let (mut openvpn, mut peer) = openvpn("exit 3", present());
    say(&mut peer, 50).await;
    openvpn.process.ended().await;
    for number in 0..50 {
        let event = next(&mut openvpn).await;
        let Event::Said(Notification::Log(text)) = event else {
            panic!("{number}: {event:?}");
        };
        assert_eq!(text.expose(), number.to_string());
    }
    let event = next(&mut openvpn).await;
    assert!(
        matches!(&event, Event::Ended(how) if how.to_string() == "exit code 3"),
        "{event:?}"
    );
    assert!(poll_once(openvpn.next()).await.is_none());
}

#[tokio::test]
async fn what_goes_on_speaking_after_its_end_does_not_hide_it() {
    let (mut openvpn, mut peer) = openvpn("read go; exit 3", present());
    let flood = tokio::spawn(async move {
        // Until the other end is gone.
        while peer.write_all(b">LOG:1,I,again\n").await.is_ok() {}
    });
    let end = async {
        loop {
            if let Event::Ended(how) = openvpn.next().await {
                return how.to_string();
            }
        }
    };
    assert_eq!(timeout(LIMIT, end).await.unwrap(), "exit code 3");
    openvpn.end(Duration::ZERO).await;
    flood.await.unwrap();
}

#[tokio::test]
async fn one_that_never_connects_is_explained_by_what_it_printed() {
    let run = tempfile::tempdir().unwrap();
    let account = Account {
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
    };
    let listening = || {
        let dir = RuntimeDir::create_below(&run.path().join("run"), account).unwrap();
        ManagementSocket::listen(dir, account).unwrap()
    };
    let line = "echo first; echo the reason >&2; exit 1";
    let refusal =
        "echo '2026-11-29 12:00:00 Options error: no such cipher'; echo Use --help; exit 1";
    for (line, why) in [
        (line, "exit code 1: the reason"),
        (refusal, "exit code 1: Options error: no such cipher"),
    ] {
        let process = process(line, Path::new("openvpn"));
        let mut one = OpenVpn::of("openvpn", process, listening(), present());
        let event = next(&mut one).await;
        assert!(
            matches!(&event, Event::Ended(how) if how.to_string() == why),
            "{event:?}"
        );
    }
    // Whoever has connected has said why.
    let (connected, _peer) = ManagementSocket::connected();
    let process = process(line, Path::new("openvpn"));
    let mut other = OpenVpn::of("openvpn", process, connected, present());
    let event = next(&mut other).await;
    assert!(
        matches!(&event, Event::Ended(how) if how.to_string() == "exit code 1"),
        "{event:?}"
    );
}

#[tokio::test]
async fn it_ends_when_somebody_takes_its_device_away() {
    let (mut openvpn, _peer) = openvpn("sleep 600", taken_away());
    let event = next(&mut openvpn).await;
    assert!(
        matches!(&event, Event::Ended(how) if how.to_string() == "its network interface was taken away"),
        "{event:?}"
    );
}

#[tokio::test]
async fn nobody_is_blamed_for_the_device_of_one_that_was_to_end() {
    let run = tempfile::tempdir().unwrap();
    let ready = run.path().join("ready");
    // It takes longer than a device may be gone before somebody is blamed.
    let line = "trap 'sleep 4; exit 7' TERM; touch \"$0\"; while :; do sleep 0.1; done";
    let (management, _peer) = ManagementSocket::connected();
    let process = process(line, &ready);
    let mut openvpn = OpenVpn::of("openvpn", process, management, taken_away());
    is_made(&ready).await;
    openvpn.terminate();
    let event = next(&mut openvpn).await;
    assert!(
        matches!(&event, Event::Ended(how) if how.to_string() == "exit code 7"),
        "{event:?}"
    );
}

#[tokio::test]
async fn one_that_takes_no_commands_is_killed() {
    let (mut openvpn, _peer) = openvpn("sleep 600", present());
    let password = |text: String| Command::Password {
        realm: "Auth".to_owned(),
        password: Secret::new(text),
    };
    // What cannot be sent at all says nothing of OpenVPN.
    assert!(openvpn.send(&password("a\nb".to_owned())).is_err());
    for _ in 0..200 {
        openvpn.send(&password("x".repeat(100_000))).unwrap();
    }
    assert!(openvpn.management.is_none(), "it is given up on at once");
    let event = next(&mut openvpn).await;
    assert!(
        matches!(&event, Event::Ended(how) if how.to_string().ends_with("killed by signal 9")),
        "{event:?}"
    );
}

#[tokio::test]
async fn nothing_is_left_of_one_that_is_taken_away() {
    // As the service does, to which the processes fall that others have started.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let run = tempfile::tempdir().unwrap();
    let ready = run.path().join("ready");
    let (management, _peer) = ManagementSocket::connected();
    let process = process("sleep 600 & touch \"$0\"; sleep 600", &ready);
    let openvpn = OpenVpn::of("openvpn", process, management, taken_away());
    is_made(&ready).await;
    let group = openvpn.process.supervisor_pid().unwrap().to_string();
    openvpn.end(LIMIT).await;
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|it| fs::read_to_string(it.path().join("stat")).ok());
    let mut left = stats.filter(|stat| {
        let after_name = stat.rsplit_once(')').map_or("", |(_, after)| after);
        after_name.split_ascii_whitespace().nth(2) == Some(&group)
    });
    assert_eq!(left.next(), None);
}
