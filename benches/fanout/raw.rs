//! A program that only writes prepared frames: the upper bound for the driver: the measure for
//! the driver.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use vscpl2drv_websocksrv::ws::{event_frames, frame};

use crate::server::{NUMBERS, numbered};

/// Threads that write, as many as the driver has.
const THREADS: usize = 2;

/// Frames of one write.
const BATCH: usize = 64;

/// The connections of the raw program, and its frames.
pub(crate) struct Raw {
    parts: Vec<Vec<TcpStream>>,
    batches: Vec<Vec<u8>>,
}

impl Raw {
    /// Accepts `count` clients.
    pub(crate) fn accept(listener: &TcpListener, count: usize) -> io::Result<Self> {
        let mut parts: Vec<Vec<_>> = (0..THREADS.min(count)).map(|_| Vec::new()).collect();
        let threads = parts.len();
        for index in 0..count {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            parts[index % threads].push(stream);
        }
        let numbers: Vec<u32> = (0..NUMBERS).collect();
        let mut payload = Vec::new();
        let batches = numbers.chunks(BATCH).map(|numbers| {
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
            batches: batches.collect(),
        })
    }

    /// Writes at least `frames` frames to each client. Returns how many.
    pub(crate) fn write(&mut self, frames: u64) -> io::Result<u64> {
        let rounds = frames.div_ceil(BATCH as u64);
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
            Ok(rounds * BATCH as u64)
        })
    }
}
