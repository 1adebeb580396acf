//! The catalogue's template.

use crate::{Text, Use};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The template's name in `po/`.
pub const TEMPLATE: &str = "NetworkManager-aws-client-vpn.pot";

/// The template with these texts. It names files without line numbers, so that it changes with
/// texts only.
pub fn template(texts: &BTreeMap<Text, Use>) -> String {
    let mut pot = String::from(
        "# Texts of AWS Client VPN for NetworkManager.\n\
         # Written by `make words`; do not edit.\n\
         msgid \"\"\n\
         msgstr \"\"\n\
         \"Project-Id-Version: NetworkManager-aws-client-vpn\\n\"\n\
         \"MIME-Version: 1.0\\n\"\n\
         \"Content-Type: text/plain; charset=UTF-8\\n\"\n\
         \"Content-Transfer-Encoding: 8bit\\n\"\n",
    );
    for (text, used) in texts {
        pot.push('\n');
        for note in &used.notes {
            writeln!(pot, "#. {note}").ok();
        }
        for file in &used.files {
            writeln!(pot, "#: {file}").ok();
        }
        writeln!(pot, "msgid {}", quoted(&text.one)).ok();
        match &text.many {
            None => pot.push_str("msgstr \"\"\n"),
            Some(many) => {
                writeln!(pot, "msgid_plural {}", quoted(many)).ok();
                pot.push_str("msgstr[0] \"\"\nmsgstr[1] \"\"\n");
            }
        }
    }
    pot
}

fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\t', "\\t");
    format!("\"{text}\"")
}
