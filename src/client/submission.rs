//! The decision whether a user may send an event.

use crate::{auth::User, event::Event};

/// The user may not send events of this class and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAllowed;

/// Checks that `user` may send `event`, and lowers its priority to the highest that the user may
/// use. Fails if the rights or the event rules of the user forbid it.
pub(crate) fn authorize(user: &User, event: &mut Event) -> Result<(), NotAllowed> {
    if !user.may_send(event.class, event.kind) {
        return Err(NotAllowed);
    }
    let priority = user.lowered_priority(event.class, event.kind, event.priority());
    event.set_priority(priority);
    Ok(())
}
