use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::{
    event::text,
    history::{EventQuery, History, Place, Sensor, SeriesQuery, queue::ValueRecord},
    test_log::TestLog,
};

const DAY: Duration = Duration::from_secs(86_400);

/// A writer on the thread of the test, with a file in a folder of its own.
struct Bench {
    folder: TempDir,
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    writer: Writer,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path().join("history.db"));
        Self::with(folder, settings)
    }

    fn with(folder: TempDir, settings: Settings) -> Self {
        let (queue, counters) = (Arc::default(), Arc::default());
        let writer = Writer::new(
            Location::new(&settings.place),
            Arc::default(),
            settings,
            Arc::clone(&queue),
            Arc::new(State::new(0)),
            Arc::clone(&counters),
        );
        Self {
            folder,
            queue,
            counters,
            writer,
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn push(&self, count: i64) {
        let mut records = (0..count).map(value).collect();
        assert_eq!(self.queue.push(&mut records), 0);
    }

    /// Notes an event in the state.
    fn note(&self, event: &str) {
        let event = text::parse(event).unwrap();
        let seen = super::super::state::Seen {
            event: &event,
            origin: super::super::Origin::Host,
        };
        let moment = super::super::state::Timestamps {
            instant: Instant::now(),
            time: 1000,
        };
        let mut update = self.writer.state.update(moment);
        update.note_event(seen);
        if let Some((sensor, value)) = Sensor::of(&event) {
            update.note_value(sensor, value, seen);
        }
    }

    fn work(&mut self) -> Result<(), ()> {
        self.writer.work(Instant::now())
    }

    fn stored(&self) -> u64 {
        self.counters.history_values.get()
    }
}

fn settings(path: PathBuf) -> Settings {
    Settings {
        place: Place::File(path),
        keep: 10 * DAY,
        max_size: 1 << 30,
    }
}

fn sensor() -> Sensor {
    "-/2/6/1".parse().unwrap()
}

fn value(time: i64) -> Record {
    Record::Value(ValueRecord {
        sensor: sensor(),
        time,
        value: 1.0,
    })
}

#[test]
fn what_waits_is_written_together() {
    let mut bench = Bench::new();
    bench.push(10);
    bench.work().unwrap();
    assert_eq!(bench.stored(), 10);
}

#[test]
fn a_broken_file_is_moved_aside_and_a_new_one_is_begun() {
    let log = TestLog::start();
    let mut bench = Bench::new();
    bench.push(10);
    bench.work().unwrap();
    bench.writer.store = None;
    // The tables are there, their rows are not.
    let mut bytes = fs::read(bench.path()).unwrap();
    bytes[100..].fill(0xA5);
    fs::write(bench.path(), bytes).unwrap();
    bench.push(5);
    assert_eq!(log.take(), [""; 0]);
    bench.work().unwrap_err();
    let lines = log.take();
    assert!(lines[1].contains(" is broken: moved to "), "{lines:?}");
    assert!(lines[1].ends_with(", a new one is begun"), "{lines:?}");
    bench.work().unwrap();
    assert_eq!(bench.stored(), 15);
    let lines = log.take();
    assert!(lines[0].ends_with(" is written again"), "{lines:?}");
    let names = fs::read_dir(bench.folder.path()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let broken: Vec<_> = names.filter(|name| name.contains(".broken-20")).collect();
    assert_eq!(broken.len(), 1, "{broken:?}");
}

#[test]
fn what_cannot_be_written_waits_until_it_can() {
    let log = TestLog::start();
    let mut bench = Bench::new();
    fs::create_dir(bench.path()).unwrap();
    bench.push(3);
    for _ in 0..3 {
        bench.work().unwrap_err();
    }
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("ERROR history "), "{lines:?}");
    assert!(lines[0].ends_with("; it is tried again"), "{lines:?}");
    assert_eq!(bench.counters.history_failures.get(), 3);
    fs::remove_dir(bench.path()).unwrap();
    bench.push(2);
    bench.work().unwrap();
    bench.work().unwrap();
    assert_eq!(bench.stored(), 5);
}

#[test]
fn what_waits_at_the_end_is_written_or_counted() {
    let log = TestLog::start();
    let bench = Bench::new();
    bench.push(MAX_BATCH as i64 + 10);
    bench.queue.close();
    let counters = bench.counters.clone();
    let _folder = (bench.folder, bench.writer.finish());
    assert_eq!(counters.history_values.get(), MAX_BATCH as u64 + 10);
    assert_eq!(log.take(), [""; 0]);

    let bench = Bench::new();
    fs::create_dir(bench.path()).unwrap();
    bench.push(7);
    let counters = bench.counters.clone();
    bench.writer.finish();
    assert_eq!(counters.history_lost.get(), 7);
    let lines = log.take();
    assert!(
        lines[1].contains("7 events could not be stored at the end"),
        "{lines:?}"
    );
}

#[test]
fn the_state_is_stored_with_what_has_changed_it() {
    let mut bench = Bench::new();
    for events in [
        &["0,1040,6,,,,-,2,0,0,1,0x31"][..],
        &[
            "0,1040,6,,,,-,2,0,0,1,0x39",
            "0,1040,6,,,,-,3,0,0,1,0x35",
            "0,1,2,,,,-,1,2,3",
        ],
    ] {
        for event in events {
            bench.note(event);
        }
        bench.push(1);
        bench.work().unwrap();
    }
    // As a process finds it that begins after this one was killed.
    let store = Store::open(&bench.writer.location, &bench.writer.settings).unwrap();
    let saved = store.saved().unwrap();
    let mut values: Vec<_> = saved.sensors.iter().map(|saved| saved.value).collect();
    values.sort_by(f64::total_cmp);
    assert_eq!(values, [5.0, 9.0]);
    let mut kinds: Vec<_> = saved
        .kinds
        .iter()
        .map(|kind| (kind.last.event.class, kind.count))
        .collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [(1, 1), (1040, 3)]);
}

