//! The real dialog, run as the agents run it, with a browser that only notes where it was sent.
//!
//! Each test has a network namespace of its own, because the port is fixed.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up what it needs has failed"
)]

#[path = "dialog/desktop.rs"]
mod desktop;
#[path = "dialog/world.rs"]
mod world;

use aws_client_vpn_sign_in::acs_port::listener_in;
use aws_client_vpn_sign_in::answer::login_failure;
use aws_client_vpn_text::secret::Secret;
use desktop::{Bus, Portal};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use world::*;

type Act = fn(&mut Dialog);

/// Base64 of `<Response>` and a blank.
const FORM: &str = "SAMLResponse=PFJlc3BvbnNlPiA%3D&RelayState=r%2F1";
const ANSWER: &str = "saml-response\nPFJlc3BvbnNlPiA%3D\n\n\n";
const SETTINGS: &str = "DATA_KEY=remote\nDATA_VAL=example\n\nSECRET_KEY=key\nSECRET_VAL=QUIT\n\n";
/// What happens at once takes less, on a busy machine too; what is waited for takes longer: an agent
/// has 20 s to read, a login here a minute, and a connection 10 s for its head.
const AT_ONCE: Duration = Duration::from_secs(9);

#[test]
fn gnome_shell_gets_its_answer() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say(&format!("{SETTINGS}DONE\n\n"));
        assert_eq!(browser.opened(), URL);
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
        assert!(
            dialog.is_running(),
            "gnome-shell loses the answer of a dialog that is gone"
        );
        dialog.say("QUIT\n\n");
        assert_eq!(dialog.rest(), "", "nothing follows the answer");
        assert!(dialog.ends().success());
        assert!(!browser.was_opened(), "one tab is enough");
    });
}

#[test]
fn nm_applet_and_nmcli_get_their_answer() {
    isolated(|| {
        for said in ["DONE\n\nQUIT\n\n", "DONE\nQUIT\n"] {
            let browser = Browser::new();
            let mut dialog = Dialog::login(&browser);
            dialog.say(&format!("{SETTINGS}{said}"));
            dialog.hang_up();
            browser.opened();
            std::thread::sleep(LATER);
            assert!(
                dialog.is_running(),
                "what was sent in advance is no cancellation"
            );
            let asked = Instant::now();
            assert_eq!(status(&request(&post(FORM))), "200");
            assert_eq!(dialog.answer(), ANSWER);
            assert!(dialog.ends().success());
            assert!(asked.elapsed() < AT_ONCE, "it waits for no other QUIT");
        }
    });
}

#[test]
fn every_way_to_cancel_ends_it_and_frees_the_port() {
    isolated(|| {
        let ways: [(&str, Act); 4] = [
            ("QUIT", |dialog| dialog.say("QUIT\n\n")),
            ("end of input", Dialog::hang_up),
            ("nobody reads", |dialog| dialog.stdout = None),
            ("SIGTERM", |dialog| {
                let process = dialog.child.id().to_string();
                assert!(
                    Command::new("kill")
                        .arg(process)
                        .status()
                        .unwrap()
                        .success()
                );
            }),
        ];
        for (way, cancel) in ways {
            let browser = Browser::new();
            let mut dialog = Dialog::login(&browser);
            dialog.say("DONE\n\n");
            browser.opened();
            dialog.settles();
            let cancelled = Instant::now();
            cancel(&mut dialog);
            assert!(!dialog.ends().success(), "{way}");
            assert!(cancelled.elapsed() < AT_ONCE, "{way}");
            TcpListener::bind(ADDRESS).expect(way);
        }
    });
}

/// gnome-shell closes its end of standard error, and sends nothing in advance.
#[test]
fn gnome_shell_may_cancel_at_once() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        drop(dialog.child.stderr.take());
        dialog.say("DONE\n\n");
        dialog.has_heard();
        dialog.say("QUIT\n\n");
        dialog.hang_up();
        assert_eq!(dialog.ends().code(), Some(1));
        TcpListener::bind(ADDRESS).expect("the port is free");
        // The dialog was not quick enough to read the one before the other came.
        let mut dialog = Dialog::login(&browser);
        drop(dialog.child.stderr.take());
        dialog.say("DONE\n\nQUIT\n\n");
        assert_eq!(dialog.ends().code(), Some(1));
        TcpListener::bind(ADDRESS).expect("the port is free");
    });
}

