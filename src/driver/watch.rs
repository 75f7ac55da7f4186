//! The task that reads the users file, the certificates and the names again when they have changed.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::{
    auth::Authenticator, client::Registry, config::UsersFile, names::Names,
    runtime::on_blocking_thread, tls::Tls,
};

/// The files, and what a change of them affects.
pub(super) struct Watch {
    /// `None` if the users are part of the configuration.
    pub(super) users: Option<UsersFile>,
    /// `None` if nothing is served over TLS.
    pub(super) tls: Option<Arc<Tls>>,
    /// The names of nodes and sensors.
    pub(super) names: Arc<Names>,
    /// Gets the users that were read.
    pub(super) authenticator: Arc<Authenticator>,
    /// Disconnects the clients whose user has changed.
    pub(super) registry: Arc<Registry>,
}

impl Watch {
    /// Returns true if there is a file to watch.
    pub(super) fn has_files(&self) -> bool {
        self.users.is_some() || self.tls.is_some() || self.names.has_file()
    }

    /// Checks the files now and then every `period`, until the runtime shuts down.
    pub(super) async fn run(mut self, period: Duration) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // A file system may be slow.
            let checked = on_blocking_thread(move || {
                self.check();
                self
            });
            match checked.await {
                Some(watch) => self = watch,
                None => return,
            }
        }
    }

    /// Reads the files that have changed.
    fn check(&mut self) {
        if let Some(users) = self.users.as_mut().and_then(UsersFile::reload) {
            self.authenticator.set_users(users);
            self.registry.disconnect_changed_users(&self.authenticator);
        }
        if let Some(tls) = &self.tls {
            tls.reload();
        }
        self.names.reload();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        net::{IpAddr, Ipv4Addr},
        path::Path,
        task::{Context, Poll, Waker},
    };

    use tempfile::TempDir;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::{
        auth::{AuthenticatorSettings, Users},
        client::{
            ClientGuard,
            registry::{Limits, POLICY},
        },
        located_json::Warnings,
        test_log::TestLog,
        tls,
    };

    /// The clock is paused: it costs no time.
    const PERIOD: Duration = Duration::from_secs(1);

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// MD5 of `a:secret`, `b:secret` and `a:changed`.
    const A: &str = "1cb78dddc7b7eec6dcfb8701059777cb";
    const B: &str = "b909376bfd6dd9e54143dd0b74f805c6";
    const A_CHANGED: &str = "336bd4d9a2d8dcc19fc73cafa2684c59";

    /// A users file in a folder of its own, and what is watched with it.
    struct Watched {
        folder: TempDir,
        authenticator: Arc<Authenticator>,
        registry: Arc<Registry>,
        tls: Option<Arc<Tls>>,
    }

    impl Watched {
        /// Starts to watch a file with these users.
        fn users(users: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("users.json");
            put(&path, &json(users));
            let path = path.to_str().unwrap();
            let (file, users) = UsersFile::open(path, &mut Warnings::default());
            Self::start(folder, users, Some(file), None)
        }

        /// Starts to watch a certificate.
        fn certificate() -> Self {
            let folder = tempfile::tempdir().unwrap();
            put_certificate(folder.path());
            let settings = tls::Settings {
                certificate: folder.path().join("cert.pem"),
                key: folder.path().join("key.pem"),
                client_ca: None,
                min_version: tls::Version::V1_2,
            };
            let tls = Arc::new(Tls::open(settings).unwrap());
            Self::start(folder, Users::default(), None, Some(tls))
        }

        fn start(
            folder: TempDir,
            users: Users,
            file: Option<UsersFile>,
            tls: Option<Arc<Tls>>,
        ) -> Self {
            let authenticator = Authenticator::new(AuthenticatorSettings {
                users,
                max_concurrency: 1,
                counters: Arc::default(),
            });
            let limits = Limits {
                max_websockets: 0,
                max_sessions: 0,
                max_per_address: 0,
                max_pending: 0,
            };
            let registry = Arc::new(Registry::new(limits, Arc::default()));
            let watch = Watch {
                users: file,
                tls: tls.clone(),
                names: Arc::new(Names::open(None)),
                authenticator: authenticator.clone(),
                registry: registry.clone(),
            };
            assert!(watch.has_files());
            tokio::spawn(watch.run(PERIOD));
            Self {
                folder,
                authenticator,
                registry,
                tls,
            }
        }

        fn put_users(&self, text: &str) {
            put(&self.folder.path().join("users.json"), text);
        }

        /// A client that has logged in with the password `secret`.
        async fn client(&self, name: &str) -> ClientGuard {
            let guard = self.registry.admit_session(HOME).unwrap();
            let login = format!("{name}:secret");
            let user = self.authenticator.login(&login, HOME).await;
            guard.set_user(Some(user.unwrap()));
            guard
        }

        async fn login(&self, name: &str, password: &str) -> bool {
            let login = format!("{name}:{password}");
            self.authenticator.login(&login, HOME).await.is_ok()
        }
    }

    fn json(users: &[(&str, &str)]) -> String {
        let users = users
            .iter()
            .map(|(name, password)| serde_json::json!({"name": name, "password": password}));
        serde_json::json!({"users": users.collect::<Vec<_>>()}).to_string()
    }

    fn put_certificate(folder: &Path) {
        let pair = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        put(&folder.join("cert.pem"), &pair.cert.pem());
        put(&folder.join("key.pem"), &pair.signing_key.serialize_pem());
    }

    /// Replaces a file in one step.
    fn put(path: &Path, text: &str) {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(&new, path).unwrap();
    }

    fn is_disconnected(guard: &ClientGuard) -> bool {
        let context = Context::from_waker(Waker::noop());
        guard.poll_close(&context) == Poll::Ready(POLICY)
    }

    async fn wait_until(condition: impl Fn() -> bool) {
        let wait = async {
            while !condition() {
                sleep(PERIOD / 10).await;
            }
        };
        timeout(PERIOD * 10, wait).await.expect("it never came");
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_who_is_removed_is_disconnected_though_nobody_logs_in() {
        let watched = Watched::users(&[("a", A), ("b", B)]);
        let removed = watched.client("a").await;
        let stays = watched.client("b").await;
        watched.put_users(&json(&[("b", B)]));
        wait_until(|| is_disconnected(&removed)).await;
        assert!(!is_disconnected(&stays));
        assert!(!watched.login("a", "secret").await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_whose_password_has_changed_is_disconnected_and_logs_in_with_the_new_one() {
        let watched = Watched::users(&[("a", A)]);
        let client = watched.client("a").await;
        watched.put_users(&json(&[("a", A_CHANGED)]));
        wait_until(|| is_disconnected(&client)).await;
        assert!(!watched.login("a", "secret").await);
        assert!(watched.login("a", "changed").await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_users_file_that_is_broken_leaves_the_old_users_and_is_logged_once() {
        let log = TestLog::start();
        let watched = Watched::users(&[("a", A)]);
        let client = watched.client("a").await;
        log.take();
        watched.put_users("{");
        sleep(PERIOD * 5).await;
        let lines = log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("ERROR "), "{lines:?}");
        assert!(lines[0].contains("users.json:1: "), "{lines:?}");
        assert!(!is_disconnected(&client));
        assert!(watched.login("a", "secret").await);
        log.take();

        watched.put_users(&json(&[]));
        wait_until(|| is_disconnected(&client)).await;
        let lines = log.take();
        assert!(
            lines.iter().all(|line| !line.starts_with("ERROR ")),
            "{lines:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn new_connections_use_a_changed_certificate() {
        let log = TestLog::start();
        let watched = Watched::certificate();
        let tls = watched.tls.clone().unwrap();
        let before = tls.config();
        sleep(PERIOD * 5).await;
        assert!(Arc::ptr_eq(&before, &tls.config()), "nothing has changed");
        assert_eq!(log.take(), [""; 0]);

        put_certificate(watched.folder.path());
        wait_until(|| !Arc::ptr_eq(&before, &tls.config())).await;
    }
}
