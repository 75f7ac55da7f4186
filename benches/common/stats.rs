//! Numbers.

use std::time::Duration;

use nix::{
    sys::resource::{UsageWho, getrusage},
    time::{ClockId, clock_gettime},
};

/// Nanoseconds of a clock that all processes share.
pub(crate) fn now() -> u64 {
    // It cannot fail for this clock.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |time| Duration::from(time).as_nanos() as u64)
}

/// Processor time of this process.
pub(crate) fn processor_time() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else {
        return Duration::ZERO;
    };
    let micros = |seconds: i64, micros: i64| (seconds * 1_000_000 + micros) as u64;
    let user = usage.user_time();
    let system = usage.system_time();
    Duration::from_micros(
        micros(user.tv_sec(), user.tv_usec()) + micros(system.tv_sec(), system.tv_usec()),
    )
}

/// The value in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the smallest of the values that at least `percent` of all values do not exceed, 0 if
/// there are none. `sorted` must be in ascending order.
pub(crate) fn percentile(sorted: &[u64], percent: f64) -> u64 {
    let index = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted.get(index.saturating_sub(1)).copied().unwrap_or(0)
}

/// Returns a whole number as text, with a space between groups of three digits.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The last data bytes of the text of an event: each `,0x0F`.
pub(crate) fn data_of<const BYTES: usize>(payload: &[u8]) -> u64 {
    let digit = |byte: u8| u64::from(byte & 15) + u64::from(byte >> 6) * 9;
    let start = payload.len().saturating_sub(5 * BYTES);
    let fields = payload[start..].chunks_exact(5);
    fields.fold(0, |number, field| {
        number << 8 | digit(field[3]) << 4 | digit(field[4])
    })
}
