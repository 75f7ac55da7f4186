//! Changes of single fields of a filter.

use serde::{Deserialize, Deserializer, de::Error};

use super::{CLASS_OR_TYPE, Filter, FilterError, PRIORITY, Pattern, parse_guid};
use crate::{
    event::{Guid, value::Value},
    json_fields::{self, JsonFields},
};

/// The arguments of the ws2 command SETFILTER. Fields that they do not name stay as they are.
///
/// `filter` and `mask` are whole patterns as text. `filter_priority`, `filter_class`,
/// `filter_type`, `filter_guid` and the same with `mask_` change one field, and override those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilterChange {
    value: PatternChange,
    mask: PatternChange,
}

impl FilterChange {
    /// Applies the change to a filter.
    pub(crate) fn apply(&self, filter: &mut Filter) {
        self.value.apply(&mut filter.value);
        self.mask.apply(&mut filter.mask);
    }
}

impl<'de> Deserialize<'de> for FilterChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields(values) = json_fields::read(deserializer)?;
        Ok(Self {
            value: PatternChange::new(&KEYS[..5], &values[..5]).map_err(Error::custom)?,
            mask: PatternChange::new(&KEYS[5..], &values[5..]).map_err(Error::custom)?,
        })
    }
}

/// The keys of a [`FilterChange`]. Others are ignored.
const KEYS: [&str; 10] = [
    "filter",
    "filter_priority",
    "filter_class",
    "filter_type",
    "filter_guid",
    "mask",
    "mask_priority",
    "mask_class",
    "mask_type",
    "mask_guid",
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct PatternChange {
    whole: Option<Pattern>,
    priority: Option<u8>,
    class: Option<u16>,
    kind: Option<u16>,
    guid: Option<Guid>,
}

impl PatternChange {
    /// Makes a change of the values of the keys for pattern, priority, class, type and GUID.
    fn new(keys: &[&'static str], values: &[Option<Value<'_>>]) -> Result<Self, FilterError> {
        let mut change = Self::default();
        for (index, (key, value)) in keys.iter().zip(values).enumerate() {
            let Some(value) = value else { continue };
            let wrong = |expected| FilterError::new(key, &value.found(), expected);
            let text = || match value {
                Value::Text(text) => Ok(text),
                _ => Err(wrong("a text")),
            };
            match index {
                0 => change.whole = Some(text()?.parse()?),
                1 => change.priority = Some(value.number().ok_or_else(|| wrong(PRIORITY))?),
                2 => change.class = Some(value.number().ok_or_else(|| wrong(CLASS_OR_TYPE))?),
                3 => change.kind = Some(value.number().ok_or_else(|| wrong(CLASS_OR_TYPE))?),
                _ => change.guid = Some(parse_guid(key, text()?)?),
            }
        }
        Ok(change)
    }

    fn apply(&self, pattern: &mut Pattern) {
        let whole = self.whole.unwrap_or(*pattern);
        *pattern = Pattern {
            priority: self.priority.unwrap_or(whole.priority),
            class: self.class.unwrap_or(whole.class),
            kind: self.kind.unwrap_or(whole.kind),
            guid: self.guid.unwrap_or(whole.guid),
        };
    }
}

/// The values of [`KEYS`].
#[derive(Default)]
struct Fields<'a>([Option<Value<'a>>; KEYS.len()]);

