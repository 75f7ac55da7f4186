//! The names as their file has them.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Subject, SubjectError};
use crate::{
    event::Guid,
    located_json::{ConfigError, Expected, Node, Source, Warnings},
};

/// The largest number of bytes of a document.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// The largest number of entries.
const MAX_ENTRIES: usize = 10_000;

/// Characters of a name or a room, and of the name of an icon.
const MAX_NAME: usize = 200;
const MAX_ICON: usize = 100;

/// Digits behind the decimal point.
const MAX_DECIMALS: u64 = 9;

/// The member of the document that has the entries.
const NAMES: &str = "names";

/// An object whose member `names` has an entry for each subject. Other members are kept.
#[derive(Debug)]
pub struct Document {
    /// All members, with the subjects as they are usually written.
    root: Map<String, Value>,
    entries: BTreeMap<Subject, Entry>,
    json: Bytes,
    version: String,
}

/// The name of a node or a sensor, and how it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Option<String>,
    /// The room that it is in.
    pub room: Option<String>,
    /// The name of its icon.
    pub icon: Option<String>,
    /// How many digits of a value are shown behind the decimal point.
    pub decimals: Option<u8>,
    /// True if pages are not to show it.
    pub hidden: Option<bool>,
}

impl Default for Document {
    fn default() -> Self {
        let root = Map::from_iter([(NAMES.to_owned(), Value::Object(Map::new()))]);
        Self::new(root, BTreeMap::new())
    }
}

impl Document {
    fn new(root: Map<String, Value>, entries: BTreeMap<Subject, Entry>) -> Self {
        let json = pretty(&root);
        let hash = Sha256::digest(&json);
        Self {
            root,
            entries,
            version: hex::encode(&hash[..8]),
            json: json.into(),
        }
    }

    /// Reads a document. Fails with the first entry that is wrong.
    pub fn parse(source: &Source) -> Result<Self, ConfigError> {
        check_size(source)?;
        let node = source.root()?;
        let Some(names) = node.object()?.take(&[NAMES]) else {
            return Err(
                node.error_found("no \"names\"", "{\"names\": {\"GUID\": {\"name\": ...}}}")
            );
        };
        let mut nodes = names.object()?;
        let mut root = values(&node)?;
        let all = match root.remove(NAMES) {
            Some(Value::Object(all)) => all,
            _ => Map::new(),
        };
        if all.len() > MAX_ENTRIES {
            let found = format_args!("{} names", all.len());
            return Err(names.error_found(found, format_args!("at most {MAX_ENTRIES}")));
        }
        let mut entries = BTreeMap::new();
        let mut kept = Map::new();
        for (key, mut value) in all {
            // A member that is null is not there.
            let Some(node) = nodes.take(&[&key]) else {
                continue;
            };
            let subject: Subject = key.parse().map_err(|error: SubjectError| {
                node.error_found(format_args!("{key:?}"), error.expected())
            })?;
            if entries.insert(subject, Entry::parse(&node)?).is_some() {
                let expected = format_args!("one entry for {subject}");
                return Err(node.error_found("a second one", expected));
            }
            if let Value::Object(members) = &mut value {
                members.retain(|_, member| !member.is_null());
            }
            kept.insert(subject.to_string(), value);
        }
        root.insert(NAMES.to_owned(), Value::Object(kept));
        Ok(Self::new(root, entries))
    }

