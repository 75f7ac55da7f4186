//! The settings of the HTTP server.

use super::{
    addresses::Addresses,
    keys::{self, Flag, Row, Text},
    section::Section,
};
use crate::{
    http::{HostNames, PanelLogin, Settings, StaticFiles, Urls, rest::FIXED_PATH},
    located_json::{ConfigError, Finding, Position, Warnings},
    monitoring, ws,
};

/// Reads what is served. With `explain_logins` REST says why a login failed. The size of a message
/// and the number of failed logins in `limits`, those of websockets, hold for requests, too.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    addresses: &Addresses<'_>,
    explain_logins: bool,
    limits: &ws::Limits,
) -> Result<Settings, ConfigError> {
    let positions = [
        section.position(&keys::URL_WS1),
        section.position(&keys::URL_WS2),
        section.position(&keys::URL_REST),
        section.position(&keys::URL_REST),
        section.position(&keys::METRICS),
        section.position(&keys::URL_HEALTH),
    ];
    let urls = Urls {
        ws1: url(section, &keys::ENABLE_WS1, &keys::URL_WS1)?,
        ws2: url(section, &keys::ENABLE_WS2, &keys::URL_WS2)?,
        rest: url(section, &keys::ENABLE_REST, &keys::URL_REST)?,
        metrics: section.take(&keys::METRICS)?,
        health: url(section, &keys::ENABLE_HEALTH, &keys::URL_HEALTH)?,
    };
    warn_of_same_paths(&urls, &positions, section.warnings());
    let has_page = urls.metrics.is_some();
    if urls.rest.is_some() {
        let what = "REST without TLS: passwords (vscpsecret)";
        addresses.warn_of_plain_passwords(what, section.warnings());
    }
    let panel_login = section.take(&keys::PANEL_LOGIN)?;
    if panel_login == PanelLogin::Any {
        let what = "panel-login any, without TLS: passwords";
        addresses.warn_of_plain_passwords(what, section.warnings());
    }
    Ok(Settings {
        urls,
        host_names: host_names(section, addresses)?,
        origins: origins(section)?,
        cors_origins: section.take(&keys::CORS_ORIGINS)?,
        jsonp: section.take(&keys::ENABLE_JSONP)?,
        explain_logins,
        max_body: limits.message_size,
        max_failed_logins: limits.auth_attempts as usize,
        panel_login,
        monitoring: monitoring(section, has_page)?,
        files: files(section)?,
    })
}

/// Reads the path of an endpoint, `None` if it is switched off.
fn url(
    section: &mut Section<'_, '_>,
    enable: &Row<Flag>,
    url: &Row<Text<String>>,
) -> Result<Option<String>, ConfigError> {
    let is_enabled = section.take(enable)?;
    let path = section.take(url)?;
    Ok(is_enabled.then_some(path))
}

/// Reads the names that requests may have in the header Host: those of the key `host-names`, and
/// the hosts of the key `interface`.
fn host_names(
    section: &mut Section<'_, '_>,
    addresses: &Addresses<'_>,
) -> Result<HostNames, ConfigError> {
    let listed = section.take(&keys::HOST_NAMES)?;
    let own = addresses.listen.iter();
    let own = own.filter_map(|address| address.host.clone());
    Ok(HostNames::new(listed.into_iter().chain(own)))
}

/// Reads the origins that may open a websocket, `None` for any.
fn origins(section: &mut Section<'_, '_>) -> Result<Option<Vec<String>>, ConfigError> {
    let origins = section.take(&keys::ORIGINS)?;
    Ok(origins.filter(|origins| !origins.iter().any(|origin| origin == "*")))
}

/// Reads what the page of metrics shows, and to whom. Warns if there is no page to show it on.
fn monitoring(
    section: &mut Section<'_, '_>,
    has_page: bool,
) -> Result<monitoring::Settings, ConfigError> {
    let position = section.position(&keys::METRICS_MEASUREMENTS);
    let max_measurements = section.take(&keys::METRICS_MEASUREMENTS)?;
    if max_measurements > 0 && !has_page {
        let name = keys::METRICS.name();
        let found = format_args!("no page shows the measurements, because {name} is not set");
        section.warnings().add(Finding::new(position, found));
    }
    let rules = section.take(&keys::METRICS_ALLOW)?;
    Ok(monitoring::Settings {
        allow: rules.into_iter().reduce(|mut all, rules| {
            all.append(rules);
            all
        }),
        max_measurements,
    })
}

/// Reads which static files are served.
fn files(section: &mut Section<'_, '_>) -> Result<StaticFiles, ConfigError> {
    let is_enabled = section.take(&keys::ENABLE_STATIC)?;
    let position = section.position(&keys::WEB_ROOT);
    let root = section.take(&keys::WEB_ROOT)?;
    if !is_enabled {
        return Ok(StaticFiles::Off);
    }
    let Some(root) = root else {
        return Ok(StaticFiles::Panel);
    };
    if !root.is_dir() {
        let found = format!(
            "{} is not a folder; no static files are served until it is one",
            root.display()
        );
        section.warnings().add(Finding::new(position, found));
    }
    Ok(StaticFiles::Folder(root))
}

/// Warns of keys that share a path; the first one is served.
fn warn_of_same_paths(urls: &Urls, positions: &[Position; 6], warnings: &mut Warnings) {
    let rest = urls.rest.as_deref();
    let fixed = rest.filter(|path| *path != FIXED_PATH);
    let paths = [
        (keys::URL_WS1.name(), urls.ws1.as_deref()),
        (keys::URL_WS2.name(), urls.ws2.as_deref()),
        (keys::URL_REST.name(), rest),
        ("REST", fixed.map(|_| FIXED_PATH)),
        (keys::METRICS.name(), urls.metrics.as_deref()),
        (keys::URL_HEALTH.name(), urls.health.as_deref()),
    ];
    for (index, (name, path)) in paths.iter().enumerate() {
        let Some(path) = path else { continue };
        let first = paths[..index]
            .iter()
            .find(|(_, other)| *other == Some(*path));
        if let Some((first, _)) = first {
            let found =
                format_args!("{first} and {name} have the same path, {path}: {first} has it");
            warnings.add(Finding::new(positions[index].clone(), found));
        }
    }
}
