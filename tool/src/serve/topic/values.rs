//! The names that a template can have, and their values.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use jiff::{Timestamp, tz::TimeZone};
use vscpl2drv_websocksrv::event::{
    Date, Event, Guid,
    measurement::{Measurement, quantity},
    names,
};

use super::Style;

/// The names that are the same for all events of a driver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// The GUID of the driver.
    pub(crate) driver: Guid,
    /// The GUID of the host, where the daemon has its own.
    pub(crate) host_guid: Guid,
    /// The name of the driver.
    pub(crate) driver_name: String,
    /// The client id at the broker.
    pub(crate) client_id: String,
    /// The user at the broker.
    pub(crate) user: String,
    /// The broker.
    pub(crate) host: String,
    /// Names of the user, which win over all others.
    pub(crate) user_escapes: BTreeMap<String, String>,
}

/// The values of the names in a template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    /// The values that are the same for all events.
    pub(crate) names: &'a Names,
    /// The event, `None` for topics that belong to no event.
    pub(crate) event: Option<&'a Event>,
    /// The format that is published.
    pub(crate) format: &'static str,
    /// True if the payload contains the measurement. With [`Style::Daemon`] the names of
    /// measurements are computed only then.
    pub(crate) has_measurement: bool,
    /// The way of rendering.
    pub(crate) style: Style,
}

/// Names that have no index, for the check of spelling.
pub(crate) const NAMES: &[&str] = &[
    "guid",
    "evguid",
    "ifguid",
    "srvguid",
    "guid.msb",
    "guid.lsb",
    "xguid.msb",
    "xguid.lsb",
    "ifguid.msb",
    "ifguid.lsb",
    "xifguid.msb",
    "xifguid.lsb",
    "srvguid.msb",
    "srvguid.lsb",
    "xsrvguid.msb",
    "xsrvguid.lsb",
    "class",
    "xclass",
    "class-token",
    "type",
    "xtype",
    "type-token",
    "nickname",
    "xnickname",
    "node",
    "nodeid",
    "head",
    "xhead",
    "obid",
    "xobid",
    "timestamp",
    "xtimestamp",
    "sizedata",
    "xsizedata",
    "datetime",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "local-datetime",
    "local-year",
    "local-month",
    "local-day",
    "local-hour",
    "local-minute",
    "local-second",
    "clientid",
    "user",
    "host",
    "is-measurement",
    "measurement-value",
    "measurement-unit",
    "measurement-sensorindex",
    "measurement-zone",
    "measurement-subzone",
    "sensor-index",
    "sindex",
    "index",
    "zone",
    "subzone",
    "fmtpublish",
    "driver-name",
    "driver-level",
];

/// Names with an index in brackets.
const INDEXED: [&str; 8] = [
    "guid", "xguid", "ifguid", "xifguid", "srvguid", "xsrvguid", "data", "xdata",
];

/// The classes whose data begins with index, zone and subzone: information and control.
const CLASSES_WITH_ZONE: [u16; 2] = [20, 30];

impl Names {
    /// Returns true if a template can have this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        let is_indexed = || index(name).is_some_and(|(array, _)| INDEXED.contains(&array));
        self.user_escapes.contains_key(name) || NAMES.contains(&name) || is_indexed()
    }
}

