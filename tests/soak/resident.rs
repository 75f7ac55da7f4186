//! A client that stays.

use std::{
    collections::HashMap,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use serde_json::Value;
use vscpl2drv_websocksrv::ws::Protocol::{self, Ws1, Ws2};

use crate::{
    common::{Client, http, messages, wait_until},
    numbered::{self, Heard},
    residents::EVENTS,
    site::{Site, Stream},
};

/// Events of each client that sends.
const SENT: u32 = 1000;

/// The number of the last event of the host.
pub(crate) const LAST: u32 = u32::MAX;

/// The number of an event is that of its sender (0 for the host) above these bits, and its place
/// among those of the sender in them.
const PLACE_BITS: u32 = 20;

/// The way that a client treats its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Takes them as they come.
    Reads,
    /// Takes them slower than they come.
    IsSlow,
    /// Takes none, until the end.
    Stalls,
    /// Opens at the end only.
    IsClosed,
    /// Takes those of the host.
    Filters,
    /// Takes them, and sends some.
    Sends,
    /// Asks for them by REST.
    Polls,
    /// Asks for them by REST at the end.
    PollsLate,
}

impl Manner {
    /// Returns true for a client of a websocket that does not take its events as they come.
    pub(crate) fn is_late(self) -> bool {
        matches!(self, Self::IsSlow | Self::Stalls | Self::IsClosed)
    }

    /// Returns true for a client whose events are kept until it asks for them.
    pub(crate) fn is_kept(self) -> bool {
        matches!(self, Self::IsClosed | Self::Polls | Self::PollsLate)
    }
}

pub(crate) const MANNERS: [(Manner, Protocol, bool); 19] = {
    use Manner::*;
    [
        (Reads, Ws1, false),
        (Reads, Ws1, true),
        (Reads, Ws2, false),
        (Reads, Ws2, true),
        (IsSlow, Ws1, false),
        (IsSlow, Ws2, true),
        (Stalls, Ws1, false),
        (Stalls, Ws1, true),
        (Stalls, Ws2, false),
        (Stalls, Ws2, true),
        (IsClosed, Ws1, false),
        (IsClosed, Ws2, true),
        (Filters, Ws1, false),
        (Filters, Ws2, false),
        (Sends, Ws1, false),
        (Sends, Ws1, true),
        (Sends, Ws2, false),
        (Polls, Ws1, false),
        (PollsLate, Ws1, false),
    ]
};

/// The events that a client has got and sent.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// By sender: the last event and how many.
    received: HashMap<u32, (u32, u64)>,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
}

impl Outcome {
    fn note(&mut self, number: u32) {
        let (sender, place) = match number {
            LAST => (0, LAST),
            _ => (number >> PLACE_BITS, number % (1 << PLACE_BITS)),
        };
        let (last, count) = self.received.entry(sender).or_default();
        assert!(place > *last, "event {place} of {sender} came after {last}");
        *last = place;
        *count += 1;
    }

    pub(crate) fn count(&self) -> u64 {
        self.received.values().map(|(_, count)| count).sum()
    }

    fn has_last(&self) -> bool {
        self.received.get(&0).is_some_and(|(last, _)| *last == LAST)
    }
}

/// When a round goes on.
pub(crate) struct Round {
    /// All clients are there.
    pub(crate) ready: Barrier,
    /// How many of those that send have sent all.
    pub(crate) sent: AtomicUsize,
    /// The host has written its events, all but the last.
    pub(crate) written: AtomicBool,
    /// Those that did not take their events do so now.
    pub(crate) taking: Barrier,
    /// The host has written its last event.
    pub(crate) ended: Barrier,
}

/// Returns the name of the user that a resident logs in as.
pub(crate) fn user_of(index: usize) -> String {
    format!("r{index}")
}

