//! Slows down addresses that guess passwords, without a delay for other addresses.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::{sync::oneshot, time::Instant};

use crate::network::Network;

/// The delay of the answer to the first failure. Each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// The number of failures from which on the delay (8 s) is not doubled any more.
const MAX_DOUBLED: u32 = 6;

/// The time after which a failure is forgotten.
const MEMORY: Duration = Duration::from_secs(60);

/// The time between a failure and the next check of a password from the same address.
const PACE: Duration = Duration::from_millis(250);

/// The largest number of failures that are remembered of an address.
const MAX_FAILURES: usize = 16;

/// Bounds the memory that failures from many addresses take.
const MAX_ADDRESSES: usize = 4096;

/// Lets one login attempt of each address through at a time: the attempts of one address are not to
/// take the hashing permits from the others.
#[derive(Debug, Default)]
pub(super) struct PerAddressQueue(Mutex<HashMap<Network, Waiting>>);

/// The attempts of an address that wait for its permit, the oldest first.
#[derive(Debug, Default)]
struct Waiting {
    /// Those of users who have logged in from there before. They go on before the others.
    known: VecDeque<oneshot::Sender<AddressPermit>>,
    others: VecDeque<oneshot::Sender<AddressPermit>>,
    order: Order,
}

/// Which of the attempts of an address goes on next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// The one that waits for the longest time.
    #[default]
    OldestFirst,
    /// The one that came last. So an attempt need not wait for the guesses that came before it.
    NewestFirst,
}

/// The permission of one address to try a login. The next attempt follows when it is dropped.
#[derive(Debug)]
pub(super) struct AddressPermit {
    queue: Arc<PerAddressQueue>,
    network: Network,
}

impl PerAddressQueue {
    /// Waits until no other attempt from the address is under way. `is_known` tells that the user
    /// has logged in from there before: such an attempt goes before the others.
    ///
    /// If `max` attempts wait or are under way already, one attempt gets `None`:
    /// * with [`Order::OldestFirst`] this one; but if it is known, the newest of the others, if
    ///   any;
    /// * with [`Order::NewestFirst`] the oldest of the others; if there are none, the oldest known
    ///   one if this one is known, and else this one.
    pub(super) async fn wait(
        self: &Arc<Self>,
        from: IpAddr,
        order: Order,
        is_known: bool,
        max: usize,
    ) -> Option<AddressPermit> {
        let network = Network::of(from);
        let permit = {
            let mut queue = self.0.lock();
            let Some(waiting) = queue.get_mut(&network) else {
                queue.insert(network, Waiting::default());
                return Some(AddressPermit {
                    queue: self.clone(),
                    network,
                });
            };
            waiting.order = order;
            waiting.remove_given_up();
            if waiting.len() + 1 >= max && !waiting.make_room(is_known) {
                return None;
            }
            let (sender, permit) = oneshot::channel();
            match is_known {
                true => waiting.known.push_back(sender),
                false => waiting.others.push_back(sender),
            }
            permit
        };
        permit.await.ok()
    }

    /// Removes the attempt of the network that goes on next, or the network if there is none.
    fn next(&self, network: Network) -> Option<oneshot::Sender<AddressPermit>> {
        let mut queue = self.0.lock();
        let waiting = queue.get_mut(&network)?;
        let next = waiting.next();
        if next.is_none() {
            queue.remove(&network);
        }
        next
    }
}

impl Waiting {
    fn len(&self) -> usize {
        self.known.len() + self.others.len()
    }

    fn remove_given_up(&mut self) {
        self.known.retain(|attempt| !attempt.is_closed());
        self.others.retain(|attempt| !attempt.is_closed());
    }

