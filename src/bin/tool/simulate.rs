//! Sensors that are not there.

use std::{
    f64::consts::TAU,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use vscpl2drv_websocksrv::{
    event::{Clock, Data, Event, Guid},
    ffi::{host::OpenDriver, status::CANAL_ERROR_NOT_OPEN},
};

use crate::message;

/// Least and most events a second.
const RATES: std::ops::RangeInclusive<f64> = 0.001..=100_000.0;

const CLASS_MEASUREMENT: u16 = 10;
const TYPE_TEMPERATURE: u16 = 6;

/// The coding byte of a normalized integer (4) in °C (1), for sensor 0.
const CODING: u8 = 4 << 5 | 1 << 3;

/// The exponent byte: divided by 10 to the power of 2.
const HUNDREDTHS: u8 = 0x82;

const HEAD_PRIORITY_3: u16 = 3 << 5;

/// How long the driver may take for one event.
const TIMEOUT: Duration = Duration::from_millis(100);

/// What a sensor measures: a temperature that goes up and down.
struct Sensor {
    mean: f64,
    amplitude: f64,
    /// Seconds.
    period: f64,
}

const SENSORS: [Sensor; 3] = [
    Sensor {
        mean: 21.0,
        amplitude: 1.5,
        period: 300.0,
    },
    Sensor {
        mean: 12.0,
        amplitude: 0.5,
        period: 420.0,
    },
    Sensor {
        mean: -1.0,
        amplitude: 4.0,
        period: 180.0,
    },
];

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

/// Writes `rate` events a second to the driver until the other end of `stop` is gone. Returns
/// how many it has taken. The GUIDs of the sensors are `guid` with another last byte.
pub(crate) fn simulate(driver: &OpenDriver<'_>, rate: f64, guid: Guid, stop: &Receiver<()>) -> u64 {
    let interval = Duration::from_secs_f64(1.0 / rate);
    let clock = Clock::start();
    let start = Instant::now();
    let mut due = start;
    let mut written = 0;
    let mut warned = false;
    for sensor in (0..SENSORS.len()).cycle() {
        let now = Instant::now();
        if stop.recv_timeout(due.saturating_duration_since(now))
            == Err(RecvTimeoutError::Disconnected)
        {
            break;
        }
        let mut event = measurement(sensor, start.elapsed().as_secs_f64(), guid);
        event.complete(guid, &clock.moment());
        match driver.write(&event, TIMEOUT) {
            Ok(()) => written += 1,
            Err(CANAL_ERROR_NOT_OPEN) => break,
            Err(status) => {
                if !warned {
                    message::warning(format_args!(
                        "the driver does not take all simulated events (status {status})"
                    ));
                }
                warned = true;
            }
        }
        due += interval;
        if now.saturating_duration_since(due) > Duration::from_secs(1) {
            due = now; // what was missed is not made up for
        }
    }
    written
}

/// What sensor number `index` measures so many seconds after the start.
fn measurement(index: usize, seconds: f64, guid: Guid) -> Event {
    let sensor = &SENSORS[index];
    let degrees = sensor.mean + sensor.amplitude * (TAU * seconds / sensor.period).sin();
    let [high, low] = ((degrees * 100.0).round() as i16).to_be_bytes();
    let index = index as u8;
    let mut guid = guid;
    guid.0[15] = index + 1;
    Event {
        head: HEAD_PRIORITY_3,
        class: CLASS_MEASUREMENT,
        kind: TYPE_TEMPERATURE,
        obid: 0,
        date: None,
        timestamp: 0,
        unix_ns: None,
        guid,
        data: Data::copy_from(&[CODING | index, HUNDREDTHS, high, low]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Degrees Celsius, by the rules of the class.
    fn degrees(event: &Event) -> f64 {
        let [coding, exponent, ref number @ ..] = event.data[..] else {
            unreachable!("{event:?}")
        };
        assert_eq!((coding >> 5, coding >> 3 & 3), (4, 1));
        let number = i16::from_be_bytes(number.try_into().unwrap());
        f64::from(number) / 10f64.powi((exponent & 0x7F).into())
    }

    #[test]
    fn three_sensors_measure_slowly_changing_temperatures() {
        let guid = Guid([0xFE; 16]);
        for (index, sensor) in SENSORS.iter().enumerate() {
            let mut before = None;
            for seconds in 0..3600 {
                let event = measurement(index, seconds.into(), guid);
                assert_eq!((event.class, event.kind, event.priority()), (10, 6, 3));
                assert_eq!(event.guid.0[..15], guid.0[..15]);
                assert_eq!(event.guid.0[15], event.data[0] % 8 + 1);
                let degrees = degrees(&event);
                assert!((degrees - sensor.mean).abs() <= sensor.amplitude + 0.01);
                assert!((degrees - before.unwrap_or(degrees)).abs() < 0.2);
                before = Some(degrees);
            }
        }
        let quarter = SENSORS[2].period / 4.0;
        assert_eq!(degrees(&measurement(2, 0.0, guid)), -1.0);
        assert_eq!(degrees(&measurement(2, quarter, guid)), 3.0);
    }

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
