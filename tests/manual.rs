//! The reference of the manual, made of the table of keys.
//!
//! The manual page has a region for each table. If a row has changed,
//! `UPDATE_MANUAL=1 cargo test manual` writes them again.

#![allow(clippy::expect_used)]

use std::{env, fs};

use vscpl2drv_websocksrv::config::keys::{AnyRow, TABLES, Table};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/man/websocksrv.json.5");

const TOOL_PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/man/vscpl2drv-websocksrv.1");

const END: &str = ".\\\" END OF KEYS\n";

/// Writes the reference of a table.
fn reference(table: &Table) -> String {
    let mut page = String::new();
    for group in table.groups {
        if !group.title.is_empty() {
            page += &format!(".SS {}\n", group.title);
        }
        for row in group.rows {
            page += &entry(*row);
        }
    }
    page
}

fn entry(row: &dyn AnyRow) -> String {
    let names: Vec<_> = row.names().iter().map(|name| format!("`{name}`")).collect();
    let mut text = format!(
        ".TP\n{} ({})\n",
        marked_up(&names.join(" | ")),
        marked_up(&row.default_shown())
    );
    text += &paragraph(row.doc());
    text += &paragraph(&row.sentence());
    for (index, part) in row.manual().split("\n\n").enumerate() {
        if index > 0 {
            text += ".IP\n";
        }
        text += &paragraph(part);
    }
    text
}

/// Writes a text with each sentence on a line of its own.
fn paragraph(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let lines = text.replace(". ", ".\n");
    // A line that starts with a full stop or a quote would be a request.
    let lines = lines
        .lines()
        .map(|line| match line.starts_with(['.', '\'']) {
            true => format!("\\&{}\n", marked_up(line)),
            false => format!("{}\n", marked_up(line)),
        });
    lines.collect()
}

/// Escapes a text, and shows what stands in backquotes in bold.
fn marked_up(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    let parts = escaped.split('`').enumerate();
    parts
        .map(|(index, part)| match index % 2 {
            0 => part.to_owned(),
            _ => format!("\\fB{part}\\fR"),
        })
        .collect()
}

/// Replaces the region of a table in a page.
fn with_reference(page: &str, table: &Table) -> String {
    let name = if table.path.is_empty() {
        "the configuration"
    } else {
        table.path
    };
    let begin =
        format!(".\\\" KEYS OF {name}, from src/config/keys (UPDATE_MANUAL=1 cargo test manual)\n");
    let (before, rest) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("the manual has no line: {begin}"));
    let (_, after) = rest.split_once(END).expect("the end of the keys");
    format!("{before}{begin}{}{END}{after}", reference(table))
}

#[test]
fn the_manual_has_the_keys_of_the_table() {
    let page = fs::read_to_string(PAGE).unwrap();
    let expected = TABLES
        .into_iter()
        .fold(page.clone(), |page, table| with_reference(&page, table));
    if env::var_os("UPDATE_MANUAL").is_some() {
        fs::write(PAGE, expected).unwrap();
        return;
    }
    assert!(
        page == expected,
        "the manual is not that of the table of keys: run UPDATE_MANUAL=1 cargo test manual"
    );
}

#[test]
fn the_entry_of_each_command_has_its_options_on_the_line_behind_tp() {
    let page = fs::read_to_string(TOOL_PAGE).unwrap();
    let (_, commands) = page.split_once(".SH COMMANDS\n").expect("commands");
    let (commands, _) = commands.split_once(".SH ").expect("an end");
    let tags = commands
        .split(".TP\n")
        .skip(1)
        .filter_map(|entry| entry.lines().next());
    // The line of a tag alone is set as one.
    let cert = tags.filter(|tag| tag.contains("cert")).collect::<Vec<_>>();
    let [cert] = cert[..] else { panic!("{cert:?}") };
    for part in ["days", "DAYS", "out", "FOLDER", "NAME"] {
        assert!(cert.contains(part), "{cert}");
    }
}

#[test]
fn text_is_escaped_for_the_manual() {
    for (text, expected) in [
        ("Use `key-file`. Now.", "Use \\fBkey\\-file\\fR.\nNow.\n"),
        (".x", "\\&.x\n"),
        ("a\\b", "a\\eb\n"),
        ("", ""),
    ] {
        assert_eq!(paragraph(text), expected);
    }
}
