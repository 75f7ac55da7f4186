//! The pages themselves: which examples each must have, and where their links lead.

use std::{collections::BTreeSet, fs, path::Path};

use crate::blocks::{blocks, pages, root};

/// The tags of examples that each page must have at least.
const PAGES: [(&str, &[&str]); 18] = [
    ("README.md", &[]),
    ("api.md", &["rest"]),
    ("can.md", &["can"]),
    ("clients.md", &["js", "python"]),
    ("events.md", &["config", "event"]),
    ("filters.md", &["config", "filter", "ws1"]),
    ("host-interface.md", &["c"]),
    ("measurements.md", &["measurement", "reading"]),
    ("migration.md", &[]),
    ("mqtt.md", &[]),
    ("panel.md", &[]),
    ("rest.md", &["config", "rest", "sh"]),
    ("scaling.md", &[]),
    ("users.md", &["config", "rest", "ws1"]),
    ("variables.md", &["config", "hlo", "ws1"]),
    ("widgets.md", &["html"]),
    (
        "ws1.md",
        &["config", "js", "login", "python", "rest", "ws1"],
    ),
    ("ws2.md", &["config", "js", "login", "python", "ws2"]),
];

/// The documents of the root folder.
const DOCUMENTS: [&str; 4] = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
];

/// Tags of formats and pictures, which cannot be executed.
const SHOWN_ONLY: [&str; 1] = ["text"];

#[test]
fn each_page_has_the_examples_that_are_expected_of_it_and_none_with_an_unknown_tag() {
    let found: Vec<_> = pages();
    let names: Vec<_> = found.iter().map(|page| name(page)).collect();
    let expected: Vec<_> = PAGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected, "the pages of docs/");
    for (page, (name, expected)) in found.iter().zip(PAGES) {
        let blocks = blocks(page);
        let tags: BTreeSet<_> = blocks.iter().map(|block| block.tag.as_str()).collect();
        let tags: Vec<_> = tags
            .into_iter()
            .filter(|tag| !SHOWN_ONLY.contains(tag))
            .collect();
        assert_eq!(tags, expected, "the tags of docs/{name}");
    }
}

#[test]
fn the_index_lists_each_page() {
    let index = fs::read_to_string(root().join("docs/README.md")).unwrap();
    for (name, _) in &PAGES[1..] {
        assert!(index.contains(&format!("[{name}]({name})")), "{name}");
    }
}

#[test]
fn the_map_of_the_tests_names_each_of_them() {
    let map = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let entry = entry.unwrap().file_name();
        let path = format!("tests/{}", entry.to_str().unwrap());
        assert!(map.contains(&path), "{path} is not in CONTRIBUTING.md");
    }
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let documents = DOCUMENTS.map(|name| root().join(name));
    let mut links = 0;
    for page in documents.iter().chain(&pages()) {
        let text = fs::read_to_string(page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.starts_with("http") || link.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: {link}", page.display());
            if !heading.is_empty() {
                let known = anchors(&target).any(|anchor| anchor == heading);
                assert!(known, "{}: {link}", page.display());
            }
        }
    }
    assert!(links > 50, "{links}");
}

#[test]
fn the_files_of_the_code_that_the_documents_name_exist() {
    let mut files = 0;
    for document in DOCUMENTS {
        let text = fs::read_to_string(root().join(document)).unwrap();
        let quoted = text.split('`').skip(1).step_by(2);
        for path in quoted.filter(|path| path.contains('/') && path.ends_with(".rs")) {
            files += 1;
            let found = [root().join(path), root().join("src").join(path)];
            assert!(found.iter().any(|path| path.exists()), "{document}: {path}");
        }
    }
    assert!(files > 20, "{files}");
}

/// Returns the anchors of the headings of a page, as GitHub makes them.
fn anchors(page: &Path) -> impl Iterator<Item = String> {
    let text = fs::read_to_string(page).unwrap();
    let headings: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase())
        .map(|heading| {
            heading
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect();
    headings.into_iter()
}

fn name(page: &Path) -> &str {
    page.file_name().unwrap().to_str().unwrap()
}