    /// Returns the document with an entry changed as a merge patch (RFC 7396) says: members that
    /// are null go, and so does an entry that is null or has none left. Fails if the patch is wrong
    /// or there are too many entries.
    pub(crate) fn patched(&self, subject: Subject, patch: &Source) -> Result<Self, ConfigError> {
        check_size(patch)?;
        let node = patch.root()?;
        let mut root = self.root.clone();
        let Some(Value::Object(all)) = root.get_mut(NAMES) else {
            return Ok(Self::default());
        };
        let key = subject.to_string();
        if node.is("null") {
            all.remove(&key);
        } else {
            Entry::parse(&node)?;
            let members = all
                .entry(key.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            merge(members, Value::Object(values(&node)?));
            if members.as_object().is_none_or(Map::is_empty) {
                all.remove(&key);
            }
        }
        let text = String::from_utf8(pretty(&root)).unwrap_or_default();
        Self::parse(&Source::new("the names", text))
    }

    /// Returns the document in JSON.
    pub(crate) fn json(&self) -> &Bytes {
        &self.json
    }

    /// Returns the document in JSON with the entries of some nodes alone.
    pub(crate) fn json_of(&self, is_shown: impl Fn(&Guid) -> bool) -> Bytes {
        let mut root = self.root.clone();
        if let Some(Value::Object(all)) = root.get_mut(NAMES) {
            let shown = |key: &str| key.parse().is_ok_and(|key: Subject| is_shown(&key.guid));
            all.retain(|key, _| shown(key));
        }
        pretty(&root).into()
    }

    /// Returns the version: a text that is the same for the same content.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the entry of a subject.
    pub fn get(&self, subject: &Subject) -> Option<&Entry> {
        self.entries.get(subject)
    }

    /// Returns the entry of a node.
    pub fn of_node(&self, guid: Guid) -> Option<&Entry> {
        self.get(&Subject::node(guid))
    }

    /// Returns what the entries say of a measurement: its name is that of the sensor alone, all
    /// else is that of the node if the sensor has none of its own.
    pub fn of_measurement(&self, guid: Guid, sensor: u8, kind: u16) -> Entry {
        let subjects = Subject::of_measurement(guid, sensor, kind);
        let entries = subjects.iter().filter_map(|subject| {
            let entry = self.get(subject)?;
            Some((subject, entry))
        });
        entries.fold(Entry::default(), |found, (subject, entry)| Entry {
            name: found.name.or_else(|| {
                let is_own = subject.sensor.is_some();
                entry.name.clone().filter(|_| is_own)
            }),
            room: found.room.or_else(|| entry.room.clone()),
            icon: found.icon.or_else(|| entry.icon.clone()),
            decimals: found.decimals.or(entry.decimals),
            hidden: found.hidden.or(entry.hidden),
        })
    }
}

impl Entry {
    fn parse(node: &Node<'_>) -> Result<Self, ConfigError> {
        let mut object = node.object()?;
        let mut text = |key, max| -> Result<Option<String>, ConfigError> {
            let node = object.take(&[key]);
            node.map(|node| read_text(&node, max)).transpose()
        };
        let (name, room) = (text("name", MAX_NAME)?, text("room", MAX_NAME)?);
        let icon = text("icon", MAX_ICON)?;
        let decimals = object.take(&["decimals"]);
        let hidden = object.take(&["hidden"]);
        Ok(Self {
            name,
            room,
            icon,
            decimals: decimals.map(|node| read_decimals(&node)).transpose()?,
            hidden: match hidden {
                Some(node) if node.is("true") => Some(true),
                Some(node) if node.is("false") => Some(false),
                Some(node) => return Err(node.error("true or false")),
                None => None,
            },
        })
    }
}

fn read_text(node: &Node<'_>, max: usize) -> Result<String, ConfigError> {
    let text = node.string()?;
    if text.chars().count() > max || text.chars().any(char::is_control) {
        let expected = format_args!("at most {max} characters, none of them a control character");
        return Err(node.error(expected));
    }
    Ok(text)
}

fn read_decimals(node: &Node<'_>) -> Result<u8, ConfigError> {
    // Text is no number here: a value is kept as it is read.
    let range = 0..=MAX_DECIMALS;
    if node.is_string() {
        return Err(node.error(format_args!("a whole number from 0 to {MAX_DECIMALS}")));
    }
    let number = node.integer(range, &mut Warnings::default())?;
    Ok(u8::try_from(number).unwrap_or_default())
}

fn check_size(source: &Source) -> Result<(), ConfigError> {
    match source.text().len() {
        ..=MAX_BYTES => Ok(()),
        bytes => Err(ConfigError::new(
            source.name(),
            format_args!("{bytes} bytes"),
            format_args!("at most {MAX_BYTES}"),
        )),
    }
}

/// Reads an object with all its members.
fn values(node: &Node<'_>) -> Result<Map<String, Value>, ConfigError> {
    serde_json::from_str(node.text()).map_err(|_| node.error("an object {...}"))
}

/// Changes a value as a merge patch says (RFC 7396 §2).
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.shift_remove(&key);
            }
            value => merge(target.entry(key).or_insert(Value::Null), value),
        }
    }
}

