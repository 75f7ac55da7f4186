//! `key`: makes a key for the key file.

use std::{error::Error, io::Write};

use vscpl2drv_websocksrv::auth::login::BLOCK;

use crate::message;

/// Prints a new random key for the key file: 32 hex digits (AES-128)
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv key
  (umask 077; vscpl2drv-websocksrv key > /etc/vscp/vscp.key)

The key file is named by \"key-file\" in the configuration. All clients log in with the same key.")]
pub(crate) struct Args {}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    writeln!(anstream::stdout(), "{}", random()?)?;
    message::note(
        "save it in the file that \"key-file\" names; only the daemon may read that file \
         (chmod 640)",
    );
    Ok(())
}

/// Draws a key and returns the text of its file. Fails if the system has no randomness.
pub(crate) fn random() -> Result<String, getrandom::Error> {
    let mut key = [0; BLOCK];
    getrandom::fill(&mut key)?;
    Ok(hex::encode_upper(key))
}
