//! Remembers the messages of the last seconds, so that they are recognised if they come again.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use vscpl2drv_websocksrv::event::Event;

/// Messages that are remembered.
const MAX_MESSAGES: usize = 65_536;

/// How long a message may take to come again while there is a connection.
pub(super) const FORGETTING_TIME: Duration = Duration::from_secs(10);

const SECOND_NS: u64 = 1_000_000_000;

/// Messages of the last seconds with a connection, as hashes of topic and payload.
#[derive(Debug, Default)]
pub(super) struct RecentMessages {
    is_connected: bool,
    hasher: RandomState,
    /// In the order in which they came.
    times: VecDeque<(Instant, u64)>,
    known: HashMap<u64, Known>,
}

/// Equal messages that are remembered.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    count: u32,
    /// The packet id of the last one.
    id: Option<u16>,
}

/// A message of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) is_retained: bool,
    /// The broker may have sent it before.
    pub(super) is_dup: bool,
    /// The packet id, which messages of QoS 0 do not have.
    pub(super) id: Option<u16>,
}

impl RecentMessages {
    /// Tells that a connection begins or ends. While there is none nothing is forgotten: messages that
    /// a session of the broker has kept come when there is one.
    pub(super) fn set_connected(&mut self, is_connected: bool, now: Instant) {
        match is_connected {
            true => self.times.iter_mut().for_each(|(time, _)| *time = now),
            false => self.forget(now),
        }
        self.is_connected = is_connected;
    }

    /// Remembers a message.
    pub(super) fn remember(&mut self, topic: &str, payload: &[u8], id: Option<u16>, now: Instant) {
        self.insert(self.hash(topic, payload), id, now);
    }

    /// Returns true if a message is remembered.
    pub(super) fn contains(&mut self, topic: &str, payload: &[u8], now: Instant) -> bool {
        self.forget(now);
        !self.known.is_empty() && self.known.contains_key(&self.hash(topic, payload))
    }

    /// Remembers a message of the broker. Returns true if it has come before: the broker sends it
    /// again after a lost connection, or another host has published it again after one.
    ///
    /// Equal messages of a simple device are events of their own. So a message is known by its packet
    /// id if the broker says that it sends it again, else only by the time in its event.
    pub(super) fn is_duplicate(
        &mut self,
        delivery: &Delivery,
        event: &Event,
        now: Instant,
    ) -> bool {
        let Delivery { topic, payload, .. } = delivery;
        if delivery.id.is_none() {
            return false;
        }
        self.forget(now);
        let hash = self.hash(topic, payload);
        let known = self.known.get(&hash).copied();
        self.insert(hash, delivery.id, now);
        known.is_some_and(|known| {
            delivery.is_dup && known.id == delivery.id || has_exact_time(event)
        })
    }

    fn insert(&mut self, hash: u64, id: Option<u16>, now: Instant) {
        self.forget(now);
        if self.times.len() == MAX_MESSAGES {
            self.forget_first();
        }
        self.times.push_back((now, hash));
        let known = self.known.entry(hash).or_default();
        known.count += 1;
        known.id = id;
    }

    fn hash(&self, topic: &str, payload: &[u8]) -> u64 {
        self.hasher.hash_one((topic, payload))
    }

    fn forget(&mut self, now: Instant) {
        while self.is_connected
            && let Some((time, _)) = self.times.front()
            && now.saturating_duration_since(*time) > FORGETTING_TIME
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some((_, hash)) = self.times.pop_front() else {
            return;
        };
        if let Some(known) = self.known.get_mut(&hash) {
            known.count -= 1;
            if known.count == 0 {
                self.known.remove(&hash);
            }
        }
    }
}

/// Returns true if an event has a time of its own, as those of hosts have. Whole seconds are none:
/// a button may be pressed twice in one.
fn has_exact_time(event: &Event) -> bool {
    match event.unix_ns {
        Some(ns) => ns.get() % SECOND_NS != 0,
        None => event.date.is_some() && event.timestamp != 0,
    }
}

#[cfg(test)]
mod tests {
    use vscpl2drv_websocksrv::event::text;

    use super::*;

    fn connected() -> (RecentMessages, Instant) {
        let now = Instant::now();
        let mut recent = RecentMessages::default();
        recent.set_connected(true, now);
        (recent, now)
    }

