//! Where events go, in what order, and what happens where somebody does not take them.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::{
    io::{Read, Write},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use vscpl2drv_websocksrv::{
    event::{Data, Event, Guid},
    hub::HostError,
    ws::Protocol,
};

use common::{
    BOTH, DEADLINE, GUID, Server,
    client::{Client, frame},
    event_of,
    speech::{Heard, auth, command, crypto, event},
    user, wait_until,
};

#[test]
fn hundreds_of_requests_at_once_are_answered_one_by_one_in_order() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        let mut messages = Vec::new();
        let mut replies = Vec::new();
        for number in 1..=200 {
            for (message, reply) in [
                (command(protocol, "NOOP"), Heard::done("NOOP")),
                (event(protocol, number), Heard::done("EVENT")),
                (
                    command(protocol, &format!("X{number}")),
                    Heard::failed(&format!("X{number}"), 2),
                ),
                (command(protocol, "CLOSE"), Heard::done("CLOSE")),
            ] {
                messages.extend(frame(0x81, message.as_bytes()));
                replies.push(reply);
            }
        }
        client.send_bytes(&messages);
        for reply in replies {
            assert_eq!(client.hear(), reply);
        }
        assert_eq!(client.hear_until_noop(), []);
        for number in 1..=200 {
            assert_eq!(server.host_reads_number(), number);
        }
    }
}

#[test]
fn everything_may_be_sent_before_the_greeting_is_read() {
    let server = Server::start(json!({"ws1-iv": "any"}));
    let iv = "00112233445566778899AABBCCDDEEFF";
    for (protocol, path, word) in [
        (Protocol::Ws1, "/ws1", "AUTH1"),
        (Protocol::Ws2, "/ws2", "AUTH"),
    ] {
        let messages: Vec<u8> = [
            command(protocol, "NOOP"),
            command(protocol, "OPEN"),
            auth(protocol, iv, &crypto("admin:secret", iv)),
            command(protocol, "OPEN"),
            event(protocol, 1),
            event(protocol, 2),
            command(protocol, "CLRQ"),
        ]
        .iter()
        .flat_map(|message| frame(0x81, message.as_bytes()))
        .collect();
        let mut client = Client::connect_and_send(server.address(), path, protocol, &messages);
        client.take_greeting();
        for reply in [
            Heard::done("NOOP"),
            Heard::failed("OPEN", 5),
            Heard::done(word),
            Heard::done("OPEN"),
            Heard::done("EVENT"),
            Heard::done("EVENT"),
            Heard::done("CLRQ"),
        ] {
            assert_eq!(client.hear(), reply);
        }
        assert_eq!(
            [1, 2],
            [server.host_reads_number(), server.host_reads_number()]
        );
    }
}

#[test]
fn an_event_goes_to_the_host_and_to_every_other_client_but_never_back() {
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = [Protocol::Ws1, Protocol::Ws2, Protocol::Ws1, Protocol::Ws2]
        .into_iter()
        .map(|protocol| server.open(protocol, "admin"))
        .collect();
    for sender in 0..clients.len() {
        clients[sender].send_event(1);
        assert_eq!(clients[sender].hear(), Heard::done("EVENT"));
        assert_eq!(server.host_reads_number(), 1);
        // Behind it, and for all.
        server.host_writes(2);
        for (index, client) in clients.iter_mut().enumerate() {
            if index != sender {
                client.expect_events([1]);
            }
            client.expect_events([2]);
        }
    }
    let nothing = server.driver.read(Some(Duration::from_millis(1)));
    assert_eq!(
        nothing,
        Err(HostError::Timeout),
        "an event of the host came back to it"
    );
}

