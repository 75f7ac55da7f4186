//! `/api/system`: the state of the driver, for administrators.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::{
    Api, demand,
    reply::{ApiResult, json},
    request::ApiRequest,
};
use crate::{auth::Rights, client::Kind};

#[derive(Serialize)]
struct System {
    version: &'static str,
    /// In seconds.
    uptime: u64,
    clients: Vec<ClientJson>,
    buses: Vec<Bus>,
    /// Events that wait.
    queues: BTreeMap<&'static str, usize>,
    counters: Value,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct ClientJson {
    id: u32,
    protocol: &'static str,
    address: String,
    user: Option<String>,
}

#[derive(Serialize)]
struct Bus {
    bus: usize,
    interface: String,
    up: bool,
}

#[derive(Serialize)]
struct Warning {
    /// In milliseconds since 1970.
    time: i64,
    level: &'static str,
    message: String,
}

impl Api {
    /// Tells who is connected, what passes, and what was odd lately.
    pub(super) fn system(&self, request: &ApiRequest<'_>) -> ApiResult {
        let user = self.user(request)?;
        demand(&user, Rights::ADMIN)?;
        let clients = self.shared.registry.list();
        let clients = clients.into_iter().map(|client| ClientJson {
            id: client.id,
            protocol: match client.kind {
                Kind::Ws1 => "ws1",
                Kind::Ws2 => "ws2",
                Kind::Rest => "rest",
            },
            address: client.address.to_string(),
            user: client.user.map(|user| user.name.clone()),
        });
        let buses = self.shared.counters.buses.list().into_iter();
        let buses = buses.map(|(bus, interface, up)| Bus { bus, interface, up });
        let warnings = self.recent.newest_first().into_iter().map(|line| Warning {
            time: line.time.as_millisecond(),
            level: line.level.name(),
            message: line.message,
        });
        let system = System {
            version: env!("CARGO_PKG_VERSION"),
            uptime: self.started.elapsed().as_secs(),
            clients: clients.collect(),
            buses: buses.collect(),
            queues: self.shared.hub.waiting().into(),
            counters: self.shared.counters.to_json(),
            warnings: warnings.collect(),
        };
        Ok(json(StatusCode::OK, &system))
    }
}