impl Values<'_> {
    /// Appends the value of a name; nothing if it has none. Returns true if it may contain levels
    /// of a topic.
    pub(crate) fn append(&self, name: &str, out: &mut String) -> bool {
        if let Some(value) = self.names.user_escapes.get(name) {
            out.push_str(value);
            return true;
        }
        // Writing to a string does not fail.
        let _ = self.write(name, out);
        false
    }

    fn write(&self, name: &str, out: &mut String) -> fmt::Result {
        match name {
            "ifguid" => write!(out, "{}", self.names.driver),
            "srvguid" => write!(out, "{}", self.names.host_guid),
            "clientid" => out.write_str(&self.names.client_id),
            "user" => out.write_str(&self.names.user),
            "host" => out.write_str(&self.names.host),
            "driver-name" => out.write_str(&self.names.driver_name),
            "driver-level" => out.write_str("level2"),
            _ => match (self.guid_byte(name), self.event) {
                (Some(byte), _) => byte.write(out),
                (None, Some(event)) => self.write_of_event(name, event, out),
                // Where there is no event the driver is the sender.
                (None, None) if name == "guid" && self.style == Style::Clean => {
                    write!(out, "{}", self.names.driver)
                }
                (None, None) => Ok(()),
            },
        }
    }

    fn write_of_event(&self, name: &str, event: &Event, out: &mut String) -> fmt::Result {
        let nickname = u16::from_be_bytes([event.guid.0[14], event.guid.0[15]]);
        let is_clean = self.style == Style::Clean;
        match name {
            "guid" => write!(out, "{}", event.guid),
            "class" => write!(out, "{}", event.class),
            "xclass" => write!(out, "{:02x}", event.class),
            "class-token" => out.write_str(names::class(event.class).unwrap_or_default()),
            "type" => write!(out, "{}", event.kind),
            "xtype" => write!(out, "{:02x}", event.kind),
            "type-token" => out.write_str(names::kind(event.class, event.kind).unwrap_or_default()),
            "nickname" => write!(out, "{nickname}"),
            "head" => write!(out, "{}", event.head),
            "xhead" => write!(out, "{:04X}", event.head),
            // By mistake the daemon writes an `l` behind these two numbers; its style keeps that.
            "obid" if !is_clean => write!(out, "{}l", event.obid),
            "timestamp" if !is_clean => write!(out, "{}l", event.timestamp),
            "obid" => write!(out, "{}", event.obid),
            "timestamp" => write!(out, "{}", event.timestamp),
            "xobid" => write!(out, "{:08X}", event.obid),
            "xtimestamp" => write!(out, "{:08X}", event.timestamp),
            "sizedata" => write!(out, "{}", event.data.len()),
            "xsizedata" => write!(out, "{:04X}", event.data.len()),
            "fmtpublish" => out.write_str(self.format),
            "evguid" if is_clean => write!(out, "{}", event.guid),
            "xnickname" if is_clean => write!(out, "{nickname:04X}"),
            "node" | "nodeid" if is_clean => write!(out, "{nickname}"),
            "sensor-index" | "sindex" | "index" | "zone" | "subzone" if is_clean => {
                match place(event, name) {
                    Some(number) => write!(out, "{number}"),
                    None => Ok(()),
                }
            }
            _ if name.contains("measurement") => self.write_measurement(name, event, out),
            _ => self.write_time(name, event, out),
        }
    }

    fn write_measurement(&self, name: &str, event: &Event, out: &mut String) -> fmt::Result {
        let is_computed = self.has_measurement || self.style == Style::Clean;
        let measurement = is_computed.then(|| Measurement::of(event)).flatten();
        let number = |of: fn(&Measurement) -> u8| measurement.as_ref().map_or(0, of);
        match name {
            "is-measurement" => write!(out, "{}", measurement.is_some()),
            "measurement-value" => write!(out, "{:.6}", measurement.map_or(0.0, |m| m.value)),
            "measurement-unit" => write!(out, "{}", number(|m| m.unit)),
            "measurement-sensorindex" => write!(out, "{}", number(|m| m.sensor)),
            "measurement-zone" => write!(out, "{}", number(|m| m.zone)),
            "measurement-subzone" => write!(out, "{}", number(|m| m.subzone)),
            _ => Ok(()),
        }
    }

    fn write_time(&self, name: &str, event: &Event, out: &mut String) -> fmt::Result {
        let date = match (event.date, event.unix_ns) {
            (None, Some(ns)) => Some(Date::from_unix_ns(ns.get())),
            (date, _) => date,
        };
        let Some(date) = date else { return Ok(()) };
        match name.strip_prefix("local-") {
            Some(part) if self.style == Style::Clean => write_local(part, &date, out),
            part => write_part(part.unwrap_or(name), &date, out),
        }
    }

    /// Returns the byte of a GUID or of the data that a name stands for.
    fn guid_byte(&self, name: &str) -> Option<Byte> {
        let is_hex = name.starts_with('x');
        let plain = name.strip_prefix('x').unwrap_or(name);
        let (array, index) = match plain.rsplit_once('.') {
            Some((array, "msb")) if self.style == Style::Clean => (array, 0),
            Some((array, "lsb")) if self.style == Style::Clean => (array, 15),
            Some((_, "msb" | "lsb")) => return Some(Byte::NONE),
            _ => index(plain)?,
        };
        let last = match self.style {
            Style::Clean => 16,
            Style::Daemon => 15,
        };
        let event = self.event;
        let bytes = match array {
            "guid" => &event.map_or(&self.names.driver, |event| &event.guid).0[..last],
            "ifguid" => &self.names.driver.0[..last],
            "srvguid" => &self.names.host_guid.0[..last],
            "data" => event.map_or(&[][..], |event| &event.data),
            _ => return None,
        };
        Some(Byte {
            value: bytes.get(index).copied(),
            is_hex,
        })
    }
}

