//! `check`: says what a configuration is, or what is wrong with it.

use std::{
    error::Error,
    fmt, fs,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anstyle::AnsiColor;
use serde_json::{Value, json};
use vscpl2drv_websocksrv::{
    auth::{Key, User},
    can::{Bus, InterfaceState, interface_state},
    config::{Config, ConfigError, Finding, Findings, Position},
    http::{Listen, bind},
};

use crate::{message, paths, rights};

/// Checks a configuration and the files that it names
///
/// All that is wrong or odd is shown at once. The exit status is 0 if the driver would open (there
/// may be warnings), 1 if it would not. Nothing is changed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  vscpl2drv-websocksrv check
  vscpl2drv-websocksrv check /etc/vscp/websocksrv.json && systemctl restart vscpd
  vscpl2drv-websocksrv check --json - < websocksrv.json")]
pub(crate) struct Args {
    /// The path of a JSON configuration file, JSON text, an old configuration string, or - for the
    /// standard input
    #[arg(default_value = paths::CONFIG)]
    config: String,
    /// The findings as a JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Asks for the check of a file, for people.
    pub(crate) fn of(config: &str) -> Self {
        Self {
            config: config.to_owned(),
            json: false,
        }
    }
}

/// The error that ends `check`, after the findings were shown.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is not in order: {0}")]
struct Refused(String);

/// The name of what comes from the standard input, in messages.
const STANDARD_INPUT: &str = "standard input";

pub(crate) fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let findings = examine(&args.config)?;
    let mut out = anstream::stdout().lock();
    if args.json {
        writeln!(out, "{:#}", as_value(&findings))?;
    } else {
        findings.warnings.iter().for_each(message::warning);
        findings.errors.iter().for_each(message::problem);
        if let (Some(config), []) = (&findings.config, &*findings.errors) {
            config.notes.iter().for_each(message::note);
            print_summary(config, &mut out)?;
        }
    }
    match findings.errors.len() {
        0 => Ok(()),
        1 => Err(Refused("1 error".to_owned()).into()),
        count => Err(Refused(format!("{count} errors")).into()),
    }
}

/// Finds all that is wrong or odd, also outside of the configuration itself.
fn examine(argument: &str) -> io::Result<Findings> {
    let mut findings = match argument {
        "-" => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes)?;
            Config::check_bytes(STANDARD_INPUT, bytes)
        }
        argument if is_nothing(argument) => Findings {
            config: None,
            errors: vec![ConfigError::new(
                argument,
                "no such file, nor a CAN interface of that name",
                "the path of a JSON file, JSON text, or a configuration string",
            )],
            warnings: Vec::new(),
        },
        argument => Config::check(argument),
    };
    if let Some(config) = &findings.config {
        let warnings = [
            warnings_of_users(config, &findings.errors),
            readable_users(config),
        ];
        findings.warnings.extend(warnings.into_iter().flatten());
        let (taken, impossible) = try_addresses(config, &findings.errors)?;
        findings.warnings.extend(taken);
        findings.errors.extend(impossible);
    }
    Ok(findings)
}

/// Returns the findings as scripts see them.
fn as_value(findings: &Findings) -> Value {
    let warnings = findings.warnings.iter();
    let errors = findings.errors.iter();
    let config = findings.config.as_ref();
    let notes = config.iter().flat_map(|config| &config.notes);
    json!({
        "opens": findings.errors.is_empty(),
        "errors": errors.map(|error| parts(error.finding(), error)).collect::<Vec<_>>(),
        "warnings": warnings.map(|warning| parts(warning, warning)).collect::<Vec<_>>(),
        "notes": notes.map(|note| parts(note, note)).collect::<Vec<_>>(),
    })
}

fn parts(finding: &Finding, message: impl fmt::Display) -> Value {
    let Finding {
        position: Position { file, line, key },
        found,
        expected,
        hint,
    } = finding;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "file": given(file),
        "line": line,
        "key": given(key),
        "found": found,
        "expected": given(expected),
        "hint": given(hint),
        "message": message.to_string(),
    })
}

/// Returns true for an argument that is probably a mistyped file name: the driver would take it for
/// the name of a CAN interface and wait for that to appear, but there is none, and it is not named
/// like one (`can0`).
fn is_nothing(argument: &str) -> bool {
    let argument = argument.trim();
    if argument.is_empty() || argument.starts_with('{') || Path::new(argument).exists() {
        return false;
    }
    // The first entry without a key is the interface (see configuration strings in the manual).
    let mut entries = argument.split(';').map(str::trim);
    let Some(name) = entries.find(|entry| !entry.contains('=')) else {
        return false;
    };
    let is_path_or_empty = name.is_empty() || name.contains('/');
    !is_path_or_empty && !is_called_as_can(name) && interface_state(name) == InterfaceState::Missing
}

