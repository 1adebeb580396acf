//! What docs/json.md says of JSON is what the commands print.
#![expect(clippy::unwrap_used, reason = "a test")]

use aws_client_vpn_cli::answer::{Answer, Outcome};
use aws_client_vpn_cli::import::{Imported, What};
use aws_client_vpn_cli::status::{Connection, Failed, State, Status, Way};
use aws_client_vpn_cli::waiting::Waiting;
use aws_client_vpn_profile::last_failure::FailureKind;
use aws_client_vpn_profile::waiting::WaitsFor;
use aws_client_vpn_text::message;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../docs/json.md");
const UUID: &str = "0b0f9a2c-7c6b-4b62-8e0e-0c7f7a4d9d5e";

/// The examples, in the page's order.
fn examples() -> Vec<Value> {
    let blocks = PAGE.split("```json\n").skip(1);
    let text = blocks.map(|block| block.split("```").next().unwrap());
    text.map(|text| serde_json::from_str(text).unwrap())
        .collect()
}

#[test]
fn the_examples_are_what_is_printed() {
    let status = Status {
        connections: vec![Connection {
            name: "work".to_owned(),
            uuid: UUID.to_owned(),
            state: State::Off,
            waits_for: None,
            since: None,
            endpoint: Some(
                "cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com"
                    .to_owned(),
            ),
            sign_in: Some(Way::Saml),
            sign_in_ends: None,
            addresses: Vec::new(),
            domains: Vec::new(),
            name_servers: Vec::new(),
            problem: None,
            last_failure: Some(Failed {
                at: 1_795_539_601,
                kind: FailureKind::Refused,
                reason: message!(
                    "The endpoint refused the sign-in: {why}. Connect to sign in again. If it is refused \
                     again, ask your administrator whether you may use this endpoint.",
                    why = "Invalid username or password".to_owned()
                ),
            }),
        }],
    };
    let imported = Imported {
        file: "work.ovpn".into(),
        what: What::Added,
        name: "work".to_owned(),
        uuid: Some(UUID.to_owned()),
        notes: Vec::new(),
    };
    let printed = [
        Answer::done(String::new(), status.fields()).json,
        Answer::done(String::new(), json!({ "profiles": [imported] })).json,
    ];
    assert_eq!(examples(), printed);
}

#[test]
fn every_value_that_a_program_may_meet_is_in_the_page() {
    let states = [
        State::Off,
        State::Starting,
        State::SigningIn,
        State::Queued,
        State::Connecting,
        State::Up,
        State::Ending,
    ];
    let ways = [
        Way::Saml,
        Way::Certificate,
        Way::Password,
        Way::PasswordAndCode,
    ];
    let whats = [What::Added, What::Updated, What::Found, What::LeftOut];
    let values = states.map(|it| json!(it)).into_iter();
    let values = values.chain(ways.map(|it| json!(it)));
    let values = values.chain(whats.map(|it| json!(it)));
    let values = values.chain(Outcome::ALL.map(|it| json!(it.name())));
    let waits = WaitsFor::ALL.map(|what| {
        json!(Waiting {
            what,
            user: None,
            is_own: false
        })["what"]
            .take()
    });
    for value in values.chain(waits) {
        let value = value.as_str().unwrap().to_owned();
        assert!(PAGE.contains(&format!("`{value}`")), "{value} is missing");
    }
}
