//! From JSON to a [`Config`].

use std::path::{PathBuf, absolute};

use super::{
    Config, Findings,
    addresses::{self, Addresses},
    can, dialect, filter, history, key, keys, limits, logging,
    remote::{self, Variables},
    section::Section,
    string, tls, users, web,
};
use crate::{
    auth::Key,
    event::Filter,
    located_json::{ConfigError, Finding, Node, Source, Warnings},
    log,
};

impl Config {
    /// Reads what the host names: the path of a JSON file, the JSON text itself (its first
    /// character that is not blank is `{`), or an old configuration string.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line and key. Files that the configuration names
    /// (key, users, certificates) are read as well, and remote variables are asked for.
    pub fn load(argument: &str) -> Result<Self, ConfigError> {
        let findings = Self::check(argument);
        match findings.errors.into_iter().next() {
            Some(error) => Err(error),
            None => findings
                .config
                .ok_or_else(|| ConfigError::new("configuration", "no object", "a configuration")),
        }
    }

    /// Reads a configuration as [`load`](Self::load) does, but does not stop at the first error:
    /// returns all errors and warnings.
    pub fn check(argument: &str) -> Findings {
        let mut warnings = Warnings::default();
        let config = open(argument).and_then(|(source, file)| {
            let config = read(&source, &mut warnings)?;
            Ok(Self { file, ..config })
        });
        findings(config, warnings)
    }

    /// Reads the bytes of a file that messages call `name` as [`check`](Self::check) does.
    pub fn check_bytes(name: &str, bytes: Vec<u8>) -> Findings {
        let mut warnings = Warnings::default();
        let source = Source::from_bytes(name, bytes);
        let config = source.and_then(|source| read(&source, &mut warnings));
        findings(config, warnings)
    }

    /// Reads only the log settings, so that errors in the rest can be logged. Returns `None` if
    /// that cannot be told.
    pub fn logging(argument: &str) -> Option<log::Settings> {
        let (source, _) = open(argument).ok()?;
        let mut warnings = Warnings::default();
        let root = source.root().ok()?;
        let mut section = Section::open(&root, &keys::TABLE, &mut warnings).ok()?;
        let debug = section.take(&keys::DEBUG).unwrap_or_default();
        let known = section.warnings().errors().len();
        let logging = logging::of_configuration(&mut section, debug).ok()?;
        warnings.unless_errors(known, logging).ok()
    }
}

fn findings(config: Result<Config, ConfigError>, mut warnings: Warnings) -> Findings {
    let config = config.map_err(|error| warnings.record(error)).ok();
    Findings {
        config,
        errors: warnings.errors().to_vec(),
        warnings: warnings.list(),
    }
}

/// Reads only which users file a configuration names. Returns `None` if it names none.
///
/// # Errors
/// The configuration cannot be read, or the name is no path.
pub fn users_path(argument: &str) -> Result<Option<PathBuf>, ConfigError> {
    let (source, _) = open(argument)?;
    let mut warnings = Warnings::default();
    let root = source.root()?;
    let path = Section::open(&root, &keys::TABLE, &mut warnings)?.take(&keys::PATH_USERS)?;
    warnings.unless_errors(0, path)
}

/// Opens what the host names, and returns the file that it is in.
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

fn read(source: &Source, warnings: &mut Warnings) -> Result<Config, ConfigError> {
    let root = source.root()?;
    let mut section = Section::open(&root, &keys::TABLE, warnings)?;
    let variables = section.part(Variables::default(), remote::variables);
    overlay(&mut section, &variables)?;
    let config = read_keys(&root, &mut section, &variables)?;
    Ok(Config {
        name: source.name().to_owned(),
        json: serde_json::from_str(source.text()).unwrap_or_default(),
        warnings: warnings.list(),
        ..config
    })
}

fn read_keys(
    root: &Node<'_>,
    section: &mut Section<'_, '_>,
    variables: &Variables,
) -> Result<Config, ConfigError> {
    let debug = section.take(&keys::DEBUG)?;
    let addresses = section.part(Addresses::of_default(root.source_name()), |section| {
        addresses::read(root.source_name(), section)
    });
    let are_local = addresses.are_local();
    let ws = limits::websocket(section)?;
    let (users, users_file) = section.part(Default::default(), users::of_configuration);
    Ok(Config {
        name: String::new(),
        file: None,
        json: serde_json::Value::Null,
        write: section.take(&keys::WRITE)?,
        debug,
        logging: section.part(log::Settings::default(), |section| {
            logging::of_configuration(section, debug)
        }),
        http: web::read(section, &addresses, debug, &ws)?,
        tls: section.part(None, |section| tls::read(section, &addresses)),
        listen: addresses.listen,
        listen_positions: addresses.positions,
        buses: section.part(Vec::new(), |section| can::read(section, variables)),
        key: section.part(Key::WELL_KNOWN, |section| {
            key::read(root, are_local, section)
        }),
        users,
        users_file,
        rx_filter: section.part(Filter::default(), rx_filter),
        clients: limits::clients(section)?,
        ws,
        dialect: dialect::read(section)?,
        history: section.part(None, history::read),
        names: section.take(&keys::NAMES)?,
        auth_concurrency: section.take(&keys::MAX_AUTH_CONCURRENCY)?,
        backlog: limits::backlog(section)?,
        host_queue: section.take(&keys::MAX_IN_QUEUE)?,
        guid: section.take(&keys::GUID)?,
        layout: section.take(&keys::EVENT_LAYOUT)?,
        host_max_data: section.take(&keys::HOST_MAX_DATA)?,
        echo_filter: section.take(&keys::ECHO_FILTER)?,
        threads: section.take(&keys::THREADS)?,
        notes: notes(section)?,
        warnings: Vec::new(),
    })
}

/// Adds the keys of the configuration that the server of `remote-variables` holds in a variable.
/// They override the keys of the local configuration.
fn overlay<'s>(section: &mut Section<'s, '_>, variables: &'s Variables) -> Result<(), ConfigError> {
    let Some(source) = &variables.config else {
        return Ok(());
    };
    section.overlay(&source.root()?, &keys::TABLE)?;
    // A key `remote-variables` from the server comes too late: the server has been asked already.
    if let Some(node) = section.node(&keys::REMOTE_VARIABLES)? {
        section.warnings().at(&node, "without effect");
    }
    Ok(())
}

fn rx_filter(section: &mut Section<'_, '_>) -> Result<Filter, ConfigError> {
    let node = section.node(&keys::RX_FILTER)?;
    let (filter, _) = filter::read(node.as_ref(), None, section.warnings())?;
    Ok(filter)
}

/// Lists the keys that are known but without effect.
fn notes(section: &mut Section<'_, '_>) -> Result<Vec<Finding>, ConfigError> {
    let mut notes = Vec::new();
    for row in keys::WITHOUT_EFFECT {
        if let Some(node) = section.node(row)? {
            notes.push(Finding::new(node.position(), "known, without effect"));
        }
    }
    Ok(notes)
}
