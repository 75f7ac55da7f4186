//! Events of clients and of the host.

use serde_json::json;

use super::WS1;
use crate::common::{
    Server,
    events::{assert_fields, fields_of},
    messages::Heard,
    text_of,
};

#[test]
fn an_event_of_a_client_reaches_the_host_as_the_vectors_say() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let mut vectors = 0;
    for line in include_str!("../../vectors/events.tsv").lines() {
        let Some((text, expected)) = line.split_once('\t').filter(|_| !line.starts_with('#'))
        else {
            continue;
        };
        vectors += 1;
        let reply = client.ask(&format!("E;{text}"));
        if expected == "error" {
            assert_eq!(reply, "-;EVENT;8;Parse error, invalid format.", "{text}");
            continue;
        }
        assert_eq!(reply, "+;EVENT", "{text}");
        let event = server.host_reads();
        let [head, class, kind, _, date, time_stamp, guid, data] = fields_of(expected);
        let fields = [head, class, kind, date, time_stamp, guid, data];
        assert_fields(&event, fields, text);
        assert_ne!(
            event.obid, 0,
            "the id of the connection, not what {text} says"
        );
    }
    assert!(vectors >= 19, "{vectors}");
}

#[test]
fn an_event_has_512_bytes_of_data_at_the_most() {
    let server = Server::start(json!({}));
    let mut client = server.login(WS1, "admin");
    let event = |bytes| format!("E;0,20,3,,,,-{}", ",0xFF".repeat(bytes));
    assert_eq!(client.ask(&event(512)), "+;EVENT");
    assert_eq!(server.host_reads().data[..], [0xFF; 512]);
    let reply = client.ask(&event(513));
    assert_eq!(reply, "-;EVENT;8;Parse error, invalid format.");
}

#[test]
fn an_event_of_the_host_is_sent_in_one_form() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    for (host, sent) in [
        (
            "0x60,10,6,7,2020-01-27T20:47:55Z,5,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01,1,255",
            "E;96,10,6,7,2020-01-27T20:47:55Z,5,FF:FF:FF:FF:FF:FF:FF:F5:00:00:00:00:00:05:00:01,0x01,0xFF",
        ),
        (
            "0,65535,65535,4294967295,,4294967295,-",
            "E;0,65535,65535,4294967295,,4294967295,00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
        ),
        // Nanoseconds since 1970, frame version 1.
        (
            "0x0100,20,3,0,,1580158075123456789,-,0",
            "E;0,20,3,0,2020-01-27T20:47:55Z,3921478400,00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00,0x00",
        ),
    ] {
        server.host_writes_text(host);
        let micros = 1_580_158_075_123_456_u64 as u32;
        let sent = sent.replace("3921478400", &micros.to_string());
        assert_eq!(client.text(), sent);
    }
}

#[test]
fn an_event_without_time_stamp_gets_one_of_the_drivers_clock() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let mut last = 0;
    for _ in 0..3 {
        server.host_writes_text("0,20,3,,,,-");
        let Heard::Event(stamp) = client.hear() else {
            panic!("no event");
        };
        assert!(stamp > last, "{stamp} after {last}");
        last = stamp;
    }
}

#[test]
fn nanoseconds_of_a_client_reach_the_host_and_other_clients_get_microseconds() {
    let server = Server::start(json!({}));
    let mut sender = server.login(WS1, "admin");
    let mut other = server.open(WS1, "admin");
    assert_eq!(sender.ask("E;0,20,3,,,1580158075123456789,-,7"), "+;EVENT");
    let event = server.host_reads();
    assert_eq!(event.unix_ns.unwrap().get(), 1_580_158_075_123_456_789);
    let text = text_of(&event);
    assert!(text.starts_with("0,20,3,"), "{text}");
    assert!(text.contains(",2020-01-27T20:47:55Z,"), "{text}");
    assert_eq!(other.text(), format!("E;{text}"));
}

#[test]
fn the_text_of_an_event_reads_back() {
    let server = Server::start(json!({}));
    let mut client = server.open(WS1, "admin");
    let text = "E;224,1024,3,0,2020-01-27T20:47:55Z,77,00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F,0x0F,0x00";
    assert_eq!(client.ask(text), "+;EVENT");
    let mut event = server.host_reads();
    event.obid = 0;
    server.driver.write(event, None).unwrap();
    // It is an echo of what the host was given, so a second time.
    server.host_writes_text(&text[2..]);
    assert_eq!(client.text(), text);
}
