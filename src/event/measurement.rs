//! Measurements as events (VSCP specification, classes 10 to 14, 1040 and 1060).

use super::{Data, Event, Guid};

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// VSCP type of the measurement classes: temperature is 6.
    pub kind: u16,
    /// The value in the unit that `unit` stands for.
    pub value: f64,
    /// Code of the unit, which depends on the type.
    pub unit: u8,
    /// Index of the sensor in its node.
    pub sensor: u8,
    /// Zone, for level II only.
    pub zone: u8,
    /// Subzone, for level II only.
    pub subzone: u8,
}

/// The form of a measurement event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Class 10 (11 to 14 for types from 256): a single precision float.
    Level1,
    /// Class 1060: a double precision float.
    Float,
    /// Class 1040: a decimal number as text.
    Text,
}

impl Measurement {
    /// Returns the measurement of an event, `None` if the event is no measurement or its value is
    /// no number. `kind` is the number that [`quantity`] returns, or in class 15 the type.
    pub fn of(event: &Event) -> Option<Self> {
        let (class, data) = match event.class {
            class @ 512..1024 => (class - 512, event.data.get(GUID_BYTES..)?),
            class => (class, &event.data[..]),
        };
        let kind = quantity(event.class, event.kind).unwrap_or(event.kind);
        let plain = |value| Self {
            kind,
            value,
            unit: 0,
            sensor: 0,
            zone: 0,
            subzone: 0,
        };
        let measurement = match (class, data) {
            (10..=15, [coding, value @ ..]) => Self {
                unit: coding >> 3 & 3,
                sensor: coding & 7,
                ..plain(coded(coding >> 5, value)?)
            },
            (60..=64, &[a, b, c, d, e, f, g, h]) => {
                plain(f64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
            (70..=74, &[a, b, c, d]) => plain(f32::from_be_bytes([a, b, c, d]).into()),
            (65..=69 | 85..=89, [sensor, zone, subzone, coding, value @ ..]) => Self {
                unit: coding >> 3 & 3,
                sensor: *sensor,
                zone: *zone,
                subzone: *subzone,
                ..plain(coded(coding >> 5, value)?)
            },
            (MEASUREMENT_TEXT, [sensor, zone, subzone, unit, value @ ..]) => Self {
                unit: *unit,
                sensor: *sensor,
                zone: *zone,
                subzone: *subzone,
                ..plain(number(value)?)
            },
            (MEASUREMENT_FLOAT, &[sensor, zone, subzone, unit, ref value @ ..]) => Self {
                unit,
                sensor,
                zone,
                subzone,
                ..plain(f64::from_be_bytes(value.try_into().ok()?))
            },
            _ => return None,
        };
        measurement.value.is_finite().then_some(measurement)
    }

    /// Makes an event without GUID, date and time stamp. Returns `None` if a value is out of the
    /// range of the form: level I has units 0 to 3, sensors 0 to 7, types up to 1279 and single
    /// precision, and no form has numbers that are not finite.
    pub fn to_event(&self, form: Form) -> Option<Event> {
        let Self {
            kind,
            value,
            unit,
            sensor,
            zone,
            subzone,
        } = *self;
        if !value.is_finite() {
            return None;
        }
        let location = [sensor, zone, subzone, unit];
        let (class, kind, data) = match form {
            Form::Level1 => {
                let single = value as f32;
                let [page, kind] = kind.to_be_bytes();
                if unit > 3 || sensor > 7 || page > LAST_PAGE || !single.is_finite() {
                    return None;
                }
                let coding = SINGLE_FLOAT << 5 | unit << 3 | sensor;
                let data = [&[coding][..], &single.to_be_bytes()].concat();
                (MEASUREMENT + u16::from(page), kind.into(), data)
            }
            Form::Float => (
                MEASUREMENT_FLOAT,
                kind,
                [&location[..], &value.to_be_bytes()].concat(),
            ),
            Form::Text => {
                let text = value.to_string();
                (
                    MEASUREMENT_TEXT,
                    kind,
                    [&location[..], text.as_bytes()].concat(),
                )
            }
        };
        Some(Event {
            head: NORMAL_PRIORITY << 5,
            class,
            kind,
            obid: 0,
            date: None,
            timestamp: 0,
            unix_ns: None,
            guid: Guid::ZERO,
            data: Data::copy_from(&data)?,
        })
    }
}

/// Returns the number of the quantity that an event of a measurement class measures. In class 10
/// that is its type, in class 11 its type plus 256, and so on up to class 14. Other groups of five
/// measurement classes count alike, and so do the classes that are 512 higher. In the classes 1040
/// and 1060 it is the type. Returns `None` for other classes.
pub fn quantity(class: u16, kind: u16) -> Option<u16> {
    if matches!(class, MEASUREMENT_TEXT | MEASUREMENT_FLOAT) {
        return Some(kind);
    }
    let base = if (512..1024).contains(&class) {
        class - 512
    } else {
        class
    };
    let first = FIRST_CLASSES
        .into_iter()
        .find(|first| (*first..first + 5).contains(&base))?;
    kind.checked_add(256 * (base - first))
}

/// Reads a value by the format in its coding byte.
fn coded(format: u8, value: &[u8]) -> Option<f64> {
    match (format, value) {
        (_, []) => None,
        (BITS | BYTES, bytes) => Some(
            bytes
                .iter()
                .fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte)),
        ),
        (TEXT, text) => number(text),
        (INTEGER, bytes) => signed(bytes),
        (NORMALIZED, [exponent, bytes @ ..]) => {
            let power = 10_f64.powi((exponent & 0x7F).into());
            let integer = signed(bytes)?;
            Some(match exponent & 0x80 {
                0 => integer * power,
                _ => integer / power,
            })
        }
        (SINGLE_FLOAT | DOUBLE_FLOAT, bytes) => match *bytes {
            [a, b, c, d] => Some(f32::from_be_bytes([a, b, c, d]).into()),
            _ => Some(f64::from_be_bytes(bytes.try_into().ok()?)),
        },
        _ => None,
    }
}

