//! Whatever is posted to the browser's port: what is taken for a SAML response is a part of it,
//! bounded, in one line.
#![no_main]

use aws_client_vpn_sign_in::saml::{Request, SamlResponse};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|input: (Option<&str>, &[u8])| {
    let (query, body) = input;
    let mut url = Url::parse("https://idp.example/sso").expect("an address");
    url.set_query(query);
    let Ok(response) = SamlResponse::from_form_body(body, &Request::of(&url)) else {
        return;
    };
    let text = response.secret().expose().as_bytes();
    assert!((1..=131_072).contains(&text.len()));
    assert!(
        text.iter()
            .all(|byte| byte.is_ascii_graphic() && *byte != b'&')
    );
    assert!(body.windows(text.len()).any(|window| window == text));
});
