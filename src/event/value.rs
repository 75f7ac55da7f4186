//! JSON values of the fields of events and filters.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Data, MAX_DATA};
use crate::number::parse_decimal_or_hex;

/// A JSON value in the form that fields need.
///
/// Parsing fails for broken JSON only. A value of the wrong kind is kept, because a later duplicate
/// of its key may replace it.
#[derive(Debug, Default)]
pub(super) enum Value<'a> {
    /// `null`, or no value at all.
    #[default]
    Null,
    /// A whole number, also if written as `1.0` or `1e3`.
    Number(u64),
    /// A trimmed string.
    Text(Cow<'a, str>),
    /// An array of numbers from 0 to 255, or the first item that is not one.
    Bytes(Result<Data, String>),
    /// Any other value, as error messages show it.
    Other(String),
}

impl Value<'_> {
    /// Returns the number, also that of a numeric string. Returns `None` if it is not a number, or
    /// is out of the range of `T`.
    pub(super) fn number<T: TryFrom<u64>>(&self) -> Option<T> {
        let number = match self {
            Self::Number(number) => *number,
            Self::Text(text) => parse_decimal_or_hex(text)?,
            Self::Null | Self::Bytes(_) | Self::Other(_) => return None,
        };
        T::try_from(number).ok()
    }

    /// Returns the value as error messages show it.
    pub(super) fn found(&self) -> Cow<'_, str> {
        match self {
            Self::Null => "null".into(),
            Self::Number(number) => number.to_string().into(),
            Self::Text(text) => text.as_ref().into(),
            Self::Bytes(Ok(_)) => "an array".into(),
            Self::Bytes(Err(found)) | Self::Other(found) => found.into(),
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Other(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(match u64::try_from(value) {
            Ok(value) => Value::Number(value),
            Err(_) => Value::Other(value.to_string()),
        })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        // 2^64, the first number that is too large, is exact as f64.
        let whole = value.fract() == 0.0 && (0.0..18_446_744_073_709_551_616.0).contains(&value);
        Ok(if whole {
            Value::Number(value as u64)
        } else {
            Value::Other(value.to_string())
        })
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(value.trim_ascii().into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(value.trim_ascii().to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut bytes = Ok(Data::new());
        while let Some(item) = items.next_element::<Value<'de>>()? {
            let Ok(data) = &mut bytes else { continue };
            match item.number() {
                Some(byte) if data.push(byte) => {}
                Some(_) => bytes = Err(format!("more than {MAX_DATA} bytes")),
                None => bytes = Err(item.found().into_owned()),
            }
        }
        Ok(Value::Bytes(bytes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other("an object".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_may_be_floats_and_strings() {
        for (json, expected) in [
            ("7", Some(7_u16)),
            ("7.0", Some(7)),
            ("1e3", Some(1000)),
            ("-0", Some(0)),
            (r#"" 0x10 ""#, Some(16)),
            (r#""\u0037""#, Some(7)),
            ("65535", Some(65535)),
            ("65536", None),
            ("-1", None),
            ("1.5", None),
            ("1e300", None),
            ("18446744073709551616", None),
            ("true", None),
            ("null", None),
            ("[7]", None),
            (r#"{"a":[7]}"#, None),
            (r#""""#, None),
            (r#""1.0""#, None),
        ] {
            let value: Value<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(value.number(), expected, "{json}");
        }
    }

    #[test]
    fn arrays_hold_bytes_and_nothing_else() {
        for (json, expected) in [
            ("[]", Ok(&[][..])),
            (r#"[0, 255, 1.0, "0x0F", " 7 "]"#, Ok(&[0, 255, 1, 15, 7])),
            ("[1, 256, -1]", Err("256")),
            ("[null]", Err("null")),
            ("[[1]]", Err("an array")),
            ("[{}]", Err("an object")),
            ("[1.5]", Err("1.5")),
        ] {
            let Value::Bytes(bytes) = serde_json::from_str(json).unwrap() else {
                panic!("{json} is an array");
            };
            assert_eq!(bytes.as_deref().map_err(String::as_str), expected, "{json}");
        }
    }

    #[test]
    fn an_array_has_at_most_512_bytes() {
        let read = |count| {
            let json = serde_json::to_string(&vec![1; count]).unwrap();
            match serde_json::from_str(&json).unwrap() {
                Value::Bytes(bytes) => bytes.map(|bytes| bytes.len()),
                other => panic!("{other:?} is no array"),
            }
        };
        assert_eq!(read(512), Ok(512));
        assert_eq!(read(513), Err("more than 512 bytes".into()));
        assert_eq!(read(10_000), Err("more than 512 bytes".into()));
    }
}
