use std::time::Duration;

use super::*;
use crate::{event::text, test_log::TestLog};

const NODE: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:09";

/// A state whose time is set by the test.
struct Bench {
    state: State,
    now: Timestamps,
}

impl Bench {
    fn new(max_shown: usize) -> Self {
        Self {
            state: State::new(max_shown),
            now: Timestamps {
                instant: Instant::now(),
                time: 1_000_000,
            },
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now.instant += Duration::from_secs(seconds);
        self.now.time += seconds as i64 * 1000;
    }

    fn note(&self, event: &str) -> bool {
        let event = text::parse(event).unwrap();
        let seen = Seen {
            event: &event,
            origin: Origin::Host,
        };
        let mut update = self.state.update(self.now);
        update.note_event(seen);
        Sensor::of(&event).is_none_or(|(sensor, value)| update.note_value(sensor, value, seen))
    }

    fn nodes(&self, may_receive: &MayReceive<'_>) -> Vec<NodeView> {
        let inner = self.state.inner.lock();
        inner.nodes.views(may_receive, self.now.instant)
    }
}

const ALL: &MayReceive<'static> = &|_, _, _, _| true;

#[test]
fn a_sensor_has_its_last_value_and_how_often_it_comes() {
    let mut bench = Bench::new(0);
    for value in ["0x31", "0x32", "0x33"] {
        bench.note(&format!("0,1040,6,,,,{NODE},2,0,0,1,{value}"));
        bench.pass(10);
    }
    bench.note("0,20,3,,,,-,1,2,3");
    let sensors = bench.state.sensors(ALL);
    let [sensor] = sensors[..] else {
        panic!("{sensors:?}");
    };
    assert_eq!(sensor.sensor.to_string(), format!("{NODE}/2/6/1"));
    assert_eq!((sensor.value, sensor.time), (3.0, 1_020_000));
    assert_eq!(sensor.interval, Some(10.0));
    assert_eq!(sensor.sensor.kind_name(), Some("Temperature"));
    assert_eq!(sensor.sensor.unit_name(), Some("°C"));
}

#[test]
fn who_may_not_receive_a_kind_does_not_see_what_it_tells() {
    let bench = Bench::new(0);
    bench.note(&format!("0,1040,6,,,,{NODE},2,0,0,1,0x31"));
    bench.note(&format!("0x60,20,9,,,,{NODE},1,2,3"));
    bench.note(&format!("0,1,2,,,,{NODE},1,2,3"));
    let only = |class: u16| move |_: u8, found: u16, _: u16, _: &Guid| found == class;
    assert_eq!(bench.state.sensors(&only(1040)).len(), 1);
    assert_eq!(bench.state.sensors(&only(20)).len(), 0);
    let sensor = format!("{NODE}/2/6/1").parse().unwrap();
    assert!(bench.state.may_see(&sensor, ALL));
    assert!(!bench.state.may_see(&sensor, &only(20)));
    let nodes = bench.nodes(&only(20));
    assert_eq!(nodes.len(), 1);
    assert_eq!((nodes[0].events, nodes[0].alarms), (1, 0));
    assert_eq!(nodes[0].last.event.class, 20);
    assert!(nodes[0].heartbeat.is_some());
    assert_eq!(bench.nodes(&only(7)).len(), 0);
    let all = &bench.nodes(ALL)[0];
    assert_eq!((all.events, all.alarms), (3, 1));
    assert_eq!(all.last_alarm.as_ref().unwrap().event.kind, 2);
    assert_eq!(bench.nodes(&|priority, _, _, _| priority == 3)[0].events, 1);
    let other: Guid = "::1".parse().unwrap();
    assert!(bench.nodes(&|_, _, _, guid| *guid == other).is_empty());
}

#[test]
fn a_heartbeat_that_is_missing_is_late() {
    let mut bench = Bench::new(0);
    let heartbeat = format!("0,20,9,,,,{NODE},1,2,3");
    let found = |bench: &Bench| bench.nodes(ALL)[0].heartbeat.unwrap();
    bench.note(&heartbeat);
    bench.pass(30);
    assert_eq!(found(&bench).is_late, None);
    bench.note(&heartbeat);
    for (seconds, is_late) in [(30, false), (40, false), (10, true)] {
        bench.pass(seconds);
        assert_eq!(found(&bench).is_late, Some(is_late));
    }
    bench.note(&heartbeat);
    assert_eq!(found(&bench).is_late, Some(false));
}

#[test]
fn events_a_minute_are_those_of_the_last_minute() {
    let mut bench = Bench::new(0);
    for _ in 0..120 {
        bench.note(&format!("0,20,3,,,,{NODE},1,2,3"));
        bench.pass(1);
    }
    let rate = bench.nodes(ALL)[0].per_minute;
    assert!((55.0..=65.0).contains(&rate), "{rate}");
    bench.pass(300);
    assert_eq!(bench.nodes(ALL)[0].per_minute, 0.0);
}

#[test]
fn what_was_saved_is_there_again_but_for_what_is_newer() {
    let mut bench = Bench::new(0);
    for _ in 0..2 {
        bench.note(&format!("0,1040,6,,,,{NODE},2,0,0,1,0x31"));
        bench.note(&format!("0,20,9,,,,{NODE},1,2,3"));
        bench.pass(60);
    }
    let saved = bench.state.take_changed();
    assert_eq!((saved.sensors.len(), saved.kinds.len()), (1, 2));
    let none = bench.state.take_changed();
    assert_eq!((none.sensors.len(), none.kinds.len()), (0, 0));
    bench.state.mark_changed();
    assert_eq!(bench.state.take_changed().kinds, saved.kinds);

    let mut other = Bench::new(0);
    other.note(&format!("0,20,9,,,,{NODE},7"));
    other.state.restore(saved);
    other.pass(0);
    let node = &other.nodes(ALL)[0];
    assert_eq!((node.events, node.last.event.data.len()), (3, 1));
    assert_eq!(other.state.sensors(ALL)[0].interval, Some(60.0));
    assert_eq!(other.state.take_changed().kinds.len(), 1);
}

#[test]
fn sensors_that_the_page_of_metrics_has_no_room_for_are_counted_until_others_are_silent() {
    let log = TestLog::start();
    let mut bench = Bench::new(2);
    for number in 1..=4 {
        assert!(bench.note(&format!("0,1040,6,,,,-,{number},0,0,1,0x31")));
        bench.state.log_refused(bench.now.instant);
    }
    let shown = |bench: &Bench| {
        let mut inner = bench.state.inner.lock();
        let shown = inner.sensors.shown(bench.now.instant);
        shown
            .iter()
            .map(|shown| shown.sensor.sensor)
            .collect::<Vec<_>>()
    };
    assert_eq!(bench.state.shown().1, 2);
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("1 measurement not shown"), "{lines:?}");
    assert_eq!(shown(&bench), [1, 2]);
    bench.pass(SILENT - 1);
    bench.note("0,1040,6,,,,-,2,0,0,1,0x31");
    bench.note("0,1040,6,,,,-,3,0,0,1,0x31");
    assert_eq!(shown(&bench), [1, 2]);
    bench.pass(60);
    bench.note("0,1040,6,,,,-,3,0,0,1,0x31");
    assert_eq!(shown(&bench), [2, 3]);
    // All are known all the same.
    assert_eq!(bench.state.sensors(ALL).len(), 4);
}

/// Seconds after which a sensor is silent.
const SILENT: u64 = 24 * 3600;

#[test]
fn there_are_only_so_many_sensors_and_nodes() {
    let log = TestLog::start();
    let mut bench = Bench::new(0);
    let event = |number: usize| {
        let bytes = (number as u32).to_be_bytes();
        let guid: String = bytes.iter().map(|byte| format!(":{byte:02X}")).collect();
        format!("0,1040,6,,,,{}00{guid},0,0,0,1,0x31", "00:".repeat(11))
    };
    let kept = (0..MAX_ALL).filter(|number| bench.note(&event(*number)));
    assert_eq!(kept.count(), sensors::MAX_SENSORS);
    bench.state.log_refused(bench.now.instant);
    assert_eq!(log.take().len(), 1);
    assert_eq!(bench.nodes(ALL).len(), nodes::MAX_KINDS);
    bench.pass(SILENT);
    assert!(bench.note(&event(MAX_ALL)));
    assert_eq!(bench.nodes(ALL).len(), 1);
}

const MAX_ALL: usize = nodes::MAX_KINDS + 10;
