//! Asks for passwords, so that none stands in a command line.

use std::{
    error::Error,
    fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use vscpl2drv_websocksrv::auth::{login::MAX_CRYPTO, password};

/// Where a password comes from.
#[derive(clap::Args)]
pub(crate) struct Source {
    /// A file whose first line is the password, - for the standard input. Without it the password
    /// is asked for; if the standard input is no terminal, it is its first line
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// Gets a new password of a user, twice if it is typed, and returns it as the users file stores it.
pub(crate) fn store_new(user: &str, source: &Source) -> Result<String, Box<dyn Error>> {
    usable_name(user)?;
    let password = get(user, source, true)?;
    usable(user, &password)?;
    Ok(password::store(user, &password)?)
}

/// Gets a password of a user, twice if it is typed and `new`.
pub(crate) fn get(user: &str, source: &Source, new: bool) -> Result<String, Box<dyn Error>> {
    match &source.password_file {
        Some(path) if path != Path::new("-") => {
            let text =
                fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(first_line(&text))
        }
        None if io::stdin().is_terminal() => {
            let password = rpassword::prompt_password(format!("Password of {user}: "))?;
            if new && rpassword::prompt_password("The same again: ")? != password {
                return Err("these are two different passwords".into());
            }
            Ok(password)
        }
        _ => {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            Ok(first_line(&line))
        }
    }
}

/// Refuses a name that no user can have.
pub(crate) fn usable_name(user: &str) -> Result<(), Box<dyn Error>> {
    if user.trim().is_empty() || user.contains(|c: char| matches!(c, ';' | ':') || c.is_control()) {
        return Err("a user name is not empty and has no ; or : in it".into());
    }
    Ok(())
}

/// Refuses a password that no client could log in with.
pub(crate) fn usable(user: &str, password: &str) -> Result<(), Box<dyn Error>> {
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

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
