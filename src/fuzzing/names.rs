//! The names of nodes and sensors, and what names a sensor or a time in a query.

use serde_json::Value;

use super::text;
use crate::{
    event::Guid,
    history::Sensor,
    http::api::parameters::parse_time,
    located_json::Source,
    names::{Document, Subject},
};

/// Parses the input as a document. Also takes its first line as the key of an entry, and the rest
/// as a patch of that entry. A document that was parsed must stay the same if it is written and
/// parsed again, and an error must be one line.
pub fn names(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let document = checked(Document::parse(&Source::new("names", text)));
    let (key, patch) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(subject) = key.parse::<Subject>() else {
        return;
    };
    assert_eq!(subject.to_string().parse(), Ok(subject));
    let patch = Source::new("patch", patch);
    for document in [document.unwrap_or_default(), Document::default()] {
        let Some(changed) = checked(document.patched(subject, &patch)) else {
            continue;
        };
        // The same change changes nothing more.
        let again = checked(changed.patched(subject, &patch)).expect("the same change");
        assert_eq!(again.version(), changed.version());
        let removed = changed.patched(subject, &Source::new("patch", "null"));
        assert!(removed.expect("a removal").get(&subject).is_none());
        let _ = changed.of_measurement(subject.guid, subject.sensor.unwrap_or(0), 6);
    }
}

fn checked(read: Result<Document, crate::located_json::ConfigError>) -> Option<Document> {
    let document = match read {
        Ok(document) => document,
        Err(error) => {
            let error = error.to_string();
            assert!(
                !error.contains('\n') && error.contains("expected"),
                "{error}"
            );
            return None;
        }
    };
    let json = str::from_utf8(document.json()).expect("text");
    let again = Document::parse(&Source::new("again", json)).expect("what was written");
    assert_eq!(again.version(), document.version());
    assert_eq!(again.len(), document.len());
    for shown in [document.json_of(|_| true), document.json_of(Guid::is_zero)] {
        serde_json::from_slice::<Value>(&shown).expect("JSON");
    }
    Some(document)
}

/// Parses each line as the name of a sensor, and as a time. What was parsed must stay the same if
/// it is formatted and parsed again.
pub fn history_query(data: &[u8]) {
    for line in text(data).unwrap_or_default().lines() {
        if let Ok(sensor) = line.parse::<Sensor>() {
            assert_eq!(sensor.to_string().parse(), Ok(sensor));
            let _ = sensor.labels();
        }
        if let Some(time) = parse_time(line) {
            assert_eq!(parse_time(&time.to_string()), Some(time));
        }
    }
}