fn pretty(root: &Map<String, Value>) -> Vec<u8> {
    // Whatever was read can be written.
    let mut json = serde_json::to_vec_pretty(root).unwrap_or_default();
    json.push(b'\n');
    json
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NODE: &str = "FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:01";

    fn parse(value: &Value) -> Result<Document, String> {
        let text = serde_json::to_string_pretty(value).unwrap();
        Document::parse(&Source::new("names.json", text)).map_err(|error| error.to_string())
    }

    fn value(document: &Document) -> Value {
        serde_json::from_slice(document.json()).unwrap()
    }

    #[test]
    fn a_sensor_has_what_its_node_has_but_not_its_name() {
        let names = parse(&json!({"names": {
            NODE: {"name": "Boiler", "room": "Cellar", "icon": "tank"},
            format!("{NODE}/2"): {"name": "Top", "decimals": 1},
            format!("{NODE}/2/35"): {"hidden": true, "room": "Roof"},
        }}))
        .unwrap();
        let guid = NODE.parse().unwrap();
        assert_eq!(
            names.of_measurement(guid, 2, 6),
            Entry {
                name: Some("Top".into()),
                room: Some("Cellar".into()),
                icon: Some("tank".into()),
                decimals: Some(1),
                hidden: None,
            }
        );
        let humidity = names.of_measurement(guid, 2, 35);
        assert_eq!(humidity.room.as_deref(), Some("Roof"));
        assert_eq!(humidity.hidden, Some(true));
        let other = names.of_measurement(guid, 1, 6);
        assert_eq!((other.name, other.room.as_deref()), (None, Some("Cellar")));
        let node = names.get(&Subject::node(guid)).unwrap();
        assert_eq!(node.name.as_deref(), Some("Boiler"));
    }

    #[test]
    fn what_is_not_known_is_kept_and_subjects_are_written_alike() {
        let names = parse(&json!({
            "comment": [1],
            "names": {"::FF:FE:00:00:00:00:00:00:00:01/0x02": {"name": "a", "colour": "red"}},
        }))
        .unwrap();
        let kept = json!({
            "comment": [1],
            "names": {format!("{NODE}/2"): {"name": "a", "colour": "red"}},
        });
        assert_eq!(value(&names), kept);
        assert_eq!(names.version(), parse(&kept).unwrap().version());
        assert_ne!(names.version(), Document::default().version());
    }

    #[test]
    fn a_patch_changes_some_members_and_removes_those_that_are_null() {
        let mut names = Document::default();
        let subject: Subject = format!("{NODE}/2").parse().unwrap();
        for (patch, expected) in [
            (
                json!({"name": "a", "room": "b", "x": {"y": 1}}),
                json!({"name": "a", "room": "b", "x": {"y": 1}}),
            ),
            (
                json!({"room": null, "decimals": 2, "x": {"z": 2}}),
                json!({"name": "a", "x": {"y": 1, "z": 2}, "decimals": 2}),
            ),
            (json!({"x": null, "decimals": null}), json!({"name": "a"})),
            (json!({"name": null}), Value::Null),
            (json!({"name": "a"}), json!({"name": "a"})),
            (Value::Null, Value::Null),
        ] {
            let patch = Source::new("patch", patch.to_string());
            names = names.patched(subject, &patch).unwrap();
            assert_eq!(value(&names)["names"][subject.to_string()], expected);
        }
        assert_eq!(names.version(), Document::default().version());
    }

    #[test]
    fn members_that_are_null_are_not_there() {
        let names =
            parse(&json!({"names": {NODE: {"name": "a", "hidden": null, "x": null}}})).unwrap();
        assert_eq!(value(&names)["names"][NODE], json!({"name": "a"}));
    }

    #[test]
    fn what_is_wrong_is_named_with_line_and_key() {
        for (document, error) in [
            (json!([]), "names.json:1: found [], expected an object"),
            (json!({}), "names.json:1: found no \"names\", expected"),
            (json!({"names": []}), "names.json:2: names: found []"),
            (
                json!({"names": {"x": {}}}),
                "names.json:3: names.x: found \"x\", expected GUID, GUID/SENSOR or",
            ),
            (
                json!({"names": {"-": 7}}),
                "names.json:3: names.-: found 7, expected an object",
            ),
            (
                json!({"names": {"-": {"name": 7}}}),
                "names.json:4: names.-.name: found 7, expected a string",
            ),
            (
                json!({"names": {"-": {"name": "a\nb"}}}),
                "names.json:4: names.-.name: found \"a\\nb\", expected at most 200 characters",
            ),
            (
                json!({"names": {"-": {"decimals": "2"}}}),
                "names.json:4: names.-.decimals: found \"2\", expected a whole number from 0 to 9",
            ),
            (
                json!({"names": {"-": {"hidden": 1}}}),
                "names.json:4: names.-.hidden: found 1, expected true or false",
            ),
            (
                json!({"names": {"-": {}, "00000000000000000000000000000000": {}}}),
                "found a second one, expected one entry for 00:00",
            ),
        ] {
            let found = parse(&document).unwrap_err();
            assert!(found.contains(error), "{found}");
        }
    }

    #[test]
    fn a_document_is_bounded() {
        let names: Map<String, Value> = (0..=MAX_ENTRIES)
            .map(|number| (format!("-/{}/{}", number % 256, number / 256), json!({})))
            .collect();
        let error = parse(&json!({"names": names})).unwrap_err();
        assert!(error.contains("found 10001 names, expected at most 10000"));
        let error = parse(&json!({"names": {}, "x": "x".repeat(MAX_BYTES)})).unwrap_err();
        assert!(error.contains("expected at most 1048576"), "{error}");
    }

    #[test]
    fn the_entries_of_other_nodes_are_left_out() {
        let names = parse(&json!({"names": {NODE: {}, "-": {}, "-/1": {}}, "x": 1})).unwrap();
        let shown = names.json_of(Guid::is_zero);
        let shown: Value = serde_json::from_slice(&shown).unwrap();
        let zero = Guid::ZERO;
        let expected = json!({"names": {zero.to_string(): {}, format!("{zero}/1"): {}}, "x": 1});
        assert_eq!(shown, expected);
    }
}
