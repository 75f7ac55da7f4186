//! A limited number of places for peers: for connections, or for websocket clients that have not
//! logged in.
//!
//! An address (IPv6: a /64) holds at most a quarter of the places. If an address has its quarter,
//! or all places are taken, a new peer takes the place of another one that keeps the driver
//! waiting. In the first case that is a peer of the same address, in the second case one of the
//! address that holds the most places: there, the peer that the driver has waited for the longest.
//! So a flood from one address takes the places of the flood. If no peer may lose its place, the
//! new one gets none.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use crate::{metrics::LogLimit, network::Network};

/// The part of all places that one address may hold: a quarter.
const SHARE: usize = 4;

/// How long a peer is waited for before it may lose its place.
const PATIENCE: Duration = Duration::from_secs(1);

/// Places of one kind.
#[derive(Debug)]
pub(crate) struct Places {
    /// The name of those that take the places, for the log.
    name: &'static str,
    max: AtomicUsize,
    taken: Mutex<Taken>,
}

/// The places that are taken.
#[derive(Debug, Default)]
struct Taken {
    /// Without empty lists.
    networks: HashMap<Network, Vec<Arc<Holder>>>,
    count: usize,
}

/// Who holds a place.
#[derive(Debug)]
struct Holder {
    network: Network,
    waiting: Mutex<Waiting>,
    /// Notified when the holder is to go.
    evicted: Notify,
    /// Notified when the holder has gone.
    gone: Notify,
}

/// The times from which on a peer may lose its place.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    /// Set while the driver waits for a request or a message of the peer, `None` while it works for
    /// the peer.
    evictable: Option<Instant>,
    /// Set while the peer takes nothing of what is sent to it. Counts in place of `evictable`, even
    /// while the driver works for the peer.
    stalled: Option<Instant>,
}

impl Places {
    /// Makes `max` free places, but at least one. `name` is the word for the peers in log lines, in
    /// the plural: "connections".
    pub(crate) fn new(name: &'static str, max: usize) -> Self {
        let places = Self {
            name,
            max: AtomicUsize::default(),
            taken: Mutex::default(),
        };
        places.set_max(max);
        places
    }

    /// Changes the number of places. Whoever holds one keeps it.
    pub(crate) fn set_max(&self, max: usize) {
        self.max.store(max.max(1), Ordering::Relaxed);
    }

    /// Returns the number of places.
    pub(crate) fn max(&self) -> usize {
        self.max.load(Ordering::Relaxed)
    }

    /// Returns how many places one address may hold.
    pub(crate) fn share(&self) -> usize {
        (self.max() / SHARE).max(1)
    }

    /// Takes a place for a new peer, whose first message the driver now waits for. If another peer
    /// has to go for that, waits until it is gone. Returns `None` if there is no place, and logs
    /// that within the rate limit `turned_away`.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        turned_away: &LogLimit,
    ) -> Option<Place> {
        let entered = self.take(Network::of(address));
        let Some((holder, evicted)) = entered else {
            if let Some(repeats) = turned_away.allow_line() {
                let (name, max, share) = (self.name, self.max(), self.share());
                tracing::warn!(
                    "too many {name}: {address} turned away; there are {max} places, {share} of \
                     them for one address{repeats}"
                );
            }
            return None;
        };
        let place = Place {
            places: self.clone(),
            holder,
        };
        if let Some(evicted) = evicted {
            evicted.evicted.notify_one();
            evicted.gone.notified().await;
        }
        Some(place)
    }

    /// Takes a place, if need be that of another, which is returned, too.
    fn take(&self, network: Network) -> Option<(Arc<Holder>, Option<Arc<Holder>>)> {
        let mut taken = self.taken.lock();
        let own = taken.networks.get(&network).map_or(0, Vec::len);
        let evicted = if own >= self.share() {
            Some(taken.evictable(|other, _| other == network)?)
        } else if taken.count >= self.max() {
            Some(taken.evictable(|other, count| other == network || count > own)?)
        } else {
            None
        };
        if let Some(evicted) = &evicted {
            taken.remove(evicted);
        }
        let holder = Arc::new(Holder {
            network,
            waiting: Mutex::new(Waiting {
                evictable: Some(Instant::now() + PATIENCE),
                stalled: None,
            }),
            evicted: Notify::new(),
            gone: Notify::new(),
        });
        taken.add(holder.clone());
        Some((holder, evicted))
    }
}

impl Taken {
    /// Finds the holder that has to go. `may_lose` gets a network and the number of its places, and
    /// returns false if the network may keep them. Of the other networks, chooses the one with the
    /// most places, and in it the holder that could have been evicted for the longest time.
    fn evictable(&self, may_lose: impl Fn(Network, usize) -> bool) -> Option<Arc<Holder>> {
        let now = Instant::now();
        let networks = self.networks.iter();
        let networks = networks.filter(|(network, holders)| may_lose(**network, holders.len()));
        let holders = networks.flat_map(|(_, holders)| {
            holders.iter().filter_map(|holder| {
                let since = holder.evictable_since().filter(|since| *since <= now)?;
                Some((Reverse(holders.len()), since, holder))
            })
        });
        let (_, _, holder) = holders.min_by_key(|(count, since, _)| (*count, *since))?;
        Some(holder.clone())
    }

    fn add(&mut self, holder: Arc<Holder>) {
        self.count += 1;
        let holders = self.networks.entry(holder.network).or_default();
        holders.push(holder);
    }

    /// Removes a holder, unless it has been removed before.
    fn remove(&mut self, holder: &Arc<Holder>) {
        let Some(holders) = self.networks.get_mut(&holder.network) else {
            return;
        };
        let index = holders.iter().position(|other| Arc::ptr_eq(other, holder));
        let Some(index) = index else { return };
        holders.swap_remove(index);
        self.count -= 1;
        if holders.is_empty() {
            self.networks.remove(&holder.network);
        }
    }
}

