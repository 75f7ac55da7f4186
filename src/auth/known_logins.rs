//! Remembers which users have logged in from which addresses. Their logins go before others from
//! the same address, so that somebody there who guesses passwords cannot keep them out.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    time::Duration,
};

use tokio::time::Instant;

use crate::network::Network;

/// The time after which a login is forgotten.
const MEMORY: Duration = Duration::from_secs(24 * 3600);

/// The largest number of logins that are remembered; of more the oldest is forgotten.
const MAX_LOGINS: usize = 4096;

/// The logins of the last day, by name and address.
#[derive(Debug, Default)]
pub(super) struct KnownLogins {
    times: HashMap<u64, Instant>,
    hasher: RandomState,
}

impl KnownLogins {
    /// Notes that the user has logged in from the address.
    pub(super) fn note(&mut self, name: &str, from: IpAddr, now: Instant) {
        let login = self.hash(name, from);
        if self.times.len() >= MAX_LOGINS && !self.times.contains_key(&login) {
            let oldest = self.times.iter().min_by_key(|(_, time)| **time);
            if let Some(oldest) = oldest.map(|(login, _)| *login) {
                self.times.remove(&oldest);
            }
        }
        self.times.insert(login, now);
    }

    /// Returns true if the user has logged in from the address in the last day.
    pub(super) fn has(&self, name: &str, from: IpAddr, now: Instant) -> bool {
        let time = self.times.get(&self.hash(name, from));
        time.is_some_and(|time| now.saturating_duration_since(*time) < MEMORY)
    }

    fn hash(&self, name: &str, from: IpAddr) -> u64 {
        self.hasher.hash_one((name, Network::of(from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_known_for_a_day_by_name_and_network() {
        let mut known = KnownLogins::default();
        let start = Instant::now();
        let from = "2001:db8::1".parse().unwrap();
        known.note("anna", from, start);
        for (name, from, hours, expected) in [
            ("anna", "2001:db8::1", 23, true),
            ("anna", "2001:db8::2", 23, true),
            ("anna", "2001:db8::1", 24, false),
            ("anna", "10.0.0.1", 0, false),
            ("bert", "2001:db8::1", 0, false),
        ] {
            let now = start + Duration::from_secs(hours * 3600);
            let from = from.parse().unwrap();
            assert_eq!(
                known.has(name, from, now),
                expected,
                "{name} {from} {hours}"
            );
        }
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let mut known = KnownLogins::default();
        let start = Instant::now();
        let from = "10.0.0.1".parse().unwrap();
        for number in 0..=MAX_LOGINS {
            let now = start + Duration::from_millis(number as u64);
            known.note(&number.to_string(), from, now);
        }
        assert_eq!(known.times.len(), MAX_LOGINS);
        let now = start + Duration::from_secs(60);
        assert!(!known.has("0", from, now));
        assert!(known.has("1", from, now));
        assert!(known.has(&MAX_LOGINS.to_string(), from, now));
    }
}
