//! What a user may do.

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::common::{BOTH, Server, messages::Heard, user};

#[test]
fn the_rights_decide_which_events_may_be_sent() {
    let cases = [
        ("admin", &[20, 0, 512, 1024, 1028][..]),
        ("user", &[20, 0, 512, 1024]),
        ("0x17007F", &[20, 0, 512, 1024]),
        ("driver", &[20, 0, 512, 1024]),
        ("send-events", &[20]),
        ("send-events/l1ctrl-events", &[20, 0, 512]),
        ("send-events,l2ctrl-events", &[20, 1024]),
        ("Send-Events / HLO-Events", &[20, 1028]),
        ("l1ctrl-events/l2ctrl-events/hlo-events/receive-events", &[]),
        ("ws", &[]),
    ];
    let records = cases
        .iter()
        .enumerate()
        .map(|(index, (rights, _))| user(&format!("u{index}"), json!({"rights": rights})));
    let server = Server::start(json!({"users": records.collect::<Vec<_>>()}));
    for (index, (rights, allowed)) in cases.iter().enumerate() {
        let mut client = server.login(Protocol::Ws1, &format!("u{index}"));
        for class in [20, 0, 512, 1024, 1028] {
            let reply = client.ask(&format!("E;0,{class},3,,,,-"));
            let expected = match allowed.contains(&class) {
                true => "+;EVENT",
                false => "-;EVENT;6;Not allowed to send event.",
            };
            assert_eq!(reply, expected, "{rights}, class {class}");
        }
    }
}

#[test]
fn a_filter_may_be_set_only_with_the_right_to() {
    let records = json!([
        user("may", json!({"rights": ["user", "set-filter"]})),
        user("may-not", json!({"rights": "user"})),
    ]);
    let server = Server::start(json!({"users": records}));
    for (name, reply) in [
        ("may", "+;SF"),
        (
            "may-not",
            "-;SF;7;Not allowed to do that (check privileges)",
        ),
    ] {
        let mut client = server.login(Protocol::Ws1, name);
        assert_eq!(client.ask("C;SF;0,10,0,-;0,0xFFFF,0,-"), reply);
        assert_eq!(client.ask("C;SETFILTER;0,10,0,-;0,0xFFFF,0,-"), reply);
    }
}

#[test]
fn the_event_lists_limit_their_direction() {
    let records = json!([
        user("tx", json!({"events": ["10:*", "0x1E:9"]})),
        user("rx", json!({"events": "RX;10:*"})),
        user(
            "both",
            json!({"allow-events": [{"dir": "both", "class": 10, "type": 6}]})
        ),
        user("all", json!({"events": ""})),
    ]);
    let server = Server::start(json!({"users": records}));
    for (name, sent, received) in [
        (
            "tx",
            &["10,6", "10,7", "30,9"][..],
            &["10,6", "10,7", "30,9", "30,8"][..],
        ),
        ("rx", &["10,6", "10,7", "30,9", "30,8"], &["10,6", "10,7"]),
        ("both", &["10,6"], &["10,6"]),
        (
            "all",
            &["10,6", "10,7", "30,9", "30,8"],
            &["10,6", "10,7", "30,9", "30,8"],
        ),
    ] {
        let mut client = server.open(Protocol::Ws1, name);
        for event in ["10,6", "10,7", "30,9", "30,8"] {
            let reply = client.ask(&format!("E;0,{event},,,,-"));
            let expected = match sent.contains(&event) {
                true => "+;EVENT",
                false => "-;EVENT;6;Not allowed to send event.",
            };
            assert_eq!(reply, expected, "{name} sends {event}");
        }
        // The last one passes for all.
        for event in ["30,9", "30,8", "10,7", "10,6"] {
            server.host_writes_text(&format!("0,{event},,,1,-"));
        }
        for event in ["30,9", "30,8", "10,7", "10,6"] {
            if received.contains(&event) {
                let text = client.text();
                assert!(text.starts_with(&format!("E;0,{event},")), "{name}: {text}");
            }
        }
        assert_eq!(client.hear_until_noop(), [], "{name}");
    }
}

#[test]
fn a_priority_above_the_users_highest_is_lowered_to_it() {
    let records = json!([
        user("limited", json!({"max-priority": 3})),
        user(
            "by-event",
            json!({"events": [
                {"class": 10, "type": -1, "max-priority": 5},
                {"class": -1, "type": -1},
            ]})
        ),
        user("free", json!({})),
    ]);
    let server = Server::start(json!({"users": records}));
    for (name, event, head) in [
        ("limited", "0x00,10,6", 0x60),
        ("limited", "0x1F,10,6", 0x7F),
        ("limited", "0x60,10,6", 0x60),
        ("limited", "0xE0,10,6", 0xE0),
        ("by-event", "0x00,10,6", 0xA0),
        ("by-event", "0x00,11,6", 0x00),
        ("by-event", "0xC0,10,6", 0xC0),
        ("free", "0x00,10,6", 0x00),
    ] {
        let mut client = server.login(Protocol::Ws1, name);
        assert_eq!(client.ask(&format!("E;{event},,,,-")), "+;EVENT");
        assert_eq!(server.host_reads().head, head, "{name} {event}");
    }
}

#[test]
fn a_login_starts_with_the_filter_of_the_user() {
    let records = json!([
        user(
            "tens",
            json!({
                "rights": "admin", "filter": "0,10,0,-", "mask": "0,0xFFFF,0,-",
            })
        ),
        user("all", json!({})),
    ]);
    let server = Server::start(json!({"users": records}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "tens");
        let write_both = || {
            server.host_writes_text("0,11,6,,,1,-");
            server.host_writes_text("0,10,6,,,2,-");
        };
        write_both();
        client.command("OPEN");
        client.expect_events([2]);

        let pass_all = match protocol {
            Protocol::Ws1 => "C;SF;0;0".to_owned(),
            Protocol::Ws2 => {
                json!({"type": "C", "command": "SF", "args": {"mask_class": 0}}).to_string()
            }
        };
        client.send(&pass_all);
        assert_eq!(client.hear(), Heard::success("SF"));
        write_both();
        client.expect_events([1, 2]);

        client.login("tens");
        write_both();
        client.expect_events([2]);
        client.login("all");
        write_both();
        client.expect_events([1, 2]);
    }
}
