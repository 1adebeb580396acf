//! Every way to sign in, through a desktop's agent: what is asked, how often, and what is kept.

use crate::{SOON, assert_failed, assert_up, endpoint, lab, reason, state, take_down};
use aws_client_vpn_harness::{AgentStyle, CANCEL, Lab, Options, Snapshot, VpnState, typed};
use serde_json::{Value, json};

/// The user's name and password at the endpoint.
const ADA: [(&str, &str); 2] = [
    ("username", "ada@example.com"),
    ("password", "correct horse"),
];

/// The dialogs that were shown, each as the names of its fields.
fn dialogs(lab: &Lab) -> Vec<Vec<String>> {
    let shown = lab.agent.as_ref().unwrap().events.named("form");
    let names = |form: &Value| {
        let fields = form["fields"].as_array().unwrap().iter();
        fields
            .map(|field| field["name"].as_str().unwrap().to_owned())
            .collect()
    };
    shown.iter().map(names).collect()
}

fn last_dialog(lab: &Lab) -> Value {
    let shown = lab.agent.as_ref().unwrap().events.named("form");
    shown.last().unwrap().clone()
}

/// A lab with an endpoint of this sign-in, at whose desktop these forms are filled in.
fn desk(flags: &[&str], forms: &[Value]) -> (Lab, Snapshot) {
    let (lab, before) = lab(&endpoint(flags));
    lab.set_typed(forms);
    (lab, before)
}

fn name_and_password(style: AgentStyle) {
    let (lab, before) = lab(&Options {
        agent: Some(style),
        ..endpoint(&["--sign-in=password"])
    });
    lab.set_typed(&[typed(&ADA)]);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab), [["username", "password"]]);
    assert_eq!(lab.browser_events(), [""; 0]);
    take_down(&lab, &before);
    // What is kept is not asked for again: gnome-shell's dialog says so without a window.
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab).len(), 1);
    if style == AgentStyle::GnomeShell {
        let agent = &lab.agent.as_ref().unwrap().events;
        let ended = agent.named("dialog-ended");
        assert!(
            ended.iter().all(|dialog| dialog["status"] == 0),
            "{ended:?}"
        );
        let answered = agent.named("answered");
        assert_eq!(
            answered.last().unwrap()["names"].as_array().unwrap().len(),
            2
        );
    }
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn name_and_password_are_asked_for_once_and_kept() {
    name_and_password(AgentStyle::GnomeShell);
}

#[test]
fn name_and_password_are_asked_for_once_and_kept_by_nm_applet() {
    name_and_password(AgentStyle::NmApplet);
}

#[test]
fn a_name_of_the_profile_is_not_asked_for() {
    let (lab, before) = desk(
        &["--sign-in=password"],
        &[typed(&[("password", "correct horse")])],
    );
    lab.modify("+vpn.data", "username=ada@example.com");
    let before = Snapshot::clone(&before);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab), [["password"]]);
    take_down(&lab, &before);
}

#[test]
fn a_wrong_password_is_asked_for_again_and_the_right_one_is_kept() {
    let wrong = typed(&[("username", "ada@example.com"), ("password", "wrong horse")]);
    let (lab, before) = desk(&["--sign-in=password"], &[wrong, typed(&ADA)]);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab).len(), 2);
    let second = last_dialog(&lab);
    let message = second["message"].as_str().unwrap();
    assert!(
        message.contains("Invalid username or password"),
        "{message}"
    );
    assert_eq!(lab.endpoint_events().named("refused").len(), 1);
    take_down(&lab, &before);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab).len(), 2, "the right one is kept");
    take_down(&lab, &before);
}

#[test]
fn three_wrong_passwords_end_it() {
    let wrong = |password| typed(&[("username", "ada@example.com"), ("password", password)]);
    let forms = [
        wrong("one horse"),
        wrong("two horses"),
        wrong("three horses"),
    ];
    let (lab, before) = desk(&["--sign-in=password"], &forms);
    let up = lab.up();
    let words = ["Invalid username or password", "Connect to sign in again"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    assert_eq!(lab.endpoint_events().named("refused").len(), 3);
}

#[test]
fn a_password_dialog_is_cancelled() {
    let (lab, before) = desk(&["--sign-in=password"], &[json!(CANCEL)]);
    let up = lab.up();
    assert!(!up.success);
    let cancelled = VpnState {
        state: state::FAILED,
        reason: reason::NO_SECRETS,
    };
    assert_eq!(lab.vpn_ended(SOON), cancelled);
    assert_eq!(lab.warnings(), [""; 0]);
    assert_eq!(lab.endpoint_events().named("refused").len(), 0);
    lab.assert_clean(&before);
}

#[test]
fn a_one_time_code_goes_along_with_the_password_and_is_never_kept() {
    let first = typed(&[ADA[0], ADA[1], ("challenge-response", "123456")]);
    let second = typed(&[("challenge-response", "123456")]);
    let (lab, before) = desk(&["--sign-in=password-mfa"], &[first, second]);
    assert_up(&lab, &lab.up());
    assert_eq!(
        dialogs(&lab),
        [["username", "password", "challenge-response"]]
    );
    let code = last_dialog(&lab)["fields"][2].clone();
    assert_eq!(code["label"], "Enter MFA code");
    assert_eq!(code["masked"], false, "the profile says so");
    take_down(&lab, &before);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab)[1], ["challenge-response"]);
    take_down(&lab, &before);
}

