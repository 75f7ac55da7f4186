//! Measurements as events.

use super::{Data, Event, Guid};

/// A number that was measured, and of what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// VSCP type of the measurement classes: temperature is 6.
    pub kind: u16,
    /// In the unit that `unit` stands for.
    pub value: f64,
    /// Code of the unit, which depends on the type.
    pub unit: u8,
    /// Which of the sensors of a node.
    pub sensor: u8,
    /// Level II only.
    pub zone: u8,
    /// Level II only.
    pub subzone: u8,
}

/// How a measurement is written.
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
    /// The event; what else it needs is not set. `None` where a value is out of the range of the
    /// form: level I has units 0 to 3, sensors 0 to 7, types up to 1279 and single precision, and
    /// none has numbers that are not finite.
    pub fn event(&self, form: Form) -> Option<Event> {
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
        let place = [sensor, zone, subzone, unit];
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
                [&place[..], &value.to_be_bytes()].concat(),
            ),
            Form::Text => {
                let text = value.to_string();
                (
                    MEASUREMENT_TEXT,
                    kind,
                    [&place[..], text.as_bytes()].concat(),
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

const MEASUREMENT: u16 = 10;
const MEASUREMENT_TEXT: u16 = 1040;
const MEASUREMENT_FLOAT: u16 = 1060;

/// Class 14 has the types 1024 to 1279 of level II.
const LAST_PAGE: u8 = 4;

/// Format of the coding byte.
const SINGLE_FLOAT: u8 = 5;

const NORMAL_PRIORITY: u16 = 3;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// The event as class, type and data in hex.
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
            let event = measurement.event(form).unwrap();
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
            let event = of(kind).event(Form::Level1);
            assert_eq!(event.as_ref().map(shown).as_deref(), expected, "{kind}");
            assert!(of(kind).event(Form::Float).is_some());
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
            assert!(good.event(form).is_some(), "{form:?}");
            for value in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
                assert_eq!(Measurement { value, ..good }.event(form), None);
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
            assert_eq!(wrong.event(Form::Level1), None, "{wrong:?}");
            assert!(wrong.event(Form::Float).is_some());
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
            let float = measurement.event(Form::Float).unwrap();
            prop_assert_eq!(f64::from_be_bytes(float.data[4..].try_into().unwrap()), value);
            let text = measurement.event(Form::Text).unwrap();
            let text = str::from_utf8(&text.data[4..]).unwrap();
            prop_assert!(text.bytes().all(|byte| b"-.0123456789".contains(&byte)));
            prop_assert_eq!(text.parse(), Ok(value));
        }
    }
}
