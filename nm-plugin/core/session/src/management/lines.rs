//! Bytes to lines, with a limit.

use aws_client_vpn_text::secret::Secret;
use zeroize::Zeroize;

/// The longest line that is taken, in bytes: a challenge of 64 KiB with room to spare.
pub const LINE_LIMIT: usize = 256 * 1024;

/// A line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A whole line; it may hold a secret. Bytes that are not UTF-8 are replaced.
    Complete(Secret),
    /// A line longer than [`LINE_LIMIT`] was dropped.
    TooLong,
}

/// Collects bytes until a line is whole. What it held is overwritten on drop.
#[derive(Default)]
pub struct LineBuffer {
    bytes: Vec<u8>,
    /// How much of `bytes` has been looked at.
    searched: usize,
    /// Inside a line that is too long already.
    skipping: bool,
}

impl LineBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was read. Call [`Self::next_line`] until it returns `None` afterwards.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > self.bytes.capacity() {
            self.grow(bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line. `None` until more is pushed.
    pub fn next_line(&mut self) -> Option<Line> {
        loop {
            let Some(end) = self.bytes[self.searched..]
                .iter()
                .position(|&byte| byte == b'\n')
            else {
                self.searched = self.bytes.len();
                if self.searched > LINE_LIMIT {
                    self.skipping = true;
                    self.remove(self.searched);
                }
                return None;
            };
            let end = self.searched + end;
            if std::mem::take(&mut self.skipping) || end > LINE_LIMIT {
                self.remove(end + 1);
                return Some(Line::TooLong);
            }
            let line = &self.bytes[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = Secret::new(String::from_utf8_lossy(line).into_owned());
            self.remove(end + 1);
            if !line.is_empty() {
                return Some(Line::Complete(line));
            }
        }
    }

    fn remove(&mut self, count: usize) {
        let kept = self.bytes.len() - count;
        self.bytes.copy_within(count.., 0);
        self.bytes[kept..].zeroize();
        self.bytes.truncate(kept);
        self.searched = 0;
    }

    /// A vector that grows leaves its old bytes behind; this one does not.
    fn grow(&mut self, by: usize) {
        let capacity = (self.bytes.len() + by).next_power_of_two().max(4096);
        let mut larger = Vec::with_capacity(capacity);
        larger.extend_from_slice(&self.bytes);
        self.bytes.zeroize();
        self.bytes = larger;
    }
}

impl Drop for LineBuffer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl std::fmt::Debug for LineBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineBuffer")
            .field("len", &self.bytes.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Line> {
        let mut buffer = LineBuffer::new();
        let mut lines = Vec::new();
        for chunk in chunks {
            buffer.push(chunk);
            while let Some(line) = buffer.next_line() {
                lines.push(line);
            }
        }
        lines
    }

    fn complete(text: &str) -> Line {
        Line::Complete(Secret::from(text))
    }

    #[test]
    fn lines_end_with_lf_or_crlf_and_may_come_in_pieces() {
        let got = lines(&[b">HO", b"LD:\r\n\r\n>IN", b"FO:x\nrest"]);
        assert_eq!(got, [complete(">HOLD:"), complete(">INFO:x")]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let long = vec![b'x'; LINE_LIMIT + 1];
        assert_eq!(
            lines(&[&long, b"yz\nok\n"]),
            [Line::TooLong, complete("ok")]
        );
        // In one piece with its end, too.
        let whole = [&long[..], b"\n"].concat();
        assert_eq!(lines(&[&whole]), [Line::TooLong]);
        let limit = vec![b'x'; LINE_LIMIT];
        assert_eq!(lines(&[&limit, b"\n"]).len(), 1);
        assert_ne!(lines(&[&limit, b"\n"])[0], Line::TooLong);
    }

    #[test]
    fn the_buffer_is_bounded_whatever_is_pushed() {
        let mut buffer = LineBuffer::new();
        for _ in 0..100 {
            buffer.push(&[b'x'; 65536]);
            while buffer.next_line().is_some() {}
        }
        assert!(buffer.bytes.capacity() <= 2 * LINE_LIMIT);
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..400),
                                    size in 1_usize..50) {
            let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
            prop_assert_eq!(lines(&pieces), lines(&[&bytes]));
        }
    }
}
