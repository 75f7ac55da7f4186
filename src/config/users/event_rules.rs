//! The events that a user may send and receive.

use crate::{
    auth::{
        EventRules,
        event_rules::{Direction, EventRule, parse_side},
    },
    config::{keys::users as rows, section::Section},
    located_json::{ConfigError, Node, Warnings},
};

/// Reads `[TX|RX|BOTH;]class:type` in a string (separated by `/` or commas), an object
/// `{dir, class, type, max-priority}`, or a list of them. Fails at the first entry that is none.
pub(super) fn read(node: &Node<'_>, warnings: &mut Warnings) -> Result<EventRules, ConfigError> {
    let mut entries = Vec::new();
    for node in node.elements()? {
        if node.is_object() {
            entries.push(read_object(&node, warnings)?);
            continue;
        }
        let text = node.string()?;
        let expected = "[TX;|RX;|BOTH;]class:type, each a number up to 65535 or *";
        let listed = EventRule::parse_list(&text);
        entries.extend(listed.map_err(|entry| node.error_found(entry, expected))?);
    }
    Ok(EventRules::new(entries))
}

fn read_object(node: &Node<'_>, warnings: &mut Warnings) -> Result<EventRule, ConfigError> {
    let mut rule = Section::open(node, &rows::EVENT_RULE, warnings)?;
    let direction = rule.take(&rows::RULE_DIRECTION)?;
    let class = rule.node(&rows::RULE_CLASS)?;
    let kind = rule.node(&rows::RULE_TYPE)?;
    let priority = rule.node(&rows::RULE_MAX_PRIORITY)?;
    let priority = priority.filter(|node| !node.is("-1"));
    let max_priority = rows::RULE_MAX_PRIORITY.read(priority.as_ref(), rule.warnings())?;
    if let (Direction::Rx, Some(node)) = (direction, &priority) {
        rule.warnings()
            .at(node, "without effect, it is for events that are sent");
    }
    let mut side = |node: Option<Node<'_>>| match node {
        Some(node) => read_side(&node, rule.warnings()),
        None => Ok(None),
    };
    Ok(EventRule {
        direction,
        class: side(class)?,
        kind: side(kind)?,
        max_priority,
    })
}

