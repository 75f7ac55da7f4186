//! The configuration of daemon 14, vscpd.conf: `<level2driver>`.

use std::path::{Path, PathBuf};

use roxmltree::{Document, Node};

use crate::paths;

/// Returns the configuration that the daemon gives to a library.
pub(super) fn registered(text: &str, library: &str) -> Option<PathBuf> {
    let document = Document::parse(text).ok()?;
    let mut drivers = document.descendants().filter(|node| {
        node.has_tag_name("driver")
            && value(*node, &["path-driver", "path"]).is_some_and(|path| path.ends_with(library))
    });
    let config = value(drivers.next()?, &["path-config", "parameter", "config"])?;
    Some(config.into())
}

/// Returns the element of the driver.
pub(super) fn block(config: &Path, guid: &str) -> String {
    format!(
        "<driver enable=\"true\"\n    name=\"websocksrv\"\n    path-driver=\"{}\"\n    \
         path-config=\"{}\"\n    guid=\"{guid}\"/>",
        paths::LIBRARY,
        escaped(&config.to_string_lossy()),
    )
}

/// Puts an element at the end of the list of drivers. All else stays as it is written.
pub(super) fn insert(text: &str, block: &str) -> Result<String, String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let list = document
        .root_element()
        .children()
        .find(|node| node.has_tag_name("level2driver"));
    match list {
        Some(list) => put(text, list, &indented(block, 4)),
        None => put(
            text,
            document.root_element(),
            &format!(
                "  <level2driver enable=\"true\">\n{}\n  </level2driver>",
                indented(block, 4)
            ),
        ),
    }
}

/// Returns the value of an attribute, or of an element in it, that has one of these names.
fn value<'t>(node: Node<'t, 't>, names: &[&str]) -> Option<&'t str> {
    names.iter().find_map(|name| {
        let element = || node.children().find(|child| child.has_tag_name(*name));
        node.attribute(*name)
            .or_else(|| element()?.text().map(str::trim))
    })
}

/// Puts an element in front of the end of another one.
fn put(text: &str, parent: Node<'_, '_>, element: &str) -> Result<String, String> {
    let range = parent.range();
    let written = &text[range.clone()];
    let Some(end) = written.rfind("</") else {
        let start = written.strip_suffix("/>").ok_or("an element without end")?;
        let name = parent.tag_name().name();
        return Ok(format!(
            "{}{}>\n{element}\n  </{name}>{}",
            &text[..range.start],
            start.trim_end(),
            &text[range.end..]
        ));
    };
    let before = text[..range.start + end].trim_end();
    let indent = match parent.parent_element() {
        Some(_) => "  ",
        None => "",
    };
    Ok(format!(
        "{before}\n{element}\n{indent}{}",
        &text[range.start + end..]
    ))
}

fn indented(block: &str, spaces: usize) -> String {
    let lines = block.lines().map(|line| format!("{:spaces$}{line}", ""));
    lines.collect::<Vec<_>>().join("\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "libvscpl2drv-websocksrv.so";

    #[test]
    fn the_element_goes_into_each_form_of_the_file_and_all_else_stays() {
        for text in [
            "<vscpconfig/>",
            "<?xml version=\"1.0\"?>\n<vscpconfig>\n  <general runasuser=\"vscp\"/>\n</vscpconfig>\n",
            "<vscpconfig>\n  <!-- <level2driver></level2driver> -->\n  <level2driver enable=\"true\"/>\n</vscpconfig>",
            "<vscpconfig>\n  <level2driver enable=\"true\">\n    <driver name=\"x\"/>\n  </level2driver>\n</vscpconfig>\n",
        ] {
            let block = block(Path::new("/a&b.json"), "00:01");
            let new = insert(text, &block).unwrap();
            assert_eq!(registered(&new, LIBRARY), Some("/a&b.json".into()), "{new}");
            let document = Document::parse(&new).unwrap();
            let lists = document
                .descendants()
                .filter(|node| node.has_tag_name("level2driver"));
            let [list] = lists.collect::<Vec<_>>()[..] else {
                panic!("{new}")
            };
            assert_eq!(list.parent_element(), Some(document.root_element()));
            for line in text.lines().filter(|line| !line.contains("/>")) {
                assert!(new.contains(line), "{new}");
            }
        }
        assert!(insert("<vscpconfig>", "<driver/>").is_err());
    }

    #[test]
    fn a_driver_is_found_by_attributes_and_by_elements() {
        let path = format!("/var/lib/{LIBRARY}");
        for (driver, config) in [
            (
                format!("<driver path-driver=\"{path}\" path-config=\"/a\"/>"),
                Some("/a"),
            ),
            (
                format!("<driver path-driver=\"{path}\" parameter=\"/b\"/>"),
                Some("/b"),
            ),
            (
                format!("<driver><path>{path}</path><config> /c </config></driver>"),
                Some("/c"),
            ),
            (
                "<driver path-driver=\"/x.so\" path-config=\"/a\"/>".to_owned(),
                None,
            ),
            (format!("<!-- <driver path-driver=\"{path}\"/> -->"), None),
        ] {
            let text = format!("<vscpconfig><level2driver>{driver}</level2driver></vscpconfig>");
            assert_eq!(
                registered(&text, LIBRARY),
                config.map(PathBuf::from),
                "{driver}"
            );
        }
    }
}
