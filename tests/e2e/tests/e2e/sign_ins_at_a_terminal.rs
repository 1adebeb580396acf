//! Signing in where there is no desktop and no agent: nmcli asks, or has a file with passwords.

use crate::{SOON, assert_failed, assert_up, endpoint, lab, reason, take_down};
use aws_client_vpn_harness::{Lab, Options, Snapshot, wait_for};

/// A lab without any agent but nmcli's own.
fn terminal(flags: &[&str]) -> (Lab, Snapshot) {
    lab(&Options {
        agent: None,
        ..endpoint(flags)
    })
}

#[test]
fn nmcli_asks_for_name_and_password() {
    let (lab, before) = terminal(&["--sign-in=password"]);
    let mut nmcli = lab.up_at_terminal();
    for (name, text) in [
        ("username", "ada@example.com"),
        ("password", "correct horse"),
    ] {
        nmcli.expect(&format!("vpn.secrets.{name}"), SOON);
        nmcli.type_line(text);
    }
    let up = nmcli.finish();
    assert!(!up.text.contains("correct horse"), "{}", up.text);
    assert_up(&lab, &up);
    take_down(&lab, &before);
}

#[test]
fn nmcli_asks_again_after_a_wrong_password() {
    let (lab, before) = terminal(&["--sign-in=password"]);
    lab.modify("+vpn.data", "username=ada@example.com");
    let mut nmcli = lab.up_at_terminal();
    nmcli.expect("vpn.secrets.password", SOON);
    nmcli.type_line("wrong horse");
    nmcli.expect("Invalid username or password", SOON);
    nmcli.expect("vpn.secrets.password", SOON);
    nmcli.type_line("correct horse");
    assert_up(&lab, &nmcli.finish());
    take_down(&lab, &before);
}

#[test]
fn a_slow_person_at_a_terminal() {
    let (lab, before) = terminal(&["--sign-in=password"]);
    lab.modify("+vpn.data", "username=ada@example.com");
    let mut nmcli = lab.up_at_terminal();
    nmcli.expect("vpn.secrets.password", SOON);
    // NetworkManager would end its request after 120 s, so it is made again before; nmcli shows the
    // new one when the old one has been answered.
    let asked_again = wait_for(SOON * 3, || {
        lab.journal().contains("still waiting").then_some(())
    });
    assert!(asked_again.is_some(), "{}", lab.journal());
    nmcli.type_line("correct horse");
    nmcli.expect("vpn.secrets.password", SOON);
    nmcli.type_line("correct horse");
    assert_up(&lab, &nmcli.finish());
    take_down(&lab, &before);
}

#[test]
fn nmcli_asks_the_question_of_the_endpoint() {
    let (lab, before) = terminal(&["--sign-in=password-question"]);
    lab.modify("+vpn.data", "username=ada@example.com");
    let mut nmcli = lab.up_at_terminal();
    nmcli.expect("vpn.secrets.password", SOON);
    nmcli.type_line("correct horse");
    nmcli.expect("Code from your device:", SOON);
    nmcli.expect("vpn.secrets.challenge-response", SOON);
    nmcli.type_line("123456");
    assert_up(&lab, &nmcli.finish());
    take_down(&lab, &before);
}

#[test]
fn nmcli_asks_for_a_passphrase() {
    let (lab, before) = terminal(&["--sign-in=certificate", "--key-form=pkcs8"]);
    let mut nmcli = lab.up_at_terminal();
    nmcli.expect("vpn.secrets.key-passphrase", SOON);
    nmcli.type_line("battery staple");
    assert_up(&lab, &nmcli.finish());
    take_down(&lab, &before);
}

#[test]
fn nmcli_never_asks_for_a_browser_login() {
    let (lab, before) = terminal(&[]);
    let nmcli = lab.up_at_terminal();
    let up = nmcli.finish();
    assert!(!up.success);
    assert!(!up.text.contains("vpn.secrets"), "{}", up.text);
    assert_eq!(lab.vpn_ended(SOON).reason, reason::NO_SECRETS);
    lab.assert_clean(&before);
}

#[test]
fn a_file_with_passwords_serves_where_nobody_is() {
    let (lab, before) = terminal(&["--sign-in=password-mfa"]);
    let up = lab.up_with_password_file(
        "vpn.secrets.username:ada@example.com\nvpn.secrets.password:correct horse\n\
         vpn.secrets.challenge-response:123456\n",
    );
    assert_up(&lab, &up);
    take_down(&lab, &before);
}

#[test]
fn a_file_with_a_wrong_password_is_tried_once() {
    let (lab, before) = terminal(&["--sign-in=password"]);
    let up = lab.up_with_password_file(
        "vpn.secrets.username:ada@example.com\nvpn.secrets.password:wrong horse\n",
    );
    let words = ["was refused before"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    assert_eq!(lab.endpoint_events().named("refused").len(), 1);
}

#[test]
fn a_password_that_the_connection_keeps_for_all_users_needs_nobody() {
    let (lab, before) = terminal(&["--sign-in=password"]);
    lab.modify("+vpn.data", "username=ada@example.com, password-flags=0");
    lab.modify("vpn.secrets", "password=correct horse");
    assert_up(&lab, &lab.up());
    take_down(&lab, &before);
}
