use std::{fs, time::Duration};

use tempfile::TempDir;

use super::{reader, *};
use crate::{
    event::{Guid, text},
    history::{
        Origin, Place,
        queue::{EventRecord, ValueRecord},
        state::{Seen, State, Timestamps},
    },
};

/// A store in a folder of its own.
struct Kept {
    folder: TempDir,
    location: Location,
    store: Store,
}

const DAY: Duration = Duration::from_secs(86_400);

const TIMEOUT: Duration = Duration::from_secs(60);

/// Some day, in milliseconds since 1970.
const START: i64 = 1_769_860_800_000;

impl Kept {
    fn file(max_size: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("sub/history.db"));
        Self::start(folder, place, max_size)
    }

    fn memory(max_size: u64) -> Self {
        Self::start(tempfile::tempdir().unwrap(), Place::Memory, max_size)
    }

    fn start(folder: TempDir, place: Place, max_size: u64) -> Self {
        let location = Location::new(&place);
        let store = Store::open(&location, &settings(place, max_size)).unwrap();
        Self {
            folder,
            location,
            store,
        }
    }

    fn values(&mut self, values: impl IntoIterator<Item = (u8, i64, f64)>) {
        let records = values.into_iter().map(|(number, time, value)| {
            Record::Value(ValueRecord {
                sensor: sensor(number),
                time,
                value,
            })
        });
        self.store.write(&records.collect::<Vec<_>>()).unwrap();
    }

    fn events(&mut self, events: &[(i64, &str)]) {
        let records = events.iter().map(|(time, event)| {
            Record::Event(Box::new(EventRecord {
                time: *time,
                origin: Origin::Bus(1),
                event: text::parse(event).unwrap(),
            }))
        });
        self.store.write(&records.collect::<Vec<_>>()).unwrap();
    }

    fn series(&self, number: u8, [from, to]: [i64; 2], points: u32) -> Series {
        let query = SeriesQuery {
            sensor: sensor(number),
            from,
            to,
            points,
        };
        reader::series(&self.location, &query, TIMEOUT).unwrap()
    }

    fn count(&self, table: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        let connection = &self.store.connection;
        connection.query_row(&query, [], |row| row.get(0)).unwrap()
    }

    fn remove_all_old(&mut self, now: Option<i64>) {
        while self.store.remove_old(now).unwrap() {}
    }
}

fn settings(place: Place, max_size: u64) -> Settings {
    Settings {
        place,
        keep: 10 * DAY,
        max_size,
    }
}

fn sensor(number: u8) -> Sensor {
    Sensor {
        guid: Guid([number; 16]),
        kind: 6,
        unit: 1,
        sensor: number,
        zone: 0,
        subzone: 0,
    }
}

#[test]
fn values_are_read_in_steps_with_lowest_mean_and_highest() {
    for mut kept in [Kept::file(1 << 30), Kept::memory(1 << 24)] {
        let values = (0..600).map(|second| (1, START + second * 1000, second as f64));
        kept.values(values.chain([(2, START, 7.0)]));
        let series = kept.series(1, [START, START + 600_000], 60);
        assert_eq!((series.step, series.steps.len()), (10_000, 60));
        let first = Step {
            time: START,
            min: 0.0,
            mean: 4.5,
            max: 9.0,
            count: 10,
        };
        assert_eq!(series.steps[0], first);
        // Minutes and hours are summed up from what was stored together and apart.
        kept.values((600..700).map(|second| (1, START + second * 1000, second as f64)));
        let series = kept.series(1, [START, START + 3_600_000], 60);
        assert_eq!((series.step, series.steps.len()), (60_000, 12));
        let last = Step {
            time: START + 600_000,
            min: 600.0,
            mean: 629.5,
            max: 659.0,
            count: 60,
        };
        assert_eq!(series.steps[10], last);
        let series = kept.series(1, [START, START + 7_200_000], 2);
        assert_eq!((series.step, series.steps.len()), (3_600_000, 1));
        let all = series.steps[0];
        assert_eq!(
            (all.min, all.mean, all.max, all.count),
            (0.0, 349.5, 699.0, 700)
        );
        assert_eq!(kept.series(9, [START, START + 1000], 9).steps, []);
    }
}

