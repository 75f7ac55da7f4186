//! The record of one user.

use super::{address_rules, event_rules, rights};
use crate::{
    auth::{AddressRules, EventRules, Rights, StoredPassword, User},
    config::{filter, keys::users as rows, section::Section},
    located_json::{ConfigError, Node, Warnings},
};

const EXPECTED: &str = "an object {...} with at least \"name\" and \"password\"";

/// Reads the record of a user. Fails at the first key that is missing or wrong.
pub(super) fn read(node: &Node<'_>, warnings: &mut Warnings) -> Result<User, ConfigError> {
    let mut record = match node.is_object() {
        true => Section::open(node, &rows::USER, warnings)?,
        // It is not shown: it may be a password.
        false => return Err(node.error_found("none", EXPECTED)),
    };
    let name = read_name(node, &mut record)?;
    let Some(password) = record.node(&rows::PASSWORD)? else {
        return Err(node.error_found("no \"password\"", EXPECTED));
    };
    let [filter, mask] = [record.node(&rows::FILTER)?, record.node(&rows::MASK)?];
    let (filter, _) = filter::read(filter.as_ref(), mask.as_ref(), record.warnings())?;
    Ok(User {
        index: 0,
        name,
        fullname: record.take(&rows::FULLNAME)?,
        note: record.take(&rows::NOTE)?,
        password: read_password(&password)?,
        rights: match record.node(&rows::RIGHTS)? {
            Some(node) => rights::read(&node, record.warnings())?,
            None => Rights::default(),
        },
        remotes: match record.node(&rows::REMOTES)? {
            Some(node) => address_rules::read(&node)?,
            None => AddressRules::default(),
        },
        events: match record.node(&rows::EVENTS)? {
            Some(node) => event_rules::read(&node, record.warnings())?,
            None => EventRules::default(),
        },
        filter,
        max_priority: record.take(&rows::MAX_PRIORITY)?,
        generation: 0,
    })
}

fn read_name(node: &Node<'_>, record: &mut Section<'_, '_>) -> Result<String, ConfigError> {
    let Some(name_node) = record.node(&rows::NAME)? else {
        return Err(node.error_found("no \"name\"", EXPECTED));
    };
    let name = name_node.string()?;
    if name.trim().is_empty() || name.contains(|c: char| c == ';' || c.is_control()) {
        return Err(name_node.error("a name, without ; and control characters"));
    }
    if name.contains(':') {
        record
            .warnings()
            .at(&name_node, "a user with : in the name can never log in");
    }
    Ok(name)
}