/// A byte as a template shows it.
struct Byte {
    value: Option<u8>,
    is_hex: bool,
}

impl Byte {
    const NONE: Self = Self {
        value: None,
        is_hex: false,
    };

    fn write(&self, out: &mut String) -> fmt::Result {
        match (self.value, self.is_hex) {
            (Some(byte), true) => write!(out, "{byte:02X}"),
            (Some(byte), false) => write!(out, "{byte}"),
            (None, _) => Ok(()),
        }
    }
}

/// Splits `name[n]`.
fn index(name: &str) -> Option<(&str, usize)> {
    let (array, index) = name.strip_suffix(']')?.split_once('[')?;
    Some((array, index.parse().ok()?))
}

/// Returns where in its node an event comes from: its sensor or index, zone or subzone.
fn place(event: &Event, name: &str) -> Option<u8> {
    let (class, data) = match event.class {
        class @ 512..1024 => (class - 512, event.data.get(16..)?),
        class => (class, &event.data[..]),
    };
    let column = match name {
        "zone" => 1,
        "subzone" => 2,
        _ => 0,
    };
    if quantity(event.class, event.kind).is_some() || class == 15 {
        return match (class, column) {
            (10..=15, 0) => Some(data.first()? & 7),
            (65..=69 | 85..=89 | 1040 | 1060, column) => data.get(column).copied(),
            _ => None,
        };
    }
    CLASSES_WITH_ZONE
        .contains(&class)
        .then(|| data.get(column).copied())?
}

fn write_part(part: &str, date: &Date, out: &mut String) -> fmt::Result {
    match part {
        "datetime" => write!(out, "{date}"),
        "year" => write!(out, "{}", date.year()),
        "month" => write!(out, "{}", date.month()),
        "day" => write!(out, "{}", date.day()),
        "hour" => write!(out, "{}", date.hour()),
        "minute" => write!(out, "{}", date.minute()),
        "second" => write!(out, "{}", date.second()),
        _ => Ok(()),
    }
}

