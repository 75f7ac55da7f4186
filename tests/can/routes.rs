//! The recipients of events of hosts, clients and buses.

use serde_json::json;
use vscp_driver_host::{Library, find};
use vscpl2drv_websocksrv::{
    event::Guid,
    event::Layout,
    ws::Protocol::{Ws1, Ws2},
};

use crate::{
    common::{
        Client, DEADLINE, GUID, configuration, event_of, net::free_address, text_of, wait_until,
    },
    start, start_on,
    vcan::Vcan,
    write_numbered,
};

/// The GUID of a node, which has only a nickname.
fn node(nickname: &str) -> String {
    format!("{}{nickname}", "00:".repeat(15))
}

pub(crate) fn cansend_reaches_host_and_clients_and_they_reach_candump() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let candump = vcan.candump();
    let mut ws1 = server.open(Ws1, "admin");
    let mut ws2 = server.open(Ws2, "admin");

    vcan.cansend("0C0A06A1#0102FF");
    let event = server.host_reads();
    assert_eq!(
        event.guid.to_string(),
        format!("{}A1", &GUID[..GUID.len() - 2])
    );
    let text = text_of(&event);
    assert!(text.starts_with("96,10,6,0,"), "{text}");
    assert!(text.ends_with(":A1,0x01,0x02,0xFF"), "{text}");
    assert_eq!(ws1.text(), format!("E;{text}"));
    let message: serde_json::Value = serde_json::from_str(&ws2.text()).unwrap();
    assert_eq!(message["type"], "EVENT");
    assert_eq!(message["event"]["class"], 10);
    assert_eq!(message["event"]["data"], json!([1, 2, 255]));
    assert_eq!(message["event"]["timestamp"], event.timestamp);
    assert_eq!(message["event"]["guid"], event.guid.to_string());
    candump.expect(&["0C0A06A1#0102FF"]);

    let event = format!("E;0xE0,20,3,,,,{},9,8", node("42"));
    assert_eq!(ws1.ask(&event), "+;EVENT");
    candump.expect(&["1C140342#0908"]);
    let event = json!({"class": 20, "type": 4, "head": 16, "guid": "-", "data": [7]});
    ws2.send(&json!({"type": "EVENT", "event": event}).to_string());
    // A GUID of zeros becomes the driver's, with the nickname 0.
    candump.expect(&["02140400#07"]);
    server.host_writes_text(&format!("0x60,20,5,,,,{}", node("43")));
    candump.expect(&["0C140543#"]);
    wait_until("sent", || server.driver.counters().can_sent.get() == 3);
}

pub(crate) fn a_host_behind_the_c_interface_reads_and_writes_frames() {
    let vcan = Vcan::up();
    let candump = vcan.candump();
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let bus = json!({"interface": vcan.name});
    let keys = json!({"interface": format!("ws://{address}"), "socketcan": bus});
    let configuration = configuration(&folder, keys).to_string();
    let library = Library::load(&find::built().unwrap()).unwrap();
    let guid: Guid = GUID.parse().unwrap();
    let host = library
        .open(&configuration, Some(guid), Some(Layout::Classic))
        .unwrap();
    let mut ws1 = Client::greeted(address, Ws1);
    ws1.login("admin");
    ws1.command("OPEN");

    let event = event_of(&format!("0x60,20,3,,,,{},9,8", node("42")));
    host.write(&event, DEADLINE).unwrap();
    candump.expect(&["0C140342#0908"]);
    assert!(ws1.text().contains(",20,3,"));

    vcan.cansend("1C0A06A1#01");
    let event = host.read(DEADLINE).unwrap();
    assert_eq!(
        (event.head, event.class, event.kind, event.obid),
        (0xE0, 10, 6, 0)
    );
    assert_eq!((event.guid.0[15], &event.data[..]), (0xA1, &[1][..]));
    let dumped = candump.next();
    assert_eq!(dumped.frame, "1C0A06A1#01");
    let micros: u64 = dumped.time.replace('.', "").parse().unwrap();
    assert_eq!(event.timestamp, micros as u32);
    assert_eq!(ws1.text(), format!("E;{}", text_of(&event)));

    // An event that a client sends goes to the bus and to the host.
    assert_eq!(ws1.ask(&format!("E;0,20,7,,,,{}", node("44"))), "+;EVENT");
    candump.expect(&["00140744#"]);
    assert_eq!(host.read(DEADLINE).unwrap().kind, 7);
    host.close().unwrap();
}

pub(crate) fn what_the_bridge_sends_does_not_come_back_and_the_frames_of_others_do() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let mut ws1 = server.open(Ws1, "admin");
    let peer = vcan.peer();
    server.host_writes_text("0,20,1,,,,-");
    assert!(ws1.text().contains(",20,1,"));
    assert_eq!(ws1.ask("E;0,20,2,,,,-"), "+;EVENT");
    assert_eq!(server.host_reads().kind, 2);
    for kind in 1..=2 {
        assert_eq!(peer.receive().extended_id(), Some(0x0014_0000 | kind << 8));
    }
    // Behind anything that could have come back.
    vcan.cansend("00140301#");
    assert_eq!(server.host_reads().kind, 3);
    assert!(ws1.text().contains(",20,3,"));
    assert_eq!(server.driver.counters().can_received.get(), 1);
}

