//! Requests per second of REST and of static files, and how long they take.
//!
//! `cargo bench --bench http` measures over connections of its own; `-- serve` only opens the
//! driver and says what to ask it, for other programs that measure.

use std::{
    env, fs,
    io::{BufRead, Write, stdout},
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use md5::{Digest, Md5};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use vscpl2drv_websocksrv::driver::{Driver, Host};

const CONNECTIONS: usize = 20;
const TIME: Duration = Duration::from_secs(5);
/// Static files: name and size.
const FILES: [(&str, usize); 2] = [("4-KiB", 4 << 10), ("1-MiB", 1 << 20)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    for (name, size) in FILES {
        fs::write(folder.path().join(name), vec![b'x'; size])?;
    }
    let configuration = json!({
        "interface": "ws://127.0.0.1:0",
        "allow-default-key": true,
        "web-root": folder.path(),
        "max-clients": 0,
        "users": [{
            "name": "admin",
            "password": hex::encode(Md5::digest("admin:secret")),
            "rights": "admin",
        }],
    });
    let driver = Driver::open(&configuration.to_string(), None, Host::default());
    let driver = Arc::new(driver.map_err(|error| error.to_string())?);
    let host = thread::spawn({
        let driver = driver.clone();
        move || while driver.read(None).is_ok() {}
    });
    let address = driver.addresses()[0];
    let runtime = tokio::runtime::Runtime::new()?;
    let open = "/rest?vscpuser=admin&vscpsecret=secret&format=plain&op=open";
    let reply = runtime.block_on(async { Client::connect(address).await?.get(open).await })?;
    let reply = String::from_utf8(reply)?;
    let sid = reply.split(['=', ' ']).nth(4).ok_or("no session")?;
    let send = format!("/rest?vscpsession={sid}&format=json&op=3&vscpevent=0,10,6,,,,-,1,2,3");
    if env::args().any(|argument| argument == "serve") {
        println!("http://{address}{send}");
        for (name, _) in FILES {
            println!("http://{address}/{name}");
        }
        println!("Enter ends it.");
        stdout().flush()?;
        std::io::stdin().lock().lines().next();
    } else {
        runtime.block_on(measure("REST sendevent", address, &send))?;
        for (name, _) in FILES {
            let path = format!("/{name}");
            runtime.block_on(measure(&format!("file {name}"), address, &path))?;
        }
    }
    driver.close();
    let _ = host.join();
    Ok(())
}

async fn measure(name: &str, address: SocketAddr, path: &str) -> std::io::Result<()> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let path = path.to_owned();
            tokio::spawn(async move {
                let mut client = Client::connect(address).await?;
                let mut times = Vec::new();
                while start.elapsed() < TIME {
                    let sent = Instant::now();
                    client.get(&path).await?;
                    times.push(sent.elapsed());
                }
                std::io::Result::Ok(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!(
        "{name}: {} requests/s, p50 {:?}, p99 {:?} ({CONNECTIONS} connections)",
        times.len() as u64 / TIME.as_secs(),
        at(50),
        at(99),
    );
    Ok(())
}

/// A connection that is kept.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self(BufReader::new(socket)))
    }

    /// The body of a response with the status 200.
    async fn get(&mut self, path: &str) -> std::io::Result<Vec<u8>> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.write_all(request.as_bytes()).await?;
        let mut line = String::new();
        let mut length = 0;
        self.0.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 200 ") {
            return Err(std::io::Error::other(line));
        }
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).await?;
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().map_err(std::io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(body)
    }
}
