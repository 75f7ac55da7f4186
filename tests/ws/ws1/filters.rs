//! Filters that a client sets.

use serde_json::json;

use super::WS1;
use crate::common::Server;

#[test]
fn a_filter_lets_only_its_events_through() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let guid = "FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00";
    for (filter, dropped, passing) in [
        ("0,10,0,-;0,0xFFFF,0,-", "0,11,6,,,{},-", "0,10,7,,,{},-"),
        ("0,0,6,-;0,0,0xFFFF,-", "0,10,262,,,{},-", "0,11,6,,,{},-"),
        ("0,0,6,-;0,0,255,-", "0,10,7,,,{},-", "0,10,262,,,{},-"),
        ("3,0,0,-;7,0,0,-", "0x40,10,6,,,{},-", "0x7F,10,6,,,{},-"),
        ("0,512,0;0,0xFE00", "0,10,6,,,{},-", "0,522,6,,,{},-"),
        (
            "0,0,0,{g}:01;0,0,0,{g}:FF",
            "0,10,6,,,{},{g}:02",
            "0,10,6,,,{},{g}:01",
        ),
        ("0;0", "", "0,99,99,,,{},-"),
    ] {
        let filter = filter.replace("{g}", guid);
        assert_eq!(client.ask(&format!("C;SF;{filter}")), "+;SF");
        for (event, number) in [(dropped, "1"), (passing, "2")] {
            if !event.is_empty() {
                let event = event.replace("{}", number).replace("{g}", guid);
                server.host_writes_text(&event);
            }
        }
        client.expect_events([2]);
    }
}

#[test]
fn a_filter_that_is_refused_leaves_the_old_one() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    assert_eq!(client.ask("C;SF;0,10,0,-;0,0xFFFF,0,-"), "+;SF");
    assert_eq!(client.ask("C;SF;0,0,0,-;0,x,0,-"), "-;SF;1;Syntax error.");
    server.host_writes_text("0,11,3,,,1,-");
    server.host_writes_text("0,10,3,,,2,-");
    client.expect_events([2]);
}
