//! Interfaces that are missing, go down, and come back.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    common::{Server, process::Activity, wait::settled, wait_until},
    start, start_on,
    vcan::{Vcan, ip},
    write_numbered,
};

/// Longer than the history gathers what it writes.
const SETTLING: Duration = Duration::from_millis(1500);

/// Returns the states of the link that the log has, line by line.
fn logged_states(server: &Server, vcan: &Vcan) -> Vec<&'static str> {
    let prefix = format!("CAN bus {}: ", vcan.name);
    let log = server.log();
    log.lines()
        .filter_map(|line| Some(line.split_once(&prefix)?.1.to_owned()))
        .map(|line| match &*line {
            "the interface is up" => "up",
            line if line.starts_with("the interface is down") => "down",
            line if line.starts_with("the interface does not exist") => "missing",
            line => panic!("{line}"),
        })
        .collect()
}

/// The states of a link that its log must have.
struct ExpectedStates<'a> {
    server: &'a Server,
    vcan: &'a Vcan,
    expected: Vec<&'static str>,
}

impl<'a> ExpectedStates<'a> {
    /// Expects none yet.
    fn of(server: &'a Server, vcan: &'a Vcan) -> Self {
        Self {
            server,
            vcan,
            expected: Vec::new(),
        }
    }

    /// Waits until the log has `next`, and no other state, behind those that it had.
    fn push(&mut self, next: &'static str) {
        self.expected.push(next);
        wait_until(&format!("{:?}", self.expected), || {
            logged_states(self.server, self.vcan).len() >= self.expected.len()
        });
        assert_eq!(logged_states(self.server, self.vcan), self.expected);
    }

    /// Waits until `last` is the last state in the log, whatever comes before it.
    fn wait_for_last(&mut self, last: &'static str) {
        wait_until(last, || {
            logged_states(self.server, self.vcan).last() == Some(&last)
        });
        self.expected = logged_states(self.server, self.vcan);
    }
}

/// Frames go both ways.
fn expect_frames(server: &Server, vcan: &Vcan, number: u32) {
    let peer = vcan.peer();
    peer.send_numbered(number);
    assert_eq!(server.host_reads().data[..], number.to_be_bytes());
    write_numbered(server, number);
    assert_eq!(peer.receive_number(), number);
}

pub(crate) fn an_interface_may_come_go_down_be_removed_and_renamed() {
    let vcan = Vcan::missing();
    let server = start(&json!({"interface": vcan.name}), json!({}));
    let mut states = ExpectedStates::of(&server, &vcan);
    states.push("missing");
    vcan.add();
    states.push("down");
    vcan.set("up");
    states.push("up");
    expect_frames(&server, &vcan, 1);

    vcan.set("down");
    states.push("down");
    vcan.set("up");
    states.push("up");
    expect_frames(&server, &vcan, 2);

    vcan.remove();
    // It goes down before it goes; the driver may be too late to see that.
    states.wait_for_last("missing");
    vcan.add();
    states.push("down");
    vcan.set("up");
    states.push("up");
    expect_frames(&server, &vcan, 3);

    // Renamed, and another takes its name.
    let other = Vcan::missing();
    vcan.set("down");
    states.push("down");
    vcan.set(&format!("name {}", other.name));
    states.push("missing");
    other.set("up");
    other.cansend("0C0A0601#00000063");
    vcan.add();
    vcan.set("up");
    states.wait_for_last("up");
    expect_frames(&server, &vcan, 4);

    // And back again.
    vcan.remove();
    states.wait_for_last("missing");
    other.set("down");
    other.set(&format!("name {}", vcan.name));
    vcan.set("up");
    states.wait_for_last("up");
    expect_frames(&server, &vcan, 5);

    let states = settled(|| logged_states(&server, &vcan));
    assert!(
        states.windows(2).all(|pair| pair[0] != pair[1]),
        "{states:?}"
    );
}

pub(crate) fn what_is_written_while_it_is_down_is_sent_in_order_when_it_is_up() {
    let vcan = Vcan::missing();
    let server = start(&json!({"interface": vcan.name}), json!({}));
    let write = |number| write_numbered(&server, number);
    (0..10).for_each(write);
    vcan.add();
    let peer = vcan.peer();
    (10..20).for_each(write);
    vcan.set("up");
    server.wait_for_log("the interface is up");
    (20..30).for_each(write);
    for number in 0..30 {
        assert_eq!(peer.receive_number(), number);
    }
    assert_eq!(server.driver.counters().can_dropped.get(), 0);
}

