//! The key `socketcan`.

use std::fmt;

use super::{
    filter,
    keys::{self, Row, Special, socketcan as rows},
    remote::Variables,
    section::Section,
};
use crate::{
    can::{Bus, bus},
    event::{
        Filter,
        filter::{FilterError, Pattern},
    },
    located_json::{ConfigError, Expected, Finding, Node, Position, Source, Warnings},
};

/// Reads one bus or a list of them; those that are switched off are left out. Remote variables
/// change the first bus, or make one if the configuration has no such key.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    variables: &Variables,
) -> Result<Vec<Bus>, ConfigError> {
    let node = section.node(&keys::SOCKETCAN)?;
    read_node(node.as_ref(), variables, section.warnings())
}

fn read_node(
    node: Option<&Node<'_>>,
    variables: &Variables,
    warnings: &mut Warnings,
) -> Result<Vec<Bus>, ConfigError> {
    let mut buses = match node {
        Some(node) => read_buses(node, warnings)?,
        None if variables.interface.is_some() => vec![read_bus(&mut Section::empty(warnings))?],
        None => Vec::new(),
    };
    match buses.split_first_mut() {
        Some((first, others)) => change(first, others, variables, warnings)?,
        None => warn_of_unused(variables, warnings),
    }
    Ok(buses)
}

fn read_buses(node: &Node<'_>, warnings: &mut Warnings) -> Result<Vec<Bus>, ConfigError> {
    let mut buses = Vec::new();
    for (index, element) in node.elements()?.iter().enumerate() {
        let Ok(index) = u8::try_from(index) else {
            return Err(element.error("at most 256 buses"));
        };
        let mut section = Section::open(element, &rows::TABLE, warnings)?;
        let is_enabled = section.take(&rows::ENABLE)?;
        let bus = Bus {
            index: node.is_array().then_some(index),
            ..read_bus(&mut section)?
        };
        if is_enabled {
            bus::check_unused(bus.interface.clone(), names(&buses))
                .map_err(|expected| element.error_found(&bus.interface, expected))?;
            buses.push(bus);
        }
    }
    Ok(buses)
}

fn read_bus(section: &mut Section<'_, '_>) -> Result<Bus, ConfigError> {
    let (filter, has_mask) = read_filter(section, &rows::FILTER, &rows::MASK)?;
    let (out_filter, _) = read_filter(section, &rows::OUT_FILTER, &rows::OUT_MASK)?;
    Ok(Bus {
        interface: section.take(&rows::INTERFACE)?,
        guid: section.take(&rows::GUID)?,
        index: None,
        filter,
        has_mask,
        out_filter,
        fd: section.take(&rows::FD)?,
        queue_size: section.take(&rows::QUEUE_SIZE)?,
        restart_delay: section.take(&rows::RESTART_DELAY)?,
    })
}

fn read_filter(
    section: &mut Section<'_, '_>,
    value: &Row<Special>,
    mask: &Row<Special>,
) -> Result<(Filter, bool), ConfigError> {
    let [value, mask] = [section.node(value)?, section.node(mask)?];
    filter::read(value.as_ref(), mask.as_ref(), section.warnings())
}

/// Changes a bus as the variables say. Fails if one of them is wrong.
fn change(
    bus: &mut Bus,
    others: &[Bus],
    variables: &Variables,
    warnings: &mut Warnings,
) -> Result<(), ConfigError> {
    if let Some(source) = &variables.interface {
        bus.interface = rows::INTERFACE
            .parse(source.text().trim())
            .and_then(|name| Ok(bus::check_unused(name, names(others))?))
            .map_err(|expected| wrong(source, expected))?;
    }
    if let Some(source) = &variables.filter {
        if bus.has_mask || variables.mask.is_some() {
            bus.filter.value = pattern(source)?;
        } else {
            let filter = Filter::parse_config(source.text());
            let (filter, guessed) = filter.map_err(|error| not_understood(source, &error))?;
            bus.filter = filter;
            if guessed {
                warnings.add(filter::guessed_mask(source.name()));
            }
        }
    }
    if let Some(source) = &variables.mask {
        bus.filter.mask = pattern(source)?;
    }
    Ok(())
}

fn warn_of_unused(variables: &Variables, warnings: &mut Warnings) {
    let unused = [&variables.interface, &variables.filter, &variables.mask];
    for source in unused.into_iter().flatten() {
        let name = source.name();
        let found = "without effect, there is no CAN bus";
        warnings.add(Finding::new(Position::of_text(name), found));
    }
}

fn pattern(source: &Source) -> Result<Pattern, ConfigError> {
    let pattern = source.text().parse();
    pattern.map_err(|error| not_understood(source, &error))
}

fn not_understood(source: &Source, error: &FilterError) -> ConfigError {
    wrong(source, error.expected())
}

fn wrong(source: &Source, expected: impl fmt::Display) -> ConfigError {
    ConfigError::new(source.name(), format!("{:?}", source.text()), expected)
}

fn names(buses: &[Bus]) -> impl Iterator<Item = &str> {
    buses.iter().map(|bus| bus.interface.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Guid, located_json::Source};

    fn buses(text: &str) -> Result<Vec<Bus>, String> {
        let source = Source::new("test", text);
        read_buses(&source.root().unwrap(), &mut Warnings::default())
            .map_err(|error| error.to_string())
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
            let mask: Pattern = mask.parse().unwrap();
            for prefix in ["", "out-"] {
                let text = text
                    .replace("\"filter", &format!("\"{prefix}filter"))
                    .replace("\"mask", &format!("\"{prefix}mask"));
                let source = Source::new("test", &*text);
                let mut warnings = Warnings::default();
                let bus = read_buses(&source.root().unwrap(), &mut warnings)
                    .unwrap()
                    .remove(0);
                let (filter, other) = match prefix {
                    "" => (bus.filter, bus.out_filter),
                    _ => (bus.out_filter, bus.filter),
                };
                assert_eq!(filter.mask, mask, "{text}");
                assert!(other.is_pass_all(), "{text}");
                let warnings = warnings.into_lines();
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
        let mut warnings = Warnings::default();
        let buses = read_node(node.as_ref(), &variables, &mut warnings);
        buses
            .map(|buses| (buses, warnings.into_lines()))
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
