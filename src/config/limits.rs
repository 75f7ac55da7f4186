//! The limits of clients.

use super::{keys, section::Section};
use crate::{
    client::{backlog::BacklogLimits, registry},
    located_json::ConfigError,
    ws,
};

/// Reads how many clients there may be.
pub(super) fn clients(section: &mut Section<'_, '_>) -> Result<registry::Limits, ConfigError> {
    let max_clients = section.take(&keys::MAX_CLIENTS)?;
    Ok(registry::Limits {
        max_websockets: max_clients,
        max_sessions: max_clients,
        max_per_address: section.take(&keys::MAX_CLIENTS_PER_ADDRESS)?,
        max_pending: section.take(&keys::MAX_AUTH_PENDING)?,
    })
}

/// Reads the limits of one websocket.
pub(super) fn websocket(section: &mut Section<'_, '_>) -> Result<ws::Limits, ConfigError> {
    Ok(ws::Limits {
        message_size: section.take(&keys::MAX_MESSAGE_SIZE)?,
        auth_timeout: section.take(&keys::AUTH_TIMEOUT)?,
        auth_attempts: section.take(&keys::MAX_AUTH_ATTEMPTS)?,
        ping_interval: section.take(&keys::PING_INTERVAL)?,
        ping_timeout: section.take(&keys::PING_TIMEOUT)?,
        write_timeout: section.take(&keys::WRITE_TIMEOUT)?,
    })
}

/// Reads the limits of the events that wait for clients.
pub(super) fn backlog(section: &mut Section<'_, '_>) -> Result<BacklogLimits, ConfigError> {
    Ok(BacklogLimits {
        events: section.take(&keys::MAX_CLIENT_QUEUE_SIZE)?,
        bytes: section.take(&keys::MAX_CLIENT_QUEUE_BYTES)?,
        total_bytes: section.take(&keys::MAX_QUEUE_BYTES)?,
    })
}
