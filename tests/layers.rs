//! The modules use each other as the table in `src/lib.rs` says, and the table has no way back up.

#![allow(clippy::unwrap_used)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A row of the table: a module and those that it may use.
struct Row {
    module: String,
    uses: BTreeSet<String>,
}

#[test]
fn each_module_uses_only_what_its_row_names_and_each_name_is_used() {
    let rows = table();
    let used = uses_of_all_modules();
    let mut wrong = Vec::new();
    for row in &rows {
        let used = used.get(&row.module).cloned().unwrap_or_default();
        for arrow in used.keys().filter(|name| !row.uses.contains(*name)) {
            let files = &used[arrow];
            let module = &row.module;
            wrong.push(format!("{module} uses {arrow}, not in its row: {files:?}"));
        }
        for name in row.uses.iter().filter(|name| !used.contains_key(*name)) {
            wrong.push(format!("the row of {} names {name}, unused", row.module));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_module_stands_above_all_that_it_uses() {
    let rows = table();
    let mut wrong = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let below: BTreeSet<_> = rows[index + 1..].iter().map(|row| &row.module).collect();
        for name in row.uses.iter().filter(|name| !below.contains(name)) {
            wrong.push(format!("{} uses {name}, which is not below it", row.module));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_a_row_for_each_module() {
    let rows: BTreeSet<_> = table().into_iter().map(|row| row.module).collect();
    let library = fs::read_to_string(source().join("lib.rs")).unwrap();
    let modules = library.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    let modules: BTreeSet<_> = modules.map(str::to_owned).collect();
    let modules = &modules - &BTreeSet::from(["test_log".to_owned()]);
    assert_eq!(rows, modules);
}

#[test]
fn imports_are_found_however_they_are_written() {
    let text = "\
use crate::{\n    a::{b, c},\n    d,\n    self_e::f,\n};\n// crate::no::comment\n\
fn x() { crate::g::h() }\nuse crate::i::j;\n#[cfg(test)]\nmod tests {\n    use crate::k;\n}\n";
    let found: Vec<_> = modules_used(text).into_iter().collect();
    assert_eq!(found, ["a", "d", "g", "i", "self_e"]);
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The rows of the table, from the top.
fn table() -> Vec<Row> {
    let library = fs::read_to_string(source().join("lib.rs")).unwrap();
    let rows = library
        .lines()
        .filter_map(|line| line.strip_prefix("//! |"));
    let rows: Vec<_> = rows
        .skip(2)
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let module = cells[0].trim_matches(['[', ']', '`']).to_owned();
            let uses = cells[2].split(',').map(str::trim);
            let uses = uses.filter(|name| !name.is_empty()).map(str::to_owned);
            Row {
                module,
                uses: uses.collect(),
            }
        })
        .collect();
    assert!(rows.len() > 10, "the table was not found");
    rows
}

/// For each module the modules that it uses, each with the files that do.
fn uses_of_all_modules() -> BTreeMap<String, BTreeMap<String, BTreeSet<PathBuf>>> {
    let mut all: BTreeMap<String, BTreeMap<String, BTreeSet<PathBuf>>> = BTreeMap::new();
    for file in rust_files(&source()) {
        let inside = file.strip_prefix(source()).unwrap().to_owned();
        let first = inside.iter().next().unwrap();
        let module = Path::new(first).file_stem().unwrap().to_str().unwrap();
        if module == "lib" || file.ends_with("tests.rs") {
            continue;
        }
        for used in modules_used(&fs::read_to_string(&file).unwrap()) {
            if used != module && used != "test_log" {
                let uses = all.entry(module.to_owned()).or_default();
                uses.entry(used).or_default().insert(inside.clone());
            }
        }
    }
    all
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The modules of the crate that a file names outside of its tests.
fn modules_used(text: &str) -> BTreeSet<String> {
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let code: Vec<_> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut used = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => used.extend(first_level(list)),
            None => used.extend([identifier(rest)]),
        }
    }
    used.remove("");
    used
}

/// The first names of the items of a list in braces, up to its end.
fn first_level(list: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut depth = 0;
    let mut starts = true;
    for (index, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts = true,
            _ if starts && !character.is_whitespace() => {
                names.insert(identifier(&list[index..]));
                starts = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}