/// Returns true for names as `ip link` and slcand give them, like `vcan0`.
fn is_called_as_can(name: &str) -> bool {
    let kinds = ["can", "vcan", "vxcan", "slcan"];
    let mut numbers = kinds.iter().filter_map(|kind| name.strip_prefix(kind));
    numbers.any(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns what is odd about the users, at their file or their key.
fn warnings_of_users(config: &Config, errors: &[ConfigError]) -> Vec<Finding> {
    let position = match &config.users_file {
        Some(file) => Position::of_text(file.path()),
        None => Position::of_text(&*config.name).with_key("users"),
    };
    let is_about_users = |error: &ConfigError| {
        let Position { file, key, .. } = &error.finding().position;
        *file == position.file && (config.users_file.is_some() || key.starts_with("users"))
            || key == "path-users"
    };
    // If they could not be read, it is not known that there are none.
    if config.users.is_empty() && errors.iter().any(is_about_users) {
        return Vec::new();
    }
    let texts = config.users.warnings();
    let findings = texts
        .iter()
        .map(|text| Finding::new(position.clone(), text));
    findings.collect()
}

/// Returns a warning if everybody can read the stored passwords.
fn readable_users(config: &Config) -> Vec<Finding> {
    let path = config.users_file.as_ref().map(|file| file.path());
    let is_readable = |path: &&str| {
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
    };
    let found = "everybody can read this users file with its stored passwords";
    let warn = |path| Finding::new(Position::of_text(path), found).with_hint("chmod o-r");
    path.filter(is_readable).map(warn).into_iter().collect()
}

/// Tries each address. Returns warnings of those that something has now, perhaps a driver that runs
/// already, and errors for those that the machine does not have or that are forbidden.
fn try_addresses(
    config: &Config,
    errors: &[ConfigError],
) -> io::Result<(Vec<Finding>, Vec<ConfigError>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let is_wrong = errors
        .iter()
        .any(|error| error.finding().position.key.starts_with("interface"));
    let mut bound = Vec::new();
    let (mut taken, mut impossible) = (Vec::new(), Vec::new());
    for (listen, position) in config.listen.iter().zip(&config.listen_positions) {
        if is_wrong && position.line.is_none() {
            // It is a default in place of what is written.
            continue;
        }
        // Without TLS, whose files may be missing.
        let plain = Listen {
            tls: false,
            ..listen.clone()
        };
        let found = |text: &str| text.replacen(&plain.to_string(), &listen.to_string(), 1);
        match runtime.block_on(bind::bind(std::slice::from_ref(&plain), None)) {
            Ok(mut sockets) => {
                let missing = sockets.missing.pop();
                // So that the same port a second time is taken.
                bound.push(sockets);
                impossible.extend(missing.map(|missing| {
                    position
                        .error(found(&missing.to_string()), "an address of this machine")
                        .with_hint("the driver would wait for it")
                }));
            }
            Err(error) if error.is_taken => taken.push(
                Finding::new(position.clone(), found(&error.found))
                    .expecting(error.expected)
                    .with_hint("does the driver, or something else, run already?"),
            ),
            Err(error) => impossible.push(position.error(found(&error.found), error.expected)),
        }
    }
    Ok((taken, impossible))
}

fn print_summary(config: &Config, out: &mut impl Write) -> io::Result<()> {
    let green = AnsiColor::Green.on_default().bold();
    writeln!(out, "{green}OK{green:#} {}", config.name)?;
    for listen in &config.listen {
        writeln!(out, "  listens on  {listen}")?;
    }
    for (name, path) in [
        ("ws1", &config.http.urls.ws1),
        ("ws2", &config.http.urls.ws2),
        ("REST", &config.http.urls.rest),
        ("metrics", &config.http.urls.metrics),
        ("health", &config.http.urls.health),
    ] {
        let path = path.as_deref().unwrap_or("off");
        writeln!(out, "  {name:10}  {path}")?;
    }
    writeln!(out, "  {:10}  {}", "files", config.http.files)?;
    for bus in &config.buses {
        let Bus { interface, .. } = bus;
        let state = state_of(interface);
        writeln!(out, "  {:10}  {interface}: {state}", "CAN bus")?;
    }
    let key = match config.key == Key::WELL_KNOWN {
        true => "the one that everybody knows",
        false => "from the key file",
    };
    writeln!(out, "  {:10}  {key}", "login key")?;
    for user in config.users.iter() {
        let User { name, remotes, .. } = &**user;
        writeln!(
            out,
            "  {:10}  {name}: {}; from {remotes}",
            "user",
            rights::in_words(user)
        )?;
    }
    Ok(())
}

/// How a CAN interface is now. It may come and go while the driver runs.
fn state_of(interface: &str) -> &'static str {
    match interface_state(interface) {
        InterfaceState::Missing => "there is no such interface now",
        InterfaceState::NotCan => "this is no CAN interface",
        InterfaceState::Down => "it is down (ip link set it up)",
        InterfaceState::NoCarrier => "it is up but bus-off, or not connected",
        InterfaceState::Up => "it is up",
    }
}
