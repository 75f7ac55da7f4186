//! The log of the driver.

use std::{collections::HashMap, fs, path::PathBuf};

/// Reads what comes to a log.
pub(crate) struct Log {
    path: PathBuf,
    read: usize,
}

impl Log {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, read: 0 }
    }

    /// Returns the lines since the last call. Fails if one is an error.
    pub(crate) fn take(&mut self) -> Vec<String> {
        let log = fs::read_to_string(&self.path).unwrap_or_default();
        let end = log.rfind('\n').map_or(0, |end| end + 1);
        let lines: Vec<_> = log[self.read..end].lines().map(str::to_owned).collect();
        self.read = end;
        for line in &lines {
            let is_error = line.starts_with("error") || line.starts_with("critical");
            assert!(!is_error, "in the log: {line}");
        }
        lines
    }

    /// Removes the log, while no driver is open.
    pub(crate) fn remove(&mut self) {
        let _ = fs::remove_file(&self.path);
        self.read = 0;
    }
}

/// Returns the events that the log says were dropped, by user.
pub(crate) fn dropped(lines: &[String]) -> HashMap<String, u64> {
    let mut users = HashMap::new();
    let mut dropped = HashMap::new();
    for line in lines {
        let Some((id, rest)) = line
            .split_once(" client ")
            .and_then(|(_, rest)| rest.split_once(": "))
        else {
            continue;
        };
        let user = rest.strip_suffix(" logged in");
        if let Some(user) = user.or(rest.strip_prefix("REST session of ")) {
            users.insert(id.to_owned(), user.to_owned());
        }
        let mut words = rest.split(' ');
        if let (Some(count), Some("event" | "events"), Some("dropped" | "dropped,")) =
            (words.next(), words.next(), words.next())
        {
            let user = users.get(id).unwrap_or_else(|| panic!("who is {line:?}"));
            *dropped.entry(user.clone()).or_default() += count.parse::<u64>().unwrap();
        }
    }
    dropped
}

/// Returns true for the last line about a client that has closed its connection or session.
pub(crate) fn tells_of_an_end(line: &str) -> bool {
    line.ends_with(": closed by the client") || line.ends_with(": REST session closed")
}
