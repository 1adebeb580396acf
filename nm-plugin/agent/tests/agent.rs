//! The real agent on buses of the test's own.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up what it needs has failed"
)]

#[path = "agent/fixture.rs"]
mod fixture;

use fixture::*;
use std::time::{Duration, Instant};

const ERROR: &str = "org.freedesktop.NetworkManager.SecretAgent";
/// Answers as the dialog does.
const ANSWERS: &str = "echo \"$*\" >$notes\n\
    while read -r line; do [ \"$line\" = DONE ] && break; echo \"$line\" >$notes; done\n\
    printf 'saml-response\\nPHNhbWw\\n\\n\\n'\n\
    while read -r line; do [ \"$line\" = QUIT ] && exit 0; done";
/// Answers, and does not end.
const STAYS: &str = "printf 'saml-response\\nPHNhbWw\\n\\n\\n'; exec sleep 600";
/// Waits for ever, and notes its end by way of its child.
const WAITS: &str = "echo $$ >$notes; exec sleep 600";

#[test]
fn the_dialog_s_answer_is_networkmanager_s() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    let secrets = fixture.ask(&manager, &agent, SERVICE).unwrap();
    assert_eq!(
        secrets,
        [("saml-response".to_owned(), "PHNhbWw".to_owned())].into()
    );
    assert_eq!(
        fixture.noted(),
        format!("--uuid=1-2 --name=Work --service={SERVICE} --keep --allow-interaction --hint=a=b")
    );
    assert_eq!(fixture.noted(), "DATA_KEY=sign-in");
}

#[test]
fn an_answer_counts_although_the_dialog_does_not_end() {
    let mut fixture = Fixture::new(STAYS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    let secrets = fixture.ask(&manager, &agent, SERVICE).unwrap();
    assert_eq!(secrets["saml-response"], "PHNhbWw");
}

#[test]
fn everything_else_is_left_to_other_agents() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    let other = fixture.ask(&manager, &agent, "org.freedesktop.NetworkManager.openvpn");
    assert_eq!(other, Err(format!("{ERROR}.NoSecrets")));
    let stranger = fixture.stranger();
    let denied = fixture.ask(&stranger, &agent, SERVICE);
    assert_eq!(denied, Err(format!("{ERROR}.PermissionDenied")));
    assert!(fixture.notes_nothing(), "no dialog was run");
}

#[test]
fn what_the_dialog_says_decides_whether_another_agent_is_asked() {
    for (dialog, error) in [
        ("exit 1", "UserCanceled"),
        ("printf '\\n\\n'", "NoSecrets"),
        ("kill -KILL $$", "NoSecrets"),
    ] {
        let mut fixture = Fixture::new(dialog);
        let manager = fixture.network_manager();
        fixture.start(&[]);
        let answer = fixture.ask(&manager, &manager.agent(), SERVICE);
        assert_eq!(answer, Err(format!("{ERROR}.{error}")), "{dialog}");
    }
}

/// Else NetworkManager would withhold what it keeps itself, and Plasma's agent make a wallet.
#[test]
fn what_is_kept_is_answered_even_if_nothing_is() {
    for dialog in ["printf '\\n\\n'", "kill -KILL $$"] {
        let mut fixture = Fixture::new(dialog);
        let manager = fixture.network_manager();
        fixture.start(&[]);
        let agent = manager.agent();
        let kept = fixture.ask_for_kept(&manager, &agent);
        assert_eq!(kept, Ok([].into()), "{dialog}");
        let asked = fixture.ask(&manager, &agent, SERVICE);
        assert_eq!(asked, Err(format!("{ERROR}.NoSecrets")), "{dialog}");
    }
}

#[test]
fn a_request_that_is_taken_back_ends_the_dialog() {
    let mut fixture = Fixture::new(WAITS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    let first = fixture.begin_ask(&manager, &agent);
    let dialog = fixture.noted();
    // A second one for the same connection replaces it.
    let second = fixture.begin_ask(&manager, &agent);
    let other_dialog = fixture.noted();
    let taken_back = Err(format!("{ERROR}.AgentCanceled"));
    assert_eq!(first.recv_timeout(PATIENCE).unwrap(), taken_back);
    until(|| !runs(&dialog));
    assert!(runs(&other_dialog));
    fixture.cancel(&manager, &agent);
    assert_eq!(second.recv_timeout(PATIENCE).unwrap(), taken_back);
    until(|| !runs(&other_dialog));
}

#[test]
fn each_networkmanager_is_registered_with_and_a_dead_one_s_dialogs_end() {
    let mut fixture = Fixture::new(WAITS);
    fixture.start(&[]);
    for _ in 0..3 {
        let manager = fixture.network_manager();
        let agent = manager.agent();
        let _answer = fixture.begin_ask(&manager, &agent);
        let dialog = fixture.noted();
        fixture.end(manager);
        until(|| !runs(&dialog));
    }
}

#[test]
fn it_serves_beside_a_desktop_s_agent() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    // gnome-shell has its name while the screen is locked and its agent withdrawn.
    let _shell = fixture.desktop("org.gnome.Shell");
    fixture.start(&[]);
    let agent = manager.agent();
    assert!(fixture.ask(&manager, &agent, SERVICE).is_ok());
}

