//! More frames than the driver or the bus can take.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol::Ws1;

use crate::{
    common::{process::processor_time, wait_until},
    host::StoppableDriver,
    start, start_on,
    vcan::Vcan,
    write_numbered, write_variable,
};

/// The number of an event of [`write_numbered`] in a message to a client.
fn number_of(text: &str) -> u32 {
    let mut fields = text
        .rsplit(',')
        .map(|byte| u32::from_str_radix(byte.strip_prefix("0x").unwrap(), 16).unwrap());
    (0..4)
        .map(|byte| fields.next().unwrap() << (8 * byte))
        .sum()
}

pub(crate) fn every_frame_of_a_flood_arrives_or_is_counted() {
    const FRAMES: u32 = 50_000;

    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let mut ws1 = server.open(Ws1, "admin");
    let peer = vcan.peer();
    let (mut received, mut last) = (0, None);
    let mut receive = |last: &mut Option<u32>| {
        let number = Some(number_of(&ws1.text()));
        assert!(*last < number, "{number:?} behind {last:?}");
        *last = number;
        received += 1;
    };
    let is_over = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            (0..FRAMES).for_each(|number| peer.send_numbered(number));
            // The last frames of the flood may be lost, and the kernel tells of it with the next.
            let mut sent = FRAMES;
            while !is_over.load(Ordering::Relaxed) {
                peer.send_numbered(sent);
                sent += 1;
                thread::sleep(Duration::from_millis(10));
            }
            sent
        });
        while last < Some(FRAMES) {
            receive(&mut last);
        }
        is_over.store(true, Ordering::Relaxed);
        sender.join().unwrap()
    });
    let counters = server.driver.counters();
    let has_taken_all = || counters.can_received.get() + counters.can_lost.get() == u64::from(sent);
    wait_until("taken", has_taken_all);
    while last < Some(sent - 1) {
        receive(&mut last);
    }
    assert_eq!(received, counters.can_received.get());
    assert_eq!(counters.dropped_slow.get(), 0);
}

pub(crate) fn every_frame_arrives_or_is_counted_while_filters_are_written() {
    const FRAMES: u32 = 30_000;

    let vcan = Vcan::up();
    let server = start_on(
        &vcan,
        json!({}),
        json!({"write": true, "max-in-queue": 2 * FRAMES}),
    );
    let peer = vcan.peer();
    // All of them let the frames pass, and the kernel has another filter with nearly each.
    let changes = [
        ("filter", "0,10,6,-"),
        ("mask", "0,0xFFFF,0,-"),
        ("mask", "0,0xFFFF,0,-"),
        ("interface", &vcan.name),
        ("mask", "0,0xFFFF,0xFFFF,-"),
        ("mask", "0,0,0,-"),
    ];
    thread::scope(|scope| {
        let flood = scope.spawn(|| (0..FRAMES).for_each(|number| peer.send_numbered(number)));
        for (name, value) in changes.iter().cycle() {
            if flood.is_finished() {
                break;
            }
            write_variable(&server, name, value);
        }
    });
    let counters = server.driver.counters();
    let counted = || counters.can_received.get() + counters.can_lost.get();
    wait_until("all counted", || counted() >= FRAMES.into());
    assert_eq!(counted(), u64::from(FRAMES));
    let log = server.close_and_log();
    assert_eq!(log.matches("the interface is up").count(), 1, "{log}");
}

pub(crate) fn what_an_interface_has_received_is_taken_before_another_is_used() {
    const ROUNDS: u32 = 20;
    const FRAMES: u32 = 500;

    let buses = [Vcan::up(), Vcan::up()];
    let server = start_on(&buses[0], json!({}), json!({"write": true}));
    let peers = [buses[0].peer(), buses[1].peer()];
    for round in 0..ROUNDS {
        let [now, next] = [round % 2, (round + 1) % 2].map(|index| index as usize);
        (0..FRAMES).for_each(|number| peers[now].send_numbered(number));
        write_variable(&server, "interface", &buses[next].name);
        let ups = round as usize + 2;
        wait_until("up", || {
            server.log().matches("the interface is up").count() == ups
        });
    }
    let counters = server.driver.counters();
    assert_eq!(
        counters.can_received.get() + counters.can_lost.get(),
        u64::from(ROUNDS * FRAMES)
    );
}

