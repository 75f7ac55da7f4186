//! Many messages.

use std::fmt::Write;

use serde_json::json;

use crate::{
    broker::{self, Broker},
    host::Host,
};

#[test]
fn ten_thousand_retained_messages_at_the_start_reach_the_driver() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    // Each line is published to its own topic by one mosquitto_pub for 100 lines at most; a bridge of
    // topics in one process is quicker: the host itself publishes them.
    let publisher = Host::start(&json!({
        "port": broker.port,
        "publish": [{"topic": "many/{{data[0]}}/{{data[1]}}", "retain": true, "qos": 1, "format": "string"}],
    }));
    let messages = broker.subscribe("many/39/15");
    let mut client = publisher.client();
    for number in 0..10_000_u16 {
        let [high, low] = number.to_be_bytes();
        client.send(&format!("E;0,20,3,0,,1,-,{high},{low}"));
        if number % 500 == 499 {
            (0..500).for_each(|_| client.reply("+;EVENT"));
        }
    }
    // A host that ends waits for its broker for two seconds only.
    messages.next();
    let (_, last) = publisher.stop();
    assert!(last.contains("10000 messages published"), "{last}");

    let host =
        Host::start(&json!({"port": broker.port, "subscribe": [{"topic": "many/#", "qos": 1}]}));
    // The driver has them all before the next message.
    let mut client = host.client();
    broker.publish("many/last", b"0,20,9,0,,1,-,1", &["-q", "1"]);
    while !client.event().starts_with("0,20,9") {}
    let (_, last) = host.stop();
    assert!(
        last.contains("10001 received, 10001 events written"),
        "{last}"
    );
}

#[test]
fn a_storm_of_messages_comes_through_in_order() {
    if !broker::is_there() {
        return;
    }
    const COUNT: u32 = 20_000;
    let broker = Broker::start();
    let host =
        Host::start(&json!({"port": broker.port, "subscribe": [{"topic": "storm", "qos": 1}]}));
    let mut client = host.client();
    let mut lines = String::new();
    for number in 0..COUNT {
        let [_, a, b, c] = number.to_be_bytes();
        writeln!(lines, "0,20,3,0,,1,-,{a},{b},{c}").unwrap();
    }
    let publisher = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| broker.publish_lines("storm", &lines, &["-q", "1"]));
        for number in 0..COUNT {
            let [_, a, b, c] = number.to_be_bytes();
            let expected = format!("0x{a:02X},0x{b:02X},0x{c:02X}");
            let event = client.event();
            assert!(event.ends_with(&expected), "{event} instead of {expected}");
        }
        publisher.join()
    });
    publisher.unwrap();
    let (_, last) = host.stop();
    assert!(
        last.contains(&format!("{COUNT} received, {COUNT} events written")),
        "{last}"
    );
}

#[test]
fn each_message_of_a_storm_is_accounted_for_when_the_host_ends_in_it() {
    if !broker::is_there() {
        return;
    }
    let broker = Broker::start();
    let host =
        Host::start(&json!({"port": broker.port, "subscribe": [{"topic": "storm", "qos": 1}]}));
    let mut client = host.client();
    let lines = "0,20,3,0,,1,-,1\n".repeat(20_000);
    let last = std::thread::scope(|scope| {
        scope.spawn(|| broker.publish_lines("storm", &lines, &["-q", "1"]));
        client.event();
        host.stop().1
    });
    let number_of = |what: &str| -> u64 {
        let (before, _) = last.split_once(what).unwrap();
        before.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (received, written) = (number_of(" received"), number_of(" events written"));
    assert_eq!(received, written + number_of(" refused"), "{last}");
}