#[test]
fn events_of_several_clients_mixed_in_one_batch_go_to_the_right_ones() {
    let server = Server::start(json!({}));
    let mut clients: Vec<Client> = BOTH.map(|protocol| server.open(protocol, "admin")).into();
    let count = 300;
    for (client, offset) in clients.iter_mut().zip([0, 1000]) {
        let events = (1..=count).map(|number| event(client.protocol, offset + number));
        let messages: Vec<u8> = events
            .flat_map(|event| frame(0x81, event.as_bytes()))
            .collect();
        client.send_bytes(&messages);
    }
    server.host_writes(9999);
    for (client, other) in clients.iter_mut().zip([1000, 0]) {
        let mut replies = 0;
        let mut next = other + 1;
        let mut host = false;
        while replies < count || next <= other + count || !host {
            match client.hear() {
                Heard::Done(word) if word == "EVENT" => replies += 1,
                Heard::Event(9999) => host = true,
                heard => {
                    assert_eq!(heard, Heard::Event(next));
                    next += 1;
                }
            }
        }
        assert_eq!((replies, client.hear_until_noop()), (count, vec![]));
    }
}

#[test]
fn events_are_kept_until_open_which_replies_first() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        for number in 1..=100 {
            server.host_writes(number);
        }
        assert_eq!(client.hear_until_noop(), []);
        client.send_command("OPEN");
        assert_eq!(client.hear(), Heard::done("OPEN"));
        client.expect_events(1..=100);
        server.host_writes(101);
        client.expect_events([101]);

        client.command("CLOSE");
        server.host_writes(102);
        server.host_writes(103);
        assert_eq!(client.hear_until_noop(), []);
        client.command("OPEN");
        client.expect_events([102, 103]);
    }
}

#[test]
fn an_event_that_a_client_sends_before_open_is_not_kept_for_itself() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        let mut other = server.login(protocol, "admin");
        client.send_event(1);
        assert_eq!(client.hear(), Heard::done("EVENT"));
        server.host_writes(2);
        client.command("OPEN");
        client.expect_events([2]);
        other.command("OPEN");
        other.expect_events([1, 2]);
    }
}

#[test]
fn what_follows_open_in_one_segment_is_handled_behind_the_kept_events() {
    let server = Server::start(json!({}));
    let mut other = server.open(Protocol::Ws1, "admin");
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        server.host_writes(1);
        server.host_writes(2);
        other.expect_events([1, 2]);
        let bytes: Vec<u8> = ["OPEN", "CLRQ", "NOOP"]
            .iter()
            .flat_map(|word| frame(0x81, command(protocol, word).as_bytes()))
            .collect();
        client.stream.write_all(&bytes).unwrap();
        let heard = [(); 5].map(|()| client.hear());
        let expected = [
            Heard::done("OPEN"),
            Heard::Event(1),
            Heard::Event(2),
            Heard::done("CLRQ"),
            Heard::done("NOOP"),
        ];
        assert_eq!(heard, expected);
    }
}

#[test]
fn events_that_come_while_the_kept_ones_are_sent_go_behind_them() {
    const KEPT: u32 = 20_000;
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut witness = server.open(Protocol::Ws1, "admin");
        let mut client = server.login(protocol, "admin");
        for number in 1..=KEPT {
            server.host_writes(number);
        }
        // When the other has got them, they are there for this one, too.
        witness.expect_events(1..=KEPT);
        client.send_command("OPEN");
        for number in KEPT + 1..=KEPT + 2000 {
            server.host_writes(number);
        }
        assert_eq!(client.hear(), Heard::done("OPEN"));
        client.expect_events(1..=KEPT + 2000);
        witness.expect_events(KEPT + 1..=KEPT + 2000);
    }
}

#[test]
fn only_events_that_pass_the_filter_are_kept() {
    let server = Server::start(json!({}));
    let mut client = server.login(Protocol::Ws1, "admin");
    assert_eq!(client.ask("C;SF;0,10,0,-;0,0xFFFF,0,-"), "+;SF");
    server.host_writes_text("0,11,1,,,1,-");
    server.host_writes_text("0,10,1,,,2,-");
    // When somebody else has got them, they are there for this one, too.
    let mut other = server.open(Protocol::Ws1, "admin");
    server.host_writes_text("0,10,1,,,3,-");
    other.expect_events([3]);
    client.hear_until_noop();
    assert_eq!(client.ask("C;SF;0;0"), "+;SF");
    client.command("OPEN");
    client.expect_events([2, 3]);
}