#[test]
fn cancelling_works_after_an_applet_hung_up() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\nQUIT\n\n");
        dialog.hang_up();
        browser.opened();
        dialog.stdout = None;
        assert_eq!(dialog.ends().code(), Some(1));
    });
}

#[test]
fn without_interaction_nothing_is_opened() {
    isolated(|| {
        let browser = Browser::new();
        let url = format!("x-aws-client-vpn-url:{URL}");
        for arguments in [
            &["-t", url.as_str()][..],
            &["-i"],
            &["-i", "-t", "x-vpn-message:Hi"],
        ] {
            let mut command = Command::new(DIALOG);
            command
                .args(["-u", "1", "-n", "Work", "-s", SERVICE])
                .args(arguments);
            command
                .env_clear()
                .env("BROWSER", browser.program())
                .env("PATH", "/usr/bin:/bin");
            let output = command.stdin(Stdio::null()).output().unwrap();
            assert!(output.status.success(), "{arguments:?}");
            assert_eq!(output.stdout, b"\n\n", "{arguments:?}");
            assert!(!browser.was_opened(), "{arguments:?}");
        }
    });
}

#[test]
fn the_external_mode_is_refused_politely() {
    let output = Command::new(DIALOG)
        .args(["-i", "--external-ui-mode"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert_eq!(output.stdout, b"");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("--external-ui-mode is not supported"),
        "{said}"
    );
}

#[test]
fn the_last_page_is_private_and_says_what_to_do() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        let answer = request(&post(FORM)).to_ascii_lowercase();
        for part in [
            "cache-control: no-store",
            "content-security-policy: default-src 'none'",
            "referrer-policy: no-referrer",
            "x-content-type-options: nosniff",
            "connection: close",
            "<strong>work &amp; &lt;b&gt;co&lt;/b&gt;</strong> is connecting",
            "you can close this tab",
            "prefers-color-scheme: dark",
        ] {
            assert!(answer.contains(part), "{part} in {answer}");
        }
        assert!(!answer.contains("phnhbw"), "the response is not sent back");
    });
}

