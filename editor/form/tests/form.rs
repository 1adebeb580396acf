//! A page from a connection and back: what was not touched is not changed, and what can be saved
//! is a connection that the service takes.

use aws_client_vpn_editor_form::{Changes, Field, Form, GROUPS, Kind, Value, connection as page};
use aws_client_vpn_libnm::Connection;
use aws_client_vpn_libnm::connection::VpnProfile;
use aws_client_vpn_profile::keys::DEFAULT_VPN_TIMEOUT_SECONDS;
use aws_client_vpn_profile::parts::InlineFile;
use aws_client_vpn_profile::profile::Profile;
use aws_client_vpn_profile::settings;
use aws_client_vpn_profile::well_known::SERVICE_TYPE;
use aws_client_vpn_text::secret::Secret;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Items = (BTreeMap<String, String>, BTreeMap<String, Secret>);

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n";
const ENCRYPTED_KEY: &str =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nU0VDUkVU\n-----END ENCRYPTED PRIVATE KEY-----\n";

fn connection(lines: &str) -> Items {
    let text = format!(
        "client\ndev tun\nproto udp\n\
         remote cvpn-endpoint-0123456789abcdef0.prod.clientvpn.eu-central-1.amazonaws.com 443\n\
         remote-random-hostname\nremote-cert-tls server\ncipher AES-256-GCM\nreneg-sec 0\n\
         verify-x509-name \"server name\" name\nmssfix 1400\nkeepalive 10 60\n{lines}\n\
         <ca>\n{CERTIFICATE}</ca>\n"
    );
    let profile = Profile::parse(&text, &mut |_| Err("no file".to_owned()))
        .expect("a profile")
        .profile;
    let mut data = settings::to_data(&profile);
    data.insert("of-the-future".to_owned(), "kept".to_owned());
    (data, settings::to_secrets(&profile))
}

fn saml() -> Items {
    connection("auth-federate")
}

fn all_connections() -> Vec<Items> {
    let own = format!("<cert>\n{CERTIFICATE}</cert>\n<key>\n{KEY}</key>");
    [
        "auth-federate".to_owned(),
        format!("auth-federate\n{own}"),
        "auth-user-pass\nstatic-challenge \"Enter MFA code\" 1".to_owned(),
        format!("auth-user-pass\n{own}"),
        own.replace(KEY, ENCRYPTED_KEY),
        "pkcs11-id 'pkcs11:token=a;id=%01'".to_owned(),
        "<pkcs12>\nTUlJ\n</pkcs12>".to_owned(),
    ]
    .map(|lines| connection(&lines))
    .into()
}

fn form((data, secrets): &Items) -> Form {
    Form::new(data.clone(), secrets.clone())
}

fn applied((data, secrets): &Items, changes: &Changes) -> Items {
    let (mut data, mut secrets) = (data.clone(), secrets.clone());
    for (key, value) in &changes.data {
        match value {
            Some(value) => data.insert(key.clone(), value.clone()),
            None => data.remove(key),
        };
    }
    for (key, value) in &changes.secrets {
        match value {
            Some(value) => secrets.insert(key.clone(), value.clone()),
            None => secrets.remove(key),
        };
    }
    (data, secrets)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The changes of some edits, and their `vpn.data` in one line each.
fn edited(items: &Items, edits: &[(Field, Value)]) -> (Changes, Vec<String>) {
    let mut form = form(items);
    for (field, value) in edits {
        form.set(*field, value.clone());
    }
    let changes = form
        .changes()
        .unwrap_or_else(|(field, problem)| panic!("{field:?}: {problem}"));
    let lines = changes
        .data
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or("-")))
        .collect();
    (changes, lines)
}

fn refusal(items: &Items, field: Field, value: Value) -> String {
    let mut form = form(items);
    form.set(field, value);
    let row = form.rows(0)[&field].clone();
    let (found, problem) = form.changes().expect_err("an error");
    assert_eq!(found, field);
    assert_eq!(
        row.problem.as_ref(),
        Some(&problem),
        "it is shown at the field"
    );
    problem.to_string()
}

#[test]
fn a_page_that_was_only_looked_at_changes_nothing() {
    for items in all_connections() {
        let changes = form(&items).changes().unwrap();
        assert_eq!(changes, Changes::default());
        assert!(
            form(&items)
                .rows(0)
                .values()
                .all(|row| row.problem.is_none())
        );
    }
}

