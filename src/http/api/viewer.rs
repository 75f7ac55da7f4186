//! The view of a user: the nodes and sensors of which it may receive the events.

use std::sync::Arc;

use hyper::StatusCode;

use super::{Api, demand, reply::ApiError, request::ApiRequest};
use crate::{
    auth::{Rights, User},
    event::{Event, Guid},
    history::Origin,
    memory,
};

/// A user who asks.
#[derive(Clone, Debug)]
pub(super) struct Viewer(Arc<User>);

impl Viewer {
    /// Returns true if the user may receive events with this priority, class, type and GUID.
    pub(super) fn may_receive(&self, priority: u8, class: u16, kind: u16, guid: &Guid) -> bool {
        let Self(user) = self;
        user.may_receive(class, kind) && user.filter.passes(priority, class, kind, guid)
    }

    /// Returns true if the user may receive an event.
    pub(super) fn may_see(&self, event: &Event) -> bool {
        self.may_receive(event.priority(), event.class, event.kind, &event.guid)
    }
}

/// Fails with 503 if there is no memory for an answer of about so many bytes.
pub(super) fn check_memory(bytes: usize) -> Result<(), ApiError> {
    match memory::is_there_for(bytes) {
        true => Ok(()),
        false => Err(ApiError::busy("There is no memory for the answer.")),
    }
}

impl Api {
    /// Returns the user who asks for the state or the history. Fails if nobody is logged in, if the
    /// user may not receive events, or if there is no history.
    pub(super) fn viewer(&self, request: &ApiRequest<'_>) -> Result<Viewer, ApiError> {
        let user = self.user(request)?;
        demand(&user, Rights::RCV_EVENT)?;
        if !self.history.is_stored() {
            let text = "There is no history; see the key history.";
            return Err(ApiError::new(StatusCode::NOT_FOUND, text));
        }
        Ok(Viewer(user))
    }

    /// Returns a function that names an origin: `host`, `client`, or the network interface of a CAN
    /// bus.
    pub(super) fn origins(&self) -> impl Fn(Origin) -> String + use<> {
        let buses = self.shared.counters.buses.list();
        move |origin| match origin {
            Origin::Host => "host".to_owned(),
            Origin::Client => "client".to_owned(),
            Origin::Bus(bus) => {
                let known = buses.iter().find(|(index, ..)| *index == bus);
                known.map_or_else(
                    || format!("bus {bus}"),
                    |(_, interface, _)| interface.clone(),
                )
            }
        }
    }
}
