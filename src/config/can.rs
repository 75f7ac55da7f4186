//! The `socketcan` key.

use std::time::Duration;

use super::{
    load::{flag, number},
    remote::Variables,
};
use crate::{
    event::{
        Filter, Guid,
        filter::{FilterError, Pattern},
    },
    json::{ConfigError, Misunderstanding, Node, Object, Source},
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
    if let Some(bus) = buses.first_mut() {
        let wrong = |source: &Source, expected: &dyn std::fmt::Display| {
            ConfigError::new(source.name(), format!("{:?}", source.text()), expected)
        };
        if let Some(source) = &variables.interface {
            let name = source.text().trim();
            bus.interface = interface(name).map_err(|expected| wrong(source, &expected))?;
        }
        for (variable, pattern) in [
            (&variables.filter, &mut bus.filter.value),
            (&variables.mask, &mut bus.filter.mask),
        ] {
            if let Some(source) = variable {
                *pattern = source
                    .text()
                    .parse()
                    .map_err(|error: FilterError| wrong(source, &error.expected()))?;
            }
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
    if enabled && others.iter().any(|other| other.interface == interface) {
        // Each would receive what the other sends.
        return Err(node.error_found(interface, "an interface that no other bus has"));
    }
    let bus = Bus {
        interface,
        guid: object
            .take(&["guid"])
            .map(|node| node.parsed(str::parse))
            .transpose()?,
        place,
        filter: filter(&mut object, "filter", "mask", warnings)?,
        out_filter: filter(&mut object, "out-filter", "out-mask", warnings)?,
        fd: flag(&mut object, "fd", default.fd)?,
        queue_size: number(&mut object, &["queue-size"], 1..=1 << 24)?
            .unwrap_or(default.queue_size),
        restart_delay: number(&mut object, &["restart-delay-ms"], 1..=3_600_000)?
            .map_or(default.restart_delay, Duration::from_millis),
    };
    object.finish(warnings);
    Ok(enabled.then_some(bus))
}

fn filter(
    object: &mut Object<'_>,
    value_name: &'static str,
    mask_name: &'static str,
    warnings: &mut Vec<String>,
) -> Result<Filter, ConfigError> {
    let value = object.take(&[value_name]);
    let mask = object.take(&[mask_name]);
    if let (Some(value), None) = (&value, &mask) {
        let (filter, guessed) = value.parsed(Filter::parse_config)?;
        if guessed {
            warnings.push(format!(
                "{}: {value_name}: a filter without {mask_name}, taken as a mask of all ones on \
                 the fields given",
                value.place()
            ));
        }
        return Ok(filter);
    }
    let pattern = |node: Option<Node<'_>>| match node {
        None => Ok(Pattern::default()),
        Some(node) => node.parsed(str::parse),
    };
    Ok(Filter {
        value: pattern(value)?,
        mask: pattern(mask)?,
    })
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
            (r#"{"filter": "0,10;0,255"}"#, "0,255", 0),
            (r#"{"filter": "0,10", "mask": "0,255"}"#, "0,255", 0),
            (r#"{"mask": "0,255"}"#, "0,255", 0),
        ] {
            let mask: Pattern = mask.parse().unwrap();
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
