//! What is written to a log from some moment on.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// A log from the moment on at which this was made.
#[derive(Debug)]
pub struct LogTail {
    file: File,
    text: Vec<u8>,
}

impl LogTail {
    pub(crate) fn of(path: &Path) -> Self {
        let mut file = File::open(path).expect("the program that writes it was started");
        file.seek(SeekFrom::End(0)).expect("a file has an end");
        Self {
            file,
            text: Vec::new(),
        }
    }

    /// All that was written since, so far.
    pub fn text(&mut self) -> Cow<'_, str> {
        self.file
            .read_to_end(&mut self.text)
            .expect("a log that was opened can be read");
        String::from_utf8_lossy(&self.text)
    }
}