    /// Drops a waiting attempt to make room for a new one. Returns false if none may be dropped for
    /// it; then the new one is refused.
    fn make_room(&mut self, is_known: bool) -> bool {
        let gives_way = match (self.order, is_known) {
            (Order::NewestFirst, false) => self.others.pop_front(),
            (Order::NewestFirst, true) => {
                self.others.pop_front().or_else(|| self.known.pop_front())
            }
            (Order::OldestFirst, true) => self.others.pop_back(),
            (Order::OldestFirst, false) => None,
        };
        gives_way.is_some()
    }

    fn next(&mut self) -> Option<oneshot::Sender<AddressPermit>> {
        let lane = match self.known.is_empty() {
            true => &mut self.others,
            false => &mut self.known,
        };
        match self.order {
            Order::OldestFirst => lane.pop_front(),
            Order::NewestFirst => lane.pop_back(),
        }
    }
}

impl Drop for AddressPermit {
    fn drop(&mut self) {
        if let Some(next) = self.queue.next(self.network) {
            // If nobody waits for it any more, `send` gives the permit back. Its drop passes it on
            // to the next attempt.
            let _ = next.send(Self {
                queue: self.queue.clone(),
                network: self.network,
            });
        }
    }
}

/// The failed logins of the last minute, by address.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// Oldest first; at least one and at most [`MAX_FAILURES`].
    failures: HashMap<Network, SmallVec<[Failure; 1]>>,
    names: RandomState,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    time: Instant,
    /// Hash of the name that was given, known or not.
    name: u64,
}

impl Throttle {
    /// Returns how long the next check of a password from the address must wait.
    pub(super) fn pace(&self, from: IpAddr, now: Instant) -> Duration {
        let last = self.recent(from, now).last();
        last.map_or(Duration::ZERO, |last| {
            PACE.saturating_sub(now.saturating_duration_since(last.time))
        })
    }

    /// Returns true if a login from the address has failed lately.
    pub(super) fn suspects(&self, from: IpAddr, now: Instant) -> bool {
        self.recent(from, now).next().is_some()
    }

    /// Returns how often a login with the name has failed lately from the address.
    pub(super) fn failures_of(&self, name: &str, from: IpAddr, now: Instant) -> usize {
        let name = self.names.hash_one(name);
        let recent = self.recent(from, now);
        recent.filter(|failure| failure.name == name).count()
    }

    /// Notes a failed attempt from the address, and returns how long its answer must wait.
    pub(super) fn note_failure(&mut self, name: &str, from: IpAddr, now: Instant) -> Duration {
        let network = Network::of(from);
        if self.failures.len() >= MAX_ADDRESSES && !self.failures.contains_key(&network) {
            let latest = |(network, failures): (&Network, &SmallVec<[Failure; 1]>)| {
                (failures.last().map(|failure| failure.time), *network)
            };
            if let Some((_, oldest)) = self.failures.iter().map(latest).min() {
                self.failures.remove(&oldest);
            }
        }
        let name = self.names.hash_one(name);
        let failures = self.failures.entry(network).or_default();
        if failures.len() == MAX_FAILURES {
            failures.remove(0);
        }
        failures.push(Failure { time: now, name });
        let count = self.recent(from, now).count() as u32;
        FIRST_DELAY * (1 << (count.clamp(1, MAX_DOUBLED) - 1))
    }

    fn recent(&self, from: IpAddr, now: Instant) -> impl Iterator<Item = &Failure> {
        let failures = self.failures.get(&Network::of(from)).into_iter().flatten();
        failures.filter(move |failure| now.saturating_duration_since(failure.time) < MEMORY)
    }
}

#[cfg(test)]
mod tests {
    use std::{future, pin::Pin};

    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    type Attempt = Pin<Box<dyn Future<Output = Option<AddressPermit>>>>;

    /// Has an attempt wait, three of an address at most.
    fn attempt(queue: &Arc<PerAddressQueue>, from: &str, order: Order) -> Attempt {
        attempt_of(false, queue, from, order)
    }