pub(crate) fn more_than_the_queue_size_is_dropped_and_counted() {
    let vcan = Vcan::missing();
    vcan.add();
    let bus = json!({"interface": vcan.name, "queue-size": 5});
    let server = start(&bus, json!({}));
    let peer = vcan.peer();
    for number in 0..8 {
        write_numbered(&server, number);
    }
    wait_until("dropped", || {
        server.driver.counters().can_dropped.get() == 3
    });
    server.wait_for_log("the queue is full (key queue-size)");
    vcan.set("up");
    for number in 0..5 {
        assert_eq!(peer.receive_number(), number);
    }
    expect_frames(&server, &vcan, 9);
    assert_eq!(peer.receive_number(), 9);
}

pub(crate) fn no_frame_is_missed_when_it_goes_down_and_up() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let peer = vcan.peer();
    let mut number = 0;
    for _ in 0..20 {
        // The last frame before and the first one after.
        for change in ["down", "up"] {
            if change == "down" {
                peer.send_numbered(number);
                number += 1;
            }
            vcan.set(change);
        }
        peer.clear_error();
        peer.send_numbered(number);
        number += 1;
    }
    for expected in 0..number {
        assert_eq!(server.host_reads().data[3], expected as u8);
    }
    wait_until("down, and up at last", || {
        let states = logged_states(&server, &vcan);
        states.contains(&"down") && states.last() == Some(&"up")
    });
}

pub(crate) fn an_interface_that_is_no_can_is_reported() {
    let server = start(&json!({"interface": "lo"}), json!({}));
    server.wait_for_log("CAN bus lo: lo is not a CAN interface");
    let vcan = Vcan::missing();
    ip(&format!(
        "link add dev {} type vxcan peer name {}p",
        vcan.name, vcan.name
    ));
    vcan.set("up");
    let server = start(&json!({"interface": vcan.name}), json!({}));
    server.wait_for_log("bus-off or not connected");
    write_numbered(&server, 1);
    let peer = Vcan::missing();
    ip(&format!("link set dev {}p name {}", vcan.name, peer.name));
    let socket = peer.peer();
    peer.set("up");
    server.wait_for_log("the interface is up");
    assert_eq!(socket.receive_number(), 1);
}

pub(crate) fn each_loss_of_the_carrier_is_logged_and_each_return() {
    let (vcan, peer) = (Vcan::missing(), Vcan::missing());
    ip(&format!(
        "link add dev {} type vxcan peer name {}",
        vcan.name, peer.name
    ));
    vcan.set("up");
    let server = start(&json!({"interface": vcan.name}), json!({}));
    let logged = |text| server.log().matches(text).count();
    let start = Instant::now();
    for count in 1..4 {
        wait_until("lost", || logged("bus-off or not connected") == count);
        peer.set("up");
        wait_until("up", || logged("the interface is up") == count);
        peer.set("down");
    }
    // The rate limit of error frames would allow the third after 20 s.
    assert!(start.elapsed() < Duration::from_secs(19));
}

/// Returns true if the driver has nothing left to do.
fn is_quiet() -> bool {
    Activity::of_driver_during(SETTLING).wake_ups == 0
}

pub(crate) fn an_idle_bus_costs_nothing() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    expect_frames(&server, &vcan, 1);
    wait_until("quiet", is_quiet);
    let activity = Activity::of_driver_during(Duration::from_secs(3));
    assert_eq!(activity.wake_ups, 0);

    // A missing interface is checked rarely, but used as soon as it appears.
    let missing = Vcan::missing();
    let bus = json!({"interface": missing.name, "restart-delay-ms": 60_000});
    let other = start(&bus, json!({}));
    other.wait_for_log("the interface does not exist");
    wait_until("quiet", is_quiet);
    let activity = Activity::of_driver_during(Duration::from_secs(2));
    assert_eq!(activity.wake_ups, 0);
    // By itself it would be checked after the deadline.
    missing.add();
    missing.set("up");
    other.wait_for_log("the interface is up");
}
