//! Keys of parts that this version does not have: they are checked all the same, and where a
//! file really asks for such a part the configuration is refused.

use super::load::{flag, number, path, strings};
use crate::{
    event::{Guid, filter::Pattern},
    json::{ConfigError, Node, Object},
};

/// Reads the keys of REST, static files, TLS, metrics, CAN and remote variables.
pub(super) fn read(object: &mut Object<'_>, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    let serve_files = flag(object, "enable-static", true)?;
    if path(object, &["web-root"])?.is_none() && serve_files {
        warnings.push("no web-root: no static files are served".into());
    }
    flag(object, "enable-rest", true)?;
    flag(object, "enable-jsonp", true)?;
    path(object, &["url-rest"])?;
    path(object, &["metrics"])?;
    if let Some(node) = object.take(&["cors-origins"]) {
        strings(&node)?;
    }
    if let Some(node) = object.take(&["tls"]) {
        tls(&node, warnings)?;
    }
    if let Some(node) = object.take(&["socketcan"]) {
        let buses = if node.is_array() {
            node.array()?
        } else {
            vec![node]
        };
        for bus in buses {
            if socketcan(&bus, warnings)? {
                return Err(bus.error("no CAN bus, this version has no bridge yet"));
            }
        }
    }
    if let Some(node) = object.take(&["remote-variables"]) {
        remote_variables(&node, warnings)?;
        return Err(node.error_found(
            "an object",
            "no such key, this version has no remote variables yet",
        ));
    }
    Ok(())
}

fn tls(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    let mut object = node.object()?;
    path(&mut object, &["cert", "certificate"])?;
    path(&mut object, &["key"])?;
    path(&mut object, &["ca"])?;
    if let Some(version) = object.take(&["min-version"]) {
        version.choice(&[("1.2", ()), ("1.3", ())])?;
    }
    object.finish(warnings);
    Ok(())
}

/// Whether the bus is switched on.
fn socketcan(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<bool, ConfigError> {
    let mut object = node.object()?;
    let enabled = flag(&mut object, "enable", true)?;
    path(&mut object, &["interface"])?;
    for name in ["filter", "mask", "out-filter", "out-mask"] {
        if let Some(node) = object.take(&[name]) {
            node.parsed(str::parse::<Pattern>)?;
        }
    }
    flag(&mut object, "fd", false)?;
    number::<usize>(&mut object, &["queue-size"], 1..=1 << 24)?;
    number::<u64>(&mut object, &["restart-delay-ms"], 1..=3_600_000)?;
    if let Some(node) = object.take(&["guid"]) {
        node.parsed(str::parse::<Guid>)?;
    }
    object.finish(warnings);
    Ok(enabled)
}

fn remote_variables(node: &Node<'_>, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    let mut object = node.object()?;
    for name in ["host", "user", "password", "prefix"] {
        if let Some(node) = object.take(&[name]) {
            node.parsed(|_| Ok::<_, String>(()))
                .map_err(|_| node.error_found("something else", "a string"))?;
        }
    }
    number::<u16>(&mut object, &["port"], 1..=65_535)?;
    number::<u64>(&mut object, &["timeout-ms"], 1..=3_600_000)?;
    flag(&mut object, "required", false)?;
    flag(&mut object, "tls", false)?;
    object.finish(warnings);
    Ok(())
}