impl<'de> JsonFields<'de> for Fields<'de> {
    const EXPECTED: &'static str = "an object with filter and mask";

    type Value = Value<'de>;

    fn field(&mut self, key: &str) -> Option<&mut Value<'de>> {
        let index = KEYS.iter().position(|known| *known == key)?;
        Some(self.0[index].insert(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONES: &str = "FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF";
    const ZEROS: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";

    #[test]
    fn a_change_touches_only_what_it_names() {
        let before = Filter::parse_wire("1,2,3", "4,5,6").unwrap();
        for (json, expected) in [
            ("{}", format!("1,2,3,{ZEROS};4,5,6,{ZEROS}")),
            (
                r#"{"filter_class":10}"#,
                format!("1,10,3,{ZEROS};4,5,6,{ZEROS}"),
            ),
            (
                r#"{"mask_type":"0xffff"}"#,
                format!("1,2,3,{ZEROS};4,5,65535,{ZEROS}"),
            ),
            (
                r#"{"mask_priority":7.0}"#,
                format!("1,2,3,{ZEROS};7,5,6,{ZEROS}"),
            ),
            (
                r#"{"filter_guid":"::FF"}"#,
                format!("1,2,3,{ONES};4,5,6,{ZEROS}"),
            ),
            (
                r#"{"mask_guid":"-"}"#,
                format!("1,2,3,{ZEROS};4,5,6,{ZEROS}"),
            ),
            (
                r#"{"mask_guid":""}"#,
                format!("1,2,3,{ZEROS};4,5,6,{ZEROS}"),
            ),
            (
                r#"{"filter":"7,8,9"}"#,
                format!("7,8,9,{ZEROS};4,5,6,{ZEROS}"),
            ),
            (
                r#"{"mask_class":1,"mask":"7"}"#,
                format!("1,2,3,{ZEROS};7,1,0,{ZEROS}"),
            ),
            (
                r#"{"x":[[{}]],"filter_type":9,"y":null}"#,
                format!("1,2,9,{ZEROS};4,5,6,{ZEROS}"),
            ),
            (
                r#"{"mask_class":[],"mask_class":8}"#,
                format!("1,2,3,{ZEROS};4,8,6,{ZEROS}"),
            ),
            (
                r#"{"filter_priority":0,"filter_class":1,"filter_type":2,"filter_guid":"::FF","mask_priority":3,"mask_class":4,"mask_type":5,"mask_guid":"::FF"}"#,
                format!("0,1,2,{ONES};3,4,5,{ONES}"),
            ),
        ] {
            let change: FilterChange = serde_json::from_str(json).unwrap();
            let mut filter = before;
            change.apply(&mut filter);
            assert_eq!(
                format!("{};{}", filter.value, filter.mask),
                expected,
                "{json}"
            );
        }
    }

    #[test]
    fn a_change_of_the_wrong_kind_or_range_is_refused() {
        for json in [
            r#"{"mask_priority":256}"#,
            r#"{"mask_class":65536}"#,
            r#"{"mask_type":-1}"#,
            r#"{"filter_class":1.5}"#,
            r#"{"filter_class":null}"#,
            r#"{"filter_class":""}"#,
            r#"{"filter_class":"x"}"#,
            r#"{"filter_class":true}"#,
            r#"{"filter_class":[1]}"#,
            r#"{"filter_guid":1}"#,
            r#"{"filter_guid":null}"#,
            r#"{"mask_guid":"FF"}"#,
            r#"{"filter":1}"#,
            r#"{"filter":{}}"#,
            r#"{"mask":"0,65536"}"#,
            "[]",
            "null",
            "7",
        ] {
            assert!(
                serde_json::from_str::<FilterChange>(json).is_err(),
                "{json}"
            );
        }
        let error = serde_json::from_str::<FilterChange>(r#"{"mask_class":true}"#).unwrap_err();
        let expected = r#"mask_class: found "true", expected a number from 0 to 65535"#;
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(json in r#"[\[\]{}",:0-9a-f]{0,40}|\PC*"#) {
            let _ = serde_json::from_str::<FilterChange>(&json);
        }

        #[test]
        fn any_value_is_parsed_or_refused(key in 0..KEYS.len(), value in r#"-?[0-9]{1,6}(\.[0-9])?|"[0-9a-fx:,-]{0,50}""#) {
            let json = format!(r#"{{"{}":{value}}}"#, KEYS[key]);
            let _ = serde_json::from_str::<FilterChange>(&json);
        }
    }
}
