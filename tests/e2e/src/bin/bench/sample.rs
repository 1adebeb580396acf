//! Measured times of one kind, and what is told of them.

use std::time::Duration;

/// Measured times, in order.
#[derive(Debug, Default)]
pub(crate) struct Sample(Vec<Duration>);

impl Sample {
    pub(crate) fn add(&mut self, measured: Duration) {
        let at = self.0.partition_point(|earlier| *earlier < measured);
        self.0.insert(at, measured);
    }

    /// Zero if nothing was measured, as in the others.
    pub(crate) fn median(&self) -> Duration {
        let middle = self.0.len() / 2;
        match (self.0.get(middle), self.0.len() % 2) {
            (None, _) => Duration::ZERO,
            (Some(upper), 0) => (self.0[middle - 1] + *upper) / 2,
            (Some(median), _) => *median,
        }
    }

    pub(crate) fn min(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    pub(crate) fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        for (times, median, min, max) in [
            (vec![], 0, 0, 0),
            (vec![3], 3, 3, 3),
            (vec![9, 1, 4], 4, 1, 9),
            (vec![8, 2, 4, 6], 5, 2, 8),
        ] {
            let mut sample = Sample::default();
            for time in times {
                sample.add(Duration::from_millis(time));
            }
            let told = [sample.median(), sample.min(), sample.max()];
            assert_eq!(told, [median, min, max].map(Duration::from_millis));
        }
    }
}
