//! The identity provider's pages.

/// The login page. `problem` is shown above the form.
pub(crate) fn login_page(saml_request: &str, relay_state: &str, problem: Option<&str>) -> String {
    let problem = problem
        .map(|text| {
            format!(
                "<p class=\"problem\" role=\"alert\" id=\"problem\">{}</p>",
                html(text)
            )
        })
        .unwrap_or_default();
    page(
        "Sign in",
        &format!(
            "<h1>Sign in</h1><p>to <strong>AWS Client VPN</strong></p>{problem}\
             <form method=\"post\" action=\"/sso/login\">\
             <input type=\"hidden\" name=\"SAMLRequest\" value=\"{request}\">\
             <input type=\"hidden\" name=\"RelayState\" value=\"{relay}\">\
             <label for=\"username\">User name</label>\
             <input id=\"username\" name=\"username\" autocomplete=\"username\" required autofocus>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" name=\"password\" type=\"password\" \
             autocomplete=\"current-password\" required>\
             <button id=\"sign-in\" type=\"submit\">Sign in</button></form>",
            request = html(saml_request),
            relay = html(relay_state),
        ),
    )
}

/// The page that carries the response to the VPN client: a form that submits itself.
pub(crate) fn response_page(consumer: &str, saml_response: &str, relay_state: &str) -> String {
    page(
        "Signing in",
        &format!(
            "<h1>Signing in…</h1>\
             <form id=\"response\" method=\"post\" action=\"{consumer}\">\
             <input type=\"hidden\" name=\"SAMLResponse\" value=\"{response}\">\
             <input type=\"hidden\" name=\"RelayState\" value=\"{relay}\">\
             <noscript><button type=\"submit\">Continue</button></noscript></form>\
             <script>document.getElementById('response').submit()</script>",
            consumer = html(consumer),
            response = html(saml_response),
            relay = html(relay_state),
        ),
    )
}

/// A page of one message.
pub(crate) fn message_page(message: &str) -> String {
    page(
        "Identity provider",
        &format!("<h1>Identity provider</h1><p>{}</p>", html(message)),
    )
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
         <title>{title}</title><style>\
         body{{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;\
         place-items:center;background:light-dark(#f2f3f5,#1d1f23)}}\
         main{{width:20rem;padding:2rem;border-radius:.75rem;background:light-dark(#fff,#2a2d33);\
         box-shadow:0 1px 4px #0003}}\
         h1{{font-size:1.4rem;margin:0}}p{{margin:.25rem 0 1rem}}\
         label{{display:block;margin-top:.75rem}}\
         input,button{{box-sizing:border-box;width:100%;padding:.5rem;font:inherit;\
         border:1px solid #888;border-radius:.4rem}}\
         button{{margin-top:1.25rem;border:0;background:#1a5fb4;color:#fff}}\
         .problem{{color:light-dark(#a51d2d,#ff7b63)}}\
         </style></head><body><main>{body}</main></body></html>"
    )
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_outside_is_escaped() {
        let page = login_page("a\"><script>", "b", Some("no <b>"));
        assert!(page.contains("value=\"a&quot;&gt;&lt;script&gt;\""));
        assert!(page.contains("no &lt;b&gt;"));
    }
}
