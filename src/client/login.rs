//! Logins of clients. While its password is checked a client cannot lose its place to another one.

use std::{net::IpAddr, sync::Arc};

use tokio::time::sleep;

use super::places::Place;
use crate::auth::{Authenticator, Credentials, LoginError, Rights, User};

/// An attempt of a client to log in.
#[derive(Debug)]
pub(crate) struct Login {
    /// `None` if they could not be decrypted.
    pub(crate) credentials: Option<Credentials>,
    /// Where the client connects from.
    pub(crate) address: IpAddr,
    /// The rights of which the user must have one.
    pub(crate) needed: Rights,
    /// The number of failures with the same name and from the same address from which on further
    /// attempts are not looked at.
    pub(crate) max_failures: usize,
}

impl Login {
    /// Waits for the turn of the address, has the password checked, and returns the user. A refusal
    /// is returned with a delay, which grows with the failures from the address. The client may
    /// lose its `place` while it waits, but not during the check.
    pub(crate) async fn run(
        self,
        authenticator: &Arc<Authenticator>,
        place: Option<&Place>,
    ) -> Result<Arc<User>, LoginError> {
        let name = self.credentials.as_ref().map_or("", |it| &it.user);
        let turn = authenticator.turn(name, self.address).await?;
        if turn.failures_of(name) >= self.max_failures {
            return Err(turn.refuse());
        }
        if let Some(place) = place {
            place.note_working();
        }
        match turn.check(self.credentials, self.needed).await {
            Ok(user) => Ok(user),
            Err(refusal) => {
                if let Some(place) = place {
                    place.note_waiting();
                }
                sleep(refusal.delay).await;
                Err(refusal.error)
            }
        }
    }
}
