//! Series of measured values.

use serde_json::json;

use crate::{common::Server, page::Page};

const SENSOR: &str = "FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:01/2/6/1";

fn write(server: &Server, values: &[&str]) {
    let node = SENSOR.split('/').next().unwrap();
    for value in values {
        // Of several values within a millisecond the last one is kept.
        std::thread::sleep(std::time::Duration::from_millis(2));
        let value: Vec<_> = value.bytes().map(|byte| byte.to_string()).collect();
        server.host_writes_text(&format!("0,1040,6,,,,{node},2,0,0,1,{}", value.join(",")));
    }
}

#[test]
fn a_series_has_the_lowest_mean_and_highest_value_of_each_step() {
    let server = Server::start(json!({}));
    let page = Page::login(&server, "user");
    // Each is looked at before the next one comes: it has a millisecond of its own.
    for value in [1.0, 2.5, -3.0] {
        write(&server, &[&value.to_string()]);
        page.wait_for("/api/sensors", |sensors| {
            sensors["sensors"][0]["value"] == value
        });
    }
    // Hours, so that all are in one step or in two.
    let path = format!("/api/history?sensor={SENSOR}&points=24");
    let total = |series: &serde_json::Value| {
        let points = series["points"].as_array().unwrap();
        points
            .iter()
            .map(|point| point[4].as_u64().unwrap())
            .sum::<u64>()
    };
    let series = page.wait_for(&path, |series| total(series) == 3);
    assert_eq!(
        (&series["sensor"], &series["step"]),
        (&json!(SENSOR), &json!(3_600_000))
    );
    let points = series["points"].as_array().unwrap();
    let low = points.iter().map(|point| point[1].as_f64().unwrap());
    let high = points.iter().map(|point| point[3].as_f64().unwrap());
    assert_eq!(low.fold(f64::MAX, f64::min), -3.0);
    assert_eq!(high.fold(f64::MIN, f64::max), 2.5);
    let (from, to) = (
        series["from"].as_i64().unwrap(),
        series["to"].as_i64().unwrap(),
    );
    assert_eq!(to - from, 86_400_000);
    let exact = format!(
        "/api/history?sensor={SENSOR}&from={}&to={to}&points=5000",
        to - 600_000
    );
    assert_eq!(total(&page.json(&exact)), 3);
    let old = "from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00%2B01:00";
    let old = page.json(&format!("/api/history?sensor={SENSOR}&{old}"));
    assert_eq!(
        (&old["points"], &old["from"]),
        (&json!([]), &json!(1_577_836_800_000_i64))
    );
}

#[test]
fn what_is_wrong_with_a_query_is_said() {
    let server = Server::start(json!({}));
    let page = Page::login(&server, "user");
    write(&server, &["1"]);
    page.wait_for("/api/sensors", |sensors| sensors["sensors"][0].is_object());
    for (query, status, error) in [
        ("", 400, "sensor: found \"\", expected the id of a sensor"),
        (
            "sensor=x",
            400,
            "sensor: found \"x\", expected GUID/SENSOR/TYPE/UNIT",
        ),
        ("sensor=-/1/6/1", 404, "There is no such sensor."),
        (
            &format!("sensor={SENSOR}&from=x"),
            400,
            "from: found \"x\", expected a time as",
        ),
        (
            &format!("sensor={SENSOR}&from=5&to=4"),
            400,
            "expected a time before the end",
        ),
        (
            &format!("sensor={SENSOR}&points=0"),
            400,
            "expected a whole number from 1 to 5000",
        ),
        (
            &format!("sensor={SENSOR}&points=5001"),
            400,
            "points: found \"5001\"",
        ),
    ] {
        let reply = page.get(&format!("/api/history?{query}"));
        assert_eq!(reply.status, status, "{query}: {reply:?}");
        let text = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(text.contains(error), "{query}: {text}");
    }
}

#[test]
fn the_history_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let keys = json!({"history": {"path": folder.path().join("new/history.db")}});
    let server = Server::start(keys.clone());
    write(&server, &["1", "2", "3"]);
    let page = Page::login(&server, "user");
    page.wait_for("/api/sensors", |sensors| {
        sensors["sensors"][0]["value"] == 3.0
    });
    let log = server.close_and_log();
    assert!(
        log.contains("stored in the history: 3 measurements, 0 other events"),
        "{log}"
    );
    let server = Server::start(keys);
    let page = Page::login(&server, "user");
    let sensors = page.wait_for("/api/sensors", |sensors| sensors["sensors"][0].is_object());
    assert_eq!(sensors["sensors"][0]["value"], 3.0);
    let nodes = page.json("/api/nodes");
    assert_eq!(nodes["nodes"][0]["events"], 3);
    let to = sensors["sensors"][0]["time"].as_i64().unwrap() + 1;
    let from = to - 3_600_000;
    let series = page.json(&format!(
        "/api/history?sensor={SENSOR}&from={from}&to={to}&points=1"
    ));
    assert_eq!(series["points"][0][4], 3, "{series}");
}

#[test]
fn without_a_history_the_answer_says_so() {
    let server = Server::start(json!({"history": false}));
    let page = Page::login(&server, "admin");
    write(&server, &["1"]);
    for path in ["sensors", "nodes", "events", "history?sensor=-/1/6/1"] {
        let reply = page.get(&format!("/api/{path}"));
        assert_eq!(reply.status, 404, "{path}");
        let error = "There is no history; see the key history.";
        assert_eq!(reply.json()["error"], error, "{path}");
    }
    assert_eq!(page.get("/api/system").status, 200);
}
