//! Points in time, for people: by the clock on their wall, or, in what is sent to others, UTC.

use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

/// Seconds since 1970 as `2026-11-24 18:00:01 +01:00` where the user is, and where that is not known
/// as [`utc`].
pub(crate) fn local(seconds: u64) -> String {
    let format = format_description!(
        "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory]:[offset_minute]"
    );
    let here = || {
        let time = OffsetDateTime::from_unix_timestamp(seconds.try_into().ok()?).ok()?;
        let offset = UtcOffset::local_offset_at(time).ok()?;
        (!offset.is_utc()).then(|| time.to_offset(offset).format(format).ok())?
    };
    here().unwrap_or_else(|| utc(seconds))
}

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
