//! Slowing down those who guess passwords.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::Instant,
};

/// One attempt at a time from each address: many at once would neither wait for what became of the
/// others, nor leave others their turn.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<IpAddr, Weak<AsyncMutex<()>>>>);

/// The turn of one address; ends with its drop.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Turns {
    /// Waits until no attempt from there is under way. First come, first served; `None` where
    /// there are `most` already.
    pub(super) async fn wait(&self, from: IpAddr, most: usize) -> Option<Turn> {
        let turn = {
            let mut turns = self.0.lock();
            // What nobody waits for is gone before there is more of it than of the rest.
            if turns.len() == turns.capacity() {
                turns.retain(|_, turn| turn.strong_count() > 0);
            }
            let turn = turns.entry(counted_as(from)).or_default();
            if turn.strong_count() >= most {
                return None;
            }
            turn.upgrade().unwrap_or_else(|| {
                let new = Arc::default();
                *turn = Arc::downgrade(&new);
                new
            })
        };
        Some(turn.lock_owned().await)
    }
}

/// The failed logins of the last minute, by address.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// Times of failures, oldest first; never empty, at most [`MOST_DOUBLED`].
    failures: HashMap<IpAddr, SmallVec<[Instant; MOST_DOUBLED]>>,
}

impl Throttle {
    /// How long an attempt from there must wait.
    pub(super) fn delay(&self, from: IpAddr, now: Instant) -> Duration {
        let Some(failures) = self.failures.get(&counted_as(from)) else {
            return Duration::ZERO;
        };
        let recent = failures.iter();
        let recent = recent.filter(|&&time| now.saturating_duration_since(time) < MEMORY);
        match recent.count() {
            0 => Duration::ZERO,
            failures => FIRST_DELAY * (1 << (failures - 1)),
        }
    }

    /// An attempt from there has failed.
    pub(super) fn failed(&mut self, from: IpAddr, now: Instant) {
        let from = counted_as(from);
        if self.failures.len() >= MAX_ADDRESSES && !self.failures.contains_key(&from) {
            let latest =
                |(address, times): (&IpAddr, &SmallVec<_>)| (times.last().copied(), *address);
            if let Some((_, oldest)) = self.failures.iter().map(latest).min() {
                self.failures.remove(&oldest);
            }
        }
        let times = self.failures.entry(from).or_default();
        if times.len() == MOST_DOUBLED {
            times.remove(0);
        }
        times.push(now);
    }
}

/// The delay after one failure, doubled with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// Failures after which the delay (8 s) grows no more.
const MOST_DOUBLED: usize = 6;

/// After it a failure is forgotten.
const MEMORY: Duration = Duration::from_secs(60);

/// Bounds the memory that guessing from many addresses takes.
const MAX_ADDRESSES: usize = 4096;

/// A host has all the IPv6 addresses of its /64.
fn counted_as(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        ipv4 => ipv4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn turns_of_other_addresses_are_free_and_forgotten_when_they_end() {
        let turns = Turns::default();
        let held = turns.wait(address("2001:db8::1"), 2).await.unwrap();
        let neighbour = turns.wait(address("2001:db8::2"), 2);
        let mut neighbour = std::pin::pin!(neighbour);
        assert!(neighbour.as_mut().now_or_never().is_none());
        assert!(turns.wait(address("2001:db8::3"), 2).await.is_none());
        for number in 0..10_000u32 {
            drop(turns.wait(IpAddr::V4(number.into()), 1).await.unwrap());
        }
        assert!(turns.0.lock().len() < 10);
        drop(held);
        neighbour.await.unwrap();
    }

    #[test]
    fn the_delay_doubles_to_eight_seconds() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for millis in [0, 250, 500, 1000, 2000, 4000, 8000, 8000, 8000] {
            let delay = throttle.delay(address("10.0.0.1"), now);
            assert_eq!(delay, Duration::from_millis(millis));
            throttle.failed(address("10.0.0.1"), now);
        }
        assert_eq!(throttle.delay(address("10.0.0.2"), now), Duration::ZERO);
    }

    #[test]
    fn each_failure_is_forgotten_after_a_minute() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        throttle.failed(address("::1"), start);
        throttle.failed(address("::1"), start + Duration::from_secs(30));
        for (seconds, millis) in [(30, 500), (59, 500), (60, 250), (89, 250), (90, 0)] {
            let delay = throttle.delay(address("::1"), start + Duration::from_secs(seconds));
            assert_eq!(delay, Duration::from_millis(millis), "after {seconds} s");
        }
    }

    #[test]
    fn ipv6_counts_by_64_bits_and_a_mapped_address_as_ipv4() {
        for (failed, tried, same) in [
            ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::", true),
            ("2001:db8:1:2::", "2001:db8:1:3::", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
            ("10.0.0.1", "10.0.0.0", false),
        ] {
            let mut throttle = Throttle::default();
            let now = Instant::now();
            throttle.failed(address(failed), now);
            assert_eq!(
                !throttle.delay(address(tried), now).is_zero(),
                same,
                "{failed} {tried}"
            );
        }
    }

    #[test]
    fn when_the_table_is_full_the_address_whose_last_failure_is_oldest_goes() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        let at = |number: u32| {
            (
                IpAddr::from(number.to_be_bytes()),
                start + Duration::from_millis(number.into()),
            )
        };
        let last = MAX_ADDRESSES as u32;
        for number in 0..last {
            throttle.failed(at(number).0, at(number + last).1);
        }
        throttle.failed(at(0).0, at(3 * last).1);
        throttle.failed(at(last).0, at(3 * last).1);
        let now = at(3 * last).1;
        assert_eq!(throttle.failures.len(), MAX_ADDRESSES);
        for (number, known) in [(0, true), (1, false), (2, true), (last, true)] {
            assert_eq!(
                !throttle.delay(at(number).0, now).is_zero(),
                known,
                "{number}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_delay_is_that_of_the_failures_of_the_last_minute(
            steps in prop::collection::vec((0u8..3, 0u64..20_000, any::<bool>()), 0..60),
        ) {
            let mut throttle = Throttle::default();
            let mut failures = Vec::new();
            let mut now = Instant::now();
            for (host, millis, fails) in steps {
                now += Duration::from_millis(millis);
                let from = IpAddr::from([10, 0, 0, host]);
                let recent = failures.iter()
                    .filter(|(other, time)| *other == from && now - *time < Duration::from_secs(60))
                    .count();
                let expected = match recent {
                    0 => 0,
                    recent => (250 << (recent - 1)).min(8000),
                };
                prop_assert_eq!(throttle.delay(from, now), Duration::from_millis(expected));
                if fails {
                    throttle.failed(from, now);
                    failures.push((from, now));
                }
            }
        }
    }
}