pub(crate) fn every_event_of_a_flood_is_sent_or_counted() {
    const EVENTS: u32 = 50_000;

    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let peer = vcan.peer();
    thread::scope(|scope| {
        scope.spawn(|| (0..EVENTS).for_each(|number| write_numbered(&server, number)));
    });
    let counters = server.driver.counters();
    let counted = || counters.can_sent.get() + counters.can_dropped.get();
    wait_until("all counted", || counted() >= EVENTS.into());
    assert_eq!(counted(), u64::from(EVENTS));
    let mut last = None;
    for _ in 0..counters.can_sent.get() {
        let number = Some(peer.receive_number());
        assert!(last < number);
        last = number;
    }
    assert_eq!(peer.try_receive(), None);
}

pub(crate) fn floods_both_ways_at_once_are_survived() {
    const COUNT: u32 = 20_000;

    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let peer = vcan.peer();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // A host that reads what comes.
            while !done.load(Ordering::Relaxed) {
                let _ = server.driver.read(Some(Duration::from_millis(20)));
            }
        });
        let floods = [
            scope.spawn(|| (0..COUNT).for_each(|number| peer.send_numbered(number))),
            scope.spawn(|| (0..COUNT).for_each(|number| write_numbered(&server, number))),
        ];
        floods.into_iter().for_each(|flood| flood.join().unwrap());
        let counters = server.driver.counters();
        let from_bus = || counters.can_received.get() + counters.can_lost.get();
        let to_bus = || counters.can_sent.get() + counters.can_dropped.get();
        let to_host = || counters.to_host.get() + counters.can_not_to_host.get();
        wait_until("all counted", || {
            from_bus().min(to_bus()) >= COUNT.into() && to_host() >= counters.can_received.get()
        });
        assert_eq!([from_bus(), to_bus()], [u64::from(COUNT); 2]);
        assert_eq!(to_host(), counters.can_received.get());
        done.store(true, Ordering::Relaxed);
    });
}

pub(crate) fn what_the_kernel_has_no_room_for_is_counted() {
    const FRAMES: u32 = 30_000;

    let vcan = Vcan::up();
    let driver = StoppableDriver::start(&vcan);
    let peer = vcan.peer();
    driver.stop();
    (0..FRAMES).for_each(|number| peer.send_numbered(number));
    driver.go_on();
    let [received, lost] = driver.counters_when(|[received, lost]| received + lost >= FRAMES);
    assert_eq!(received + lost, FRAMES);
    // With the right to have it, there is room for more than the system's limit.
    assert!(received > 5000, "{received}");
    assert!(lost > 0, "the flood was too small for this test");

    driver.stop();
    (0..10).for_each(|number| peer.send_numbered(number));
    driver.go_on();
    let after = driver.counters_when(|[again, _]| again >= received + 10);
    assert_eq!(after, [received + 10, lost]);
}

pub(crate) fn a_full_queue_of_the_interface_keeps_the_order() {
    const EVENTS: u32 = 600;

    // With room for 10 frames the socket is full first; with room for 2 the kernel refuses them.
    for bytes in [160, 32] {
        let vcan = Vcan::up();
        vcan.slow_queue(128, bytes);
        let server = start_on(&vcan, json!({}), json!({}));
        let peer = vcan.peer();
        let start = Instant::now();
        (0..EVENTS).for_each(|number| write_numbered(&server, number));
        for number in 0..EVENTS {
            assert_eq!(peer.receive_number(), number);
        }
        // 1000 frames a second.
        assert!(start.elapsed() > Duration::from_millis(500));
        let counters = server.driver.counters();
        wait_until("sent", || counters.can_sent.get() == u64::from(EVENTS));
        assert_eq!(
            (counters.can_dropped.get(), counters.can_refused.get()),
            (0, 0)
        );
    }
}

pub(crate) fn a_full_queue_is_waited_out_after_the_interface_was_down() {
    let vcan = Vcan::up();
    vcan.slow_queue(16, 320);
    let server = start(&json!({"interface": vcan.name}), json!({}));
    server.wait_for_log("the interface is up");
    vcan.set("down");
    server.wait_for_log("the interface is down");
    vcan.set("up");
    wait_until("up", || {
        server.log().matches("the interface is up").count() == 2
    });
    let peer = vcan.peer();
    let (before, start) = (processor_time(), Instant::now());
    // 125 frames a second: for more than 3 seconds there is nothing to do but to wait.
    (0..400).for_each(|number| write_numbered(&server, number));
    for number in 0..400 {
        assert_eq!(peer.receive_number(), number);
    }
    let used = processor_time() - before;
    assert!(
        used < start.elapsed() * 3 / 4,
        "{used:?} of {:?}",
        start.elapsed()
    );
}
