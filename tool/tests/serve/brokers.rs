//! The same with brokers of other kinds: one node of RabbitMQ and one of NATS.

use std::{
    fs,
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    broker::{Subscriber, free_port, is_installed, publish, publish_lines},
    host::{GUID, Host, entry},
    wait_at_most,
};

const RABBITMQ: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
const NATS: &str = "/usr/sbin/nats-server";

/// How long a start may take: RabbitMQ needs six seconds of a processor, which may be busy.
const START: Duration = Duration::from_secs(300);

/// A broker that keeps sessions, lets in who has no name, and refuses wrong passwords.
struct Server {
    command: Command,
    port: u16,
    folder: TempDir,
    child: Option<Child>,
    /// The names of RabbitMQ's nodes are told by another program.
    name_server: Option<Child>,
}

impl Server {
    fn rabbitmq() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let [port, node_port, epmd_port] = [(); 3].map(|()| free_port());
        fs::write(path("enabled_plugins"), "[rabbitmq_mqtt].").unwrap();
        fs::write(
            path("rabbitmq.conf"),
            format!(
                "listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\n\
                 mqtt.allow_anonymous = true\n"
            ),
        )
        .unwrap();
        let name_server = Command::new("epmd")
            .args(["-port", &epmd_port.to_string(), "-address", "127.0.0.1"])
            .spawn()
            .unwrap();
        let mut command = Command::new(RABBITMQ);
        command
            .env("HOME", folder.path())
            .env("ERL_EPMD_PORT", epmd_port.to_string())
            .env("ERL_CRASH_DUMP", path("crash"))
            .env("RABBITMQ_NODENAME", format!("node{port}@localhost"))
            .env("RABBITMQ_DIST_PORT", node_port.to_string())
            .env("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", path("enabled_plugins"))
            .env("RABBITMQ_MNESIA_BASE", path("db"))
            .env("RABBITMQ_LOG_BASE", path("log"))
            // Its script becomes the broker: there is one process to kill.
            .env("RUNNING_UNDER_SYSTEMD", "true")
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
            );
        Self::with(command, port, folder, Some(name_server))
    }

    fn nats() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let [port, client_port] = [(); 2].map(|()| free_port());
        let (store, config) = (path("store"), path("conf"));
        fs::write(
            &config,
            format!(
                "server_name: one\nlisten: 127.0.0.1:{client_port}\n\
                 jetstream {{ store_dir: {store:?} }}\nmqtt {{ listen: \"127.0.0.1:{port}\" }}\n\
                 authorization {{ users: [{{user: any}}, {{user: anna, password: right}}] }}\n\
                 no_auth_user: any\n"
            ),
        )
        .unwrap();
        let mut command = Command::new(NATS);
        command.arg("-c").arg(config);
        Self::with(command, port, folder, None)
    }

    fn with(command: Command, port: u16, folder: TempDir, name_server: Option<Child>) -> Self {
        let mut server = Self {
            command,
            port,
            folder,
            child: None,
            name_server,
        };
        server.run();
        server
    }

    /// Starts it, also after `kill`.
    fn run(&mut self) {
        let log = fs::File::create(self.log_path()).unwrap();
        let child = self
            .command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap());
        wait_at_most(START, "the broker listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Ends it without a word to anybody.
    fn kill(&mut self) {
        end(self.child.take());
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.folder.path().join("stdout")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        end(self.name_server.take());
        if thread::panicking() {
            let log = fs::read_to_string(self.log_path()).unwrap_or_default();
            println!("the broker has told: {log}");
        }
    }
}

fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        let _ = child.kill();
        let _ = child.wait();
    }
}

#[test]
fn rabbitmq_loses_and_doubles_nothing_when_it_is_killed() {
    if is_installed(RABBITMQ) && is_installed("/usr/sbin/mosquitto") {
        check(Server::rabbitmq());
    }
}

#[test]
fn nats_loses_and_doubles_nothing_when_it_is_killed() {
    if is_installed(NATS) && is_installed("/usr/sbin/mosquitto") {
        check(Server::nats());
    }
}

