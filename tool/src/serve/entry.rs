//! The drivers of a host: entries of vscpd.json, of a file of its own, or of the command line.

use std::path::PathBuf;

use serde_json::json;
use vscpl2drv_websocksrv::{
    event::{Guid, Layout},
    located_json::{ConfigError, Finding, Node, Object, Source, Warnings},
};

use super::{
    Args,
    settings::{self, Mqtt},
};

/// A driver and its broker.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its name, for messages and topics.
    pub(super) name: String,
    /// Its library, `None` for that of this project.
    pub(super) library: Option<PathBuf>,
    /// The text that it is opened with.
    pub(super) config: String,
    /// Its GUID, `None` if it is to choose one itself.
    pub(super) guid: Option<Guid>,
    /// How events are laid out at its C interface, `None` to find it out.
    pub(super) layout: Option<Layout>,
    /// The GUID of the host.
    pub(super) host_guid: Guid,
    /// Its broker.
    pub(super) mqtt: Mqtt,
}

/// The keys of an entry. The daemon has more, which concern its own work.
const KEYS: &[&str] = &[
    "enable",
    "name",
    "path-driver",
    "path-config",
    "config",
    "parameter",
    "guid",
    "mqtt",
    "event-layout",
];

const LAYOUTS: [(&str, Option<Layout>); 3] = [
    ("auto", None),
    ("classic", Some(Layout::Classic)),
    ("unix-ns", Some(Layout::UnixNs)),
];

/// The names of the path of a driver's configuration.
const PATH_CONFIG: &[&str] = &["path-config", "config", "parameter"];

/// The name of a driver that has none.
const NAME: &str = "websocksrv";

/// The place of the entries, as the command line names it.
enum Place {
    /// A text that has one entry, or a list of them.
    Entries(Source),
    /// The configuration of the driver of this project; the rest is said by flags.
    Driver(String),
}

/// Reads all entries. Returns them with the warnings.
pub(super) fn read(args: &Args) -> Result<(Vec<Entry>, Vec<Finding>), ConfigError> {
    let mut warnings = Warnings::default();
    let mut entries = Vec::new();
    if let Some(path) = &args.vscpd {
        let source = Source::read(&path.to_string_lossy())?;
        let found = from_vscpd(&source, &args.driver_name, &mut warnings)?;
        entries.extend(found);
    }
    if let Some(config) = &args.config {
        match place(config, args.mqtt.is_some())? {
            Place::Entries(source) => {
                refuse_flags(args)?;
                entries.extend(of_file(&source, &mut warnings)?);
            }
            Place::Driver(config) => entries.push(of_flags(args, config, &mut warnings)?),
        }
    } else if args.vscpd.is_some() || !args.driver.is_empty() {
        refuse_flags(args)?;
    }
    for text in &args.driver {
        let source = source_of(text)?;
        entries.extend(of_file(&source, &mut warnings)?);
    }
    if entries.is_empty() {
        let expected = "a driver: CONFIG, --vscpd FILE or --driver ENTRY";
        return Err(ConfigError::new("command line", "no driver", expected));
    }
    if let Some(library) = &args.library {
        for entry in &mut entries {
            entry.library.get_or_insert_with(|| library.clone());
        }
    }
    if let Some(guid) = args.guid {
        for entry in &mut entries {
            entry.guid.get_or_insert(guid);
        }
    }
    let names = || entries.iter().map(|entry| &entry.name);
    if let Some(twice) = names()
        .enumerate()
        .find(|(index, name)| names().take(*index).any(|other| other == *name))
    {
        let found = format_args!("two drivers with the name {:?}", twice.1);
        return Err(ConfigError::new("command line", found, "a name for each"));
    }
    Ok((entries, warnings.list()))
}

/// Reads JSON text, or the file that is named.
fn source_of(text: &str) -> Result<Source, ConfigError> {
    match text.trim_start().starts_with('{') {
        true => Ok(Source::new("inline entry", text)),
        false => Source::read(text),
    }
}

/// Finds out what CONFIG is: an object with `mqtt`, `drivers` or `path-driver` is an entry, or has
/// some, everything else is for the driver. Without a broker in the flags it must be readable;
/// with one it may be whatever the driver understands.
fn place(config: &str, has_broker: bool) -> Result<Place, ConfigError> {
    let source = source_of(config).and_then(|source| {
        let is_entry = is_entry(&source)?;
        Ok((source, is_entry))
    });
    match source {
        Ok((source, true)) => Ok(Place::Entries(source)),
        Ok((_, false)) => Ok(Place::Driver(config.to_owned())),
        Err(_) if has_broker => Ok(Place::Driver(config.to_owned())),
        Err(error) => Err(error),
    }
}

