//! Brokers that go and come, and what happens to messages meanwhile.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    broker::{self, Broker},
    host::{Host, entry},
    wait_until,
};

const RECONNECT: u32 = 1;

#[test]
fn the_driver_starts_without_a_broker_and_sends_what_waits_when_there_is_one() {
    if !broker::is_there() {
        return;
    }
    let mut broker = Broker::start();
    broker.stop();
    let host = Host::with(
        &entry(&json!({
            "port": broker.port,
            "clientid": "host-a",
            "reconnect": {"delay": RECONNECT, "delay-max": RECONNECT},
            "queue": {"max-events": 10},
            "publish": [{"topic": "t", "format": "string", "qos": 1}],
        })),
        &[],
    );
    host.wait_for("no connection to mqtt://localhost");
    let mut client = host.client();
    for number in 0..15 {
        client.send_event(&format!("0,20,3,0,,1,-,{number}"));
    }
    // Those that are dropped after the first line are told in a later one.
    wait_until("5 messages are dropped", || {
        let lines = host.lines.lock().unwrap();
        let dropped = lines
            .iter()
            .filter(|line| line.contains("dropped, the oldest"));
        let counts = dropped.filter_map(|line| {
            let words = line.split(' ');
            words.filter_map(|word| word.parse::<u32>().ok()).next()
        });
        counts.sum::<u32>() == 5
    });
    // Somebody has to listen when they are sent.
    broker.run();
    let messages = broker.subscribe("t");
    host.wait_for("connected to");
    // Those of the first connection may have been sent before the subscription.
    client.send_event("0,20,3,0,,1,-,200");
    loop {
        let (_, payload) = messages.next();
        if String::from_utf8(payload).unwrap().ends_with(",0xC8") {
            break;
        }
    }
    let (_, last) = host.stop();
    assert!(last.contains("11 messages published"), "{last}");
    assert!(last.contains(" 5 dropped"), "{last}");
}

#[test]
fn a_session_that_lasts_loses_nothing_when_the_broker_starts_again() {
    if !broker::is_there() {
        return;
    }
    // mosquitto keeps sessions in a file that it writes when it ends.
    let lines = "allow_anonymous true\npersistence true\npersistence_location FOLDER/\n";
    let mut broker = Broker::with(lines);
    let host = Host::start(&json!({
        "port": broker.port,
        "clientid": "host-b",
        "reconnect": {"delay": RECONNECT, "delay-max": RECONNECT},
        "publish": [{"topic": "out", "format": "string", "qos": 1}],
        "subscribe": [{"topic": "in", "qos": 1}],
    }));
    let mut client = host.client();
    client.send_event("0,20,3,0,,1,-,1");
    broker.publish("in", b"0,20,4,0,,1,-,1", &["-q", "1"]);
    assert!(client.event().starts_with("0,20,4"));
    // Until both sides know that they have been taken the messages may come again: the one of the
    // broker here, and the status and the one of the client there.
    broker.wait_for_nth("Received PUBACK from host-b", 1);
    broker.wait_for_nth("Sending PUBACK to host-b", 2);
    broker.stop();
    host.wait_for("no connection to");
    client.send_event("0,20,3,0,,1,-,2");
    broker.run();
    broker.publish("in", b"0,20,4,0,,1,-,2", &["-q", "1"]);
    host.wait_for_nth("connected to", 2);
    let event = client.event();
    assert!(
        event.starts_with("0,20,4") && event.ends_with("0x02"),
        "{event}"
    );
    let (_, last) = host.stop();
    assert!(last.contains("2 messages published, 2 received"), "{last}");
    assert!(last.contains("2 connections"), "{last}");
}

#[test]
fn a_will_tells_of_a_host_that_was_killed() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let messages = broker.subscribe("state/#");
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let host =
            Host::start(&json!({"port": broker.port, "status-topic": "state/{{driver-name}}"}));
        assert_eq!(
            messages.next(),
            ("state/web".to_owned(), b"online".to_vec())
        );
        match signal {
            // It is not to be killed before it has ended.
            Signal::SIGTERM => assert!(host.stop().0.success()),
            signal => host.signal(signal),
        }
        assert_eq!(
            messages.next(),
            ("state/web".to_owned(), b"offline".to_vec())
        );
    }
    // The keys of the daemon: what an old will has left is cleared.
    let host = Host::start(&json!({
        "port": broker.port,
        "will": {"topic": "state/{{guid[0]}}", "payload": "gone"},
    }));
    assert_eq!(messages.next(), ("state/255".to_owned(), b"".to_vec()));
    host.signal(Signal::SIGKILL);
    assert_eq!(messages.next(), ("state/255".to_owned(), b"gone".to_vec()));
}

