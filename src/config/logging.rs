//! The `logging` key.

use std::path::PathBuf;

use super::load::{number, path};
use crate::{
    json::{ConfigError, Node, Object},
    log::{ConsoleSink, FileSink, Level, Pattern, Settings},
};

const DEFAULT_PATH: &str = "/var/log/vscp/vscpl2drv-websocksrv.log";
const DEFAULT_MAX_SIZE: u64 = 5_242_880;
const DEFAULT_MAX_FILES: usize = 7;

/// Reads the `logging` object. `debug` lowers the level of sinks that have none of their own.
pub(super) fn read(
    node: Option<Node<'_>>,
    debug: bool,
    warnings: &mut Vec<String>,
) -> Result<Settings, ConfigError> {
    let default = Settings::default();
    let Some(node) = node else {
        return Ok(Settings {
            console: default.console.map(|console| ConsoleSink {
                level: if debug { Level::Debug } else { console.level },
                ..console
            }),
            ..default
        });
    };
    let mut object = node.object()?;
    let common = level(&mut object, &["log-level"])?;
    let usual = common.unwrap_or(if debug { Level::Debug } else { Level::Info });

    let console_level = level(&mut object, &["console-log-level", "console-level"])?;
    let console_pattern = pattern(&mut object, &["console-pattern"])?;
    let asked = console_level.is_some() || console_pattern.is_some();
    let console = match enabled(&mut object, &["console-enable-log", "console-enable"])? {
        Some(false) => None,
        None if !asked => default.console,
        _ => Some(ConsoleSink {
            level: console_level.unwrap_or(usual),
            pattern: console_pattern.unwrap_or_default(),
        }),
    };

    let file_level = level(&mut object, &["file-log-level"])?;
    let file_pattern = pattern(&mut object, &["file-pattern", "file-log-pattern"])?;
    let file_path = path(&mut object, &["file-path", "file-log-path"])?;
    let max_size = number(
        &mut object,
        &["file-max-size", "file-log-max-size"],
        1..=1 << 40,
    )?;
    let max_files = number(
        &mut object,
        &["file-max-files", "file-log-max-files"],
        0..=200_000,
    )?;
    let wanted = enabled(&mut object, &["file-enable-log", "file-enable"])?;
    let file = wanted.unwrap_or(file_path.is_some()).then(|| FileSink {
        level: file_level.unwrap_or(usual),
        pattern: file_pattern.unwrap_or_default(),
        path: file_path.unwrap_or_else(|| PathBuf::from(DEFAULT_PATH)),
        max_size: max_size.unwrap_or(DEFAULT_MAX_SIZE),
        max_files: max_files.unwrap_or(DEFAULT_MAX_FILES),
    });
    object.finish(warnings);
    Ok(Settings {
        console,
        file,
        ..default
    })
}

fn enabled(object: &mut Object<'_>, names: &[&'static str]) -> Result<Option<bool>, ConfigError> {
    object.take(names).map(|node| node.boolean()).transpose()
}

fn level(object: &mut Object<'_>, names: &[&'static str]) -> Result<Option<Level>, ConfigError> {
    object
        .take(names)
        .map(|node| node.parsed(str::parse))
        .transpose()
}

fn pattern(
    object: &mut Object<'_>,
    names: &[&'static str],
) -> Result<Option<Pattern>, ConfigError> {
    object
        .take(names)
        .map(|node| Ok(Pattern::parse(&node.string()?)))
        .transpose()
}
