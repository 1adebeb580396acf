//! What a long and lossy path does to packets: decided here, done elsewhere.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How many packets may be on the way; a router drops what is beyond its queue, too.
const CAPACITY: usize = 10_000;

/// Packets on the way in one direction. Each takes the same time, so none overtakes another.
#[derive(Debug)]
pub(crate) struct DelayLine {
    delay: Duration,
    lost_per_thousand: u32,
    random: Random,
    /// When each arrives.
    on_the_way: VecDeque<(Instant, Vec<u8>)>,
}

impl DelayLine {
    /// A path that takes `delay` and loses so many packets of a thousand; the same `seed` loses the
    /// same ones.
    pub(crate) fn new(delay: Duration, lost_per_thousand: u32, seed: u64) -> Self {
        Self {
            delay,
            lost_per_thousand,
            random: Random::new(seed),
            on_the_way: VecDeque::new(),
        }
    }

    /// A packet that sets out at `now`.
    pub(crate) fn set_out(&mut self, now: Instant, packet: Vec<u8>) {
        let is_lost = self.random.below(1_000) < self.lost_per_thousand;
        if !is_lost && self.on_the_way.len() < CAPACITY {
            self.on_the_way.push_back((now + self.delay, packet));
        }
    }

    /// The first packet that has arrived at `now`.
    pub(crate) fn arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        let is_there = self.next_arrival().is_some_and(|at| at <= now);
        let (_, packet) = is_there.then(|| self.on_the_way.pop_front())??;
        Some(packet)
    }

    /// When the next one arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.on_the_way.front().map(|&(at, _)| at)
    }
}

/// SplitMix64: small, and good for losing packets.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number from 0 to `limit` - 1.
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The upper half, scaled: what is below `limit` fits.
        u32::try_from(((mixed >> 32) * u64::from(limit)) >> 32).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_millis(50);
    const MOMENT: Duration = Duration::from_micros(1);

    #[test]
    fn each_packet_arrives_after_the_delay_in_the_order_of_setting_out() {
        let start = Instant::now();
        let mut line = DelayLine::new(DELAY, 0, 1);
        assert_eq!(line.next_arrival(), None);
        line.set_out(start, vec![1]);
        line.set_out(start, vec![2]);
        line.set_out(start + 2 * MOMENT, vec![3]);
        assert_eq!(line.next_arrival(), Some(start + DELAY));
        assert_eq!(line.arrived(start + DELAY - MOMENT), None);
        assert_eq!(line.arrived(start + DELAY), Some(vec![1]));
        assert_eq!(line.arrived(start + DELAY), Some(vec![2]));
        assert_eq!(line.arrived(start + DELAY), None);
        assert_eq!(line.next_arrival(), Some(start + DELAY + 2 * MOMENT));
        assert_eq!(line.arrived(start + 2 * DELAY), Some(vec![3]));
        assert_eq!(line.next_arrival(), None);
    }

    #[test]
    fn without_a_delay_a_packet_is_there_at_once() {
        let start = Instant::now();
        let mut line = DelayLine::new(Duration::ZERO, 0, 1);
        line.set_out(start, vec![1]);
        assert_eq!(line.arrived(start), Some(vec![1]));
    }

    /// Which of so many packets arrive.
    fn survivors(lost_per_thousand: u32, seed: u64, packets: u16) -> Vec<u16> {
        let start = Instant::now();
        let mut line = DelayLine::new(DELAY, lost_per_thousand, seed);
        let mut survivors = Vec::new();
        for number in 0..packets {
            line.set_out(start, number.to_be_bytes().to_vec());
            if let Some(packet) = line.arrived(start + DELAY) {
                survivors.push(u16::from_be_bytes([packet[0], packet[1]]));
            }
        }
        survivors
    }

    #[test]
    fn as_many_are_lost_as_was_asked_for_and_the_same_ones_again() {
        assert_eq!(survivors(0, 1, 1_000).len(), 1_000);
        assert_eq!(survivors(1_000, 1, 1_000).len(), 0);
        let lost = 10_000 - survivors(20, 1, 10_000).len();
        assert!((150..=250).contains(&lost), "{lost} of 10,000");
        assert_eq!(survivors(20, 1, 10_000), survivors(20, 1, 10_000));
        assert_ne!(survivors(20, 1, 10_000), survivors(20, 2, 10_000));
    }

    #[test]
    fn what_is_on_the_way_has_a_bound() {
        let start = Instant::now();
        let mut line = DelayLine::new(DELAY, 0, 1);
        for _ in 0..=CAPACITY {
            line.set_out(start, vec![0]);
        }
        assert_eq!(line.on_the_way.len(), CAPACITY);
    }
}
