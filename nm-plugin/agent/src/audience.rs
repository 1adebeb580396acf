//! Whom the news of a sign-in is for.

/// Whether this session is told of a sign-in by `user`; if it is not known who signed in, every
/// session is.
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
