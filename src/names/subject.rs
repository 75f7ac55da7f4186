//! The node or sensor that a name belongs to.

use std::{fmt, str::FromStr};

use crate::{event::Guid, located_json::Expected, number::parse_decimal_or_hex};

/// A node, one of its sensors, or one quantity of a sensor. Shown, and parsed, as `GUID`,
/// `GUID/SENSOR` or `GUID/SENSOR/TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// The GUID of the node.
    pub guid: Guid,
    /// The index of the sensor, `None` for the node.
    pub sensor: Option<u8>,
    /// The type of the measurements (of class 10), `None` for all of the sensor.
    pub kind: Option<u16>,
}

impl Subject {
    /// Returns the subject of a node.
    pub fn node(guid: Guid) -> Self {
        Self {
            guid,
            sensor: None,
            kind: None,
        }
    }

    /// Returns the subjects whose entries a measurement has, the most precise first.
    pub fn of_measurement(guid: Guid, sensor: u8, kind: u16) -> [Self; 3] {
        let sensor = Some(sensor);
        let subject = |sensor, kind| Self { guid, sensor, kind };
        [
            subject(sensor, Some(kind)),
            subject(sensor, None),
            subject(None, None),
        ]
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.guid)?;
        if let Some(sensor) = self.sensor {
            write!(f, "/{sensor}")?;
        }
        if let Some(kind) = self.kind {
            write!(f, "/{kind}")?;
        }
        Ok(())
    }
}

impl FromStr for Subject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        parse(text).ok_or(SubjectError)
    }
}

fn parse(text: &str) -> Option<Subject> {
    let mut parts = text.split('/');
    let guid = parts.next()?.parse().ok()?;
    let sensor = parts.next().map(number::<u8>);
    let kind = parts.next().map(number::<u16>);
    if parts.next().is_some() {
        return None;
    }
    Some(Subject {
        guid,
        sensor: match sensor {
            Some(sensor) => Some(sensor?),
            None => None,
        },
        kind: match kind {
            Some(kind) => Some(kind?),
            None => None,
        },
    })
}

fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    T::try_from(parse_decimal_or_hex(text)?).ok()
}

/// A text that is no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectError;

impl Expected for SubjectError {
    fn expected(&self) -> String {
        "GUID, GUID/SENSOR or GUID/SENSOR/TYPE, the sensor from 0 to 255, the type of its \
         measurements from 0 to 65535"
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_subject_is_a_guid_and_behind_it_a_sensor_and_a_type() {
        const GUID: &str = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F";
        for (text, shown) in [
            (GUID, GUID.to_owned()),
            ("000102030405060708090a0b0c0d0e0f", GUID.to_owned()),
            (
                "00010203-0405-0607-0809-0a0b0c0d0e0f/7",
                format!("{GUID}/7"),
            ),
            (
                "000102030405060708090a0b0c0d0e0f/0x10/6",
                format!("{GUID}/16/6"),
            ),
        ] {
            assert_eq!(text.parse::<Subject>().unwrap().to_string(), shown);
        }
        for text in [
            "",
            "FF:FF",
            "-/",
            "-/256",
            "-/x",
            "-/1/65536",
            "-/1/2/3",
            "-/1/",
            "-/-1",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn subjects_parse_as_they_are_shown(bytes: [u8; 16], sensor: Option<u8>, kind: u16) {
            let kind = sensor.is_some().then_some(kind);
            let subject = Subject { guid: Guid(bytes), sensor, kind };
            prop_assert_eq!(subject.to_string().parse(), Ok(subject));
        }
    }
}
