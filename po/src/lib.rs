//! Keeps the catalogue in step with the source: finds the texts for users in our Rust files, and
//! the texts that go round the catalogue.
//!
//! `xgettext` of Debian 12 does not know Rust (continued lines, raw strings, `#[error]`), so this
//! reads the source by its tokens. `cargo run -p aws-client-vpn-po` writes the template and brings
//! the translations up to it.

pub mod catalogue;
pub mod source;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// What the texts are found in: everything that is installed.
const DIRECTORIES: [&str; 2] = ["editor", "nm-plugin"];

/// What the desktop shows of programs; `make install` puts the translations in.
const DESKTOP_FILES: [&str; 1] =
    ["service-files/org.freedesktop.NetworkManager.AwsClientVpn.desktop.in"];
/// The keys with texts.
const DESKTOP_KEYS: [&str; 4] = ["Name", "GenericName", "Comment", "Keywords"];

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Our source files below `directory`, in order, without tests: their names from the root.
pub fn source_files(root: &Path, directory: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![root.join(directory)];
    while let Some(directory) = open.pop() {
        for entry in directory.read_dir()? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_other = matches!(
                &*name,
                "tests" | "fuzz" | "examples" | "target" | "tests.rs" | "build.rs"
            );
            if path.is_dir() && !is_other {
                open.push(path);
            } else if name.ends_with(".rs") && !is_other {
                let name = path.strip_prefix(root).unwrap_or(&path);
                found.push(name.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A text of the source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    /// In English.
    pub one: String,
    /// For other numbers than one.
    pub many: Option<String>,
}

/// Where a text is, and what its translators are told.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Use {
    /// The files it is in.
    pub files: Vec<String>,
    /// What the source says of it.
    pub notes: Vec<String>,
}

/// Every text for users in the source, with what is known of it.
pub fn texts(root: &Path) -> io::Result<BTreeMap<Text, Use>> {
    let mut texts: BTreeMap<Text, Use> = BTreeMap::new();
    for directory in DIRECTORIES {
        for file in source_files(root, directory)? {
            let found = source::read(&root.join(&file))?;
            for text in found.texts {
                let notes = found.notes.iter().filter(|(one, _)| *one == text.one);
                let notes: Vec<String> = notes.map(|(_, note)| note.clone()).collect();
                let used = texts.entry(text).or_default();
                if used.files.last() != Some(&file) {
                    used.files.push(file.clone());
                    used.notes.extend(notes);
                    used.notes.dedup();
                }
            }
        }
    }
    for file in DESKTOP_FILES {
        for line in std::fs::read_to_string(root.join(file))?.lines() {
            let text = line
                .split_once('=')
                .filter(|(key, _)| DESKTOP_KEYS.contains(key));
            if let Some((_, one)) = text {
                let (one, many) = (one.to_owned(), None);
                let used = texts.entry(Text { one, many }).or_default();
                used.files.push(file.to_owned());
            }
        }
    }
    Ok(texts)
}
