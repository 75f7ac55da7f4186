//! The operations of REST.

use std::{future::poll_fn, sync::Arc};

use super::{
    Rest,
    params::Params,
    reply::{Reply, RestError},
    sessions::Session,
};
use crate::{
    auth::{Credentials, LoginError, Rights, User},
    client::{Login, NotAllowed, authorize},
    event::{
        Date, Event, Filter, Guid,
        measurement::{Form, Measurement},
        text,
    },
    http::route::Peer,
    hub::NotAccepted,
    memory,
};

/// The largest number of events in one reply.
const MAX_EVENTS: usize = 1000;

impl Rest {
    /// Carries out the operation that the parameters ask for, in an open session or in a new one.
    /// Fails with the error to answer.
    pub(super) async fn run(&self, peer: &Peer, params: &Params) -> Result<Reply, RestError> {
        let operation = match params.get("op") {
            None => Operation::Open,
            Some(name) => Operation::parse(name).ok_or(RestError::MissingData)?,
        };
        let sid = params.get("vscpsession");
        let credentials = params.credentials();
        let session = match (sid, credentials) {
            // Opening with credentials makes a new session, even if the id of another is given.
            (_, Some(credentials)) if operation == Operation::Open || sid.is_none() => {
                let user = self.login(peer, credentials).await?;
                self.sessions
                    .open(user, peer.address)
                    .ok_or(RestError::NoSession)?
            }
            (Some(sid), _) => {
                let session = self.sessions.find(sid, peer.address);
                session.ok_or(RestError::InvalidSession)?
            }
            (None, _) if operation == Operation::Open => return Err(RestError::InvalidUser),
            (None, _) => return Err(RestError::InvalidSession),
        };
        let reply = self.operate(operation, &session, params).await;
        // The client cannot come back to a session whose id was not in a reply.
        let unknown = sid.is_none() && !matches!(reply, Ok(Reply::Session { .. }));
        if unknown || operation == Operation::Close {
            self.sessions.close(&session);
        }
        reply
    }

    /// Logs the sender of a request in. Fails with the error to answer.
    async fn login(&self, peer: &Peer, credentials: Credentials) -> Result<Arc<User>, RestError> {
        let login = Login {
            credentials: Some(credentials),
            address: peer.address,
            needed: Rights::REST,
            max_failures: self.max_failed_logins,
        };
        let user = login
            .run(&self.shared.authenticator, Some(&peer.place))
            .await;
        user.map_err(|error| match error {
            LoginError::TooManyWaiting | LoginError::TooManyFailures => RestError::NoSession,
            _ if !self.explain_logins => RestError::InvalidUser,
            LoginError::UnknownUser => RestError::InvalidUser,
            LoginError::ForbiddenAddress => RestError::InvalidOrigin,
            LoginError::WrongPassword => RestError::InvalidPassword,
        })
    }

    async fn operate(
        &self,
        operation: Operation,
        session: &Session,
        params: &Params,
    ) -> Result<Reply, RestError> {
        match operation {
            Operation::Status | Operation::Open => {
                return Ok(Reply::Session {
                    sid: session.sid(),
                    events: session.kept(),
                });
            }
            Operation::Close => {}
            Operation::SendEvent => {
                let event = text::parse(params.required("vscpevent")?);
                let event = event.map_err(|_| RestError::Range)?;
                self.send(session, event).await?;
            }
            Operation::ReadEvent => {
                let count = params.number("count")?.unwrap_or(1);
                if count == 0 {
                    return Err(RestError::Range);
                }
                let taken = session.take(count, max_events(session.kept()));
                if taken.events.is_empty() {
                    return Err(RestError::QueueEmpty);
                }
                return Ok(Reply::Events(taken));
            }
            Operation::SetFilter => {
                let filter = params.required("vscpfilter")?;
                let mask = params.required("vscpmask")?;
                if !session.user().rights.contains(Rights::SETFILTER) {
                    return Err(RestError::InvalidUser);
                }
                let filter = Filter::parse_wire(filter, mask).map_err(|_| RestError::Range)?;
                session.set_filter(filter);
            }
            Operation::ClearQueue => session.clear(),
            Operation::Measurement => self.send(session, measurement(params)?).await?,
            Operation::Variable => return Err(RestError::NoVariable),
            Operation::NewVariable => return Err(RestError::NoNewVariable),
            Operation::Table => return Err(RestError::NoTable),
        }
        Ok(Reply::Success)
    }

