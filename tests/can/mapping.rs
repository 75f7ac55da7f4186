//! The mapping of frames to events on a bus.

use serde_json::json;
use vscpl2drv_websocksrv::event::{Event, Guid};

use crate::{
    common::{event_of, wait_until},
    start_on,
    vcan::{Vcan, filters, ip},
    write_variable,
};

/// The GUID of the interface in the vectors.
const INTERFACE: &str = "FF:FF:FF:FF:FF:FF:FF:F5:33:33:00:00:00:00:00:00";

/// The lines of the vectors that start with `direction`, as fields.
fn vectors(direction: &str) -> impl Iterator<Item = Vec<&'static str>> {
    include_str!("../vectors/can.tsv")
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(move |fields| fields[0] == direction)
}

pub(crate) fn received_frames_are_the_events_of_the_vectors() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({"guid": INTERFACE}), json!({}));
    let bus_guid = |nickname: &str| format!("{}{nickname}", &INTERFACE[..INTERFACE.len() - 2]);
    for fields in vectors("rx") {
        let [_, id, _, _, class, kind, nickname, head] = fields.clone().try_into().unwrap();
        vcan.cansend(&format!("{id}#0102"));
        let event = server.host_reads();
        let expected = event_of(&format!(
            "{head},{class},{kind},,,,{},1,2",
            bus_guid(nickname)
        ));
        let without_time = Event {
            date: expected.date,
            timestamp: expected.timestamp,
            unix_ns: expected.unix_ns,
            ..event
        };
        assert_eq!(without_time, expected, "{fields:?}");
    }
    assert_eq!(server.driver.counters().can_received.get(), 10);
}

pub(crate) fn events_are_the_frames_of_the_vectors_or_counted_as_refused() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({"guid": INTERFACE}), json!({}));
    let candump = vcan.candump();
    let mut refused = 0;
    for fields in vectors("tx") {
        let [_, head, class, kind, nickname, length, id, data, result] =
            fields.clone().try_into().unwrap();
        let class: u16 = class.parse().unwrap();
        let mut bytes: Vec<u8> = (0..length.parse().unwrap()).collect();
        if (512..1024).contains(&class) {
            let interface: Guid = INTERFACE.parse().unwrap();
            bytes[..16].copy_from_slice(&interface.0);
        }
        let data_text: String = bytes.iter().map(|byte| format!(",{byte}")).collect();
        let guid = format!("-:{nickname}").parse::<Guid>().unwrap();
        server.host_writes_text(&format!("{head},{class},{kind},,,,{guid}{data_text}"));
        if result == "refuse" {
            refused += u64::from(class < 1024);
            continue;
        }
        let data = data.replace([' ', '-'], "");
        assert_eq!(candump.next().frame, format!("{id}#{data}"), "{fields:?}");
    }
    // Events of level II are not for CAN, which is no refusal.
    wait_until("refused", || {
        server.driver.counters().can_refused.get() == refused
    });
    assert!(refused > 2);
    let log = server.close_and_log();
    let lines = log.matches("refused (class ").count();
    assert_eq!(lines, 1, "{log}");
}

pub(crate) fn events_have_the_kernel_s_time_of_reception() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let candump = vcan.candump();
    for _ in 0..3 {
        vcan.cansend("0C0A0601#");
        let event = server.host_reads();
        let dumped = candump.next().time;
        let micros: u64 = dumped.replace('.', "").parse().unwrap();
        assert_eq!(event.timestamp, micros as u32);
        assert_eq!(event.unix_ns.unwrap().get() / 1000, micros);
        let second = event.date.unwrap().to_unix_ns().unwrap() / 1_000_000_000;
        assert_eq!(second, micros / 1_000_000);
    }
}

pub(crate) fn frames_that_are_not_vscp_are_ignored_and_counted() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    for frame in ["123#11", "7FF#", "0C0A0601#R", "456#R", "0C0A0602#22"] {
        vcan.cansend(frame);
    }
    assert_eq!(server.host_reads().guid.0[15], 2);
    let counters = server.driver.counters();
    assert_eq!(
        (counters.can_received.get(), counters.can_ignored.get()),
        (1, 4)
    );
}

