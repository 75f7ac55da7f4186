//! What can be asked for, and doing it.

use std::future::poll_fn;

use super::{
    Rest,
    params::Params,
    reply::{Failure, Reply},
    sessions::Session,
};
use crate::{
    auth::{Refusal, Rights},
    event::{
        Date, Event, Filter, Guid,
        measurement::{Form, Measurement},
        text,
    },
    http::route::Peer,
    hub::NotAccepted,
};

/// Logins of one address that may wait: they must not take the places of other requests.
const MAX_LOGINS: usize = 64;

/// Events of one reply.
const MAX_EVENTS: usize = 1000;

impl Rest {
    /// Does what the parameters say.
    pub(super) async fn run(&self, peer: Peer, params: &Params) -> Result<Reply, Failure> {
        let operation = match params.get("op") {
            None => Operation::Open,
            Some(name) => Operation::parse(name).ok_or(Failure::MissingData)?,
        };
        let sid = params.get("vscpsession");
        let credentials = params.credentials();
        let session = match (sid, credentials) {
            // A new session, whatever else there is.
            (_, Some(credentials)) if operation == Operation::Open || sid.is_none() => {
                let gate = &self.server.gate;
                let login =
                    gate.login_with(Rights::REST, MAX_LOGINS, peer.address, Some(credentials));
                let user = login.await.map_err(|refusal| match refusal {
                    Refusal::User | Refusal::Address | Refusal::Password if !self.debug => {
                        Failure::InvalidUser
                    }
                    refusal => Failure::from(refusal),
                })?;
                self.sessions
                    .open(user, peer.address)
                    .ok_or(Failure::NoSession)?
            }
            (Some(sid), _) => {
                let session = self.sessions.find(sid, peer.address).await;
                session.ok_or(Failure::InvalidSession)?
            }
            (None, _) if operation == Operation::Open => return Err(Failure::InvalidUser),
            (None, _) => return Err(Failure::InvalidSession),
        };
        let reply = self.operate(operation, &session, params).await;
        // Without an id the client cannot come back to it.
        let nameless = sid.is_none() && !matches!(reply, Ok(Reply::Session { .. }));
        if nameless || operation == Operation::Close {
            self.sessions.close(&session);
        }
        reply
    }

    async fn operate(
        &self,
        operation: Operation,
        session: &Session,
        params: &Params,
    ) -> Result<Reply, Failure> {
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
                let event = event.map_err(|_| Failure::Range)?;
                self.send(session, event).await?;
            }
            Operation::ReadEvent => {
                let count = params.parsed("count")?.unwrap_or(1);
                if count == 0 {
                    return Err(Failure::Range);
                }
                let taken = session.take(count, MAX_EVENTS);
                if taken.events.is_empty() {
                    return Err(Failure::QueueEmpty);
                }
                return Ok(Reply::Events(taken));
            }
            Operation::SetFilter => {
                let filter = params.required("vscpfilter")?;
                let mask = params.required("vscpmask")?;
                if !session.user().rights.contains(Rights::SETFILTER) {
                    return Err(Failure::InvalidUser);
                }
                let filter = Filter::parse_wire(filter, mask).map_err(|_| Failure::Range)?;
                session.set_filter(filter);
            }
            Operation::ClearQueue => session.clear(),
            Operation::Measurement => self.send(session, measurement(params)?).await?,
            Operation::Variable => return Err(Failure::NoVariable),
            Operation::NewVariable => return Err(Failure::NoNewVariable),
            Operation::Table => return Err(Failure::NoTable),
        }
        Ok(Reply::Done)
    }

    async fn send(&self, session: &Session, mut event: Event) -> Result<(), Failure> {
        let user = session.user();
        let (class, kind) = (event.class, event.kind);
        if !user.may_send(class, kind) {
            return Err(Failure::InvalidUser);
        }
        event.set_priority(user.lowered_priority(class, kind, event.priority()));
        let hub = &self.server.hub;
        let mut waiting = Some(event);
        let accepted =
            poll_fn(|context| hub.poll_accept(context, session.id(), &mut waiting, &hub.moment()));
        accepted.await.map_err(|error| match error {
            NotAccepted::Full => Failure::NoRoom,
            NotAccepted::TooLarge => Failure::Range,
        })
    }
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Status,
    Open,
    Close,
    SendEvent,
    ReadEvent,
    SetFilter,
    ClearQueue,
    /// To read, write or list variables, of which there are none.
    Variable,
    NewVariable,
    Measurement,
    Table,
}

impl Operation {
    /// By its word in any case, or its number.
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

fn measurement(params: &Params) -> Result<Event, Failure> {
    let byte = |name| params.parsed(name).map(Option::unwrap_or_default);
    let sensor = match params.get("sensorindex") {
        Some(_) => "sensorindex",
        None => "sensoridx",
    };
    let measurement = Measurement {
        kind: params.parsed("type")?.ok_or(Failure::MissingData)?,
        value: params.parsed("value")?.ok_or(Failure::MissingData)?,
        unit: byte("unit")?,
        sensor: byte(sensor)?,
        zone: byte("zone")?,
        subzone: byte("subzone")?,
    };
    let text = match params.get("eventformat") {
        None => false,
        Some(form) if form.eq_ignore_ascii_case("float") => false,
        Some(form) if form.eq_ignore_ascii_case("string") => true,
        Some(_) => return Err(Failure::Range),
    };
    let form = match (params.parsed("level")?.unwrap_or(2), text) {
        (1, _) => Form::Level1,
        (2, false) => Form::Float,
        (2, true) => Form::Text,
        _ => return Err(Failure::Range),
    };
    let mut event = measurement.event(form).ok_or(Failure::Range)?;
    event.guid = params.parsed::<Guid>("guid")?.unwrap_or_default();
    let date = params.get("datetime").map(Date::parse_wire);
    event.date = date.transpose().map_err(|_| Failure::Range)?.flatten();
    Ok(event)
}
