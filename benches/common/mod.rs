//! What benches that load the built driver share: the driver, clients for it, numbers.

// Each bench uses another part of it.
#![allow(dead_code)]

pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod stats;
pub(crate) mod stream;

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Lets this process, and those that it starts, have as many descriptors as they may.
pub(crate) fn raise_descriptor_limit() -> io::Result<u64> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    Ok(hard)
}

/// The arguments of the program, without the one that cargo adds.
pub(crate) fn arguments() -> Vec<String> {
    let arguments = std::env::args().skip(1);
    arguments.filter(|argument| argument != "--bench").collect()
}
