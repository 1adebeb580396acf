//! Messages of netlink and their attributes (linux/netlink.h).

pub(crate) const HEADER: usize = 16;
pub(crate) const NLMSG_ERROR: u16 = 2;
pub(crate) const NLMSG_DONE: u16 = 3;
pub(crate) const NLM_F_REQUEST: u16 = 0x1;
pub(crate) const NLM_F_ACK: u16 = 0x4;
/// What is told has changed meanwhile: some of it may be missing.
pub(crate) const NLM_F_DUMP_INTR: u16 = 0x10;
pub(crate) const NLM_F_DUMP: u16 = 0x300;
pub(crate) const NLM_F_REPLACE: u16 = 0x100;
pub(crate) const NLM_F_EXCL: u16 = 0x200;
pub(crate) const NLM_F_CREATE: u16 = 0x400;
pub(crate) const NLM_F_APPEND: u16 = 0x800;
/// The error that an answer with [`NLM_F_DUMP_INTR`] ends with.
const EINTR: i32 = 4;
/// What of an attribute's kind is its number (NLA_TYPE_MASK).
const NUMBER: u16 = 0x3fff;

/// A message.
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    flags: u16,
    pub(crate) sequence: u32,
    /// The socket that it comes from, or whose request it answers.
    pub(crate) port: u32,
    pub(crate) content: &'a [u8],
}

/// The messages in what was received.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let (header, _) = bytes.split_first_chunk::<HEADER>()?;
        let [
            l0,
            l1,
            l2,
            l3,
            k0,
            k1,
            f0,
            f1,
            s0,
            s1,
            s2,
            s3,
            p0,
            p1,
            p2,
            p3,
        ] = *header;
        let length = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let content = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            port: u32::from_ne_bytes([p0, p1, p2, p3]),
            content,
        })
    })
}

/// The attributes in `bytes`: the number of each, and what is in it; `None` for one that is cut,
/// which is the last.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u16, &[u8])>> {
    std::iter::from_fn(move || {
        let ([l0, l1, k0, k1], _) = bytes.split_first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([*l0, *l1]));
        let kind = u16::from_ne_bytes([*k0, *k1]);
        let value = bytes.get(4..length);
        let rest = value.and_then(|_| bytes.get(length.next_multiple_of(4)..));
        bytes = rest.unwrap_or_default();
        Some(value.map(|value| (kind & NUMBER, value)))
    })
}

/// Writes an attribute at the end of `body`.
pub(crate) fn push_attribute(body: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    body.extend(length.to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(value);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// A message with its header.
pub(crate) fn frame(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes
}

/// Gives `take_in` the kind of each message in a part of the answer to a question, and what is in
/// it. Says whether the answer ends with this part. After an error, of which this is the number,
/// what was read is not all of it.
pub fn read_part(bytes: &[u8], mut take_in: impl FnMut(u16, &[u8])) -> Result<bool, i32> {
    for message in messages(bytes) {
        if message.flags & NLM_F_DUMP_INTR != 0 {
            return Err(EINTR);
        }
        match message.kind {
            // Both begin with the number of an error, or 0.
            NLMSG_DONE | NLMSG_ERROR => return error_in(message.content).map(|()| true),
            kind => take_in(kind, message.content),
        }
    }
    Ok(false)
}

/// What the kernel answered to a request.
pub fn outcome(bytes: &[u8]) -> Result<(), i32> {
    match messages(bytes).next() {
        Some(message) if message.kind == NLMSG_ERROR => error_in(message.content),
        Some(_) | None => Ok(()),
    }
}

fn error_in(content: &[u8]) -> Result<(), i32> {
    match content.first_chunk() {
        Some([0, 0, 0, 0]) | None => Ok(()),
        Some(code) => Err(i32::from_ne_bytes(*code).saturating_neg()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_error_is_told() {
        let answer = |code: i32| frame(NLMSG_ERROR, 0, 0, &[code.to_ne_bytes(), [0; 4]].concat());
        assert_eq!(outcome(&answer(0)), Ok(()));
        assert_eq!(outcome(&answer(-101)), Err(101));
        assert_eq!(outcome(&[]), Ok(()));
    }

    #[test]
    fn what_comes_before_the_end_of_an_answer_is_read() {
        let read = |bytes: &[u8]| {
            let mut kinds = Vec::new();
            let is_last = read_part(bytes, |kind, content| kinds.push((kind, content.len())));
            (kinds, is_last)
        };
        let (one, other) = (frame(24, 0, 0, &[0; 4]), frame(32, 0, 0, &[]));
        let done = frame(NLMSG_DONE, 0, 0, &[0; 4]);
        let both = vec![(24, 4), (32, 0)];
        assert_eq!(
            read(&[&one[..], &other].concat()),
            (both.clone(), Ok(false))
        );
        assert_eq!(
            read(&[&one[..], &other, &done, &one].concat()),
            (both, Ok(true))
        );
        assert_eq!(read(&done), (vec![], Ok(true)));
    }

    #[test]
    fn an_answer_that_ends_with_an_error_is_not_whole() {
        let read = |kind, code: i32| {
            let route = frame(24, 0, 0, &[0; 4]);
            let end = frame(kind, 0, 0, &code.to_ne_bytes());
            read_part(&[route, end].concat(), |_, _| {})
        };
        assert_eq!(read(NLMSG_DONE, -12), Err(12));
        assert_eq!(read(NLMSG_ERROR, -95), Err(95));
        assert_eq!(
            (read(NLMSG_DONE, 0), read(NLMSG_ERROR, 0)),
            (Ok(true), Ok(true))
        );
    }

    #[test]
    fn an_answer_whose_contents_have_changed_meanwhile_is_not_whole() {
        let (whole, torn) = (frame(24, 2, 0, &[0; 4]), frame(24, 0x12, 0, &[0; 4]));
        let end = frame(NLMSG_DONE, 0x12, 0, &[0; 4]);
        let read = |parts: &[&[u8]]| read_part(&parts.concat(), |_, _| {});
        assert_eq!(read(&[&whole]), Ok(false));
        assert_eq!(read(&[&whole, &torn]), Err(EINTR));
        assert_eq!(read(&[&whole, &end]), Err(EINTR));
    }

    #[test]
    fn attributes_are_read_until_one_is_cut() {
        let mut bytes = Vec::new();
        push_attribute(&mut bytes, 0x8001, b"abcde");
        push_attribute(&mut bytes, 2, b"");
        let whole = [Some((1, &b"abcde"[..])), Some((2, &[]))];
        assert_eq!(attributes(&bytes).collect::<Vec<_>>(), whole);
        push_attribute(&mut bytes, 3, b"abcd");
        let cut = attributes(&bytes[..bytes.len() - 1]).collect::<Vec<_>>();
        assert_eq!(cut, [whole[0], whole[1], None]);
        // The length is that of no attribute.
        assert_eq!(attributes(&[0; 8]).collect::<Vec<_>>(), [None]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (outcome(&bytes), read_part(&bytes, |_, _| {}), attributes(&bytes).count());
        }
    }
}
