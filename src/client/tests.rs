//! The state that the tests of connections share.

use super::{backlog::BacklogLimits, registry::Limits, *};
use crate::{
    auth::{AuthenticatorSettings, Rights, StoredPassword, User, Users},
    event::{Filter, Guid, Layout},
    hub::{self, RingLimits},
};

/// MD5 of `admin:secret`.
const PASSWORD: &str = "2d1e4f91dae49cd08eaba2293e422273";

/// Makes a state with one user, `admin`.
pub(crate) fn shared() -> Arc<Shared> {
    shared_keeping(100)
}

/// The same; so many events are kept for a client.
pub(crate) fn shared_keeping(events: usize) -> Arc<Shared> {
    let counters = Arc::new(Counters::default());
    let mut users = Users::default();
    users.add(User {
        rights: Rights::ADMIN,
        ..User::new("admin", StoredPassword::parse(PASSWORD).unwrap())
    });
    let settings = hub::Settings {
        guid: Guid::ZERO,
        rx_filter: Filter::default(),
        host_max_data: 512,
        echo_filter: false,
        layout: Layout::Classic,
        host_queue: 100,
        ring: RingLimits::default(),
    };
    let limits = Limits {
        max_websockets: 100,
        max_sessions: 100,
        max_per_address: 0,
        max_pending: 16,
    };
    let commands = tokio::sync::mpsc::channel(1).0;
    let hub = Arc::new(Hub::new(settings, counters.clone(), commands));
    let backlog = BacklogLimits {
        events,
        bytes: usize::MAX,
        total_bytes: usize::MAX,
    };
    Arc::new(Shared {
        backlogs: Backlogs::new(backlog, hub.memory().clone(), counters.clone()),
        hub,
        authenticator: Authenticator::new(AuthenticatorSettings {
            users,
            max_concurrency: 1,
            counters: counters.clone(),
        }),
        registry: Arc::new(Registry::new(limits, counters.clone())),
        counters,
    })
}
