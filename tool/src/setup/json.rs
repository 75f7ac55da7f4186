//! The configuration of daemons 15 and later, vscpd.json: `drivers.level2[]`.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde_json::{Value, json, value::RawValue};

use crate::paths;

/// Returns the user that the daemon is told to run as.
pub(super) fn user(text: &str) -> Option<String> {
    let json: Value = serde_json::from_str(text).ok()?;
    let user = json["runasuser"].as_str()?.trim();
    (!user.is_empty()).then(|| user.to_owned())
}

/// Returns the configuration that the daemon gives to a library.
pub(super) fn registered(text: &str, library: &str) -> Option<PathBuf> {
    let json: Value = serde_json::from_str(text).ok()?;
    let drivers = json["drivers"]["level2"].as_array()?;
    let driver = drivers.iter().find(|driver| {
        let path = driver["path-driver"].as_str();
        path.is_some_and(|path| path.ends_with(library))
    })?;
    Some(driver["path-config"].as_str()?.into())
}

/// Returns the entry of the driver.
pub(super) fn block(config: &Path, guid: &str) -> String {
    let entry = json!({
        "enable": true,
        "name": "websocksrv",
        "path-driver": paths::LIBRARY,
        "path-config": config,
        "guid": guid,
        "mqtt": {},
    });
    format!("{entry:#}")
}

/// Puts an entry at the front of the list of drivers. All else stays as it is written.
pub(super) fn insert(text: &str, block: &str) -> Result<String, String> {
    let object = |text: &str| -> Result<HashMap<String, Box<RawValue>>, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    };
    object(text)?;
    let list = |text| borrowed(text, "drivers").and_then(|drivers| borrowed(drivers, "level2"));
    if let Some(list) = list(text) {
        return Ok(put(
            text,
            list,
            &format!("\n{}", indented(block, 6)),
            "\n    ",
        ));
    }
    let level2 = format!("\"level2\": [\n{}\n    ]", indented(block, 6));
    match borrowed(text, "drivers") {
        Some(drivers) => Ok(put(text, drivers, &format!("\n    {level2}"), "\n  ")),
        None => Ok(put(
            text,
            text.trim(),
            &format!("\n  \"drivers\": {{\n    {level2}\n  }}"),
            "\n",
        )),
    }
}

/// Returns the value of a key as it is written.
fn borrowed<'t>(object: &'t str, key: &str) -> Option<&'t str> {
    let fields: HashMap<String, &'t RawValue> = serde_json::from_str(object).ok()?;
    fields.get(key).map(|value| value.get())
}

/// Puts an entry behind the bracket that opens `container`, a part of `text`. `end` stands behind
/// it if it is the only one.
fn put(text: &str, container: &str, entry: &str, end: &str) -> String {
    let offset = container.as_ptr() as usize - text.as_ptr() as usize + 1;
    let rest = &text[offset..];
    let is_empty = rest.trim_start().starts_with([']', '}']);
    let (behind, rest) = match is_empty {
        true => (end, rest.trim_start()),
        false => (",", rest),
    };
    format!("{}{entry}{behind}{rest}", &text[..offset])
}

fn indented(block: &str, spaces: usize) -> String {
    let lines = block.lines().map(|line| format!("{:spaces$}{line}", ""));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_goes_into_each_form_of_the_file_and_all_else_stays() {
        for text in [
            "{}",
            "{\"x\": 1.50, \"drivers\": {}}\n",
            "{\n  \"drivers\" : {\n    \"level1\" : [],\n    \"level2\" : [ ]\n  }\n}\n",
            "{\"a\":\"level2\",\"drivers\":{\"level2\":[{\"name\":\"b\"}]},\"z\":[1]}",
        ] {
            let block = block(Path::new("/c.json"), "00:01");
            let new = insert(text, &block).unwrap();
            let entry: Value = serde_json::from_str(&block).unwrap();
            let mut expected: Value = serde_json::from_str(text).unwrap();
            let list = &mut expected["drivers"]["level2"];
            let mut entries = vec![entry];
            entries.extend(list.as_array().cloned().unwrap_or_default());
            *list = entries.into();
            let found: Value = serde_json::from_str(&new).unwrap();
            assert_eq!(found, expected, "{new}");
            assert_eq!(
                registered(&new, "libvscpl2drv-websocksrv.so"),
                Some("/c.json".into())
            );
        }
        let commented = insert("{ // no JSON\n}", "{}").unwrap_err();
        assert!(commented.contains("line 1"), "{commented}");
    }
}