#[test]
fn a_refused_login_is_told_once_and_tried_again() {
    if !broker::is_there() {
        return;
    }
    let mut broker = Broker::with("password_file FOLDER/users\n");
    let users = broker.folder.path().join("users");
    let host = Host::with(
        &entry(&json!({
            "port": broker.port,
            "user": "anna",
            "password": "s3cr3t",
            "reconnect": {"delay": RECONNECT, "delay-max": RECONNECT},
        })),
        &[],
    );
    host.wait_for("the broker refuses it: not authorized");
    let refusals = || broker.log().matches("not authorised").count();
    wait_until("several attempts", || refusals() >= 3);
    assert_eq!(host.told("the broker refuses it"), 1);
    let lines = host.lines.lock().unwrap().concat();
    assert!(!lines.contains("s3cr3t"));
    drop(lines);
    let status = std::process::Command::new("mosquitto_passwd")
        .args(["-b", users.to_str().unwrap(), "anna", "s3cr3t"])
        .status();
    assert!(status.unwrap().success());
    broker.stop();
    broker.run();
    host.wait_for("connected to");
}

#[test]
fn a_reload_changes_the_broker_and_keeps_the_clients() {
    if !broker::is_there() {
        return;
    }
    let (old, new) = (Broker::start(), Broker::start());
    let mqtt = |port| json!({"port": port, "publish": {"topic": "t", "format": "string"}});
    let host = Host::start(&mqtt(old.port));
    let mut client = host.client();
    host.reload(&json!({"name": "web", "mqtt": {"port": "x"}}));
    host.wait_for("nothing is changed: ");
    let messages = new.subscribe("t");
    host.reload(&entry(&mqtt(new.port)));
    host.wait_for("the configuration was read again");
    host.wait_for(&format!("connected to mqtt://localhost:{}", new.port));
    client.send_event("0,20,3,0,,1,-,1");
    assert_eq!(messages.next().0, "t");
    wait_until("the old connection is ended", || {
        old.log().contains("disconnected.")
    });
}

#[test]
fn a_reload_with_a_wrong_configuration_changes_nothing() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let mqtt = json!({"port": broker.port, "publish": {"topic": "t", "format": "string"}});
    let old = entry(&mqtt);
    let host = Host::start(&mqtt);
    let mut client = host.client();

    // An error of the broker's settings beside another GUID, and one of the driver's.
    let mut no_bridge = old.clone();
    no_bridge["guid"] = json!("FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:77");
    no_bridge["mqtt"] = json!({"port": broker.port, "home-assistant": true});
    let mut no_config = old.clone();
    no_config["path-config"]["interface"] = json!("ws://127.0.0.1:x");
    for (number, wrong) in [no_bridge, no_config].iter().enumerate() {
        host.reload(wrong);
        host.wait_for_nth("nothing is changed: ", number + 1);
    }
    let messages = broker.subscribe("t");
    client.send_event("0,20,3,0,,1,-,1");
    assert_eq!(messages.next().0, "t");

    // Only the driver finds out that somebody else has its port. Its port is another then.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut no_port = old.clone();
    no_port["path-config"]["interface"] = json!(format!("ws://{}", taken.local_addr().unwrap()));
    host.reload(&no_port);
    host.wait_for_nth("nothing is changed: ", 3);
    host.wait_for_nth("connected to mqtt://", 2);
    let (status, _) = host.stop();
    assert!(status.success());
}

