//! What goes wrong without anybody having asked for it: a person at a terminal reads it in their
//! language; in the journal it is English, as all of it.

use aws_client_vpn_i18n as i18n;
use aws_client_vpn_text::message::Worded;
use std::io::{IsTerminal, stderr};

/// Says why something did not work.
pub fn complain(why: &impl Worded) {
    let text = if stderr().is_terminal() {
        i18n::of(why)
    } else {
        why.message().to_string()
    };
    eprintln!("nm-aws-client-vpn-agent: {text}");
}