#[test]
fn clearing_the_queue_drops_the_kept_events() {
    let server = Server::start(json!({}));
    let mut witness = server.open(Protocol::Ws1, "admin");
    for protocol in BOTH {
        for word in ["CLRQ", "CLRQUEUE"] {
            let mut client = server.login(protocol, "admin");
            for number in 1..=10 {
                server.host_writes(number);
            }
            witness.expect_events(1..=10);
            client.send_command(word);
            assert!(matches!(client.hear(), Heard::Done(_)));
            server.host_writes(11);
            witness.expect_events([11]);
            client.command("OPEN");
            client.expect_events([11]);
        }
    }
}

#[test]
fn nothing_is_kept_for_a_client_before_its_login() {
    let server = Server::start(json!({}));
    let mut witness = server.open(Protocol::Ws1, "admin");
    for protocol in BOTH {
        let mut client = server.connect(protocol);
        server.host_writes(1);
        witness.expect_events([1]);
        client.login("admin");
        client.command("OPEN");
        server.host_writes(2);
        witness.expect_events([2]);
        client.expect_events([2]);
    }
}

#[test]
fn a_full_queue_drops_the_newest_events_and_counts_them_in_one_line_a_burst() {
    let server = Server::start(json!({"max-client-queue-size": 5}));
    let dropped = || server.driver.counters().dropped_closed.get();
    let mut client = server.login(Protocol::Ws2, "admin");
    for burst in 1..=2 {
        for number in 1..=12 {
            server.host_writes(number);
        }
        wait_until("7 more are dropped", || dropped() == 7 * burst);
        client.command("OPEN");
        client.expect_events(1..=5);
        client.command("CLOSE");
        let line = "7 events dropped";
        server.wait_for_log(line);
        wait_until("a line for each burst", || {
            server.log().matches(line).count() as u64 == burst
        });
    }
}

#[test]
fn the_queue_size_has_its_old_name_too() {
    let server = Server::start(json!({"max-out-queue": 3}));
    let mut client = server.login(Protocol::Ws1, "admin");
    for number in 1..=4 {
        server.host_writes(number);
    }
    let dropped = || server.driver.counters().dropped_closed.get();
    wait_until("1 is dropped", || dropped() == 1);
    client.command("OPEN");
    client.expect_events(1..=3);
}

#[test]
fn a_client_that_is_logged_out_or_another_user_loses_the_kept_events() {
    let server = Server::start(json!({}));
    for protocol in BOTH {
        let mut client = server.login(protocol, "admin");
        server.host_writes(1);
        client.challenge();
        client.login("admin");
        server.host_writes(2);
        client.command("OPEN");
        client.expect_events([1, 2]);
        client.command("CLOSE");

        let mut witness = server.open(protocol, "admin");
        server.host_writes(3);
        witness.expect_events([3]);
        client.login("user");
        client.command("OPEN");
        server.host_writes(4);
        client.expect_events([4]);
    }
}

#[test]
fn the_host_that_does_not_read_has_events_refused_and_nobody_gets_them() {
    let server = Server::start(json!({"max-in-queue": 3}));
    for protocol in BOTH {
        let mut sender = server.login(protocol, "admin");
        let mut other = server.open(protocol, "admin");
        for number in 1..=5 {
            sender.send_event(number);
            let reply = match number {
                ..=3 => Heard::done("EVENT"),
                _ => Heard::failed("EVENT", 3),
            };
            assert_eq!(sender.hear(), reply, "{number}");
        }
        assert_eq!(server.host_reads_number(), 1);
        sender.send_event(6);
        assert_eq!(sender.hear(), Heard::done("EVENT"));
        other.expect_events([1, 2, 3, 6]);
        for number in [2, 3, 6] {
            assert_eq!(server.host_reads_number(), number);
        }
    }
    assert_eq!(server.driver.counters().refused_full.get(), 4);
}

