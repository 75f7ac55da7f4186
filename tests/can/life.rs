//! Interfaces that are missing, go down, and come back.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    common::{Server, wait_until},
    start, start_on,
    vcan::{Vcan, ip, settled, wake_ups},
};

/// What the log says about the life of the bus, line by line.
fn lives(server: &Server, vcan: &Vcan) -> Vec<&'static str> {
    let prefix = format!("CAN bus {}: ", vcan.name);
    let log = server.log();
    log.lines()
        .filter_map(|line| Some(line.split_once(&prefix)?.1.to_owned()))
        .map(|line| match &*line {
            "up" => "up",
            "the interface is down" => "down",
            line if line.starts_with("there is no such interface") => "missing",
            line => panic!("{line}"),
        })
        .collect()
}

/// Waits until the log says that, and nothing else, about the life of the bus.
fn expect_lives(server: &Server, vcan: &Vcan, expected: &[&str]) {
    wait_until(&format!("{expected:?}"), || {
        lives(server, vcan).len() >= expected.len()
    });
    assert_eq!(lives(server, vcan), expected);
}

/// Frames go both ways.
fn expect_frames(server: &Server, vcan: &Vcan, number: u8) {
    let peer = vcan.peer();
    peer.send_numbered(number.into());
    assert_eq!(server.host_reads().data[3], number);
    server.host_writes_text(&format!("0x60,10,6,,,,-,0,0,0,{number}"));
    assert_eq!(peer.receive_number(), u32::from(number));
}

pub(crate) fn an_interface_may_come_go_down_be_removed_and_renamed() {
    let vcan = Vcan::missing();
    let server = start(&json!({"interface": vcan.name}), json!({}));
    let mut lives = vec!["missing"];
    expect_lives(&server, &vcan, &lives);
    vcan.add();
    lives.push("down");
    expect_lives(&server, &vcan, &lives);
    vcan.set("up");
    lives.push("up");
    expect_lives(&server, &vcan, &lives);
    expect_frames(&server, &vcan, 1);

    vcan.set("down");
    lives.push("down");
    expect_lives(&server, &vcan, &lives);
    vcan.set("up");
    lives.push("up");
    expect_lives(&server, &vcan, &lives);
    expect_frames(&server, &vcan, 2);

    vcan.remove();
    // It goes down before it goes; the driver may be too late to see that.
    wait_until("missing", || {
        self::lives(&server, &vcan).last() == Some(&"missing")
    });
    lives = self::lives(&server, &vcan);
    vcan.add();
    lives.push("down");
    expect_lives(&server, &vcan, &lives);
    vcan.set("up");
    lives.push("up");
    expect_lives(&server, &vcan, &lives);
    expect_frames(&server, &vcan, 3);

    // Renamed, and another takes its name.
    let other = Vcan::missing();
    vcan.set("down");
    lives.push("down");
    expect_lives(&server, &vcan, &lives);
    vcan.set(&format!("name {}", other.name));
    lives.push("missing");
    expect_lives(&server, &vcan, &lives);
    other.set("up");
    other.cansend("0C0A0601#00000063");
    vcan.add();
    vcan.set("up");
    wait_until("up", || self::lives(&server, &vcan).last() == Some(&"up"));
    expect_frames(&server, &vcan, 4);

    // And back again.
    vcan.remove();
    wait_until("missing", || {
        self::lives(&server, &vcan).last() == Some(&"missing")
    });
    other.set("down");
    other.set(&format!("name {}", vcan.name));
    vcan.set("up");
    wait_until("up", || self::lives(&server, &vcan).last() == Some(&"up"));
    expect_frames(&server, &vcan, 5);

    let lives = settled(|| self::lives(&server, &vcan));
    assert!(lives.windows(2).all(|pair| pair[0] != pair[1]), "{lives:?}");
}

pub(crate) fn what_is_written_while_it_is_down_is_sent_in_order_when_it_is_up() {
    let vcan = Vcan::missing();
    let server = start(&json!({"interface": vcan.name}), json!({}));
    let write = |number: u8| server.host_writes_text(&format!("0x60,10,6,,,,-,0,0,0,{number}"));
    (0..10).for_each(write);
    vcan.add();
    let peer = vcan.peer();
    (10..20).for_each(write);
    vcan.set("up");
    server.wait_for_log(": up");
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
        server.host_writes_text(&format!("0x60,10,6,,,,-,0,0,0,{number}"));
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
    let lives = settled(|| lives(&server, &vcan));
    assert!(lives.contains(&"down"));
    assert_eq!(lives.last(), Some(&"up"));
}

pub(crate) fn an_interface_that_is_no_can_is_reported() {
    let server = start(&json!({"interface": "lo"}), json!({}));
    server.wait_for_log("CAN bus lo: this is no CAN interface");
    let vcan = Vcan::missing();
    ip(&format!(
        "link add dev {} type vxcan peer name {}p",
        vcan.name, vcan.name
    ));
    vcan.set("up");
    let server = start(&json!({"interface": vcan.name}), json!({}));
    server.wait_for_log("bus-off, or not connected");
    server.host_writes_text("0x60,10,6,,,,-,0,0,0,1");
    let peer = Vcan::missing();
    ip(&format!("link set dev {}p name {}", vcan.name, peer.name));
    let socket = peer.peer();
    peer.set("up");
    server.wait_for_log(": up");
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
        wait_until("lost", || logged("bus-off, or not connected") == count);
        peer.set("up");
        wait_until("up", || logged(": up") == count);
        peer.set("down");
    }
    // At once, not when the limit of error frames allows it.
    assert!(start.elapsed() < Duration::from_secs(9));
}

pub(crate) fn an_idle_bus_costs_nothing() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    expect_frames(&server, &vcan, 1);
    thread::sleep(Duration::from_millis(200));
    let before = wake_ups();
    assert!(before > 0);
    thread::sleep(Duration::from_secs(3));
    assert_eq!(wake_ups() - before, 0);

    // One that is missing is looked for seldom, but at once where it comes.
    let missing = Vcan::missing();
    let bus = json!({"interface": missing.name, "restart-delay-ms": 60_000});
    let other = start(&bus, json!({}));
    other.wait_for_log("there is no such interface");
    thread::sleep(Duration::from_millis(200));
    let before = wake_ups();
    thread::sleep(Duration::from_secs(2));
    assert_eq!(wake_ups() - before, 0);
    let start = Instant::now();
    missing.add();
    missing.set("up");
    other.wait_for_log(": up");
    assert!(start.elapsed() < Duration::from_secs(2));
}
