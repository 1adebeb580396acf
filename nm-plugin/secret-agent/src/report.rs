//! Reports what went wrong without anybody having asked for it: a person at a terminal reads it in their
//! language; in the journal it is English, as all of it.

use aws_client_vpn_i18n as i18n;
use aws_client_vpn_text::message::Localize;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;

/// Reports why something did not work.
pub fn report(why: &impl Localize) {
    let text = if stderr().is_terminal() {
        i18n::localize(why)
    } else {
        why.message().to_string()
    };
    let program = std::env::args_os().next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or_default();
    // Nobody has to read it.
    drop(writeln!(stderr(), "{}: {text}", program.to_string_lossy()));
}
