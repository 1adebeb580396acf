//! A [`Message`] as lines of text, for another program of ours that says it in its user's language.

use crate::settings::{escape, unescape};
use aws_client_vpn_text::message::{Argument, Message};

/// Messages in messages, at most.
const DEEPEST: usize = 8;

/// The lines of a message, for [`read`]: in English what is too deep in it.
pub fn write(message: &Message) -> String {
    let mut text = String::new();
    write_message(&mut text, message, DEEPEST);
    text
}

/// The message whose lines come next; `None` if they are none.
#[must_use]
pub fn read<'a>(from: &mut impl Iterator<Item = &'a str>) -> Option<Message> {
    read_message(from, DEEPEST)
}

fn write_message(to: &mut String, message: &Message, depth: usize) {
    write_line(to, "text", message.text());
    for (name, argument) in message.arguments() {
        write_line(to, "name", name);
        match argument {
            Argument::Literal(text) => write_line(to, "foreign", text),
            Argument::Message(message) if depth == 1 => {
                write_line(to, "foreign", &message.to_string());
            }
            Argument::Message(message) => write_message(to, message, depth - 1),
        }
    }
    write_line(to, "end", "");
}

fn write_line(to: &mut String, kind: &str, text: &str) {
    for part in [kind, " ", &escape(text), "\n"] {
        to.push_str(part);
    }
}

fn read_message<'a>(from: &mut impl Iterator<Item = &'a str>, depth: usize) -> Option<Message> {
    match read_line(from)? {
        ("text", text) => read_arguments(from, text, depth),
        _ => None,
    }
}

fn read_arguments<'a>(
    from: &mut impl Iterator<Item = &'a str>,
    text: String,
    depth: usize,
) -> Option<Message> {
    let depth = depth.checked_sub(1)?;
    let mut arguments = Vec::new();
    loop {
        let name = match read_line(from)? {
            ("name", name) => name,
            ("end", _) => return Some(Message::of_parts(text, arguments)),
            _ => return None,
        };
        let argument = match read_line(from)? {
            ("foreign", text) => Argument::Literal(text),
            ("text", text) => Argument::Message(read_arguments(from, text, depth)?),
            _ => return None,
        };
        arguments.push((name, argument));
    }
}

fn read_line<'a>(from: &mut impl Iterator<Item = &'a str>) -> Option<(&'a str, String)> {
    let (kind, text) = from.next()?.split_once(' ')?;
    Some((kind, unescape(text)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_client_vpn_text::message;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let inner = message!("it {what}", what = "is\ntoo \\ long".to_owned());
        let message = message!("{host}: {why}", host = "h".to_owned(), why = inner);
        let text = write(&message);
        let mut lines = text.lines().chain(["next"]);
        assert_eq!(read(&mut lines), Some(message));
        assert_eq!(lines.next(), Some("next"));
    }

    #[test]
    fn texts_in_texts_come_to_an_end() {
        let deep = |depth: usize| {
            let text =
                "text {a}\nname a\n".repeat(depth - 1) + "text x\n" + &"end \n".repeat(depth);
            read(&mut text.lines()).is_some()
        };
        assert!(deep(DEEPEST) && !deep(DEEPEST + 1));
    }

    #[test]
    fn what_is_too_deep_is_written_in_english() {
        let of_depth =
            |depth| (1..depth).fold(message!("x"), |inner, _| message!("it {why}", why = inner));
        for depth in 1..3 * DEEPEST {
            let message = of_depth(depth);
            let read = read(&mut write(&message).lines()).unwrap();
            assert_eq!(read.to_string(), message.to_string());
            assert_eq!(read == message, depth <= DEEPEST, "{depth}");
        }
    }
}
