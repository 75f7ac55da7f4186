//! Passwords as the users file stores them: MD5, the old form, or PBKDF2 with a salt.

use std::fmt;

use md5::{Digest, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// A password as the users file stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    /// MD5 of `user:password`.
    Md5([u8; 16]),
    /// PBKDF2-HMAC-SHA256 of `user:password`, or of the password alone.
    Pbkdf2 {
        salt: Vec<u8>,
        hash: [u8; 32],
        rounds: u32,
    },
}

/// The error of parsing a text that is not a stored password. The message does not show the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// There is one field, and it is not an MD5 hash.
    #[error("one field that is not 32 hex digits")]
    Md5,
    /// The salt is empty, too long or not hex.
    #[error("a salt that is not 1 to {MAX_SALT} bytes in hex")]
    Salt,
    /// The hash is too short, too long or not hex.
    #[error("a hash that is not 64 hex digits")]
    Hash,
    /// The number of rounds is 0, too large or not a number.
    #[error("a number of rounds that is not 1 to {MAX_ROUNDS}")]
    Rounds,
    /// There are more than three fields.
    #[error("more than three fields")]
    Fields,
}

impl StoredPassword {
    /// Reads `MD5`, `SALT;HASH` or `SALT;HASH;ROUNDS`. Fails if a field is wrong.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let fields: Vec<&str> = text.split(';').map(str::trim).collect();
        let (salt, hash, rounds) = match fields[..] {
            [salt, hash] => (salt, hash, DEFAULT_ROUNDS),
            [salt, hash, rounds] => {
                let rounds = rounds.parse().map_err(|_| PasswordError::Rounds)?;
                (salt, hash, rounds)
            }
            [only] => {
                let mut md5 = [0; 16];
                hex::decode_to_slice(only, &mut md5).map_err(|_| PasswordError::Md5)?;
                return Ok(Self(Form::Md5(md5)));
            }
            _ => return Err(PasswordError::Fields),
        };
        let salt = hex::decode(salt).map_err(|_| PasswordError::Salt)?;
        if !(1..=MAX_SALT).contains(&salt.len()) {
            return Err(PasswordError::Salt);
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash, &mut bytes).map_err(|_| PasswordError::Hash)?;
        if !(1..=MAX_ROUNDS).contains(&rounds) {
            return Err(PasswordError::Rounds);
        }
        let hash = bytes;
        Ok(Self(Form::Pbkdf2 { salt, hash, rounds }))
    }

    /// Returns the number of PBKDF2 rounds that one comparison takes, 0 for MD5.
    pub fn rounds(&self) -> u32 {
        match self.0 {
            Form::Md5(_) => 0,
            Form::Pbkdf2 { rounds, .. } => rounds,
        }
    }

    /// Returns true if it is stored as MD5.
    pub fn is_md5(&self) -> bool {
        matches!(self.0, Form::Md5(_))
    }

    /// Returns true if it is the password of `user`.
    pub fn matches(&self, user: &str, password: &str) -> bool {
        self.compare(user, password, &mut 0)
    }

    /// Returns true if it is the password of `user`. Adds to `spent` the PBKDF2 rounds that this
    /// takes: [`rounds`](Self::rounds) once, or twice if the hash is not that of `user:password`.
    pub(super) fn compare(&self, user: &str, password: &str, spent: &mut u32) -> bool {
        let both = format!("{user}:{password}");
        match &self.0 {
            Form::Md5(md5) => Md5::digest(both)[..].ct_eq(md5).into(),
            Form::Pbkdf2 { salt, hash, rounds } => [both.as_str(), password].iter().any(|text| {
                *spent += rounds;
                derive(text, salt, *rounds).ct_eq(hash).into()
            }),
        }
    }
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredPassword({} rounds)", self.rounds())
    }
}

/// Returns the text to store for a user's password, `SALT;HASH;ROUNDS`. Fails if the system has no
/// randomness.
pub fn store(user: &str, password: &str) -> Result<String, getrandom::Error> {
    store_with(user, password, ROUNDS_WRITTEN)
}

/// Takes as much time as a comparison with this number of rounds.
pub(super) fn spend(rounds: u32) {
    if rounds > 0 {
        std::hint::black_box(derive("user:password", &[0; 16], rounds));
    }
}

/// Rounds of a stored password without the field ROUNDS.
const DEFAULT_ROUNDS: u32 = 70_000;

/// Rounds of a password that [`store`] writes.
const ROUNDS_WRITTEN: u32 = 600_000;

/// These take several seconds; a larger number is a mistake.
const MAX_ROUNDS: u32 = 10_000_000;

const MAX_SALT: usize = 64;

fn store_with(user: &str, password: &str, rounds: u32) -> Result<String, getrandom::Error> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    let hash = derive(&format!("{user}:{password}"), &salt, rounds);
    let [salt, hash] = [hex::encode_upper(salt), hex::encode_upper(hash)];
    Ok(format!("{salt};{hash};{rounds}"))
}

fn derive(text: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    #[cfg(test)]
    ROUNDS_SPENT.set(ROUNDS_SPENT.get() + u64::from(rounds));
    pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(text.as_bytes(), salt, rounds)
}

