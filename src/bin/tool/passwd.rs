//! `passwd`: makes a stored password for the users file.

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
};

use vscpl2drv_websocksrv::auth::{login::MAX_CRYPTO, password};

use crate::message;

/// Asks for a password and prints it as the users file stores it (SALT;HASH;ROUNDS)
///
/// Where the standard input is no terminal, the password is its first line.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv passwd admin
  head -1 password.txt | vscpl2drv-websocksrv passwd admin

The name is part of what is stored: who gets another name needs a new stored password.")]
pub(crate) struct Args {
    /// The name of the user
    user: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let user = args.user.as_str();
    if user.trim().is_empty() || user.contains(|c: char| matches!(c, ';' | ':') || c.is_control()) {
        return Err("a user name is not empty and has no ; or : in it".into());
    }
    let password = ask(user)?;
    usable(user, &password)?;
    let stored = password::store(user, &password)?;
    writeln!(anstream::stdout(), "{stored}")?;
    message::note(format_args!(
        "this is the \"password\" of {user} in the users file"
    ));
    Ok(())
}

fn ask(user: &str) -> Result<String, Box<dyn Error>> {
    if io::stdin().is_terminal() {
        let password = rpassword::prompt_password(format!("Password of {user}: "))?;
        if rpassword::prompt_password("The same again: ")? != password {
            return Err("these are two different passwords".into());
        }
        return Ok(password);
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Refuses what a login could never bring over.
fn usable(user: &str, password: &str) -> Result<(), Box<dyn Error>> {
    if password.is_empty() {
        return Err("the password is empty".into());
    }
    if password.contains(|c: char| c.is_control()) {
        return Err("the password has a control character in it".into());
    }
    if password.ends_with(|c: char| c.is_ascii_whitespace()) {
        return Err("the password ends with a space, which a login does not keep".into());
    }
    if user.len() + 1 + password.len() > MAX_CRYPTO {
        return Err(format!("user name and password have over {MAX_CRYPTO} bytes").into());
    }
    Ok(())
}
