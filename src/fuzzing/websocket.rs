//! A websocket from its first byte behind the handshake to its end.

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

use super::server::{HOME, block_on, end, exchange, router};
use crate::ws::{Protocol, connection};

/// Bytes that the socket takes at a time.
const SOCKET: usize = 4096;

/// Sends a connection all bytes but the first. The first byte chooses the protocol, the size of the
/// pieces, and how many bytes come with the HTTP request. What comes back must be frames (RFC
/// 6455).
pub fn websocket(data: &[u8]) {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let protocol = match choice & 1 {
        0 => Protocol::Ws1,
        _ => Protocol::Ws2,
    };
    let piece = [1, 5, 100, SOCKET][usize::from(choice >> 1 & 3)];
    let output = block_on(async {
        let server = router().server;
        let shared = server.shared.clone();
        let guard = shared.registry.admit_websocket(protocol.kind(), HOME).await;
        let (socket, client) = duplex(SOCKET);
        let (mut reader, mut writer) = split(client);
        let early = Bytes::copy_from_slice(&input[..input.len().min(usize::from(choice >> 4))]);
        let rest = &input[early.len()..];
        let serve = connection::serve(
            server.clone(),
            protocol,
            guard.expect("a place"),
            None,
            socket,
            early,
        );
        let write = async {
            for piece in rest.chunks(piece) {
                if writer.write_all(piece).await.is_err() {
                    break;
                }
                exchange(&shared.hub);
            }
            // Fails if the connection is closed.
            let _ = writer.shutdown().await;
        };
        let read = async {
            let mut output = Vec::new();
            let _ = reader.read_to_end(&mut output).await;
            output
        };
        let ((), (), output) = tokio::join!(serve, write, read);
        end(&shared).await;
        output
    });
    check_frames(protocol, &output);
}

/// Checks the frames of a server. The last may be cut.
pub(super) fn check_frames(protocol: Protocol, mut output: &[u8]) {
    let mut closed = false;
    while let [first, second, rest @ ..] = output {
        assert!(!closed, "a frame behind a close");
        assert!(second & 0x80 == 0, "a server does not mask");
        let (length, rest) = match (second, rest) {
            (126, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
            (127, rest) => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from_be_bytes(*length) as usize, rest),
                None => return,
            },
            (126, _) => return,
            (length, rest) => (usize::from(*length), rest),
        };
        let Some((payload, rest)) = rest.split_at_checked(length) else {
            return;
        };
        match first {
            0x81 => check_text(protocol, payload),
            0x88 => {
                assert!(payload.len() != 1 && payload.len() <= 125);
                closed = true;
            }
            0x89 | 0x8A => assert!(payload.len() <= 125),
            other => panic!("a frame that starts with {other:#x}"),
        }
        output = rest;
    }
}

fn check_text(protocol: Protocol, payload: &[u8]) {
    let text = str::from_utf8(payload).expect("UTF-8");
    match protocol {
        Protocol::Ws1 => assert!(text.starts_with(['+', '-', 'E']), "{text}"),
        Protocol::Ws2 => {
            let message: serde_json::Value = serde_json::from_str(text).expect("JSON");
            assert!(message["type"].is_string(), "{text}");
        }
    }
}
