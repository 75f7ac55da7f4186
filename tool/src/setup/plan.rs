//! The files and changes that `setup` plans, and writing them.

use std::{
    error::Error,
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value, json};
use vscpl2drv_websocksrv::{
    config::users::{NewUser, UsersEditor},
    http::Listen,
};

use super::{
    answers::{self, Answers},
    change::Change,
    daemon::Daemon,
    existing::{Existing, listen_of, path_of},
    root::{Account, Root},
};
use crate::{cert, key, message, paths};

/// The mode of files that the daemon reads and nobody else.
const SECRET: u32 = 0o640;

/// The steps of a set-up, in their order.
pub(super) struct Plan<'a> {
    root: &'a Root,
    owner: Option<Account>,
    /// The configuration as it is, `None` if there is none or it has been changed.
    old: Option<Value>,
    /// The configuration as it is wanted.
    new: Value,
    folders: Vec<NewFolder>,
    /// Files that the package has put there for another group.
    unreadable: Vec<PathBuf>,
    key: Option<PathBuf>,
    certificate: Option<(PathBuf, Vec<String>)>,
    users: Option<(PathBuf, String, String)>,
    files: Vec<(PathBuf, String)>,
    changes: Vec<Change>,
    is_registered: bool,
}

/// A folder to make.
struct NewFolder {
    path: PathBuf,
    /// True if the daemon writes to it.
    is_daemons: bool,
}

impl<'a> Plan<'a> {
    /// Compares what is wanted with what is there.
    pub(super) fn make(
        root: &'a Root,
        answers: &Answers,
        daemon: Option<&Daemon>,
    ) -> Result<Self, Box<dyn Error>> {
        let existing = Existing::read(root, &answers.config)?;
        let old = existing.json();
        let folder = answers.config.parent().unwrap_or(Path::new("/"));
        let new = configuration(answers, old, folder);
        let key = path_of(&new, "key-file").filter(|key| !root.at(key).exists());
        let mut plan = Self {
            root,
            owner: answers.owner.clone(),
            folders: Vec::new(),
            unreadable: Vec::new(),
            key,
            certificate: new_certificate(root, &new),
            users: None,
            files: Vec::new(),
            changes: Vec::new(),
            is_registered: daemon.is_some_and(|daemon| daemon.registered.is_some()),
            old: old.cloned(),
            new,
        };
        plan.need_folder(folder, false);
        if let Some(log) = path_of(&plan.new["logging"], "file-path") {
            plan.need_folder(log.parent().unwrap_or(Path::new("/")), true);
        }
        if answers.config == Path::new(paths::CONFIG) {
            let owner = plan.owner.as_ref();
            plan.unreadable = owner.map_or(Vec::new(), |owner| owner.lacks(root, folder));
        }
        if let (Some((name, stored)), Some(path)) =
            (&answers.user, path_of(&plan.new, "path-users"))
        {
            plan.users = Some((path, name.clone(), stored.clone()));
        }
        let text = format!("{:#}\n", plan.new);
        match &plan.old {
            None => plan.files.push((answers.config.clone(), text)),
            Some(old) if *old == plan.new => {}
            Some(_) => plan.changes.push(Change {
                path: answers.config.clone(),
                is_of_daemon: false,
                old: fs::read_to_string(root.at(&answers.config))?,
                new: text,
            }),
        }
        if let Some(daemon) = daemon.filter(|daemon| daemon.registered.is_none()) {
            match daemon.with_block(&answers.config) {
                Ok(new) => plan.change_daemon(daemon, new),
                Err(error) => message::warning(format_args!(
                    "{} is not understood: {error}",
                    daemon.config.display()
                )),
            }
        }
        Ok(plan)
    }

    /// Returns true if the daemon will load the driver.
    pub(super) fn is_registered(&self) -> bool {
        self.is_registered
    }

    /// Returns the first address that the driver listens on, with the configuration as it is now.
    /// Returns `None` if that cannot be told.
    pub(super) fn listen(&self) -> Option<Listen> {
        let config = self.old.as_ref().unwrap_or(&self.new);
        listen_of(config)?.into_iter().next()
    }

