//! One user.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{access::AccessList, events::EventList, password::StoredPassword, rights::Rights};
use crate::{
    config::filter,
    event::Filter,
    json::{ConfigError, Node},
};

/// Who may log in, and what then.
#[derive(Debug)]
pub struct User {
    /// Place in the table, from 0.
    pub index: usize,
    /// Login name.
    pub name: String,
    /// Name for people.
    pub fullname: String,
    /// Free text.
    pub note: String,
    /// Password as it is stored.
    pub password: StoredPassword,
    /// What the user may do.
    pub rights: Rights,
    /// Where the user may come from.
    pub remotes: AccessList,
    /// Events that the user may send and receive, as far as `rights` allow.
    pub events: EventList,
    /// The filter that a session starts with.
    pub filter: Filter,
    /// Highest priority (0 is the highest of all, 7 the lowest) of the events sent.
    pub max_priority: Option<u8>,
}

impl User {
    /// Whether the user may send such an event.
    pub fn may_send(&self, class: u16, kind: u16) -> bool {
        let protocol = match class {
            0 | 512 => Rights::SEND_L1CTRL,
            1024 => Rights::SEND_L2CTRL,
            1028 => Rights::SEND_HLO,
            _ => Rights::SEND_EVENT,
        };
        self.rights.contains(Rights::SEND_EVENT)
            && self.rights.contains(protocol)
            && self.events.may_send(class, kind)
    }

    /// Whether such an event may be delivered to the user.
    pub fn may_receive(&self, class: u16, kind: u16) -> bool {
        self.rights.contains(Rights::RCV_EVENT) && self.events.may_receive(class, kind)
    }

    /// The priority that such an event of the user goes out with: `priority`, or a lower one (a
    /// higher number).
    pub fn lowered_priority(&self, class: u16, kind: u16, priority: u8) -> u8 {
        let limits = [self.max_priority, self.events.max_priority(class, kind)];
        limits.into_iter().flatten().fold(priority, u8::max)
    }

    /// The ten fields of the ws1 login reply, separated by `;`.
    pub fn auth1_fields(&self) -> String {
        let plain = |c: char| if c == ';' || c.is_control() { ' ' } else { c };
        format!(
            "{};{};;{};{};{};{};{};{};{}",
            self.index,
            self.name,
            self.fullname.chars().map(plain).collect::<String>(),
            self.filter.value,
            self.filter.mask,
            self.rights.bits(),
            self.remotes.list(),
            self.events,
            BASE64_STANDARD.encode(&self.note),
        )
    }

    /// Reads the record of a user, which is at `index`. Adds what is odd in it to `warnings`.
    pub(super) fn read(
        node: &Node<'_>,
        index: usize,
        warnings: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        let expected = "an object {...} with at least \"name\" and \"password\"";
        let mut record = node
            .object()
            .map_err(|_| node.error_found("none", expected))?;
        let Some(name_node) = record.take(&["name", "user"]) else {
            return Err(node.error_found("no \"name\"", expected));
        };
        let name = name_node.string()?;
        if name.trim().is_empty() || name.contains(|c: char| c == ';' || c.is_control()) {
            return Err(name_node.error("a name, without ; and control characters"));
        }
        if name.contains(':') {
            warnings.push(format!(
                "{}: {}: a user with : in the name can never log in",
                name_node.place(),
                name_node.path()
            ));
        }
        let Some(password) = record.take(&["password", "credentials"]) else {
            return Err(node.error_found("no \"password\"", expected));
        };
        let mut text = |names| match record.take(names) {
            Some(node) => node.string(),
            None => Ok(String::new()),
        };
        let fullname = text(&["fullname", "full-name"])?;
        let note = text(&["note"])?;
        let [value, mask] = [record.take(&["filter"]), record.take(&["mask"])];
        let (filter, _) = filter::read(value.as_ref(), mask.as_ref(), warnings)?;
        let user = Self {
            index,
            name,
            fullname,
            note,
            password: read_password(&password)?,
            rights: match record.take(&["rights"]) {
                Some(node) => Rights::read(&node)?,
                None => Rights::default(),
            },
            remotes: match record.take(&["remotes"]) {
                Some(node) => AccessList::read(&node)?,
                None => AccessList::default(),
            },
            events: match record.take(&["events", "allow-events"]) {
                Some(node) => EventList::read(&node, warnings)?,
                None => EventList::default(),
            },
            filter,
            max_priority: match record.take(&["max-priority"]) {
                Some(node) => Some(node.integer(0..=7)? as u8),
                None => None,
            },
        };
        record.finish(warnings);
        Ok(user)
    }
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
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::{event::Guid, json::Source};

    const MD5: &str = "2d1e4f91dae49cd08eaba2293e422273";

    fn read(json: &str) -> User {
        let mut warnings = Vec::new();
        let source = Source::new("u.json", json);
        let user = User::read(&source.root().unwrap(), 0, &mut warnings).unwrap();
        assert_eq!(warnings, [""; 0]);
        user
    }

    /// A user with the further keys `more`.
    fn user(more: &str) -> User {
        read(&format!(r#"{{"name":"u","password":"{MD5}"{more}}}"#))
    }

    #[test]
    fn synonyms_stand_for_their_keys() {
        let json = format!(
            r#"{{"user":"u","credentials":"{MD5}","full-name":"U U","note":"n",
            "allow-events":"30:9","filter":"1,2,3,-","mask":"7,0xFFFF,0,","max-priority":5}}"#
        );
        let user = read(&json);
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
            let mut warnings = Vec::new();
            let user = User::read(&source.root().unwrap(), 0, &mut warnings).unwrap();
            assert_eq!(user.filter.mask, mask.parse().unwrap(), "{keys}");
            let warning = "u.json:2: filter: a filter without a mask, taken as a mask of all ones \
                           on the fields given";
            let expected = if warned { vec![warning] } else { Vec::new() };
            assert_eq!(warnings, expected, "{keys}");
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
