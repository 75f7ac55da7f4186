//! Configuration from elsewhere: variables of a server, and old configuration strings.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
    time::Duration,
};

use serde_json::json;
use vscpl2drv_websocksrv::{config::Config, event::Guid};

use crate::common::net::refusing_address;

/// A VSCP TCP/IP server that knows one user and some variables, for one connection. Its port.
fn server(variables: &'static [(&str, &str)]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        write!(stream, "Welcome\r\nCopyright\r\n+OK - Success\r\n").unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for line in lines.map_while(Result::ok) {
            let words: Vec<_> = line.split(' ').collect();
            let answer = match words[..] {
                ["USER", "admin"] | ["PASS", "secret"] => "+OK - Success".to_owned(),
                ["VAR", "READVALUE", name] => {
                    match variables.iter().find(|(known, _)| *known == name) {
                        Some((_, value)) => format!("{value}\r\n+OK - Success"),
                        None => "-OK - Variable is not defined.".to_owned(),
                    }
                }
                ["QUIT"] => return,
                _ => "-OK - Error".to_owned(),
            };
            write!(stream, "{answer}\r\n").unwrap();
        }
    });
    port
}

fn load(port: u16, password: &str, required: bool) -> Result<Config, String> {
    let configuration = json!({
        "allow-default-key": true,
        "enable-static": false,
        "threads": 3,
        "max-clients": 7,
        "socketcan": {"interface": "can0", "filter": "1,2,3,-", "mask": "7,0,0,-"},
        "remote-variables": {
            "host": "127.0.0.1", "port": port, "user": "admin", "password": password,
            "prefix": "a", "timeout-ms": 5000, "required": required
        }
    });
    Config::load(&configuration.to_string()).map_err(|error| error.to_string())
}

/// The warnings as the log shows them.
fn lines(config: &Config) -> Vec<String> {
    config.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_the_server_knows_wins_over_the_configuration() {
    let port = server(&[
        ("a_interface", "dmNhbjE="),
        ("a_filter", "3,10,0,-"),
        ("a_mask", ""),
        ("a_config", r#"{"threads":5,"guid":"::01","zzz":1}"#),
        ("b_interface", "wrong"),
    ]);
    let config = load(port, "secret", true).unwrap();
    assert_eq!((config.threads, config.clients.max_websockets), (5, 7));
    assert_eq!(config.guid, Some("::01".parse::<Guid>().unwrap()));
    let [bus] = &config.buses[..] else {
        panic!("{:?}", config.buses)
    };
    assert_eq!(bus.interface, "vcan1");
    assert_eq!((bus.filter.value.class, bus.filter.mask.priority), (10, 7));
    let warning = format!("variable a_config of 127.0.0.1:{port}:1: zzz: unknown key");
    assert!(lines(&config).contains(&warning), "{:?}", config.warnings);
}

#[test]
fn a_server_without_variables_changes_nothing() {
    let config = load(server(&[]), "secret", true).unwrap();
    assert_eq!(config.threads, 3);
    assert_eq!(config.buses[0].interface, "can0");
}

#[test]
fn a_server_that_refuses_or_is_not_there_is_a_warning_or_an_error_where_it_is_required() {
    let (_held, nobody) = refusing_address();
    for (port, password, reason) in [
        (nobody.port(), "secret", "refused"),
        (server(&[]), "wrong", "PASS: \"-OK - Error\" instead of +OK"),
        (
            server(&[("a_config", "{\"threads\":")]),
            "secret",
            "EOF while parsing a value",
        ),
    ] {
        let config = load(port, password, false);
        let warnings = lines(&config.unwrap());
        assert!(
            warnings
                .iter()
                .any(|line| line.contains("going on without") && line.contains(reason)),
            "{warnings:?}"
        );
    }
    let error = load(nobody.port(), "secret", true).unwrap_err();
    assert!(
        error.starts_with("inline configuration:1: remote-variables: found 127.0.0.1:"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn a_value_of_the_server_that_is_wrong_is_an_error_that_names_it() {
    let port = server(&[("a_config", r#"{"threads":0}"#)]);
    assert_eq!(
        load(port, "secret", false).unwrap_err(),
        format!(
            "variable a_config of 127.0.0.1:{port}:1: threads: found 0, expected a whole number \
             from 1 to 64"
        )
    );
    let port = server(&[("a_interface", "a name that is too long")]);
    let error = load(port, "secret", false).unwrap_err();
    assert!(error.starts_with("variable a_interface of"), "{error}");
}

#[test]
fn an_interface_of_the_server_that_another_bus_has_is_an_error() {
    for interface in ["can0", "can1"] {
        let port = server(match interface {
            "can0" => &[("a_interface", "can0")],
            _ => &[("a_interface", "can1")],
        });
        let configuration = json!({
            "allow-default-key": true,
            "socketcan": [{"interface": "can0"}, {"interface": "can1"}],
            "remote-variables": {"port": port, "user": "admin", "password": "secret", "prefix": "a"},
        });
        let error = Config::load(&configuration.to_string()).err();
        let expected = format!(
            "variable a_interface of 127.0.0.1:{port}: found \"can1\", expected an interface that \
             no other bus has"
        );
        let expected = (interface == "can1").then_some(expected);
        assert_eq!(error.map(|error| error.to_string()), expected);
    }
}

#[test]
fn a_slow_server_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let slow = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Sends part of the answer, never all.
        while stream.write_all(b"x\r\n").is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let configuration = json!({
        "allow-default-key": true,
        "remote-variables": {"port": port, "timeout-ms": 100}
    });
    let config = Config::load(&configuration.to_string()).unwrap();
    assert!(
        lines(&config)[0].contains("no answer in time"),
        "{:?}",
        config.warnings
    );
    slow.join().unwrap();
}

#[test]
fn a_configuration_string_is_a_bus_and_keys() {
    let config = Config::load("can0").unwrap();
    assert_eq!(config.buses[0].interface, "can0");
    assert_eq!(config.listen[0].to_string(), "ws://localhost:8884");
    assert!(
        lines(&config)
            .iter()
            .any(|line| line.contains("no client can log in"))
    );

    let config = Config::load(
        "can1;0,10,0,-;0,0xffff,0,-;interface=*:9000;threads=4;debug=true;write=false;\
         allow-default-key=true;ws1-iv=any",
    )
    .unwrap();
    let bus = &config.buses[0];
    assert_eq!(
        (bus.interface.as_str(), bus.filter.mask.class),
        ("can1", 0xFFFF)
    );
    assert_eq!(
        (config.threads, config.debug, config.write),
        (4, true, false)
    );
    assert_eq!(config.listen[0].to_string(), "ws://*:9000");

    let config = Config::load("threads=4;allow-default-key=true").unwrap();
    assert!(config.buses.is_empty());
    for (string, error) in [
        ("threads=x", "configuration string:1: threads: found \"x\""),
        ("can0;zzz", "socketcan.filter: found \"zzz\""),
        ("can0;;;;x", "configuration string: found \"\""),
        ("a-name-that-is-too-long", "socketcan.interface: found"),
        ("missing.json", "missing.json: found No such file"),
    ] {
        let got = Config::load(string).unwrap_err().to_string();
        assert!(got.contains(error), "{got}");
    }
}