    /// Shows files with owners and modes, and differences. Secrets are not made. `change` says that
    /// files that exist would be changed.
    pub(super) fn show(&mut self, change: bool, out: &mut impl Write) -> io::Result<()> {
        let owner = self.owner.as_ref();
        let group = owner.map_or("root", Account::group_name);
        let file = format!("mode 640, owner root, group {group}");
        for folder in &self.folders {
            let owner = owner
                .filter(|_| folder.is_daemons)
                .map_or("root", Account::name);
            let path = folder.path.display();
            writeln!(
                out,
                "new folder {path} (mode 750, owner {owner}, group {group})"
            )?;
        }
        for path in &self.unreadable {
            writeln!(out, "group {group} for {}", path.display())?;
        }
        if let Some(key) = &self.key {
            writeln!(out, "new file {} ({file}): a random key", key.display())?;
        }
        if let Some((folder, names)) = &self.certificate {
            let (folder, names) = (folder.display(), names.join(", "));
            writeln!(
                out,
                "new files {folder}/cert.pem, {folder}/key.pem ({file}): a certificate for {names}"
            )?;
        }
        if let Some((path, name, _)) = &self.users {
            let rights = "who may do everything, with the password that is asked for";
            writeln!(
                out,
                "new user {name} in {} ({file}), {rights}",
                path.display()
            )?;
        }
        for (path, text) in &self.files {
            write!(out, "new file {} ({file}):\n{text}", path.display())?;
        }
        for planned in &self.changes {
            let path = planned.path.display();
            match change {
                true => writeln!(
                    out,
                    "changed file {path}, the old one beside it as {path}.bak:"
                )?,
                false => writeln!(
                    out,
                    "{path} stays as it is; with --change, or if you agree, it is changed so:"
                )?,
            }
            write!(out, "{}", planned.diff())?;
        }
        if change {
            self.is_registered |= self.changes.iter().any(|change| change.is_of_daemon);
            self.old = None;
        }
        Ok(())
    }

    /// Writes all of it. `agrees` is asked about each file that exists, with its path and the
    /// difference.
    pub(super) fn carry_out(
        &mut self,
        agrees: impl Fn(&Path, &str) -> io::Result<bool>,
    ) -> Result<(), Box<dyn Error>> {
        for folder in &self.folders {
            self.make_folder(folder)?;
        }
        if let Some(owner) = &self.owner {
            let mut unreadable = self.unreadable.iter();
            unreadable.try_for_each(|path| owner.may_read(&self.root.at(path)))?;
        }
        if let Some(key) = &self.key {
            self.create(key, &format!("{}\n", key::random()?))?;
        }
        if let Some((folder, names)) = &self.certificate {
            let made = cert::make(names, cert::DAYS, &self.root.at(folder))?;
            for path in [made.certificate, made.key] {
                self.protect(&path)?;
            }
            written(&folder.join("cert.pem"));
            written(&folder.join("key.pem"));
        }
        if let Some((path, name, stored)) = &self.users {
            self.add_user(path, name, stored)?;
        }
        for (path, text) in &self.files {
            self.create(path, text)?;
        }
        for change in &self.changes {
            if agrees(&change.path, &change.diff())? {
                change.carry_out(self.root)?;
                match change.is_of_daemon {
                    true => self.is_registered = true,
                    false => self.old = None,
                }
            } else if !change.is_of_daemon {
                message::warning(format_args!(
                    "{} is not changed (--change does it):\n{}",
                    change.path.display(),
                    change.diff()
                ));
            }
        }
        Ok(())
    }

    fn add_user(&self, path: &Path, name: &str, stored: &str) -> Result<(), Box<dyn Error>> {
        let here = self.root.at(path);
        let is_new = !here.exists();
        let mut editor = UsersEditor::open(&here)?;
        let user = NewUser {
            rights: vec!["admin".to_owned()],
            ..NewUser::default()
        };
        editor.add(name, stored, &user)?;
        editor.save()?;
        if is_new {
            self.protect(&here)?;
        }
        message::note(format_args!("{}: {name} is added", path.display()));
        Ok(())
    }

