//! From JSON to a [`Config`].

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf, absolute},
    time::Duration,
};

use super::{
    Config, Dialect, Layout, Limits, Listen, Urls, can, filter, logging,
    remote::{self, Variables},
    string, tls, web,
};
use crate::{
    auth::{Key, Users, UsersFile},
    event::{MAX_DATA, json::Keys},
    json::{ConfigError, Node, Object, Source},
    log,
};

const MAX_COUNT: u64 = 1 << 24;
const MAX_SECONDS: u64 = 365 * 86_400;

impl Config {
    /// Reads what the host names: the path of a JSON file, the JSON text itself (its first
    /// character that is not blank is `{`), or an old configuration string.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key. Files that the configuration
    /// names (key, users) are read, too, and remote variables are asked for.
    pub fn load(argument: &str) -> Result<Self, ConfigError> {
        let (source, file) = open(argument)?;
        let config = read(&source)?;
        Ok(Self { file, ..config })
    }

    /// Where the log of such a configuration goes, `None` where that cannot be told: for saying
    /// what else is wrong in it.
    pub fn logging(argument: &str) -> Option<log::Settings> {
        let (source, _) = open(argument).ok()?;
        let mut object = source.root().ok()?.object().ok()?;
        let debug = flag(&mut object, "debug", false).unwrap_or(false);
        logging::read(object.take(&["logging"]), debug, &mut Vec::new()).ok()
    }
}

/// What the host names, and the file that it is in.
fn open(argument: &str) -> Result<(Source, Option<PathBuf>), ConfigError> {
    let argument = argument.trim();
    if argument.is_empty() {
        return Err(ConfigError::new(
            "configuration",
            "nothing",
            "the path of a JSON file, or JSON text",
        ));
    }
    if argument.starts_with('{') {
        return Ok((Source::new("inline configuration", argument), None));
    }
    if string::is_one(argument) {
        return Ok((string::to_json(argument)?, None));
    }
    let file = absolute(argument).unwrap_or_else(|_| argument.into());
    Ok((Source::read(argument)?, Some(file)))
}

fn read(source: &Source) -> Result<Config, ConfigError> {
    let root = source.root()?;
    let mut object = root.object()?;
    let mut warnings = Vec::new();
    let mut notes = Vec::new();

    let variables = match object.take(&["remote-variables"]) {
        Some(node) => remote::read(&node, &mut warnings)?,
        None => Variables::default(),
    };
    if let Some(remote) = &variables.config {
        let mut remote = remote.root()?.object()?;
        if let Some(node) = remote.take(&["remote-variables"]) {
            warnings.push(format!(
                "{}: remote-variables: without effect",
                node.place()
            ));
        }
        object.overlay(remote);
    }

    let debug = flag(&mut object, "debug", false)?;
    let write = flag(&mut object, "write", false)?;
    let logging = logging::read(object.take(&["logging"]), debug, &mut warnings)?;

    let (listen, secure) = interfaces(object.take(&["interface"]))?;

    let urls = Urls {
        ws1: url(&mut object, "enable-ws1", "url-ws1", "/ws1")?,
        ws2: url(&mut object, "enable-ws2", "url-ws2", "/ws2")?,
    };
    let web = web::read(&mut object, &mut warnings)?;
    if web.rest.is_some() && listen.iter().any(|interface| !interface.tls) {
        warnings.push(
            "REST without TLS: passwords (vscpsecret) can be read by all who see what is sent"
                .into(),
        );
    }
    warnings.extend(web::same_paths(&urls, &web));
    let tls = tls::read(object.take(&["tls"]), secure.as_ref(), &mut warnings)?;
    let socketcan = object.take(&["socketcan"]);
    let buses = can::read(socketcan.as_ref(), &variables, &mut warnings)?;

    let key = key(&root, &mut object, &mut warnings)?;
    let path_users = object.take(&["path-users"]);
    let inline_users = object.take(&["users"]);
    let (users, users_file) = match (path_users, inline_users) {
        (Some(path), inline) => {
            if let Some(inline) = inline {
                warnings.push(format!(
                    "{}: users: without effect beside path-users",
                    inline.place()
                ));
            }
            let name = path_of(&path)?.to_string_lossy().into_owned();
            // A folder can be opened, but not read.
            let read = |mut file: fs::File| file.read(&mut [0]);
            fs::File::open(&name).and_then(read).map_err(|error| {
                let found = format!("{}: {error}", name.escape_debug());
                path.error_found(found, "a users file")
            })?;
            let (file, users) = UsersFile::open(&name, &mut warnings)?;
            (users, Some(file))
        }
        (None, Some(inline)) => (Users::read(&inline, &mut warnings)?, None),
        (None, None) => (Users::default(), None),
    };

    let rx_filter = object.take(&["rx-filter"]);
    let (rx_filter, _) = filter::read(rx_filter.as_ref(), None, &mut warnings)?;

    let config = Config {
        name: source.name().to_owned(),
        file: None,
        json: serde_json::from_str(source.text()).unwrap_or_default(),
        write,
        debug,
        listen,
        urls,
        web,
        tls,
        buses,
        key,
        users,
        users_file,
        rx_filter,
        limits: limits(&mut object)?,
        dialect: dialect(&mut object)?,
        origins: origins(&mut object)?,
        guid: object
            .take(&["guid"])
            .map(|n| n.parsed(str::parse))
            .transpose()?,
        layout: match object.take(&["event-layout"]) {
            None => None,
            Some(node) => node.choice(&[
                ("auto", None),
                ("classic", Some(Layout::Classic)),
                ("unix-ns", Some(Layout::UnixNs)),
            ])?,
        },
        host_max_data: number(&mut object, &["host-max-data"], 0..=MAX_DATA as u64)?,
        echo_filter: flag(&mut object, "echo-filter", true)?,
        threads: number(&mut object, &["threads"], 1..=64)?.unwrap_or(2),
        logging,
        warnings: Vec::new(),
        notes: Vec::new(),
    };
    for name in ["encryption", "filter", "mongoose-debug"] {
        if let Some(node) = object.take(&[name]) {
            notes.push(format!("{}: {name}: known, without effect", node.place()));
        }
    }
    object.finish(&mut warnings);
    Ok(Config {
        warnings,
        notes,
        ..config
    })
}