    /// The same for a user who may be known there.
    fn attempt_of(
        is_known: bool,
        queue: &Arc<PerAddressQueue>,
        from: &str,
        order: Order,
    ) -> Attempt {
        let (queue, from) = (queue.clone(), address(from));
        let mut attempt = Box::pin(async move { queue.wait(from, order, is_known, 3).await });
        // The first poll puts it into the queue.
        match attempt.as_mut().now_or_never() {
            Some(permit) => Box::pin(future::ready(permit)),
            None => attempt,
        }
    }

    /// Ready with whether an attempt has got the permit, `None` while it waits.
    fn poll(attempt: &mut Attempt) -> Option<Option<AddressPermit>> {
        attempt.as_mut().now_or_never()
    }

    #[test]
    fn the_oldest_attempt_goes_on_first_and_one_too_many_is_refused() {
        let queue = Arc::default();
        let [mut first, mut second, mut third, mut fourth] =
            [(); 4].map(|()| attempt(&queue, "10.0.0.1", Order::OldestFirst));
        assert!(poll(&mut fourth).unwrap().is_none());
        let permit = poll(&mut first).unwrap();
        assert!(poll(&mut second).is_none() && poll(&mut third).is_none());
        drop(permit);
        assert!(poll(&mut third).is_none());
        drop(poll(&mut second).unwrap().unwrap());
        drop(poll(&mut third).unwrap().unwrap());
        assert!(queue.0.lock().is_empty());
    }

    #[test]
    fn if_the_newest_goes_on_first_it_is_never_refused() {
        let queue = Arc::default();
        let [mut first, mut second, mut third, mut fourth] =
            [(); 4].map(|()| attempt(&queue, "10.0.0.1", Order::NewestFirst));
        assert!(poll(&mut second).unwrap().is_none());
        drop(poll(&mut first));
        assert!(poll(&mut third).is_none());
        drop(poll(&mut fourth).unwrap().unwrap());
        drop(poll(&mut third).unwrap().unwrap());
        assert!(queue.0.lock().is_empty());
    }

