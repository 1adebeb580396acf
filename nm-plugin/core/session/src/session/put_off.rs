//! `AUTH_FAILED,TEMP`: an endpoint that cannot accept a sign-in at this moment.
//!
//! This is no refusal of the credentials: the same token, reply or password is good a little later.
//! OpenVPN keeps them, and restarts when its hold is released.

use aws_client_vpn_sign_in::refusal::RefusalReason;
use std::time::Duration;

/// The prefix by which OpenVPN recognises such a refusal (push.c).
const START: &str = "TEMP";
/// How OpenVPN says that it restarts for that reason.
pub(super) const RESTART: &str = "auth-temp-failure";

/// `TEMP[backoff 42,advance no]:text`, all of it but the first word optional.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PutOff {
    /// How long the endpoint wants to be left alone.
    pub(super) backoff: Duration,
    /// Why.
    pub(super) why: RefusalReason,
}

impl PutOff {
    /// Parses the reason of an `AUTH_FAILED`; `None` if it is a refusal of the credentials.
    pub(super) fn parse(reason: &str) -> Option<Self> {
        let rest = reason.strip_prefix(START)?;
        let flags = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (flags, text) = flags.unwrap_or(("", rest));
        let seconds = flags.split(',').find_map(|flag| {
            let seconds = flag.trim().strip_prefix("backoff ")?;
            seconds.trim().parse::<u32>().ok()
        });
        Some(Self {
            backoff: Duration::from_secs(seconds.unwrap_or(0).into()),
            why: RefusalReason::parse(text.trim_start_matches(':')),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_text_are_told_apart() {
        let put_off = |seconds, text: &str| {
            Some(PutOff {
                backoff: Duration::from_secs(seconds),
                why: RefusalReason::Given(text.to_owned()),
            })
        };
        let without_reason = |seconds| {
            Some(PutOff {
                backoff: Duration::from_secs(seconds),
                why: RefusalReason::NotGiven,
            })
        };
        for (reason, expected) in [
            ("TEMP", without_reason(0)),
            ("TEMP:busy", put_off(0, "busy")),
            ("TEMP[backoff 5]:busy", put_off(5, "busy")),
            ("TEMP[advance no,backoff 42]", without_reason(42)),
            ("TEMP[backoff -3]:x", put_off(0, "x")),
            ("TEMP[backoff 9", put_off(0, "[backoff 9")),
            ("temporarily closed", None),
            ("Invalid username or password", None),
        ] {
            assert_eq!(PutOff::parse(reason), expected, "{reason}");
        }
    }
}
