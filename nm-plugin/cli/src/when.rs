//! Points in time, for people: UTC, so that two people who compare them need not ask.

use time::OffsetDateTime;
use time::macros::format_description;

/// Seconds since 1970 as `2026-11-24 17:00:01 UTC`; those past any calendar as date(1) takes them.
pub(crate) fn utc(seconds: u64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| time.format(format).ok())
        .unwrap_or_else(|| format!("@{seconds}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_is_readable() {
        assert_eq!(super::utc(1_795_539_601), "2026-11-24 17:00:01 UTC");
        assert_eq!(super::utc(u64::MAX), format!("@{}", u64::MAX));
    }
}
