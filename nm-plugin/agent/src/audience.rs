//! Whom the news of a sign-in is for.

/// Whether what `user` signed in to is for this session to hear of; of a sign-in without a known
/// person, everybody hears.
pub(crate) fn concerns_us(user: &str) -> bool {
    concerns(user, std::env::var("USER").ok().as_deref())
}

fn concerns(user: &str, own: Option<&str>) -> bool {
    user.is_empty() || own.is_none_or(|own| own == user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_told_to_whose_it_is() {
        assert!(concerns("ada", Some("ada")) && !concerns("ada", Some("bob")));
        assert!(concerns("ada", None) && concerns("", Some("bob")));
    }
}
