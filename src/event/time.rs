//! The clocks of the driver.

use std::{
    cell::Cell,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Returns the nanoseconds since 1970 of the system's clock, 0 if that is set to an earlier time.
pub(crate) fn unix_ns_now() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |time| time.as_nanos() as u64)
}

/// The monotonic clock that time stamps come from.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Starts a clock at 0.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the low 32 bits of the microseconds since the start, 1 for 0: a time stamp of 0 is
    /// one that is not set.
    pub fn micros(&self) -> u32 {
        (self.0.elapsed().as_micros() as u32).max(1)
    }

    /// Makes a clock for events that arrive together now.
    pub fn batch_clock(&self) -> BatchClock {
        BatchClock {
            clock: *self,
            micros: Cell::new(None),
            unix_ns: Cell::new(None),
        }
    }
}

/// The time of events that arrive together: reads each clock at its first use only, and gives each
/// event a microsecond more. Equal events of equal times would be taken for one that came twice.
#[derive(Debug)]
pub struct BatchClock {
    clock: Clock,
    micros: Cell<Option<u32>>,
    unix_ns: Cell<Option<u64>>,
}

impl BatchClock {
    /// Returns [`Clock::micros`] of the first call, one more with each call.
    pub fn micros(&self) -> u32 {
        let micros = match self.micros.get() {
            Some(last) => last.wrapping_add(1).max(1),
            None => self.clock.micros(),
        };
        self.micros.set(Some(micros));
        micros
    }

    /// Returns [`unix_ns_now`] of the first call, a microsecond more with each call.
    pub fn unix_ns(&self) -> u64 {
        let ns = match self.unix_ns.get() {
            Some(last) => last.saturating_add(1000),
            None => unix_ns_now(),
        };
        self.unix_ns.set(Some(ns));
        ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Date;

    #[test]
    fn the_clock_goes_forward_and_is_never_0() {
        let clock = Clock::start();
        let mut last = clock.micros();
        assert!(last > 0);
        for _ in 0..1000 {
            let now = clock.micros();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn events_that_arrive_together_have_different_times() {
        let batch = Clock::start().batch_clock();
        let (micros, ns) = (batch.micros(), batch.unix_ns());
        for number in 1..=1000 {
            assert_eq!(batch.micros(), micros + number);
            assert_eq!(batch.unix_ns(), ns + u64::from(number) * 1000);
        }
    }

    #[test]
    fn now_is_after_this_was_written() {
        assert!(Date::from_unix_ns(unix_ns_now()) > Date::new(2025, 1, 1, 0, 0, 0).unwrap());
    }
}