#[test]
fn extreme_values_and_times_are_no_harm() {
    let mut kept = Kept::memory(1 << 24);
    let times = [i64::MIN / 4, -1, 0, START, i64::MAX / 4];
    for value in [f64::MAX, f64::MAX, f64::MIN, f64::MIN, 1.0] {
        kept.values(times.map(|time| (1, time, value)));
        kept.values(times.map(|time| (1, time.saturating_add(1), value)));
    }
    for points in [1, 2, 5000, u32::MAX] {
        for range in [
            [i64::MIN, i64::MAX],
            [START - 1, START + 1],
            [5, 5],
            [9, -9],
        ] {
            for step in kept.series(1, range, points).steps {
                assert!(step.mean.is_finite() && step.min <= step.mean && step.mean <= step.max);
            }
        }
    }
}

#[test]
fn a_clock_that_goes_back_loses_no_value() {
    let mut kept = Kept::file(1 << 30);
    for offset in [0, -3_600_000, -1_800_000, -1_800_000] {
        let values = (0..60).map(|second| (1, START + offset + second * 1000, offset as f64));
        kept.values(values);
    }
    let series = kept.series(1, [START - 7_200_000, START + 60_000], 100);
    let values = series.steps.iter().map(|step| step.mean);
    let times: Vec<_> = series.steps.iter().map(|step| step.time).collect();
    assert!(times.is_sorted(), "{times:?}");
    let found: Vec<_> = values.collect();
    assert_eq!(found, [-3_600_000.0, -1_800_000.0, 0.0]);
    // Nothing of the future is removed, whatever the clock says.
    kept.remove_all_old(Some(0));
    assert_eq!(kept.count("value"), 180);
}

#[test]
fn events_are_found_by_class_type_guid_and_time() {
    let mut kept = Kept::file(1 << 30);
    let guid = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:09";
    let other = format!("0x60,1,2,7,2026-01-31T12:00:00Z,5,{guid},1,2,3");
    kept.events(&[
        (START, "0,20,3,,,,-,1"),
        (START + 1, "0,20,4,,,,-,2"),
        (START + 2, &other),
    ]);
    let query = EventQuery {
        from: START,
        to: START + 10,
        class: None,
        kind: None,
        guid: None,
        limit: 10,
    };
    let found = |query: EventQuery| -> Vec<_> {
        let events = reader::events(&kept.location, &query, |_| true, TIMEOUT).unwrap();
        events.iter().map(|found| found.event.kind).collect()
    };
    assert_eq!(found(query), [2, 4, 3]);
    for (query, expected) in [
        (EventQuery { limit: 2, ..query }, &[2, 4][..]),
        (
            EventQuery {
                class: Some(20),
                ..query
            },
            &[4, 3],
        ),
        (
            EventQuery {
                kind: Some(3),
                ..query
            },
            &[3],
        ),
        (
            EventQuery {
                guid: Some(guid.parse().unwrap()),
                ..query
            },
            &[2],
        ),
        (
            EventQuery {
                from: START + 1,
                to: START + 1,
                ..query
            },
            &[4],
        ),
        (
            EventQuery {
                to: 7,
                from: 0,
                ..query
            },
            &[],
        ),
    ] {
        assert_eq!(found(query), expected, "{query:?}");
    }
    let mut newest = reader::events(&kept.location, &query, |_| true, TIMEOUT).unwrap();
    let newest = newest.remove(0);
    assert_eq!((newest.time, newest.origin), (START + 2, Origin::Bus(1)));
    assert_eq!(newest.event, text::parse(&other).unwrap());
    let seen = |stored: &StoredEvent| stored.event.class == 20;
    let seen = reader::events(
        &kept.location,
        &EventQuery { limit: 1, ..query },
        seen,
        TIMEOUT,
    );
    assert_eq!(seen.unwrap()[0].event.kind, 4);
}

#[test]
fn a_query_that_takes_too_long_ends() {
    let mut kept = Kept::memory(1 << 26);
    kept.values((0..100_000).map(|second| (1, START + second, 1.0)));
    let query = SeriesQuery {
        sensor: sensor(1),
        from: START,
        to: START + 100_000,
        points: 5000,
    };
    let ended = reader::series(&kept.location, &query, Duration::ZERO);
    assert!(matches!(ended, Err(QueryError::TimedOut)), "{ended:?}");
}

