//! Who gets the reply to a command.

use serde_json::json;
use vscpl2drv_websocksrv::{event::Event, hlo, ws::Protocol};

use super::SENDER;
use crate::common::{Client, DEADLINE, GUID, Server, commands, messages::Heard, text_of, wait_for};

/// The class and type of commands and replies, as they stand in the text of an event.
const COMMAND: &str = ",1028,1,";
const REPLY: &str = ",1028,2,";

fn noop() -> Event {
    commands::command(SENDER, GUID.parse().unwrap(), r#"{"op":"noop"}"#)
}

/// The class and type of the next events of a client, up to event `number` of the host.
fn kinds_until(client: &mut Client, number: u32) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    loop {
        let text = client.text();
        if Heard::parse(Protocol::Ws1, &text) == Heard::Event(number) {
            return kinds;
        }
        let known = [COMMAND, REPLY]
            .into_iter()
            .find(|kind| text.contains(kind));
        kinds.push(known.unwrap_or_else(|| panic!("{text}")));
    }
}

/// The types of high level objects that the host reads, up to an event of another class.
fn host_kinds(server: &Server) -> Vec<u16> {
    let read = || Some(server.host_reads()).filter(|event| event.class == hlo::CLASS);
    std::iter::from_fn(read).map(|event| event.kind).collect()
}

#[test]
fn a_client_alone_gets_the_reply_to_its_command() {
    let server = Server::start(json!({}));
    let mut asking = server.open(Protocol::Ws1, "admin");
    let mut other = server.open(Protocol::Ws1, "admin");
    assert_eq!(asking.ask(&format!("E;{}", text_of(&noop()))), "+;EVENT");
    assert!(asking.text().contains(REPLY));
    // Behind the reply, so that whoever else got it has it before this.
    server.host_writes(77);
    assert_eq!(kinds_until(&mut other, 77), [COMMAND]);
    assert_eq!(kinds_until(&mut asking, 77), [""; 0]);
    other.send_event(78);
    assert_eq!(host_kinds(&server), [hlo::COMMAND]);
}

#[test]
fn the_host_alone_gets_the_reply_to_its_command() {
    let server = Server::start(json!({}));
    let mut client = server.open(Protocol::Ws1, "admin");
    server.driver.write(noop(), Some(DEADLINE)).unwrap();
    assert_eq!(server.host_reads().kind, hlo::REPLY);
    server.host_writes(77);
    assert_eq!(kinds_until(&mut client, 77), [COMMAND]);
}

#[test]
fn a_rest_session_gets_the_reply_to_its_command() {
    let server = Server::start(json!({}));
    let mut other = server.open(Protocol::Ws1, "admin");
    let opened = server.get("/rest?vscpuser=admin&vscpsecret=secret&format=json");
    let sid = opened.json()["vscpsession"].as_str().unwrap().to_owned();
    let ask = |parameters: &str| {
        let path = format!("/rest?vscpsession={sid}&format=json&{parameters}");
        server.get(&path).json()
    };
    let sent = ask(&format!("op=sendevent&vscpevent={}", text_of(&noop())));
    assert_eq!(sent["code"], 1, "{sent}");
    let reply = wait_for("the reply", || {
        let read = ask("op=readevent");
        read["event"].as_array().map(|events| events[0].clone())
    });
    assert_eq!(
        (&reply["vscpclass"], &reply["vscptype"]),
        (&json!(1028), &json!(2))
    );
    server.host_writes(77);
    assert_eq!(kinds_until(&mut other, 77), [COMMAND]);
}