#[test]
fn a_networkmanager_that_refuses_at_first_is_asked_again() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager_that_refuses(3);
    fixture.start(&[]);
    let agent = manager.agent();
    assert!(fixture.ask(&manager, &agent, SERVICE).is_ok());
}

/// Who leaves a page to an agent, or asks a person again, has to know that NetworkManager asks it.
#[test]
fn it_is_taken_for_an_agent_only_while_it_is_registered() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    until(|| fixture.is_taken_for_asked(&agent) == [true; 2]);
    fixture.end(manager);
    until(|| fixture.is_taken_for_asked(&agent) == [false; 2]);
    let manager = fixture.network_manager();
    assert_eq!(manager.agent(), agent);
    until(|| fixture.is_taken_for_asked(&agent) == [true; 2]);
}

#[test]
fn one_in_the_background_is_enough() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    let first = fixture.agent.take().unwrap();
    fixture.start(&[]);
    let mut second = fixture.agent.replace(first).unwrap();
    assert!(second.wait().unwrap().success());
    assert!(fixture.ask(&manager, &agent, SERVICE).is_ok());
}

/// More than any queue holds.
const FLOOD: u32 = 5000;

#[test]
fn no_number_of_signals_keeps_it_from_serving_or_from_ending() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    let stranger = fixture.stranger();
    for _ in 0..3 {
        fixture.flood(&stranger, FLOOD, "Ends");
        fixture.flood(&manager, FLOOD, "VpnStateChanged");
        assert!(fixture.ask(&manager, &agent, SERVICE).is_ok());
    }
    fixture.flood(&stranger, FLOOD, "Ends");
    fixture.flood(&manager, FLOOD, "VpnStateChanged");
    fixture.terminate();
    assert_eq!(manager.told(), Told::Unregistered);
    assert!(fixture.agent.as_mut().unwrap().wait().unwrap().success());
}

#[test]
fn a_networkmanager_that_hangs_does_not_keep_it_from_ending() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    manager.agent();
    let _hangs = manager.hang();
    fixture.flood(&manager, 100, "VpnStateChanged");
    fixture.terminate();
    let began = Instant::now();
    assert!(fixture.agent.as_mut().unwrap().wait().unwrap().success());
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "systemd waits no longer than it has to"
    );
}

#[test]
fn it_says_goodbye() {
    let mut fixture = Fixture::new(WAITS);
    let manager = fixture.network_manager();
    fixture.start(&[]);
    let agent = manager.agent();
    let answer = fixture.begin_ask(&manager, &agent);
    let dialog = fixture.noted();
    fixture.terminate();
    // It is not the person's no: another agent may be asked.
    assert_eq!(
        answer.recv_timeout(PATIENCE).unwrap(),
        Err(format!("{ERROR}.AgentCanceled"))
    );
    assert_eq!(manager.told(), Told::Unregistered);
    assert!(fixture.agent.as_mut().unwrap().wait().unwrap().success());
    until(|| !runs(&dialog));
}

/// As at the first login after a boot, where the desktop's own programs are still being started.
#[test]
fn a_notice_waits_for_a_desktop_that_is_slow() {
    let mut fixture = Fixture::new(ANSWERS);
    let manager = fixture.network_manager();
    let (_desktop, shown) = fixture.slow_desktop(Duration::from_secs(7));
    fixture.start(&[]);
    let agent = manager.agent();
    let _service = fixture.sign_in_ends();
    // Meanwhile it serves.
    assert!(fixture.ask(&manager, &agent, SERVICE).is_ok());
    let shown = shown.recv_timeout(PATIENCE).unwrap();
    assert_eq!(shown, "Work: your sign-in expires in 10 minutes");
}

/// Whether the process with this number runs.
fn runs(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}