fn is_entry(source: &Source) -> Result<bool, ConfigError> {
    let object = source.root()?.object()?;
    let mut keys = ["mqtt", "drivers", "path-driver"].iter();
    Ok(keys.any(|key| object.get(&[key]).is_some()))
}

/// Refuses flags that would have no effect, because entries say what they are about.
fn refuse_flags(args: &Args) -> Result<(), ConfigError> {
    let is_not = |value: &str, default| !value.eq_ignore_ascii_case(default);
    let flags = [
        ("--mqtt", args.mqtt.is_some()),
        ("--publish", !args.publish.is_empty()),
        ("--subscribe", !args.subscribe.is_empty()),
        // Those with a default cannot be told from it.
        ("--format", is_not(&args.format, "json")),
        ("--dialect", is_not(&args.dialect, "legacy")),
        ("--qos", args.qos != 0),
        ("--password-file", args.password_file.is_some()),
        ("--ca-file", args.ca_file.is_some()),
        ("--client-id", args.client_id.is_some()),
    ];
    let given = flags.iter().filter(|(_, is_given)| *is_given);
    let given: Vec<_> = given.map(|(flag, _)| *flag).collect();
    match &*given {
        [] => Ok(()),
        given => Err(ConfigError::new(
            "command line",
            format_args!(
                "{} beside an entry with a broker of its own",
                given.join(", ")
            ),
            "one of both: the object mqtt of the entry has keys for all of this",
        )),
    }
}

/// Reads the entries of a file: one, or those of its list `drivers`.
fn of_file(source: &Source, warnings: &mut Warnings) -> Result<Vec<Entry>, ConfigError> {
    let root = source.root()?;
    let mut object = root.object()?;
    let host_guid = guid(&mut object, "host-guid")?.unwrap_or_default();
    match object.take(&["drivers"]) {
        None => Ok(vec![entry(&root, host_guid, Broker::Named, warnings)?]),
        Some(node) if node.is_object() => from_vscpd(source, &[], warnings),
        Some(node) => {
            object.warn_of_unknown_keys(&["drivers", "host-guid"], warnings);
            let entries = enabled(node.array()?, warnings)?;
            let entries = entries.iter();
            entries
                .map(|node| entry(node, host_guid, Broker::Named, warnings))
                .collect()
        }
    }
}

/// Reads entries of a vscpd.json: those of these names, or all that are enabled.
fn from_vscpd(
    source: &Source,
    names: &[String],
    warnings: &mut Warnings,
) -> Result<Vec<Entry>, ConfigError> {
    let root = source.root()?;
    let mut object = root.object()?;
    let host_guid = guid(&mut object, "guid")?.unwrap_or_default();
    let drivers = object.take(&["drivers"]);
    let list = match &drivers {
        Some(drivers) => drivers.object()?.take(&["level2"]),
        None => None,
    };
    let Some(list) = list else {
        let expected = "drivers.level2, a list of drivers";
        return Err(root.error_found("no level II drivers", expected));
    };
    let nodes = list.array()?;
    if names.is_empty() {
        let nodes = enabled(nodes, warnings)?;
        return nodes
            .iter()
            .map(|node| entry(node, host_guid, Broker::NamedOrLocal, warnings))
            .collect();
    }
    let mut found = Vec::new();
    for name in names {
        let mut known = Vec::new();
        let mut wanted = None;
        for node in &nodes {
            let is_named = name_of(&mut node.object()?)?;
            if is_named == *name {
                wanted = Some(node);
            }
            known.push(format!("{is_named:?}"));
        }
        let Some(node) = wanted else {
            let expected = match &*known {
                [] => "drivers in it".to_owned(),
                known => known.join(" or "),
            };
            return Err(list.error_found(format_args!("no driver {name:?}"), expected));
        };
        found.push(entry(node, host_guid, Broker::NamedOrLocal, warnings)?);
    }
    Ok(found)
}

/// Returns the entries without those that are switched off.
fn enabled<'a>(
    nodes: Vec<Node<'a>>,
    warnings: &mut Warnings,
) -> Result<Vec<Node<'a>>, ConfigError> {
    let mut enabled = Vec::new();
    for node in nodes {
        let is_enabled = match node.object()?.take(&["enable"]) {
            Some(node) => node.boolean(warnings)?,
            None => true,
        };
        if is_enabled {
            enabled.push(node);
        }
    }
    Ok(enabled)
}

/// Tells if an entry must name its broker.
#[derive(Clone, Copy)]
enum Broker {
    Named,
    /// As the daemon has it: without `mqtt` it is that of this machine, and nothing goes there.
    NamedOrLocal,
}

