//! Where a client connects to and who it is: options, the environment, a file.

use std::{
    env,
    error::Error,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;
use vscpl2drv_websocksrv::{
    auth::{Credentials, Key},
    config::{Finding, Position, nearest},
};

use super::codec::Protocol;
use crate::{message, password};

const DEFAULT_URL: &str = "ws://localhost:8884";

/// The authorities that the system trusts.
const SYSTEM_CA: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The keys of the file.
const KEYS: [&str; 7] = [
    "url",
    "user",
    "password",
    "password-file",
    "key",
    "key-file",
    "ca",
];

/// Those of them whose values nobody else may see.
const SECRETS: [&str; 2] = ["password", "key"];

/// The options of a client.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The server: ws://HOST:PORT or wss://HOST:PORT, with the path of ws1 or ws2 behind it
    /// [default: ws://localhost:8884/ws1]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The user to log in as [default: admin]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    #[command(flatten)]
    password: password::Source,
    /// The file with the key that all clients share [default: the key that everybody knows]
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// A file with certificates in PEM: the server's own, or that of its authority
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A file {"url": .., "user": .., "password": .., "key-file": .., "ca": ..}
    /// [default: ~/.config/vscp/client.json]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The settings that a client needs to log in.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(super) url: String,
    pub(super) is_secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protocol: Protocol,
    pub(super) credentials: Credentials,
    pub(super) key: Key,
    pub(super) ca: PathBuf,
}

/// Where settings come from: the options and the file; the environment is read when needed.
struct Sources<'o> {
    options: &'o Options,
    file: Value,
}

impl Options {
    /// Collects the settings: an option wins over the environment, that over the file.
    pub(crate) fn settings(&self) -> Result<Settings, Box<dyn Error>> {
        let sources = Sources {
            options: self,
            file: self.file()?,
        };
        let url = sources.text(self.url.as_deref(), "url");
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        let user = sources.text(self.user.as_deref(), "user");
        let user = user.unwrap_or_else(|| "admin".to_owned());
        let password = sources.password(&user)?;
        let ca = sources.path(self.ca.as_deref(), "ca");
        let (is_secure, host, port, path) = parse_url(&url)?;
        Ok(Settings {
            protocol: Protocol::of_path(&path),
            url: format!("{}{path}", url_without_path(&url)),
            is_secure,
            host,
            port,
            credentials: Credentials { user, password },
            key: sources.key()?,
            ca: ca.unwrap_or_else(|| SYSTEM_CA.into()),
        })
    }

    /// Reads the file, an empty one if none is named and the usual one is not there.
    fn file(&self) -> Result<Value, Box<dyn Error>> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None => match usual_file().filter(|path| path.exists()) {
                Some(path) => path,
                None => return Ok(Value::Null),
            },
        };
        let failed = |error: &dyn Error| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
        let file: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
        warnings(&path, &file).iter().for_each(message::warning);
        Ok(file)
    }
}

/// Returns what is odd about a file: keys that nobody reads, values that are no strings, secrets that
/// others can read.
fn warnings(path: &Path, file: &Value) -> Vec<Finding> {
    let whole = Position::of_text(path.to_string_lossy());
    let Some(entries) = file.as_object() else {
        return vec![Finding::new(whole, "no effect").expecting("an object {...}")];
    };
    let mut warnings = Vec::new();
    for (key, value) in entries.iter().filter(|(key, _)| !key.starts_with("//")) {
        let position = whole.clone().with_key(key.escape_debug().to_string());
        if !KEYS.contains(&&**key) {
            let near = nearest(key, &KEYS).map(|near| format!("did you mean \"{near}\"?"));
            let warning = Finding::new(position, "unknown key");
            warnings.push(warning.with_hint(near.unwrap_or_default()));
        } else if !value.is_string() {
            warnings.push(Finding::new(position, "no effect").expecting("a string"));
        }
    }
    let has_secret = SECRETS.iter().any(|key| file[*key].is_string());
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if has_secret && mode & 0o077 != 0 {
        let found = format!("others can read the secret in it (mode {:o})", mode & 0o777);
        warnings.push(Finding::new(whole, found).with_hint("chmod 600"));
    }
    warnings
}