#[test]
fn nothing_but_the_form_counts() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        let ours = post(FORM);
        let get = |path| format!("GET {path} HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n");
        let long = format!("SAMLResponse={}", "a".repeat(131_073));
        let longer = format!("SAMLResponse={}", "a".repeat(1_000_000));
        for (text, expected) in [
            (get("/"), "405"),
            (get("/?SAMLResponse=abc"), "405"),
            (get("/favicon.ico"), "404"),
            (ours.replace("POST", "PUT"), "405"),
            (ours.replace("POST /", "POST /other"), "404"),
            (
                ours.replace(&format!("Host: {ADDRESS}"), "Host: evil.example:35001"),
                "421",
            ),
            (
                ours.replace(&format!("Host: {ADDRESS}"), "Host: 127.0.0.1:80"),
                "421",
            ),
            (
                ours.replace(&format!("Host: {ADDRESS}"), "X-Host: none"),
                "421",
            ),
            (ours.replace("navigate", "no-cors"), "403"),
            (
                ours.replace("application/x-www-form-urlencoded", "text/plain"),
                "415",
            ),
            (post(""), "400"),
            (post("RelayState=r%2F1"), "400"),
            (post("SAMLResponse=a&SAMLResponse=b"), "400"),
            (post("SAMLResponse=a%20 b"), "400"),
            // Any page can send this, and it is no answer.
            (post("SAMLResponse=AAAA"), "400"),
            (post("SAMLResponse=AAAA&RelayState=r%2F1"), "400"),
            (post("SAMLResponse=PFJlc3BvbnNlPg&RelayState=other"), "409"),
            (post(&long), "413"),
            (post(&longer), "413"),
            ("nonsense\r\n\r\n".to_owned(), "400"),
        ] {
            let answer = request(&text);
            let head: String = text.chars().take(300).collect();
            assert_eq!(status(&answer), expected, "{head}\n-> {answer}");
        }
        assert_eq!(status(&request(&ours)), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

#[test]
fn an_answer_to_another_request_does_not_count_whatever_its_relay_state_says() {
    isolated(|| {
        let browser = Browser::new();
        // <AuthnRequest ID="_a"/>, deflated.
        let url = "https://idp.example/sso?SAMLRequest=s3EsLcnIC0otLE0tLlHwdLFVik9U0rcDAA%3D%3D&\
                   RelayState=r%2F1";
        let hint = format!("x-aws-client-vpn-url:{url}");
        let mut dialog = Dialog::start(&mut command(Some(&browser), &[&hint]));
        dialog.say("DONE\n\n");
        browser.opened();
        let answer = |to: &str| {
            let document = format!("<p:Response InResponseTo=\"{to}\"/>");
            let mut encode = Command::new("base64")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            encode
                .stdin
                .take()
                .unwrap()
                .write_all(document.as_bytes())
                .unwrap();
            let encoded = encode.wait_with_output().unwrap().stdout;
            String::from_utf8(encoded).unwrap().trim().to_owned()
        };
        let other = format!("SAMLResponse={}&RelayState=r%2F1", answer("_b"));
        assert_eq!(status(&request(&post(&other))), "409");
        // Providers may cut what they have to send back.
        let ours = format!("SAMLResponse={}&RelayState=r", answer("_a"));
        assert_eq!(status(&request(&post(&ours))), "200");
        assert_eq!(
            dialog.answer(),
            format!("saml-response\n{}\n\n\n", answer("_a"))
        );
    });
}

/// The first line of what a program of the user `uid` is answered to `request`.
fn request_of(uid: u32, request: &str) -> String {
    request_from(uid, "127.0.0.1:0", request)
}

/// The same, for a program that is at the address `own`.
fn request_from(uid: u32, own: &str, request: &str) -> String {
    let send = r#"
        $dialog = IO::Socket::INET->new(LocalAddr => $ARGV[0], PeerAddr => "127.0.0.1:35001");
        die "$@" unless $dialog;
        print $dialog <STDIN>;
        $dialog->flush;
        print scalar <$dialog>"#;
    let mut program = Command::new("setpriv")
        .args([format!("--reuid={uid}"), format!("--regid={uid}")])
        .args([
            "--clear-groups",
            "perl",
            "-MIO::Socket::INET",
            "-e",
            send,
            own,
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    stdin.write_all(request.as_bytes()).unwrap();
    drop(stdin);
    String::from_utf8(program.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn another_user_s_program_answers_nothing() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        assert_eq!(status(&request_of(65534, &post(FORM))), "403");
        // At the port of a connection of this user's, on another address of loopback.
        let own = TcpStream::connect(ADDRESS).unwrap();
        let beside = format!("127.0.0.2:{}", own.local_addr().unwrap().port());
        assert_eq!(status(&request_from(65534, &beside, &post(FORM))), "403");
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

/// `sudo -E` leaves root the directory of its caller.
#[test]
fn root_writes_nothing_in_another_users_directory() {
    isolated(|| {
        let run = tempfile::tempdir().unwrap();
        let page = run
            .path()
            .join("nm-aws-client-vpn-page-8f9cbe40-4ec5-4bb5-8a2c-5a5c29a9c6a8");
        for (owner, writes) in [(65534, false), (0, true)] {
            std::os::unix::fs::chown(run.path(), Some(owner), None).unwrap();
            let browser = Browser::new();
            let hints = login();
            let hints: Vec<_> = hints.iter().map(String::as_str).collect();
            let mut command = command(Some(&browser), &hints);
            let mut dialog = Dialog::start(command.env("XDG_RUNTIME_DIR", run.path()));
            dialog.say("DONE\n\n");
            browser.opened();
            if writes {
                until(|| page.exists().then_some(()));
            } else {
                std::thread::sleep(LATER);
                assert!(!page.exists());
            }
            assert_eq!(status(&request(&post(FORM))), "200");
            dialog.answer();
        }
    });
}

/// `sudo aws-client-vpn connect` runs it as root, and the browser, or ssh's end here, is the caller's.
#[test]
fn the_user_who_has_root_do_it_answers_and_no_other_user() {
    isolated(|| {
        let browser = Browser::new();
        let hints = login();
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        // The kernel's word, where there is one, goes before sudo's.
        let login = std::fs::read_to_string("/proc/self/loginuid").unwrap_or_default();
        let login = login.parse().ok().filter(|id| ![0, u32::MAX].contains(id));
        let caller = login.unwrap_or(65533);
        let mut command = command(Some(&browser), &hints);
        let mut dialog = Dialog::start(command.env("SUDO_UID", "65533"));
        dialog.say("DONE\n\n");
        browser.opened();
        assert_eq!(status(&request_of(65534, &post(FORM))), "403");
        assert_eq!(status(&request_of(caller, &post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

/// The kernel does not say any more whose a connection was.
#[test]
fn whoever_hangs_up_before_the_dialog_looks_answers_nothing() {
    isolated(|| {
        for resets in [false, true] {
            let browser = Browser::new();
            let mut dialog = Dialog::login(&browser);
            dialog.say("DONE\n\n");
            browser.opened();
            let process = Pid::from_child(&dialog.child);
            // What comes meanwhile waits in the kernel's queue.
            kill_process(process, Signal::STOP).unwrap();
            let mut stranger = TcpStream::connect(ADDRESS).unwrap();
            let other = "PFJlc3BvbnNlPgo%3D";
            stranger
                .write_all(post(&format!("SAMLResponse={other}&RelayState=r%2F1")).as_bytes())
                .unwrap();
            if resets {
                sockopt::set_socket_linger(&stranger, Some(Duration::ZERO)).unwrap();
            }
            drop(stranger);
            kill_process(process, Signal::CONT).unwrap();
            assert_eq!(status(&request(&post(FORM))), "200");
            assert_eq!(dialog.answer(), ANSWER);
        }
    });
}

#[test]
fn the_longest_response_arrives_whole() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        let value = ["PFJlc3BvbnNlPiAg", &"aB%2B".repeat((131_072 - 16) / 5), "a"].concat();
        // The page comes although the agent has not read anything yet.
        assert_eq!(
            status(&request(&post(&format!(
                "RelayState=&SAMLResponse={value}"
            )))),
            "200"
        );
        assert_eq!(dialog.answer(), format!("saml-response\n{value}\n\n\n"));
    });
}

#[test]
fn slow_and_silent_clients_do_not_keep_the_answer_out() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        let form = post(FORM);
        let mut slow = Vec::new();
        for number in 0..100 {
            let mut stream = connect();
            let part = [0, 10, form.len() - 5][number % 3];
            stream.write_all(&form.as_bytes()[..part]).unwrap();
            slow.push(stream);
        }
        let asked = Instant::now();
        assert_eq!(status(&request(&form)), "200");
        assert_eq!(dialog.answer(), ANSWER);
        assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
    });
}

#[test]
fn one_answer_counts() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        let mut second = connect();
        // Part of it is sent now, so that the dialog has surely taken the connection.
        let text = post("SAMLResponse=PFJlc3BvbnNlPg");
        second.write_all(&text.as_bytes()[..20]).unwrap();
        assert_eq!(status(&request(&get_and_wait())), "405");
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(status(&exchange(second, &text[20..])), "409");
        assert_eq!(dialog.answer(), ANSWER);
        dialog.say("QUIT\n");
        assert_eq!(dialog.rest(), "");
    });
}

fn get_and_wait() -> String {
    format!("GET / HTTP/1.1\r\nHost: {ADDRESS}\r\n\r\n")
}

#[test]
fn a_retry_takes_over_the_port_and_opens_no_second_tab() {
    isolated(|| {
        let browser = Browser::new();
        let mut first = Dialog::login(&browser);
        first.say("DONE\n\n");
        browser.opened();
        let mut hints = login();
        hints.push("x-aws-client-vpn-retry".to_owned());
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        let mut second = Dialog::start(&mut command(Some(&browser), &hints));
        second.say("DONE\n\n");
        first.settles();
        first.say("QUIT\n\n");
        first.ends();
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(second.answer(), ANSWER);
        assert!(!browser.was_opened());
    });
}

#[test]
fn a_later_request_opens_the_page_if_none_did_before() {
    isolated(|| {
        let browser = Browser::new();
        let run = tempfile::tempdir().unwrap();
        let mut hints = login();
        hints.push("x-aws-client-vpn-retry".to_owned());
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        let dismissed = |mut dialog: Dialog| {
            dialog.settles();
            dialog.say("QUIT\n\n");
            dialog.ends();
        };
        let begin = |browser: Option<&Browser>| {
            let mut command = command(browser, &hints);
            let mut dialog = Dialog::start(command.env("XDG_RUNTIME_DIR", run.path()));
            dialog.say("DONE\n\n");
            dialog
        };
        // Whoever was asked first has never run a dialog: the service cannot know.
        let dialog = begin(Some(&browser));
        assert_eq!(browser.opened(), URL);
        dismissed(dialog);
        let dialog = begin(Some(&browser));
        dismissed(dialog);
        assert!(!browser.was_opened(), "one tab is enough");
        // This one has no browser, so that the page is open nowhere.
        let mut without = command(None, &[&format!("x-aws-client-vpn-url:{URL}2")]);
        let mut dialog = Dialog::start(without.env("XDG_RUNTIME_DIR", run.path()));
        dialog.say("DONE\n\n");
        assert!(dialog.answer().contains("No web browser"));
        drop(dialog);
        let _dialog = begin(Some(&browser));
        assert_eq!(browser.opened(), URL);
    });
}

#[test]
fn an_earlier_dialog_is_waited_for() {
    isolated(|| {
        let (browser, later) = (Browser::new(), Browser::new());
        let mut first = Dialog::login(&browser);
        first.say("DONE\n\n");
        browser.opened();
        let mut second = Dialog::login(&later);
        second.say("DONE\n\n");
        first.settles();
        first.say("QUIT\n\n");
        first.ends();
        assert_eq!(later.opened(), URL);
    });
}

/// A dialog of an ordinary user, with a program and a browser that are open to them.
fn by_an_ordinary_user(browser: &Browser) -> Command {
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let program = browser.program();
    let directory = program.parent().unwrap();
    open(directory, 0o755);
    open(&directory.join("opened"), 0o666);
    let dialog = directory.join("nm-aws-client-vpn-auth-dialog");
    std::fs::copy(DIALOG, &dialog).unwrap();
    let hints = login();
    let hints: Vec<_> = hints.iter().map(String::as_str).collect();
    let own = command_of(&dialog, Some(browser), &hints);
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(own.get_program())
        .args(own.get_args())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in own.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command
}

#[test]
fn another_user_s_login_is_waited_for() {
    isolated(|| {
        let (browser, later) = (Browser::new(), Browser::new());
        let mut first = Dialog::login(&browser);
        first.say("DONE\n\n");
        browser.opened();
        // Who may not look into the first one.
        let mut second = Dialog::start(&mut by_an_ordinary_user(&later));
        second.say("DONE\n\n");
        let journal = BufReader::new(second.child.stderr.take().unwrap());
        let mut lines = journal.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("waits for its turn")));
        first.say("QUIT\n\n");
        first.ends();
        assert_eq!(later.opened(), URL);
    });
}