impl Holder {
    fn evictable_since(&self) -> Option<Instant> {
        let waiting = self.waiting.lock();
        waiting.stalled.or(waiting.evictable)
    }
}

/// A place of a peer. Its drop gives the place back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    holder: Arc<Holder>,
}

impl Place {
    /// Notes that the last request of the peer is answered: from now on it may lose its place.
    pub(crate) fn note_idle(&self) {
        self.holder.waiting.lock().evictable = Some(Instant::now());
    }

    /// Notes that a message of the peer is awaited.
    pub(crate) fn note_waiting(&self) {
        self.holder.waiting.lock().evictable = Some(Instant::now() + PATIENCE);
    }

    /// Notes that the driver works for the peer, which keeps its place meanwhile.
    pub(crate) fn note_working(&self) {
        self.holder.waiting.lock().evictable = None;
    }

    /// Notes whether the peer takes nothing of what is sent.
    pub(crate) fn note_stalled(&self, is_stalled: bool) {
        let since = is_stalled.then(|| Instant::now() + PATIENCE);
        self.holder.waiting.lock().stalled = since;
    }

    /// Returns true while the driver works for the peer.
    pub(crate) fn is_working(&self) -> bool {
        self.holder.waiting.lock().evictable.is_none()
    }

    /// Waits until the peer has to give its place up.
    pub(crate) fn evicted(&self) -> impl Future<Output = ()> + use<> {
        let holder = self.holder.clone();
        async move { holder.evicted.notified().await }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken.lock().remove(&self.holder);
        self.holder.gone.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;
    use crate::test_log::TestLog;

    fn places(max: usize) -> Arc<Places> {
        Arc::new(Places::new("guests", max))
    }

    fn host(number: u32) -> IpAddr {
        IpAddr::from((0x0A00_0000 + number).to_be_bytes())
    }

    fn enter(places: &Arc<Places>, address: IpAddr) -> Option<Place> {
        enter_with(places, address, &LogLimit::default())
    }

    fn enter_with(places: &Arc<Places>, address: IpAddr, turned_away: &LogLimit) -> Option<Place> {
        let entered = places.enter(address, turned_away);
        entered.now_or_never().expect("no waiting")
    }

    /// Has `address` take the place of `other`, which has to go for that.
    async fn enter_in_place_of(places: &Arc<Places>, address: IpAddr, other: Place) -> Place {
        let turned_away = LogLimit::default();
        let mut entering = std::pin::pin!(places.enter(address, &turned_away));
        assert!(entering.as_mut().now_or_never().is_none());
        other.evicted().now_or_never().expect("the other is to go");
        drop(other);
        entering.await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_holds_at_most_a_quarter() {
        let places = places(8);
        let log = TestLog::start();
        let turned_away = LogLimit::default();
        let enter = |places, address| enter_with(places, address, &turned_away);
        let networks = ["10.0.0.1", "2001:db8::1", "2001:db8:0:1::1"];
        for address in networks.map(|address| address.parse().unwrap()) {
            let [first, _second] = [(), ()].map(|()| enter(&places, address).unwrap());
            assert!(enter(&places, address).is_none());
            drop(first);
            let _third = enter(&places, address).unwrap();
            assert!(enter(&places, address).is_none());
        }
        assert_eq!(
            log.take(),
            [
                "WARN too many guests: 10.0.0.1 turned away; there are 8 places, 2 of them for one \
                 address"
            ]
        );
        assert!(places.taken.lock().networks.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_waited_for_the_longest_gives_way_of_the_address_that_holds_the_most() {
        let places = places(8);
        let held = [1, 1, 2, 3, 4, 4, 5, 6].map(|number| enter(&places, host(number)).unwrap());
        let [a1, b1, a2, _a3, a4, b4, ..] = &held;
        advance(PATIENCE).await;
        // The others do not count, though they are waited for longer: they hold one place each.
        for place in [a1, a2, b4, a4] {
            advance(PATIENCE).await;
            place.note_idle();
        }
        b1.note_working();
        let [a1, _b1, _a2, _a3, a4, b4, ..] = held;
        let _new = enter_in_place_of(&places, host(7), a1).await;
        let _new = enter_in_place_of(&places, host(8), b4).await;
        a4.note_working();
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_just_come_or_makes_progress_stays_and_who_stalls_gives_way() {
        let places = places(4);
        let mut held: Vec<_> = (0..4)
            .map(|number| enter(&places, host(number)).unwrap())
            .collect();
        assert!(enter(&places, host(9)).is_none(), "all have just come");
        held.iter().for_each(Place::note_working);
        advance(PATIENCE).await;
        assert!(enter(&places, host(9)).is_none(), "all are worked for");
        held[2].note_stalled(true);
        assert!(enter(&places, host(9)).is_none(), "it may be slow");
        advance(PATIENCE).await;
        held[2].note_stalled(false);
        assert!(enter(&places, host(9)).is_none(), "it has taken some");
        held[2].note_stalled(true);
        advance(PATIENCE).await;
        let stalled = held.remove(2);
        enter_in_place_of(&places, host(9), stalled).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_with_its_share_gives_way_to_itself_alone() {
        let places = places(8);
        let other = enter(&places, host(2)).unwrap();
        let [first, second] = [(), ()].map(|()| enter(&places, host(1)).unwrap());
        advance(PATIENCE).await;
        other.note_idle();
        second.note_working();
        let new = enter_in_place_of(&places, host(1), first).await;
        new.note_working();
        assert!(enter(&places, host(1)).is_none());
        assert!(other.evicted().now_or_never().is_none());
    }
}
