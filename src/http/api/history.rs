//! `/api/history` and `/api/events`: the values and events of the last days.

use std::time::Duration;

use hyper::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{
    Api,
    parameters::{number, parsed, span, wrong},
    reply::{ApiError, ApiResult, json},
    request::ApiRequest,
    viewer::check_memory,
};
use crate::{
    event::{
        Guid,
        json::{Keys, encode},
    },
    history::{EventQuery, History, QueryError, Sensor, SeriesQuery, Step, StoredEvent},
    runtime::on_blocking_thread,
};

/// The time span of a query that names none, in milliseconds: a day.
const DEFAULT_SPAN: i64 = 86_400_000;

/// Steps of a query that names no number of them, and the largest number.
const DEFAULT_POINTS: u32 = 300;
const MAX_POINTS: u64 = 5000;

/// Events of a query that names no number of them, and the largest number.
const DEFAULT_EVENTS: usize = 100;
const MAX_EVENTS: u64 = 1000;

/// Bytes of a step and of an event in an answer, about.
const POINT_BYTES: usize = 128;
const EVENT_BYTES: usize = 2048;

/// How long a query waits for others.
const MAX_WAIT: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct SeriesJson {
    sensor: String,
    from: i64,
    to: i64,
    /// In milliseconds.
    step: i64,
    /// For each step that has values when it begins, their lowest, mean and highest, and their
    /// number.
    points: Vec<(i64, f64, f64, f64, u64)>,
}

#[derive(Serialize)]
struct Events {
    events: Vec<EventJson>,
    /// True if there are as many as were asked for, and perhaps more.
    more: bool,
}

#[derive(Serialize)]
struct EventJson {
    /// When it came, in milliseconds since 1970.
    time: i64,
    from: String,
    event: Box<RawValue>,
}

impl Api {
    /// Tells what a sensor has measured.
    pub(super) async fn series(&self, request: &ApiRequest<'_>) -> ApiResult {
        let viewer = self.viewer(request)?;
        let Some(sensor) = parsed::<Sensor>(request, "sensor")? else {
            return Err(wrong("sensor", "", "the id of a sensor, see /api/sensors"));
        };
        let [from, to] = span(request, DEFAULT_SPAN)?;
        let points = number(request, "points", 1..=MAX_POINTS)?.unwrap_or(DEFAULT_POINTS);
        let may_receive =
            |priority, class, kind, guid: &Guid| viewer.may_receive(priority, class, kind, guid);
        if !self.history.state().may_see(&sensor, &may_receive) {
            let text = "There is no such sensor.";
            return Err(ApiError::new(StatusCode::NOT_FOUND, text));
        }
        check_memory(points as usize * POINT_BYTES)?;
        let query = SeriesQuery {
            sensor,
            from,
            to,
            points,
        };
        let series = self.query(request, move |history| history.series(&query));
        let series = series.await?;
        let point = |step: Step| (step.time, step.min, step.mean, step.max, step.count);
        let answer = SeriesJson {
            sensor: sensor.to_string(),
            from,
            to,
            step: series.step,
            points: series.steps.into_iter().map(point).collect(),
        };
        Ok(json(StatusCode::OK, &answer))
    }

    /// Tells the newest events that the user may receive.
    pub(super) async fn events(&self, request: &ApiRequest<'_>) -> ApiResult {
        let viewer = self.viewer(request)?;
        let [from, to] = span(request, DEFAULT_SPAN)?;
        let limit = number(request, "limit", 1..=MAX_EVENTS)?.unwrap_or(DEFAULT_EVENTS);
        check_memory(limit * EVENT_BYTES)?;
        let query = EventQuery {
            from,
            to,
            class: number(request, "class", 0..=u16::MAX.into())?,
            kind: number(request, "type", 0..=u16::MAX.into())?,
            guid: parsed(request, "guid")?,
            limit,
        };
        let events = self.query(request, move |history| {
            history.events(&query, |stored| viewer.may_see(&stored.event))
        });
        let events = events.await?;
        let origin = self.origins();
        let event = |stored: StoredEvent| {
            let mut text = Vec::new();
            encode(&stored.event, Keys::Vscp, &mut text);
            let text = String::from_utf8(text).unwrap_or_default();
            Some(EventJson {
                time: stored.time,
                from: origin(stored.origin),
                event: RawValue::from_string(text).ok()?,
            })
        };
        let answer = Events {
            more: events.len() >= limit,
            events: events.into_iter().filter_map(event).collect(),
        };
        Ok(json(StatusCode::OK, &answer))
    }

    /// Asks the history on a thread that may block, when it is its turn.
    async fn query<T: Send + 'static>(
        &self,
        request: &ApiRequest<'_>,
        query: impl FnOnce(&History) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, ApiError> {
        request.peer().place.note_working();
        let turn = timeout(MAX_WAIT, self.queries.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(ApiError::busy(
                "Too many ask for the history. Try again later.",
            ));
        };
        let history = self.history.clone();
        let answer = on_blocking_thread(move || {
            let answer = query(&history);
            drop(turn);
            answer
        });
        match answer.await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(self.not_answered(&error)),
            None => Err(ApiError::busy("The driver closes.")),
        }
    }

    fn not_answered(&self, error: &QueryError) -> ApiError {
        let status = match error {
            QueryError::Off => StatusCode::NOT_FOUND,
            QueryError::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
            QueryError::Store(_) => {
                if let Some(repeats) = self.failures.allow_line() {
                    tracing::warn!("{error}{repeats}");
                }
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        ApiError::new(status, format!("Not answered: {error}."))
    }
}