#[test]
fn what_is_too_old_is_removed_in_steps() {
    let mut kept = Kept::file(1 << 30);
    let old = START - 11 * 86_400_000;
    kept.values((0..7000).map(|second| (1, old + second * 1000, 1.0)));
    kept.values((0..100).map(|number| (number, START, 1.0)));
    kept.values((200..=250).map(|number| (number, old, 1.0)));
    kept.events(&[(old, "0,20,3,,,,-"), (START, "0,20,3,,,,-")]);
    let before = kept.count("sensor");
    assert_eq!(before, 151);
    // The clock is not to be trusted.
    kept.remove_all_old(None);
    assert_eq!(kept.count("value"), 7151);
    assert!(kept.store.remove_old(Some(START)).unwrap());
    kept.remove_all_old(Some(START));
    assert_eq!(kept.count("value"), 100);
    assert_eq!(kept.count("minute"), 100);
    assert_eq!(kept.count("hour"), 100);
    assert_eq!(kept.count("event"), 1);
    assert_eq!(kept.count("sensor"), 100);
    // A sensor that was forgotten comes back.
    kept.values([(200, START, 5.0)]);
    assert_eq!(kept.series(200, [START - 1, START + 1], 1).steps.len(), 1);
}

#[test]
fn of_what_is_too_much_the_oldest_goes_first_and_its_minutes_stay() {
    for mut kept in [Kept::file(1 << 20), Kept::memory(1 << 20)] {
        let mut second = 0;
        for _ in 0..60 {
            let times = (second..second + 2000).flat_map(|second| {
                let time = START + second * 1000;
                [(1, time, 1.0), (2, time, 2.0)]
            });
            kept.values(times);
            second += 2000;
            kept.remove_all_old(None);
        }
        let pages: i64 = kept
            .store
            .connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        assert!(pages * 4096 < 12 << 17, "{pages}");
        let end = START + second * 1000;
        assert_eq!(kept.series(1, [end - 60_000, end], 60).steps.len(), 60);
        let first = kept.series(1, [START, START + 600_000], 600);
        assert_eq!((first.step, first.steps.len()), (60_000, 11));
        assert!(kept.count("value") > 5000);
    }
}

#[test]
fn there_are_only_so_many_events() {
    let mut kept = Kept::memory(1 << 20);
    for number in 0..30 {
        kept.events(&[(START + number, "0,20,3,,,,-"); 100]);
    }
    kept.remove_all_old(None);
    assert_eq!(kept.count("event"), 1024);
}

#[test]
fn the_state_is_read_as_it_was_written() {
    let mut kept = Kept::file(1 << 30);
    let state = State::new(0);
    let moment = Timestamps {
        instant: std::time::Instant::now(),
        time: START,
    };
    for event in [
        "0x60,1040,6,7,2026-01-31T12:00:00Z,5,-,2,0,0,1,0x31",
        "0,20,9,,,,-,1,2,3",
        "0,1,2,0,,1769860800000000001,-",
    ] {
        let event = text::parse(event).unwrap();
        let seen = Seen {
            event: &event,
            origin: Origin::Client,
        };
        let mut update = state.update(moment);
        update.note_event(seen);
        if let Some((sensor, value)) = Sensor::of(&event) {
            update.note_value(sensor, value, seen);
        }
    }
    let saved = state.take_changed();
    kept.store.save(&saved).unwrap();
    kept.store.save(&saved).unwrap();
    let Kept {
        folder, location, ..
    } = kept;
    let place = Place::File(folder.path().join("sub/history.db"));
    let store = Store::open(&location, &settings(place, 1 << 30)).unwrap();
    let read = store.saved().unwrap();
    assert_eq!(read.sensors, saved.sensors);
    let sorted = |mut kinds: Vec<crate::history::state::SavedKind>| {
        kinds.sort_by_key(|kind| kind.last.event.class);
        kinds
    };
    assert_eq!(sorted(read.kinds), sorted(saved.kinds));
}

