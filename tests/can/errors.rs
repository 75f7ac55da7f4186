//! Error frames. A virtual bus has no errors, but they can be sent on it.

use std::time::Duration;

use serde_json::json;
use vscpl2drv_websocksrv::can::frame::Frame;

use crate::{
    common::{Server, wait_until},
    start_on,
    vcan::{Peer, Vcan},
    write_numbered,
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
    let log = server.close_and_log();
    for text in ["no node acknowledges", "error-passive", "frames are lost"] {
        assert_eq!(log.matches(text).count(), 1, "{text}: {log}");
    }
}

/// Sends bus-off, and waits until the driver knows.
fn go_bus_off(server: &Server, peer: &Peer) {
    send_error(peer, BUS_OFF, 0);
    server.wait_for_log("bus-off or not connected");
}

/// Sends that the controller has restarted, and waits until the driver knows.
fn restart(server: &Server, peer: &Peer) {
    send_error(peer, RESTARTED, 0);
    wait_until("up", || {
        server.log().matches("the interface is up").count() == 2
    });
}

pub(crate) fn bus_off_stops_sending_until_the_controller_restarts() {
    /// Long enough to notice a frame that should not be sent.
    const SILENCE: Duration = Duration::from_millis(300);

    let vcan = Vcan::up();
    // The driver does not find out by itself that a virtual bus is never off.
    let bus = json!({"restart-delay-ms": 60_000});
    let server = start_on(&vcan, bus, json!({}));
    let peer = vcan.peer();
    write_numbered(&server, 1);
    assert_eq!(peer.receive_number(), 1);

    go_bus_off(&server, &peer);
    write_numbered(&server, 2);
    assert_eq!(peer.receive_within(SILENCE), None);
    restart(&server, &peer);
    assert_eq!(peer.receive_number(), 2);
    write_numbered(&server, 3);
    assert_eq!(peer.receive_number(), 3);
    assert_eq!(server.close_and_log().matches("restart-ms 100").count(), 1);
}

pub(crate) fn bus_off_again_and_again_is_logged_once_and_its_end_is_found_without_a_report() {
    let vcan = Vcan::up();
    let server = start_on(&vcan, json!({}), json!({}));
    let peer = vcan.peer();
    go_bus_off(&server, &peer);
    restart(&server, &peer);
    for number in 3..20 {
        send_error(&peer, BUS_OFF, 0);
        if number % 5 > 0 {
            send_error(&peer, RESTARTED, 0);
        }
        write_numbered(&server, number);
        assert_eq!(peer.receive_number(), number);
    }
    wait_until("errors", || {
        server.driver.counters().can_errors.get() == 2 + 2 * 17 - 3
    });
    let log = server.close_and_log();
    assert_eq!(log.matches("bus-off or not connected").count(), 1, "{log}");
    assert_eq!(log.matches("the interface is up").count(), 2, "{log}");
}