#[test]
fn a_full_host_queue_does_not_stop_events_that_are_not_for_the_host() {
    let server = Server::start(json!({"max-in-queue": 1, "rx-filter": "0,10,0,-;0,0xFFFF,0,-"}));
    let mut sender = server.login(Protocol::Ws1, "admin");
    let mut other = server.open(Protocol::Ws1, "admin");
    assert_eq!(sender.ask("E;0,10,1,,,1,-"), "+;EVENT");
    assert_eq!(
        sender.ask("E;0,10,1,,,2,-"),
        "-;EVENT;3;Transmit buffer full."
    );
    assert_eq!(sender.ask("E;0,11,1,,,3,-"), "+;EVENT");
    other.expect_events([1, 3]);
}

#[test]
fn the_rx_filter_is_for_the_host_alone() {
    for (filter, passing) in [
        ("0,10,0,-;0,0xFFFF,0,-", "10,6"),
        ("0,10,0,-,0,0xFFFF,0,-", "10,6"),
        (",10", "10,6"),
        ("0,0,6,-;0,0,0xFFFF,-", "11,6"),
    ] {
        let server = Server::start(json!({"rx-filter": filter}));
        let mut sender = server.login(Protocol::Ws1, "admin");
        let mut other = server.open(Protocol::Ws1, "admin");
        assert_eq!(sender.ask("E;0,11,7,,,1,-"), "+;EVENT");
        assert_eq!(sender.ask(&format!("E;0,{passing},,,2,-")), "+;EVENT");
        other.expect_events([1, 2]);
        assert_eq!(server.host_reads_number(), 2, "{filter}");
    }
}

#[test]
fn events_larger_than_the_host_can_take_are_refused() {
    let server = Server::start(json!({"host-max-data": 4}));
    let mut client = server.login(Protocol::Ws1, "admin");
    let mut other = server.open(Protocol::Ws2, "admin");
    let refused = "-;EVENT;8;Parse error, invalid format.";
    assert_eq!(client.ask("E;0,20,3,,,1,-,1,2,3,4,5"), refused);
    assert_eq!(client.ask("E;0,20,3,,,2,-,1,2,3,4"), "+;EVENT");
    assert_eq!(server.host_reads_number(), 2);
    other.expect_events([2]);
    let message = json!({"type": "E", "event": {"class": 20, "type": 3, "data": [1, 2, 3, 4, 5]}});
    other.send(&message.to_string());
    assert_eq!(other.hear(), Heard::failed("EVENT", 8));
    assert_eq!(server.driver.counters().refused_large.get(), 2);
    // The host itself may send what it likes.
    server.host_writes_text("0,20,3,,,3,-,1,2,3,4,5");
    other.expect_events([3]);
}

#[test]
fn an_event_that_the_host_sends_back_is_not_delivered_again() {
    let server = Server::start(json!({}));
    let mut sender = server.open(Protocol::Ws1, "admin");
    let mut other = server.open(Protocol::Ws1, "admin");
    assert_eq!(sender.ask("E;0,20,3,,,1,-,7"), "+;EVENT");
    other.expect_events([1]);
    let mut given = server.host_reads();
    // The daemon rewrites the times.
    given.timestamp = 99;
    given.date = None;
    given.obid = 0;
    for _ in 0..2 {
        server.driver.write(given.clone(), Some(DEADLINE)).unwrap();
    }
    server.host_writes(3);
    for client in [&mut sender, &mut other] {
        client.expect_events([99, 3]);
    }
    assert_eq!(server.driver.counters().echoes.get(), 1);
}