/// What is taken back, as every two minutes to ask again, nobody has cancelled.
#[test]
fn what_is_taken_back_is_not_said_to_be_cancelled() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        dialog.settles();
        let journal = dialog.child.stderr.take().unwrap();
        dialog.say("QUIT\n\n");
        dialog.ends();
        let said = std::io::read_to_string(journal).unwrap();
        assert!(said.contains("the request was taken back"), "{said}");
        assert!(!said.contains("cancelled"), "{said}");
    });
}

#[test]
fn a_login_whose_turn_does_not_come_says_what_has_stood_in_its_way() {
    isolated(|| {
        let (browser, later) = (Browser::new(), Browser::new());
        let mut first = Dialog::login(&browser);
        first.say("DONE\n\n");
        browser.opened();
        let hints = login()
            .join("\n")
            .replace("seconds-left:60", "seconds-left:5");
        let hints: Vec<_> = hints.lines().collect();
        let mut second = Dialog::start(&mut command(Some(&later), &hints));
        second.say("DONE\n\n");
        let answer = second.answer();
        assert!(answer.contains("in use by another sign-in"), "{answer}");
        first.say("QUIT\n\n");
        first.ends();
    });
}

#[test]
fn after_a_login_nobody_is_said_to_have_the_port() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        browser.opened();
        assert_eq!(status(&request(&post(FORM))), "200");
        dialog.answer();
        dialog.say("QUIT\n\n");
        dialog.ends();
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let time_wait = table
            .lines()
            .any(|row| row.contains(":88B9 ") && row.contains(" 06 "));
        assert!(
            time_wait,
            "the kernel keeps the browser's connection:\n{table}"
        );
        assert_eq!(listener_in(&table, 35001), None, "{table}");
    });
}