pub(crate) fn two_buses_have_their_own_guids_and_nothing_goes_from_one_to_the_other() {
    let vcans = [Vcan::up(), Vcan::up(), Vcan::up()];
    let own = "FF:FF:FF:FF:FF:FF:FF:F5:33:33:00:00:00:00:00:00";
    let buses = json!([
        {"interface": vcans[0].name},
        {"interface": vcans[1].name},
        {"interface": vcans[2].name, "guid": own},
    ]);
    let server = start(&buses, json!({}));
    for vcan in &vcans {
        server.wait_for_log(&format!("CAN bus {}: the interface is up", vcan.name));
    }
    let driver = &GUID[..GUID.len() - 5];
    let guids = [
        format!("{driver}00:00"),
        format!("{driver}01:00"),
        own.to_owned(),
    ];
    let named: Vec<_> = vcans
        .iter()
        .zip(&guids)
        .map(|(vcan, guid)| format!("{} (GUID {guid})", vcan.name))
        .collect();
    let start_line = format!("CAN buses {};", named.join(", "));
    assert!(server.log().contains(&start_line), "{}", server.log());

    let candumps = vcans.each_ref().map(Vcan::candump);
    let mut ws1 = server.open(Ws1, "admin");
    for ((vcan, candump), guid) in vcans.iter().zip(&candumps).zip(&guids) {
        vcan.cansend("0C0A06A1#01");
        let event = server.host_reads();
        assert_eq!(
            event.guid.to_string(),
            format!("{}A1", &guid[..guid.len() - 2])
        );
        assert_eq!(ws1.text(), format!("E;{}", text_of(&event)));
        candump.expect(&["0C0A06A1#01"]);
    }
    // Behind anything that could have gone from one to another.
    server.host_writes_text("0,20,1,,,,-");
    assert_eq!(ws1.text().split(',').nth(2), Some("1"));
    assert_eq!(ws1.ask("E;0,20,2,,,,-"), "+;EVENT");
    for candump in &candumps {
        candump.expect(&["00140100#", "00140200#"]);
    }
}

pub(crate) fn events_for_an_interface_go_to_that_bus_only() {
    let vcans = [Vcan::up(), Vcan::up()];
    let buses = json!([{"interface": vcans[0].name}, {"interface": vcans[1].name}]);
    let candumps = vcans.each_ref().map(Vcan::candump);
    let server = start(&buses, json!({}));
    let write = |bus: u8, addressed: u8, data: &str| {
        let mut guid: Guid = GUID.parse().unwrap();
        guid.0[14..].copy_from_slice(&[bus, addressed]);
        let address: String = guid.0.iter().map(|byte| format!(",{byte}")).collect();
        server.host_writes_text(&format!("0x60,532,3,,,,{}{address}{data}", node("01")));
    };
    write(1, 5, ",170");
    write(2, 0, ",187");
    write(0, 0, ",204");
    write(0, 0, ",1,2,3,4,5,6,7,8,9");
    server.host_writes_text("0,20,1,,,,-");
    candumps[0].expect(&["0C140301#CC", "00140100#"]);
    candumps[1].expect(&["0C140301#AA", "00140100#"]);
    let counters = server.driver.counters();
    wait_until("sent", || counters.can_sent.get() == 4);
    assert_eq!(counters.can_refused.get(), 1);
}

pub(crate) fn clients_get_what_the_host_has_no_room_for() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({"max-in-queue": 10}));
    let mut ws1 = server.open(Ws1, "admin");
    let peer = vcan.peer();
    for number in 0..100 {
        peer.send_numbered(number);
    }
    for number in 0..100 {
        let text = ws1.text();
        assert!(text.ends_with(&format!(",0x{number:02X}")), "{text}");
    }
    for number in 0..10 {
        assert_eq!(server.host_reads().data[3], number);
    }
    assert_eq!(server.driver.counters().can_not_to_host.get(), 90);
    server.wait_for_log("of CAN buses did not reach the host");
    assert!(
        server
            .driver
            .read(Some(std::time::Duration::from_millis(1)))
            .is_err()
    );
}

pub(crate) fn what_was_written_before_the_close_is_sent() {
    const ROUNDS: u32 = 20;

    let vcan = Vcan::up();
    let peer = vcan.peer();
    let mut whole = 0;
    for _ in 0..ROUNDS {
        let server = start_on(&vcan, json!({}), json!({}));
        (0..50).for_each(|number| write_numbered(&server, number));
        server.driver.close();
        let counters = server.driver.counters();
        let sent = counters.can_sent.get() as u32;
        for number in 0..sent {
            assert_eq!(peer.receive_number(), number);
        }
        assert_eq!(peer.try_receive(), None);
        whole += u32::from(sent == 50 && counters.can_dropped.get() == 0);
    }
    // A guest that stands still for longer than a close waits leaves some of a round.
    assert!(whole >= ROUNDS - 2, "{whole}");
}
