//! The login blob: `user:password`, encrypted with AES-128-CBC under a key that all share.

use std::{fmt, fs::File, io::Read};

use aes::{
    Aes128,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding},
};

use crate::json::ConfigError;

/// Bytes of the key, of the initialisation vector and of a cipher block.
pub const BLOCK: usize = 16;

/// The largest number of encrypted bytes.
pub const MAX_CRYPTO: usize = 512;

/// The key that login blobs are encrypted with.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; BLOCK]);

impl Key {
    /// The key that every installation had once: no secret.
    pub const WELL_KNOWN: Self = Self([
        0x2D, 0xBB, 0x07, 0x9A, 0x38, 0x98, 0x5A, 0xF0, 0x0E, 0xBE, 0xEF, 0xE2, 0x2F, 0x9F, 0xFA,
        0x0E,
    ]);

    /// The key of these bytes.
    pub const fn new(bytes: [u8; BLOCK]) -> Self {
        Self(bytes)
    }

    /// A key that nobody knows.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BLOCK];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads a file of hex text, of which the first 32 digits are the key.
    pub fn read(path: &str) -> Result<Self, ConfigError> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_KEY_FILE).read_to_end(&mut bytes))
            .map_err(|error| ConfigError::new(path, error, "a readable file with the key"))?;
        let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        let text = text.trim_ascii();
        let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let digits = digits.count();
        let mut key = [0; BLOCK];
        match text
            .get(..2 * BLOCK)
            .map(|t| hex::decode_to_slice(t, &mut key))
        {
            Some(Ok(())) => Ok(Self(key)),
            _ => Err(ConfigError::new(
                path,
                format_args!("{digits} hex digits at its start"),
                "at least 32 hex digits (a key of 16 bytes)",
            )),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What a client logs in with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Name of the user.
    pub user: String,
    /// The password as it was typed.
    pub password: String,
}

impl Credentials {
    /// Splits `user:password` at the first colon.
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

/// Decrypts a login blob of 16, 32 .. [`MAX_CRYPTO`] bytes; `None` where no `user:password`
/// comes out.
pub fn decrypt(key: &Key, iv: [u8; BLOCK], crypto: &[u8]) -> Option<Credentials> {
    if crypto.is_empty() || crypto.len() > MAX_CRYPTO {
        return None;
    }
    let mut plain = crypto.to_vec();
    let decryptor = cbc::Decryptor::<Aes128>::new(&key.0.into(), &iv.into());
    let plain = decryptor.decrypt_padded::<NoPadding>(&mut plain).ok()?;
    Credentials::parse(str::from_utf8(without_padding(plain)).ok()?)
}

/// What some editors begin every file with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A key file is a line of text; what is named by mistake may be endless.
const MAX_KEY_FILE: u64 = 4096;

/// Strips the paddings that clients use: PKCS#7, NUL, spaces.
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
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use aes::cipher::BlockModeEncrypt;
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
    fn the_first_32_digits_of_a_key_file_are_the_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vscp.key");
        let path = path.to_str().unwrap();
        let digits = "2dbb079a38985af00EBEEFE22F9FFA0E";
        for text in [
            digits.into(),
            format!(" \n{digits}\r\n"),
            format!("{digits}00FF and so on"),
        ] {
            std::fs::write(path, text).unwrap();
            assert_eq!(Key::read(path), Ok(Key::WELL_KNOWN));
        }
        for (text, found) in [
            (String::new(), "0 hex digits"),
            (digits[1..].into(), "31 hex digits"),
            (digits.replace("8985", "89x5"), "11 hex digits"),
        ] {
            std::fs::write(path, text).unwrap();
            assert_eq!(
                Key::read(path).unwrap_err().to_string(),
                format!(
                    "{path}: found {found} at its start, \
                     expected at least 32 hex digits (a key of 16 bytes)"
                )
            );
        }
        let missing = Key::read("/nowhere/vscp.key").unwrap_err().to_string();
        assert!(
            missing.starts_with("/nowhere/vscp.key: found No such file"),
            "{missing}"
        );
    }

    #[test]
    fn an_endless_key_file_is_not_read_to_its_end() {
        assert!(Key::read("/dev/zero").is_err());
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
