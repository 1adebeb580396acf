//! The routes into the tunnel and the addresses that they need, kept while it is up.
//!
//! NetworkManager sets them and then takes each removal for somebody's wish, also where they only
//! went because the interface was down for a moment. Traffic would so go past the tunnel, and
//! nobody would see it: another VPN, a container's network, a network script and malware all do
//! that. So what NetworkManager has set is remembered, and put back as it was. It is no fight: what
//! goes again and again is left alone for a while, and the journal says so.

pub mod rtnetlink;

pub use rtnetlink::RtEntry;

use std::time::{Duration, Instant};

/// How long after "activated" NetworkManager may still be at it: IPv6 addresses are looked for
/// duplicates first.
const LEARNING: Duration = Duration::from_secs(3);
/// How long an address may be gone: NetworkManager takes it away a moment before it says that the
/// connection ends, and a program that clears all of them looks whether it is done.
const PATIENCE: Duration = Duration::from_millis(300);
/// When the kernel is asked again that could not tell what there is; if it still cannot, it is as if
/// it was left alone.
const ANOTHER_QUESTION: Duration = Duration::from_secs(1);
/// How often one is put back…
const MOST: usize = 3;
/// …in this time.
const WITHIN: Duration = Duration::from_secs(60);
/// More than are ever pushed (`pushed::ROUTE_LIMIT` for each family).
const MOST_ENTRIES: usize = 4096;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is gone: set it again.
    Restore(RtEntry),
    /// It goes again and again: say so.
    BackOff(RtEntry),
}

/// The addresses and routes of a tunnel that is up.
#[derive(Debug, Default)]
pub struct RouteGuard {
    entries: Vec<Kept>,
    learning_until: Option<Instant>,
    /// When to look again although nothing has changed.
    due: Option<Instant>,
    /// Since when an address is gone that is not left alone.
    address_gone: Option<Instant>,
    /// Whether the kernel could not tell what there is.
    is_unread: bool,
}

#[derive(Debug)]
struct Kept {
    entry: RtEntry,
    /// When it was put back, of late.
    put_back: Vec<Instant>,
    /// Whether it was said that it is left alone.
    is_left_alone: bool,
}

impl RouteGuard {
    /// NetworkManager says that the tunnel is up: what is there now, and shortly after, is kept.
    pub fn begin(&mut self, now: Instant) {
        self.forget();
        self.learning_until = Some(now + LEARNING);
    }

    /// The tunnel is lost, or NetworkManager is about to set others.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// How many are kept.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Whether anything is kept, so that it is worth looking.
    pub fn is_at_work(&self) -> bool {
        self.learning_until.is_some()
    }

