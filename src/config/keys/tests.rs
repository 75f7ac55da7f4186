//! Every row of the table, tried with the reader.

use super::*;
use crate::{
    config::{Config, users as reader},
    located_json::{Source, Warnings},
};

const MD5: &str = "2d1e4f91dae49cd08eaba2293e422273";

/// Reads a configuration, or a users file, in which one key of a table has a value.
fn load(table: &Table, key: &str, value: &str) -> Result<Vec<String>, String> {
    let entry = format!("{:?}: {value}", key);
    let top = |rest: &str| load_configuration(&format!("{{\"allow-default-key\": true, {rest}}}"));
    match table.path {
        "" if key == "tls" => top(&format!("\"interface\": \"wss://127.0.0.1:0\", {entry}")),
        "" => top(&entry),
        "tls" => top(&format!(
            "\"interface\": \"wss://127.0.0.1:0\", \"tls\": {{{entry}}}"
        )),
        "users-file" => load_users(&format!("{{{entry}}}")),
        "users[]" => load_users(&format!(
            "{{\"users\": [{{\"name\": \"a\", \"password\": \"{MD5}\", {entry}}}]}}"
        )),
        "users[].events[]" => load_users(&format!(
            "{{\"users\": [{{\"name\": \"a\", \"password\": \"{MD5}\", \
             \"events\": [{{{entry}}}]}}]}}"
        )),
        path => top(&format!("\"{path}\": {{{entry}}}")),
    }
}

fn load_configuration(text: &str) -> Result<Vec<String>, String> {
    match Config::load(text) {
        Ok(config) => Ok(config.warnings.iter().map(ToString::to_string).collect()),
        Err(error) => Err(error.to_string()),
    }
}

fn load_users(text: &str) -> Result<Vec<String>, String> {
    let mut warnings = Warnings::default();
    match reader::parse(&Source::new("inline configuration", text), &mut warnings) {
        Ok(_) => Ok(warnings.into_lines()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns the path of a key as errors show it.
fn path_of(table: &Table, key: &str) -> String {
    match table.path {
        "" | "users-file" => key.to_owned(),
        path => format!("{}.{key}", path.replace("[]", "[0]")),
    }
}

fn rows() -> impl Iterator<Item = (&'static Table, &'static dyn AnyRow)> {
    let tables = TABLES.into_iter();
    tables.flat_map(|table| table.rows().map(move |row| (table, row)))
}

#[test]
fn each_default_is_accepted_under_each_name() {
    let mut count = 0;
    for (table, row) in rows() {
        let Some(default) = row.default_json() else {
            continue;
        };
        for name in row.names() {
            let path = path_of(table, name);
            // That the default address has no TLS is warned of whoever asks for it.
            let about_it = |line: &String| {
                line.contains(&format!("{path}: ")) && !line.contains("without TLS")
            };
            match load(table, name, default) {
                Ok(warnings) => assert!(!warnings.iter().any(about_it), "{warnings:?}"),
                // Something else is missing: a certificate, or a key if the default one is not
                // allowed.
                Err(error) => assert!(error.contains(": found no \""), "{path}: {error}"),
            }
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn each_wrong_value_is_refused_under_each_name() {
    for (table, row) in rows() {
        for name in row.names() {
            for value in row.wrong() {
                if table.path == "users[].events[]" && value == "-1" {
                    continue; // any
                }
                let error = load(table, name, &value).expect_err(&value);
                let path = path_of(table, name);
                let start = format!("inline configuration:1: {path}: found ");
                assert!(error.starts_with(&start), "{path}: {value}: {error}");
                if let Some(expected) = row.expected() {
                    assert_eq!(error, format!("{start}{value}, expected {expected}"));
                }
            }
        }
    }
}

#[test]
fn a_misspelt_key_is_compared_with_every_name() {
    for (table, row) in rows() {
        for name in row.names() {
            // In the tables that have no good value at hand, the warning would not be returned.
            if table.path == "tls" || table.path == "users-file" || name.len() < 5 {
                continue;
            }
            let warnings = load(table, &format!("{name}x"), "0").unwrap();
            let path = path_of(table, &format!("{name}x"));
            let expected = format!("{path}: unknown key; did you mean \"");
            assert!(
                warnings.iter().any(|line| line.contains(&expected)),
                "{expected} {warnings:?}"
            );
        }
    }
}

#[test]
fn what_an_empty_string_means_is_what_the_row_says() {
    for (table, row) in rows() {
        let name = row.names()[0];
        match row.empty() {
            Empty::Value => continue,
            Empty::NotSet => {
                for blank in ["\"\"", "\" \""] {
                    match load(table, name, blank) {
                        Ok(_) => {}
                        Err(error) => assert!(error.contains("found no \"cert\""), "{error}"),
                    }
                }
            }
            Empty::Refused => {
                let error = load(table, name, "\"\"").unwrap_err();
                let start = format!("inline configuration:1: {name}: found an empty string, ");
                assert!(error.starts_with(&start), "{error}");
            }
        }
    }
}

#[test]
fn names_are_there_once_and_sentences_are_sentences() {
    for table in TABLES {
        let mut names = table.names();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{}", table.path);
        for row in table.rows() {
            let name = row.names()[0];
            assert!(row.doc().ends_with('.'), "{name}");
            assert!(
                row.manual().is_empty() || row.manual().ends_with('.'),
                "{name}"
            );
            assert!(!row.default_shown().is_empty(), "{name}");
        }
    }
}

#[test]
fn secrets_are_those_of_any_table() {
    for (key, secret) in [
        ("users", true),
        ("credentials", true),
        ("key-file", true),
        ("key", true),
        ("user", false),
        ("cert", false),
        ("zzz", false),
    ] {
        assert_eq!(is_secret(key), secret, "{key}");
    }
}
