//! Events, filters and commands to the driver, through websocket clients.

use vscpl2drv_websocksrv::{event::Event, ws::Protocol};

use crate::{
    blocks::Block,
    common::{
        Client, GUID,
        messages::{Heard, command},
        text_of,
    },
    pattern::Values,
};

/// The GUID of the client that sends commands to the driver.
const SENDER: &str = "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

/// Sends the events of a block; other clients get them as shown, or the sender gets the error.
pub(crate) fn run_events(block: &Block) {
    let server = block.server();
    let mut senders = [Protocol::Ws1, Protocol::Ws2].map(|p| server.login(p, "admin"));
    let mut readers = [Protocol::Ws1, Protocol::Ws2].map(|p| server.open(p, "admin"));
    let mut values = Values::new();
    let lines = block.lines();
    let mut lines = lines
        .iter()
        .filter(|line| !line.starts_with('#'))
        .peekable();
    while let Some(line) = lines.next() {
        let sent = line.strip_prefix("> ").expect("an event");
        let [ws1, ws2] = &mut senders;
        let reply = if sent.starts_with(['{', '[']) {
            ws2.send(&format!(r#"{{"type":"EVENT","event":{sent}}}"#));
            ws2.hear()
        } else {
            ws1.send(&format!("E;{sent}"));
            ws1.hear()
        };
        if let Some(line) = lines.next_if(|line| line.starts_with("! ")) {
            let code = line[2..].parse().unwrap();
            assert_eq!(reply, Heard::failed("EVENT", code), "{block}: {sent}");
            continue;
        }
        assert_eq!(reply, Heard::success("EVENT"), "{block}: {sent}");
        let [text, json] = readers.each_mut().map(|reader| reader.text());
        let mut shown = 0;
        while let Some(line) = lines.next_if(|line| line.starts_with("= ")) {
            shown += 1;
            match &line[2..] {
                event if event.starts_with('{') => {
                    let message = format!(r#"{{"type":"EVENT","event":{event}}}"#);
                    values.expect(block, &message, &json);
                }
                event => values.expect(block, &format!("E;{event}"), &text),
            }
        }
        assert!(shown > 0, "{block}: what becomes of {sent}?");
    }
}

/// Sets the filters of a block; the events below each are delivered or not, as the word in front
/// of them says.
pub(crate) fn run_filters(block: &Block) {
    let server = block.server();
    let mut client = server.open(Protocol::Ws1, "admin");
    let mut witness = server.open(Protocol::Ws1, "admin");
    let lines = block.lines();
    let mut lines = lines
        .iter()
        .filter(|line| !line.starts_with(';'))
        .peekable();
    while let Some(line) = lines.next() {
        let (word, event) = line.split_once(' ').unwrap_or((line, ""));
        if !matches!(word, "pass" | "drop") {
            let (filter, mask) = line.split_once(';').expect("filter ; mask");
            client.send(&format!("C;SF;{filter};{mask}"));
            let expected = match lines.next_if(|line| *line == "error") {
                Some(_) => Heard::failed("SF", 1),
                None => Heard::success("SF"),
            };
            assert_eq!(client.hear(), expected, "{block}: {line}");
            continue;
        }
        server.host_writes_text(event);
        assert!(matches!(witness.hear(), Heard::Event(_)));
        // An event that was published before a request is sent right behind the reply to it, or
        // earlier.
        let mut heard = client.hear_until_noop();
        heard.extend(client.hear_until_noop());
        let expected = if word == "pass" { 1 } else { 0 };
        assert_eq!(heard.len(), expected, "{block}: {line}");
    }
}

/// Sends the commands of a block to the driver, in events, and compares the replies.
pub(crate) fn run_commands(block: &Block) {
    let server = block.server();
    let mut client = server.open(Protocol::Ws1, "admin");
    let mut values = Values::new();
    let lines = block.lines();
    for lines in lines.chunks(2) {
        let [sent, expected] = lines else {
            panic!("{block}: a command without a reply");
        };
        let sent = sent.strip_prefix("> ").expect("a command");
        let expected = expected.strip_prefix("< ").expect("a reply");
        values.expect(block, expected, &ask(&mut client, sent));
    }
    client.send(&command(Protocol::Ws1, "NOOP"));
    assert_eq!(client.hear(), Heard::success("NOOP"), "{block}");
}

/// Sends a command with this payload; the payload of the reply.
fn ask(client: &mut Client, payload: &str) -> String {
    let address = hex::decode(GUID.replace(':', "")).unwrap();
    let data = [&address, &[0x20][..], payload.as_bytes()].concat();
    let data: String = data.iter().map(|byte| format!(",{byte}")).collect();
    let reply = client.ask(&format!("E;96,1028,1,,,,{SENDER}{data}"));
    assert_eq!(reply, "+;EVENT", "{payload}");
    let event: Event = crate::common::event_of(&client.text()[2..]);
    let text = text_of(&event);
    assert!(text.starts_with("96,1028,2,"), "{text}");
    assert!(text.contains(&format!(",{GUID},")), "{text}");
    let (head, payload) = event.data.split_at(17);
    assert_eq!(hex::encode_upper(&head[..16]), SENDER.replace(':', ""));
    assert_eq!(head[16], 0x20);
    String::from_utf8(payload.to_vec()).unwrap()
}
