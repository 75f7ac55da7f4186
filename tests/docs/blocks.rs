//! The fenced blocks of the pages.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::common::{Server, user};

/// The tag of keys for the configuration of the examples that follow, up to the next heading.
const CONFIGURATION: &str = "config";

/// A fenced block.
pub(crate) struct Block {
    /// The file name of its page.
    pub(crate) page: String,
    /// The line of its fence.
    line: usize,
    /// The first word behind the fence.
    pub(crate) tag: String,
    pub(crate) text: String,
    /// The keys of the `config` block above it, in the same section.
    config: Value,
}

impl Block {
    /// Starts the driver that the example needs. The user `admin` is always there, so that a
    /// second client can log in.
    pub(crate) fn server(&self) -> Server {
        let mut config = self.config.clone();
        if let Some(users) = config.get_mut("users").and_then(Value::as_array_mut)
            && users.iter().all(|user| user["name"] != "admin")
        {
            users.push(user("admin", serde_json::json!({"rights": "admin"})));
        }
        Server::start(config)
    }

    /// Returns the lines, those that start with a space joined with the one above.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for line in self.text.lines() {
            match (lines.last_mut(), line.starts_with(' ')) {
                (Some(last), true) => last.push_str(line.trim_start()),
                _ => lines.push(line.to_owned()),
            }
        }
        lines
    }
}

/// Shows the page and the line.
impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "docs/{}:{}", self.page, self.line)
    }
}

/// Returns the folder of the project.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the paths of all pages.
pub(crate) fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    // The other entry is the folder of pictures.
    let mut pages: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
}

/// Returns the blocks of all pages with this tag.
pub(crate) fn tagged(tag: &str) -> Vec<Block> {
    let pages = pages();
    let blocks = pages.iter().flat_map(|page| blocks(page));
    let tagged: Vec<_> = blocks.filter(|block| block.tag == tag).collect();
    assert!(!tagged.is_empty(), "no example with the tag {tag}");
    tagged
}

/// Returns the blocks of a page.
pub(crate) fn blocks(page: &Path) -> Vec<Block> {
    let name = page.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(page).unwrap();
    let mut blocks: Vec<Block> = Vec::new();
    let mut config = Value::Object(Default::default());
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Block {
                    page: name.to_owned(),
                    line: index + 1,
                    tag: info.split(' ').next().unwrap_or_default().to_owned(),
                    text: String::new(),
                    config: config.clone(),
                });
            }
            (None, None) if line.starts_with('#') => config = Value::Object(Default::default()),
            (None, None) => {}
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (Some(_), Some(_)) => {
                let block = open.take().unwrap();
                if block.tag == CONFIGURATION {
                    config = serde_json::from_str(&block.text)
                        .unwrap_or_else(|error| panic!("{block}: {error}"));
                }
                blocks.push(block);
            }
        }
    }
    assert!(open.is_none(), "docs/{name}: a block without an end");
    blocks
}