fn read_password(node: &Node<'_>) -> Result<StoredPassword, ConfigError> {
    let expected = "32 hex digits (MD5), SALT;HASH or SALT;HASH;ROUNDS";
    let text = node
        .string()
        .map_err(|_| node.error_found("no string", expected))?;
    StoredPassword::parse(&text).map_err(|error| node.error_found(error, expected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Guid, located_json::Source};

    const MD5: &str = "2d1e4f91dae49cd08eaba2293e422273";

    fn user_of(json: &str) -> User {
        let mut warnings = Warnings::default();
        let source = Source::new("u.json", json);
        let user = read(&source.root().unwrap(), &mut warnings).unwrap();
        assert_eq!(warnings.into_lines(), [""; 0]);
        user
    }

    /// A user with the further keys `more`.
    fn user(more: &str) -> User {
        user_of(&format!(r#"{{"name":"u","password":"{MD5}"{more}}}"#))
    }

    #[test]
    fn synonyms_stand_for_their_keys() {
        let json = format!(
            r#"{{"user":"u","credentials":"{MD5}","full-name":"U U","note":"n",
            "allow-events":"30:9","filter":"1,2,3,-","mask":"7,0xFFFF,0,","max-priority":5}}"#
        );
        let user = user_of(&json);
        assert_eq!(user.name, "u");
        assert!(user.password.is_md5());
        assert_eq!(user.fullname, "U U");
        assert_eq!(user.note, "n");
        assert!(!user.may_send(30, 8));
        assert_eq!(user.filter.value.class, 2);
        assert_eq!(user.filter.mask.class, 0xFFFF);
        assert_eq!(user.max_priority, Some(5));
    }

    #[test]
    fn a_filter_without_a_mask_looks_at_what_it_gives_and_warns() {
        let ones = "255,65535,0,-";
        for (keys, mask, warned) in [
            (r#""filter":"0,10""#, ones, true),
            (r#""filter":"0,10","mask":"""#, ones, true),
            (r#""filter":"0,10","mask":" ""#, ones, true),
            (r#""filter":"0,10","mask":"0,0,0,-""#, "0,0,0,-", false),
            (r#""filter":"0,10;0,255""#, "0,255,0,-", false),
            (r#""filter":"0,10","mask":"0,255""#, "0,255,0,-", false),
            (r#""filter":"","mask":"""#, "0,0,0,-", false),
            (r#""mask":"0,255""#, "0,255,0,-", false),
        ] {
            let json = format!("{{\"name\":\"u\",\"password\":\"{MD5}\",\n{keys}}}");
            let source = Source::new("u.json", json);
            let mut warnings = Warnings::default();
            let user = read(&source.root().unwrap(), &mut warnings).unwrap();
            assert_eq!(user.filter.mask, mask.parse().unwrap(), "{keys}");
            let warning = "u.json:2: filter: a filter without a mask, taken as a mask of all ones \
                           on the fields given";
            let expected = if warned { vec![warning] } else { Vec::new() };
            assert_eq!(warnings.into_lines(), expected, "{keys}");
        }
    }

    #[test]
    fn rights_and_event_list_must_both_allow() {
        for (more, event, may_send, may_receive) in [
            ("", (10, 6), true, true),
            ("", (0, 1), true, true),
            ("", (1028, 1), false, true),
            (r#","rights":"send-events""#, (10, 6), true, false),
            (r#","rights":"send-events""#, (0, 6), false, false),
            (r#","rights":"send-events""#, (512, 6), false, false),
            (r#","rights":"send-events""#, (1024, 6), false, false),
            (
                r#","rights":"send-events/l1ctrl-events""#,
                (0, 6),
                true,
                false,
            ),
            (
                r#","rights":"send-events/l1ctrl-events""#,
                (512, 6),
                true,
                false,
            ),
            (
                r#","rights":"send-events/l1ctrl-events""#,
                (1024, 6),
                false,
                false,
            ),
            (
                r#","rights":"send-events/l2ctrl-events""#,
                (1024, 6),
                true,
                false,
            ),
            (
                r#","rights":"send-events/hlo-events""#,
                (1028, 6),
                true,
                false,
            ),
            (r#","rights":"l1ctrl-events""#, (0, 6), false, false),
            (r#","rights":"receive-events""#, (1028, 6), false, true),
            (
                r#","rights":"receive-events","events":"RX;10:6""#,
                (10, 7),
                false,
                false,
            ),
            (r#","events":"TX;10:6/RX;10:7""#, (10, 6), true, false),
            (
                r#","events":"0:1","rights":"send-events""#,
                (0, 1),
                false,
                false,
            ),
            (r#","rights":"admin""#, (1028, 6), true, true),
            (r#","rights":0"#, (10, 6), false, false),
        ] {
            let user = user(more);
            let (class, kind) = event;
            assert_eq!(
                user.may_send(class, kind),
                may_send,
                "send {more} {event:?}"
            );
            assert_eq!(
                user.may_receive(class, kind),
                may_receive,
                "receive {more} {event:?}"
            );
        }
    }

    #[test]
    fn a_priority_is_lowered_to_the_lower_limit_and_never_raised() {
        let both = r#","max-priority":3,"events":[{"class":10,"max-priority":5},"*:*"]"#;
        for (more, class, priority, lowered) in [
            ("", 10, 0, 0),
            (r#","max-priority":3"#, 10, 0, 3),
            (r#","max-priority":3"#, 10, 3, 3),
            (r#","max-priority":3"#, 10, 7, 7),
            (both, 10, 0, 5),
            (both, 10, 6, 6),
            (both, 11, 0, 3),
        ] {
            let user = user(more);
            assert_eq!(
                user.lowered_priority(class, 6, priority),
                lowered,
                "{more} {priority}"
            );
        }
    }

    #[test]
    fn the_login_reply_has_ten_fields() {
        let user = user(
            r#","fullname":"U; U","rights":"user","remotes":"10.0.0.0/8,-10.0.0.1","note":"a;b",
            "events":["10:*","RX;30:9"],"filter":"1,2,3,-","mask":"7,0xFFFF,0,""#,
        );
        let guid = Guid::default();
        assert_eq!(
            user.auth1_fields(),
            format!(
                "0;u;;U  U;1,2,3,{guid};7,65535,0,{guid};1507455;+10.0.0.0/8,-10.0.0.1;10:*/30:9;YTti"
            )
        );
    }
}
