//! The routes into the tunnel, kept while it is up.
//!
//! NetworkManager sets them and then takes each removal for somebody's wish. A program that
//! changes routes (another VPN, a container's network, malware) would so lead traffic past the
//! tunnel, and nobody would see it. So what NetworkManager has set is remembered, and put back as
//! it was. It is no fight: a route that goes again and again is left alone for a while, and the
//! journal says so.

pub mod rtnetlink;

pub use rtnetlink::RtRoute;

use std::time::{Duration, Instant};

/// How long after "activated" NetworkManager may still be at it: IPv6 addresses are looked for
/// duplicates first.
const LEARNING: Duration = Duration::from_secs(3);
/// How often a route is put back…
const MOST: usize = 3;
/// …in this time.
const WITHIN: Duration = Duration::from_secs(60);
/// More routes than are ever pushed (`pushed::ROUTE_LIMIT` for each family).
const MOST_ROUTES: usize = 4096;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Somebody has taken the route away: set it again.
    Restore(RtRoute),
    /// Somebody takes it away again and again: say so.
    BackOff(RtRoute),
}

/// The routes of a tunnel that is up.
#[derive(Debug, Default)]
pub struct RouteGuard {
    routes: Vec<Kept>,
    learning_until: Option<Instant>,
}

#[derive(Debug)]
struct Kept {
    route: RtRoute,
    /// When it was put back, of late.
    put_back: Vec<Instant>,
    /// Whether it was said that it is left alone.
    is_left_alone: bool,
}

impl RouteGuard {
    /// NetworkManager says that the tunnel is up: what is there now, and shortly after, is kept.
    pub fn begin(&mut self, now: Instant) {
        self.routes.clear();
        self.learning_until = Some(now + LEARNING);
    }

    /// The tunnel is lost, or NetworkManager is about to set other routes.
    pub fn forget(&mut self) {
        self.routes.clear();
        self.learning_until = None;
    }

    /// How many are kept.
    pub fn count(&self) -> usize {
        self.routes.len()
    }

    /// Whether anything is kept, so that it is worth looking.
    pub fn is_at_work(&self) -> bool {
        self.learning_until.is_some()
    }

    /// When to look again although nothing has changed: a route that was left alone has its turn.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let left_alone = self.routes.iter().filter(|kept| kept.is_left_alone);
        left_alone
            .filter_map(|kept| Some(*kept.put_back.first()? + WITHIN))
            .min()
    }

    /// What follows from the routes that the tunnel's interface has `now`.
    pub fn check(&mut self, present: &[RtRoute], now: Instant) -> Vec<Action> {
        if self.learning_until.is_some_and(|until| now < until) {
            for route in present {
                let is_known = self.routes.iter().any(|kept| kept.route == *route);
                if !is_known && self.routes.len() < MOST_ROUTES {
                    self.routes.push(Kept {
                        route: route.clone(),
                        put_back: Vec::new(),
                        is_left_alone: false,
                    });
                }
            }
        }
        let mut actions = Vec::new();
        for kept in &mut self.routes {
            if present.contains(&kept.route) {
                continue;
            }
            kept.put_back
                .retain(|at| now.saturating_duration_since(*at) < WITHIN);
            if kept.put_back.len() < MOST {
                kept.put_back.push(now);
                kept.is_left_alone = false;
                actions.push(Action::Restore(kept.route.clone()));
            } else if !std::mem::replace(&mut kept.is_left_alone, true) {
                actions.push(Action::BackOff(kept.route.clone()));
            }
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(bytes: [u8; 4]) -> RtRoute {
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
        assert_eq!(kept.due(), None);
        assert_eq!(
            kept.check(&[], now + seconds(13)),
            [Action::BackOff(ours.clone())]
        );
        // Said once.
        assert_eq!(kept.check(&[], now + seconds(14)), []);
        assert_eq!(kept.due(), Some(now + seconds(70)));
        assert_eq!(kept.check(&[], now + seconds(70)), [Action::Restore(ours)]);
        assert_eq!(kept.due(), None);
    }

    #[test]
    fn routes_are_learned_for_three_seconds_and_not_more_than_there_may_be() {
        let (mut kept, now) = begun();
        kept.check(&[route([10, 1, 0, 0])], now + seconds(3));
        assert_eq!(kept.count(), 0);
        let many: Vec<_> = (0..=u16::try_from(MOST_ROUTES).unwrap())
            .map(|number| {
                let [high, low] = number.to_be_bytes();
                route([10, high, low, 0])
            })
            .collect();
        kept.check(&many, now);
        assert_eq!(kept.count(), MOST_ROUTES);
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
