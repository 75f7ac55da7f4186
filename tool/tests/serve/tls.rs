//! TLS: whom the host trusts, and how it shows itself.

use std::{fs, path::Path, process::Command};

use serde_json::json;

use crate::{
    broker::{self, Broker, free_port},
    host::{Host, entry},
};

/// Makes an authority, a certificate of a broker called `localhost` and one of a client.
fn certificates(folder: &Path) {
    let script = r#"
        set -e
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 2
        for name in localhost client; do
            openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name
            printf 'subjectAltName=DNS:%s' $name >ext
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                -extfile ext -out $name.pem
        done
        chmod 644 *.key"#;
    let output = Command::new("bash")
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn only_a_broker_with_a_good_certificate_is_talked_to() {
    if !broker::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (port, open_port) = (free_port(), free_port());
    let tls = |port, more: &str| {
        format!(
            "listener {port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\n{more}\n",
            path("ca.pem"),
            path("localhost.pem"),
            path("localhost.key"),
        )
    };
    let lines = format!(
        "allow_anonymous true\n{}{}",
        tls(port, "require_certificate true"),
        tls(open_port, ""),
    );
    let broker = Broker::with(&lines);
    let reconnect = json!({"delay": 1, "delay-max": 1});
    let start = |port, host: &str, tls| {
        let mqtt = json!({"host": host, "port": port, "tls": tls, "reconnect": reconnect});
        Host::with(&entry(&mqtt), &[])
    };
    for (port, host, tls, expected) in [
        (
            open_port,
            "localhost",
            json!({"cafile": path("ca.pem")}),
            "connected to mqtts://localhost",
        ),
        (
            open_port,
            "mqtts://localhost",
            json!({}),
            "invalid peer certificate: UnknownIssuer",
        ),
        (
            open_port,
            "127.0.0.1",
            json!({"cafile": path("ca.pem")}),
            "invalid peer certificate: certificate not valid for name",
        ),
        (
            open_port,
            "127.0.0.1",
            json!({"cafile": path("ca.pem"), "no-hostname-checking": true}),
            "connected to mqtts://127.0.0.1",
        ),
        (
            open_port,
            "mqtts://localhost",
            json!({"cert-reqs": 0}),
            "connected to mqtts://localhost",
        ),
        (
            port,
            "localhost",
            json!({"cafile": path("ca.pem")}),
            "no connection to mqtts://localhost",
        ),
        (
            port,
            "localhost",
            json!({"cafile": path("ca.pem"), "certfile": path("client.pem"), "keyfile": path("client.key")}),
            "connected to mqtts://localhost",
        ),
        (
            broker.port,
            "mqtts://localhost",
            json!({}),
            "no connection to mqtts://localhost",
        ),
    ] {
        let host = start(port, host, tls);
        host.wait_for(expected);
    }
    fs::remove_file(path("ca.key")).unwrap();
}

#[test]
fn a_websocket_carries_mqtt() {
    if !broker::is_there() {
        return;
    }
    let port = free_port();
    let broker = Broker::with(&format!(
        "allow_anonymous true\nlistener {port} 127.0.0.1\nprotocol websockets\n"
    ));
    let host = Host::start(&json!({
        "host": format!("ws://localhost:{port}/mqtt"),
        "publish": {"topic": "t"},
        "subscribe": {"topic": "in"},
    }));
    let messages = broker.subscribe("t");
    let mut client = host.client();
    client.send_event("0,20,3,0,,1,-,1");
    assert_eq!(messages.next().0, "t");
    broker.publish("in", b"0,20,4,0,,1,-,1", &[]);
    assert!(client.event().starts_with("0,20,4"));
    assert!(host.stop().0.success());
}