    /// When to look again although nothing has changed: what was left alone, or could not be set, has
    /// its turn.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether that time has come, which is said once.
    #[must_use]
    pub fn is_due(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    /// The interface is down, and nothing can be set until the kernel says that it is up. What goes
    /// with it has not gone again and again.
    pub fn link_is_down(&mut self) {
        self.due = None;
        self.address_gone = None;
        for kept in &mut self.entries {
            kept.put_back.clear();
        }
    }

    /// The kernel could not tell what there is. Says whether that is new.
    pub fn is_newly_unread(&mut self, now: Instant) -> bool {
        let is_new = !std::mem::replace(&mut self.is_unread, true);
        self.due = Some(now + if is_new { ANOTHER_QUESTION } else { WITHIN });
        is_new
    }

    /// What follows from what the tunnel's interface has `now`, in the order in which it can be done.
    pub fn check(&mut self, present: &[RtEntry], now: Instant) -> Vec<Action> {
        if self.learning_until.is_some_and(|until| now < until) {
            for entry in present {
                let is_known = self.entries.iter().any(|kept| kept.entry == *entry);
                if !is_known && self.entries.len() < MOST_ENTRIES {
                    self.entries.push(Kept {
                        entry: entry.clone(),
                        put_back: Vec::new(),
                        is_left_alone: false,
                    });
                }
            }
            self.entries.sort_by_key(|kept| kept.entry.order());
        }
        self.due = None;
        self.is_unread = false;
        let is_missing = |kept: &Kept| !present.contains(&kept.entry);
        let is_waited_for =
            |kept: &Kept| kept.entry.is_address() && !kept.is_left_alone && is_missing(kept);
        if self.entries.iter().any(is_waited_for) {
            let until = *self.address_gone.get_or_insert(now) + PATIENCE;
            if now < until {
                self.due = Some(until);
                return Vec::new();
            }
        }
        self.address_gone = None;
        let mut actions = Vec::new();
        for kept in &mut self.entries {
            if !is_missing(kept) {
                continue;
            }
            kept.put_back
                .retain(|at| now.saturating_duration_since(*at) < WITHIN);
            if kept.put_back.len() < MOST {
                kept.put_back.push(now);
                kept.is_left_alone = false;
                actions.push(Action::Restore(kept.entry.clone()));
            } else if !std::mem::replace(&mut kept.is_left_alone, true) {
                actions.push(Action::BackOff(kept.entry.clone()));
            }
            // What is set is seen sooner, as the kernel tells of it.
            let due = kept.put_back.first().map(|first| *first + WITHIN);
            self.due = self.due.into_iter().chain(due).min();
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(bytes: [u8; 4]) -> RtEntry {
        rtnetlink::tests::route(7, 4, bytes, 16)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "there is no other way to begin a made-up clock"
    )]
    fn begun() -> (RouteGuard, Instant) {
        let now = Instant::now();
        let mut kept = RouteGuard::default();
        kept.begin(now);
        (kept, now)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_there_is_put_back_and_what_comes_later_is_not_ours() {
        let (mut kept, now) = begun();
        let (ours, late, others) = (
            route([10, 1, 0, 0]),
            route([10, 2, 0, 0]),
            route([10, 3, 0, 0]),
        );
        assert_eq!(kept.check(std::slice::from_ref(&ours), now), []);
        let both = [ours.clone(), late.clone()];
        assert_eq!(kept.check(&both, now + seconds(1)), []);
        let all = [ours.clone(), late.clone(), others];
        assert_eq!(kept.check(&all, now + seconds(10)), []);
        assert_eq!(kept.count(), 2);
        let actions = kept.check(&[], now + seconds(11));
        assert_eq!(actions, [Action::Restore(ours), Action::Restore(late)]);
    }

    #[test]
    fn a_route_that_goes_again_and_again_is_left_alone_for_a_minute() {
        let (mut kept, now) = begun();
        let ours = route([10, 1, 0, 0]);
        kept.check(std::slice::from_ref(&ours), now);
        for second in 10..13 {
            let actions = kept.check(&[], now + seconds(second));
            assert_eq!(actions, [Action::Restore(ours.clone())]);
        }
        assert_eq!(
            kept.check(&[], now + seconds(13)),
            [Action::BackOff(ours.clone())]
        );
        // Said once.
        assert_eq!(kept.check(&[], now + seconds(14)), []);
        assert_eq!(kept.due(), Some(now + seconds(70)));
        let actions = kept.check(&[], now + seconds(70));
        assert_eq!(actions, [Action::Restore(ours.clone())]);
        kept.check(&[ours], now + seconds(70));
        assert_eq!(kept.due(), None);
    }

    #[test]
    fn what_could_not_be_set_has_another_turn_although_the_kernel_tells_nothing() {
        let (mut kept, now) = begun();
        let ours = route([10, 1, 0, 0]);
        kept.check(std::slice::from_ref(&ours), now);
        kept.check(&[], now + seconds(10));
        assert_eq!(kept.due(), Some(now + seconds(70)));
        assert!(!kept.is_due(now + seconds(69)));
        assert!(kept.is_due(now + seconds(70)) && !kept.is_due(now + seconds(70)));
        let actions = kept.check(&[], now + seconds(70));
        assert_eq!(actions, [Action::Restore(ours)]);
        assert_eq!(kept.due(), Some(now + seconds(130)));
    }

    #[test]
    fn an_address_is_waited_for_a_moment_and_put_back_before_its_routes() {
        let (mut kept, now) = begun();
        let ours = route([10, 1, 0, 0]);
        let address = rtnetlink::tests::address_of(7);
        kept.check(&[ours.clone(), address.clone()], now);
        assert_eq!(kept.check(&[], now + seconds(10)), []);
        assert_eq!(kept.due(), Some(now + seconds(10) + PATIENCE));
        assert_eq!(kept.check(&[], now + seconds(10)), []);
        let actions = kept.check(&[], now + seconds(11));
        assert_eq!(
            actions,
            [
                Action::Restore(address.clone()),
                Action::Restore(ours.clone())
            ]
        );
        // The next time as well.
        assert_eq!(
            kept.check(std::slice::from_ref(&ours), now + seconds(12)),
            []
        );
        assert_eq!(kept.check(&[ours, address], now + seconds(12)), []);
        assert_eq!(kept.due(), None);
    }

    #[test]
    fn an_address_that_went_with_the_link_is_waited_for_anew() {
        let (mut kept, now) = begun();
        let address = rtnetlink::tests::address_of(7);
        kept.check(std::slice::from_ref(&address), now);
        assert_eq!(kept.check(&[], now + seconds(10)), []);
        kept.link_is_down();
        assert_eq!(kept.check(&[], now + seconds(20)), []);
        assert_eq!(kept.due(), Some(now + seconds(20) + PATIENCE));
    }

    #[test]
    fn nothing_waits_for_an_address_that_is_left_alone() {
        let (mut kept, now) = begun();
        let (ours, address) = (route([10, 1, 0, 0]), rtnetlink::tests::address_of(7));
        kept.check(&[ours.clone(), address.clone()], now);
        let has_route = std::slice::from_ref(&ours);
        for second in 10..14 {
            assert_eq!(kept.check(has_route, now + seconds(second)), []);
            let actions = kept.check(has_route, now + seconds(second) + PATIENCE);
            let expected = match second {
                13 => Action::BackOff(address.clone()),
                _ => Action::Restore(address.clone()),
            };
            assert_eq!(actions, [expected]);
        }
        let actions = kept.check(&[], now + seconds(15));
        assert_eq!(actions, [Action::Restore(ours)]);
    }

    #[test]
    fn what_the_kernel_could_not_tell_is_asked_again_in_a_second_and_then_in_a_minute() {
        let (mut kept, now) = begun();
        let ours = route([10, 1, 0, 0]);
        kept.check(std::slice::from_ref(&ours), now);
        for _ in 0..2 {
            assert!(kept.is_newly_unread(now));
            assert_eq!(kept.due(), Some(now + seconds(1)));
            assert!(!kept.is_newly_unread(now + seconds(1)));
            assert_eq!(kept.due(), Some(now + seconds(61)));
            assert_eq!(kept.check(std::slice::from_ref(&ours), now), []);
            assert_eq!(kept.due(), None);
        }
    }

    #[test]
    fn what_goes_with_the_link_comes_with_it_however_often() {
        let (mut kept, now) = begun();
        let ours = route([10, 1, 0, 0]);
        kept.check(std::slice::from_ref(&ours), now);
        for second in 10..20 {
            kept.link_is_down();
            assert_eq!(kept.due(), None);
            let actions = kept.check(&[], now + seconds(second));
            assert_eq!(actions, [Action::Restore(ours.clone())]);
        }
    }

    #[test]
    fn routes_are_learned_for_three_seconds_and_not_more_than_there_may_be() {
        let (mut kept, now) = begun();
        kept.check(&[route([10, 1, 0, 0])], now + seconds(3));
        assert_eq!(kept.count(), 0);
        let many: Vec<_> = (0..=u16::try_from(MOST_ENTRIES).unwrap())
            .map(|number| {
                let [high, low] = number.to_be_bytes();
                route([10, high, low, 0])
            })
            .collect();
        kept.check(&many, now);
        assert_eq!(kept.count(), MOST_ENTRIES);
    }

    #[test]
    fn a_tunnel_that_is_lost_has_no_routes_to_keep() {
        let (mut kept, now) = begun();
        kept.check(&[route([10, 1, 0, 0])], now);
        assert!(kept.is_at_work());
        kept.forget();
        assert!(!kept.is_at_work());
        assert_eq!(kept.check(&[], now + seconds(1)), []);
    }
}
