//! What a connection says besides its profile: time limits, the kill switch, kept routes.

use super::{SettingsError, flag};
use crate::keys::{
    AT_LOGIN, AT_LOGIN_EXCEPT, AT_LOGIN_UNLESS, CONNECT_SECONDS, CONNECT_TIMEOUT,
    DEFAULT_CONNECT_SECONDS, DEFAULT_LOGIN_SECONDS, DEFAULT_RECONNECT_SECONDS, ENFORCE_ROUTES,
    KEEP_ROUTES, KILL_SWITCH, KILL_SWITCH_LAN, KILL_SWITCH_SIGN_IN, LOGIN_SECONDS, LOGIN_TIMEOUT,
    RECONNECT_SECONDS, RECONNECT_TIMEOUT, SESSION_LENGTH,
};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// No session that anybody knows of is longer; AWS's last a day at most.
const LONGEST_SESSION: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a session waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// How long the endpoint has, in each phase.
    pub connect: Duration,
    /// How long the person at the browser has.
    pub login: Duration,
    /// How long an endpoint that was lost is tried while there is a network.
    pub reconnect: Duration,
    /// How long the endpoint lets a sign-in count, where that is known.
    pub session: Option<Duration>,
}

/// 60 s for the endpoint, ten minutes for the person at the browser (as AWS's own client), and ten minutes
/// for an endpoint that was lost.
impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(DEFAULT_CONNECT_SECONDS),
            login: Duration::from_secs(DEFAULT_LOGIN_SECONDS),
            reconnect: Duration::from_secs(DEFAULT_RECONNECT_SECONDS),
            session: None,
        }
    }
}

/// What a user with a kill switch chose to let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KillSwitchOptions {
    /// The networks that the computer is connected to.
    pub lan: bool,
    /// The web, for every program, while a lost connection waits for a new sign-in.
    pub sign_in: bool,
}

/// How long to wait, as the connection says or by default. What is less or more than can be is the least or
/// the most.
pub fn timeouts(data: &BTreeMap<String, String>) -> Result<Timeouts, SettingsError> {
    let seconds = |key, range: RangeInclusive<u64>, default| match set(data, key) {
        None => Ok(default),
        Some(text) => text
            .parse::<u64>()
            .map(|set| Duration::from_secs(set.clamp(*range.start(), *range.end())))
            .map_err(|_| SettingsError::Bad(key)),
    };
    let default = Timeouts::default();
    let session = set(data, SESSION_LENGTH)
        .filter(|text| *text != "0")
        .map(|text| session_length(text).ok_or(SettingsError::Bad(SESSION_LENGTH)));
    Ok(Timeouts {
        connect: seconds(CONNECT_TIMEOUT, CONNECT_SECONDS, default.connect)?,
        login: seconds(LOGIN_TIMEOUT, LOGIN_SECONDS, default.login)?,
        reconnect: seconds(RECONNECT_TIMEOUT, RECONNECT_SECONDS, default.reconnect)?,
        session: session.transpose()?,
    })
}

/// The value of a key, unless it is missing or empty.
fn set<'a>(data: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    data.get(key)
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

/// Whether everything here that a connection says makes sense: who wrote what does not wanted something.
pub fn check(data: &BTreeMap<String, String>) -> Result<(), SettingsError> {
    timeouts(data)?;
    kill_switch(data)?;
    keeps_routes(data)?;
    enforces_routes(data)?;
    at_login(data)?;
    Ok(())
}

/// What the connection's kill switch lets through; `None` if it has none. Fails with a switch that
/// is neither on nor off: who wrote it wanted something.
pub fn kill_switch(
    data: &BTreeMap<String, String>,
) -> Result<Option<KillSwitchOptions>, SettingsError> {
    let options = KillSwitchOptions {
        lan: flag(data, KILL_SWITCH_LAN, false)?,
        sign_in: flag(data, KILL_SWITCH_SIGN_IN, false)?,
    };
    Ok(flag(data, KILL_SWITCH, false)?.then_some(options))
}

/// Whether routes into the tunnel are put back when another program takes them away.
pub fn keeps_routes(data: &BTreeMap<String, String>) -> Result<bool, SettingsError> {
    flag(data, KEEP_ROUTES, true)
}

/// Whether routes into the tunnel go before all others.
pub fn enforces_routes(data: &BTreeMap<String, String>) -> Result<bool, SettingsError> {
    flag(data, ENFORCE_ROUTES, false)
}

/// When an agent connects by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AtLogin {
    /// Not on these connections of NetworkManager's, by name.
    pub except_on: Vec<String>,
    /// Not where this host answers at this port: that is inside already.
    pub unless_reachable: Option<(String, u16)>,
}

/// Whether and when an agent connects by itself when its user logs in. Fails with a value that
/// makes no sense: who wrote it wanted something else.
pub fn at_login(data: &BTreeMap<String, String>) -> Result<Option<AtLogin>, SettingsError> {
    if !flag(data, AT_LOGIN, false)? {
        return Ok(None);
    }
    let text = |key: &str| set(data, key).unwrap_or_default();
    let names = text(AT_LOGIN_EXCEPT).split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty()).map(str::to_owned);
    let place = text(AT_LOGIN_UNLESS);
    let unless_reachable = match place.rsplit_once(':') {
        None if place.is_empty() => None,
        Some((host, port)) if !host.is_empty() => {
            let port = port.parse().ok().filter(|port| *port != 0);
            let port = port.ok_or(SettingsError::Bad(AT_LOGIN_UNLESS))?;
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Some((host.to_owned(), port))
        }
        None | Some(_) => return Err(SettingsError::Bad(AT_LOGIN_UNLESS)),
    };
    Ok(Some(AtLogin {
        except_on: names.collect(),
        unless_reachable,
    }))
}

