//! Counters of the events that a driver's bridge has passed on, and of those that were lost.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// The shortest time between two log lines about the same loss.
const INTERVAL: Duration = Duration::from_secs(10);

/// Something that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Messages of the broker that are no events.
    Garbage,
    /// Events of the broker that the driver has refused.
    Refused,
    /// Messages for the broker that went because too many waited.
    Overflow,
    /// Messages that the broker, or MQTT, does not allow.
    Unsendable,
    /// Events without a topic.
    NoTopic,
    /// Messages that waited for the broker when the host ended.
    Unsent,
}

impl Loss {
    const ALL: [Self; 6] = [
        Self::Garbage,
        Self::Refused,
        Self::Overflow,
        Self::Unsendable,
        Self::NoTopic,
        Self::Unsent,
    ];

    /// Returns what it is, for one and for several.
    fn words(self) -> [&'static str; 2] {
        match self {
            Self::Garbage => [
                "message of the broker is no event",
                "messages of the broker are no events",
            ],
            Self::Refused => [
                "event of the broker is refused",
                "events of the broker are refused",
            ],
            Self::Overflow => [
                "message for the broker is dropped, the oldest",
                "messages for the broker are dropped, the oldest",
            ],
            Self::Unsendable => ["message cannot be sent", "messages cannot be sent"],
            Self::NoTopic => ["event has no topic", "events have no topic"],
            Self::Unsent => ["message was not sent", "messages were not sent"],
        }
    }
}

/// The numbers of a bridge.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Events that the driver has given.
    pub(super) read: AtomicU64,
    /// Messages that were published.
    pub(super) published: AtomicU64,
    /// Messages of the broker.
    pub(super) received: AtomicU64,
    /// Events that the driver has taken.
    pub(super) written: AtomicU64,
    /// Own messages that came back.
    pub(super) echoes: AtomicU64,
    /// Messages that the broker, or another host, has sent again.
    pub(super) duplicates: AtomicU64,
    /// Messages that a filter has kept away.
    pub(super) filtered: AtomicU64,
    /// Connections to the broker.
    pub(super) connections: AtomicU64,
    losses: [AtomicU64; Loss::ALL.len()],
    told: Mutex<[Told; Loss::ALL.len()]>,
}

/// The part of a loss that is in the log already.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    count: u64,
    time: Option<Instant>,
}

impl Counters {
    /// Counts a loss. Returns the line for the log if it is time for one.
    pub(super) fn lose(&self, loss: Loss, count: u64, why: &dyn fmt::Display) -> Option<String> {
        let lost = self.losses[loss as usize].fetch_add(count, Ordering::Relaxed) + count;
        let line = self.line(loss, lost, Instant::now())?;
        Some(format!("{line} ({why})"))
    }

    /// Returns the lines about losses that the log does not know yet.
    pub(super) fn untold(&self, now: Instant) -> Vec<String> {
        let lines = Loss::ALL.into_iter().filter_map(|loss| {
            let lost = self.losses[loss as usize].load(Ordering::Relaxed);
            self.line(loss, lost, now)
        });
        lines.collect()
    }

    /// Returns how much was lost.
    pub(super) fn lost(&self, loss: Loss) -> u64 {
        self.losses[loss as usize].load(Ordering::Relaxed)
    }

    fn line(&self, loss: Loss, lost: u64, now: Instant) -> Option<String> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let told = &mut told[loss as usize];
        let is_due = told
            .time
            .is_none_or(|time| now.saturating_duration_since(time) >= INTERVAL);
        if !is_due || lost <= told.count {
            return None;
        }
        let more = lost - told.count;
        *told = Told {
            count: lost,
            time: Some(now),
        };
        let [one, several] = loss.words();
        Some(format!("{more} {}", if more == 1 { one } else { several }))
    }
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        write!(
            f,
            "{} events read, {} messages published, {} received, {} events written, {} echoes, \
             {} duplicates, {} filtered, {} connections; lost: {} no events, {} refused, {} dropped, \
             {} not sendable, {} without topic, {} not sent",
            of(&self.read),
            of(&self.published),
            of(&self.received),
            of(&self.written),
            of(&self.echoes),
            of(&self.duplicates),
            of(&self.filtered),
            of(&self.connections),
            self.lost(Loss::Garbage),
            self.lost(Loss::Refused),
            self.lost(Loss::Overflow),
            self.lost(Loss::Unsendable),
            self.lost(Loss::NoTopic),
            self.lost(Loss::Unsent),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_told_when_it_begins_and_later_with_its_number() {
        let counters = Counters::default();
        let told = counters.lose(Loss::Garbage, 1, &"t: bad");
        assert_eq!(
            told.as_deref(),
            Some("1 message of the broker is no event (t: bad)")
        );
        for _ in 0..10 {
            assert_eq!(counters.lose(Loss::Garbage, 2, &"t: bad"), None);
        }
        let now = Instant::now();
        assert_eq!(counters.untold(now), [""; 0]);
        let later = now + INTERVAL;
        assert_eq!(
            counters.untold(later),
            ["20 messages of the broker are no events"]
        );
        assert_eq!(counters.untold(later + INTERVAL), [""; 0]);
        assert_eq!(counters.lost(Loss::Garbage), 21);
    }
}
