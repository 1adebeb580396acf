//! OpenVPN's lines, without secrets, for a log.

use std::borrow::Cow;

/// A line of OpenVPN's log as it may stand in the journal: what carries a session id, a login or a
/// token is cut off, and who signs in. Of pushed options, those after a token stay.
#[must_use]
pub fn for_journal(line: &str) -> Cow<'_, str> {
    const TOKEN: &str = "auth-token ";
    if line.contains("PUSH_REPLY,")
        && let Some((before, after)) = line.split_once(TOKEN)
    {
        let after = after.find(',').map_or("", |end| &after[end..]);
        return Cow::Owned(format!("{}[not shown]{}", cut(before), cut(after)));
    }
    cut(line)
}

fn cut(line: &str) -> Cow<'_, str> {
    // OpenVPN masks a command's password itself, and not its name, for which people type one by mistake.
    const SECRET_FROM: [&str; 5] = [
        "CRV1:",
        "SAMLResponse",
        "auth-token ",
        "SESS_ID",
        "CMD 'username ",
    ];
    match SECRET_FROM
        .iter()
        .filter_map(|start| line.find(start))
        .min()
    {
        Some(cut) => Cow::Owned(format!("{}[not shown]", &line[..cut])),
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_beside_a_token_stays() {
        let pushed = |options: &str| {
            let line = format!("PUSH: Received control message: 'PUSH_REPLY,{options}'");
            for_journal(&line).into_owned()
        };
        let shown = pushed("echo,auth-token c2VjcmV0,peer-id 0");
        assert!(shown.ends_with("echo,[not shown],peer-id 0'"), "{shown}");
        assert!(pushed("auth-token c2VjcmV0").ends_with(",[not shown]"));
        // Twice is nobody's custom, and shows nothing either.
        let twice = pushed("auth-token c2VjcmV0,ping 1,auth-token c2VjcmV0");
        assert!(!twice.contains("c2VjcmV0"), "{twice}");
        assert_eq!(for_journal("auth-token c2VjcmV0"), "[not shown]");
    }

    #[test]
    fn who_signs_in_is_not_shown() {
        let shown = for_journal("MANAGEMENT: CMD 'username \"Auth\" \"hunter2\"'");
        assert_eq!(shown, "MANAGEMENT: [not shown]");
    }
}