/// Writes a part of the date in the time zone of the machine.
fn write_local(part: &str, date: &Date, out: &mut String) -> fmt::Result {
    let seconds = date.to_unix_ns().map(|ns| (ns / 1_000_000_000) as i64);
    let Some(time) = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) else {
        return write_part(part, date, out);
    };
    let local = time.to_zoned(TimeZone::system());
    match part {
        "datetime" => write!(out, "{}", local.strftime("%Y-%m-%dT%H:%M:%S%:z")),
        "year" => write!(out, "{}", local.year()),
        "month" => write!(out, "{}", local.month()),
        "day" => write!(out, "{}", local.day()),
        "hour" => write!(out, "{}", local.hour()),
        "minute" => write!(out, "{}", local.minute()),
        "second" => write!(out, "{}", local.second()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use vscpl2drv_websocksrv::event::text;

    use super::*;
    use crate::serve::topic::Template;

    const GUID: &str = "FF:FF:FF:FF:FF:FF:FF:FE:B8:27:EB:CF:3A:15:01:02";

    fn rendered(style: Style, event: Option<&str>, template: &str) -> String {
        let names = Names {
            driver: Guid([0xA1; 16]),
            host_guid: Guid([0xB2; 16]),
            driver_name: "web".to_owned(),
            client_id: "id".to_owned(),
            user: "anna".to_owned(),
            host: "broker".to_owned(),
            user_escapes: BTreeMap::from([("site".to_owned(), "a/b".to_owned())]),
        };
        let event = event.map(|event| text::parse(&event.replace("G", GUID)).unwrap());
        let values = Values {
            names: &names,
            event: event.as_ref(),
            format: "json",
            has_measurement: true,
            style,
        };
        let template = Template::parse(template).unwrap();
        assert!(
            template
                .names()
                .all(|name| names.has(name) || name == "no-such")
        );
        let mut out = String::new();
        template.render(style, &mut out, |name, out| values.append(name, out));
        out
    }

    const EVENT: &str = "96,10,6,7,2026-11-20T12:30:05Z,1234,G,0x49,0x38,0x35,0x2E,0x32,0x36";

    #[test]
    fn each_name_has_its_value() {
        for (template, clean, daemon) in [
            ("{{guid}}", GUID, GUID),
            ("{{evguid}}", GUID, ""),
            ("{{guid[0]}},{{guid[14]}},{{guid[15]}}", "255,1,2", "255,1,"),
            ("{{xguid[8]}},{{xguid[15]}},{{guid[16]}}", "B8,02,", "B8,,"),
            ("{{guid.msb}},{{guid.lsb}},{{xguid.msb}}", "255,2,FF", ",,"),
            ("{{ifguid[3]}},{{xsrvguid[3]}}", "161,B2", "161,B2"),
            (
                "{{class}},{{type}},{{xclass}},{{xtype}}",
                "10,6,0a,06",
                "10,6,0a,06",
            ),
            (
                "{{class-token}} {{type-token}}",
                "Measurement Temperature",
                "Measurement Temperature",
            ),
            (
                "{{nickname}},{{xnickname}},{{node}},{{nodeid}}",
                "258,0102,258,258",
                "258,,,",
            ),
            ("{{head}},{{xhead}}", "96,0060", "96,0060"),
            ("{{obid}},{{timestamp}}", "7,1234", "7l,1234l"),
            (
                "{{xobid}},{{xtimestamp}}",
                "00000007,000004D2",
                "00000007,000004D2",
            ),
            ("{{sizedata}},{{xsizedata}}", "6,0006", "6,0006"),
            ("{{data[1]}},{{xdata[1]}},{{data[6]}}", "56,38,", "56,38,"),
            (
                "{{datetime}}",
                "2026-11-20T12:30:05Z",
                "2026-11-20T12:30:05Z",
            ),
            ("{{year}}-{{month}}-{{day}}", "2026-11-20", "2026-11-20"),
            ("{{hour}}:{{minute}}:{{second}}", "12:30:5", "12:30:5"),
            (
                "{{clientid}},{{user}},{{host}}",
                "id,anna,broker",
                "id,anna,broker",
            ),
            (
                "{{is-measurement}},{{measurement-value}}",
                "true,85.260000",
                "true,85.260000",
            ),
            (
                "{{measurement-unit}},{{measurement-sensorindex}}",
                "1,1",
                "1,1",
            ),
            (
                "{{sensor-index}},{{sindex}},{{index}},{{zone}}",
                "1,1,1,",
                ",,,",
            ),
            (
                "{{fmtpublish}},{{driver-name}},{{driver-level}}",
                "json,web,level2",
                "json,web,level2",
            ),
            ("{{site}}/{{no-such}}", "a/b", "a/b/"),
        ] {
            assert_eq!(rendered(Style::Clean, Some(EVENT), template), clean);
            assert_eq!(rendered(Style::Daemon, Some(EVENT), template), daemon);
        }
    }

    #[test]
    fn the_long_form_of_a_topic_ends_where_an_event_has_no_more() {
        let template = "vscp/{{class}}/{{type}}/{{nickname}}/{{sensor-index}}/{{zone}}/{{subzone}}";
        for (event, expected) in [
            (EVENT, "vscp/10/6/258/1"),
            ("0,20,3,0,,1,G,5,6,7", "vscp/20/3/258/5/6/7"),
            ("0,30,5,0,,1,G,0", "vscp/30/5/258/0"),
            ("0,1040,6,0,,1,G,1,2,3,4,0x35", "vscp/1040/6/258/1/2/3"),
            (
                "0,1060,6,0,,1,G,1,2,3,4,0,0,0,0,0,0,0,0",
                "vscp/1060/6/258/1/2/3",
            ),
            ("0,0,1,0,,1,G,1,2,3", "vscp/0/1/258"),
            ("0,20,3,0,,1,G", "vscp/20/3/258"),
        ] {
            assert_eq!(rendered(Style::Clean, Some(event), template), expected);
        }
    }

    #[test]
    fn without_an_event_the_driver_is_the_sender() {
        let driver = Guid([0xA1; 16]).to_string();
        let template = "{{guid}}/{{guid[2]}}/x{{class}}";
        assert_eq!(
            rendered(Style::Clean, None, template),
            format!("{driver}/161/x")
        );
        assert_eq!(rendered(Style::Daemon, None, "x/{{guid}}/will"), "x//will");
    }

    #[test]
    fn dates_come_from_nanoseconds_too() {
        let event = "96,10,6,0,,1795177815001234000,G,1";
        assert_eq!(
            rendered(Style::Clean, Some(event), "{{datetime}}"),
            "2026-11-20T12:30:15Z"
        );
    }
}