#[test]
fn an_edit_changes_its_own_item_and_undoing_it_none() {
    let (changes, lines) = edited(&saml(), &[(Field::Port, text("1194"))]);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with("remote=cvpn-endpoint-") && lines[0].ends_with(" 1194 udp"));
    assert!(changes.secrets.is_empty());
    let (changes, _) = edited(
        &saml(),
        &[(Field::Port, text("1194")), (Field::Port, text("443"))],
    );
    assert_eq!(changes, Changes::default());
    let (_, lines) = edited(&saml(), &[(Field::MssFix, text("1300"))]);
    let old = saml().0["options"].clone();
    assert_eq!(lines, [format!("options={}", old.replace("1400", "1300"))]);
}

#[test]
fn what_a_kill_switch_lets_through_is_asked_once_there_is_one() {
    let on = || Value::Switch(true);
    let items = saml();
    let form = form(&items);
    assert!(!form.rows(0)[&Field::KillSwitchLan].is_shown);
    let (_, lines) = edited(&items, &[(Field::KillSwitch, on())]);
    assert_eq!(lines, ["kill-switch=yes"]);
    let (_, lines) = edited(
        &items,
        &[(Field::KillSwitch, on()), (Field::KillSwitchLan, on())],
    );
    assert_eq!(lines, ["kill-switch=yes", "kill-switch-lan=yes"]);
    // What is not shown says nothing.
    let (changes, _) = edited(&items, &[(Field::KillSwitchLan, on())]);
    assert_eq!(changes, Changes::default());
}

#[test]
fn a_password_goes_where_the_user_wants_it() {
    let items = connection("auth-user-pass");
    let password = || Value::Secret(Secret::from("hunter2"));
    let (changes, lines) = edited(&items, &[(Field::Password, password())]);
    assert!(lines.is_empty(), "{lines:?}");
    assert_eq!(changes.secrets["password"], Some(Secret::from("hunter2")));
    for (index, flags, is_kept) in [(1, "0", true), (2, "3", false), (3, "4", false)] {
        let (changes, lines) = edited(
            &items,
            &[
                (Field::Password, password()),
                (Field::PasswordKeeping, Value::Choice(index)),
            ],
        );
        assert_eq!(lines, [format!("password-flags={flags}")]);
        assert_eq!(changes.secrets.contains_key("password"), is_kept);
    }
}

#[test]
fn another_way_to_sign_in_takes_its_own_and_leaves_nothing_of_the_old() {
    let (mut data, mut secrets) = connection("auth-user-pass\nstatic-challenge Code 1");
    data.insert("username".to_owned(), "ada".to_owned());
    secrets.insert("password".to_owned(), Secret::from("x"));
    let items = (data, secrets);
    let (changes, _) = edited(&items, &[(Field::SignIn, Value::Choice(0))]);
    let (data, secrets) = applied(&items, &changes);
    assert_eq!(data["sign-in"], "saml");
    assert!(secrets.is_empty());
    for key in [
        "username",
        "static-challenge",
        "static-challenge-echo",
        "password-flags",
    ] {
        assert!(!data.contains_key(key), "{key}");
    }
    // And back: NetworkManager is told to keep no answer on disk.
    let (changes, _) = edited(
        &(data.clone(), secrets.clone()),
        &[(Field::SignIn, Value::Choice(2))],
    );
    let (data, _) = applied(&(data, secrets), &changes);
    assert_eq!(data["password-flags"], "1");
    assert_eq!(data["challenge-response-flags"], "3");
}

#[test]
fn a_certificate_comes_from_one_source() {
    let items = connection(&format!(
        "auth-federate\n<cert>\n{CERTIFICATE}</cert>\n<key>\n{KEY}</key>"
    ));
    let (changes, _) = edited(
        &items,
        &[
            (Field::CertificateSource, Value::Choice(2)),
            (Field::TokenKey, text("pkcs11:id=%01")),
        ],
    );
    let (data, secrets) = applied(&items, &changes);
    assert_eq!(data["pkcs11-id"], "pkcs11:id=%01");
    assert_eq!(data["pkcs11-pin-flags"], "1");
    assert!(!data.contains_key("cert") && !secrets.contains_key("key"));

    let mut form = form(&items);
    form.set(Field::CertificateSource, Value::Choice(1));
    assert_eq!(form.changes().unwrap_err().0, Field::Pkcs12);
    form.set_file(Field::Pkcs12, &[0x30, 0x82, 0xff]);
    let (data, secrets) = applied(&items, &form.changes().unwrap());
    assert_eq!(secrets["pkcs12"].expose(), "MIL/");
    assert!(!data.contains_key("cert") && !secrets.contains_key("key"));
    assert_eq!(data["key-passphrase-flags"], "1");
}

