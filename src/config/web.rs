//! The keys of static files, REST and metrics.

use std::path::PathBuf;

use super::{
    Urls,
    load::{flag, path, strings, url, url_path},
};
use crate::{
    http::rest::FIXED_PATH,
    json::{ConfigError, Object},
};

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

/// A warning for each key whose path another one has, which is asked first.
pub(super) fn same_paths(urls: &Urls, web: &Web) -> Vec<String> {
    let rest = web.rest.as_deref();
    let fixed = rest.filter(|path| *path != FIXED_PATH);
    let paths = [
        ("url-ws1", urls.ws1.as_deref()),
        ("url-ws2", urls.ws2.as_deref()),
        ("url-rest", rest),
        ("REST", fixed.map(|_| FIXED_PATH)),
        ("metrics", web.metrics.as_deref()),
    ];
    let mut warnings = Vec::new();
    for (index, (name, path)) in paths.iter().enumerate() {
        let Some(path) = path else { continue };
        let first = paths[..index]
            .iter()
            .find(|(_, other)| *other == Some(*path));
        if let Some((first, _)) = first {
            warnings.push(format!(
                "{first} and {name} have the same path, {path}: {first} has it"
            ));
        }
    }
    warnings
}