#[cfg(test)]
thread_local! {
    /// The PBKDF2 rounds that the thread has spent.
    pub(super) static ROUNDS_SPENT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vectors_match_as_they_say() {
        let vectors = include_str!("../../tests/vectors/passwords.tsv");
        let mut lines = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let stored = StoredPassword::parse(fields[0]).unwrap();
            assert_eq!(
                stored.matches(fields[1], fields[2]),
                fields[3] == "match",
                "{line}"
            );
            lines += 1;
        }
        assert!(lines >= 7);
    }

    #[test]
    fn the_number_of_rounds_is_read_and_70000_where_it_is_not_said() {
        let hash = "00".repeat(32);
        for (text, rounds) in [
            (format!("00;{hash}"), 70_000),
            (format!(" 00 ; {hash} ; 1 "), 1),
            (format!("{};{hash};10000000", "ab".repeat(64)), 10_000_000),
            ("00".repeat(16), 0),
        ] {
            let stored = StoredPassword::parse(&text).unwrap();
            assert_eq!(stored.rounds(), rounds);
            assert_eq!(stored.is_md5(), rounds == 0);
        }
    }

    #[test]
    fn what_is_no_stored_password_is_an_error_that_does_not_show_it() {
        let hash = "5e".repeat(32);
        for (text, error) in [
            (String::new(), PasswordError::Md5),
            ("secret".into(), PasswordError::Md5),
            ("5e".repeat(15), PasswordError::Md5),
            (hash.clone(), PasswordError::Md5),
            (format!(";{hash}"), PasswordError::Salt),
            (format!("5;{hash}"), PasswordError::Salt),
            (format!("5x;{hash}"), PasswordError::Salt),
            (format!("{};{hash}", "5e".repeat(65)), PasswordError::Salt),
            ("5e;".into(), PasswordError::Hash),
            (format!("5e;{hash}5e"), PasswordError::Hash),
            (format!("5e;{hash};"), PasswordError::Rounds),
            (format!("5e;{hash};0"), PasswordError::Rounds),
            (format!("5e;{hash};10000001"), PasswordError::Rounds),
            (format!("5e;{hash};-1"), PasswordError::Rounds),
            (format!("5e;{hash};1;1"), PasswordError::Fields),
        ] {
            assert_eq!(StoredPassword::parse(&text), Err(error), "{text}");
            assert!(!error.to_string().contains("5e"));
        }
    }

    #[test]
    fn a_stored_password_has_a_new_salt_and_matches() {
        let [one, two] = [(), ()].map(|()| store_with("admin", "secret", 3).unwrap());
        assert_ne!(one[..32], two[..32]);
        for text in [one, two] {
            assert!(!text.contains(|c: char| c.is_ascii_lowercase()));
            let stored = StoredPassword::parse(&text).unwrap();
            assert!(stored.matches("admin", "secret"));
            assert!(!stored.matches("admin", "Secret"));
        }
    }

    #[test]
    fn a_password_is_stored_with_600000_rounds_and_a_salt_of_16_bytes() {
        let text = store("admin", "secret").unwrap();
        assert_eq!(StoredPassword::parse(&text).unwrap().rounds(), 600_000);
        assert_eq!(text.find(';'), Some(32));
    }

    #[test]
    fn a_failure_spends_two_comparisons() {
        let stored = stored("admin:secret", 7);
        let before = ROUNDS_SPENT.get();
        assert!(stored.matches("admin", "secret"));
        assert_eq!(ROUNDS_SPENT.get() - before, 7);
        assert!(!stored.matches("user", "secret"));
        assert_eq!(ROUNDS_SPENT.get() - before, 21);
        spend(5);
        assert_eq!(ROUNDS_SPENT.get() - before, 26);
    }

    #[test]
    fn debug_shows_no_hash() {
        assert_eq!(format!("{:?}", stored("x", 7)), "StoredPassword(7 rounds)");
    }

    fn stored(text: &str, rounds: u32) -> StoredPassword {
        let hash = hex::encode(derive(text, b"salt", rounds));
        StoredPassword::parse(&format!("73616c74;{hash};{rounds}")).unwrap()
    }

    proptest! {
        // Without NUL: HMAC fills a short key up with it, so that PBKDF2 does not see one at the
        // end.
        #[test]
        fn either_form_matches_and_nothing_else(
            user in "[a-z]{1,8}",
            password in r"[^\n\x00]{0,80}",
            other in r"[^\n\x00]{0,80}",
            rounds in 1u32..9,
        ) {
            let both = format!("{user}:{password}");
            prop_assume!(other != both && password != format!("{user}:{other}"));
            let md5 = StoredPassword::parse(&hex::encode(Md5::digest(&both))).unwrap();
            for form in [stored(&both, rounds), stored(&password, rounds), md5] {
                prop_assert!(form.matches(&user, &password));
                prop_assert_eq!(form.matches(&user, &other), password == other);
            }
        }

        #[test]
        fn no_text_makes_parse_panic(text in "[0-9a-f;]{0,140}|.{0,40}") {
            let _ = StoredPassword::parse(&text);
        }
    }
}
