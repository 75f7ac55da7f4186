//! The login blob: `user:password`, encrypted with AES-128-CBC and a key that all clients share.

use std::fmt;

use aes::{
    Aes128,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};

/// Bytes of the key, of the initialisation vector and of a cipher block.
pub const BLOCK: usize = 16;

/// The largest number of encrypted bytes.
pub const MAX_CRYPTO: usize = 512;

/// The key that login blobs are encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; BLOCK]);

impl Key {
    /// The key that every installation of the C++ driver has. It is public.
    pub const WELL_KNOWN: Self = Self([
        0x2D, 0xBB, 0x07, 0x9A, 0x38, 0x98, 0x5A, 0xF0, 0x0E, 0xBE, 0xEF, 0xE2, 0x2F, 0x9F, 0xFA,
        0x0E,
    ]);

    /// Returns the key with these bytes.
    pub const fn new(bytes: [u8; BLOCK]) -> Self {
        Self(bytes)
    }

    /// Draws a new key. Fails if the system has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BLOCK];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads the text of a key file: its first 32 hex digits are the key. Fails if there are fewer.
    pub fn parse(text: &[u8]) -> Result<Self, TooFewDigits> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let text = text.trim_ascii();
        let mut key = [0; BLOCK];
        match text
            .get(..2 * BLOCK)
            .map(|digits| hex::decode_to_slice(digits, &mut key))
        {
            Some(Ok(())) => Ok(Self(key)),
            _ => Err(TooFewDigits {
                found: text
                    .iter()
                    .take_while(|byte| byte.is_ascii_hexdigit())
                    .count(),
            }),
        }
    }
}

/// A key file does not begin with 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewDigits {
    /// The number of digits at its start.
    pub found: usize,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// A user name and a password, as a client sends them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name of the user.
    pub user: String,
    /// The password as it was typed.
    pub password: String,
}