    fn change_daemon(&mut self, daemon: &Daemon, new: String) {
        self.changes.push(Change {
            path: daemon.config.clone(),
            is_of_daemon: true,
            old: daemon.text.clone(),
            new,
        });
    }

    fn need_folder(&mut self, path: &Path, is_daemons: bool) {
        if !self.root.at(path).exists() {
            self.folders.push(NewFolder {
                path: path.to_owned(),
                is_daemons,
            });
        }
    }

    fn make_folder(&self, folder: &NewFolder) -> Result<(), Box<dyn Error>> {
        let path = self.root.at(&folder.path);
        let failed = |error| format!("{}: {error}", path.display());
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        DirBuilder::new()
            .mode(0o750)
            .create(&path)
            .map_err(failed)?;
        match &self.owner {
            Some(owner) if folder.is_daemons => owner.owns(&path)?,
            Some(owner) => owner.may_read(&path)?,
            None => {}
        }
        written(&folder.path);
        Ok(())
    }

    fn create(&self, path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
        let here = self.root.at(path);
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(SECRET)
            .open(&here)
            .map_err(|error| format!("{}: {error}", here.display()))?;
        file.write_all(text.as_bytes())?;
        self.protect(&here)?;
        written(path);
        Ok(())
    }

    /// Lets the daemon read a file, and nobody else.
    fn protect(&self, here: &Path) -> Result<(), Box<dyn Error>> {
        fs::set_permissions(here, PermissionsExt::from_mode(SECRET))?;
        if let Some(owner) = &self.owner {
            owner.may_read(here)?;
        }
        Ok(())
    }
}

fn written(path: &Path) {
    message::note(format_args!("{} is written", path.display()));
}

/// Returns the folder and the names of the certificate that is missing, `None` if none is needed, or
/// if it has a name that this tool does not give.
fn new_certificate(root: &Root, config: &Value) -> Option<(PathBuf, Vec<String>)> {
    let listen = listen_of(config).unwrap_or_default();
    let [cert, key] = ["cert", "key"].map(|name| path_of(&config["tls"], name));
    let (cert, key) = (cert?, key?);
    let folder = cert.parent()?;
    let is_ours = cert.ends_with("cert.pem") && key == folder.join("key.pem");
    let is_missing = !root.at(&cert).exists() && !root.at(&key).exists();
    let is_needed = is_ours && is_missing && listen.iter().any(|listen| listen.tls);
    is_needed.then(|| (folder.to_owned(), answers::names(&listen)))
}

/// Returns the configuration that is wanted: the one that is there with what the answers change
/// and what it needs, or a new one.
fn configuration(answers: &Answers, old: Option<&Value>, folder: &Path) -> Value {
    let mut new = match old.and_then(Value::as_object) {
        Some(old) => old.clone(),
        None => Map::from_iter([
            ("//".to_owned(), "All keys: man 5 websocksrv.json".into()),
            ("interface".to_owned(), Value::Null),
        ]),
    };
    let is_new = old.is_none();
    if let Some(listen) = &answers.listen {
        let mut texts: Vec<_> = listen
            .iter()
            .map(|listen| json!(listen.to_string()))
            .collect();
        let interface = match texts.len() {
            1 => texts.remove(0),
            _ => texts.into(),
        };
        new.insert("interface".to_owned(), interface);
    }
    let users = new.get("users").and_then(Value::as_array);
    let has_users = users.is_some_and(|users| !users.is_empty());
    let has_key = new.get("allow-default-key") == Some(&json!(true));
    let has_tls = listen_of(&json!({"interface": new.get("interface")}));
    let has_tls = has_tls.iter().flatten().any(|listen| listen.tls);
    let mut default = |key: &str, value: Value| {
        if new.get(key).is_none_or(|value| value.is_null()) {
            new.insert(key.to_owned(), value);
        }
    };
    // Another key would lock out all clients, and a users file would hide the users.
    if !has_key {
        default("key-file", json!(folder.join("vscp.key")));
    }
    if !has_users {
        default("path-users", json!(folder.join("users.json")));
    }
    if has_tls {
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
        default("tls", json!({"cert": cert, "key": key}));
    }
    if is_new {
        default("logging", json!({"file-path": paths::LOG}));
    }
    new.into()
}
