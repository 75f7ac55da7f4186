//! Transcripts of ws1 and ws2.

use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    blocks::Block,
    common::{
        Client,
        client::{BINARY, path_of},
        messages::command,
        text_of,
    },
    pattern::Values,
};

/// Plays the client of a transcript against the driver.
pub(crate) fn run(block: &Block, protocol: Protocol) {
    let lines = block.lines();
    let server = block.server();
    let mut values = Values::new();
    let has_other = lines.iter().any(|line| line.starts_with("other"));
    let mut other = has_other.then(|| server.open(protocol, "admin"));
    let mut client = Client::connect(server.address(), path_of(protocol), protocol);
    let mut closed = false;
    for line in &lines {
        let (speaker, rest) = line.split_once(' ').unwrap_or((line, ""));
        match speaker {
            "#" => {}
            ">" => client.send(&values.fill(rest)),
            "<" => values.expect(block, rest, &client.text()),
            ">binary" => {
                let bytes = hex::decode(rest.replace(' ', "")).unwrap();
                client.send_frame(0x80 | BINARY, &bytes);
            }
            "<close" => {
                assert_eq!(client.close_code().to_string(), rest, "{block}");
                closed = true;
            }
            "other>" => other.as_mut().unwrap().send(&values.fill(rest)),
            "other<" => values.expect(block, rest, &other.as_mut().unwrap().text()),
            "host>" => server.host_writes_text(rest),
            "host<" => values.expect(block, rest, &text_of(&server.host_reads())),
            _ => panic!("{block}: nobody says {line:?}"),
        }
    }
    for client in other.iter_mut().chain((!closed).then_some(&mut client)) {
        expect_nothing_more(block, client);
    }
}

/// Fails if something is received that the example does not show.
fn expect_nothing_more(block: &Block, client: &mut Client) {
    let reply = match client.protocol {
        Protocol::Ws1 => "+;NOOP",
        Protocol::Ws2 => r#"{"type":"+","command":"NOOP","args":null}"#,
    };
    let received = client.ask(&command(client.protocol, "NOOP"));
    assert_eq!(received, reply, "{block}: is not shown");
}
