//! How long to wait before the next try.

use std::time::Duration;

/// Exponential, with full jitter: a random time up to a bound that doubles with each failure, so that the clients of a
/// server that restarts do not come back all at once.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
    random: fastrand::Rng,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration, seed: Option<u64>) -> Self {
        Self {
            first,
            longest,
            failures: 0,
            random: seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed),
        }
    }

    /// A connection stood: the next failure is the first one.
    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The time to wait after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.longest).mul_f64(self.random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_longest_and_start_over_after_success() {
        let first = Duration::from_millis(100);
        let longest = Duration::from_secs(1);
        let mut backoff = Backoff::new(first, longest, Some(7));
        for bound in [100, 200, 400, 800, 1000, 1000] {
            assert!(backoff.next() <= Duration::from_millis(bound));
        }
        backoff.failures = u32::MAX;
        assert!(backoff.next() <= longest);
        backoff.succeeded();
        assert!(backoff.next() <= first);
    }

    #[test]
    fn tries_spread_over_the_whole_time() {
        let second = Duration::from_secs(1);
        let tries = (0..1000).map(|seed| Backoff::new(second, second, Some(seed)).next());
        let early = tries.filter(|wait| *wait < second / 2).count();
        assert!(
            (400..600).contains(&early),
            "{early} of 1000 in the first half"
        );
    }
}