#[test]
fn files_are_replaced_removed_and_refused() {
    let mut form = form(&saml());
    form.set_file(Field::Ca, b"no certificate");
    let problem = form.rows(0)[&Field::Ca].problem.clone().unwrap();
    assert!(problem.to_string().contains("no certificate"), "{problem}");
    assert_eq!(
        form.changes().unwrap(),
        Changes::default(),
        "the old one stays"
    );
    form.clear(Field::Ca);
    assert_eq!(form.changes().unwrap_err().0, Field::Ca);
    let new = CERTIFICATE.replace("TUlJ", "AAAA");
    form.set_file(Field::Ca, format!("some text\r\n{new}").as_bytes());
    let changes = form.changes().unwrap();
    assert_eq!(
        changes.data["ca"].as_deref(),
        Some(&*settings::escape(new.trim_end()))
    );
    form.set_file(Field::PrivateKey, CERTIFICATE.as_bytes());
    form.set(Field::SignIn, Value::Choice(4));
    assert!(form.rows(0)[&Field::PrivateKey].problem.is_some());
}

#[test]
fn what_is_wrong_is_said_at_its_field() {
    for (field, wrong, expected) in [
        (Field::Endpoint, "", "Enter the name"),
        (
            Field::Endpoint,
            "https://a.example/",
            "not the name of an endpoint",
        ),
        (Field::Endpoint, "a.example, b.example icmp", "icmp"),
        (Field::Port, "0", "from 1 to 65535"),
        (Field::Port, "", "from 1 to 65535"),
        (Field::ServerName, " ", "Enter the name"),
        (Field::LoginLimit, "5", "from 30 to 3600"),
        (Field::ConnectLimit, "x", "from 5 to 600"),
        (Field::ReconnectLimit, "5", "from 10 to 86400"),
        (Field::SessionLength, "soon", "8h, 90m"),
        (Field::InactivityLimit, "x", ""),
        (Field::TunnelMtu, "10", "from 576"),
        (Field::MssFix, "99999", "65535"),
        (Field::PingInterval, "-1", "not a number"),
        (
            Field::Directives,
            "float\nup /bin/sh",
            "Line 2: 'up' cannot be used",
        ),
        (Field::Directives, "mssfix 1200", "has its own field"),
        (Field::Directives, "route \"", "not closed"),
    ] {
        let said = refusal(&saml(), field, text(wrong));
        assert!(said.contains(expected), "{field:?}: {said}");
    }
    let said = refusal(&saml(), Field::SignIn, Value::Choice(usize::MAX));
    assert!(said.contains("Choose"), "{said}");
    let challenge = connection("auth-user-pass\nstatic-challenge Code 1");
    refusal(&challenge, Field::Challenge, text(&"x".repeat(300)));
    let token = connection("pkcs11-id 'pkcs11:token=a;id=%01'");
    refusal(&token, Field::TokenKey, text("/dev/token"));
    refusal(&token, Field::TokenModule, text("../evil"));
    // Only the whole tells.
    let said = refusal(&saml(), Field::Directives, text("dns server 1 dnssec yes"));
    assert!(said.contains("address"), "{said}");
}

#[test]
fn a_new_connection_asks_for_what_is_needed_and_no_more() {
    let nothing = (BTreeMap::new(), BTreeMap::new());
    let mut form = form(&nothing);
    assert!(form.rows(0).values().all(|row| row.problem.is_none()));
    assert_eq!(form.changes().unwrap_err().0, Field::Endpoint);
    form.set(
        Field::Endpoint,
        text("cvpn-endpoint-1.prod.clientvpn.eu-west-1.amazonaws.com"),
    );
    form.set_file(Field::Ca, CERTIFICATE.as_bytes());
    let changes = form.changes().unwrap();
    let (data, secrets) = applied(&nothing, &changes);
    let profile = settings::from_settings(&data, &secrets).unwrap();
    assert!(profile.random_hostname());
    assert_eq!(profile.remotes()[0].port, 443);
    assert_eq!(data["saml-response-flags"], "3");
    assert_eq!(changes.timeout(0), Some(DEFAULT_VPN_TIMEOUT_SECONDS));
    assert_eq!(changes.timeout(900), None);
}

