//! Whatever hints and standard input an auth dialog is started with: only an https address is
//! opened, a form shows lines and answers in lines, a failure is told in one line, and it does not matter how the agent cuts its words.
#![no_main]

use aws_client_vpn_sign_in::agent_stdin::AgentStdin;
use aws_client_vpn_sign_in::answer::{form_answer, login_failure};
use aws_client_vpn_sign_in::form::CredentialForm;
use aws_client_vpn_sign_in::request::{BrowserRequest, login_hints};
use aws_client_vpn_text::secret::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| {
    let (cut, text) = input;
    if let Ok(prompt) = BrowserRequest::parse(text.lines(), false) {
        assert!(prompt.url.as_str().starts_with("https://"));
        assert!(
            prompt
                .url
                .as_str()
                .bytes()
                .all(|byte| byte.is_ascii_graphic())
        );
        let hints = login_hints(&prompt.url, prompt.time_left.as_secs(), prompt.retry);
        let again = BrowserRequest::parse(hints.iter().map(String::as_str), false);
        assert_eq!(again, Ok(prompt));
    }

    // The same text as settings, a line `key=value` each.
    let data = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    if let Some(form) = CredentialForm::parse(text.lines(), &data) {
        assert!(!form.fields.is_empty());
        for field in &form.fields {
            let label = field
                .question
                .as_deref()
                .unwrap_or(field.credential.label());
            assert!(!label.is_empty() && !label.contains(char::is_control));
        }
        let answers: Vec<_> = form
            .fields
            .iter()
            .map(|field| (field.credential, Secret::from(text)))
            .collect();
        let printed = form_answer(&answers);
        let lines: Vec<_> = printed.expose().lines().collect();
        assert!(lines.len() % 2 == 0 && printed.expose().ends_with("\n\n"));
    }

    if let Some(reason) = login_failure(&Secret::from(text)) {
        let reason = reason.to_string();
        assert!(reason.len() <= 1000 && !reason.contains(char::is_control));
    }

    let whole = AgentStdin::default().push(text.as_bytes());
    let mut lines = AgentStdin::default();
    let pieces = text.as_bytes().chunks(usize::from(cut).max(1));
    let cut: Vec<_> = pieces.flat_map(|piece| lines.push(piece)).collect();
    assert_eq!(whole, cut);
});