pub(crate) fn filters_hold_both_ways_and_the_kernel_has_that_of_the_received() {
    let vcan = Vcan::up();
    let bus = json!({
        "filter": "0,10,6,-", "mask": "0,0xFFFF,0xFFFF,-",
        "out-filter": "3,0,0,-", "out-mask": "7,0,0,-",
    });
    let server = start_on(&vcan, bus, json!({}));
    let of_kernel = ("800a0600".to_owned(), "c1ffff00".to_owned());
    assert!(
        filters(&vcan.name).contains(&of_kernel),
        "{:?}",
        filters(&vcan.name)
    );

    for frame in ["0C0A0701#", "0C0B0601#", "123#", "0C0A0601#R", "1C0A0605#"] {
        vcan.cansend(frame);
    }
    assert_eq!(server.host_reads().guid.0[15], 5);
    assert_eq!(server.driver.counters().can_received.get(), 1);

    let candump = vcan.candump();
    for head in ["0x20", "0x60", "0xE0", "0x7F"] {
        server.host_writes_text(&format!("{head},1,1,,,,-"));
    }
    candump.expect(&["0C010100#", "0E010100#"]);
    let counters = server.driver.counters();
    // They are counted behind the system call that sends them.
    wait_until("counted", || counters.can_sent.get() == 2);
    assert_eq!(counters.can_refused.get(), 0);
}

pub(crate) fn a_filter_that_is_written_is_that_of_the_kernel_at_once() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({"write": true}));
    let expect = |id: &str, mask: &str| {
        let expected = vec![(id.to_owned(), mask.to_owned())];
        wait_until(&format!("{expected:?}"), || filters(&vcan.name) == expected);
    };
    expect("000", "00000000");
    write_variable(&server, "mask", "0,0xFFFF,0,-");
    write_variable(&server, "filter", "0,10,0,-");
    expect("800a0000", "c1ff0000");
    for frame in ["0C0B0601#", "0C0A0602#"] {
        vcan.cansend(frame);
    }
    assert_eq!(server.host_reads().guid.0[15], 2);
    // Of class 600 no frame can be.
    write_variable(&server, "filter", "0,600,0,-");
    wait_until("nothing passes", || filters(&vcan.name).is_empty());
    write_variable(&server, "mask", "0,0,0,-");
    expect("000", "00000000");
    vcan.cansend("0C0B0603#");
    assert_eq!(server.host_reads().guid.0[15], 3);
    assert_eq!(server.driver.counters().can_received.get(), 2);
}

pub(crate) fn fd_frames_are_exchanged_where_that_is_switched_on() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({"fd": true}), json!({}));
    let candump = vcan.candump();
    let bytes = |count: usize| {
        (1..=count)
            .map(|byte| format!("{byte:02X}"))
            .collect::<String>()
    };
    let fields = |count: usize| {
        (1..=count)
            .map(|byte| format!(",{byte}"))
            .collect::<String>()
    };

    for (sent, zeros) in [(8, 0), (9, 3), (12, 0), (64, 0), (33, 15)] {
        server.host_writes_text(&format!("0x60,10,6,,,,-{}", fields(sent)));
        let dumped = candump.next().frame;
        let (id, data) = dumped.split_once('#').unwrap();
        assert_eq!(id, "0C0A0600");
        let expected = format!("{}{}", bytes(sent), "00".repeat(zeros));
        match data.strip_prefix('#') {
            // The first digit is the flags, of which the kernel sets one.
            Some(data) => assert_eq!((sent > 8, &data[1..]), (true, &*expected)),
            None => assert_eq!((sent > 8, data), (false, &*expected)),
        }
    }
    for length in [0, 8, 12, 64] {
        vcan.cansend(&format!("0C0A0601##0{}", bytes(length)));
        let event = server.host_reads();
        assert_eq!((event.class, event.data.len()), (10, length));
        assert!(event.data.iter().copied().eq(1..=length as u8));
    }
}

pub(crate) fn fd_frames_are_not_seen_where_that_is_switched_off() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let candump = vcan.candump();
    vcan.cansend("0C0A0601##0010203");
    vcan.cansend("0C0A0602#01");
    assert_eq!(server.host_reads().guid.0[15], 2);
    server.host_writes_text("0x60,10,6,,,,-,1,2,3,4,5,6,7,8,9");
    server.host_writes_text("0x60,10,6,,,,-,1");
    candump.next();
    candump.next();
    candump.expect(&["0C0A0600#01"]);
    assert_eq!(server.driver.counters().can_refused.get(), 1);
}

pub(crate) fn an_interface_that_takes_no_fd_frames_refuses_only_those() {
    let vcan = Vcan::missing();
    ip(&format!("link add dev {} mtu 16 type vcan", vcan.name));
    vcan.set("up");
    let server = start_on(&vcan, json!({"fd": true}), json!({}));
    let candump = vcan.candump();
    server.host_writes_text("0x60,10,6,,,,-,1");
    server.host_writes_text("0x60,10,6,,,,-,1,2,3,4,5,6,7,8,9");
    server.host_writes_text("0x60,10,6,,,,-,2");
    candump.expect(&["0C0A0600#01", "0C0A0600#02"]);
    let counters = server.driver.counters();
    wait_until("both are counted", || counters.can_sent.get() == 2);
    assert_eq!(counters.can_refused.get(), 1);
    server.wait_for_log("1 frame refused by the interface");
}
