//! The answers to the questions, from options or typed.

use std::{
    error::Error,
    io::{self, BufRead, IsTerminal, Write},
    net::UdpSocket,
    path::{Path, PathBuf},
};

use vscpl2drv_websocksrv::http::Listen;

use super::{
    Args,
    daemon::Daemon,
    existing::{Existing, Users},
    root::{Account, Root},
};
use crate::{cert, message, password, paths};

/// The answers to the questions: the set-up that is wanted.
#[derive(Debug)]
pub(super) struct Answers {
    /// Where the driver listens, `None` if that stays as it is.
    pub(super) listen: Option<Vec<Listen>>,
    /// A user to add and the stored password.
    pub(super) user: Option<(String, String)>,
    /// The configuration of the driver.
    pub(super) config: PathBuf,
    /// Who reads the files, `None` for root.
    pub(super) owner: Option<Account>,
    may_change: bool,
    is_interactive: bool,
}

impl Answers {
    /// Takes the answers from the options, and asks for those that are missing if somebody is there
    /// to answer. Values that are set up already are the defaults.
    pub(super) fn ask(
        args: &Args,
        root: &Root,
        daemon: Option<&Daemon>,
    ) -> Result<Self, Box<dyn Error>> {
        let registered = daemon.and_then(|daemon| daemon.registered.as_ref());
        let config = match (&args.config, registered) {
            (Some(config), _) | (None, Some(config)) => config.clone(),
            (None, None) => paths::CONFIG.into(),
        };
        let existing = Existing::read(root, &config)?;
        let asking = Asking {
            args,
            is_interactive: io::stdin().is_terminal() && !args.dry_run,
        };
        Ok(Self {
            listen: asking.listen(&existing)?,
            user: asking.user(existing.users(root)?)?,
            config,
            owner: owner(args, root, daemon)?,
            may_change: args.change,
            is_interactive: asking.is_interactive,
        })
    }

    /// Asks whether a file that exists may be changed so.
    pub(super) fn agrees_to_change(&self, path: &Path, diff: &str) -> io::Result<bool> {
        if self.may_change || !self.is_interactive {
            return Ok(self.may_change);
        }
        write!(anstream::stderr(), "{diff}")?;
        let question = format!("Change {} so (yes or no)", path.display());
        Ok(is_yes(&ask(&question, "yes")?))
    }
}

/// Where answers come from.
struct Asking<'a> {
    args: &'a Args,
    is_interactive: bool,
}

impl Asking<'_> {
    /// Returns the answer that an option has given, the one that is typed, or the default.
    fn answer(&self, given: Option<&str>, question: &str, default: &str) -> io::Result<String> {
        match given {
            Some(answer) => Ok(answer.to_owned()),
            None if self.is_interactive => ask(question, default),
            None => Ok(default.to_owned()),
        }
    }

    /// Returns where the driver is to listen, `None` if that is as it is.
    fn listen(&self, existing: &Existing) -> Result<Option<Vec<Listen>>, Box<dyn Error>> {
        let current = existing.listen();
        let given = self.args.interface.as_deref();
        let tls = match (self.args.tls, self.args.no_tls) {
            (true, _) => Some("yes"),
            (_, true) => Some("no"),
            _ => None,
        };
        let is_asked = given.is_some() || tls.is_some() || self.is_interactive;
        if existing.json().is_some() && !is_asked {
            return Ok(None);
        }
        let had_tls = current.iter().flatten().any(|listen| listen.tls);
        let default = current
            .as_deref()
            .map_or("*:8884".to_owned(), without_scheme);
        let text = self.answer(given, "Address and port", &default)?;
        let mut listen = match &current {
            Some(current) if text == default => current.clone(),
            _ => parse(&text, had_tls)?,
        };
        let has_tls = listen.iter().any(|listen| listen.tls);
        let default = if has_tls { "yes" } else { "no" };
        let wants_tls = is_yes(&self.answer(tls, "TLS (yes or no)", default)?);
        // A list may have both, which stays as long as nobody asks for one of them.
        if tls.is_some() || wants_tls != has_tls {
            listen.iter_mut().for_each(|listen| listen.tls = wants_tls);
        }
        Ok((current.as_ref() != Some(&listen)).then_some(listen))
    }

    /// Returns the user to add. Says so if the one that is asked for is not added.
    fn user(&self, users: Users) -> Result<Option<(String, String)>, Box<dyn Error>> {
        let given = self.args.user.as_deref();
        let (Users::InConfiguration(names) | Users::InFile(names)) = &users;
        match given {
            None if !names.is_empty() => return Ok(None),
            Some(name) if names.iter().any(|other| other == name) => {
                message::note(format_args!(
                    "there is a user {name} already, who stays as before (another password: \
                     vscpl2drv-websocksrv user passwd {name})"
                ));
                return Ok(None);
            }
            Some(name) if matches!(users, Users::InConfiguration(_)) => {
                message::warning(format_args!(
                    "the user {name} is not added: the users stand in the configuration itself; \
                     add a record there, with a password of vscpl2drv-websocksrv passwd {name}"
                ));
                return Ok(None);
            }
            _ => {}
        }
        let name = self.answer(given, "First user", "admin")?;
        password::usable_name(&name)?;
        let stored = match self.args.dry_run {
            true => String::new(),
            false => password::store_new(&name, &self.args.password)?,
        };
        Ok(Some((name, stored)))
    }
}

