//! `user`: the users file without an editor.

use std::{
    error::Error,
    io::Write,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde_json::{Value, json};
use vscpl2drv_websocksrv::{
    auth::{User, Users},
    config::{
        self,
        users::{NewUser, UsersEditor},
    },
};

use crate::{message, password, paths, rights};

/// Adds, removes and shows users in the users file
///
/// The driver reads a changed file within a second. Who is gone, or has a new password, is
/// disconnected.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv user add anna --rights user/set-filter --remotes +192.168.0.0/16
  vscpl2drv-websocksrv user passwd anna --password-file /run/secrets/anna
  vscpl2drv-websocksrv user list
  vscpl2drv-websocksrv user del anna --users /etc/vscp/users.json

The file keeps its owner and mode, and all but the user that is changed stays as it is written.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The users file [default: the one that the configuration names]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "config")]
    users: Option<PathBuf>,
    /// The configuration that names the users file
    #[arg(long, global = true, value_name = "FILE", default_value = paths::CONFIG)]
    config: String,
}

/// A stored password, for a record that is only looked at.
const ANY_PASSWORD: &str = "00000000000000000000000000000000";

#[derive(Subcommand)]
enum Command {
    /// Adds a user; asks for the password
    Add(Add),
    /// Removes a user
    Del {
        /// The name of the user
        name: String,
    },
    /// Lists the users and what they may do
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Gives a user another password; asks for it
    Passwd {
        /// The name of the user
        name: String,
        #[command(flatten)]
        password: password::Source,
    },
    /// Shows all about a user but the password
    Show {
        /// The name of the user
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
struct Add {
    /// The name to log in with
    name: String,
    #[command(flatten)]
    password: password::Source,
    /// What the user may do: admin, user or single rights, separated by / or commas
    #[arg(long, value_name = "RIGHTS", default_value = "user")]
    rights: String,
    /// Addresses that the user may log in from: [+|-]ADDRESS[/BITS], separated by commas
    /// [default: anywhere]
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    remotes: Option<String>,
    /// Events that the user may send or receive: [TX;|RX;|BOTH;]CLASS:TYPE, separated by commas
    /// [default: all]
    #[arg(long, value_name = "LIST")]
    events: Option<String>,
    /// The name of the user for people
    #[arg(long, value_name = "NAME")]
    fullname: Option<String>,
    /// A text for people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The highest priority of events that the user sends, 0 (highest) to 7
    #[arg(long, value_name = "PRIORITY", value_parser = clap::value_parser!(u8).range(0..=7))]
    max_priority: Option<u8>,
}

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let path = match &args.users {
        Some(path) => path.clone(),
        None => named_by(&args.config)?,
    };
    match &args.command {
        Command::Add(add) => {
            password::usable_name(&add.name)?;
            // What is wrong is told before the password is asked for.
            let mut trial = UsersEditor::open(&path)?;
            trial.add(&add.name, ANY_PASSWORD, &add.user())?;
            trial.check()?;
            drop(trial);
            let stored = password::store_new(&add.name, &add.password)?;
            let mut editor = UsersEditor::open(&path)?;
            editor.add(&add.name, &stored, &add.user())?;
            editor.save()?;
            done(&editor, &path, format_args!("{} is added", add.name))
        }
        Command::Del { name } => {
            let mut editor = open(&path)?;
            editor.remove(name)?;
            editor.save()?;
            done(&editor, &path, format_args!("{name} is removed"))
        }
        Command::Passwd { name, password } => {
            open(&path)?.require(name)?;
            let stored = password::store_new(name, password)?;
            let mut editor = open(&path)?;
            editor.set_password(name, &stored)?;
            editor.save()?;
            done(&editor, &path, format_args!("{name} has a new password"))
        }
        Command::List { json } => list(&path, *json),
        Command::Show { name, json } => {
            let editor = open(&path)?;
            editor.require(name)?;
            let user = read(&editor)?.get(name).cloned();
            let user = user.ok_or_else(|| format!("{name} has a record that is wrong"))?;
            show(&user, *json)
        }
    }
}

/// Returns the users file that a configuration names.
pub(crate) fn named_by(config: &str) -> Result<PathBuf, Box<dyn Error>> {
    config::users_path(config)?.ok_or_else(|| {
        format!(
            "{config} names no users file (path-users); if its users stand in it, change them there"
        )
        .into()
    })
}

impl Add {
    fn user(&self) -> NewUser {
        let list = |text: &Option<String>| text.iter().cloned().collect();
        NewUser {
            fullname: self.fullname.clone(),
            note: self.note.clone(),
            rights: vec![self.rights.clone()],
            remotes: list(&self.remotes),
            events: list(&self.events),
            max_priority: self.max_priority,
        }
    }
}

fn done(
    editor: &UsersEditor,
    path: &Path,
    text: std::fmt::Arguments<'_>,
) -> Result<(), Box<dyn Error>> {
    message::note(format_args!("{}: {text}", path.display()));
    read(editor).map(drop)
}

fn open(path: &Path) -> Result<UsersEditor, Box<dyn Error>> {
    if !path.exists() {
        return Err(format!("{}: there is no such file", path.display()).into());
    }
    Ok(UsersEditor::open(path)?)
}

/// Returns the users whose records are right, and warns of the others.
fn read(editor: &UsersEditor) -> Result<Users, Box<dyn Error>> {
    let (users, errors) = editor.read()?;
    for error in errors {
        message::warning(format_args!(
            "{error} (the driver does not take the file until that is mended)"
        ));
    }
    Ok(users)
}

fn list(path: &Path, as_json: bool) -> Result<(), Box<dyn Error>> {
    let users = read(&open(path)?)?;
    let mut out = anstream::stdout().lock();
    if as_json {
        let list: Vec<_> = users.iter().map(|user| as_value(user)).collect();
        writeln!(out, "{:#}", Value::from(list))?;
        return Ok(());
    }
    let width = |text: fn(&User) -> usize| users.iter().map(|user| text(user)).max().unwrap_or(0);
    let name_width = width(|user| user.name.chars().count());
    let rights_width = width(|user| rights::in_words(user).chars().count());
    for user in users.iter() {
        writeln!(
            out,
            "{:name_width$}  {:rights_width$}  from {}",
            user.name,
            rights::in_words(user),
            user.remotes,
        )?;
    }
    Ok(())
}

fn show(user: &User, as_json: bool) -> Result<(), Box<dyn Error>> {
    let mut out = anstream::stdout().lock();
    if as_json {
        writeln!(out, "{:#}", as_value(user))?;
        return Ok(());
    }
    let priority = user.max_priority.map(|priority| priority.to_string());
    for (label, text) in [
        ("name", user.name.clone()),
        ("full name", user.fullname.clone()),
        ("note", user.note.clone()),
        (
            "rights",
            format!("{} (0x{:X})", rights::in_words(user), user.rights.bits()),
        ),
        ("logs in from", user.remotes.to_string()),
        ("events", user.events.to_string()),
        (
            "filter",
            format!("{}; mask {}", user.filter.value, user.filter.mask),
        ),
        ("max priority", priority.unwrap_or_default()),
        ("password", rights::password_in_words(user)),
    ] {
        if !text.is_empty() {
            writeln!(out, "{label:14}{text}")?;
        }
    }
    Ok(())
}

fn as_value(user: &User) -> Value {
    json!({
        "name": user.name,
        "fullname": user.fullname,
        "note": user.note,
        "rights": user.rights.bits(),
        "may": rights::in_words(user),
        "remotes": user.remotes.list(),
        "events": user.events.to_string(),
        "filter": user.filter.value.to_string(),
        "mask": user.filter.mask.to_string(),
        "max-priority": user.max_priority,
        "password": rights::password_in_words(user),
    })
}
