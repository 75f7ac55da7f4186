//! Events that were stored.

use serde_json::{Value, json};

use crate::{common::Server, page::Page};

const NODE: &str = "FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:01";

fn types(answer: &Value) -> Vec<u64> {
    let events = answer["events"].as_array().unwrap().iter();
    events
        .map(|found| found["event"]["vscpType"].as_u64().unwrap())
        .collect()
}

#[test]
fn events_are_told_the_newest_first_but_no_measurements_and_no_commands() {
    let server = Server::start(json!({}));
    let page = Page::login(&server, "admin");
    for event in ["0,20,3", "0,1040,6", "0x60,1,2", "0,1028,1", "0,20,4"] {
        server.host_writes_text(&format!("{event},,,,{NODE},1,0,0,0,0x31"));
    }
    let all = page.wait_for("/api/events", |answer| types(answer).len() == 3);
    assert_eq!(types(&all), [4, 2, 3]);
    assert_eq!(
        (&all["more"], &all["events"][0]["from"]),
        (&json!(false), &json!("host"))
    );
    let event = &all["events"][1]["event"];
    assert_eq!(
        (&event["vscpHead"], &event["vscpGuid"]),
        (&json!(0x60), &json!(NODE))
    );
    assert_eq!(event["vscpData"], json!([1, 0, 0, 0, 0x31]));
    for (query, expected) in [
        ("class=20", &[4, 3][..]),
        ("class=20&type=3", &[3]),
        ("limit=2", &[4, 2]),
        ("guid=::1", &[]),
        (&format!("guid={NODE}&type=0x2"), &[2]),
        ("from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z", &[]),
    ] {
        let answer = page.json(&format!("/api/events?{query}"));
        assert_eq!(types(&answer), expected, "{query}");
        assert_eq!(answer["more"], query == "limit=2");
    }
    for query in [
        "class=x",
        "class=65536",
        "limit=0",
        "limit=1001",
        "guid=x",
        "to=x",
    ] {
        let reply = page.get(&format!("/api/events?{query}"));
        assert_eq!(reply.status, 400, "{query}: {reply:?}");
    }
}
