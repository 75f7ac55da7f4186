//! One user, and what it may do.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    address_rules::AddressRules, event_rules::EventRules, password::StoredPassword, rights::Rights,
};
use crate::event::Filter;

/// A user as the users file describes it.
#[derive(Debug)]
pub struct User {
    /// Index in the users file, from 0.
    pub index: usize,
    /// Login name.
    pub name: String,
    /// Name for people.
    pub fullname: String,
    /// Free text.
    pub note: String,
    /// Password in its stored form.
    pub password: StoredPassword,
    /// The rights of the user.
    pub rights: Rights,
    /// Addresses that the user may log in from.
    pub remotes: AddressRules,
    /// Events that the user may send and receive, as far as `rights` allow.
    pub events: EventRules,
    /// The filter that a session starts with.
    pub filter: Filter,
    /// Highest priority (0 is the highest of all, 7 the lowest) that the user may send events with.
    pub max_priority: Option<u8>,
    /// The value of `Users::generation` when the user got its password. A user who was removed and
    /// added again has another generation, so that logins from before are not valid any more.
    pub generation: u64,
}

impl User {
    /// Returns a user with the default rights, who may log in from any address.
    pub fn new(name: impl Into<String>, password: StoredPassword) -> Self {
        Self {
            index: 0,
            name: name.into(),
            fullname: String::new(),
            note: String::new(),
            password,
            rights: Rights::default(),
            remotes: AddressRules::default(),
            events: EventRules::default(),
            filter: Filter::default(),
            max_priority: None,
            generation: 0,
        }
    }

    /// Returns true if the user may send events of this class and type.
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

    /// Returns true if the user may receive events of this class and type.
    pub fn may_receive(&self, class: u16, kind: u16) -> bool {
        self.rights.contains(Rights::RCV_EVENT) && self.events.may_receive(class, kind)
    }

    /// Returns the priority that an event of the user is sent with: `priority`, or the highest that
    /// the user may use if that is lower (a higher number).
    pub fn lowered_priority(&self, class: u16, kind: u16, priority: u8) -> u8 {
        let limits = [self.max_priority, self.events.max_priority(class, kind)];
        limits.into_iter().flatten().fold(priority, u8::max)
    }

    /// Returns the ten fields of the ws1 login reply, separated by `;`.
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
}