#[test]
fn a_database_of_another_program_or_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sql, error) in [
        (
            "other",
            "CREATE TABLE x (y)",
            "a database of another program",
        ),
        (
            "later",
            "CREATE TABLE x (y); PRAGMA application_id = 1448310643; PRAGMA user_version = 9",
            "version 9",
        ),
    ] {
        let path = folder.path().join(name);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let before = fs::read(&path).unwrap();
        let place = Place::File(path.clone());
        let refused = Store::open(&Location::new(&place), &settings(place, 1 << 30));
        let refused = refused.unwrap_err();
        assert_eq!(refused.failure(), Failure::Lasting);
        assert!(refused.to_string().contains(error), "{refused}");
        assert!(fs::read(&path).unwrap() == before, "{name} has changed");
    }
}

#[test]
fn a_file_that_lacks_a_table_is_broken() {
    for table in ["sensor", "value", "minute", "hour", "event", "seen"] {
        let kept = Kept::file(1 << 30);
        let drop = format!("DROP TABLE {table}");
        kept.store.connection.execute_batch(&drop).unwrap();
        let place = Place::File(kept.folder.path().join("sub/history.db"));
        let refused = Store::open(&kept.location, &settings(place, 1 << 30)).unwrap_err();
        assert_eq!(refused.failure(), Failure::Broken, "{refused}");
        let expected = format!("found no table {table}");
        assert!(refused.to_string().contains(&expected), "{refused}");
    }
}

#[test]
fn many_kinds_of_events_leave_room_for_values() {
    let mut kept = Kept::file(1 << 20);
    kept.values((0..5000).map(|second| (1, START + second * 1000, 1.0)));
    let kind = |number: i64| crate::history::state::SavedKind {
        last: crate::history::LastEvent {
            time: START + number,
            origin: Origin::Host,
            event: text::parse(&format!("0,20,{number},,,,-,{}", ["255"; 512].join(","))).unwrap(),
        },
        priorities: 1,
        count: 1,
        interval: None,
    };
    for first in (0..3000).step_by(250) {
        let saved = Saved {
            sensors: Vec::new(),
            kinds: (first..first + 250).map(kind).collect(),
        };
        kept.store.save(&saved).unwrap();
        kept.remove_all_old(None);
    }
    assert_eq!(kept.count("value"), 5000);
    let kinds = kept.store.saved().unwrap().kinds;
    let times: Vec<_> = kinds.iter().map(|kind| kind.last.time - START).collect();
    assert_eq!(times, (2872..3000).rev().collect::<Vec<_>>());
}

#[test]
fn a_broken_file_is_told_from_a_disk_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken");
    fs::write(
        &path,
        "no database, but more than a few bytes of text".repeat(100),
    )
    .unwrap();
    let place = Place::File(path.clone());
    let location = Location::new(&place);
    let open = |place: Place| Store::open(&location, &settings(place, 1 << 30));
    assert_eq!(open(place.clone()).unwrap_err().failure(), Failure::Broken);
    let aside = location.move_aside().unwrap().unwrap();
    assert!(
        aside.to_str().unwrap().contains("broken.broken-20"),
        "{aside:?}"
    );
    assert!(open(place).is_ok());
    let place = Place::File("/proc/nothing/history.db".into());
    let refused = Store::open(&Location::new(&place), &settings(place, 1 << 30));
    assert_eq!(refused.unwrap_err().failure(), Failure::Lasting);
}

#[test]
fn memory_is_shared_by_the_connections_of_one_store_and_gone_with_them() {
    let mut kept = Kept::memory(1 << 24);
    kept.values([(1, START, 1.0)]);
    let other = Kept::memory(1 << 24);
    assert_eq!(kept.series(1, [START, START + 1], 1).steps.len(), 1);
    assert_eq!(other.series(1, [START, START + 1], 1).steps.len(), 0);
    let Kept {
        location, store, ..
    } = kept;
    drop(store);
    let query = SeriesQuery {
        sensor: sensor(1),
        from: START,
        to: START + 1,
        points: 1,
    };
    let gone = reader::series(&location, &query, TIMEOUT);
    assert!(matches!(gone, Err(QueryError::Store(_))), "{gone:?}");
}
