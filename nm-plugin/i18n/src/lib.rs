//! What users read, in their language: one catalogue for all programs and libraries of the project.
//!
//! Every text that a person sees goes through [`gettext!`], [`ngettext!`] or [`localize`]; the English text is
//! the key, and stands in where there is no translation. A test in `po/` finds texts that go round
//! the catalogue.
//!
//! Libraries that run inside other programs call [`init_library`], which changes nothing for their host:
//! the domain is our own, and the host's locale is left as it is. Programs of ours call [`init_program`].

use aws_client_vpn_text::message::{Localize, Message, fill};
use gettextrs::{LocaleCategory, bind_textdomain_codeset, bindtextdomain, dgettext, dngettext};
use std::path::Path;

/// The catalogue's name, as `.mo` files are called.
pub const DOMAIN: &str = "NetworkManager-aws-client-vpn";

/// Where the catalogue is installed; `make` says so for another prefix.
const DIRECTORY: &str = match option_env!("AWS_CLIENT_VPN_LOCALEDIR") {
    Some(directory) => directory,
    None => "/usr/share/locale",
};

/// Opens the catalogue, as often as one likes. For libraries, and for programs with GTK, which
/// takes the locale from the environment itself.
pub fn init_library() {
    init_library_at(Path::new(DIRECTORY));
}

/// Opens the catalogue below `directory`, for tests.
pub fn init_library_at(directory: &Path) {
    // Without memory for it, texts stay English.
    drop(bindtextdomain(DOMAIN, directory));
    // Whatever the host's encoding is: toolkits, D-Bus and Rust want UTF-8.
    drop(bind_textdomain_codeset(DOMAIN, "UTF-8"));
}

/// Takes the locale from the environment and opens the catalogue. For programs without GTK, once,
/// as the first thing they do.
#[expect(unsafe_code, reason = "setlocale has no safe wrapper")]
pub fn init_program() {
    // SAFETY: the contract above: no other thread is there that could look at the locale.
    unsafe {
        gettextrs::setlocale(LocaleCategory::LcAll, "");
    }
    init_library();
}

/// What an error or another message says.
pub fn localize(what: &(impl Localize + ?Sized)) -> String {
    in_language(&what.message())
}

fn in_language(message: &Message) -> String {
    message.in_language(&look_up)
}

/// A text of the catalogue, marked with [`aws_client_vpn_text::gettext_noop!`] where it is written.
pub fn translate(text: &'static str) -> String {
    look_up(text)
}

/// Also of a text that another program of ours said.
fn look_up(text: &str) -> String {
    // gettext has the catalogue's header for it.
    if text.is_empty() {
        return String::new();
    }
    dgettext(DOMAIN, text)
}

#[doc(hidden)]
pub fn filled(text: &str, values: &[(&str, String)]) -> String {
    fill(text, |name| {
        let (_, value) = values.iter().find(|(known, _)| *known == name)?;
        Some(value.clone())
    })
}

#[doc(hidden)]
pub fn counted(one: &str, many: &str, count: u64) -> String {
    // Languages look at the last digits at most.
    let seen = u32::try_from(count).unwrap_or_else(|_| (count % 1_000_000) as u32 + 1_000_000);
    dngettext(DOMAIN, one, many, seen)
}

/// A text for the user: `gettext!("Sign in")`, `gettext!("{name} is connecting", name = id)`.
#[macro_export]
macro_rules! gettext {
    ($text:literal $(,)?) => {
        $crate::translate($text)
    };
    ($text:literal $(, $name:ident = $value:expr)+ $(,)?) => {
        $crate::filled(
            &$crate::translate($text),
            &[$((stringify!($name), $value.to_string())),+],
        )
    };
}

/// A text that depends on a number, which stands in it as `{count}`:
/// `ngettext!(days, "{count} day left", "{count} days left")`.
#[macro_export]
macro_rules! ngettext {
    ($count:expr, $one:literal, $many:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        let count: u64 = $count;
        $crate::filled(
            &$crate::counted($one, $many, count),
            &[("count", count.to_string()) $(, (stringify!($name), $value.to_string()))*],
        )
    }};
}
