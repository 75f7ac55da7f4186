//! Reading the keys of a JSON object of which the last value counts if a key is repeated.
//!
//! serde's derived code refuses repeated keys; clients and configuration files have them.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
};

/// The values of an object's keys, empty at first.
pub(crate) trait JsonFields<'de>: Default {
    /// The words for an object, in the error if there is none.
    const EXPECTED: &'static str;

    /// A value. Reading one must fail for broken JSON only, so that a later one can replace it.
    type Value: Deserialize<'de>;

    /// Returns where to put the value of `key`, `None` if the key is to be ignored.
    fn field(&mut self, key: &str) -> Option<&mut Self::Value>;
}

/// Reads an object into its fields. Fails for broken JSON, and if there is no object.
///
/// Meant as the body of a type's [`Deserialize::deserialize`].
pub(crate) fn read<'de, F: JsonFields<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<F, D::Error> {
    deserializer.deserialize_map(FieldsVisitor(PhantomData))
}

struct FieldsVisitor<F>(PhantomData<F>);

impl<'de, F: JsonFields<'de>> Visitor<'de> for FieldsVisitor<F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(F::EXPECTED)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<F, A::Error> {
        let mut fields = F::default();
        while let Some(field) = map.next_key_seed(FieldOf(&mut fields, PhantomData))? {
            match field {
                Some(field) => *field = map.next_value()?,
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(fields)
    }
}

/// Turns a key into the field that it names. As a seed it sees the key without copying it.
struct FieldOf<'f, 'de, F>(&'f mut F, PhantomData<&'de ()>);

impl<'de, 'f, F: JsonFields<'de, Value: 'f>> DeserializeSeed<'de> for FieldOf<'f, 'de, F> {
    type Value = Option<&'f mut F::Value>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'de, 'f, F: JsonFields<'de, Value: 'f>> Visitor<'de> for FieldOf<'f, 'de, F> {
    type Value = Option<&'f mut F::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.field(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Sides(u8, u8);

    impl JsonFields<'_> for Sides {
        const EXPECTED: &'static str = "two sides";

        type Value = u8;

        fn field(&mut self, key: &str) -> Option<&mut u8> {
            match key {
                "left" => Some(&mut self.0),
                "right" => Some(&mut self.1),
                _ => None,
            }
        }
    }

    impl<'de> Deserialize<'de> for Sides {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            read(deserializer)
        }
    }

    #[test]
    fn the_last_value_of_a_key_counts_and_unknown_keys_are_ignored() {
        for (json, sides) in [
            ("{}", Sides(0, 0)),
            (r#"{"left":1,"right":2,"left":3}"#, Sides(3, 2)),
            (r#"{"l\u0065ft":1,"x":[{"left":7}]}"#, Sides(1, 0)),
        ] {
            assert_eq!(
                serde_json::from_str::<Sides>(json).unwrap(),
                sides,
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_no_object_or_broken_is_an_error() {
        for json in ["7", "[]", r#"{"left":1"#, r#"{"left":"x"}"#, r#"{"x":}"#] {
            assert!(serde_json::from_str::<Sides>(json).is_err(), "{json}");
        }
        let error = serde_json::from_str::<Sides>("7").unwrap_err().to_string();
        assert!(error.contains("expected two sides"), "{error}");
    }
}
