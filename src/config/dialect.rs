//! The dialect of ws1 and ws2.

use super::{keys, section::Section};
use crate::{located_json::ConfigError, ws::Dialect};

/// Reads how ws1 and ws2 are spoken.
pub(super) fn read(section: &mut Section<'_, '_>) -> Result<Dialect, ConfigError> {
    Ok(Dialect {
        ws1_iv_is_sid: section.take(&keys::WS1_IV)?,
        ws2_iv_is_sid: section.take(&keys::WS2_IV)?,
        ws1_auth_reply: section.take(&keys::WS1_AUTH_REPLY)?,
        ws2_event_type: section.take(&keys::WS2_EVENT_TYPE)?,
        ws2_event_keys: section.take(&keys::WS2_EVENT_KEYS)?,
    })
}
