//! The keys of a bus in `socketcan`.

use std::time::Duration;

use super::{
    Group, Table,
    kind::{Flag, Number, Optional, Special, Text},
    row::Row,
};
use crate::{can::bus, event::Guid};

pub static ENABLE: Row<Flag> = Row::new(&["enable"], Flag, "true", "Whether the bus is used.");

pub static INTERFACE: Row<Text<String>> = Row::new(
    &["interface"],
    Text(|name| bus::parse_interface_name(name).map_err(str::to_owned)),
    "\"vcan0\"",
    "The name of the network interface, which no other bus has.",
)
.empty_is_not_set()
.variable();

pub static GUID: Row<Optional<Text<Guid>>> = Row::new(
    &["guid"],
    Optional(Text::parsed()),
    "that of the driver",
    "The GUID of the interface.",
)
.manual(
    "In a list of buses the default has byte 14 (the last but one) set to the index of the bus in \
     the list, from 0.",
)
.empty_is_not_set();

pub static FILTER: Row<Special> = Row::new(
    &["filter"],
    Special,
    "all pass",
    "Which events are taken from the bus: priority,class,type,GUID, see FILTERS.",
)
.manual(
    "The kernel is told, too, so that other frames cost nothing; frames that are not VSCP are then \
     not even counted.",
)
.variable();

pub static MASK: Row<Special> = Row::new(
    &["mask"],
    Special,
    "none",
    "The bits in which an event must equal the filter.",
)
.manual(
    "Without a mask every bit of the fields that the filter gives counts, and a warning says so.",
)
.variable();

pub static OUT_FILTER: Row<Special> = Row::new(
    &["out-filter"],
    Special,
    "all pass",
    "The filter of what is sent to the bus.",
);

pub static OUT_MASK: Row<Special> = Row::new(
    &["out-mask"],
    Special,
    "none",
    "The mask of what is sent to the bus.",
);

pub static FD: Row<Flag> = Row::new(
    &["fd"],
    Flag,
    "false",
    "Whether CAN FD frames are sent and received.",
);

pub static QUEUE_SIZE: Row<Number<usize>> = Row::new(
    &["queue-size"],
    Number::count(1..=1 << 24, "events"),
    "4096",
    "Events that wait for the bus while it is down or slower than they come.",
)
.manual("If there are more, the newest are dropped.");

pub static RESTART_DELAY: Row<Number<Duration>> = Row::new(
    &["restart-delay-ms"],
    Number::milliseconds(1..=3_600_000),
    "500",
    "The time until an interface that cannot be used is tried again; it doubles with each attempt, \
     up to 8 seconds.",
)
.manual("It seldom passes: the kernel tells when an interface comes or changes.");

/// The keys of a bus of `socketcan`.
pub static TABLE: Table = Table {
    path: "socketcan",
    groups: &[Group {
        title: "",
        rows: &[
            &ENABLE,
            &INTERFACE,
            &GUID,
            &FILTER,
            &MASK,
            &OUT_FILTER,
            &OUT_MASK,
            &FD,
            &QUEUE_SIZE,
            &RESTART_DELAY,
        ],
    }],
};
