//! The machine that is set up: this one, or a folder with the files of another.

use std::{
    error::Error,
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

/// The folder that all paths start from.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

/// A user and its group, as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    name: String,
    user: u32,
    group: u32,
    /// The name of the group, its number if it has none.
    group_name: String,
}

impl Root {
    pub(super) fn new(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let folder = folder
            .canonicalize()
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// Returns true if it is the machine that the tool runs on.
    pub(super) fn is_whole_machine(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// Returns where a path of that machine is here.
    pub(super) fn at(&self, path: &Path) -> PathBuf {
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Finds a user by its name. Returns `None` if there is no such user.
    pub(super) fn account(&self, name: &str) -> Option<Account> {
        let passwd = fs::read_to_string(self.at(Path::new("/etc/passwd"))).ok()?;
        passwd.lines().find_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            match fields[..] {
                [found, _, user, group, ..] if found == name => Some(Account {
                    name: found.to_owned(),
                    user: user.parse().ok()?,
                    group: group.parse().ok()?,
                    group_name: self.group_name(group),
                }),
                _ => None,
            }
        })
    }

    /// Finds a group by its name. Returns root in that group, `None` if there is no such group.
    pub(super) fn group(&self, name: &str) -> Option<Account> {
        let groups = fs::read_to_string(self.at(Path::new("/etc/group"))).ok()?;
        groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (found, _, group) = (fields.next()?, fields.next()?, fields.next()?);
            let group = group.parse().ok().filter(|_| found == name)?;
            Some(Account {
                name: "root".to_owned(),
                user: 0,
                group,
                group_name: found.to_owned(),
            })
        })
    }

    fn group_name(&self, number: &str) -> String {
        let groups = fs::read_to_string(self.at(Path::new("/etc/group"))).unwrap_or_default();
        let mut lines = groups
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        let found = lines.find(|fields| fields.get(2) == Some(&number));
        found.map_or(number, |fields| fields[0]).to_owned()
    }

    /// Finds the name of a user by its number.
    pub(super) fn name_of(&self, number: u32) -> Option<String> {
        let passwd = fs::read_to_string(self.at(Path::new("/etc/passwd"))).ok()?;
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, _, user) = (fields.next()?, fields.next()?, fields.next()?);
            (user.parse() == Ok(number)).then(|| name.to_owned())
        })
    }
}

impl Account {
    /// Returns the name of the user.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of its group.
    pub(super) fn group_name(&self) -> &str {
        &self.group_name
    }

    /// Returns the folder of a configuration and the files in it, as far as they are there and belong
    /// neither to the account nor to its group.
    pub(super) fn lacks(&self, root: &Root, folder: &Path) -> Vec<PathBuf> {
        let names = [
            "",
            "websocksrv.json",
            "vscp.key",
            "users.json",
            "cert.pem",
            "key.pem",
        ];
        let paths = names.map(|name| match name {
            "" => folder.to_owned(),
            name => folder.join(name),
        });
        let is_foreign = |path: &PathBuf| {
            root.at(path)
                .metadata()
                .is_ok_and(|metadata| metadata.gid() != self.group && metadata.uid() != self.user)
        };
        paths.into_iter().filter(is_foreign).collect()
    }

    /// Gives a file to the group of the account; the owner stays, so that the daemon cannot change
    /// what it only reads.
    pub(super) fn may_read(&self, path: &Path) -> Result<(), String> {
        chown(path, None, Some(self.group)).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Gives a file or folder to the account.
    pub(super) fn owns(&self, path: &Path) -> Result<(), String> {
        chown(path, Some(self.user), Some(self.group))
            .map_err(|error| format!("{}: {error}", path.display()))
    }
}
