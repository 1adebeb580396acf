//! Where the service's story goes: the journal where there is one, else standard error.
//!
//! NetworkManager passes on the level of its domain `VPN_PLUGIN` in `NM_VPN_LOG_LEVEL`, as a syslog
//! number. That domain is off unless somebody switches it on, and off arrives as 0: what no program
//! means (`LOG_EMERG`) is taken for "not said".

use std::error::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const IDENTIFIER: &str = "nm-aws-client-vpn-service";

/// Starts logging.
pub(crate) fn start() {
    let level = level(std::env::var("NM_VPN_LOG_LEVEL").ok().as_deref());
    let registry = tracing_subscriber::registry().with(level);
    match tracing_journald::layer() {
        Ok(journal) => registry
            .with(
                journal
                    .with_syslog_identifier(IDENTIFIER.to_owned())
                    .with_field_prefix(None),
            )
            .init(),
        Err(_) => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_ansi(false)
                    .without_time(),
            )
            .init(),
    }
}

/// An error with all its causes, in one line.
pub(crate) fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn level(syslog: Option<&str>) -> LevelFilter {
    match syslog.and_then(|number| number.parse::<u8>().ok()) {
        Some(1..=3) => LevelFilter::ERROR,
        Some(4) => LevelFilter::WARN,
        Some(7..) => LevelFilter::DEBUG,
        Some(0 | 5..=6) | None => LevelFilter::INFO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networkmanager_s_level_is_followed() {
        for (syslog, expected) in [
            (None, LevelFilter::INFO),
            // What every distribution's default comes to.
            (Some("0"), LevelFilter::INFO),
            (Some("1"), LevelFilter::ERROR),
            (Some("3"), LevelFilter::ERROR),
            (Some("4"), LevelFilter::WARN),
            (Some("6"), LevelFilter::INFO),
            (Some("7"), LevelFilter::DEBUG),
            (Some("much"), LevelFilter::INFO),
        ] {
            assert_eq!(level(syslog), expected, "{syslog:?}");
        }
    }
}