#[test]
fn the_state_takes_no_room_in_memory() {
    let mut bench = Bench::with(
        tempfile::tempdir().unwrap(),
        Settings {
            place: Place::Memory,
            keep: DAY,
            max_size: 1 << 20,
        },
    );
    let data = ["255"; 512].join(",");
    for kind in 0..4000 {
        bench.note(&format!("0,20,{kind},,,,-,{data}"));
    }
    bench.push(1);
    bench.writer.save_at = Instant::now();
    bench.work().unwrap();
    assert_eq!(bench.stored(), 1);
}

#[test]
fn a_file_that_is_removed_or_replaced_is_begun_anew() {
    let log = TestLog::start();
    let mut bench = Bench::new();
    bench.note("0,1040,6,,,,-,2,0,0,1,0x31");
    bench.push(10);
    bench.work().unwrap();
    let path = bench.path();
    let name = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    let aside = |end: &str| PathBuf::from(format!("{}.old{end}", path.display()));
    for (is_removed, stored) in [(true, 15), (false, 20)] {
        for end in ["", "-wal", "-shm"] {
            match is_removed {
                true => fs::remove_file(name(end)).unwrap(),
                false => fs::rename(name(end), aside(end)).unwrap(),
            }
        }
        bench.push(5);
        bench.work().unwrap();
        assert_eq!(bench.stored(), stored);
        let again = log.take().pop();
        let again = again.unwrap_or_default();
        assert!(again.ends_with(" is written again"), "{again}");
        let store = Store::open(&bench.writer.location, &bench.writer.settings).unwrap();
        assert_eq!(store.saved().unwrap().sensors.len(), 1);
        let connection = rusqlite::Connection::open(&path).unwrap();
        let count = "SELECT count(*) FROM value";
        let count = connection.query_row(count, [], |row| row.get::<_, i64>(0));
        assert_eq!(count.unwrap(), 5);
    }
    assert_eq!(bench.counters.history_failures.get(), 2);
}

#[test]
fn the_state_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let start = || {
        let settings = Some(settings(path.clone()));
        History::start(settings, 0, &Arc::default()).unwrap()
    };
    let history = start();
    let event = text::parse("0,1040,6,,,,-,2,0,0,1,0x31").unwrap();
    let seen = super::super::state::Seen {
        event: &event,
        origin: super::super::Origin::Host,
    };
    let moment = super::super::state::Timestamps {
        instant: Instant::now(),
        time: 1000,
    };
    {
        let mut update = history.state.update(moment);
        update.note_event(seen);
        update.note_value(sensor(), 21.5, seen);
    }
    let queue = &history.stored.as_ref().unwrap().queue;
    queue.push(&mut vec![value(1000)]);
    history.close(DAY);
    history.close(DAY);

    let history = start();
    let is_there = || history.state().may_see(&sensor(), &|_, _, _, _| true);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_there() {
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    let sensors = history.state().sensors(&|_, _, _, _| true);
    assert_eq!((sensors[0].value, sensors[0].time), (21.5, 1000));
    assert_eq!(history.state().nodes(&|_, _, _, _| true).len(), 1);
    let query = SeriesQuery {
        sensor: sensor(),
        from: 0,
        to: 2000,
        points: 1,
    };
    assert_eq!(history.series(&query).unwrap().steps.len(), 1);
    let query = EventQuery {
        from: 0,
        to: 2000,
        class: None,
        kind: None,
        guid: None,
        limit: 1,
    };
    assert_eq!(history.events(&query, |_| true).unwrap().len(), 0);
    history.close(DAY);
    assert!(bench_is_quiet(&path));
}

/// Returns true if SQLite has left nothing beside the file.
fn bench_is_quiet(path: &std::path::Path) -> bool {
    ["-wal", "-shm"].iter().all(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        !PathBuf::from(name).exists()
    })
}

#[test]
fn closing_does_not_wait_for_a_disk_that_does_not_answer() {
    let log = TestLog::start();
    let (running, ended) = crossbeam_channel::bounded::<()>(0);
    let thread = WriterThread {
        ended,
        handle: Mutex::new(None),
    };
    thread.wait_until_ended(Duration::from_millis(1));
    assert!(log.take()[0].contains("not waiting for it any longer"));
    drop(running);
    thread.wait_until_ended(DAY);
}