#[test]
fn a_new_connection_outlives_its_network_and_an_old_one_s_choice_stays() {
    let host_s = |data: &BTreeMap<String, String>| {
        Connection::vpn(&VpnProfile {
            id: "new",
            service_type: SERVICE_TYPE,
            timeout: 0,
            persistent: false,
            data,
            secrets: &BTreeMap::new(),
        })
        .unwrap()
    };
    let new = host_s(&BTreeMap::new());
    let mut shown = page::open(&new);
    shown.set(
        Field::Endpoint,
        text("cvpn-endpoint-1.prod.clientvpn.eu-west-1.amazonaws.com"),
    );
    shown.set_file(Field::Ca, CERTIFICATE.as_bytes());
    page::save(&shown, &new).unwrap();
    assert!(new.is_persistent());
    let old = host_s(&saml().0);
    let mut shown = page::open(&old);
    shown.set(Field::Port, text("1194"));
    page::save(&shown, &old).unwrap();
    assert!(!old.is_persistent());
}

#[test]
fn a_proxy_is_set_and_taken_away_on_the_page() {
    let over_tcp = [
        (Field::Protocol, Value::Choice(1)),
        (Field::ProxyType, Value::Choice(1)),
        (Field::ProxyServer, text("proxy.example")),
        (Field::ProxyPort, text("3128")),
    ];
    let (changes, lines) = edited(&saml(), &over_tcp);
    for line in [
        "proxy-type=http",
        "proxy-server=proxy.example",
        "proxy-port=3128",
    ] {
        assert!(lines.contains(&line.to_owned()), "{lines:?}");
    }
    // What is typed in is not written to disk unasked.
    let flags = |lines: &[String]| {
        let flags = lines.iter().filter(|line| line.starts_with("proxy-"));
        flags.filter(|line| line.contains("-flags=")).count()
    };
    assert_eq!(flags(&lines), 2, "{lines:?}");
    let with_proxy = applied(&saml(), &changes);
    let (changes, _) = edited(&with_proxy, &[(Field::ProxyType, Value::Choice(0))]);
    let (without, _) = applied(&with_proxy, &changes);
    let left: Vec<_> = without
        .keys()
        .filter(|key| key.starts_with("proxy"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // With UDP there is none, and one has a name and a port.
    let mut form = form(&saml());
    form.set(Field::Protocol, Value::Choice(0));
    form.set(Field::ProxyType, Value::Choice(2));
    let rows = form.rows(0);
    for field in [Field::ProxyType, Field::ProxyServer, Field::ProxyPort] {
        assert!(rows[&field].problem.is_some(), "{field:?}");
    }
    assert!(rows[&Field::ProxyAuth].is_shown);
}

#[test]
fn how_long_things_last_is_set_on_the_page() {
    let (_, lines) = edited(
        &saml(),
        &[
            (Field::SessionLength, text("8h")),
            (Field::ReconnectLimit, text("1200")),
            (Field::InactivityLimit, text("1800")),
            (Field::KeepRoutes, Value::Switch(false)),
            (Field::EnforceRoutes, Value::Switch(true)),
        ],
    );
    let set = [
        "enforce-routes=yes",
        "inactivity-timeout=1800",
        "keep-routes=no",
        "reconnect-timeout=1200",
        "session-length=8h",
    ];
    assert_eq!(lines, set);
    let (mut data, secrets) = saml();
    data.extend(set.map(|line| {
        let (key, value) = line.split_once('=').unwrap();
        (key.to_owned(), value.to_owned())
    }));
    let form = form(&(data, secrets));
    assert_eq!(form.changes().unwrap().data.len(), 0);
    assert!(form.rows(0)[&Field::SessionLength].problem.is_none());
}

#[test]
fn a_long_login_is_not_ended_by_networkmanager() {
    let (changes, lines) = edited(&saml(), &[(Field::LoginLimit, text("1800"))]);
    assert_eq!(lines, ["login-timeout=1800"]);
    assert_eq!(changes.timeout(600), Some(1800));
    assert_eq!(changes.timeout(3600), None);
}

#[test]
fn fields_that_are_shown_together_have_letters_of_their_own() {
    for items in all_connections() {
        let form = form(&items);
        let rows = form.rows(0);
        for is_advanced in [false, true] {
            let groups = GROUPS
                .iter()
                .filter(|group| group.is_advanced == is_advanced);
            let fields = groups.flat_map(|group| group.fields);
            let mut letters = BTreeMap::new();
            for field in fields.filter(|field| rows[field].is_shown) {
                let label = field.label();
                let letter = label.split_once('_').expect(label).1.chars().next();
                let letter = letter.unwrap().to_ascii_lowercase();
                if let Some(other) = letters.insert(letter, field) {
                    panic!("{field:?} and {other:?} share {letter}");
                }
                assert!(!field.tooltip().is_empty());
            }
        }
    }
}

#[test]
fn a_key_without_passphrase_takes_the_old_passphrase_away() {
    let (data, mut secrets) = connection(&format!(
        "<cert>\n{CERTIFICATE}</cert>\n<key>\n{ENCRYPTED_KEY}</key>"
    ));
    secrets.insert("key-passphrase".to_owned(), Secret::from("x"));
    let items = (data, secrets);
    assert_eq!(items.0["key-passphrase-flags"], "1");
    let mut form = form(&items);
    form.set_file(Field::PrivateKey, KEY.as_bytes());
    let (data, secrets) = applied(&items, &form.changes().unwrap());
    assert!(!data.contains_key("key-passphrase-flags"));
    assert!(!secrets.contains_key("key-passphrase"));
}

fn any_value(field: Field) -> BoxedStrategy<Value> {
    let texts = prop_oneof![
        Just(String::new()),
        "[0-9]{1,5}",
        "\\PC{0,12}",
        Just("a.example, b.example 1194 tcp".to_owned()),
        Just("ping 5\nfloat".to_owned()),
        Just(CERTIFICATE.to_owned()),
        Just("pkcs11:id=%02".to_owned()),
    ];
    match field.kind() {
        Kind::Text(_) | Kind::Number(_) | Kind::Lines => texts.prop_map(Value::Text).boxed(),
        Kind::Choice(choices) => (0..choices.len() + 1).prop_map(Value::Choice).boxed(),
        Kind::Switch => any::<bool>().prop_map(Value::Switch).boxed(),
        Kind::Content(InlineFile::Ca | InlineFile::Cert) => texts.prop_map(Value::Text).boxed(),
        Kind::Content(_) => prop_oneof![Just(KEY), Just(ENCRYPTED_KEY), Just(""), Just("TUlJ")]
            .prop_map(|text| Value::Secret(Secret::from(text)))
            .boxed(),
        Kind::Secret => "\\PC{0,9}"
            .prop_map(|text: String| Value::Secret(Secret::new(text)))
            .boxed(),
    }
}

fn any_edit() -> impl Strategy<Value = (Field, Value)> {
    let fields: Vec<Field> = Field::all().collect();
    proptest::sample::select(fields).prop_flat_map(|field| (Just(field), any_value(field)))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_can_be_saved_is_valid_and_keeps_what_nobody_knows(
        index in 0_usize..7,
        edits in proptest::collection::vec(any_edit(), 0..8),
    ) {
        let items = all_connections().swap_remove(index);
        let mut form = form(&items);
        for (field, value) in edits {
            form.set(field, value);
            let _ = form.rows(0);
        }
        if let Ok(changes) = form.changes() {
            let after = applied(&items, &changes);
            prop_assert!(settings::from_settings(&after.0, &after.1).is_ok());
            prop_assert_eq!(&after.0["of-the-future"], "kept");
            prop_assert!(after.0.values().all(|value| !value.contains('\n')));
            // What was saved is what is shown the next time.
            let again = Form::new(after.0.clone(), after.1.clone());
            prop_assert_eq!(again.changes().unwrap(), Changes::default());
        } else {
            prop_assert!(form.rows(0).values().any(|row| row.problem.is_some()));
        }
    }

    #[test]
    fn settings_by_anybody_do_not_make_it_panic(
        key in "remote|sign-in|options|ca|cert|pkcs11-id|password-flags|login-timeout|username",
        value in "\\PC{0,40}",
    ) {
        let (mut data, secrets) = saml();
        data.insert(key, value);
        let form = Form::new(data, secrets);
        let _ = form.rows(0);
        let _ = form.changes();
    }
}
