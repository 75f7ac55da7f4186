//! The `socketcan` key.

use std::time::Duration;

use super::{
    filter,
    load::{flag, number},
    remote::Variables,
};
use crate::{
    event::{Filter, Guid, filter::FilterError},
    json::{ConfigError, Misunderstanding, Node, Source},
};

/// A CAN bus that events are exchanged with.
#[derive(Clone, Debug)]
pub struct Bus {
    /// Name of the network interface.
    pub interface: String,
    /// GUID of the interface, as configured.
    pub guid: Option<Guid>,
    /// Byte 14 of the GUID where none is configured, `None` for that of the driver: the place in
    /// a list of buses.
    pub place: Option<u8>,
    /// What is taken from the bus.
    pub filter: Filter,
    /// Whether the configuration gives its mask.
    pub has_mask: bool,
    /// What is sent to the bus.
    pub out_filter: Filter,
    /// Whether CAN FD frames are received and sent.
    pub fd: bool,
    /// Events that wait to be sent.
    pub queue_size: usize,
    /// Time between the first attempts to open the interface.
    pub restart_delay: Duration,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            interface: "vcan0".into(),
            guid: None,
            place: None,
            filter: Filter::default(),
            has_mask: false,
            out_filter: Filter::default(),
            fd: false,
            queue_size: 4096,
            restart_delay: Duration::from_millis(500),
        }
    }
}

impl Bus {
    /// GUID of the interface, given that of the driver.
    pub fn guid(&self, driver: Guid) -> Guid {
        self.guid.unwrap_or_else(|| {
            let mut guid = driver;
            guid.0[14] = self.place.unwrap_or(guid.0[14]);
            guid
        })
    }
}

/// The longest name of a network interface.
const MAX_NAME: usize = 15;

/// Reads one bus or a list of them; those that are switched off are left out. Remote variables
/// change the first bus, or make one where the configuration has no such key.
pub(super) fn read(
    node: Option<&Node<'_>>,
    variables: &Variables,
    warnings: &mut Vec<String>,
) -> Result<Vec<Bus>, ConfigError> {
    let mut buses = match node {
        Some(node) => read_buses(node, warnings)?,
        None if variables.interface.is_some() => vec![Bus::default()],
        None => Vec::new(),
    };
    if let Some((bus, others)) = buses.split_first_mut() {
        let wrong = |source: &Source, expected: &dyn std::fmt::Display| {
            ConfigError::new(source.name(), format!("{:?}", source.text()), expected)
        };
        if let Some(source) = &variables.interface {
            let name = source.text().trim();
            bus.interface = interface(name)
                .and_then(|name| unused_interface(name, names(others)))
                .map_err(|expected| wrong(source, &expected))?;
        }
        let not_read = |source: &Source, error: FilterError| wrong(source, &error.expected());
        if let Some(source) = &variables.filter {
            if bus.has_mask || variables.mask.is_some() {
                let value = source.text().parse();
                bus.filter.value = value.map_err(|error| not_read(source, error))?;
            } else {
                let filter = Filter::parse_config(source.text());
                let (filter, guessed) = filter.map_err(|error| not_read(source, error))?;
                bus.filter = filter;
                if guessed {
                    warnings.push(filter::guessed_mask(source.name()));
                }
            }
        }
        if let Some(source) = &variables.mask {
            let mask = source.text().parse();
            bus.filter.mask = mask.map_err(|error| not_read(source, error))?;
        }
    } else {
        let unused = [&variables.interface, &variables.filter, &variables.mask];
        for source in unused.into_iter().flatten() {
            warnings.push(format!(
                "{}: without effect, there is no CAN bus",
                source.name()
            ));
        }
    }
    Ok(buses)
}

/// Reads the name of a network interface; the error says what is expected.
pub fn interface(name: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_graphic() && c != '/';
    if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(plain) {
        Ok(name.to_owned())
    } else {
        Err("the name of a network interface, as in \"can0\"")
    }
}

/// Refuses an interface that one of `others` is: each of the two buses would receive what the
/// other sends. The error says what is expected.
pub fn unused_interface(
    interface: String,
    others: impl IntoIterator<Item: AsRef<str>>,
) -> Result<String, &'static str> {
    if others.into_iter().any(|other| other.as_ref() == interface) {
        Err("an interface that no other bus has")
    } else {
        Ok(interface)
    }
}

