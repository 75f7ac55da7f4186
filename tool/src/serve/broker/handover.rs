//! The state that a connection leaves to the next one when the configuration is read again.

use std::collections::BTreeSet;

use super::session::Session;
use crate::serve::settings::Mqtt;

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve) enum Ending {
    /// Another one follows, which goes on with the session.
    GoOn,
    /// Another one follows, to another broker or as another client.
    Move,
    /// The host ends.
    Host,
}

/// The state of a connection that the next one continues.
#[derive(Default)]
pub(in crate::serve) struct Kept {
    /// The session with all that the broker has not confirmed.
    pub(super) session: Option<Session>,
    /// The topic filters that the session has been subscribed to.
    pub(super) filters: BTreeSet<String>,
}

impl Ending {
    /// Returns how the connection with the settings `old` must end if one with `new` follows.
    pub(in crate::serve) fn between(old: &Mqtt, new: &Mqtt) -> Self {
        let lasts = |mqtt: &Mqtt| !mqtt.clean_session && !mqtt.client_id.is_empty();
        let is_same = old.address == new.address
            && old.client_id == new.client_id
            && old.user == new.user
            && old.version == new.version;
        match is_same && lasts(old) && lasts(new) {
            true => Self::GoOn,
            false => Self::Move,
        }
    }
}
