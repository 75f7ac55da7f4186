//! Login blobs, byte by byte.

use serde_json::json;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    blocks::Block,
    common::{
        KEY, Server,
        messages::{Heard, auth, crypto_with},
    },
};

/// Encrypts what a block shows, and logs in with it.
pub(crate) fn run(block: &Block) {
    let field = |name: &str| {
        let line = block.text.lines().find(|line| line.starts_with(name));
        Some(line?[name.len()..].trim())
    };
    let bytes = |name: &str| hex::decode(field(name)?.replace(' ', "")).ok();
    let [iv, plain, crypto] = ["iv", "plain", "crypto"].map(|name| bytes(name).unwrap());
    let [user, password] = ["user", "password"].map(|name| field(name).unwrap());
    assert_eq!(bytes("key"), hex::decode(KEY).ok(), "{block}: key");
    let text = format!("{user}:{password}");
    assert!(plain.starts_with(text.as_bytes()), "{block}: plain");
    if let Some(xor) = bytes("xor") {
        let expected: Vec<u8> = plain.iter().zip(&iv).map(|(byte, iv)| byte ^ iv).collect();
        assert_eq!(xor, expected, "{block}: xor");
    }
    let [iv, crypto] = [iv, crypto].map(hex::encode_upper);
    assert_eq!(crypto_with(KEY, &iv, &plain), crypto, "{block}: crypto");

    for protocol in [Protocol::Ws1, Protocol::Ws2] {
        let server = Server::start(json!({"ws1-iv": "any", "ws1-auth-reply": "AUTH"}));
        let mut client = server.connect(protocol);
        client.send(&auth(protocol, &iv, &crypto));
        assert_eq!(client.hear(), Heard::success("AUTH"), "{block}");
    }
}
