//! However the bytes are cut, the management socket gives the same lines, and any line decodes.
#![no_main]

use aws_client_vpn_session::management::{Line, LineBuffer, decode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (cut, bytes) = input;
    let whole = lines(bytes.chunks(bytes.len().max(1)));
    let cut = lines(bytes.chunks(usize::from(cut).max(1)));
    assert_eq!(whole, cut);
    for line in whole {
        match line {
            Line::Complete(text) => {
                assert!(!text.expose().contains('\n'));
                let _ = decode(text.expose());
            }
            Line::TooLong => {}
        }
    }
});

fn lines<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Line> {
    let mut buffer = LineBuffer::new();
    let mut lines = Vec::new();
    for chunk in chunks {
        buffer.push(chunk);
        lines.extend(std::iter::from_fn(|| buffer.next_line()));
    }
    lines
}
