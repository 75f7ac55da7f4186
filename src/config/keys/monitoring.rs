//! The keys of what the driver tells of itself.

use std::path::PathBuf;

use super::{
    kind::{Flag, Number, OneOrMore, Optional, Special, Text},
    row::Row,
    top::url_path,
};
use crate::auth::AddressRules;

pub(crate) static METRICS: Row<Optional<Text<String>>> = Row::new(
    &["metrics"],
    Optional(Text(url_path)),
    "none",
    "The path of a page of counters, see METRICS.",
);

pub(crate) static METRICS_ALLOW: Row<OneOrMore<AddressRules>> = Row::new(
    &["metrics-allow"],
    OneOrMore(Text(address_rules)),
    "\"+127.0.0.0/8,+::1\"",
    "The addresses that may see the page of metrics: [+|-]ADDRESS[/BITS] or `*`, separated by commas \
     or in a list, as `remotes` of a user; none with an empty list.",
)
.manual("A proxy on the machine has an address of the machine: it must not pass that path on.")
.empty_is_refused();

pub(crate) static METRICS_MEASUREMENTS: Row<Number<usize>> = Row::new(
    &["metrics-measurements"],
    Number::count(0..=10_000, "sensors"),
    "0",
    "How many sensors the page of metrics shows the last measured value of.",
)
.manual(
    "Measurements of all who send events count, that of the daemon, of clients and CAN buses. One \
     more sensor is not shown, which is counted and logged; a sensor that has sent nothing for 24 \
     hours is taken off the page.",
);

pub(crate) static HISTORY: Row<Special> = Row::new(
    &["history"],
    Special,
    "in memory",
    "What is kept of the events of the last days, see HISTORY; `false` for nothing.",
);

pub(crate) static NAMES: Row<Optional<Text<PathBuf>>> = Row::new(
    &["names"],
    Optional(Text::path()),
    "none; there are no names",
    "The file with the names of nodes and sensors, see NAMES.",
)
.manual(
    "Pages write it; if it is not there the first name that is given makes it, but not its folder. \
     It is read again when somebody has changed it.",
)
.empty_is_refused();

pub(crate) static ENABLE_HEALTH: Row<Flag> = Row::new(
    &["enable-health"],
    Flag,
    "true",
    "Whether a path tells everybody, without a login, if the driver is well.",
);

pub(crate) static URL_HEALTH: Row<Text<String>> = Row::new(
    &["url-health"],
    Text(url_path),
    "\"/health\"",
    "That path; a leading / may be missing.",
)
.manual("The answer is 200, or 503 while the daemon takes no events.")
.empty_is_not_set();

/// Reads addresses, at least one.
fn address_rules(text: &str) -> Result<AddressRules, String> {
    AddressRules::parse(text)
        .ok()
        .filter(|rules| *rules != AddressRules::default())
        .ok_or_else(|| "[+|-]address[/bits] or *".to_owned())
}
