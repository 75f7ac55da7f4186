//! The keys of static files, REST and metrics.

use std::path::PathBuf;

use super::load::{flag, path, strings, url, url_path};
use crate::json::{ConfigError, Object};

/// What is served besides websockets.
#[derive(Clone, Debug)]
pub struct Web {
    /// Folder of static files, `None` where none are served.
    pub root: Option<PathBuf>,
    /// Path of REST, `None` where it is switched off.
    pub rest: Option<String>,
    /// Origins whose pages may use REST.
    pub cors_origins: Vec<String>,
    /// Whether REST answers as JSONP.
    pub jsonp: bool,
    /// Path of the metrics page, `None` where there is none.
    pub metrics: Option<String>,
}

pub(super) fn read(
    object: &mut Object<'_>,
    warnings: &mut Vec<String>,
) -> Result<Web, ConfigError> {
    let serve_files = flag(object, "enable-static", true)?;
    let root = path(object, &["web-root"])?;
    match &root {
        None if serve_files => warnings.push("no web-root: no static files are served".into()),
        Some(root) if serve_files && !root.is_dir() => warnings.push(format!(
            "web-root: {} is no folder, no static files are served until it is one",
            root.display()
        )),
        _ => {}
    }
    Ok(Web {
        root: root.filter(|_| serve_files),
        rest: url(object, "enable-rest", "url-rest", "/rest")?,
        cors_origins: object
            .take(&["cors-origins"])
            .map_or(Ok(Vec::new()), |node| strings(&node))?,
        jsonp: flag(object, "enable-jsonp", true)?,
        metrics: object
            .take(&["metrics"])
            .map(|node| node.parsed(url_path))
            .transpose()?,
    })
}