/// Returns the address of the panel of a driver that listens there.
pub(super) fn url(listen: &Listen) -> String {
    let reachable = Listen {
        host: Some(host(listen)),
        ..listen.clone()
    };
    // wss becomes https.
    format!("{}/", reachable.to_string().replacen("ws", "http", 1))
}

/// Returns the names that a certificate of a driver that listens there must have.
pub(super) fn names(listen: &[Listen]) -> Vec<String> {
    let mut names = Vec::new();
    for name in listen.iter().map(host).chain(cert::default_names()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns the name or address that clients in the network use.
fn host(listen: &Listen) -> String {
    match &listen.host {
        Some(host) => host.clone(),
        None => address().unwrap_or_else(|| "localhost".to_owned()),
    }
}

/// Returns the address of this machine in its network. Nothing is sent for that.
fn address() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // An address for documentation (RFC 5737): it stands for any outside.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then(|| address.to_string())
}

/// Reads addresses with commas between them. Those without a scheme have TLS if `tls`.
fn parse(text: &str, tls: bool) -> Result<Vec<Listen>, String> {
    let read = |text: &str| -> Result<Listen, String> {
        let listen: Listen = text
            .parse()
            .map_err(|expected| format!("--interface: found {text:?}, expected {expected}"))?;
        let has_scheme = text.contains("://");
        Ok(Listen {
            tls: listen.tls || tls && !has_scheme,
            ..listen
        })
    };
    text.split(',').map(|text| read(text.trim())).collect()
}

fn without_scheme(listen: &[Listen]) -> String {
    let texts = listen.iter().map(Listen::to_string);
    let texts = texts.map(|text| text.rsplit("://").next().unwrap_or_default().to_owned());
    texts.collect::<Vec<_>>().join(", ")
}

/// Returns who reads the files.
fn owner(
    args: &Args,
    root: &Root,
    daemon: Option<&Daemon>,
) -> Result<Option<Account>, Box<dyn Error>> {
    let named = args.owner.as_deref();
    let name = named.or_else(|| daemon?.user.as_deref()).unwrap_or("vscp");
    match root.account(name) {
        Some(account) => Ok(Some(account)),
        None if named.is_some() => Err(format!("--owner: there is no user {name:?}").into()),
        // The service of `serve` has no user of its own, but is in this group.
        None => Ok(root.group(name)),
    }
}

fn ask(question: &str, default: &str) -> io::Result<String> {
    write!(anstream::stderr(), "{question} [{default}]: ")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(match line.trim() {
        "" => default.to_owned(),
        answer => answer.to_owned(),
    })
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")
}
