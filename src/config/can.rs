//! The `socketcan` key.

use std::time::Duration;

use super::{
    load::{flag, number},
    remote::Variables,
};
use crate::{
    event::{Filter, Guid, filter::Pattern},
    json::{ConfigError, Node, Object, Source},
};

/// A CAN bus that events are exchanged with.
#[derive(Clone, Debug)]
pub struct Bus {
    /// Name of the network interface.
    pub interface: String,
    /// GUID of the interface, `None` for the driver's.
    pub guid: Option<Guid>,
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
            filter: Filter::default(),
            out_filter: Filter::default(),
            fd: false,
            queue_size: 4096,
            restart_delay: Duration::from_millis(500),
        }
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
    let mut buses = Vec::new();
    match node {
        None if variables.interface.is_some() => buses.push(Bus::default()),
        None => {}
        Some(node) if node.is_array() => {
            for node in node.array()? {
                buses.extend(read_one(&node, warnings)?);
            }
        }
        Some(node) => buses.extend(read_one(node, warnings)?),
    }
    if let Some(bus) = buses.first_mut() {
        let parse = |source: &Source| {
            let text = source.text();
            text.parse::<Pattern>()
                .map_err(|error| ConfigError::new(source.name(), format!("{text:?}"), error))
        };
        if let Some(source) = &variables.interface {
            bus.interface = interface(source.text().trim()).map_err(|expected| {
                ConfigError::new(source.name(), format!("{:?}", source.text()), expected)
            })?;
        }
        if let Some(source) = &variables.filter {
            bus.filter.value = parse(source)?;
        }
        if let Some(source) = &variables.mask {
            bus.filter.mask = parse(source)?;
        }
    }
    Ok(buses)
}

/// The name of a network interface.
pub(crate) fn interface(name: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_graphic() && c != '/';
    if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(plain) {
        Ok(name.to_owned())
    } else {
        Err("the name of a network interface, as in \"can0\"")
    }
}

fn read_one(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<Option<Bus>, ConfigError> {
    let default = Bus::default();
    let mut object = node.object()?;
    let enabled = flag(&mut object, "enable", true)?;
    let interface = match object.take(&["interface"]) {
        None => default.interface,
        Some(node) => node.parsed(interface)?,
    };
    let bus = Bus {
        interface,
        guid: object
            .take(&["guid"])
            .map(|node| node.parsed(str::parse))
            .transpose()?,
        filter: Filter {
            value: pattern(&mut object, "filter")?,
            mask: pattern(&mut object, "mask")?,
        },
        out_filter: Filter {
            value: pattern(&mut object, "out-filter")?,
            mask: pattern(&mut object, "out-mask")?,
        },
        fd: flag(&mut object, "fd", default.fd)?,
        queue_size: number(&mut object, &["queue-size"], 1..=1 << 24)?
            .unwrap_or(default.queue_size),
        restart_delay: number(&mut object, &["restart-delay-ms"], 1..=3_600_000)?
            .map_or(default.restart_delay, Duration::from_millis),
    };
    object.finish(warnings);
    Ok(enabled.then_some(bus))
}

fn pattern(object: &mut Object<'_>, name: &'static str) -> Result<Pattern, ConfigError> {
    object
        .take(&[name])
        .map_or(Ok(Pattern::default()), |node| node.parsed(str::parse))
}
