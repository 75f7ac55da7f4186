//! `/api/nodes`: who is on the bus, and if it is well.

use hyper::StatusCode;
use serde::Serialize;

use super::{
    Api,
    reply::{ApiResult, json},
    request::ApiRequest,
    viewer::check_memory,
};
use crate::{
    event::names as words,
    history::{Heartbeat, LastEvent, NodeView, Origin},
    names::{Document, Subject},
};

/// Bytes of an element of the answer, about.
const BYTES: usize = 512;

#[derive(Serialize)]
struct Nodes {
    nodes: Vec<NodeJson>,
}

#[derive(Serialize)]
struct NodeJson {
    guid: String,
    name: Option<String>,
    room: Option<String>,
    icon: Option<String>,
    hidden: bool,
    from: String,
    last: LastJson,
    events: u64,
    #[serde(rename = "perMinute")]
    per_minute: f64,
    heartbeat: Option<HeartbeatJson>,
    alarms: Alarms,
}

#[derive(Serialize)]
struct HeartbeatJson {
    /// In milliseconds since 1970.
    time: i64,
    /// In seconds.
    interval: Option<f64>,
    late: Option<bool>,
}

#[derive(Serialize)]
struct Alarms {
    count: u64,
    last: Option<LastJson>,
}

#[derive(Serialize)]
struct LastJson {
    /// In milliseconds since 1970.
    time: i64,
    class: u16,
    r#type: u16,
    /// Class and type in words.
    #[serde(rename = "className")]
    class_name: Option<&'static str>,
    #[serde(rename = "typeName")]
    type_name: Option<&'static str>,
    data: Vec<u8>,
}

impl Api {
    /// Answers with the nodes on the bus. What it shows of a node comes only from events that the
    /// user may receive.
    pub(super) fn nodes(&self, request: &ApiRequest<'_>) -> ApiResult {
        let viewer = self.viewer(request)?;
        check_memory(self.history.state().len() * BYTES)?;
        let names = self.names.current();
        let origin = self.origins();
        let nodes = self
            .history
            .state()
            .nodes(&|priority, class, kind, guid| viewer.may_receive(priority, class, kind, guid));
        let nodes = nodes.into_iter().map(|view| node(view, &names, &origin));
        let nodes = nodes.collect();
        Ok(json(StatusCode::OK, &Nodes { nodes }))
    }
}

fn node(view: NodeView, names: &Document, origin: &impl Fn(Origin) -> String) -> NodeJson {
    let entry = names.get(&Subject::node(view.guid)).cloned();
    let entry = entry.unwrap_or_default();
    NodeJson {
        guid: view.guid.to_string(),
        name: entry.name,
        room: entry.room,
        icon: entry.icon,
        hidden: entry.hidden.unwrap_or_default(),
        from: origin(view.last.origin),
        last: last(view.last),
        events: view.events,
        per_minute: (view.per_minute * 10.0).round() / 10.0,
        heartbeat: view.heartbeat.map(heartbeat),
        alarms: Alarms {
            count: view.alarms,
            last: view.last_alarm.map(last),
        },
    }
}

fn heartbeat(heartbeat: Heartbeat) -> HeartbeatJson {
    HeartbeatJson {
        time: heartbeat.time,
        interval: heartbeat.interval,
        late: heartbeat.is_late,
    }
}

fn last(last: LastEvent) -> LastJson {
    let LastEvent { time, event, .. } = last;
    LastJson {
        time,
        class: event.class,
        r#type: event.kind,
        class_name: words::class(event.class),
        type_name: words::kind(event.class, event.kind),
        data: event.data.to_vec(),
    }
}
