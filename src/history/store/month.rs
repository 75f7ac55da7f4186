//! Measures a store with a month of values of 20 sensors, or of as many as HISTORY_SENSORS says:
//! `cargo test --release --lib -- --ignored --nocapture a_month`.

use std::time::{Duration, Instant};

use super::{reader, *};
use crate::{
    event::Guid,
    history::{Place, queue::ValueRecord},
};

const DAYS: i64 = 30;
const DAY: i64 = 86_400_000;

/// Some day, in milliseconds since 1970.
const START: i64 = 1_769_860_800_000;

/// The times that are allowed for a query of a day and of a month.
const MAX_DAY: Duration = Duration::from_millis(20);
const MAX_MONTH: Duration = Duration::from_millis(100);

fn sensor(number: u8) -> Sensor {
    Sensor {
        guid: Guid([number; 16]),
        kind: 6,
        unit: 1,
        sensor: 0,
        zone: 0,
        subzone: 0,
    }
}

/// The values of all sensors in so many seconds.
fn values(sensors: u8, first: i64, seconds: i64) -> Vec<Record> {
    let times = (first..first + seconds).map(|second| START + second * 1000);
    times
        .flat_map(|time| {
            (0..sensors).map(move |number| {
                Record::Value(ValueRecord {
                    sensor: sensor(number),
                    time,
                    value: 20.0 + (time % 977) as f64 / 100.0,
                })
            })
        })
        .collect()
}

#[test]
#[ignore = "takes minutes; for the numbers that it shows"]
fn a_month_of_twenty_sensors_is_answered_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let settings = Settings {
        place: Place::File(path.clone()),
        keep: Duration::from_secs(40 * 86_400),
        max_size: 1 << 40,
    };
    let location = Location::new(&settings.place);
    let sensors = std::env::var("HISTORY_SENSORS").map_or(20, |text| text.parse().unwrap());
    let mut store = Store::open(&location, &settings).unwrap();
    let start = Instant::now();
    let seconds = DAYS * DAY / 1000;
    for first in (0..seconds).step_by(200) {
        store
            .write(&values(sensors, first, 200.min(seconds - first)))
            .unwrap();
    }
    let rows = seconds * i64::from(sensors);
    let taken = start.elapsed().as_secs_f64();
    println!(
        "{rows} rows in {taken:.1} s: {:.0} a second",
        rows as f64 / taken
    );
    let size = std::fs::metadata(&path).unwrap().len();
    println!(
        "{size} bytes: {:.1} for each row",
        size as f64 / rows as f64
    );
    let end = START + DAYS * DAY;
    for (name, span, max) in [("day", DAY, MAX_DAY), ("month", DAYS * DAY, MAX_MONTH)] {
        for points in [300, 1440, 5000] {
            let times = (0..sensors).map(|number| {
                let query = SeriesQuery {
                    sensor: sensor(number),
                    from: end - span,
                    to: end,
                    points,
                };
                let start = Instant::now();
                let series = reader::series(&location, &query, MAX_MONTH * 10).unwrap();
                (start.elapsed(), series.steps.len())
            });
            let mut times: Vec<_> = times.collect();
            times.sort_unstable();
            let (median, steps) = times[times.len() / 2];
            println!("a {name} in {points} points: {median:?}, {steps} steps");
            // Of more points than a screen has, more is read.
            assert!(points > 1440 || median < max, "{median:?}");
        }
    }
    let start = Instant::now();
    let now = end + 25 * DAY;
    let mut longest = Duration::ZERO;
    loop {
        let step = Instant::now();
        let has_more = store.remove_old(Some(now)).unwrap();
        longest = longest.max(step.elapsed());
        if !has_more {
            break;
        }
    }
    println!(
        "half of it removed in {:?}, a step at most {longest:?}",
        start.elapsed()
    );
}
