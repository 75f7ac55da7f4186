//! The key `history`.

use super::{
    keys::{self, history as rows},
    section::Section,
};
use crate::{
    history::{Place, Settings},
    located_json::ConfigError,
};

/// The largest size if the key does not say it, in a file and in memory.
const FILE_SIZE: u64 = 1 << 30;
const MEMORY_SIZE: u64 = 1 << 24;

/// Reads where the history is stored, `None` for nowhere.
pub(super) fn read(section: &mut Section<'_, '_>) -> Result<Option<Settings>, ConfigError> {
    let Some(node) = section.node(&keys::HISTORY)? else {
        return settings(&mut Section::empty(section.warnings())).map(Some);
    };
    if node.is("false") {
        return Ok(None);
    }
    if !node.is_object() {
        return Err(node.error("an object {...}, or false"));
    }
    settings(&mut Section::open(&node, &rows::TABLE, section.warnings())?).map(Some)
}

fn settings(section: &mut Section<'_, '_>) -> Result<Settings, ConfigError> {
    let place = match section.take(&rows::PATH)? {
        Some(path) => Place::File(path),
        None => Place::Memory,
    };
    let max_size = section.take(&rows::MAX_SIZE)?;
    Ok(Settings {
        keep: section.take(&rows::KEEP_DAYS)?,
        max_size: max_size.unwrap_or(match place {
            Place::File(_) => FILE_SIZE,
            Place::Memory => MEMORY_SIZE,
        }),
        place,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Config;

    fn load(history: &Value) -> Result<Option<Settings>, String> {
        let text = json!({"allow-default-key": true, "history": history}).to_string();
        match Config::load(&text) {
            Ok(config) => Ok(config.history),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_history_is_in_memory_unless_there_is_a_path() {
        let settings = |value: Value| load(&value).unwrap();
        let memory = settings(Value::Null).unwrap();
        assert_eq!((&memory.place, memory.max_size), (&Place::Memory, 1 << 24));
        assert_eq!(memory.keep.as_secs(), 30 * 86_400);
        assert_eq!(settings(json!({})).unwrap(), memory);
        let file = settings(json!({"path": "/tmp/h", "keep-days": 2})).unwrap();
        assert_eq!(file.place, Place::File("/tmp/h".into()));
        assert_eq!((file.max_size, file.keep.as_secs()), (1 << 30, 172_800));
        assert_eq!(
            settings(json!({"max-size": 1 << 20})).unwrap().max_size,
            1 << 20
        );
        assert_eq!(settings(json!(false)), None);
        for wrong in [json!(true), json!(0), json!("false"), json!([])] {
            let error = load(&wrong).unwrap_err();
            assert!(
                error.contains("expected an object {...}, or false"),
                "{error}"
            );
        }
    }
}