#[test]
fn the_echo_filter_can_be_switched_off() {
    let server = Server::start(json!({"echo-filter": false}));
    let mut sender = server.open(Protocol::Ws1, "admin");
    assert_eq!(sender.ask("E;0,20,3,,,1,-,7"), "+;EVENT");
    let given = server.host_reads();
    server.driver.write(given, Some(DEADLINE)).unwrap();
    sender.expect_events([1]);
}

#[test]
fn the_host_waits_for_events_and_is_woken_by_one_or_by_the_close() {
    let server = Server::start(json!({}));
    let mut client = server.login(Protocol::Ws1, "admin");
    thread::scope(|scope| {
        let reader = scope.spawn(|| server.driver.read(None).unwrap().timestamp);
        client.send_event(5);
        assert_eq!(reader.join().unwrap(), 5);
        let start = Instant::now();
        let timeout = Duration::from_millis(30);
        assert_eq!(server.driver.read(Some(timeout)), Err(HostError::Timeout));
        assert!(start.elapsed() >= timeout);
        let reader = scope.spawn(|| server.driver.read(None));
        server.driver.close();
        assert_eq!(reader.join().unwrap(), Err(HostError::Closed));
    });
    assert_eq!(server.driver.read(None), Err(HostError::Closed));
    let event = event_of("0,20,3,,,,-");
    assert_eq!(server.driver.write(event, None), Err(HostError::Closed));
}

#[test]
fn without_clients_events_of_the_host_are_a_success() {
    let server = Server::start(json!({"max-client-queue-size": 1}));
    for number in 1..=20_000 {
        server.host_writes(number);
    }
}

/// How far clients are, so that a test knows that they keep up, however slow the machine is.
#[derive(Default)]
struct Progress([AtomicU32; 3]);

impl Progress {
    /// Has a client hear the events 1, 2 .. until `u32::MAX`, without a gap and in order.
    fn hear_all(&self, index: usize, client: &mut Client) {
        for number in 1.. {
            match client.hear() {
                Heard::Event(u32::MAX) => break,
                heard => assert_eq!(heard, Heard::Event(number), "{:?}", client.protocol),
            }
            self.0[index].store(number, Ordering::Relaxed);
        }
        self.0[index].store(u32::MAX, Ordering::Relaxed);
    }

    /// Waits until the clients are less than `distance` behind event `number`.
    fn wait_for(&self, clients: usize, number: u32, distance: u32) {
        let heard = |progress: &AtomicU32| progress.load(Ordering::Relaxed);
        let far = || {
            self.0[..clients]
                .iter()
                .any(|p| heard(p).saturating_add(distance) < number)
        };
        if far() {
            wait_until("the clients go on", || !far());
        }
    }
}

#[test]
fn a_flood_of_events_reaches_every_client_without_gap_and_in_order() {
    const EVENTS: u32 = 200_000;
    let server = Server::start(json!({"max-client-queue-size": 100_000}));
    let mut clients = [Protocol::Ws1, Protocol::Ws1, Protocol::Ws2]
        .map(|protocol| server.open(protocol, "admin"));
    let progress = Progress::default();
    thread::scope(|scope| {
        for (index, client) in clients.iter_mut().enumerate() {
            let progress = &progress;
            scope.spawn(move || progress.hear_all(index, client));
        }
        let template = event_of("0,20,3,0,2020-01-01T00:00:00Z,,-,1,2,3");
        for number in (1..=EVENTS).chain([u32::MAX]) {
            let mut event = template.clone();
            event.timestamp = number;
            server.driver.write(event, Some(DEADLINE)).unwrap();
            progress.wait_for(3, number.min(EVENTS), 60_000);
        }
    });
    let counters = server.driver.counters();
    assert_eq!(counters.dropped_slow.get(), 0);
    assert_eq!(counters.to_clients.get(), 3 * (u64::from(EVENTS) + 1));
}