/// Reads a signed integer, most significant byte first. Starts with the sign: a large unsigned
/// number would be rounded before the sign could be subtracted.
fn signed(bytes: &[u8]) -> Option<f64> {
    let start = if bytes.first()? & 0x80 == 0 {
        0.0
    } else {
        -1.0
    };
    Some(
        bytes
            .iter()
            .fold(start, |sum, byte| sum * 256.0 + f64::from(*byte)),
    )
}

/// Reads a number written as text, which may end with zero bytes.
fn number(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?;
    text.trim_end_matches('\0').trim().parse().ok()
}

/// The first of five classes each that number their types as classes 10 to 14 do.
const FIRST_CLASSES: [u16; 5] = [10, 60, 65, 70, 85];

/// The bytes of the interface's GUID in front of the data of the classes 512 to 1023.
const GUID_BYTES: usize = 16;

const MEASUREMENT: u16 = 10;
const MEASUREMENT_TEXT: u16 = 1040;
const MEASUREMENT_FLOAT: u16 = 1060;

/// The last of the classes after class 10: class 14 has the types 1024 to 1279 of level II.
const LAST_PAGE: u8 = 4;

// The formats in bits 7 to 5 of the coding byte.
const BITS: u8 = 0;
const BYTES: u8 = 1;
const TEXT: u8 = 2;
const INTEGER: u8 = 3;
const NORMALIZED: u8 = 4;
const SINGLE_FLOAT: u8 = 5;
const DOUBLE_FLOAT: u8 = 6;

