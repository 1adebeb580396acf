//! The catalogue's files: the template that is written, the translations that are read.

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

/// A text and its translations: one, or one for each plural form.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Entry {
    /// In English.
    pub one: String,
    /// For other numbers than one.
    pub many: Option<String>,
    /// In the language of the file; empty if not translated.
    pub translations: Vec<String>,
    /// Guessed by `msgmerge`, not looked at.
    pub fuzzy: bool,
}

/// The entries of a `.po` file without its header and what is not used any more.
#[must_use]
pub fn entries(po: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for block in po.split("\n\n") {
        let mut entry = Entry::default();
        let mut field: Option<&mut String> = None;
        for line in block.lines().map(str::trim) {
            if line.starts_with('#') {
                entry.fuzzy |= line.starts_with("#,") && line.contains("fuzzy");
                continue;
            }
            let (keyword, text) = line.split_once('"').unwrap_or((line, ""));
            let text = unquoted(text.strip_suffix('"').unwrap_or(text));
            match keyword.trim() {
                "" => {}
                "msgid" => field = Some(&mut entry.one),
                "msgid_plural" => field = Some(entry.many.insert(String::new())),
                _ => {
                    entry.translations.push(String::new());
                    field = entry.translations.last_mut();
                }
            }
            if let Some(field) = &mut field {
                field.push_str(&text);
            }
        }
        if !entry.one.is_empty() {
            entries.push(entry);
        }
    }
    entries
}

fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(other) => other,
                None => '\\',
            },
            other => other,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = |one: &str, many: Option<&str>| Text {
            one: one.to_owned(),
            many: many.map(str::to_owned),
        };
        let used = |files: &[&str], notes: &[&str]| Use {
            files: files.iter().map(ToString::to_string).collect(),
            notes: notes.iter().map(ToString::to_string).collect(),
        };
        let texts = BTreeMap::from([
            (
                text("a \"quoted\" \\ text\n", None),
                used(&["a.rs"], &["What it is."]),
            ),
            (text("one", Some("many")), used(&["a.rs", "b.rs"], &[])),
        ]);
        let template = template(&texts);
        assert!(template.contains("\n\n#. What it is.\n#: a.rs\nmsgid "));
        let read = entries(&template);
        let back: Vec<Text> = read
            .into_iter()
            .map(|entry| Text {
                one: entry.one,
                many: entry.many,
            })
            .collect();
        assert_eq!(back, texts.into_keys().collect::<Vec<_>>());
    }
}
