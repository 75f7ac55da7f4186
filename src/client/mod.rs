//! The parts that websocket clients and REST sessions share.
//!
//! The [`registry`] admits clients and disconnects them. A [`ClientGuard`] is the entry of one
//! client in it. [`Places`] limit the number of connections, and of websocket clients that have not
//! logged in. A [`Login`] is an attempt to log in. A [`Backlog`] keeps the events that a client has
//! not taken yet. [`authorize`] decides whether a user may send an event, [`SessionId`] names a
//! session, and [`Shared`] is the state that all connections of a driver share.

pub(crate) mod backlog;
mod label;
mod login;
mod places;
pub(crate) mod registry;
mod session_id;
mod submission;

use std::sync::Arc;

#[cfg(test)]
pub(crate) use self::session_id::NoRandomness;
pub(crate) use self::{
    backlog::{Backlog, Backlogs},
    label::ClientLabel,
    login::Login,
    places::{Place, Places},
    registry::{ClientGuard, Kind, Registry},
    session_id::SessionId,
    submission::{NotAllowed, authorize},
};
use crate::{auth::Authenticator, hub::Hub, metrics::Counters};

/// The state that all connections of a driver share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The router of events.
    pub hub: Arc<Hub>,
    /// Decides about logins.
    pub authenticator: Arc<Authenticator>,
    /// Knows who is connected.
    pub registry: Arc<Registry>,
    /// Bounds the events that wait for clients.
    pub backlogs: Arc<Backlogs>,
    /// Counts what passes and what is dropped.
    pub counters: Arc<Counters>,
}

#[cfg(test)]
pub(crate) mod tests;
