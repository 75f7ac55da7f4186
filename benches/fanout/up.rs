//! Clients to host: events that clients send, until VSCPRead gives them out.

use std::{
    collections::HashMap,
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use vscp_driver_host::{Library, OpenDriver, find};

use crate::{
    RUNS,
    clients::{Clients, Role},
    server::{self, NUMBERS},
    stats::{grouped, median, processor_time},
};

const CLIENTS: usize = 10;

/// For how long the clients send.
const SENDING_MS: u64 = 1000;

/// What the host was given.
#[derive(Default)]
struct Given {
    events: u64,
    out_of_order: u64,
}

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nUp: events of 10 clients accepted a second, 64 in flight each");
    println!(
        "{:<34} {:>11} {:>9} {:>8} {:>9} {:>9}",
        "", "accepted/s", "ns/event", "refused", "not read", "disorder"
    );
    let library = Library::load(&find::built()?)?;
    measure_with(&library, Role::Pump, "clients that only send")?;
    measure_with(&library, Role::PumpOpen, "and get the events of the others")
}

fn measure_with(library: &Library, role: Role, name: &str) -> Result<(), Box<dyn Error>> {
    let (driver, address) = server::open(library, r#""ping-interval": 0"#)?;
    let mut clients = Clients::start(role, CLIENTS, &address)?;
    let mut rates = Vec::new();
    let mut costs = Vec::new();
    let mut accepted_in_all = 0;
    let mut refused_in_all = 0;
    let end = AtomicBool::new(false);
    let given = thread::scope(|scope| {
        let reader = scope.spawn(|| read(&driver, &end));
        let mut runs = || {
            for _ in 0..RUNS {
                let before = processor_time();
                let [elapsed, accepted, refused, _] = clients.ask(SENDING_MS)?[..] else {
                    return Err("no answer".into());
                };
                let cost = (processor_time() - before).as_nanos();
                rates.push(accepted as f64 / elapsed as f64 * 1e9);
                costs.push(cost as f64 / accepted as f64);
                accepted_in_all += accepted;
                refused_in_all += refused;
            }
            Ok::<_, Box<dyn Error>>(())
        };
        let result = runs();
        end.store(true, Ordering::Relaxed);
        let given = reader.join().map_err(|_| "panic")?;
        result.map(|()| given)
    })?;
    println!(
        "{name:<34} {:>11} {:>9.0} {refused_in_all:>8} {:>9} {:>9}",
        grouped(median(rates)),
        median(costs),
        accepted_in_all - given.events,
        given.out_of_order,
    );
    Ok(())
}

/// Takes events until there are no more and `end` is set.
fn read(driver: &OpenDriver<'_>, end: &AtomicBool) -> Given {
    let mut next = HashMap::new();
    let mut given = Given::default();
    loop {
        match driver.read(Duration::from_millis(100)) {
            Ok(event) => {
                given.events += 1;
                let number = u32::from_be_bytes(event.data[..].try_into().unwrap_or_default());
                let next = next.entry(event.obid).or_insert(0);
                given.out_of_order += u64::from(number != *next);
                *next = (number + 1) % NUMBERS;
            }
            Err(_) if end.load(Ordering::Relaxed) => return given,
            Err(_) => {}
        }
    }
}