/// An event with a time and a number.
fn event(number: u8) -> String {
    format!("96,20,3,0,2026-11-20T12:30:15Z,{number},{GUID},0x{number:02X}")
}

/// Sets the id of a connection, which is any, to 0.
fn without_obid(event: &str) -> String {
    let mut fields: Vec<_> = event.split(',').collect();
    fields[3] = "0";
    fields.join(",")
}

fn check(mut server: Server) {
    let port = server.port;
    let host = Host::start(&json!({
        "port": port,
        "clientid": "host-d",
        "reconnect": {"delay": 1, "delay-max": 1},
        "publish": [
            {"topic": "out/0", "format": "string"},
            {"topic": "out/1", "format": "string", "qos": 1},
        ],
        "subscribe": [{"topic": "in/0"}, {"topic": "in/1", "qos": 1}],
    }));
    a_wrong_password_is_refused(port);
    // RabbitMQ has retained messages for topics without wildcards.
    let status = Subscriber::start(port, &format!("vscp-host/{GUID}/status"), &["-q", "1"]);
    let (is_retained, _, payload) = status.next_with_retain();
    assert!(is_retained);
    assert_eq!(payload, b"online");
    drop(status);

    let (mut sender, mut client) = (host.client(), host.client());
    let messages = Subscriber::lasting(port, "out/+", "listener");
    for (qos, number) in [("0", 1), ("0", 2), ("1", 3), ("1", 4)] {
        let topic = format!("in/{qos}");
        publish(port, &topic, event(number).as_bytes(), &["-q", qos]);
        assert_eq!(without_obid(&client.event()), event(number));
    }
    publish(port, "in/1", b"no event", &["-q", "1"]);
    sender.send_event(&event(5));
    assert_eq!(without_obid(&client.event()), event(5));
    assert_out(&messages, "out/0", 5);
    assert_out(&messages, "out/1", 5);

    // What the broker has confirmed comes, though it is killed; so does what it could not take.
    let lines: Vec<_> = (10..30).map(event).collect();
    publish_lines(port, "in/1", &lines.join("\n"), &["-q", "1"]);
    server.kill();
    host.wait_for("no connection to");
    (30..50).for_each(|number| sender.send_event(&event(number)));
    server.run();
    host.wait_for_nth("subscribed to", 2);
    publish(port, "in/1", event(50).as_bytes(), &["-q", "1"]);
    sender.send_event(&event(60));
    // Those of the broker and those of the other client.
    let mut came: Vec<_> = (0..42).map(|_| number_of(&client.event())).collect();
    came.sort_unstable();
    assert_eq!(came, (10..=50).chain([60]).collect::<Vec<_>>());
    // A subscriber has to know itself what it has had: a broker that is killed forgets what has been
    // confirmed to it last.
    let mut came = vec![5];
    while came.last() != Some(&60) {
        let (topic, payload) = messages.next();
        let number = number_of(std::str::from_utf8(&payload).unwrap());
        if topic == "out/1" && !came.contains(&number) {
            came.push(number);
        }
    }
    assert_eq!(
        came,
        [5].into_iter()
            .chain(30..50)
            .chain([60])
            .collect::<Vec<_>>()
    );

    let (_, last) = host.stop();
    assert!(last.contains(" 25 events written,"), "{last}");
    assert!(
        last.contains("lost: 1 no events, 0 refused, 0 dropped"),
        "{last}"
    );
}

fn a_wrong_password_is_refused(port: u16) {
    let stranger = Host::with(
        &entry(&json!({"port": port, "user": "anna", "password": "wrong"})),
        &[],
    );
    stranger.wait_for("the broker refuses it");
}

fn assert_out(messages: &Subscriber, topic: &str, number: u8) {
    let (found, payload) = messages.next();
    let text = String::from_utf8(payload).unwrap();
    assert_eq!((&*found, without_obid(&text)), (topic, event(number)));
}

fn number_of(event: &str) -> u8 {
    let (_, number) = event.rsplit_once("0x").unwrap();
    u8::from_str_radix(number, 16).unwrap()
}
