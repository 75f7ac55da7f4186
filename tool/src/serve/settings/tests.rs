use vscpl2drv_websocksrv::located_json::{Source, Warnings};

use super::*;

fn read_text(text: &str) -> (Result<Mqtt, String>, Vec<String>) {
    let mut warnings = Warnings::default();
    let source = Source::new("f", text);
    let read = read(&source.root().unwrap(), &mut warnings);
    let list = warnings.list().iter().map(ToString::to_string).collect();
    (read.map_err(|error| error.to_string()), list)
}

#[test]
fn an_empty_object_has_the_defaults() {
    let (mqtt, warnings) = read_text("{}");
    let mqtt = mqtt.unwrap();
    assert_eq!(mqtt.address.to_string(), "mqtt://localhost:1883");
    assert!(mqtt.clean_session && mqtt.no_delay && mqtt.has_measurement);
    assert_eq!(mqtt.keep_alive, Duration::from_secs(60));
    assert_eq!(mqtt.version, Version::V3);
    assert_eq!(
        mqtt.queue,
        QueueLimits {
            messages: 10_000,
            bytes: 16 << 20
        }
    );
    assert!(mqtt.subscriptions.is_empty() && mqtt.publications.is_empty());
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn nested_keys_count_under_all_their_names() {
    let (mqtt, warnings) = read_text(
        r#"{
        "host": "stcp://broker:8884", "username": "anna", "password": "p", "client-id": "x",
        "clean-session": true, "keep-alive": 10, "connection-timeout": 100,
        "mqtt-options": {"protocol-version": 500, "tcp-nodelay": false, "send-maximum": 7,
            "receive-maximum": 8, "tls-use-os-certs": 1, "bind-address": "127.0.0.1"},
        "reconnect": {"delay": 3, "delay-max": 5, "exponential-backoff": true},
        "filter": {"class-filter": 10, "class-mask": 65535, "guid-filter": "-:1", "guid-mask": "-:FF"},
        "tls": {"cert-reqs": 0},
        "v5": {"user-properties": {"a": "b"}},
        "user-escapes": {"site": "north"},
        "queue": {"max-events": 5, "max-bytes": 70000},
        "status-topic": "s/{{ifguid}}",
        "will": {"topic": "w", "payload": "gone"},
        "subscribe": [{"topic": "{{site}}/#", "qos": 1, "format": "xml",
            "v5-options": "NO_LOCAL, SEND_RETAIN_NEW", "ignore-own": true}],
        "publish": [{"topic": "t/{{class}}", "retain": true, "format": 3, "dialect": "ns", "qos": 2},
            {"topic": "t", "bretain": false, "format": "XML"}]
    }"#,
    );
    let mqtt = mqtt.unwrap();
    assert_eq!(mqtt.address.to_string(), "mqtts://broker:8884");
    assert!(mqtt.tls.is_some() && mqtt.clean_session && !mqtt.no_delay);
    assert_eq!(
        (&*mqtt.user, &*mqtt.password.0, &*mqtt.client_id),
        ("anna", "p", "x")
    );
    assert_eq!(
        (mqtt.version, mqtt.send_maximum, mqtt.receive_maximum),
        (Version::V5, 7, 8)
    );
    assert_eq!(mqtt.bind, "127.0.0.1");
    let seconds = Duration::from_secs;
    assert_eq!(
        mqtt.reconnect,
        Reconnect {
            delay: seconds(3),
            max: seconds(5)
        }
    );
    assert_eq!(mqtt.filter.class, (10, 65_535));
    assert_eq!((mqtt.filter.guid.0[15], mqtt.filter.guid.1[15]), (1, 255));
    assert_eq!(mqtt.user_properties, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(
        mqtt.queue,
        QueueLimits {
            messages: 5,
            bytes: 70_000
        }
    );
    let will = mqtt.will.unwrap();
    assert_eq!((will.qos, will.retain, &*will.payload), (1, true, "gone"));
    let subscription = &mqtt.subscriptions[0];
    assert_eq!(
        (subscription.options, subscription.ignore_own),
        (Some(0x14), true)
    );
    assert_eq!(subscription.format, Some(Format::Xml));
    let [first, second] = &mqtt.publications[..] else {
        panic!()
    };
    assert_eq!(
        (first.retain, first.format, first.qos),
        (true, Format::Binary, 2)
    );
    assert_eq!(first.dialect, Dialect::Ns);
    assert_eq!((second.retain, second.format), (false, Format::Xml));
    assert_eq!(
        warnings,
        ["f:8: tls.cert-reqs: the broker's certificate is not checked: anybody can be the broker"]
    );
}

#[test]
fn the_port_follows_the_scheme_and_tls_is_never_left_out() {
    for (text, expected) in [
        (r#""host": "mqtts://b""#, "mqtts://b:8883"),
        (
            r#""host": "tcp://b", "tls": {"cafile": "", "cert-reqs": 1}"#,
            "mqtts://b:8883",
        ),
        (
            r#""host": "b", "tls": {"version": "tlsv1.2"}"#,
            "mqtts://b:8883",
        ),
        (
            r#""host": "b", "tls": {"cert-reqs": 0}, "port": 8883"#,
            "mqtts://b:8883",
        ),
        (
            r#""host": "wss://b", "tls": {"cert-reqs": 0}"#,
            "wss://b:443/mqtt",
        ),
        (r#""host": "b:8883""#, "mqtts://b:8883"),
        (r#""host": "mqtt://b:8883""#, "mqtt://b:8883"),
        (r#""host": "b:1", "port": 2"#, "mqtt://b:2"),
        (r#""host": "ws://b:9001""#, "ws://b:9001/mqtt"),
    ] {
        let (mqtt, _) = read_text(&format!("{{{text}}}"));
        assert_eq!(mqtt.unwrap().address.to_string(), expected);
    }
}

#[test]
fn a_tls_block_that_asks_for_nothing_leaves_the_connection_plain_and_says_so() {
    // The block that the daemon ships.
    let shipped = r#"{"cafile": "", "capath": "", "certfile": "", "keyfile": "", "pwkeyfile": "",
        "no-hostname-checking": true, "cert-reqs": 0, "version": "", "ciphers": "", "psk": "",
        "psk-identity": ""}"#;
    let plain = "f:1: tls: no cafile and nothing else that asks for TLS, so the connection is not \
                 encrypted; mqtts:// in host, or cafile, would encrypt it";
    for (tls, expected) in [
        (shipped, &[plain][..]),
        (r#"{"cert-reqs": 0}"#, &[plain]),
        (r#"{"no-hostname-checking": false}"#, &[plain]),
        (r#"{"cafile": "", "cert-reqs": "", "psk": null}"#, &[]),
        ("{}", &[]),
    ] {
        let (mqtt, warnings) = read_text(&format!(r#"{{"port": 1883, "tls": {tls}}}"#));
        let mqtt = mqtt.unwrap();
        assert_eq!(mqtt.address.to_string(), "mqtt://localhost:1883", "{tls}");
        assert!(mqtt.tls.is_none());
        assert_eq!(warnings, expected, "{tls}");
    }
}

#[test]
fn a_tls_block_that_is_not_understood_is_an_error_and_never_a_plain_connection() {
    for (tls, expected) in [
        (
            r#"{"ca-file": "/etc/ssl/my-ca.pem", "cert-reqs": 1}"#,
            "f:1: tls.ca-file: found an unknown key, expected some of cafile, ",
        ),
        (
            r#"{"verify": false}"#,
            "f:1: tls.verify: found an unknown key",
        ),
        (r#"{"no-hostname-checking": "x"}"#, "f:1: tls.no-hostname-"),
        (r#"{"cert-reqs": false}"#, "f:1: tls.cert-reqs: found false"),
        (r#"{"cert-reqs": 3}"#, "f:1: tls.cert-reqs: found 3"),
        (r#"{"version": "tlsv1.1"}"#, "f:1: tls.version: found"),
        (r#"{"version": 0}"#, "f:1: tls.version: found 0"),
        (r#"{"cafile": false}"#, "f:1: tls.cafile: found false"),
        (r#"{"keyfile": 1}"#, "f:1: tls."),
        (r#"{"ciphers": 0}"#, "f:1: tls.ciphers: found"),
        ("true", "f:1: tls: found true, expected an object"),
    ] {
        let (mqtt, _) = read_text(&format!(r#"{{"tls": {tls}}}"#));
        let error = mqtt.map(|mqtt| mqtt.address).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    let (mqtt, _) = read_text(r#"{"tls": {"ca-file": "x"}}"#);
    let error = mqtt.map(|mqtt| mqtt.address).unwrap_err();
    assert!(error.ends_with("; did you mean \"cafile\"?"), "{error}");
}

#[test]
fn errors_name_the_key_and_what_it_should_be() {
    for (text, expected) in [
        (
            r#"{"host": "http://b"}"#,
            "f:1: host: found no address, expected an address like",
        ),
        (
            r#"{"port": 70000}"#,
            "f:1: port: found 70000, expected a whole number from 1 to 65535",
        ),
        (
            r#"{"publish": [{}]}"#,
            "f:1: publish[0]: found no \"topic\", expected the topic",
        ),
        (
            r#"{"publish": [{"topic": "a/#"}]}"#,
            "f:1: publish[0].topic: found \"a/#\", expected a topic",
        ),
        (
            r#"{"publish": [{"topic": "a{{b"}]}"#,
            "f:1: publish[0].topic: found a name without",
        ),
        (
            r#"{"subscribe": {"topic": "a/#/b"}}"#,
            "f:1: subscribe.topic: found \"a/#/b\", expected a topic filter",
        ),
        (
            r#"{"publish": {"topic": "a", "format": "yaml"}}"#,
            "f:1: publish.format: found \"yaml\", expected \"json\" or",
        ),
        (
            r#"{"publish": {"topic": "a", "format": 4}}"#,
            "f:1: publish.format: found 4",
        ),
        (
            r#"{"mqtt-options": {"protocol-version": 6}}"#,
            "f:1: mqtt-options.protocol-version: found 6, expected 311 or 500",
        ),
        (
            r#"{"mqtt-options": {"tls-engine": "x"}}"#,
            "f:1: mqtt-options.tls-engine: found \"x\", expected nothing",
        ),
        (
            r#"{"subscribe": {"topic": "a", "v5-options": "X"}}"#,
            "f:1: subscribe.v5-options: found \"X\", expected some of NO_LOCAL",
        ),
        (
            r#"{"tls": {"cafile": "/no/such"}}"#,
            "f:1: tls.cafile: found /no/such: No such file",
        ),
        (
            r#"{"tls": {"certfile": "/no/such"}}"#,
            "f:1: tls.certfile: found no keyfile",
        ),
        (
            r#"{"tls": {"pwkeyfile": "x"}}"#,
            "f:1: tls.pwkeyfile: found a key file with a password",
        ),
        (
            r#"{"tls": {"psk": "00"}}"#,
            "f:1: tls.psk: found a pre-shared key",
        ),
        (
            r#"{"filter": {"guid-mask": "zz"}}"#,
            "f:1: filter.guid-mask: found \"zz\", expected ",
        ),
        (
            r#"{"password-file": "/no/such"}"#,
            "f:1: password-file: found /no/such: No such file",
        ),
    ] {
        let (mqtt, _) = read_text(text);
        let error = mqtt.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn unknown_keys_and_names_are_warned_of() {
    let (_, warnings) = read_text(
        r#"{"hots": "b", "publish": {"topic": "t/{{clas}}/{{class}}"}, "mqtt-options": {"protocol-version": 310}}"#,
    );
    for expected in [
        "f:1: hots: unknown key; did you mean \"host\"?",
        "f:1: publish.topic: {{clas}} is unknown and left empty; did you mean {{class}}?",
        "f:1: mqtt-options.protocol-version: 3.1 is too old, 3.1.1 is used",
    ] {
        assert!(
            warnings.iter().any(|warning| warning == expected),
            "{warnings:?}"
        );
    }
}

#[test]
fn a_client_id_may_have_a_random_number() {
    let ids = [(), ()].map(|()| read_text(r#"{"clientid": "a-{{rnd}}"}"#).0.unwrap());
    let [a, b] = &ids;
    assert_ne!(a.client_id, b.client_id);
    assert_eq!(a.client_id.len(), 18);
    assert!(!a.clean_session);
}

#[test]
fn a_filter_compares_the_bits_of_its_masks() {
    let event = vscpl2drv_websocksrv::event::text::parse("96,10,6,0,,1,-,1").unwrap();
    let passes = |filter: &Filter| filter.passes(&event);
    assert!(passes(&Filter::default()));
    for (filter, expected) in [
        (
            Filter {
                class: (10, 0xFFFF),
                ..Filter::default()
            },
            true,
        ),
        (
            Filter {
                class: (20, 0xFFFF),
                ..Filter::default()
            },
            false,
        ),
        (
            Filter {
                kind: (7, 0xFE),
                ..Filter::default()
            },
            true,
        ),
        (
            Filter {
                kind: (7, 0xFF),
                ..Filter::default()
            },
            false,
        ),
        (
            Filter {
                priority: (3, 7),
                ..Filter::default()
            },
            true,
        ),
        (
            Filter {
                priority: (2, 7),
                ..Filter::default()
            },
            false,
        ),
        (
            Filter {
                guid: ([1; 16], [0; 16]),
                ..Filter::default()
            },
            true,
        ),
        (
            Filter {
                guid: ([1; 16], [1; 16]),
                ..Filter::default()
            },
            false,
        ),
    ] {
        assert_eq!(passes(&filter), expected, "{filter:?}");
    }
}