/// A client sends events without waiting for replies; all are taken, and the host gets them in
/// order.
fn flood_the_host(server: &Server, client: &mut Client, events: u32) {
    let mut sender = client.stream.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            for first in (1..=events).step_by(100) {
                let events = (first..first + 100).map(|number| event(Protocol::Ws1, number));
                let bytes: Vec<u8> = events
                    .flat_map(|text| frame(0x81, text.as_bytes()))
                    .collect();
                sender.write_all(&bytes).unwrap();
            }
        });
        scope.spawn(|| {
            for number in 1..=events {
                assert_eq!(server.host_reads_number(), number);
            }
        });
        for _ in 1..=events {
            assert_eq!(client.hear(), Heard::done("EVENT"));
        }
    });
}

#[test]
fn a_flood_of_a_client_reaches_the_host_in_order() {
    let server = Server::start(json!({}));
    let mut client = server.login(Protocol::Ws1, "admin");
    flood_the_host(&server, &mut client, 20_000);
}

#[test]
fn a_client_that_takes_nothing_has_no_event_of_another_refused() {
    let server = Server::start(json!({"max-client-queue-size": 500}));
    let _stuck = server.open(Protocol::Ws2, "admin");
    let mut client = server.login(Protocol::Ws1, "admin");
    // More than the sockets and the ring hold: the hub has to wait.
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..10_000 {
                server.driver.write(large_event(), Some(DEADLINE)).unwrap();
            }
        });
        flood_the_host(&server, &mut client, 20_000);
    });
    assert_eq!(server.driver.counters().refused_full.get(), 0);
}

#[test]
fn a_client_that_takes_nothing_is_closed_and_the_others_get_everything() {
    let server = Server::start(json!({"write-timeout": 1, "max-client-queue-size": 1000}));
    let mut others = BOTH.map(|protocol| server.open(protocol, "admin"));
    let mut stalled = server.open(Protocol::Ws2, "admin");
    let template = large_event();
    let progress = Progress::default();
    thread::scope(|scope| {
        for (index, client) in others.iter_mut().enumerate() {
            let progress = &progress;
            scope.spawn(move || progress.hear_all(index, client));
        }
        let start = Instant::now();
        let mut written = 0;
        for number in 1.. {
            written = number;
            let mut event = template.clone();
            event.timestamp = number;
            server.driver.write(event, Some(DEADLINE)).unwrap();
            progress.wait_for(2, number, 500);
            if number % 500 == 0 && server.log().contains("1008 slow consumer") {
                break;
            }
            assert!(start.elapsed() < DEADLINE, "it is never closed");
        }
        // It has a second to take what is left, and its close frame.
        assert_eq!(stalled.close_code(), 1008);
        wait_until("the others have all", || {
            progress.0[..2]
                .iter()
                .all(|p| p.load(Ordering::Relaxed) == written)
        });
        let counters = server.driver.counters();
        let taken = counters.to_clients.get() - 2 * u64::from(written);
        // The log is looked at after each 500; before, nothing is lost without being counted.
        assert!(taken + counters.dropped_slow.get() >= u64::from(written - 500 - 500));
        server.host_writes(u32::MAX);
    });
}

#[test]
fn a_client_that_reads_slowly_all_the_time_is_not_closed() {
    const SECONDS: u32 = 8;
    const READS: u32 = 10;
    let server = Server::start(json!({"write-timeout": 2, "max-client-queue-size": 1000}));
    let mut client = server.open(Protocol::Ws1, "admin");
    let template = large_event();
    let read = AtomicU32::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            // 200 kB a second: the time is what is tested.
            let mut buffer = vec![0; 20_000];
            for number in 1..=SECONDS * READS {
                thread::sleep(Duration::from_secs(1) / READS);
                client.stream.read_exact(&mut buffer).unwrap();
                read.store(number, Ordering::Relaxed);
            }
        });
        // More than it takes.
        while read.load(Ordering::Relaxed) < SECONDS * READS {
            server
                .driver
                .write(template.clone(), Some(DEADLINE))
                .unwrap();
            assert!(!server.log().contains("slow consumer"));
        }
    });
}