/// The `mqtt` of an entry of a vscpd.json that has none.
const LOCAL_BROKER: &str = r#"{"host": "localhost", "port": 1883, "status-topic": ""}"#;

/// Reads an entry.
fn entry(
    node: &Node<'_>,
    host_guid: Guid,
    broker: Broker,
    warnings: &mut Warnings,
) -> Result<Entry, ConfigError> {
    let mut object = node.object()?;
    object.warn_of_unknown_keys(&[KEYS, &["host-guid"]].concat(), warnings);
    let path = |node: Option<Node<'_>>| node.map(|node| node.string()).transpose();
    let config = object.take(PATH_CONFIG);
    let config = match config {
        // The configuration itself may stand in place of its path.
        Some(node) if node.is_object() => node.text().to_owned(),
        node => path(node)?.unwrap_or_default(),
    };
    let library = object.take(&["path-driver"]);
    let library = library.filter(|node| !node.is_blank());
    let guid = guid(&mut object, "guid")?;
    let mqtt = match (object.take(&["mqtt"]), broker) {
        (Some(mqtt), _) => settings::read(&mqtt, warnings)?,
        (None, Broker::NamedOrLocal) => {
            let found = "no \"mqtt\": it is connected to localhost:1883, publishes nothing and \
                         subscribes to nothing";
            warnings.at(node, found);
            settings::read(&Source::new("default", LOCAL_BROKER).root()?, warnings)?
        }
        (None, Broker::Named) => {
            return Err(node.error_found("no \"mqtt\"", "the object mqtt, with the broker"));
        }
    };
    Ok(Entry {
        name: name_of(&mut object)?,
        library: path(library)?.map(PathBuf::from),
        config,
        guid,
        layout: match object.take(&["event-layout"]) {
            Some(node) => node.choice(&LAYOUTS)?,
            None => None,
        },
        host_guid,
        mqtt,
    })
}

fn name_of(object: &mut Object<'_>) -> Result<String, ConfigError> {
    let name = object.take(&["name"]).filter(|node| !node.is_blank());
    Ok(match name {
        Some(node) => node.string()?.trim().to_owned(),
        None => NAME.to_owned(),
    })
}

/// Reads a GUID. Returns `None` if the key is missing or blank, or the GUID is all zeros.
fn guid(object: &mut Object<'_>, key: &str) -> Result<Option<Guid>, ConfigError> {
    let Some(node) = object.take(&[key]).filter(|node| !node.is_blank()) else {
        return Ok(None);
    };
    let guid: Guid = node.parsed(str::parse)?;
    Ok(Some(guid).filter(|guid| !guid.is_zero()))
}