#[test]
fn a_wrong_one_time_code_is_asked_for_again() {
    let wrong = typed(&[ADA[0], ADA[1], ("challenge-response", "000000")]);
    let right = typed(&[
        ("password", "correct horse"),
        ("challenge-response", "123456"),
    ]);
    let (lab, before) = desk(&["--sign-in=password-mfa"], &[wrong, right]);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab).len(), 2);
    take_down(&lab, &before);
}

#[test]
fn a_question_of_the_endpoint_is_asked_after_the_password() {
    let code = |code| typed(&[("challenge-response", code)]);
    let forms = [typed(&ADA), code("000000"), code("123456")];
    let flags = ["--sign-in=password-question", "--question-flags=R"];
    let (lab, before) = desk(&flags, &forms);
    assert_up(&lab, &lab.up());
    let asked = dialogs(&lab);
    assert_eq!(asked[0], ["username", "password"]);
    assert_eq!(asked[1..], [["challenge-response"], ["challenge-response"]]);
    let field = last_dialog(&lab)["fields"][0].clone();
    assert_eq!(field["label"], "Code from your device:");
    assert_eq!(
        field["masked"], true,
        "its flags do not say that it may be seen"
    );
    // The wrong code led to a second question at the same node, not to another password.
    assert_eq!(lab.endpoint_events().named("asked").len(), 2);
    assert_eq!(lab.endpoint_events().named("refused").len(), 1);
    take_down(&lab, &before);
}

#[test]
fn a_password_together_with_a_certificate() {
    let (lab, before) = desk(&["--sign-in=password-certificate"], &[typed(&ADA)]);
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}

/// A key that needs a passphrase: a wrong one first, then the right one, which is kept.
fn encrypted_key(flags: &[&str]) {
    let passphrase = |text| typed(&[("key-passphrase", text)]);
    let forms = [passphrase("battery stable"), passphrase("battery staple")];
    let (lab, before) = desk(flags, &forms);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab), [["key-passphrase"], ["key-passphrase"]]);
    take_down(&lab, &before);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab).len(), 2);
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_key_that_is_encrypted_in_pkcs8() {
    encrypted_key(&["--sign-in=certificate", "--key-form=pkcs8"]);
}

#[test]
fn a_key_that_is_encrypted_in_the_traditional_way() {
    encrypted_key(&["--sign-in=certificate", "--key-form=traditional"]);
}

#[test]
fn a_pkcs12_block_with_a_passphrase() {
    encrypted_key(&["--sign-in=certificate", "--key-form=pkcs12"]);
}

#[test]
fn a_pkcs12_file_beside_the_profile_is_imported() {
    encrypted_key(&["--sign-in=certificate", "--key-form=pkcs12-file"]);
}

#[test]
fn certificate_and_key_in_files_beside_the_profile_are_imported() {
    let (lab, before) = desk(&["--sign-in=certificate", "--key-form=files"], &[]);
    assert_up(&lab, &lab.up());
    assert_eq!(dialogs(&lab), [[""; 0]; 0]);
    take_down(&lab, &before);
}

#[test]
fn the_browser_and_an_encrypted_key_together() {
    let forms = [typed(&[("key-passphrase", "battery staple")])];
    let flags = ["--sign-in=saml-certificate", "--key-form=pkcs8"];
    let (lab, before) = desk(&flags, &forms);
    assert_up(&lab, &lab.up());
    assert_eq!(lab.browser_did("done", SOON)["what"], "logged in");
    take_down(&lab, &before);
}

/// A connection with one of the certificates that the endpoint does not accept.
fn with_certificate(which: &str) -> (Lab, Snapshot) {
    let options = endpoint(&["--sign-in=certificate", "--key-form=files"]);
    let lab = Lab::start(&options);
    let ready = lab.endpoint_events().wait("ready", SOON);
    // Its files take the place of the user's.
    for file in ["certificate", "key"] {
        let [from, to] = [which, "client"].map(|of| ready[format!("{of}_{file}")].as_str());
        lab.client.check(["cp", from.unwrap(), to.unwrap()]);
    }
    lab.import("udp", 443);
    // The server does not say so: it breaks off, and the time for its answer has to run out.
    lab.modify("+vpn.data", "connect-timeout=20");
    let before = lab.snapshot();
    (lab, before)
}

#[test]
fn a_certificate_of_another_authority_is_refused_in_clear_words() {
    let (lab, before) = with_certificate("stranger");
    let up = lab.up();
    let words = ["within 20 s", "refused the client certificate"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
}

/// OpenVPN has warned of it in the first second.
#[test]
fn a_certificate_that_has_expired_is_named_once_the_endpoint_does_not_accept_it() {
    let (lab, before) = with_certificate("expired");
    let up = lab.up();
    let words = [
        "did not accept the client certificate, which has expired",
        "Ask your administrator for a new one",
    ];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    let profile = lab.profile("udp", 443);
    let update = ["aws-client-vpn", "import", &profile, "--update"];
    for (line, words) in [
        (&update[..], "The client certificate has expired."),
        (
            &["aws-client-vpn", "doctor"],
            "the client certificate of 'vpn' has expired",
        ),
    ] {
        let said = String::from_utf8(lab.client.run(line).stdout).unwrap();
        assert!(said.contains(words), "{said}");
    }
}
