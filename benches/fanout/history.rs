//! Host to clients at full rate, with the history and without it, in turns.

use std::{error::Error, thread, time::Duration};

use tempfile::TempDir;
use vscp_driver_host::{Library, OpenDriver, PreparedEvent, find};

use crate::{
    RUNS,
    clients::{Clients, Role},
    down::{Run, measured, prepare, write},
    server,
    stats::{grouped, median, now},
};

/// A driver, its clients, and what its runs gave.
struct Side<'l> {
    driver: OpenDriver<'l>,
    events: Vec<PreparedEvent>,
    clients: Option<Clients>,
    /// Events a second that the host wrote.
    written: Vec<f64>,
    runs: Vec<Run>,
}

impl<'l> Side<'l> {
    fn start(library: &'l Library, count: usize, more: &str) -> Result<Self, Box<dyn Error>> {
        let more = format!(r#""ping-interval": 0, {more}"#);
        let (driver, address) = server::open(library, &more)?;
        let clients = (count > 0).then(|| Clients::start(Role::Numbered, count, &address));
        Ok(Self {
            events: prepare(&driver)?,
            driver,
            clients: clients.transpose()?,
            written: Vec::new(),
            runs: Vec::new(),
        })
    }

    fn run(&mut self, count: usize) -> Result<(), Box<dyn Error>> {
        let (driver, events, written) = (&self.driver, &self.events, &mut self.written);
        let mut write = || {
            let start = now();
            let frames = write(driver, events, &mut 0);
            written.push(frames as f64 / (now() - start) as f64 * 1e9);
            Ok(frames)
        };
        match &mut self.clients {
            Some(clients) => self.runs.push(measured(count, clients, write)?),
            None => _ = write()?,
        }
        thread::sleep(Duration::from_millis(200));
        Ok(())
    }
}

pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    println!("\nHistory: the host at full rate without it, in memory and in a file");
    println!(
        "{:>7} {:>8} {:>12} {:>6} {:>12} {:>6} {:>10} {:>6}",
        "clients", "history", "written/s", "%", "delivered/s", "%", "ns/frame", "%"
    );
    let library = Library::load(&find::built()?)?;
    for count in [0, 1, 10, 100] {
        measure_with(&library, count)?;
    }
    Ok(())
}

fn measure_with(library: &Library, count: usize) -> Result<(), Box<dyn Error>> {
    let folder = TempDir::new()?;
    let path = folder.path().join("history.db");
    let file = format!(r#""history": {{"path": "{}"}}"#, path.display());
    let kinds = [
        ("none", r#""history": false"#),
        ("memory", r#""history": {}"#),
        ("file", &file),
    ];
    let mut sides = Vec::new();
    for (name, more) in kinds {
        sides.push((name, Side::start(library, count, more)?));
    }
    for _ in 0..RUNS {
        for (_, side) in &mut sides {
            side.run(count)?;
        }
    }
    let numbers = |side: &Side<'_>| {
        let of = |number: fn(&Run) -> f64| match side.runs[..] {
            [] => 0.0,
            ref runs => median(runs.iter().map(number).collect()),
        };
        [
            median(side.written.clone()),
            of(|run| run.rate),
            of(|run| run.cost),
        ]
    };
    let first = numbers(&sides[0].1);
    for (name, side) in &sides {
        let found = numbers(side);
        let percent = |index: usize| match first[index] {
            0.0 => 0.0,
            first => (found[index] / first - 1.0) * 100.0,
        };
        println!(
            "{count:>7} {name:>8} {:>12} {:>6.1} {:>12} {:>6.1} {:>10.0} {:>6.1}",
            grouped(found[0]),
            percent(0),
            grouped(found[1]),
            percent(1),
            found[2],
            percent(2),
        );
    }
    Ok(())
}
