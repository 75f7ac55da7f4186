//! Holds the driver under load and adds up: `cargo test --test soak -- MINUTES` (if
//! not given: two cycles).
//!
//! A process of its own loads the library through its C interface, as a daemon does, so that memory
//! and descriptors are the driver's. Cycles of three parts repeat until the time is over:
//!
//! 1. [`residents`]: clients that stay, of every manner. Each event is accounted for: what was sent
//!    to a client is what it got and what is counted as dropped, by client and in the sum;
//! 2. [`churn`]: clients that come, go, reset, stall, flood and log in wrongly, while users,
//!    certificates and buses change. Nothing is left of them;
//! 3. the host closes the driver and opens it again. Memory, descriptors and threads are as before.
//!
//! At the end stands a balance sheet; whatever does not add up, and any error in the log, fails.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod buses;
mod changes;
mod churn;
#[path = "../common/mod.rs"]
mod common;
mod guests;
mod host;
mod log;
mod metrics;
mod numbered;
mod random;
mod resident;
mod residents;
mod sheet;
mod site;
mod strangers;
#[allow(dead_code)]
#[path = "../tls/client.rs"]
mod tls_client;

use std::{
    env, panic, process,
    time::{Duration, Instant},
};

use self::{sheet::Sheet, site::Site};

fn main() {
    let mut args = env::args().skip(1);
    match args.next().as_deref() {
        Some("host") => host::run(&args.next().expect("a configuration")),
        // What cargo asks every test program.
        Some("--list") => {}
        Some(minutes) => soak(minutes.parse().expect("minutes")),
        None => soak(0.),
    }
}

fn soak(minutes: f64) {
    fail_as_a_whole();
    let end = Instant::now() + Duration::from_secs_f64(60. * minutes);
    let site = Site::new();
    let mut sheet = Sheet::new();
    let mut host = site.start_host();
    host.open();
    loop {
        residents::run(&site, &mut host, &mut sheet);
        churn::run(&site, &mut host, &mut sheet);
        site.restart(&mut host, &mut sheet);
        // The first cycle makes the driver as large as it will be.
        if Instant::now() >= end && sheet.cycles() > 1 {
            break;
        }
    }
    host.close();
    sheet.show();
}

/// Makes a panic of one thread the end of the process: the others would wait for it.
fn fail_as_a_whole() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        print(info);
        process::exit(1);
    }));
}
