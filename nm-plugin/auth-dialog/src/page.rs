//! The pages that the browser shows after the identity provider's.
//!
//! They load nothing from anywhere and run no script; their looks follow GNOME's, light or dark.

use aws_client_vpn_i18n::{self as i18n, gettext};
use aws_client_vpn_text::gettext_noop;
use aws_client_vpn_text::message::fill;

const TEMPLATE: &str = include_str!("page.html");

/// What a page allows its browser: its own style and nothing else.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page after a login; `connection` is the name the user gave the VPN connection.
pub(crate) fn signed_in(connection: &str) -> String {
    let connecting = match connection.trim() {
        // TRANSLATORS: In the place of “{connection} is connecting.” where its name is not known.
        "" => escape(&gettext!("Your VPN is connecting.")),
        name => {
            let text = i18n::translate(gettext_noop!("{connection} is connecting."));
            let name = format!("<strong>{}</strong>", escape(name));
            fill(&escape(&text), |_| Some(name.clone()))
        }
    };
    let advice = escape(&gettext!("You can close this tab."));
    render(
        "good",
        &gettext!("You are signed in"),
        &format!("<p>{connecting}</p>\n<p>{advice}</p>"),
    )
}

/// The page when something is wrong: `heading` says what, `advice` what to do, both as plain text.
pub(crate) fn refused(heading: &str, advice: &str) -> String {
    render("bad", heading, &format!("<p>{}</p>", escape(advice)))
}

/// `text` goes in last, so nothing in it can stand for another part of the page.
fn render(mood: &str, heading: &str, text: &str) -> String {
    TEMPLATE
        .replace("{{mood}}", mood)
        // The language that all of it is in, as HTML calls it.
        .replace(
            "{{language}}",
            // TRANSLATORS: The code of your language, for the attribute lang of a web page.
            &escape(&i18n::translate(gettext_noop!("en"))),
        )
        .replace("{{heading}}", &escape(heading))
        .replace("{{text}}", text)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_s_name_stays_text() {
        let page = signed_in("<script>\"A&B's\" {{heading}}");
        assert!(page.contains(
            "<strong>&lt;script&gt;&quot;A&amp;B&#39;s&quot; {{heading}}</strong> is connecting."
        ));
    }

    #[test]
    fn no_part_is_left_open() {
        for page in [
            signed_in(""),
            signed_in("Work"),
            refused("No", "Try again."),
        ] {
            assert!(!page.contains("{{"), "{page}");
        }
    }

    #[test]
    fn it_follows_the_dark_setting_and_loads_nothing() {
        let page = signed_in("Work");
        assert!(page.contains("prefers-color-scheme: dark"));
        for foreign in ["src=", "http:", "https:", "<script", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
}