impl Sources<'_> {
    /// Returns the option, else the environment variable of `key` (`VSCP_KEY_FILE` for `key-file`),
    /// else the value of `key` in the file. Returns `None` if none of them is set.
    fn text(&self, option: Option<&str>, key: &str) -> Option<String> {
        let variable = format!("VSCP_{}", key.to_uppercase().replace('-', "_"));
        let option = option.map(str::to_owned);
        let in_file = || self.file[key].as_str().map(str::to_owned);
        option.or_else(|| env::var(variable).ok()).or_else(in_file)
    }

    fn path(&self, option: Option<&Path>, key: &str) -> Option<PathBuf> {
        let option = option.map(|path| path.to_string_lossy());
        self.text(option.as_deref(), key).map(PathBuf::from)
    }

    fn password(&self, user: &str) -> Result<String, Box<dyn Error>> {
        let option = &self.options.password;
        if option.password_file.is_some() {
            return password::get(user, option, false);
        }
        if let Some(password) = self.text(None, "password") {
            return Ok(password);
        }
        let password_file = self.path(None, "password-file");
        password::get(user, &password::Source { password_file }, false)
    }

    fn key(&self) -> Result<Key, Box<dyn Error>> {
        let parse = |text: &[u8], name: &str| {
            Key::parse(text).map_err(|error| {
                let found = error.found;
                format!("{name}: found {found} hex digits at its start, expected at least 32")
            })
        };
        if let (None, Some(key)) = (&self.options.key_file, self.text(None, "key")) {
            return Ok(parse(key.as_bytes(), "key")?);
        }
        match self.path(self.options.key_file.as_deref(), "key-file") {
            None => Ok(Key::WELL_KNOWN),
            Some(path) => {
                let name = path.display().to_string();
                let text = fs::read(&path).map_err(|error| format!("{name}: {error}"))?;
                Ok(parse(&text, &name)?)
            }
        }
    }
}

fn usual_file() -> Option<PathBuf> {
    let config = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".config"));
    Some(config.or_else(home)?.join("vscp/client.json"))
}

fn url_without_path(url: &str) -> &str {
    let start = url.find("://").map_or(0, |index| index + 3);
    let length = url[start..].find('/').unwrap_or(url.len() - start);
    &url[..start + length]
}

/// Splits a URL into: with TLS, host, port, path.
fn parse_url(url: &str) -> Result<(bool, String, u16, String), String> {
    let wrong = || format!("found {url:?}, expected ws://HOST:PORT or wss://HOST:PORT");
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let is_secure = match scheme {
        "ws" => false,
        "wss" => true,
        _ => return Err(wrong()),
    };
    let (authority, path) = match rest.find('/') {
        Some(index) => rest.split_at(index),
        None => (rest, ""),
    };
    let default = if is_secure { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| wrong())?),
        _ => (authority, default),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(wrong());
    }
    let path = if matches!(path, "" | "/") {
        "/ws1"
    } else {
        path
    };
    Ok((is_secure, host.to_owned(), port, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_scheme_host_port_and_path() {
        for (url, expected) in [
            ("ws://a:1", (false, "a", 1, "/ws1")),
            ("ws://a", (false, "a", 80, "/ws1")),
            ("wss://[::1]:2/ws2", (true, "::1", 2, "/ws2")),
            ("wss://[::1]/", (true, "::1", 443, "/ws1")),
        ] {
            let (is_secure, host, port, path) = parse_url(url).unwrap();
            assert_eq!((is_secure, &*host, port, &*path), expected);
        }
        for url in ["a:1", "http://a", "ws://", "ws://a:x", "ws://a:65536"] {
            assert!(parse_url(url).is_err(), "{url}");
        }
        assert_eq!(url_without_path("wss://[::1]:2/ws2"), "wss://[::1]:2");
        assert_eq!(url_without_path("ws://a"), "ws://a");
    }
}
