//! The CAN bridge on real SocketCAN, with the programs of can-utils as the other side.
//!
//! Each test has buses of its own. Where the kernel of this machine has no CAN, all run in a guest.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod errors;
mod flood;
mod host;
mod link;
mod mapping;
mod place;
mod routes;
mod vcan;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use vscpl2drv_websocksrv::event::Guid;

use self::{
    common::{GUID, Server, commands},
    place::Place,
    vcan::Vcan,
};

/// Names a test as its function is named.
macro_rules! tests {
    ($($module:ident :: $name:ident,)*) => {
        vec![$(Trial::test(concat!(stringify!($module), "::", stringify!($name)), || {
            $module::$name();
            Ok(())
        })),*]
    };
}

fn main() -> ExitCode {
    if let Some(code) = host::run() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    // They would disturb each other's times.
    arguments.test_threads = Some(1);
    let tests = || libtest_mimic::run(&arguments, trials()).exit_code();
    if arguments.list {
        return tests();
    }
    Place::find().run("CAN tests", 600, tests)
}

fn trials() -> Vec<Trial> {
    tests![
        mapping::received_frames_are_the_events_of_the_vectors,
        mapping::events_are_the_frames_of_the_vectors_or_counted_as_refused,
        mapping::events_have_the_kernel_s_time_of_reception,
        mapping::frames_that_are_not_vscp_are_ignored_and_counted,
        mapping::filters_hold_both_ways_and_the_kernel_has_that_of_the_received,
        mapping::a_filter_that_is_written_is_that_of_the_kernel_at_once,
        mapping::fd_frames_are_exchanged_where_that_is_switched_on,
        mapping::fd_frames_are_not_seen_where_that_is_switched_off,
        mapping::an_interface_that_takes_no_fd_frames_refuses_only_those,
        routes::cansend_reaches_host_and_clients_and_they_reach_candump,
        routes::a_host_behind_the_c_interface_reads_and_writes_frames,
        routes::what_the_bridge_sends_does_not_come_back_and_the_frames_of_others_do,
        routes::two_buses_have_their_own_guids_and_nothing_goes_from_one_to_the_other,
        routes::events_for_an_interface_go_to_that_bus_only,
        routes::clients_get_what_the_host_has_no_room_for,
        routes::what_was_written_before_the_close_is_sent,
        link::an_interface_may_come_go_down_be_removed_and_renamed,
        link::what_is_written_while_it_is_down_is_sent_in_order_when_it_is_up,
        link::more_than_the_queue_size_is_dropped_and_counted,
        link::no_frame_is_missed_when_it_goes_down_and_up,
        link::an_interface_that_is_no_can_is_reported,
        link::each_loss_of_the_carrier_is_logged_and_each_return,
        link::an_idle_bus_costs_nothing,
        errors::error_frames_are_counted_and_logged_once,
        errors::bus_off_stops_sending_until_the_controller_restarts,
        errors::bus_off_again_and_again_is_logged_once_and_its_end_is_found_without_a_report,
        flood::every_frame_of_a_flood_arrives_or_is_counted,
        flood::every_frame_arrives_or_is_counted_while_filters_are_written,
        flood::what_an_interface_has_received_is_taken_before_another_is_used,
        flood::every_event_of_a_flood_is_sent_or_counted,
        flood::floods_both_ways_at_once_are_survived,
        flood::what_the_kernel_has_no_room_for_is_counted,
        flood::a_full_queue_of_the_interface_keeps_the_order,
        flood::a_full_queue_is_waited_out_after_the_interface_was_down,
    ]
}

/// A driver with buses as the key `socketcan` says; `keys` are added to its configuration.
fn start(socketcan: &Value, keys: Value) -> Server {
    let mut keys = keys;
    keys["socketcan"] = socketcan.clone();
    Server::start(keys)
}

/// A driver with one bus, which it has opened.
fn start_on(vcan: &Vcan, bus: Value, keys: Value) -> Server {
    let mut bus = bus;
    bus["interface"] = json!(vcan.name);
    let server = start(&bus, keys);
    server.wait_for_log(&format!("CAN bus {}: the interface is up", vcan.name));
    server
}

/// Has the host write an event with a number, which [`Peer::receive_number`](vcan::Peer) returns.
fn write_numbered(server: &Server, number: u32) {
    let [a, b, c, d] = number.to_be_bytes();
    server.host_writes_text(&format!("0x60,10,6,,,,-,{a},{b},{c},{d}"));
}

/// Has the host write a variable of the driver, and waits for the answer.
fn write_variable(server: &Server, name: &str, value: &str) {
    let guid: Guid = GUID.parse().unwrap();
    let command = json!({"op": "writevar", "name": name, "arg": value});
    let reply = commands::ask(&server.driver, Guid::default(), guid, &command);
    assert_eq!(reply["rv"], "OK", "{reply}");
}
