//! The key `logging`.

use super::{
    keys::{self, logging as rows},
    section::Section,
};
use crate::{
    located_json::{ConfigError, Node, Warnings},
    log::{ConsoleSink, FileSink, Level, Settings},
};

/// Reads where log lines go. `debug` lowers the level of sinks that have none of their own.
pub(super) fn of_configuration(
    section: &mut Section<'_, '_>,
    debug: bool,
) -> Result<Settings, ConfigError> {
    let node = section.node(&keys::LOGGING)?;
    read(node.as_ref(), debug, section.warnings())
}

fn read(
    node: Option<&Node<'_>>,
    debug: bool,
    warnings: &mut Warnings,
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
    let mut section = Section::open(node, &rows::TABLE, warnings)?;
    let levels = Levels {
        common: section.take(&rows::LOG_LEVEL)?,
        debug,
    };
    Ok(Settings {
        console: console(&mut section, levels, default.console)?,
        file: file(&mut section, levels)?,
        ..default
    })
}

/// The sources of a sink's level, if it has none of its own.
#[derive(Clone, Copy)]
struct Levels {
    common: Option<Level>,
    debug: bool,
}

impl Levels {
    fn level(self) -> Level {
        self.common.unwrap_or(match self.debug {
            true => Level::Debug,
            false => Level::Info,
        })
    }
}

/// Reads the sink to the standard error; it is `default` if the key does not mention it.
fn console(
    section: &mut Section<'_, '_>,
    levels: Levels,
    default: Option<ConsoleSink>,
) -> Result<Option<ConsoleSink>, ConfigError> {
    let is_enabled = section.take(&rows::CONSOLE_ENABLE)?;
    let level = section.take(&rows::CONSOLE_LOG_LEVEL)?;
    let pattern = section.take(&rows::CONSOLE_PATTERN)?;
    let journal = section.take(&rows::CONSOLE_JOURNAL)?;
    let is_mentioned = level.is_some() || pattern.is_some() || levels.common.is_some();
    Ok(match is_enabled {
        Some(false) => None,
        None if !is_mentioned => default.map(|console| ConsoleSink { journal, ..console }),
        _ => Some(ConsoleSink {
            level: level.unwrap_or(levels.level()),
            pattern: pattern.unwrap_or_default(),
            journal,
        }),
    })
}

/// Reads the sink to a file, `None` if there is none.
fn file(section: &mut Section<'_, '_>, levels: Levels) -> Result<Option<FileSink>, ConfigError> {
    let is_enabled = section.take(&rows::FILE_ENABLE)?;
    let path = section.node(&rows::FILE_PATH)?;
    let level = section.take(&rows::FILE_LOG_LEVEL)?;
    let pattern = section.take(&rows::FILE_PATTERN)?;
    let file = FileSink {
        level: level.unwrap_or(levels.level()),
        pattern: pattern.unwrap_or_default(),
        path: rows::FILE_PATH.read(path.as_ref(), section.warnings())?,
        max_size: section.take(&rows::FILE_MAX_SIZE)?,
        max_files: section.take(&rows::FILE_MAX_FILES)?,
    };
    Ok(is_enabled.unwrap_or(path.is_some()).then_some(file))
}
