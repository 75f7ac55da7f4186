//! The functions behind the fuzz targets in `fuzz/`: one for each parser and state machine that
//! input can reach. Each takes any bytes and panics if the driver breaks a promise.
//!
//! The module is there for `cargo fuzz` (`cfg(fuzzing)`) and for its own test, which runs each
//! function on its corpus.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod api;
mod can;
mod config;
mod control;
mod event;
mod files;
mod http;
mod login;
mod names;
mod rest;
mod server;
mod session;
mod tls;
mod websocket;

pub use self::{
    api::api,
    can::can_frame,
    config::{configuration, configuration_string, remote_variables, users},
    control::command,
    event::{event_json, event_text, filter, guid},
    files::files,
    http::http,
    login::login,
    names::{history_query, names},
    rest::rest,
    session::{ws1_session, ws2_session},
    tls::tls_files,
    websocket::websocket,
};
pub use crate::ffi::event::fuzz as c_event;

/// A function behind a fuzz target.
pub type Target = fn(&[u8]);

/// All targets, by the name that each has in `fuzz/`.
pub const TARGETS: [(&str, Target); 22] = [
    ("api", api),
    ("c_event", c_event),
    ("can_frame", can_frame),
    ("command", command),
    ("configuration", configuration),
    ("configuration_string", configuration_string),
    ("event_json", event_json),
    ("event_text", event_text),
    ("files", files),
    ("filter", filter),
    ("guid", guid),
    ("history_query", history_query),
    ("http", http),
    ("login", login),
    ("names", names),
    ("remote_variables", remote_variables),
    ("rest", rest),
    ("tls_files", tls_files),
    ("users", users),
    ("websocket", websocket),
    ("ws1_session", ws1_session),
    ("ws2_session", ws2_session),
];

/// Returns the input as text, `None` if it is not UTF-8.
fn text(data: &[u8]) -> Option<&str> {
    str::from_utf8(data).ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::TARGETS;

    fn folder(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz")
            .join(name)
    }

    fn names(folder: PathBuf) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn no_input_of_a_corpus_breaks_a_promise() {
        for (target, run) in TARGETS {
            let folder = folder("corpus").join(target);
            let inputs = names(folder.clone());
            assert!(inputs.len() >= 3, "{target}");
            for input in inputs {
                let data = fs::read(folder.join(&input)).unwrap();
                let result = std::panic::catch_unwind(|| run(&data));
                assert!(result.is_ok(), "{target}: {input}");
            }
        }
    }

    #[test]
    fn each_target_has_a_program_and_a_corpus() {
        let programs = TARGETS.map(|(name, _)| format!("{name}.rs"));
        assert_eq!(names(folder("fuzz_targets")), programs);
        assert_eq!(names(folder("corpus")), TARGETS.map(|(name, _)| name));
        let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
        for (name, _) in TARGETS {
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        }
    }
}
