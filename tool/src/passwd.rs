//! `passwd`: makes a stored password for the users file.

use std::{error::Error, io::Write};

use crate::{message, password};

/// Asks for a password and prints it as the users file stores it (SALT;HASH;ROUNDS)
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv passwd admin
  head -1 password.txt | vscpl2drv-websocksrv passwd admin

The name is part of what is stored: who gets another name needs a new stored password.
To change a users file: vscpl2drv-websocksrv user passwd NAME.")]
pub(crate) struct Args {
    /// The name of the user
    user: String,
    #[command(flatten)]
    password: password::Source,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let stored = password::store_new(&args.user, &args.password)?;
    writeln!(anstream::stdout(), "{stored}")?;
    message::note(format_args!(
        "this is the \"password\" of {} in the users file",
        args.user
    ));
    Ok(())
}