/// The path of an endpoint, `None` where it is switched off.
pub(super) fn url(
    object: &mut Object<'_>,
    enable: &'static str,
    name: &'static str,
    default: &str,
) -> Result<Option<String>, ConfigError> {
    let enabled = flag(object, enable, true)?;
    let path = match object.take(&[name]) {
        None => default.to_owned(),
        Some(node) => node.parsed(url_path)?,
    };
    Ok(enabled.then_some(path))
}

/// The path of a URL; a leading `/` may be missing.
pub(super) fn url_path(text: &str) -> Result<String, &'static str> {
    let path = text.trim();
    let clean = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#');
    if path.is_empty() || !path.chars().all(clean) {
        Err("the path of a URL, as in \"/ws1\"")
    } else if path.starts_with('/') {
        Ok(path.to_owned())
    } else {
        Ok(format!("/{path}"))
    }
}

fn key(
    root: &Node<'_>,
    object: &mut Object<'_>,
    warnings: &mut Vec<String>,
) -> Result<Key, ConfigError> {
    let allow_default = flag(object, "allow-default-key", false)?;
    let Some(node) = object.take(&["key-file"]) else {
        if allow_default {
            warnings.push(
                "no key-file: logins use the key that everybody knows (allow-default-key)".into(),
            );
            return Ok(Key::WELL_KNOWN);
        }
        if root.source_name() == string::NAME {
            // `can0` alone is to open: with a key that nobody knows nobody can log in.
            warnings.push("no key-file: no client can log in".into());
            return Key::random().map_err(|error| root.error_found(error, "random numbers"));
        }
        return Err(root.error_found(
            "no \"key-file\"",
            "the path of a file with at least 32 hex digits (vscpl2drv-websocksrv key makes one)",
        ));
    };
    let path = node.string()?;
    match Key::read(&path) {
        Ok(key) => {
            if readable_by_all(Path::new(&path)) {
                warnings.push(format!(
                    "{path}: everybody can read this key file (chmod o-r)"
                ));
            }
            Ok(key)
        }
        Err(error) if allow_default => {
            warnings.push(format!(
                "{}: key-file: {error}; logins use the key that everybody knows \
                 (allow-default-key)",
                node.place()
            ));
            Ok(Key::WELL_KNOWN)
        }
        Err(error) => Err(node.error_in_file(&error)),
    }
}

