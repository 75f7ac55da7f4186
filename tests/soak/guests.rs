//! Clients that log in, stay for a moment and leave in every way.

use std::{
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use vscpl2drv_websocksrv::ws::Protocol::{Ws1, Ws2};

use crate::{
    churn::{GUEST_EVENT, Seen, count},
    common::{Client, client::path_of, http, tcp_from},
    numbered::{self, Heard},
    random::Random,
    site::{Site, Stream, reset_at_end},
};

/// Clients of one thread, one after the other.
pub(crate) fn come_and_go(site: &Site, mut random: Random, ends: &AtomicBool, seen: &Seen) {
    while !ends.load(Relaxed) {
        let protocol = [Ws1, Ws2][random.below(2) as usize];
        if random.below(2) == 0 {
            let client = site.connect(protocol, true);
            stay(client, &mut random, seen, None);
        } else {
            let stream = tcp_from(4, site.plain);
            let socket = stream.try_clone().unwrap();
            let stream: Box<dyn Stream> = Box::new(stream);
            let mut client = Client::over(stream, path_of(protocol), protocol, &[]);
            client.take_greeting();
            stay(client, &mut random, seen, Some(&socket));
        }
    }
}

/// Logs in, sends and takes some events, and leaves in one way or another.
fn stay(
    mut client: Client<Box<dyn Stream>>,
    random: &mut Random,
    seen: &Seen,
    socket: Option<&TcpStream>,
) {
    client.login("guest");
    client.command("OPEN");
    let to_send = random.below(5);
    for number in 0..to_send {
        client.send(&numbered::of_client(client.protocol, GUEST_EVENT + number));
        count(&seen.sent);
    }
    let (mut accepted, mut last) = (0, 0);
    let mut to_take = random.below(100);
    while accepted < to_send || to_take > 0 {
        match numbered::hear(&mut client) {
            Heard::Reply(Ok(())) => {
                accepted += 1;
                count(&seen.accepted);
            }
            Heard::Event(number) => {
                to_take = to_take.saturating_sub(1);
                count(&seen.received);
                if number < GUEST_EVENT {
                    assert!(number > last, "{number} came after {last}");
                    let missing = if last == 0 { 0 } else { number - last - 1 };
                    seen.missing.fetch_add(missing.into(), Relaxed);
                    last = number;
                }
            }
            other @ Heard::Reply(_) => panic!("{other:?}"),
        }
    }
    leave(client, random, seen, socket);
}

fn leave(
    mut client: Client<Box<dyn Stream>>,
    random: &mut Random,
    seen: &Seen,
    socket: Option<&TcpStream>,
) {
    match (random.below(6), socket) {
        (0, Some(socket)) => {
            reset_at_end(socket);
            count(&seen.reset);
        }
        (1, Some(socket)) => {
            socket.shutdown(Shutdown::Write).unwrap();
            while client.frame().is_some() {}
            count(&seen.half_closed);
        }
        (2, Some(socket)) => {
            thread::sleep(Duration::from_millis(500));
            reset_at_end(socket);
            count(&seen.stalled);
        }
        (3, _) => {
            // Without a mask (RFC 6455 section 5.1).
            client.send_bytes(b"\x81\x01x");
            assert_eq!(client.close_code(), 1002);
            count(&seen.broke_rules);
        }
        (4, _) => {
            client.send(&"x".repeat(5000));
            assert_eq!(client.close_code(), 1009);
            count(&seen.sent_too_much);
        }
        _ => {
            client.send_frame(0x88, &1000u16.to_be_bytes());
            while client.frame().is_some_and(|frame| frame.opcode != 8) {}
            count(&seen.closed);
        }
    }
}

/// REST: a session that is closed, a request with a session of its own, one of nobody.
pub(crate) fn use_rest(site: &Site, _: &AtomicBool, seen: &Seen) {
    let ask = |query: &str| {
        let path = format!("/rest?format=json&{query}");
        let request = http::request("GET", &path, &[], "");
        http::exchange(site.plain, request.as_bytes()).json()
    };
    let user = "vscpuser=guest&vscpsecret=secret";
    let sid = ask(&format!("op=open&{user}"))["vscpsession"].clone();
    let sid = format!("vscpsession={}", sid.as_str().unwrap());
    let event = format!("vscpevent={}", numbered::text(4, GUEST_EVENT));
    for query in [
        format!("op=sendevent&{sid}&{event}"),
        format!("op=sendevent&{user}&{event}"),
    ] {
        count(&seen.sent);
        let answer = ask(&query);
        assert_eq!(answer["success"], true, "{answer}");
        count(&seen.accepted);
    }
    let events = ask(&format!("op=readevent&count=10&{sid}"));
    let events = events["event"].as_array().map_or(0, Vec::len);
    seen.received.fetch_add(events as u64, Relaxed);
    assert_eq!(ask(&format!("op=close&{sid}"))["success"], true);
    assert_eq!(ask(&format!("op=status&{sid}"))["success"], false);
    count(&seen.rest);
    thread::sleep(Duration::from_millis(20));
}