#[test]
fn a_client_that_was_slow_once_is_not_closed_later() {
    const EVENTS: u32 = 6000;
    let server = Server::start(json!({"write-timeout": 1, "auth-timeout": 2}));
    let mut client = server.open(Protocol::Ws2, "admin");
    let template = large_event();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=EVENTS {
                let mut event = template.clone();
                event.timestamp = number;
                server.driver.write(event, Some(DEADLINE)).unwrap();
            }
        });
        client.expect_events(1..=EVENTS);
    });
    // The clock: one that does not log in is closed after 2 seconds.
    assert_eq!(server.connect(Protocol::Ws1).close_code(), 1008);
    client.command("NOOP");
}

#[test]
fn a_client_that_asks_but_does_not_listen_is_held_back_and_closed() {
    let server = Server::start(json!({"write-timeout": 1}));
    let mut client = server.connect(Protocol::Ws1);
    let request = frame(0x81, b"C;COPYRIGHT").repeat(1000);
    let start = Instant::now();
    while client.stream.write_all(&request).is_ok() {
        assert!(start.elapsed() < DEADLINE, "it is never closed");
    }
    server.wait_for_log("closed, 1008 slow consumer");
    server.login(Protocol::Ws1, "admin");
}

#[test]
fn a_slow_client_loses_events_that_are_counted_but_gets_the_rest_in_order() {
    // More than the sockets, the ring and the queue hold together.
    const EVENTS: u32 = 40_000;
    let server = Server::start(json!({"max-client-queue-size": 500}));
    let mut slow = server.open(Protocol::Ws1, "admin");
    let template = large_event();
    for number in 1..=EVENTS {
        let mut event = template.clone();
        event.timestamp = number;
        server.driver.write(event, Some(DEADLINE)).unwrap();
    }
    let mut got = 0;
    let mut before = 0;
    while before < EVENTS {
        let Heard::Event(number) = slow.hear() else {
            panic!("no event");
        };
        assert!(number > before, "{number} behind {before}");
        before = number;
        got += 1;
    }
    let dropped = server.driver.counters().dropped_slow.get();
    assert!(dropped > 0);
    assert_eq!(got + dropped, u64::from(EVENTS));
    server.wait_for_log(&format!("{dropped} events dropped, too slow"));
}

/// One of about 2 KB as text.
fn large_event() -> Event {
    event_of(&format!(
        "0,20,3,0,2020-01-01T00:00:00Z,1,-{}",
        ",255".repeat(400)
    ))
}

#[test]
fn a_user_without_the_right_to_receive_gets_no_events() {
    let users = json!([
        user("admin", json!({})),
        user("deaf", json!({"rights": "send-events"}))
    ]);
    let server = Server::start(json!({"users": users}));
    for protocol in BOTH {
        let mut witness = server.open(protocol, "admin");
        let mut deaf = server.open(protocol, "deaf");
        server.host_writes(1);
        witness.expect_events([1]);
        assert_eq!(deaf.hear_until_noop(), []);
        assert_eq!(deaf.hear_until_noop(), []);
        deaf.send_event(2);
        assert_eq!(deaf.hear(), Heard::done("EVENT"));
        witness.expect_events([2]);
    }
}

#[test]
fn commands_that_come_too_fast_are_counted_and_logged() {
    let server = Server::start(json!({}));
    let guid: Guid = GUID.parse().unwrap();
    let mut command = event_of("0,1028,1,,,,-");
    command.data = Data::copy_from(&[&guid.0[..], b" {\"op\":\"noop\"}"].concat()).unwrap();
    let dropped = || server.driver.counters().dropped_own.get();
    // Fewer than there is room for of their replies.
    for _ in 0..20_000 {
        server.driver.write(command.clone(), None).unwrap();
        if dropped() > 0 {
            break;
        }
    }
    assert!(dropped() > 0);
    server.wait_for_log("commands to the driver dropped");
}
