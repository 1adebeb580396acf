//! No SAML response, session id, password, code, passphrase or PIN is anywhere but in the memory of those who need it.

use crate::{SOON, assert_up, endpoint, lab, state, take_down};
use aws_client_vpn_harness::{Lab, Options, SecretScan, typed};
use serde_json::json;

/// Directories of the client that nothing under test writes to, or that the lab itself uses.
const NOT_THE_CLIENT_S: [&str; 4] = ["run/lab", "run/lab-programs", "run/lab-target", "run/home"];

#[test]
fn a_login_leaves_no_secret_in_arguments_environments_files_or_logs() {
    let (mut lab, before) = lab(&Options::default());
    lab.client.check([
        "nmcli",
        "general",
        "logging",
        "level",
        "DEBUG",
        "domains",
        "ALL,VPN:TRACE",
    ]);
    // The endpoint thinks for three seconds each time, so that there is something to look at.
    lab.endpoint()
        .command(&json!({"set": {"answer_delay_ms": 3000}}));
    lab.endpoint().identity_provider("delay 2");
    let mut scan = SecretScan::new();
    let up = lab.begin_up();
    lab.endpoint_events().wait("phase1", SOON);
    look(&mut scan, &lab);
    lab.browser_did("opened", SOON);
    look(&mut scan, &lab);
    lab.browser_did("done", SOON);
    // What the browser posted, as it was sent and decoded.
    let post = lab.last_post();
    let sent = post
        .split('&')
        .find_map(|field| field.strip_prefix("SAMLResponse="))
        .unwrap();
    assert!(sent.len() > 10_000);
    let decoded = sent
        .replace("%2B", "+")
        .replace("%2F", "/")
        .replace("%3D", "=");
    scan.add("SAML response as sent", sent);
    scan.add("SAML response", &decoded);
    look(&mut scan, &lab);
    // The scan is not blind: where the browser keeps its post for the test, it is found.
    let mut control = SecretScan::new();
    control.add("SAML response as sent", sent);
    control.files_below(lab.dir(), ".", &[]);
    assert_eq!(control.findings().len(), 1, "{:?}", control.findings());
    assert_up(&lab, &up.finish());
    look(&mut scan, &lab);
    take_down(&lab, &before);
    assert!(
        lab.vpn_states()
            .iter()
            .any(|seen| seen.state == state::NEED_AUTH)
    );
    look(&mut scan, &lab);
    assert!(
        scan.processes > 20 && scan.files > 20,
        "the scan saw next to nothing: {scan:?}"
    );
    assert_eq!(scan.findings(), [], "secrets were found");
}

/// What is typed, by the names of the secrets; none occurs by chance.
const TYPED: [(&str, &str); 4] = [
    ("username", "ada@example.com"),
    ("password", "horse-Kx7pQ2vT9mZ4"),
    ("challenge-response", "code-8Wd3nR6yB1sF"),
    ("key-passphrase", "staple-5Jh0cL8gE2uN"),
];

/// Signs in with what is typed, and looks for it everywhere and at each step.
fn sign_in(sign_in: &str) {
    let flags = [
        sign_in.to_owned(),
        "--key-form=pkcs8".to_owned(),
        format!("--password={}", TYPED[1].1),
        format!("--mfa-code={}", TYPED[2].1),
        format!("--key-passphrase={}", TYPED[3].1),
    ];
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let (mut lab, before) = lab(&endpoint(&flags));
    let forms = vec![typed(&TYPED); 3];
    lab.set_typed(&forms);
    let level = ["general", "logging", "level", "DEBUG"];
    lab.client.check(
        ["nmcli"]
            .into_iter()
            .chain(level)
            .chain(["domains", "ALL,VPN:TRACE"]),
    );
    lab.endpoint()
        .command(&json!({"set": {"answer_delay_ms": 2000}}));
    let mut scan = SecretScan::new();
    for (name, secret) in &TYPED[1..] {
        scan.add(name, secret);
        let encoded = lab.client.check([
            "sh",
            "-c",
            &format!("printf %s '{secret}' | base64 | tr -d '='"),
        ]);
        scan.add(name, encoded.trim());
    }
    let up = lab.begin_up();
    let agent = lab.agent.as_ref().unwrap().events.clone();
    agent.wait("form", SOON);
    look(&mut scan, &lab);
    agent.wait("answered", SOON);
    look(&mut scan, &lab);
    assert_up(&lab, &up.finish());
    look(&mut scan, &lab);
    take_down(&lab, &before);
    look(&mut scan, &lab);
    assert_eq!(scan.findings(), [], "secrets were found");
    // OpenVPN would log it.
    let journal = lab.journal();
    assert!(!journal.contains(TYPED[0].1), "{journal}");
    assert!(journal.contains("MANAGEMENT: [not shown]"), "{journal}");
    // The scan is not blind: what the person at the desktop reads from is found.
    let mut control = SecretScan::new();
    control.add("password", TYPED[1].1);
    control.files_below(lab.dir(), ".", &[]);
    assert!(!control.findings().is_empty());
}

#[test]
fn a_sign_in_with_password_and_passphrase_leaves_no_secret() {
    sign_in("--sign-in=password-certificate");
}

#[test]
fn a_sign_in_with_a_code_along_with_the_password_leaves_no_secret() {
    sign_in("--sign-in=password-mfa");
}

#[test]
fn a_sign_in_with_a_question_of_the_endpoint_leaves_no_secret() {
    sign_in("--sign-in=password-question");
}

fn look(scan: &mut SecretScan, lab: &Lab) {
    scan.processes_of(&lab.client);
    let root = lab.client.root();
    for directory in [
        "run",
        "tmp",
        "var/tmp",
        "var/lib/NetworkManager",
        "etc",
        "dev/shm",
    ] {
        scan.files_below(&root, directory, &NOT_THE_CLIENT_S);
    }
    // The logs of everything that runs on the client, and of the endpoint.
    scan.files_below(lab.dir(), "logs", &[]);
}