    #[test]
    fn messages_are_remembered_for_ten_seconds() {
        let (mut recent, start) = connected();
        let after = |seconds| start + Duration::from_secs(seconds);
        recent.remember("a", b"1", None, start);
        recent.remember("a", b"1", None, after(5));
        assert!(recent.contains("a", b"1", after(6)));
        // Subscriptions that overlap bring it several times.
        assert!(recent.contains("a", b"1", after(14)));
        for (topic, payload) in [("b", &b"1"[..]), ("a", b"2"), ("a1", b"")] {
            assert!(!recent.contains(topic, payload, after(6)));
        }
        assert!(!recent.contains("a", b"1", after(16)));
        assert!(recent.times.is_empty() && recent.known.is_empty());
    }

    #[test]
    fn nothing_is_forgotten_without_a_connection() {
        let mut recent = RecentMessages::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        recent.remember("a", b"1", None, start);
        recent.set_connected(true, after(60));
        assert!(recent.contains("a", b"1", after(70)));
        recent.remember("a", b"2", None, after(70));
        recent.set_connected(false, after(75));
        recent.set_connected(true, after(200));
        assert!(!recent.contains("a", b"1", after(210)));
        assert!(recent.contains("a", b"2", after(210)));
        assert!(!recent.contains("a", b"2", after(211)));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let (mut recent, now) = connected();
        for number in 0..=MAX_MESSAGES {
            recent.remember("a", &number.to_be_bytes(), None, now);
        }
        assert_eq!(recent.times.len(), MAX_MESSAGES);
        assert_eq!(recent.known.len(), MAX_MESSAGES);
        assert!(!recent.contains("a", &0_usize.to_be_bytes(), now));
        assert!(recent.contains("a", &MAX_MESSAGES.to_be_bytes(), now));
    }

    #[test]
    fn a_message_has_come_before_if_its_packet_id_or_its_time_says_so() {
        const PLAIN: &str = "0,20,3,0,,,-,1";
        const FULL: &str = "0,20,3,0,2026-11-20T12:30:15Z,1234,-,1";
        const NS: &str = "0,20,3,0,,1795177815001234000,-,1";
        const SECONDS: &str = "0,20,3,0,2026-11-20T12:30:15Z,,-,1";
        const SECONDS_NS: &str = "0,20,3,0,,1795177815000000000,-,1";
        const UPTIME: &str = "0,20,3,0,,1234,-,1";
        let (again, anew) = (true, false);
        // Payload and packet id of a first message; what comes after some seconds; is it the same?
        for (first, id, second, second_id, is_dup, seconds, expected) in [
            (PLAIN, Some(7), PLAIN, Some(7), again, 1, true),
            (PLAIN, Some(7), PLAIN, Some(7), again, 11, false),
            (PLAIN, Some(7), PLAIN, Some(8), again, 1, false),
            (PLAIN, Some(7), FULL, Some(7), again, 1, false),
            // A button that is pressed twice.
            (PLAIN, Some(7), PLAIN, Some(8), anew, 1, false),
            (PLAIN, Some(7), PLAIN, Some(7), anew, 1, false),
            (SECONDS, Some(7), SECONDS, Some(8), anew, 0, false),
            (SECONDS_NS, Some(7), SECONDS_NS, Some(8), anew, 0, false),
            (UPTIME, Some(7), UPTIME, Some(8), anew, 1, false),
            // Another host that publishes it again.
            (FULL, Some(7), FULL, Some(8), anew, 1, true),
            (FULL, Some(7), FULL, Some(8), again, 9, true),
            (FULL, Some(7), FULL, Some(8), anew, 11, false),
            (NS, Some(7), NS, Some(8), anew, 1, true),
            (FULL, Some(7), NS, Some(8), anew, 1, false),
            // QoS 0.
            (FULL, None, FULL, None, anew, 1, false),
        ] {
            let (mut recent, start) = connected();
            let mut is_duplicate = |payload: &str, id, is_dup, seconds| {
                let delivery = Delivery {
                    topic: "t".to_owned(),
                    payload: payload.into(),
                    is_retained: false,
                    is_dup,
                    id,
                };
                let event = text::parse(payload).unwrap();
                recent.is_duplicate(&delivery, &event, start + Duration::from_secs(seconds))
            };
            assert!(!is_duplicate(first, id, is_dup, 0), "{first} came first");
            assert_eq!(
                is_duplicate(second, second_id, is_dup, seconds),
                expected,
                "{first} {id:?}, {second} {second_id:?} {is_dup} after {seconds} s"
            );
        }
    }
}