#[test]
fn a_reload_takes_what_has_changed_in_the_file_of_the_driver() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let path = broker.folder.path().join("driver.json");
    let mut config = crate::host::driver_config();
    std::fs::write(&path, config.to_string()).unwrap();
    let mut entry = entry(&json!({"port": broker.port}));
    entry["path-config"] = json!(path);
    let host = Host::with(&entry, &[]);
    host.signal(Signal::SIGHUP);
    host.wait_for("the configuration was read again");
    assert_eq!(host.told(" is open"), 1);
    config["echo-filter"] = json!(false);
    std::fs::write(&path, config.to_string()).unwrap();
    host.signal(Signal::SIGHUP);
    host.wait_for_nth("the configuration was read again", 2);
    assert_eq!(host.told(" is open"), 2);
}

#[test]
fn a_reload_keeps_what_the_broker_has_not_confirmed() {
    if !broker::is_there() {
        return;
    }
    // The session goes on, or there is none that lasts; the driver stays open, or it does not.
    for (client_id, guid) in [
        ("host-r", None),
        ("", None),
        (
            "host-r",
            Some("FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:77"),
        ),
    ] {
        let mut broker = Broker::start();
        let mqtt = |keepalive| {
            json!({
                "port": broker.port,
                "clientid": client_id,
                "keepalive": keepalive,
                "reconnect": {"delay": RECONNECT, "delay-max": RECONNECT},
                "publish": [{"topic": "t", "format": "string", "qos": 1, "retain": true}],
            })
        };
        let host = Host::start(&mqtt(60));
        let mut new = entry(&mqtt(50));
        if let Some(guid) = guid {
            new["guid"] = json!(guid);
        }
        let (mut sender, mut other) = (host.client(), host.client());
        broker.freeze(true);
        for number in 1..=3 {
            sender.send_event(&format!("0,20,3,0,,1,-,{number}"));
            other.event();
        }
        host.reload(&new);
        host.wait_for("the configuration was read again");
        broker.kill();
        broker.run();
        let messages = broker.subscribe("t");
        let status = format!("vscp-host/{}/status", guid.unwrap_or(crate::host::GUID));
        let states = broker.subscribe(&status);
        // The retained one may be all that is there still.
        loop {
            let (_, payload) = messages.next();
            if String::from_utf8(payload).unwrap().ends_with(",0x03") {
                break;
            }
        }
        assert_eq!(states.next().1, b"online");
        let (_, last) = host.stop();
        assert!(last.contains(" 0 not sent"), "{last}");
        assert_eq!(states.next().1, b"offline", "{client_id} {guid:?}");
    }
}

#[test]
fn a_topic_that_a_reload_takes_out_does_not_reach_the_driver() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let mqtt = |topics: &[&str]| {
        let topics: Vec<_> = topics
            .iter()
            .map(|topic| json!({"topic": topic, "qos": 1}))
            .collect();
        json!({"port": broker.port, "clientid": "host-u", "subscribe": topics})
    };
    let host = Host::start(&mqtt(&["old", "new"]));
    let mut client = host.client();
    host.reload(&entry(&mqtt(&["new"])));
    host.wait_for("subscribed to 1 topic");
    broker.publish("old", b"0,20,3,0,,,-,1", &["-q", "1"]);
    broker.publish("new", b"0,20,3,0,,,-,2", &["-q", "1"]);
    assert!(client.event().ends_with(",0x02"));
    let (_, last) = host.stop();
    // The broker does not send it.
    assert!(last.contains("1 received, 1 events written"), "{last}");
}

#[test]
fn a_broker_that_stands_still_holds_no_client_up_and_gets_all_in_the_end() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let host = Host::start(&json!({
        "port": broker.port,
        "queue": {"max-events": 180},
        "publish": [{"topic": "t", "qos": 1, "format": "string"}],
        "mqtt-options": {"send-maximum": 10},
    }));
    let messages = broker.subscribe("t");
    let (mut sender, mut other) = (host.client(), host.client());
    broker.freeze(true);
    // Once the queue is full there is a second for the rest until the oldest are dropped.
    for number in 0..200_u8 {
        sender.send(&format!("E;0,20,3,0,,1,-,{number}"));
        other.event();
    }
    broker.freeze(false);
    for number in 0..200_u8 {
        let (_, payload) = messages.next();
        let text = String::from_utf8(payload).unwrap();
        assert!(
            text.ends_with(&format!(",0x{number:02X}")),
            "{text}: {number}"
        );
    }
    let (_, last) = host.stop();
    assert!(last.contains(" 0 dropped"), "{last}");
}