/// Makes the entry that the flags describe.
fn of_flags(args: &Args, config: String, warnings: &mut Warnings) -> Result<Entry, ConfigError> {
    let Some(broker) = &args.mqtt else {
        return Err(ConfigError::new(
            config,
            "no object mqtt, and no --mqtt URL",
            "a broker: --mqtt mqtt://localhost",
        ));
    };
    let publish = args.publish.iter();
    let publish: Vec<_> = publish.map(|topic| json!({"topic": topic})).collect();
    let subscribe = args.subscribe.iter();
    let subscribe: Vec<_> = subscribe.map(|topic| json!({"topic": topic})).collect();
    let mut mqtt = json!({
        "host": broker,
        "publish-format": args.format.to_ascii_lowercase(),
        "dialect": args.dialect.to_ascii_lowercase(),
        "qos": args.qos,
        "publish": publish,
        "subscribe": subscribe,
    });
    if let Some(path) = &args.password_file {
        mqtt["password-file"] = json!(path);
    }
    if let Some(path) = &args.ca_file {
        mqtt["tls"] = json!({"cafile": path});
    }
    if let Some(id) = &args.client_id {
        mqtt["clientid"] = json!(id);
    }
    let source = Source::new("command line", mqtt.to_string());
    Ok(Entry {
        name: NAME.to_owned(),
        library: None,
        config,
        guid: None,
        layout: None,
        host_guid: Guid::ZERO,
        mqtt: settings::read(&source.root()?, warnings)?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn read_args(args: &[&str]) -> Result<Vec<Entry>, String> {
        let cli = Cli::try_parse_from([&["serve"], args].concat()).unwrap();
        read(&cli.args)
            .map(|(entries, _)| entries)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn entries_come_from_files_lists_and_flags() {
        let one = r#"{"name": "a", "path-config": {"x": 1}, "guid": "-:1", "mqtt": {"host": "b"}}"#;
        let list = format!(
            r#"{{"host-guid": "-:2", "drivers": [{one}, {{"enable": false}},
                {{"name": "c", "path-driver": "/d.so", "event-layout": "unix-ns", "mqtt": {{}}}}]}}"#
        );
        let entries = read_args(&[&list, "--driver", &one.replace("\"a\"", "\"e\"")]).unwrap();
        let names: Vec<_> = entries.iter().map(|entry| &*entry.name).collect();
        assert_eq!(names, ["a", "c", "e"]);
        assert_eq!(entries[0].config, r#"{"x": 1}"#);
        assert_eq!(entries[0].guid.map(|guid| guid.0[15]), Some(1));
        assert_eq!(entries[0].host_guid.0[15], 2);
        assert_eq!(entries[1].library.as_deref(), Some(Path::new("/d.so")));
        assert_eq!(entries[1].layout, Some(Layout::UnixNs));

        let flags = [
            "{}",
            "--mqtt",
            "mqtts://u:p@b",
            "--publish",
            "t",
            "--subscribe",
            "s/#",
            "--format",
            "xml",
            "--dialect",
            "ns",
            "--qos",
            "1",
            "--guid",
            "-:3",
        ];
        let [entry] = &read_args(&flags).unwrap()[..] else {
            panic!()
        };
        assert_eq!(entry.mqtt.address.to_string(), "mqtts://b:8883");
        assert_eq!((&*entry.mqtt.user, &*entry.mqtt.password.0), ("u", "p"));
        assert_eq!(entry.mqtt.publications[0].qos, 1);
        assert_eq!(entry.mqtt.subscriptions[0].qos, 1);
        assert_eq!(entry.guid.map(|guid| guid.0[15]), Some(3));
    }

    #[test]
    fn what_is_missing_or_twice_is_said() {
        let mqtt = r#"{"mqtt": {}}"#;
        for (args, expected) in [
            (&[][..], "command line: found no driver"),
            (&["{}"], "{}: found no object mqtt, and no --mqtt URL"),
            (
                &[mqtt, "--mqtt", "b"],
                "command line: found --mqtt beside an entry",
            ),
            (
                &[
                    mqtt,
                    "--mqtt",
                    "b",
                    "--publish",
                    "t",
                    "--qos",
                    "1",
                    "--format",
                    "xml",
                    "--dialect",
                    "ns",
                    "--client-id",
                    "x",
                ],
                "command line: found --mqtt, --publish, --format, --dialect, --qos, --client-id \
                 beside an entry",
            ),
            (
                &["--driver", mqtt, "--qos", "2"],
                "command line: found --qos beside an entry",
            ),
            (
                &["--vscpd", "/no/such", "--driver", mqtt, "--mqtt", "b"],
                "/no/such: found No such file",
            ),
            (&["/no/host.json"], "/no/host.json: found No such file"),
            (&["/"], "/: found Is a directory"),
            (
                &[mqtt, "--driver", mqtt],
                "command line: found two drivers with the name",
            ),
            (
                &[r#"{"drivers": [{"name": "a"}]}"#],
                "inline entry:1: drivers[0]: found no \"mqtt\"",
            ),
            (&["--driver", "/no/such"], "/no/such: found No such file"),
            (
                &[r#"{"drivers": {}}"#],
                "inline entry:1: found no level II drivers",
            ),
        ] {
            let error = read_args(args).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn flags_beside_a_vscpd_json_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vscpd.json");
        let drivers = r#"{"drivers": {"level2": [{"name": "a"}]}}"#;
        std::fs::write(&path, drivers).unwrap();
        let args = ["--vscpd", path.to_str().unwrap(), "--mqtt", "b"];
        let error = read_args(&args).unwrap_err();
        assert!(error.starts_with("command line: found --mqtt"), "{error}");
    }

    #[test]
    fn an_entry_of_a_vscpd_json_without_mqtt_publishes_and_subscribes_to_nothing() {
        let entries = read_args(&[r#"{"drivers": {"level2": [{"name": "a"}]}}"#]).unwrap();
        let mqtt = &entries[0].mqtt;
        assert_eq!(mqtt.address.to_string(), "mqtt://localhost:1883");
        assert!(mqtt.publications.is_empty() && mqtt.subscriptions.is_empty());
        assert!(mqtt.status_topic.is_none() && mqtt.will.is_none());
    }

    #[test]
    fn beside_a_broker_any_file_may_be_the_configuration_of_the_driver() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.xml");
        std::fs::write(&path, "<config/>").unwrap();
        let path = path.to_str().unwrap();
        let entries = read_args(&[path, "--library", "/x.so", "--mqtt", "b"]).unwrap();
        assert_eq!(entries[0].config, path);
        let error = read_args(&[path]).unwrap_err();
        assert!(error.starts_with(path), "{error}");
    }
}