fn names(buses: &[Bus]) -> impl Iterator<Item = &str> {
    buses.iter().map(|bus| bus.interface.as_str())
}

fn read_buses(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<Vec<Bus>, ConfigError> {
    if !node.is_array() {
        return Ok(read_one(node, None, &[], warnings)?.into_iter().collect());
    }
    let mut buses = Vec::new();
    for (place, node) in node.array()?.iter().enumerate() {
        let Ok(place) = u8::try_from(place) else {
            return Err(node.error("at most 256 buses"));
        };
        let bus = read_one(node, Some(place), &buses, warnings)?;
        buses.extend(bus);
    }
    Ok(buses)
}

fn read_one(
    node: &Node<'_>,
    place: Option<u8>,
    others: &[Bus],
    warnings: &mut Vec<String>,
) -> Result<Option<Bus>, ConfigError> {
    let default = Bus::default();
    let mut object = node.object()?;
    let enabled = flag(&mut object, "enable", true)?;
    let interface = match object.take(&["interface"]) {
        None => default.interface,
        Some(node) => node.parsed(interface)?,
    };
    let interface = match enabled {
        true => unused_interface(interface.clone(), names(others))
            .map_err(|expected| node.error_found(interface, expected))?,
        false => interface,
    };
    let mut read = |value, mask| {
        let [value, mask] = [object.take(&[value]), object.take(&[mask])];
        filter::read(value.as_ref(), mask.as_ref(), warnings)
    };
    let (filter, has_mask) = read("filter", "mask")?;
    let (out_filter, _) = read("out-filter", "out-mask")?;
    let bus = Bus {
        interface,
        guid: object
            .take(&["guid"])
            .map(|node| node.parsed(str::parse))
            .transpose()?,
        place,
        filter,
        has_mask,
        out_filter,
        fd: flag(&mut object, "fd", default.fd)?,
        queue_size: number(&mut object, &["queue-size"], 1..=1 << 24)?
            .unwrap_or(default.queue_size),
        restart_delay: number(&mut object, &["restart-delay-ms"], 1..=3_600_000)?
            .map_or(default.restart_delay, Duration::from_millis),
    };
    object.finish(warnings);
    Ok(enabled.then_some(bus))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::json::Source;

    fn buses(text: &str) -> Result<Vec<Bus>, String> {
        let source = Source::new("test", text);
        read_buses(&source.root().unwrap(), &mut Vec::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_buses_of_a_list_have_their_place_in_their_guids() {
        let driver: Guid = "-:01:02:03".parse().unwrap();
        let guids = |text| -> Vec<String> {
            let buses = buses(text).unwrap();
            buses
                .iter()
                .map(|bus| bus.guid(driver).to_string())
                .collect()
        };
        let zeros = "00:00:00:00:00:00:00:00:00:00:00:00:00";
        assert_eq!(guids("{}"), [format!("{zeros}:01:02:03")]);
        assert_eq!(guids(r#"{"enable": false}"#), [""; 0]);
        assert_eq!(
            guids(
                r#"[{"interface": "a"}, {"interface": "b", "enable": false}, {"interface": "c"},
                    {"interface": "d", "guid": "-:04:05:06"}]"#
            ),
            [
                format!("{zeros}:01:00:03"),
                format!("{zeros}:01:02:03"),
                format!("{zeros}:04:05:06"),
            ]
        );
    }

    #[test]
    fn a_filter_without_a_mask_looks_at_what_it_gives_and_warns() {
        for (text, mask, count) in [
            ("{}", "0,0", 0),
            (r#"{"filter": "0,10"}"#, "255,65535", 1),
            (r#"{"filter": "0,10", "mask": " "}"#, "255,65535", 1),
            (r#"{"filter": "0,10;0,255"}"#, "0,255", 0),
            (r#"{"filter": "0,10", "mask": "0,255"}"#, "0,255", 0),
            (r#"{"mask": "0,255"}"#, "0,255", 0),
        ] {
            let mask: crate::event::filter::Pattern = mask.parse().unwrap();
            for prefix in ["", "out-"] {
                let text = text
                    .replace("\"filter", &format!("\"{prefix}filter"))
                    .replace("\"mask", &format!("\"{prefix}mask"));
                let source = Source::new("test", &*text);
                let mut warnings = Vec::new();
                let bus = read_buses(&source.root().unwrap(), &mut warnings)
                    .unwrap()
                    .remove(0);
                let (filter, other) = match prefix {
                    "" => (bus.filter, bus.out_filter),
                    _ => (bus.out_filter, bus.filter),
                };
                assert_eq!(filter.mask, mask, "{text}");
                assert!(other.is_pass_all(), "{text}");
                assert_eq!(warnings.len(), count, "{text}: {warnings:?}");
            }
        }
        assert!(buses(r#"{"filter": "0,99999"}"#).is_err());
        assert!(buses(r#"{"mask": "x"}"#).is_err());
    }

    fn with_variables(
        node: Option<&str>,
        filter: Option<&str>,
        mask: Option<&str>,
    ) -> Result<(Vec<Bus>, Vec<String>), String> {
        let variable = |name, text: Option<&str>| text.map(|text| Source::new(name, text));
        let variables = Variables {
            filter: variable("variable filter", filter),
            mask: variable("variable mask", mask),
            ..Variables::default()
        };
        let source = node.map(|node| Source::new("test", node));
        let node = source.as_ref().map(|source| source.root().unwrap());
        let mut warnings = Vec::new();
        let buses = read(node.as_ref(), &variables, &mut warnings);
        buses
            .map(|buses| (buses, warnings))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_filter_of_the_server_without_a_mask_anywhere_looks_at_what_it_gives_and_warns() {
        for (node, filter, mask, expected, warned) in [
            ("{}", "0,10", None, "255,65535", true),
            (r#"{"filter": "1,2,3"}"#, "0,10", None, "255,65535", true),
            (r#"{"filter": ""}"#, "0,10", None, "255,65535", true),
            ("{}", "0,10;0,255", None, "0,255", false),
            ("{}", "0,10", Some("0,255"), "0,255", false),
            ("{}", "0,10", Some("0,0"), "0,0", false),
            (r#"{"mask": "7"}"#, "0,10", None, "7", false),
            (r#"{"mask": "0,0"}"#, "0,10", None, "0,0", false),
            (r#"{"filter": "1;7"}"#, "0,10", None, "7", false),
            (r#"{"mask": "7"}"#, "0,10", Some("0,255"), "0,255", false),
        ] {
            let (buses, warnings) = with_variables(Some(node), Some(filter), mask).unwrap();
            let found = buses[0].filter;
            assert_eq!(found.value.class, 10, "{node} {filter} {mask:?}");
            assert_eq!(found.mask, expected.parse().unwrap(), "{node} {mask:?}");
            let of_server = |line: &&String| line.starts_with("variable filter: a filter without");
            assert_eq!(
                warnings.iter().any(|line| of_server(&line)),
                warned,
                "{node}"
            );
        }
        let error = with_variables(Some("{}"), Some("0,x"), None).unwrap_err();
        let start = "variable filter: found \"0,x\", expected class to be a number";
        assert!(error.starts_with(start), "{error}");
    }

    #[test]
    fn variables_for_a_bus_that_is_not_there_are_warned_of() {
        for node in [None, Some(r#"{"enable": false}"#), Some("[]")] {
            let (buses, warnings) = with_variables(node, Some("0,10"), Some("0,255")).unwrap();
            assert!(buses.is_empty());
            assert_eq!(
                warnings,
                [
                    "variable filter: without effect, there is no CAN bus",
                    "variable mask: without effect, there is no CAN bus",
                ]
            );
        }
    }

    #[test]
    fn an_interface_is_used_by_one_bus_only() {
        for (text, found) in [
            (r#"[{"interface": "a"}, {"interface": "a"}]"#, Some("a")),
            ("[{}, {}]", Some("vcan0")),
            (r#"[{"enable": false}, {}]"#, None),
            (r#"[{}, {"enable": false}]"#, None),
            (r#"[{}, {"interface": "vcan1"}]"#, None),
        ] {
            match (buses(text), found) {
                (Ok(_), None) => {}
                (Err(error), Some(found)) => {
                    assert!(error.contains(&format!("found {found}")), "{error}");
                    assert!(error.contains("no other bus"), "{error}");
                }
                (result, _) => panic!("{text}: {result:?}"),
            }
        }
    }
}
