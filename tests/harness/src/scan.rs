//! Looks for secrets where they must not be: arguments, environments, files and logs.

use crate::world::World;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The longest file that is looked at, in bytes; nothing in a lab comes near.
const FILE_LIMIT: u64 = 64 << 20;
/// How much of a secret is looked for at a time, in bytes: a part of one gives it away too.
const PIECE: usize = 48;

/// A secret that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What was found.
    pub secret: &'static str,
    /// Where.
    pub place: String,
}

/// What is looked for, and where it was found so far.
#[derive(Debug, Default)]
pub struct SecretScan {
    pieces: Vec<(&'static str, Vec<u8>)>,
    findings: BTreeSet<Finding>,
    /// How many processes were looked at.
    pub processes: usize,
    /// How many files were looked at.
    pub files: usize,
}

impl SecretScan {
    /// A scan that looks for session ids (`instance-1/` and 19 digits) only.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for `secret` too, in pieces if it is long, as it is.
    pub fn add(&mut self, name: &'static str, secret: &str) {
        if secret.len() < PIECE {
            self.pieces.push((name, secret.as_bytes().to_vec()));
        }
        for piece in secret.as_bytes().chunks_exact(PIECE) {
            self.pieces.push((name, piece.to_vec()));
        }
    }

    /// Looks at arguments and environment of each process of `world`.
    pub fn processes_of(&mut self, world: &World) {
        for pid in world.processes() {
            self.processes += 1;
            for what in ["cmdline", "environ"] {
                let Ok(bytes) = fs::read(format!("/proc/{pid}/{what}")) else {
                    continue;
                };
                let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                self.look(&bytes, || format!("{what} of {}", name.trim()));
            }
        }
    }

    /// Looks at each file below `directory` of `root`, but not below those of `except`.
    pub fn files_below(&mut self, root: &Path, directory: &str, except: &[&str]) {
        let Ok(entries) = fs::read_dir(root.join(directory)) else {
            return;
        };
        for entry in entries.flatten() {
            let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if except.contains(&path.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.files_below(root, &path, except);
            } else if kind.is_file() && entry.metadata().is_ok_and(|meta| meta.len() <= FILE_LIMIT)
            {
                self.files += 1;
                let bytes = fs::read(entry.path()).unwrap_or_default();
                self.look(&bytes, || format!("file {path}"));
            }
        }
    }

    /// What was found.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.iter().cloned().collect()
    }

    fn look(&mut self, bytes: &[u8], place: impl Fn() -> String) {
        let mut found = BTreeSet::new();
        if holds_session_id(bytes) {
            found.insert("session id");
        }
        for (name, piece) in &self.pieces {
            if !found.contains(name) && holds(bytes, piece) {
                found.insert(*name);
            }
        }
        for secret in found {
            self.findings.insert(Finding {
                secret,
                place: place(),
            });
        }
    }
}

fn holds(bytes: &[u8], piece: &[u8]) -> bool {
    let Some(&first) = piece.first() else {
        return false;
    };
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|&byte| byte == first) {
        at += found;
        if bytes[at..].starts_with(piece) {
            return true;
        }
        at += 1;
    }
    false
}

/// Whether there is something like `instance-1/1234567890123456789/`.
fn holds_session_id(bytes: &[u8]) -> bool {
    const START: &[u8] = b"instance-";
    const DIGITS: usize = 19;
    bytes.windows(START.len()).enumerate().any(|(at, window)| {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        let mut rest = bytes[at + START.len()..].iter().skip_while(is_digit);
        window == START
            && rest.next() == Some(&b'/')
            && rest.take(DIGITS).filter(is_digit).count() == DIGITS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_and_pieces_are_found() {
        let id = b"x CRV1::instance-1/1234567890123456789/0f-aa::y";
        assert!(holds_session_id(id));
        assert!(!holds_session_id(b"instance-1/short/0f instance-"));
        let mut scan = SecretScan::new();
        let secret: String = (0..200_u8).map(|n| char::from(b'a' + n % 23)).collect();
        scan.add("answer", &secret);
        scan.look(format!("log {}", &secret[96..150]).as_bytes(), || {
            "here".to_owned()
        });
        scan.look(b"nothing", || "there".to_owned());
        scan.add("password", "hunter2");
        scan.look(b"the password hunter1", || "there".to_owned());
        assert_eq!(
            scan.findings(),
            [Finding {
                secret: "answer",
                place: "here".to_owned()
            }]
        );
    }
}
