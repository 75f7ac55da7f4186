//! `serve` between websocket clients and real brokers: mosquitto, and some of it RabbitMQ and NATS.
//!
//! Without them the tests pass without having run; MQTT_TESTS=required makes that a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod broker;
mod brokers;
mod check;
mod duplicates;
mod fake;
mod formats;
mod home_assistant;
mod host;
mod life;
mod load;
mod several;
mod tls;

use std::time::{Duration, Instant};

/// How long anything may take that should happen soon.
const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until something is true.
fn wait_until(what: &str, is_true: impl FnMut() -> bool) {
    wait_at_most(DEADLINE, what, is_true);
}

fn wait_at_most(limit: Duration, what: &str, mut is_true: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < limit, "not so within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