/// Binds the port as one does who does not listen there (yet, or any more).
fn taken_without_listening() -> rustix::fd::OwnedFd {
    let (family, kind) = (AddressFamily::INET, SocketType::STREAM);
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
    let address: SocketAddr = ADDRESS.parse().unwrap();
    bind(&socket, &address).unwrap();
    socket
}

#[test]
fn a_port_that_is_being_left_is_waited_for() {
    isolated(|| {
        let browser = Browser::new();
        let taken = taken_without_listening();
        let dialog = Dialog::login(&browser);
        dialog.has_heard();
        assert!(!browser.was_opened(), "no browser without a port");
        drop(taken);
        assert_eq!(browser.opened(), URL);
    });
}

#[test]
fn a_port_that_is_never_left_is_not_waited_for_long() {
    isolated(|| {
        let (browser, _taken) = (Browser::new(), taken_without_listening());
        let failure = Dialog::login(&browser).answer();
        assert!(failure.contains("another program"), "{failure}");
        assert!(!browser.was_opened(), "no browser without a port");
    });
}

/// What the answer of a dialog says of why there is no response, in English.
fn failure_in(answer: &str) -> String {
    let mut lines = answer.lines();
    assert_eq!(lines.next(), Some("saml-response"), "{answer}");
    let failure = login_failure(&Secret::from(lines.next().unwrap_or_default()));
    failure.expect("a failure").to_string()
}