    /// Sends an event of the session's user, waiting for room in the hub.
    async fn send(&self, session: &Session, mut event: Event) -> Result<(), RestError> {
        let user = session.user();
        authorize(user, &mut event).map_err(|NotAllowed| RestError::InvalidUser)?;
        let hub = &self.shared.hub;
        let mut waiting = Some(event);
        let accepted = poll_fn(|context| {
            hub.poll_accept(context, session.id(), &mut waiting, &hub.batch_clock())
        });
        accepted.await.map_err(|error| match error {
            NotAccepted::Full | NotAccepted::Closed => RestError::NoRoom,
            NotAccepted::TooLarge { .. } | NotAccepted::Date => RestError::Range,
        })
    }
}

/// Returns how many of the kept events can be read with one request: fewer if memory is short.
fn max_events(kept: usize) -> usize {
    /// Bytes of an event in a reply, about.
    const EVENT: usize = 1024;
    let mut max = kept.min(MAX_EVENTS);
    while max > 1 && !memory::is_there_for(max * EVENT) {
        max /= 2;
    }
    max
}

/// An operation, by the parameter `op`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Status,
    Open,
    Close,
    SendEvent,
    ReadEvent,
    SetFilter,
    ClearQueue,
    /// Read, write or list variables. This driver has no variables.
    Variable,
    NewVariable,
    Measurement,
    Table,
}

impl Operation {
    /// Reads the word of an operation in any case, or its number.
    fn parse(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "0" | "status" => Self::Status,
            "1" | "open" => Self::Open,
            "2" | "close" => Self::Close,
            "3" | "sendevent" => Self::SendEvent,
            "4" | "readevent" => Self::ReadEvent,
            "5" | "setfilter" => Self::SetFilter,
            "6" | "clearqueue" => Self::ClearQueue,
            "7" | "readvar" | "8" | "writevar" | "12" | "listvar" => Self::Variable,
            "9" | "createvar" => Self::NewVariable,
            "10" | "measurement" => Self::Measurement,
            "11" | "table" => Self::Table,
            _ => return None,
        })
    }
}

/// Builds the event of a measurement. Fails if a parameter is missing or out of range.
fn measurement(params: &Params) -> Result<Event, RestError> {
    let byte = |name| params.number(name).map(Option::unwrap_or_default);
    let sensor = match params.get("sensorindex") {
        Some(_) => "sensorindex",
        None => "sensoridx",
    };
    let measurement = Measurement {
        kind: params.number("type")?.ok_or(RestError::MissingData)?,
        value: params.parsed("value")?.ok_or(RestError::MissingData)?,
        unit: byte("unit")?,
        sensor: byte(sensor)?,
        zone: byte("zone")?,
        subzone: byte("subzone")?,
    };
    let text = match params.get("eventformat") {
        None => false,
        Some(form) if form.eq_ignore_ascii_case("float") => false,
        Some(form) if form.eq_ignore_ascii_case("string") => true,
        Some(_) => return Err(RestError::Range),
    };
    let form = match (params.number("level")?.unwrap_or(2_u8), text) {
        (1, _) => Form::Level1,
        (2, false) => Form::Float,
        (2, true) => Form::Text,
        _ => return Err(RestError::Range),
    };
    let mut event = measurement.to_event(form).ok_or(RestError::Range)?;
    event.guid = params.parsed::<Guid>("guid")?.unwrap_or_default();
    let date = params.get("datetime").map(Date::parse_wire);
    event.date = date.transpose().map_err(|_| RestError::Range)?.flatten();
    Ok(event)
}
