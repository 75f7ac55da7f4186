//! `run --simulate`: writes the events of a simulated house to the driver.

mod house;

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use vscp_driver_host::{OpenDriver, Status};
use vscpl2drv_websocksrv::{
    event::{Clock, Event, Guid},
    ffi::status::CANAL_ERROR_NOT_OPEN,
};

use self::house::House;
use crate::message;

/// Least and most events a second.
const RATES: std::ops::RangeInclusive<f64> = 0.001..=100_000.0;

/// How long the driver may take for one event.
const TIMEOUT: Duration = Duration::from_millis(100);

/// Reads a number of events a second.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if RATES.contains(&rate) => Ok(rate),
        _ => Err(format!(
            "expected a number of events a second from {} to {}",
            RATES.start(),
            RATES.end()
        )),
    }
}

/// Writes `rate` events a second to the driver, and the answers of the house to the events in
/// `told`, until the sender of `told` is dropped or the driver is closed. Returns how many events
/// the driver has taken. The GUIDs of the nodes are `guid` with another last byte.
pub(crate) fn simulate(
    driver: &OpenDriver<'_>,
    rate: f64,
    guid: Guid,
    told: &Receiver<Event>,
) -> u64 {
    let interval = Duration::from_secs_f64(1.0 / rate);
    let start = Instant::now();
    let mut house = House::new(guid);
    let mut writer = Writer::new(driver, guid);
    let mut due = start;
    while !writer.is_closed {
        let now = Instant::now();
        match told.recv_timeout(due.saturating_duration_since(now)) {
            Ok(event) => {
                house.obey(&event);
                while let Some(news) = house.news() {
                    writer.write(news);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                writer.write(house.next(start.elapsed().as_secs_f64()));
                due += interval;
                if now.saturating_duration_since(due) > Duration::from_secs(1) {
                    due = now; // what was missed is not made up for
                }
            }
        }
    }
    writer.written
}

/// Writes events to a driver.
struct Writer<'d> {
    driver: &'d OpenDriver<'d>,
    guid: Guid,
    clock: Clock,
    written: u64,
    is_closed: bool,
    warned: bool,
}

impl<'d> Writer<'d> {
    fn new(driver: &'d OpenDriver<'d>, guid: Guid) -> Self {
        Self {
            driver,
            guid,
            clock: Clock::start(),
            written: 0,
            is_closed: false,
            warned: false,
        }
    }

    /// Writes an event. Warns once if the driver does not take all.
    fn write(&mut self, mut event: Event) {
        event.complete(self.guid, &self.clock.batch_clock());
        match self.driver.write(&event, TIMEOUT) {
            Ok(()) => self.written += 1,
            Err(Status(CANAL_ERROR_NOT_OPEN)) => self.is_closed = true,
            Err(status) => {
                if !self.warned {
                    message::warning(format_args!(
                        "the driver does not take all simulated events ({status})"
                    ));
                }
                self.warned = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_within_bounds() {
        for (text, expected) in [
            ("2", 2.0),
            ("0.5", 0.5),
            ("1e3", 1000.0),
            ("100000", 100_000.0),
        ] {
            assert_eq!(rate(text), Ok(expected));
        }
        for text in [
            "", "0", "-1", "0.0009", "100001", "inf", "NaN", "two", "1e-300",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