/// Lives the life of a resident in one round. Returns what it has seen.
pub(crate) fn live(site: &Site, index: usize, round: &Round) -> Outcome {
    let (manner, protocol, tls) = MANNERS[index];
    let user = user_of(index);
    if matches!(manner, Manner::Polls | Manner::PollsLate) {
        return poll(site, &user, manner, round);
    }
    // All come at once, and one address has few places for logins.
    let mut client = site.connect_from(20 + index as u8, protocol, tls);
    client.login(&user);
    if manner == Manner::Filters {
        filter(&mut client);
    }
    if manner != Manner::IsClosed {
        client.command("OPEN");
    }
    let mut result = Outcome::default();
    round.ready.wait();
    if manner == Manner::Sends {
        send(&mut client, index as u32 + 1, &mut result);
        round.sent.fetch_add(1, Relaxed);
    }
    match manner {
        Manner::Stalls => wait_until("the end", || round.written.load(Relaxed)),
        Manner::IsClosed => {
            wait_until("the end", || round.written.load(Relaxed));
            client.command("OPEN");
        }
        // As many as come in the time that the host takes.
        Manner::IsSlow => {
            while !round.written.load(Relaxed) && result.count() < u64::from(EVENTS / 8) {
                take(&mut client, &mut result);
                thread::sleep(Duration::from_millis(2));
            }
        }
        _ => {}
    }
    if manner.is_late() {
        round.taking.wait();
    }
    while !result.has_last() {
        take(&mut client, &mut result);
    }
    round.ended.wait();
    client.send_frame(0x88, &1000u16.to_be_bytes());
    assert!(client.frame().is_some_and(|frame| frame.opcode == 8));
    result
}

/// Takes what comes next.
fn take(client: &mut Client<Box<dyn Stream>>, result: &mut Outcome) {
    match numbered::hear(client) {
        Heard::Event(number) => result.note(number),
        Heard::Reply(Ok(())) => result.accepted += 1,
        // The queue for the host is full.
        Heard::Reply(Err(3)) => result.refused += 1,
        other @ Heard::Reply(_) => panic!("{other:?}"),
    }
}

fn send(client: &mut Client<Box<dyn Stream>>, sender: u32, result: &mut Outcome) {
    const AT_ONCE: u32 = 20;
    for first in (1..=SENT).step_by(AT_ONCE as usize) {
        for place in first..first + AT_ONCE {
            client.send(&numbered::of_client(
                client.protocol,
                sender << PLACE_BITS | place,
            ));
        }
        let answered = u64::from(first + AT_ONCE - 1);
        while result.accepted + result.refused < answered {
            take(client, result);
        }
    }
}

/// Lets events of the host pass only.
fn filter(client: &mut Client<Box<dyn Stream>>) {
    let message = match client.protocol {
        Ws1 => "C;SF;0,0,3,-;0,0,0xFFFF,-",
        Ws2 => r#"{"type":"C","command":"SF","args":{"filter":"0,0,3,-","mask":"0,0,0xFFFF,-"}}"#,
    };
    client.send(message);
    let reply = client.hear();
    assert!(matches!(reply, messages::Heard::Success(_)), "{reply:?}");
}

fn poll(site: &Site, user: &str, manner: Manner, round: &Round) -> Outcome {
    let ask = |query: &str| -> Value {
        let path = format!("/rest?format=json&{query}");
        let request = http::request("GET", &path, &[], "");
        http::exchange(site.plain, request.as_bytes()).json()
    };
    let opened = ask(&format!("op=open&vscpuser={user}&vscpsecret=secret"));
    let sid = opened["vscpsession"].as_str().unwrap().to_owned();
    let mut result = Outcome::default();
    let mut take = || {
        let answer = ask(&format!("op=readevent&count=1000&vscpsession={sid}"));
        let events = answer["event"].as_array().cloned().unwrap_or_default();
        for event in &events {
            let number = numbered::in_value(event);
            result.note(number.unwrap_or_else(|| panic!("{event}")));
        }
        !events.is_empty()
    };
    round.ready.wait();
    if manner == Manner::Polls {
        while !round.written.load(Relaxed) {
            take();
            thread::sleep(Duration::from_millis(5));
        }
    }
    round.ended.wait();
    while take() {}
    assert_eq!(ask(&format!("op=close&vscpsession={sid}"))["success"], true);
    result
}