/// Reads a class or a type of an object, `None` for any.
fn read_side(node: &Node<'_>, warnings: &mut Warnings) -> Result<Option<u16>, ConfigError> {
    let expected = "a number from 0 to 65535, or -1 for any";
    if node.is("-1") {
        return Ok(None);
    }
    if node.is_string() {
        return parse_side(&node.string()?).ok_or_else(|| node.error(expected));
    }
    let side = node.integer(0..=0xFFFF, warnings);
    Ok(Some(side.map_err(|_| node.error(expected))? as u16))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::located_json::Source;

    fn read(json: &str) -> Result<(EventRules, Vec<String>), String> {
        let source = Source::new("u.json", json);
        let mut warnings = Warnings::default();
        let rules = super::read(&source.root().unwrap(), &mut warnings);
        match rules.and_then(|rules| warnings.unless_errors(0, rules)) {
            Ok(list) => Ok((list, warnings.into_lines())),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_list_limits_only_its_direction() {
        for (json, event, may_send, may_receive) in [
            ("\"\"", (10, 6), true, true),
            ("[]", (10, 6), true, true),
            ("[\"10:*\", \"30:9\"]", (10, 6), true, true),
            ("[\"10:*\", \"30:9\"]", (30, 9), true, true),
            ("[\"10:*\", \"30:9\"]", (30, 10), false, true),
            ("[\"10:*\", \"30:9\"]", (0, 0), false, true),
            ("\"10:*/30:9\"", (30, 10), false, true),
            ("\"10:*, 30:9\"", (30, 9), true, true),
            ("\"*:9\"", (77, 9), true, true),
            ("\"*:9\"", (77, 8), false, true),
            ("\"*:*\"", (77, 8), true, true),
            ("\"tx; 0x0A : 0xff\"", (10, 255), true, true),
            ("\"RX;10:6\"", (10, 6), true, true),
            ("\"RX;10:6\"", (10, 7), true, false),
            ("\"Both;10:6\"", (10, 6), true, true),
            ("\"Both;10:6\"", (10, 7), false, false),
            ("\"TX;10:6/RX;20:*\"", (20, 1), false, true),
            ("\"TX;10:6/RX;20:*\"", (10, 6), true, false),
            ("{\"class\": 10, \"type\": -1}", (10, 65535), true, true),
            ("{\"class\": 10, \"type\": -1}", (11, 65535), false, true),
            (
                "[{\"dir\": \"rx\", \"class\": \"0x0A\", \"type\": \"*\"}]",
                (10, 1),
                true,
                true,
            ),
            (
                "[{\"dir\": \"rx\", \"class\": \"0x0A\", \"type\": \"*\"}]",
                (9, 1),
                true,
                false,
            ),
            (
                "[\"20:1\", {\"dir\": \"BOTH\", \"type\": 3}]",
                (20, 1),
                true,
                false,
            ),
            (
                "[\"20:1\", {\"dir\": \"BOTH\", \"type\": 3}]",
                (20, 3),
                true,
                true,
            ),
        ] {
            let (list, warnings) = read(json).unwrap();
            let (class, kind) = event;
            assert_eq!(
                list.may_send(class, kind),
                may_send,
                "send {json} {event:?}"
            );
            assert_eq!(
                list.may_receive(class, kind),
                may_receive,
                "receive {json} {event:?}"
            );
            assert_eq!(warnings, [""; 0]);
        }
    }

    #[test]
    fn the_strictest_priority_of_all_entries_for_sending_counts() {
        let json = "[{\"class\": 10, \"max-priority\": 3}, {\"type\": 6, \"max-priority\": 5},
            {\"dir\": \"RX\", \"max-priority\": 7}, {\"class\": 30, \"max-priority\": -1}]";
        let (list, warnings) = read(json).unwrap();
        assert_eq!(list.max_priority(10, 1), Some(3));
        assert_eq!(list.max_priority(10, 6), Some(5));
        assert_eq!(list.max_priority(30, 6), Some(5));
        assert_eq!(list.max_priority(30, 7), None);
        assert_eq!(list.max_priority(1, 1), None);
        assert_eq!(
            warnings,
            ["u.json:2: [2].max-priority: without effect, it is for events that are sent"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_names_it() {
        for (json, start) in [
            (
                "[\"10:*\",\n\"10\"]",
                "u.json:2: [1]: found \"10\", expected [TX;|RX;|BOTH;]class",
            ),
            ("\"10:65536\"", "u.json:1: found \"10:65536\""),
            ("\"-1:1\"", "u.json:1: found \"-1:1\""),
            ("\"TRX;10:1\"", "u.json:1: found \"TRX;10:1\""),
            ("\"10:1:2\"", "u.json:1: found \"10:1:2\""),
            ("\":\"", "u.json:1: found \":\""),
            ("7", "u.json:1: found 7, expected a string"),
            (
                "{\"class\": 65536}",
                "u.json:1: class: found 65536, expected a number from 0",
            ),
            (
                "{\"type\": -2}",
                "u.json:1: type: found -2, expected a number from 0",
            ),
            (
                "{\"type\": \"x\"}",
                "u.json:1: type: found \"x\", expected a number from 0",
            ),
            (
                "{\"dir\": \"up\"}",
                "u.json:1: dir: found \"up\", expected \"TX\" or \"RX\"",
            ),
            (
                "{\"max-priority\": 8}",
                "u.json:1: max-priority: found 8, expected a whole number",
            ),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn unknown_keys_of_an_entry_are_warnings() {
        let (_, warnings) = read("[{\"clas\": 1}]").unwrap();
        assert_eq!(
            warnings,
            ["u.json:1: [0].clas: unknown key; did you mean \"class\"?"]
        );
    }

    #[test]
    fn it_is_shown_without_directions() {
        let (list, _) = read("[\"10:*\", \"RX;0x1E:9\", {\"type\": 3}]").unwrap();
        assert_eq!(list.to_string(), "10:*/30:9/*:3");
        assert!(list.limits_receiving());
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_and_allows_exactly_its_entries(
            entries in prop::collection::vec(
                (prop::option::of(0u16..4), prop::option::of(0u16..4)), 1..5),
            class in 0u16..4,
            kind in 0u16..4,
        ) {
            let texts = entries.iter().map(|(class, kind)| {
                let side = |side: &Option<u16>| side.map_or("*".into(), |n| n.to_string());
                format!("{}:{}", side(class), side(kind))
            });
            let text = texts.collect::<Vec<_>>().join("/");
            let (list, _) = read(&format!("{text:?}")).unwrap();
            let expected = entries.iter()
                .any(|(c, k)| c.is_none_or(|c| c == class) && k.is_none_or(|k| k == kind));
            prop_assert_eq!(list.may_send(class, kind), expected);
            prop_assert!(list.may_receive(class, kind));
            prop_assert_eq!(list.to_string(), text);
        }
    }
}
