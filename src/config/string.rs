//! The configuration strings of old drivers: entries separated by `;`.
//!
//! The first entry is the CAN interface, the next two are its filter and mask; `key=value`
//! entries, in any order, are keys of the JSON configuration.

use std::path::Path;

use serde_json::{Map, Value};

use crate::located_json::{ConfigError, Source};

/// The name of such a configuration in messages.
pub(super) const NAME: &str = "configuration string";

/// Returns whether an argument is a configuration string and not the path of a file: it is not an
/// existing path, and there is no `/` before the first `;` or `=`. A name that ends with `.json` is
/// a file that is missing.
pub(super) fn is_one(argument: &str) -> bool {
    let start = argument.split([';', '=']).next().unwrap_or("");
    !start.contains('/') && !start.ends_with(".json") && !Path::new(argument).exists()
}

/// Translates a configuration string into JSON. Its values are strings, also those of numbers.
/// Fails if there are too many entries without a key.
pub(super) fn to_json(argument: &str) -> Result<Source, ConfigError> {
    let mut object = Map::new();
    let mut bus = Map::new();
    let mut positions = ["interface", "filter", "mask"].into_iter();
    for entry in argument.split(';').map(str::trim) {
        if let Some((key, value)) = entry.split_once('=') {
            object.insert(key.trim().to_owned(), value_of(value.trim()));
            continue;
        }
        let expected = "INTERFACE;FILTER;MASK and KEY=VALUE entries";
        let key = positions
            .next()
            .ok_or_else(|| ConfigError::new(NAME, format!("{entry:?}"), expected))?;
        if !entry.is_empty() {
            bus.insert(key.to_owned(), entry.into());
        }
    }
    if !bus.is_empty() {
        object.insert("socketcan".to_owned(), bus.into());
    }
    Ok(Source::with_text_values(
        NAME,
        Value::Object(object).to_string(),
    ))
}

/// Reads a value: a list or an object is JSON, anything else is a string.
fn value_of(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Array(_) | Value::Object(_))) => value,
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(argument: &str) -> Value {
        let source = to_json(argument).unwrap();
        serde_json::from_str(source.text()).unwrap()
    }

    #[test]
    fn the_first_entries_are_interface_filter_and_mask() {
        for (argument, expected) in [
            ("can0", r#"{"socketcan":{"interface":"can0"}}"#),
            ("can0;", r#"{"socketcan":{"interface":"can0"}}"#),
            (
                "can0;0,10,0,-;0,0xffff,0,-",
                r#"{"socketcan":{"interface":"can0","filter":"0,10,0,-","mask":"0,0xffff,0,-"}}"#,
            ),
            (
                "can0;threads=3;;7,0,0,-",
                r#"{"socketcan":{"interface":"can0","mask":"7,0,0,-"},"threads":"3"}"#,
            ),
        ] {
            let expected: Value = serde_json::from_str(expected).unwrap();
            assert_eq!(json(argument), expected, "{argument}");
        }
    }

    #[test]
    fn entries_with_a_key_are_keys_of_the_configuration() {
        let argument = "interface=ws://0.0.0.0:8884; path-users = /etc/users.json ;\
                        origins=[\"http://a\"];debug=true;guid=::01";
        let expected: Value = serde_json::from_str(
            r#"{"interface":"ws://0.0.0.0:8884","path-users":"/etc/users.json",
                "origins":["http://a"],"debug":"true","guid":"::01"}"#,
        )
        .unwrap();
        assert_eq!(json(argument), expected);
    }

    #[test]
    fn an_entry_too_many_is_an_error() {
        let error = to_json("can0;0,0,0,-;0,0,0,-;what").unwrap_err();
        assert_eq!(
            error.to_string(),
            "configuration string: found \"what\", expected INTERFACE;FILTER;MASK and KEY=VALUE \
             entries"
        );
    }

    #[test]
    fn a_path_is_no_configuration_string() {
        for argument in [
            "/etc/a.json",
            "a/b;c",
            "./x",
            "Cargo.toml",
            "src",
            "missing.json",
        ] {
            assert!(!is_one(argument), "{argument}");
        }
        for argument in ["can0", "can0;0,0,0,-", "path-users=/etc/users.json", "x=/y"] {
            assert!(is_one(argument), "{argument}");
        }
    }
}