#[test]
fn who_has_the_port_is_named() {
    isolated(|| {
        let _taken = TcpListener::bind(ADDRESS).unwrap();
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        dialog.say("DONE\n\n");
        let answer = dialog.answer();
        let failure = failure_in(&answer);
        let us = format!("(process {})", std::process::id());
        assert!(failure.contains("Port 35001 on 127.0.0.1"), "{failure}");
        assert!(
            failure.contains("in use by dialog-") && failure.contains(&us),
            "{failure}"
        );
        dialog.say("QUIT\n");
        assert!(
            dialog.ends().success(),
            "or the agent would call it cancelled"
        );
        assert!(!browser.was_opened(), "no browser without a port");
    });
}

#[test]
fn what_cannot_work_is_said() {
    isolated(|| {
        let seconds = "x-aws-client-vpn-seconds-left:0";
        let url = format!("x-aws-client-vpn-url:{URL}");
        let retry = "x-aws-client-vpn-retry";
        for (hints, words) in [
            (
                &["x-aws-client-vpn-url:file:///etc/passwd"][..],
                "does not begin with https",
            ),
            (&[&url], "No web browser could be opened"),
            (&[&url, seconds, retry], "The time to sign in ran out"),
        ] {
            let mut dialog = Dialog::start(&mut command(None, hints));
            dialog.say("DONE\n\n");
            let answer = dialog.answer();
            let failure = failure_in(&answer);
            assert!(failure.contains(words), "{failure}");
            dialog.say("QUIT\n");
            assert!(dialog.ends().success());
        }
    });
}