/// How long a sign-in counts: a number of hours, or one with its unit (`h`, `m` or `s`); `None` if it is
/// neither, or longer than any.
#[must_use]
pub fn session_length(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (number, seconds) = match text.strip_suffix(['h', 'm', 's']) {
        Some(number) if text.ends_with('m') => (number, 60),
        Some(number) if text.ends_with('s') => (number, 1),
        Some(number) => (number, 3600),
        None => (text, 3600),
    };
    let number: u64 = number.trim().parse().ok().filter(|number| *number > 0)?;
    let length = Duration::from_secs(number.checked_mul(seconds)?);
    (length <= LONGEST_SESSION).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_kept_in_bounds() {
        let data = |value: &str| {
            BTreeMap::from([
                (LOGIN_TIMEOUT.to_owned(), value.to_owned()),
                (CONNECT_TIMEOUT.to_owned(), value.to_owned()),
            ])
        };
        let seconds = |value: &str| {
            let timeouts = timeouts(&data(value)).unwrap();
            (timeouts.connect.as_secs(), timeouts.login.as_secs())
        };
        assert_eq!(seconds("120"), (120, 120));
        assert_eq!(seconds("0"), (5, 30));
        assert_eq!(seconds("99999999"), (600, 3600));
        assert_eq!(seconds(""), (60, 600));
        for nonsense in ["soon", "5 s", "-1", "99999999999999999999"] {
            let error = timeouts(&data(nonsense));
            assert_eq!(
                error,
                Err(SettingsError::Bad(CONNECT_TIMEOUT)),
                "{nonsense}"
            );
        }
        let read = |value: &str| {
            let data = BTreeMap::from([(SESSION_LENGTH.to_owned(), value.to_owned())]);
            timeouts(&data).map(|timeouts| timeouts.session)
        };
        let session = |value| read(value).unwrap().map(|length| length.as_secs());
        assert_eq!(session("8"), Some(8 * 3600));
        assert_eq!(session("10 h"), Some(10 * 3600));
        assert_eq!(session("90m"), Some(5400));
        assert_eq!(session("20s"), Some(20));
        assert_eq!(session(""), None);
        assert_eq!(session("0"), None);
        for nonsense in ["h", "-1", "soon", "5x", "1000", "99999999999999999999"] {
            let error = read(nonsense);
            assert_eq!(error, Err(SettingsError::Bad(SESSION_LENGTH)), "{nonsense}");
        }
    }

    #[test]
    fn a_connection_comes_up_at_a_login_only_where_that_is_wanted() {
        let read = |items: &[(&str, &str)]| {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            at_login(&items.iter().map(own).collect())
        };
        let on = (AT_LOGIN, "yes");
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(AT_LOGIN_EXCEPT, "Office")]), Ok(None));
        assert_eq!(read(&[on]), Ok(Some(AtLogin::default())));
        let choice = read(&[on, (AT_LOGIN_EXCEPT, " Office LAN, Guests,")]);
        assert_eq!(choice.unwrap().unwrap().except_on, ["Office LAN", "Guests"]);
        for (place, host, port) in [
            ("intra.example:443", "intra.example", 443),
            ("[fd00::1]:22", "fd00::1", 22),
        ] {
            let choice = read(&[on, (AT_LOGIN_UNLESS, place)]).unwrap().unwrap();
            assert_eq!(choice.unless_reachable, Some((host.to_owned(), port)));
        }
        for wrong in [
            "intra.example",
            ":443",
            "intra.example:x",
            "intra.example:0",
        ] {
            assert!(read(&[on, (AT_LOGIN_UNLESS, wrong)]).is_err(), "{wrong}");
        }
        assert!(read(&[(AT_LOGIN, "on")]).is_err());
        assert_eq!(read(&[(AT_LOGIN_UNLESS, "intra.example")]), Ok(None));
    }

    #[test]
    fn routes_are_kept_unless_and_enforced_only_if_that_is_wanted() {
        let data = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        for (value, on) in [("yes", Ok(true)), ("no", Ok(false))] {
            assert_eq!(keeps_routes(&data(KEEP_ROUTES, value)), on);
            assert_eq!(enforces_routes(&data(ENFORCE_ROUTES, value)), on);
        }
        let none = BTreeMap::new();
        assert_eq!(
            (keeps_routes(&none), enforces_routes(&none)),
            (Ok(true), Ok(false))
        );
        assert!(enforces_routes(&data(ENFORCE_ROUTES, "on")).is_err());
    }

    #[test]
    fn a_kill_switch_is_off_unless_it_is_wanted_and_never_by_mistake() {
        let read = |items: &[(&str, &str)]| {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            kill_switch(&items.iter().map(own).collect())
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("kill-switch-lan", "yes")]), Ok(None));
        assert_eq!(
            read(&[("kill-switch", "yes")]),
            Ok(Some(KillSwitchOptions::default()))
        );
        let lan = [("kill-switch", "yes"), ("kill-switch-lan", "yes")];
        assert!(read(&lan).unwrap().unwrap().lan);
        let sign_in = [("kill-switch", "yes"), ("kill-switch-sign-in", "yes")];
        assert!(read(&sign_in).unwrap().unwrap().sign_in);
        for wrong in ["on", "true", "Yes", ""] {
            let error = read(&[("kill-switch", wrong)]);
            assert_eq!(error, Err(SettingsError::Bad(KILL_SWITCH)), "{wrong}");
        }
    }
}
