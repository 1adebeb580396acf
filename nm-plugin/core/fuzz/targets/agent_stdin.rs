//! Whatever an agent writes to the dialog's standard input, and whatever hints come with it: what is
//! kept is bounded, a form asks for something and shows single lines, and no answer breaks the lines
//! in which it travels.
#![no_main]

use aws_client_vpn_profile::settings;
use aws_client_vpn_sign_in::agent_stdin::AgentStdin;
use aws_client_vpn_sign_in::answer::{decode_unsaved, encode_unsaved, form_answer};
use aws_client_vpn_sign_in::form::CredentialForm;
use aws_client_vpn_text::secret::Secret;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

fuzz_target!(|input: (&str, &[u8], &str)| {
    let (hints, stdin, typed) = input;
    let mut lines = AgentStdin::default();
    lines.push(stdin);
    assert!(lines.data().len() <= 200);
    // Neither panics, whatever the settings say.
    drop(settings::summary(lines.data()));
    drop(settings::check(lines.data()));

    let Some(form) = CredentialForm::parse(hints.lines(), lines.data()) else {
        return;
    };
    assert!(!form.fields.is_empty());
    let mut questions = form
        .fields
        .iter()
        .filter_map(|field| field.question.as_ref());
    assert!(questions.all(|text| !text.contains('\n')));
    let (rest, answered) = form.divided(lines.secrets());
    assert_eq!(rest.fields.len() + answered.len(), form.fields.len());

    let answers: Vec<_> = form
        .fields
        .iter()
        .map(|field| (field.credential, Secret::from(typed)))
        .collect();
    let printed = form_answer(&answers);
    let expected = if typed.is_empty() || typed.contains(['\n', '\r', '\0']) {
        0
    } else {
        answers.len()
    };
    let pairs = printed.expose().lines().filter(|line| !line.is_empty());
    assert_eq!(pairs.count(), 2 * expected);

    // What is typed once arrives under its own name.
    let printed = encode_unsaved(&answers);
    let mut printed = printed.expose().lines();
    if let (Some(name), Some(value)) = (printed.next(), printed.next()) {
        let secrets = BTreeMap::from([(name.to_owned(), Secret::from(value))]);
        let secrets = decode_unsaved(secrets);
        if !typed.is_empty() && !typed.contains(char::is_control) {
            for (credential, _) in &answers {
                let value = secrets.get(credential.name());
                assert_eq!(value.map(Secret::expose), Some(typed));
            }
        }
    }
});