#[cfg(not(feature = "test-http"))]
#[test]
fn a_release_opens_no_http_address() {
    isolated(|| {
        let browser = Browser::new();
        let hint = "x-aws-client-vpn-url:http://127.0.0.1:8080/";
        // It is not asked for a password in its place either.
        let mut dialog = Dialog::start(&mut command(Some(&browser), &["password", hint]));
        dialog.say("DONE\n\n");
        assert!(dialog.answer().contains("does not begin with https"));
        assert!(!browser.was_opened());
    });
}

/// Starts a login on a desktop with this bus.
fn login_on(bus: &Bus, browser: &Browser) -> Dialog {
    let hints = login();
    let hints: Vec<_> = hints.iter().map(String::as_str).collect();
    let mut command = command(Some(browser), &hints);
    let mut dialog = Dialog::start(command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address));
    dialog.say("DONE\n\n");
    dialog
}

#[test]
fn the_portal_is_asked_first() {
    isolated(|| {
        let (bus, browser) = (Bus::new(), Browser::new());
        let portal = Portal::new(&bus, 0);
        let mut dialog = login_on(&bus, &browser);
        assert_eq!(portal.opened(), URL);
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
        assert!(!browser.was_opened(), "one tab is enough");
    });
}

#[test]
fn a_portal_that_fails_or_is_missing_is_replaced() {
    isolated(|| {
        let (bus, browser) = (Bus::new(), Browser::new());
        let without_portal = login_on(&bus, &browser);
        assert_eq!(browser.opened(), URL);
        drop(without_portal);
        let portal = Portal::new(&bus, 2);
        let _dialog = login_on(&bus, &browser);
        portal.opened();
        assert_eq!(browser.opened(), URL);
    });
}

/// As at the first login after a boot. There, nothing else can open a browser.
#[test]
fn a_portal_that_is_slow_is_waited_for_where_there_is_no_other_way() {
    isolated(|| {
        let bus = Bus::new();
        let portal = Portal::new(&bus, 0);
        let held = portal.hold();
        let hints = login();
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        let mut command = command(None, &hints);
        let mut dialog = Dialog::start(command.env("DBUS_SESSION_BUS_ADDRESS", &bus.address));
        dialog.say("DONE\n\n");
        portal.opened();
        std::thread::sleep(Duration::from_secs(7));
        drop(held);
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

#[test]
fn a_user_who_declines_is_not_asked_again() {
    isolated(|| {
        let (bus, browser) = (Bus::new(), Browser::new());
        let portal = Portal::new(&bus, 1);
        let mut dialog = login_on(&bus, &browser);
        portal.opened();
        assert!(dialog.answer().contains("No program was chosen"));
        assert!(!browser.was_opened());
    });
}

#[test]
fn a_browser_that_fails_is_not_the_last_word() {
    isolated(|| {
        let browser = Browser::new();
        let hints = login();
        let hints: Vec<_> = hints.iter().map(String::as_str).collect();
        let mut command = command(None, &hints);
        command.env(
            "BROWSER",
            format!("/nowhere:false:{}", browser.program().display()),
        );
        let mut dialog = Dialog::start(&mut command);
        dialog.say("DONE\n\n");
        assert_eq!(browser.opened(), URL);
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
    });
}

#[test]
fn nobody_has_to_read_standard_error() {
    isolated(|| {
        let browser = Browser::new();
        let mut dialog = Dialog::login(&browser);
        drop(dialog.child.stderr.take());
        dialog.say("DONE\n\n");
        // The browser writes to standard error before it writes the address down.
        assert_eq!(browser.opened(), URL);
        assert_eq!(status(&request(&post(FORM))), "200");
        assert_eq!(dialog.answer(), ANSWER);
        dialog.say("QUIT\n");
        assert!(dialog.ends().success());
    });
}

#[test]
fn the_browser_is_opened_at_once() {
    isolated(|| {
        let browser = Browser::new();
        // exec to the browser running; the goal is 20 ms.
        in_a_blink(|| {
            let started = Instant::now();
            let dialog = Dialog::login(&browser);
            browser.opened();
            let time = started.elapsed();
            drop(dialog);
            time
        });
    });
}