const NORMAL_PRIORITY: u16 = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Formats class, type and data of an event.
    fn shown(event: &Event) -> String {
        format!(
            "{},{},{}",
            event.class,
            event.kind,
            hex::encode(&*event.data)
        )
    }

    #[test]
    fn each_form_has_its_class_and_coding() {
        let measurement = Measurement {
            kind: 6,
            value: 21.5,
            unit: 1,
            sensor: 2,
            zone: 3,
            subzone: 4,
        };
        for (form, expected) in [
            (Form::Level1, "10,6,aa41ac0000"),
            (Form::Float, "1060,6,020304014035800000000000"),
            (Form::Text, "1040,6,0203040132312e35"),
        ] {
            let event = measurement.to_event(form).unwrap();
            assert_eq!(shown(&event), expected);
            assert_eq!(event.priority(), 3);
        }
    }

    #[test]
    fn level_1_has_the_types_over_255_in_further_classes() {
        let of = |kind| Measurement {
            kind,
            value: 0.0,
            unit: 0,
            sensor: 0,
            zone: 0,
            subzone: 0,
        };
        for (kind, expected) in [
            (255, Some("10,255,a000000000")),
            (256, Some("11,0,a000000000")),
            (1279, Some("14,255,a000000000")),
            (1280, None),
        ] {
            let event = of(kind).to_event(Form::Level1);
            assert_eq!(event.as_ref().map(shown).as_deref(), expected, "{kind}");
            assert!(of(kind).to_event(Form::Float).is_some());
        }
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let good = Measurement {
            kind: 6,
            value: 1e38,
            unit: 3,
            sensor: 7,
            zone: 255,
            subzone: 255,
        };
        for form in [Form::Level1, Form::Float, Form::Text] {
            assert!(good.to_event(form).is_some(), "{form:?}");
            for value in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                assert_eq!(Measurement { value, ..good }.to_event(form), None);
            }
        }
        for wrong in [
            Measurement { unit: 4, ..good },
            Measurement { sensor: 8, ..good },
            Measurement {
                value: 1e39,
                ..good
            },
        ] {
            assert_eq!(wrong.to_event(Form::Level1), None, "{wrong:?}");
            assert!(wrong.to_event(Form::Float).is_some());
        }
    }

    #[test]
    fn the_readings_of_the_documentation_are_read() {
        let page = include_str!("../../docs/measurements.md");
        let block = page.split("```reading\n").nth(1).unwrap();
        let lines = block.split("```").next().unwrap().lines();
        let mut count = 0;
        for line in lines {
            let (event, reading) = line.split_once(" = ").unwrap();
            let (numbers, data) = event.split_once(' ').unwrap();
            let (class, kind) = numbers.split_once(',').unwrap();
            let event = Event {
                class: class.parse().unwrap(),
                kind: kind.parse().unwrap(),
                data: Data::copy_from(&hex::decode(data.replace(' ', "")).unwrap()).unwrap(),
                ..crate::event::text::parse("0,0,0,0,,0,-").unwrap()
            };
            let measurement = Measurement::of(&event).unwrap();
            let (value, rest) = reading.split_once(' ').unwrap();
            assert_eq!(measurement.value, value.parse::<f64>().unwrap(), "{line}");
            let unit = crate::event::names::unit(measurement.kind, measurement.unit).unwrap();
            let mut shown = format!("{unit}, sensor {}", measurement.sensor);
            if rest.contains("zone") {
                shown += &format!(", zone {}/{}", measurement.zone, measurement.subzone);
            }
            assert_eq!(rest, shown, "{line}");
            count += 1;
        }
        assert!(count > 8);
    }

    #[test]
    fn what_is_no_number_is_no_measurement() {
        for event in [
            "0,10,6,0,,0,-",
            "0,10,6,0,,0,-,0x88",
            "0,10,6,0,,0,-,0xE8,1",
            "0,10,6,0,,0,-,0xA8,0x7F,0x80,0,0",
            "0,10,6,0,,0,-,0x88,0x82",
            "0,60,6,0,,0,-,1,2,3",
            "0,522,6,0,,0,-,0x68,1",
            "0,1040,6,0,,0,-,1,2,3,4,0x78",
            "0,1060,6,0,,0,-,1,2,3,4,5",
            "0,20,3,0,,0,-,0,1,2",
        ] {
            let event = crate::event::text::parse(event).unwrap();
            assert_eq!(Measurement::of(&event), None, "{event:?}");
        }
    }

    proptest! {
        #[test]
        fn any_number_can_be_read_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let measurement = Measurement {
                kind: 1,
                value,
                unit: 0,
                sensor: 0,
                zone: 0,
                subzone: 0,
            };
            let float = measurement.to_event(Form::Float).unwrap();
            prop_assert_eq!(f64::from_be_bytes(float.data[4..].try_into().unwrap()), value);
            let text = measurement.to_event(Form::Text).unwrap();
            let text = str::from_utf8(&text.data[4..]).unwrap();
            prop_assert!(text.bytes().all(|byte| b"-.0123456789".contains(&byte)));
            prop_assert_eq!(text.parse(), Ok(value));
            for form in [Form::Float, Form::Text] {
                let event = measurement.to_event(form).unwrap();
                prop_assert_eq!(Measurement::of(&event), Some(measurement));
            }
        }
    }
}