    #[test]
    fn who_is_known_goes_before_others_and_never_gives_way_to_them() {
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let queue = Arc::default();
            let mut first = attempt(&queue, "10.0.0.1", order);
            let other = attempt(&queue, "10.0.0.1", order);
            let late = attempt(&queue, "10.0.0.1", order);
            let mut known = attempt_of(true, &queue, "10.0.0.1", order);
            let later: Vec<_> = (0..10)
                .map(|_| attempt(&queue, "10.0.0.1", order))
                .collect();
            assert!(poll(&mut known).is_none());
            drop(poll(&mut first));
            drop(poll(&mut known).unwrap().expect("it is the next"));
            // One of the others was dropped for the known one. Only one of the rest is served: the
            // queue had no room for more.
            let mut others: Vec<_> = [other, late].into_iter().chain(later).collect();
            let served = others.iter_mut().filter_map(|other| poll(other)?).count();
            assert_eq!(served, 1, "{order:?}");
            assert!(queue.0.lock().is_empty());
        }
    }

    #[test]
    fn attempts_that_are_given_up_are_passed_over() {
        let queue = Arc::default();
        let [mut first, second, third, mut fourth] =
            [(); 4].map(|()| attempt(&queue, "10.0.0.1", Order::OldestFirst));
        drop(second);
        assert!(poll(&mut fourth).unwrap().is_none());
        let mut fifth = attempt(&queue, "10.0.0.1", Order::OldestFirst);
        drop(poll(&mut first));
        // Has got the permit, and passes it on.
        drop(third);
        drop(poll(&mut fifth).unwrap().unwrap());
        assert!(queue.0.lock().is_empty());
    }

    #[test]
    fn neighbours_wait_for_each_other_and_others_do_not() {
        let queue = Arc::default();
        let [mut one, mut neighbour, mut other] = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
            .map(|from| attempt(&queue, from, Order::OldestFirst));
        let permit = poll(&mut one).unwrap();
        assert!(poll(&mut neighbour).is_none());
        assert!(poll(&mut other).unwrap().is_some());
        drop(permit);
        assert!(poll(&mut neighbour).unwrap().is_some());
    }

    #[test]
    fn the_answers_are_delayed_by_up_to_eight_seconds() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        for millis in [250, 500, 1000, 2000, 4000, 8000, 8000, 8000] {
            let delay = throttle.note_failure("a", address("10.0.0.1"), now);
            assert_eq!(delay, Duration::from_millis(millis));
        }
        let delay = throttle.note_failure("a", address("10.0.0.2"), now);
        assert_eq!(delay, FIRST_DELAY);
    }

    #[test]
    fn each_failure_is_forgotten_after_a_minute() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        throttle.note_failure("a", address("::1"), start);
        throttle.note_failure("a", address("::1"), start + Duration::from_secs(30));
        for (seconds, failures) in [(30, 2), (59, 2), (60, 1), (89, 1), (90, 0)] {
            let now = start + Duration::from_secs(seconds);
            let known = throttle.failures_of("a", address("::1"), now);
            assert_eq!(known, failures, "after {seconds} s");
            assert_eq!(throttle.suspects(address("::1"), now), failures > 0);
        }
    }

    #[test]
    fn the_next_check_waits_a_moment_after_a_failure_from_the_same_network() {
        let mut throttle = Throttle::default();
        let start = Instant::now();
        let from = address("2001:db8::1");
        throttle.note_failure("a", from, start);
        for (from, millis, pace) in [
            ("2001:db8::1", 0, 250),
            ("2001:db8::ffff", 100, 150),
            ("2001:db8::1", 250, 0),
            ("2001:db8:0:1::1", 0, 0),
        ] {
            let now = start + Duration::from_millis(millis);
            assert_eq!(
                throttle.pace(address(from), now),
                Duration::from_millis(pace),
                "{from}"
            );
        }
    }

    #[test]
    fn failures_are_counted_by_name() {
        let mut throttle = Throttle::default();
        let now = Instant::now();
        let from = address("10.0.0.1");
        for name in ["a", "b", "a", ""] {
            throttle.note_failure(name, from, now);
        }
        for (name, count) in [("a", 2), ("b", 1), ("", 1), ("c", 0)] {
            assert_eq!(throttle.failures_of(name, from, now), count, "{name}");
        }
        assert_eq!(throttle.failures_of("a", address("10.0.0.2"), now), 0);
        (0..100).for_each(|_| _ = throttle.note_failure("c", from, now));
        assert_eq!(throttle.failures_of("c", from, now), MAX_FAILURES);
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
            throttle.note_failure("a", at(number).0, at(number + last).1);
        }
        throttle.note_failure("a", at(0).0, at(3 * last).1);
        throttle.note_failure("a", at(last).0, at(3 * last).1);
        let now = at(3 * last).1;
        assert_eq!(throttle.failures.len(), MAX_ADDRESSES);
        for (number, known) in [(0, true), (1, false), (2, true), (last, true)] {
            assert_eq!(throttle.suspects(at(number).0, now), known, "{number}");
        }
    }

    proptest! {
        #[test]
        fn the_delay_is_that_of_the_failures_of_the_last_minute(
            steps in prop::collection::vec((0u8..3, 0u64..20_000), 0..60),
        ) {
            let mut throttle = Throttle::default();
            let mut failures = Vec::new();
            let mut now = Instant::now();
            for (host, millis) in steps {
                now += Duration::from_millis(millis);
                let from = IpAddr::from([10, 0, 0, host]);
                failures.push((from, now));
                let recent = failures.iter()
                    .filter(|(other, time)| *other == from && now - *time < Duration::from_secs(60))
                    .count();
                let expected = (250u64 << (recent - 1).min(60)).min(8000);
                let delay = throttle.note_failure("a", from, now);
                prop_assert_eq!(delay, Duration::from_millis(expected));
            }
        }
    }
}
