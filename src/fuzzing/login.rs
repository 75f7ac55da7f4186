//! The parts of a login: blob, key, stored password.

use super::text;
use crate::auth::{
    Key, StoredPassword,
    login::{BLOCK, decrypt},
};

/// Decrypts a login blob behind its initialisation vector, and parses the text of a key file and a
/// stored password.
pub fn login(data: &[u8]) {
    if let Some((iv, crypto)) = data.split_first_chunk::<BLOCK>() {
        let credentials = decrypt(&Key::WELL_KNOWN, *iv, crypto);
        assert!(credentials.is_none() || crypto.len().is_multiple_of(BLOCK));
        if let Some(credentials) = credentials {
            assert!(!credentials.user.contains(':'));
        }
    }
    // Any key will do.
    let _ = Key::parse(data);
    if let Some(Ok(password)) = text(data).map(StoredPassword::parse)
        && password.rounds() < 10
    {
        assert!(!password.matches("admin", "not the password"));
    }
}
