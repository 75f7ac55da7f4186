//! The parts that all share: files, addresses, and ways to connect.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};
use socket2::SockRef;
use tempfile::TempDir;
use vscpl2drv_websocksrv::ws::Protocol;

use crate::{
    buses::{self, Bus},
    common::{
        Client,
        client::path_of,
        files::replace_file,
        log_path,
        net::{free_address, tcp_from},
        tls::{Authority, VALID},
        user,
        users::md5,
        wait_until,
    },
    host::Host,
    log::Log,
    metrics,
    resident::user_of,
    residents::RESIDENTS,
    sheet::Sheet,
    tls_client::{ANY, Peer},
};

/// Events that are kept for a client.
pub(crate) const QUEUE: u32 = 2000;

/// A connection, with or without TLS.
pub(crate) trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// The files of the driver, and where it listens.
pub(crate) struct Site {
    folder: TempDir,
    pub(crate) plain: SocketAddr,
    pub(crate) secure: SocketAddr,
    authority: Authority,
    pub(crate) peer: Peer,
    pub(crate) bus: Option<Bus>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("soak");
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
            plain: free_address(),
            secure: free_address(),
            peer: Peer::new(&authority, ANY, None),
            authority,
            bus: Bus::add(),
        };
        site.write_users("secret");
        site.write_certificate();
        let path = |name| site.folder.path().join(name);
        let mut configuration = json!({
            "interface": [format!("ws://{}", site.plain), format!("wss://{}", site.secure)],
            "tls": {"cert": path("tls.pem"), "key": path("tls.pem")},
            "allow-default-key": true,
            "enable-static": false,
            "event-layout": "unix-ns",
            "path-users": path("users.json"),
            "metrics": "/metrics",
            "max-clients": 300,
            "max-client-queue-size": QUEUE,
            "max-message-size": 4096,
            "write-timeout": 60,
            "logging": {
                "console-enable-log": false,
                "file-enable-log": true,
                "file-log-level": "info",
                "file-pattern": "%l %v",
                "file-path": log_path(&site.folder),
                "file-max-size": 512 << 20,
            },
        });
        if site.bus.is_some() {
            configuration["socketcan"] = json!({"interface": buses::NAME});
        }
        replace_file(&path("driver.json"), &configuration.to_string());
        site
    }

    pub(crate) fn start_host(&self) -> Host {
        Host::start(&self.folder.path().join("driver.json"))
    }

    pub(crate) fn log(&self) -> Log {
        Log::new(log_path(&self.folder))
    }

    /// Writes the users file: the residents, `guest`, and `changing` with this password.
    pub(crate) fn write_users(&self, password: &str) {
        let rights = || json!({"rights": "user/rest/send-events/receive-events/set-filter"});
        let mut users: Vec<Value> = (0..RESIDENTS)
            .map(|index| user(&user_of(index), rights()))
            .collect();
        users.push(user("guest", rights()));
        let stored = md5(&format!("changing:{password}"));
        users.push(json!({"name": "changing", "password": stored}));
        let path = self.folder.path().join("users.json");
        replace_file(&path, &json!({ "users": users }).to_string());
    }

    /// Writes another certificate with its key, in one file. Returns the certificate.
    pub(crate) fn write_certificate(&self) -> String {
        let pair = self.authority.issue(VALID);
        let text = pair.certificate.clone() + &pair.key;
        replace_file(&self.folder.path().join("tls.pem"), &text);
        pair.certificate
    }

    /// Connects, and takes the greeting.
    pub(crate) fn connect(&self, protocol: Protocol, tls: bool) -> Client<Box<dyn Stream>> {
        self.connect_from(1, protocol, tls)
    }

    /// The same, without TLS from 127.0.0.`host`.
    pub(crate) fn connect_from(
        &self,
        host: u8,
        protocol: Protocol,
        tls: bool,
    ) -> Client<Box<dyn Stream>> {
        let stream: Box<dyn Stream> = match tls {
            true => Box::new(self.peer.connect(self.secure).unwrap()),
            false => Box::new(tcp_from(host, self.plain)),
        };
        let mut client = Client::over(stream, path_of(protocol), protocol, &[]);
        client.take_greeting();
        client
    }

    /// Closes the driver while a client is connected, which is told, and opens it again.
    pub(crate) fn restart(&self, host: &mut Host, sheet: &mut Sheet) {
        let mut clients = [Protocol::Ws1, Protocol::Ws2].map(|protocol| {
            let mut client = self.connect(protocol, protocol == Protocol::Ws2);
            client.login("guest");
            client
        });
        host.close();
        for client in &mut clients {
            assert_eq!(
                client.close_code(),
                1001,
                "the close code of a driver that ends"
            );
        }
        let mut log = self.log();
        let lines = log.take();
        assert!(lines.last().is_some_and(|line| line.contains("closed; ")));
        log.remove();
        sheet.note_closed(host.usage());
        host.open();
        wait_until("the driver is open", || {
            TcpStream::connect(self.plain).is_ok()
        });
        let (counters, gauges) = metrics::read(self.plain);
        assert_eq!(
            counters,
            metrics::Counters::default(),
            "counters of a new driver"
        );
        assert_eq!(gauges, metrics::Gauges::default());
    }
}

/// Makes the end of a connection a reset.
pub(crate) fn reset_at_end(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}
