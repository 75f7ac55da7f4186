//! Error frames. A virtual bus has no errors, but they can be sent on it.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::can::frame::Frame;

use crate::{
    common::wait_until,
    start_on,
    vcan::{Peer, Vcan},
};

const ERROR: u32 = 0x2000_0000;
const BUS_OFF: u32 = 0x40;
const RESTARTED: u32 = 0x100;
const NO_ACKNOWLEDGE: u32 = 0x20;
const CONTROLLER: u32 = 0x04;

fn send_error(peer: &Peer, class: u32, controller: u8) {
    let data = [0, controller, 0, 0, 0, 0, 0, 0];
    let mut wire = Frame::classic(0, &data).unwrap().wire().to_vec();
    wire[..4].copy_from_slice(&(class | ERROR).to_ne_bytes());
    peer.send(&Frame::from_wire(&wire).unwrap());
}

pub(crate) fn error_frames_are_counted_and_logged_once() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let peer = vcan.peer();
    for _ in 0..50 {
        send_error(&peer, NO_ACKNOWLEDGE, 0);
        send_error(&peer, CONTROLLER, 0x10);
        send_error(&peer, CONTROLLER, 0x01);
    }
    peer.send_numbered(7);
    assert_eq!(server.host_reads().data[3], 7);
    let counters = server.driver.counters();
    assert_eq!(
        (counters.can_errors.get(), counters.can_received.get()),
        (150, 1)
    );
    for text in ["nobody acknowledges", "error-passive", "frames are lost"] {
        server.wait_for_log(text);
        assert_eq!(server.log().matches(text).count(), 1, "{text}");
    }
}

pub(crate) fn bus_off_stops_sending_until_the_controller_restarts() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let peer = vcan.peer();
    let write = |number: u8| server.host_writes_text(&format!("0x60,10,6,,,,-,0,0,0,{number}"));
    write(1);
    assert_eq!(peer.receive_number(), 1);

    send_error(&peer, BUS_OFF, 0);
    server.wait_for_log("bus-off, or not connected");
    let start = Instant::now();
    write(2);
    thread::sleep(Duration::from_millis(100));
    if start.elapsed() < Duration::from_millis(400) {
        assert_eq!(peer.try_receive(), None);
    }
    send_error(&peer, RESTARTED, 0);
    assert_eq!(peer.receive_number(), 2);
    wait_until("up", || server.log().matches(": up").count() == 2);
    assert_eq!(server.log().matches("restart-ms 100").count(), 1);

    // Again and again: both are logged once in a while, and the last state is found without a
    // report, too.
    for number in 3..20 {
        send_error(&peer, BUS_OFF, 0);
        if number % 5 > 0 {
            send_error(&peer, RESTARTED, 0);
        }
        write(number);
        assert_eq!(peer.receive_number(), u32::from(number));
    }
    let log = server.log();
    assert_eq!(log.matches("bus-off, or not connected").count(), 1, "{log}");
    assert_eq!(log.matches(": up").count(), 2, "{log}");
    wait_until("errors", || {
        server.driver.counters().can_errors.get() == 2 + 2 * 17 - 3
    });
}
