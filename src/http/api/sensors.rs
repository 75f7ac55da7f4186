//! `/api/sensors`: the last value of each sensor.

use hyper::StatusCode;
use serde::Serialize;

use super::{
    Api,
    reply::{ApiResult, json},
    request::ApiRequest,
    viewer::check_memory,
};
use crate::{
    history::{Origin, SensorView},
    names::{Document, Entry, Subject},
};

/// Bytes of an element of the answer, about.
const BYTES: usize = 512;

#[derive(Serialize)]
struct Sensors {
    sensors: Vec<SensorJson>,
}

#[derive(Serialize)]
struct SensorJson {
    id: String,
    guid: String,
    sensor: u8,
    r#type: u16,
    unit: u8,
    zone: u8,
    subzone: u8,
    /// `type` in words.
    quantity: Option<&'static str>,
    /// `unit` in words.
    symbol: Option<&'static str>,
    value: f64,
    /// In milliseconds since 1970.
    time: i64,
    /// In seconds.
    interval: Option<f64>,
    from: String,
    name: Option<String>,
    /// The name of the node.
    node: Option<String>,
    room: Option<String>,
    icon: Option<String>,
    decimals: Option<u8>,
    hidden: bool,
}

impl Api {
    /// Tells the last values of the sensors whose events the user may receive.
    pub(super) fn sensors(&self, request: &ApiRequest<'_>) -> ApiResult {
        let viewer = self.viewer(request)?;
        check_memory(self.history.state().len() * BYTES)?;
        let names = self.names.current();
        let origin = self.origins();
        let sensors = self
            .history
            .state()
            .sensors(&|priority, class, kind, guid| {
                viewer.may_receive(priority, class, kind, guid)
            });
        let sensors = sensors.iter().map(|view| sensor(view, &names, &origin));
        let sensors = sensors.collect();
        Ok(json(StatusCode::OK, &Sensors { sensors }))
    }
}

fn sensor(view: &SensorView, names: &Document, origin: &impl Fn(Origin) -> String) -> SensorJson {
    let sensor = view.sensor;
    let Entry {
        name,
        room,
        icon,
        decimals,
        hidden,
    } = names.of_measurement(sensor.guid, sensor.sensor, sensor.kind);
    let node = names.get(&Subject::node(sensor.guid));
    SensorJson {
        id: sensor.to_string(),
        guid: sensor.guid.to_string(),
        sensor: sensor.sensor,
        r#type: sensor.kind,
        unit: sensor.unit,
        zone: sensor.zone,
        subzone: sensor.subzone,
        quantity: sensor.kind_name(),
        symbol: sensor.unit_name(),
        value: view.value,
        time: view.time,
        interval: view.interval,
        from: origin(view.origin),
        name,
        node: node.and_then(|node| node.name.clone()),
        room,
        icon,
        decimals,
        hidden: hidden.unwrap_or_default(),
    }
}