pub(super) fn readable_by_all(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

fn limits(object: &mut Object<'_>) -> Result<Limits, ConfigError> {
    let default = Limits::default();
    let seconds = |object: &mut Object<'_>, name, least| {
        number::<u64>(object, &[name], least..=MAX_SECONDS)
            .map(|seconds| seconds.map(Duration::from_secs))
    };
    Ok(Limits {
        max_clients: number(object, &["max-clients"], 0..=MAX_COUNT)?
            .unwrap_or(default.max_clients),
        max_clients_per_address: number(object, &["max-clients-per-address"], 0..=MAX_COUNT)?
            .unwrap_or(default.max_clients_per_address),
        client_queue: number(
            object,
            &["max-client-queue-size", "max-out-queue"],
            1..=MAX_COUNT,
        )?
        .unwrap_or(default.client_queue),
        host_queue: number(object, &["max-in-queue"], 1..=MAX_COUNT)?.unwrap_or(default.host_queue),
        message_size: number(object, &["max-message-size"], 256..=MAX_COUNT)?
            .unwrap_or(default.message_size),
        auth_timeout: seconds(object, "auth-timeout", 1)?.unwrap_or(default.auth_timeout),
        auth_attempts: number(object, &["max-auth-attempts"], 1..=MAX_COUNT)?
            .unwrap_or(default.auth_attempts),
        auth_concurrency: number(object, &["max-auth-concurrency"], 1..=64)?
            .unwrap_or(default.auth_concurrency),
        ping_interval: seconds(object, "ping-interval", 0)?.map_or(default.ping_interval, |time| {
            (!time.is_zero()).then_some(time)
        }),
        ping_timeout: seconds(object, "ping-timeout", 1)?.unwrap_or(default.ping_timeout),
        write_timeout: seconds(object, "write-timeout", 1)?.unwrap_or(default.write_timeout),
    })
}

fn dialect(object: &mut Object<'_>) -> Result<Dialect, ConfigError> {
    let default = Dialect::default();
    Ok(Dialect {
        ws1_iv_is_sid: choice(object, "ws1-iv", &[("sid", true), ("any", false)])?
            .unwrap_or(default.ws1_iv_is_sid),
        ws2_iv_is_sid: choice(object, "ws2-iv", &[("sid", true), ("any", false)])?
            .unwrap_or(default.ws2_iv_is_sid),
        ws1_auth_reply: choice(
            object,
            "ws1-auth-reply",
            &[("AUTH1", "AUTH1"), ("AUTH", "AUTH")],
        )?
        .unwrap_or(default.ws1_auth_reply),
        ws2_event_type: choice(object, "ws2-event-type", &[("EVENT", "EVENT"), ("E", "E")])?
            .unwrap_or(default.ws2_event_type),
        ws2_event_keys: choice(
            object,
            "ws2-event-keys",
            &[
                ("both", Keys::Both),
                ("vscp", Keys::Vscp),
                ("short", Keys::Short),
            ],
        )?
        .unwrap_or(default.ws2_event_keys),
    })
}

fn origins(object: &mut Object<'_>) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(node) = object.take(&["origins"]) else {
        return Ok(None);
    };
    let origins = strings(&node)?;
    Ok((!origins.iter().any(|origin| origin == "*")).then_some(origins))
}

/// A string, or a list of strings.
pub(super) fn strings(node: &Node<'_>) -> Result<Vec<String>, ConfigError> {
    if node.is_string() {
        return Ok(vec![node.string()?]);
    }
    node.array()?.iter().map(Node::string).collect()
}

pub(super) fn flag(
    object: &mut Object<'_>,
    name: &'static str,
    default: bool,
) -> Result<bool, ConfigError> {
    object
        .take(&[name])
        .map_or(Ok(default), |node| node.boolean())
}

pub(super) fn number<T: TryFrom<u64>>(
    object: &mut Object<'_>,
    names: &[&'static str],
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<T>, ConfigError> {
    let Some(node) = object.take(names) else {
        return Ok(None);
    };
    let number = node.integer(range)?;
    Ok(T::try_from(number).ok())
}

pub(super) fn path(
    object: &mut Object<'_>,
    names: &[&'static str],
) -> Result<Option<PathBuf>, ConfigError> {
    object.take(names).map(|node| path_of(&node)).transpose()
}

/// A path, made absolute: the host may change its folder, and the file be looked at again.
pub(super) fn path_of(node: &Node<'_>) -> Result<PathBuf, ConfigError> {
    // Fails for none only.
    node.parsed(|text| absolute(text).map_err(|_| "a path"))
}

fn choice<T: Copy>(
    object: &mut Object<'_>,
    name: &'static str,
    choices: &[(&str, T)],
) -> Result<Option<T>, ConfigError> {
    object
        .take(&[name])
        .map(|node| node.choice(choices))
        .transpose()
}

/// The addresses to listen on, and the first one that asks for TLS.
fn interfaces<'a>(node: Option<Node<'a>>) -> Result<(Vec<Listen>, Option<Node<'a>>), ConfigError> {
    let Some(node) = node else {
        return Ok((vec![Listen::default()], None));
    };
    let nodes = if node.is_array() {
        node.array()?
    } else {
        vec![node.clone()]
    };
    if nodes.is_empty() {
        return Err(node.error("at least one address"));
    }
    let mut listen = Vec::new();
    let mut secure = None;
    for node in nodes {
        let interface: Listen = node.parsed(str::parse)?;
        if interface.tls && secure.is_none() {
            secure = Some(node);
        }
        listen.push(interface);
    }
    Ok((listen, secure))
}
