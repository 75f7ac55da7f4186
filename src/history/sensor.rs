//! A sensor and what it measures.

use std::{
    fmt::{self, Write},
    str::FromStr,
};

use crate::{
    event::{Event, Guid, measurement::Measurement, names},
    located_json::Expected,
    metrics::label,
    number::parse_decimal_or_hex,
};

/// A quantity, and the sensor that measures it. Shown, and parsed, as `GUID/SENSOR/TYPE/UNIT`, with
/// `/ZONE/SUBZONE` behind it if they are not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sensor {
    /// The node of the sensor.
    pub(crate) guid: Guid,
    /// The number of the quantity: the type in class 10, the type plus 256 in class 11, and so on.
    pub(crate) kind: u16,
    /// The code of the unit, which depends on the type.
    pub(crate) unit: u8,
    /// The index of the sensor in its node.
    pub(crate) sensor: u8,
    /// The zone, 0 for level I.
    pub(crate) zone: u8,
    /// The subzone, 0 for level I.
    pub(crate) subzone: u8,
}

impl Sensor {
    /// Returns the sensor of an event and its value, `None` if the event measures nothing.
    pub(crate) fn of(event: &Event) -> Option<(Self, f64)> {
        let measurement = Measurement::of(event)?;
        let sensor = Self {
            guid: event.guid,
            kind: measurement.kind,
            unit: measurement.unit,
            sensor: measurement.sensor,
            zone: measurement.zone,
            subzone: measurement.subzone,
        };
        Some((sensor, measurement.value))
    }

    /// Returns the name of the quantity, `None` if it has none.
    pub(crate) fn kind_name(&self) -> Option<&'static str> {
        names::kind(TEXT_CLASS, self.kind)
    }

    /// Returns the symbol or the name of the unit, `None` if it has none.
    pub(crate) fn unit_name(&self) -> Option<&'static str> {
        names::unit(self.kind, self.unit)
    }

    /// Returns the labels for the page of metrics, with numbers for what has no name.
    pub(crate) fn labels(&self) -> String {
        let mut labels = label("guid", self.guid);
        let numbers = [
            ("sensor", self.sensor),
            ("zone", self.zone),
            ("subzone", self.subzone),
        ];
        for (name, number) in numbers {
            // Writing to a string does not fail.
            let _ = write!(labels, ",{}", label(name, number));
        }
        let kind = self
            .kind_name()
            .map_or(self.kind.to_string(), str::to_owned);
        let unit = self
            .unit_name()
            .map_or(self.unit.to_string(), str::to_owned);
        let _ = write!(labels, ",{},{}", label("type", kind), label("unit", unit));
        labels
    }
}

/// A class that has all types of measurements.
const TEXT_CLASS: u16 = 1040;

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            guid,
            kind,
            unit,
            sensor,
            zone,
            subzone,
        } = self;
        write!(f, "{guid}/{sensor}/{kind}/{unit}")?;
        if (*zone, *subzone) != (0, 0) {
            write!(f, "/{zone}/{subzone}")?;
        }
        Ok(())
    }
}

impl FromStr for Sensor {
    type Err = SensorError;

    fn from_str(text: &str) -> Result<Self, SensorError> {
        parse(text).ok_or(SensorError)
    }
}

fn parse(text: &str) -> Option<Sensor> {
    let parts: Vec<_> = text.splitn(7, '/').collect();
    let (guid, sensor, kind, unit, zone, subzone) = match parts[..] {
        [guid, sensor, kind, unit] => (guid, sensor, kind, unit, "0", "0"),
        [guid, sensor, kind, unit, zone, subzone] => (guid, sensor, kind, unit, zone, subzone),
        _ => return None,
    };
    let byte = |text| u8::try_from(parse_decimal_or_hex(text)?).ok();
    Some(Sensor {
        guid: guid.parse().ok()?,
        kind: u16::try_from(parse_decimal_or_hex(kind)?).ok()?,
        unit: byte(unit)?,
        sensor: byte(sensor)?,
        zone: byte(zone)?,
        subzone: byte(subzone)?,
    })
}

/// A text that names no sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SensorError;

impl Expected for SensorError {
    fn expected(&self) -> String {
        "GUID/SENSOR/TYPE/UNIT or GUID/SENSOR/TYPE/UNIT/ZONE/SUBZONE".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GUID: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:09";

    #[test]
    fn a_sensor_is_written_as_its_node_index_type_and_unit() {
        for (text, shown) in [
            (format!("{GUID}/2/6/1"), format!("{GUID}/2/6/1")),
            ("-:9/0x2/6/1/0/0".to_owned(), format!("{GUID}/2/6/1")),
            (format!("{GUID}/2/6/1/0/3"), format!("{GUID}/2/6/1/0/3")),
        ] {
            assert_eq!(text.parse::<Sensor>().unwrap().to_string(), shown);
        }
        for rest in [
            "",
            "/2",
            "/2/6",
            "/2/6/1/0",
            "/2/6/1/0/0/0",
            "/256/6/1",
            "/2/x/1",
            "//6/1",
        ] {
            assert!(format!("{GUID}{rest}").parse::<Sensor>().is_err(), "{rest}");
        }
    }

    proptest! {
        #[test]
        fn sensors_parse_as_they_are_shown(guid: [u8; 16], kind: u16, bytes: [u8; 4]) {
            let [unit, sensor, zone, subzone] = bytes;
            let sensor = Sensor { guid: Guid(guid), kind, unit, sensor, zone, subzone };
            prop_assert_eq!(sensor.to_string().parse(), Ok(sensor));
        }
    }
}
