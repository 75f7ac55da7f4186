//! A program that only writes prepared frames: the upper bound for the driver.

use std::{
    error::Error,
    io::{self, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use vscpl2drv_websocksrv::ws::{event_frames, frame};

use crate::server::{NUMBERS, numbered};

/// Threads that write, as many as the driver has.
const THREADS: usize = 2;

/// The connections of the raw program, and its frames.
pub(crate) struct Raw {
    parts: Vec<Vec<Box<dyn Write + Send>>>,
    /// Frames of one write.
    batch: usize,
    batches: Vec<Vec<u8>>,
}

impl Raw {
    /// Accepts `count` clients, with TLS or without it, which get `batch` frames with one write.
    pub(crate) fn accept(
        listener: &TcpListener,
        count: usize,
        tls: Option<&Arc<ServerConfig>>,
        batch: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let mut parts: Vec<Vec<_>> = (0..THREADS.min(count)).map(|_| Vec::new()).collect();
        let threads = parts.len();
        for index in 0..count {
            let (mut stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            let stream: Box<dyn Write + Send> = match tls {
                None => Box::new(stream),
                Some(config) => {
                    let mut connection = ServerConnection::new(config.clone())?;
                    while connection.is_handshaking() {
                        connection.complete_io(&mut stream)?;
                    }
                    Box::new(StreamOwned::new(connection, stream))
                }
            };
            parts[index % threads].push(stream);
        }
        let numbers: Vec<u32> = (0..NUMBERS).collect();
        let mut payload = Vec::new();
        let batches = numbers.chunks(batch).map(|numbers| {
            let mut frames = Vec::new();
            for number in numbers {
                payload.clear();
                event_frames::encode_ws1(&numbered(*number), &mut payload);
                frame::text(&payload, &mut frames);
            }
            frames
        });
        Ok(Self {
            parts,
            batch,
            batches: batches.collect(),
        })
    }

    /// Writes at least `frames` frames to each client. Returns how many.
    pub(crate) fn write(&mut self, frames: u64) -> io::Result<u64> {
        let rounds = frames.div_ceil(self.batch as u64);
        let batches = &self.batches;
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .parts
                .iter_mut()
                .map(|streams| {
                    scope.spawn(move || {
                        let batches = batches.iter().cycle().take(rounds as usize);
                        for batch in batches {
                            for stream in &mut *streams {
                                stream.write_all(batch)?;
                            }
                        }
                        io::Result::Ok(())
                    })
                })
                .collect();
            for thread in threads {
                thread.join().map_err(|_| io::Error::other("panic"))??;
            }
            Ok(rounds * self.batch as u64)
        })
    }
}
