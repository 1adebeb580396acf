//! An identity provider that others wrote: SimpleSAMLphp, from Debian.

use crate::{SOON, assert_failed, assert_up, reason, take_down};
use aws_client_vpn_harness::{Browser, EndpointOptions, Lab, Options, SimpleSamlPhp, Snapshot};

/// An endpoint whose users sign in there.
fn simplesamlphp(browser: Browser) -> (Lab, SimpleSamlPhp, Snapshot) {
    let mut lab = Lab::start(&Options {
        endpoint: None,
        browser,
        ..Options::default()
    });
    let provider = SimpleSamlPhp::start(&lab);
    let metadata = format!("--idp-metadata={}", provider.metadata);
    lab.start_endpoint(&EndpointOptions(vec![metadata]));
    lab.import("udp", 443);
    let before = lab.snapshot();
    (lab, provider, before)
}

#[test]
fn a_user_signs_in_at_simplesamlphp() {
    let (lab, _provider, before) = simplesamlphp(Browser::Scripted);
    let ready = lab.endpoint_events().wait("ready", SOON);
    let sign_on = "https://login.idp.example/simplesaml/saml2/idp/SSOService.php";
    assert_eq!(ready["idp"], sign_on);
    assert_up(&lab, &lab.up());
    assert_eq!(lab.browser_did("done", SOON)["what"], "logged in");
    assert_eq!(lab.endpoint_events().named("accepted").len(), 1);
    // It was there that the user signed in: ours has shown no page.
    assert_eq!(lab.endpoint_events().named("login-page"), [""; 0]);
    take_down(&lab, &before);
    assert_eq!(lab.warnings(), [""; 0]);
}

#[test]
fn a_user_signs_in_at_simplesamlphp_in_the_real_chromium() {
    let (lab, _provider, before) = simplesamlphp(Browser::Chromium);
    assert_up(&lab, &lab.up());
    assert_eq!(lab.browser_did("done", SOON)["what"], "logged in");
    take_down(&lab, &before);
}

#[test]
fn what_simplesamlphp_signs_with_another_key_is_refused_and_the_reason_said() {
    let (lab, provider, before) = simplesamlphp(Browser::Scripted);
    provider.change_its_key(&lab);
    let up = lab.up();
    assert_eq!(lab.browser_did("done", SOON)["what"], "logged in");
    let refused = lab.endpoint_events().wait("refused", SOON);
    assert_eq!(refused["reason"], "broken-signature");
    let why = refused["why"].as_str().unwrap();
    assert!(
        why.contains("another key than that of the metadata"),
        "{why}"
    );
    let words = ["Invalid username or password"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
    assert_eq!(lab.endpoint_events().named("accepted"), [""; 0]);
}

/// The commonest mistake of an administrator.
#[test]
fn a_response_of_simplesamlphp_whose_assertion_is_not_signed_is_refused_and_the_reason_said() {
    let (lab, provider, before) = simplesamlphp(Browser::Scripted);
    provider.sign_the_response_only(&lab);
    let up = lab.up();
    let refused = lab.endpoint_events().wait("refused", SOON);
    assert_eq!(refused["reason"], "unsigned");
    let why = refused["why"].as_str().unwrap();
    assert!(why.contains("sign the response and the assertion"), "{why}");
    let words = ["Invalid username or password"];
    assert_failed(&lab, &up, reason::LOGIN_FAILED, &words, &before);
}