impl Credentials {
    /// Splits `user:password` at the first colon. Returns `None` if there is no colon.
    pub fn parse(text: &str) -> Option<Self> {
        let (user, password) = text.split_once(':')?;
        Some(Self {
            user: user.into(),
            password: password.into(),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Decrypts a login blob of 16, 32 .. [`MAX_CRYPTO`] bytes. Returns `None` if it has another length
/// or does not hold `user:password`.
pub fn decrypt(key: &Key, iv: [u8; BLOCK], crypto: &[u8]) -> Option<Credentials> {
    if crypto.is_empty() || crypto.len() > MAX_CRYPTO {
        return None;
    }
    let mut plain = crypto.to_vec();
    let decryptor = cbc::Decryptor::<Aes128>::new(&key.0.into(), &iv.into());
    let plain = decryptor.decrypt_padded::<NoPadding>(&mut plain).ok()?;
    Credentials::parse(str::from_utf8(without_padding(plain)).ok()?)
}

/// Encrypts a login as clients send it, padded with zeros. Returns `None` if it is longer than
/// [`MAX_CRYPTO`].
pub fn encrypt(key: &Key, iv: [u8; BLOCK], credentials: &Credentials) -> Option<Vec<u8>> {
    let mut crypto = format!("{}:{}", credentials.user, credentials.password).into_bytes();
    crypto.resize(crypto.len().next_multiple_of(BLOCK), 0);
    if crypto.len() > MAX_CRYPTO {
        return None;
    }
    let length = crypto.len();
    let encryptor = cbc::Encryptor::<Aes128>::new(&key.0.into(), &iv.into());
    encryptor
        .encrypt_padded::<NoPadding>(&mut crypto, length)
        .ok()?;
    Some(crypto)
}

/// Some editors write it at the start of every file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Strips the paddings that clients use: PKCS#7 (RFC 5652 §6.3), NUL, spaces.
fn without_padding(plain: &[u8]) -> &[u8] {
    let mut text = plain;
    if let Some(&count @ 1..=16) = plain.last() {
        let padding = [count; BLOCK];
        text = plain
            .strip_suffix(&padding[..count.into()])
            .unwrap_or(plain);
    }
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    text[..end].trim_ascii_end()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IV: [u8; BLOCK] = [7; BLOCK];

    fn encrypt(plain: &[u8]) -> Vec<u8> {
        let encryptor = cbc::Encryptor::<Aes128>::new(&Key::WELL_KNOWN.0.into(), &IV.into());
        let mut crypto = plain.to_vec();
        let length = plain.len();
        encryptor
            .encrypt_padded::<NoPadding>(&mut crypto, length)
            .unwrap();
        crypto
    }

    fn bytes(hex: &str) -> [u8; BLOCK] {
        hex::decode(hex).unwrap().try_into().unwrap()
    }

    #[test]
    fn the_vectors_decrypt_as_they_say() {
        let vectors = include_str!("../../tests/vectors/login.tsv");
        let mut lines = 0;
        for line in vectors.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let key = Key::new(bytes(fields[0]));
            let crypto = hex::decode(fields[2]).unwrap();
            let credentials = decrypt(&key, bytes(fields[1]), &crypto).unwrap();
            assert_eq!(credentials.user, fields[3], "{line}");
            assert_eq!(credentials.password, fields[4], "{line}");
            lines += 1;
        }
        assert!(lines >= 7);
    }

    #[test]
    fn paddings_are_stripped_as_clients_use_them() {
        for (plain, text) in [
            (b"admin:secret\0\0\0\0", &b"admin:secret"[..]),
            (b"admin:secret    ", b"admin:secret"),
            (b"admin:secret\x04\x04\x04\x04", b"admin:secret"),
            (
                b"admin:secret\x04\x04\x04\x03",
                b"admin:secret\x04\x04\x04\x03",
            ),
            (
                b"admin:secret\x05\x04\x04\x04",
                b"admin:secret\x05\x04\x04\x04",
            ),
            (b"admin:secret12\r\n", b"admin:secret12"),
            (b"admin:secret123\x01", b"admin:secret123"),
            (b"admin:sec\0et1234", b"admin:sec"),
            (b"admin:sec \0xyz\x02\x02", b"admin:sec"),
            (
                b"  a:\0\x0B\x0B\x0B\x0B\x0B\x0B\x0B\x0B\x0B\x0B\x0B",
                b"  a:",
            ),
            (
                b"\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10",
                b"",
            ),
            (b"admin:secret1234", b"admin:secret1234"),
        ] {
            assert_eq!(without_padding(plain), text, "{plain:?}");
        }
        assert_eq!(without_padding(b""), b"");
        assert_eq!(without_padding(b"\x02"), b"\x02");
    }

    #[test]
    fn the_first_colon_ends_the_user() {
        let credentials = decrypt(&Key::WELL_KNOWN, IV, &encrypt(b"user:pass:wo:rd\0")).unwrap();
        assert_eq!(credentials.user, "user");
        assert_eq!(credentials.password, "pass:wo:rd");
    }

    #[test]
    fn what_holds_no_credentials_is_none() {
        for plain in [
            &b"no colon at all!"[..],
            b"us\xFFr:password!!!",
            b"                ",
        ] {
            assert_eq!(decrypt(&Key::WELL_KNOWN, IV, &encrypt(plain)), None);
        }
        let long = encrypt(&[b"a:".as_slice(), &[b'x'; 526]].concat());
        assert_eq!(decrypt(&Key::WELL_KNOWN, IV, &long), None);
        assert!(decrypt(&Key::WELL_KNOWN, IV, &long[..512]).is_some());
        for length in [0, 1, 15, 17] {
            assert_eq!(decrypt(&Key::WELL_KNOWN, IV, &long[..length]), None);
        }
    }

    #[test]
    fn what_is_encrypted_decrypts_up_to_the_largest_size() {
        for (length, fits) in [(0, true), (13, true), (14, true), (509, true), (511, false)] {
            let credentials = Credentials {
                user: "a".into(),
                password: "x".repeat(length),
            };
            let crypto = super::encrypt(&Key::WELL_KNOWN, IV, &credentials);
            let decrypted = crypto.and_then(|crypto| decrypt(&Key::WELL_KNOWN, IV, &crypto));
            assert_eq!(decrypted, fits.then_some(credentials), "{length}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials::parse("a:b").unwrap();
        let shown = format!("{:?} {credentials:?}", Key::WELL_KNOWN);
        assert_eq!(shown, "Key(..) Credentials(..)");
    }

    proptest! {
        #[test]
        fn credentials_survive_every_padding(
            user in "[ -9;-~é]{0,30}", password in "[ -~é€]{0,60}[!-~é€]", padding in 0u8..3,
        ) {
            let mut plain = format!("{user}:{password}").into_bytes();
            let missing = BLOCK - plain.len() % BLOCK;
            match padding {
                0 => plain.resize(plain.len() + missing % BLOCK, 0),
                1 => plain.resize(plain.len() + missing % BLOCK, b' '),
                _ => plain.resize(plain.len() + missing, missing as u8),
            }
            let decrypted = decrypt(&Key::WELL_KNOWN, IV, &encrypt(&plain));
            prop_assert_eq!(decrypted, Some(Credentials { user, password }));
        }

        #[test]
        fn no_bytes_make_decrypt_panic(crypto in prop::collection::vec(any::<u8>(), 0..600)) {
            let decrypted = decrypt(&Key::WELL_KNOWN, IV, &crypto);
            prop_assert!(decrypted.is_none() || crypto.len() % BLOCK == 0);
        }
    }
}
