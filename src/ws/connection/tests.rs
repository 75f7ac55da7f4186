//! A connection without a socket: its peer is at the other end of a pipe in memory.

use std::{task::Waker, thread};

use futures_util::{FutureExt, SinkExt, StreamExt};
use proptest::{collection::vec, prelude::*};
use tokio::{
    io::{DuplexStream, duplex},
    task::{JoinHandle, yield_now},
    time::{Instant, advance},
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::*;
use crate::{
    auth::Key,
    client::tests::{shared, shared_keeping},
    event::{Data, Event, text},
    ws::{
        Dialect,
        session::tests::{KEY, login},
    },
};

/// Makes a server with one user, `admin`.
pub(crate) fn server() -> Arc<Server> {
    server_with(shared())
}

/// The same with this state.
fn server_with(shared: Arc<Shared>) -> Arc<Server> {
    Arc::new(Server {
        shared,
        settings: Arc::new(Settings {
            dialect: Dialect::default(),
            key: Key::new(KEY),
            max_attempts: 3,
        }),
        limits: Limits::default(),
    })
}

/// A client, and the task that serves it.
struct Client {
    websocket: WebSocketStream<DuplexStream>,
    sid: String,
    task: JoinHandle<()>,
}

impl Client {
    /// Connects over a pipe that holds so many bytes for each direction.
    async fn connect(server: &Arc<Server>, pipe: usize) -> Self {
        let (near, far) = duplex(pipe);
        let address = "127.0.0.1".parse().unwrap();
        let registry = &server.shared.registry;
        let guard = registry.admit_websocket(Protocol::Ws1.kind(), address);
        let guard = guard.await.unwrap();
        let task = serve(
            server.clone(),
            Protocol::Ws1,
            guard,
            None,
            far,
            Bytes::new(),
        );
        let task = tokio::spawn(task);
        let websocket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let mut client = Self {
            websocket,
            sid: String::new(),
            task,
        };
        let greeting = client.hear().await;
        client.sid = greeting.strip_prefix("+;AUTH0;").unwrap().to_owned();
        client
    }

    async fn send_all(&mut self, messages: &[&str]) {
        for message in messages {
            let message = Message::text(*message);
            self.websocket.feed(message).await.unwrap();
        }
        self.websocket.flush().await.unwrap();
    }

    async fn hear(&mut self) -> String {
        match self.websocket.next().await.unwrap().unwrap() {
            Message::Text(text) => text.as_str().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// The first word of so many messages, with the code of those that are refused.
    async fn hear_words(&mut self, count: usize) -> Vec<String> {
        let mut words = Vec::new();
        for _ in 0..count {
            let message = self.hear().await;
            let end = message.match_indices(';').nth(1).map(|(index, _)| index);
            words.push(message[..end.unwrap_or(message.len())].to_owned());
        }
        words
    }

    async fn close_frame(&mut self) -> CloseFrame {
        loop {
            if let Message::Close(frame) = self.websocket.next().await.unwrap().unwrap() {
                return frame.unwrap();
            }
        }
    }

    async fn open(server: &Arc<Server>, pipe: usize) -> Self {
        let mut client = Self::connect(server, pipe).await;
        let login = login(&client.sid, Protocol::Ws1, "admin");
        client.send_all(&[&login, "C;OPEN"]).await;
        assert_eq!(client.hear_words(2).await, ["+;AUTH1", "+;OPEN"]);
        client
    }
}

fn event(kind: u16) -> Event {
    text::parse(&format!("0,10,{kind},,,1,-")).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_login_waits_for_its_end() {
    let server = server();
    let mut client = Client::connect(&server, 10_000).await;
    let login = login(&client.sid, Protocol::Ws1, "admin");
    client
        .send_all(&["C;OPEN", &login, "C;OPEN", "E;0,10,6,,,1,-", "C;NOOP"])
        .await;
    assert_eq!(
        client.hear_words(5).await,
        ["-;OPEN", "+;AUTH1", "+;OPEN", "+;EVENT", "+;NOOP"]
    );
}

#[tokio::test(start_paused = true)]
async fn events_stand_behind_the_replies_to_what_came_before_them() {
    let server = server();
    let mut client = Client::open(&server, 10_000).await;
    client.send_all(&["C;CLOSE", "C;NOOP"]).await;
    assert_eq!(client.hear_words(2).await, ["+;CLOSE", "+;NOOP"]);
    for kind in 1..=2 {
        server.shared.hub.write(event(kind), None).unwrap();
    }
    client.send_all(&["C;OPEN", "C;NOOP"]).await;
    assert_eq!(client.hear().await, "+;OPEN");
    for kind in 1..=2 {
        let start = format!("E;0,10,{kind},");
        assert!(client.hear().await.starts_with(&start));
    }
    assert_eq!(client.hear().await, "+;NOOP");
}

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_and_ends_the_task() {
    let server = server();
    let mut client = Client::open(&server, 10_000).await;
    client.websocket.close(None).await.unwrap();
    let answer = client.websocket.next().await.unwrap().unwrap();
    assert_eq!(answer, Message::Close(None));
    client.task.await.unwrap();
    assert_eq!(server.shared.registry.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pipe_that_breaks_ends_the_task() {
    let server = server();
    let client = Client::open(&server, 10_000).await;
    drop(client.websocket);
    client.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_binary_message_is_answered_with_1003() {
    let server = server();
    let mut client = Client::connect(&server, 10_000).await;
    let message = Message::binary(vec![1]);
    client.websocket.send(message).await.unwrap();
    assert_eq!(client.close_frame().await.code, CloseCode::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn the_registry_disconnects_a_client_with_its_code() {
    let server = server();
    let mut client = Client::open(&server, 10_000).await;
    server.shared.registry.close();
    assert_eq!(client.close_frame().await.code, CloseCode::Away);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_disconnected_after_the_write_timeout() {
    let server = server();
    let start = Instant::now();
    let client = Client::open(&server, 100).await;
    let mut large = event(1);
    large.data = Data::copy_from(&[255; 500]).unwrap();
    server.shared.hub.write(large, None).unwrap();
    client.task.await.unwrap();
    let limit = server.limits.write_timeout;
    let waited = start.elapsed();
    assert!(
        waited >= limit && waited < limit + CLOSE_TIMEOUT * 2,
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn messages_are_read_again_when_the_events_that_waited_are_gone() {
    let server = server();
    let start = Instant::now();
    let mut large = event(6);
    large.data = Data::copy_from(&[0; 500]).unwrap();
    // The stream is full twice: the first time it goes into the pipe, and the second time hardly
    // anything does. When the pipe is empty all that is left goes at once.
    for pipe in (64 * 1024..72 * 1024).step_by(128) {
        let mut client = Client::open(&server, pipe).await;
        for _ in 0..52 {
            server.shared.hub.write(large.clone(), None).unwrap();
        }
        yield_now().await;
        client.send_all(&["C;NOOP"]).await;
        yield_now().await;
        for _ in 0..52 {
            assert!(client.hear().await.starts_with("E;"));
        }
        assert_eq!(client.hear().await, "+;NOOP");
        assert_eq!(start.elapsed(), Duration::ZERO, "a pipe of {pipe} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_is_not_silent_before_it_is_read_again() {
    let mut server = server();
    let limits = &mut Arc::get_mut(&mut server).unwrap().limits;
    limits.write_timeout = limits.ping_timeout * 4;
    limits.ping_interval = Some(limits.ping_timeout * 4);
    let mut large = event(6);
    large.data = Data::copy_from(&[0; 500]).unwrap();
    // The stream is full, and all that it has goes with one write when the pipe is empty.
    for pipe in (64 * 1024..72 * 1024).step_by(512) {
        let mut client = Client::open(&server, pipe).await;
        for _ in 0..2 {
            for _ in 0..52 {
                server.shared.hub.write(large.clone(), None).unwrap();
            }
            yield_now().await;
        }
        client.send_all(&["C;NOOP"]).await;
        advance(server.limits.ping_timeout * 2).await;
        while client.hear().now_or_never().is_some() {}
        // The deadline has passed when the task is polled for the pipe.
        advance(Duration::from_secs(1)).await;
        while client.hear().await != "+;NOOP" {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_pings_is_disconnected_after_the_ping_timeout() {
    let server = server();
    let start = Instant::now();
    let client = Client::open(&server, 10_000).await;
    client.task.await.unwrap();
    let limit = server.limits.ping_timeout;
    let waited = start.elapsed();
    assert!(
        waited >= limit && waited < limit + CLOSE_TIMEOUT * 3,
        "{waited:?}"
    );
}

#[test]
fn a_lone_event_is_written_by_the_thread_that_brings_it() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (server, mut client) = runtime.block_on(async {
        let server = server();
        let client = Client::open(&server, 10_000).await;
        (server, client)
    });
    for kind in 1..4 {
        thread::sleep(direct::PAUSE);
        server.shared.hub.write(event(kind), None).unwrap();
        // The client's task has no turn before the future is looked at.
        let message = runtime.block_on(async { client.hear().now_or_never() });
        let start = format!("E;0,10,{kind},");
        assert!(message.unwrap().starts_with(&start));
    }
    assert_eq!(server.shared.counters.to_clients.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn all_that_one_wake_up_brings_is_written() {
    const EVENTS: usize = 300;

    let server = server_with(shared_keeping(EVENTS));
    let mut client = Client::open(&server, 1 << 20).await;
    let start = Instant::now();
    thread::sleep(direct::PAUSE);
    // More than a batch, of which the first fills the stream.
    let mut large = event(6);
    large.data = Data::copy_from(&[0; 500]).unwrap();
    let mut events = vec![large; EVENTS].into();
    let context = Context::from_waker(Waker::noop());
    let accepted = server.shared.hub.poll_bus(&context, 0, &mut events);
    assert!(accepted.is_ready() && events.is_empty());
    for _ in 0..EVENTS {
        assert!(client.hear().await.starts_with("E;"));
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_task_that_is_aborted_leaves_nothing() {
    let server = server();
    let before = Arc::strong_count(&server);
    let client = Client::open(&server, 10_000).await;
    assert!(Arc::strong_count(&server) > before);
    client.task.abort();
    assert!(client.task.await.unwrap_err().is_cancelled());
    assert_eq!(Arc::strong_count(&server), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_arrive_once_and_in_order_whoever_writes_them() {
    const EVENTS: u16 = 3000;

    // All may wait: the task of the client need not get a processor in time.
    let server = server_with(shared_keeping(EVENTS.into()));
    let mut client = Client::open(&server, 10_000).await;
    let writer = thread::spawn({
        let server = server.clone();
        move || {
            for kind in 0..EVENTS {
                server.shared.hub.write(event(kind), None).unwrap();
                // Some are alone, and some are not.
                let pause = direct::PAUSE * u32::from(kind * 7 % 5) / 2;
                let start = std::time::Instant::now();
                while start.elapsed() < pause {
                    std::hint::spin_loop();
                }
            }
        }
    });
    for kind in 0..EVENTS {
        let event = client.hear().await;
        assert!(event.starts_with(&format!("E;0,10,{kind},")), "{event}");
    }
    writer.join().unwrap();
}

/// A step of either side of a connection.
#[derive(Clone, Debug)]
enum Step {
    /// The host writes so many events, with so many data bytes each.
    Write(usize, usize),
    /// The client sends so many commands.
    Ask(usize),
    /// The client sends so many events, which are confirmed.
    Send(usize),
    /// The client takes so many messages, if there are as many.
    Take(usize),
    /// Other tasks have a turn.
    Yield,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..60_usize, 0..500_usize).prop_map(|(count, data)| Step::Write(count, data)),
        (1..3_usize).prop_map(Step::Ask),
        (1..3_usize).prop_map(Step::Send),
        (1..100_usize).prop_map(Step::Take),
        Just(Step::Yield),
    ]
}

/// Carries the steps out, and then takes what is left. Returns how long the client waited.
async fn carry_out(pipe: usize, steps: &[Step]) -> Duration {
    let server = server();
    let mut client = Client::open(&server, pipe).await;
    let start = Instant::now();
    // Only events may be lost, if there are too many.
    let mut replies = 0;
    for step in steps {
        match *step {
            Step::Write(count, data) => {
                let mut event = event(6);
                event.data = Data::copy_from(&vec![0; data]).unwrap();
                for _ in 0..count {
                    server.shared.hub.write(event.clone(), None).unwrap();
                }
                yield_now().await;
            }
            Step::Ask(count) => {
                client.send_all(&vec!["C;NOOP"; count]).await;
                replies += count;
            }
            Step::Send(count) => {
                client.send_all(&vec!["E;0,20,3,,,1,-"; count]).await;
                replies += count;
            }
            Step::Take(count) => {
                for _ in 0..count {
                    let Some(message) = client.hear().now_or_never() else {
                        break;
                    };
                    replies -= usize::from(!message.starts_with("E;"));
                }
            }
            Step::Yield => yield_now().await,
        }
    }
    server.shared.hub.write(event(7), None).unwrap();
    let mut has_last = false;
    while replies > 0 || !has_last {
        let message = client.hear().await;
        match message.starts_with("E;") {
            false => replies -= 1,
            true => has_last |= message.starts_with("E;0,10,7,"),
        }
    }
    start.elapsed()
}

proptest! {
    #[test]
    fn a_client_never_waits_for_a_deadline_for_what_is_there(
        pipe in 2_000..200_000_usize,
        steps in vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        prop_assert_eq!(runtime.block_on(carry_out(pipe, &steps)), Duration::ZERO);
    }
}
