//! Messages that come again after a lost connection.

use serde_json::json;

use crate::{
    fake::FakeBroker,
    host::{Host, entry},
};

#[test]
fn what_the_broker_or_another_host_sends_again_reaches_the_driver_once() {
    let broker = FakeBroker::start();
    let mqtt = json!({
        "port": broker.port,
        "clientid": "host-c",
        // It is not answered before the client has logged in.
        "connection-timeout": 60_000,
        "reconnect": {"delay": 1, "delay-max": 1},
        "subscribe": [{"topic": "in", "qos": 1}],
    });
    let host = Host::with(&entry(&mqtt), &[]);
    let mut client = host.client();
    let plain = "0,20,3,0,,,-,1";
    let full = "0,20,3,0,2026-11-20T12:30:15Z,1234,-,2";

    let mut connection = broker.accept(false);
    connection.publish(plain, 1, false);
    connection.publish(full, 2, false);
    // The confirmations were lost with the connection, for all that the broker knows.
    drop(connection);
    let mut connection = broker.accept(true);
    connection.publish(plain, 1, true);
    connection.publish(full, 2, true);
    // A host that has published it did not know that it had arrived.
    connection.publish(full, 3, false);
    // A device that has no clock tells the same once more.
    connection.publish(plain, 4, false);
    connection.publish("0,20,3,0,,,-,3", 5, false);

    for data in [1, 2, 1, 3] {
        let event = client.event();
        assert!(
            event.ends_with(&format!(",0x{data:02X}")),
            "{event}: {data}"
        );
    }
    let stopped = std::thread::spawn(move || host.stop());
    // The host waits until the broker has confirmed its status.
    connection.wait_for_end();
    let (_, last) = stopped.join().unwrap();
    assert!(last.contains("7 received, 4 events written"), "{last}");
    assert!(last.contains(" 3 duplicates"), "{last}");
}
