//! The table of users.

use std::{collections::HashMap, slice, sync::Arc};

use super::user::User;
use crate::wording::Counted;

/// All users, in the order of the users file.
#[derive(Clone, Debug, Default)]
pub struct Users {
    list: Vec<Arc<User>>,
    /// Indexes in `list`.
    by_name: HashMap<String, usize>,
    max_rounds: u32,
    /// How often the users have been replaced.
    generation: u64,
}

impl Users {
    /// Appends a user. If there is one with the same name already, returns its index and adds none.
    pub fn add(&mut self, mut user: User) -> Option<usize> {
        if let Some(&other) = self.by_name.get(&user.name) {
            return Some(other);
        }
        user.index = self.list.len();
        self.by_name.insert(user.name.clone(), user.index);
        self.max_rounds = self.max_rounds.max(user.password.rounds());
        self.list.push(Arc::new(user));
        None
    }

    /// Sets the generations of users who replace the `old` ones. Users who were there with the same
    /// password keep their generation; all others get a new one.
    pub(super) fn inherit_generations(&mut self, old: &Self) {
        self.generation = old.generation + 1;
        for user in &mut self.list {
            let before = old.get(&user.name);
            let same = before.filter(|before| before.password == user.password);
            let generation = same.map_or(self.generation, |before| before.generation);
            // Nobody else has the user yet.
            if let Some(user) = Arc::get_mut(user) {
                user.generation = generation;
            }
        }
    }

    /// Returns the user with this name, in the same case.
    pub fn get(&self, name: &str) -> Option<&Arc<User>> {
        self.by_name.get(name).map(|&index| &self.list[index])
    }

    /// Iterates over the users in the order of the users file.
    pub fn iter(&self) -> slice::Iter<'_, Arc<User>> {
        self.list.iter()
    }

    /// Returns the number of users.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Returns true if there are no users, so that nobody can log in.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the PBKDF2 rounds of the slowest stored password.
    pub fn max_rounds(&self) -> u32 {
        self.max_rounds
    }

    /// Returns warnings about the users, for the log.
    pub fn warnings(&self) -> Vec<String> {
        if self.is_empty() {
            return vec!["no users are configured, so nobody can log in".to_owned()];
        }
        let old: Vec<_> = self.iter().filter(|user| user.password.is_md5()).collect();
        if old.is_empty() {
            return Vec::new();
        }
        let names = old.iter().take(NAMES_SHOWN).map(|user| &*user.name);
        let mut names = names.collect::<Vec<_>>().join(", ");
        if old.len() > NAMES_SHOWN {
            names += ", ...";
        }
        let have = if old.len() == 1 { "has" } else { "have" };
        vec![format!(
            "{} of {} {have} a password stored as MD5, which is easily guessed ({names}): \
             replace each with the output of: vscpl2drv-websocksrv passwd USER",
            old.len(),
            Counted(self.len() as u64, "user"),
        )]
    }
}

/// Logs the warnings about the users, and where each may log in from.
pub(crate) fn log_summary(users: &Users) {
    for warning in users.warnings() {
        tracing::warn!("{warning}");
    }
    for user in users.iter() {
        tracing::info!("user {} may log in from {}", user.name, user.remotes);
    }
}

/// The largest number of names in the warning about MD5.
const NAMES_SHOWN: usize = 20;
