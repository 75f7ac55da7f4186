//! The id of a session.

/// A random number that names a session: a login blob is bound to it, and a REST session is found
/// by it. Shown as 32 upper-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId([u8; 16]);

impl SessionId {
    /// Draws a new id. Fails if the system has no randomness: an id that can be guessed is worse
    /// than no session.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        #[cfg(test)]
        if NoRandomness::applies() {
            return Self::from_source(|_| Err(getrandom::Error::UNSUPPORTED));
        }
        Self::from_source(getrandom::fill)
    }

    /// Reads 32 hex digits, in any case. Returns `None` for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Returns its bytes, most significant first.
    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Returns it as 32 upper-case hex digits.
    pub(crate) fn hex(self) -> String {
        hex::encode_upper(self.0)
    }

    fn from_source<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut bytes = [0; 16];
        fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
thread_local! {
    static NO_RANDOMNESS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Makes the thread's [`SessionId::random`] fail until it is dropped.
#[cfg(test)]
pub(crate) struct NoRandomness(());

#[cfg(test)]
impl NoRandomness {
    pub(crate) fn start() -> Self {
        NO_RANDOMNESS.set(true);
        Self(())
    }

    fn applies() -> bool {
        NO_RANDOMNESS.get()
    }
}

#[cfg(test)]
impl Drop for NoRandomness {
    fn drop(&mut self) {
        NO_RANDOMNESS.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_the_source_gave_and_is_read_back_from_its_digits() {
        let id = SessionId::from_source(|bytes| {
            bytes.copy_from_slice(&[0xAB; 16]);
            Ok::<_, ()>(())
        });
        let id = id.unwrap();
        assert_eq!(id.hex(), "AB".repeat(16));
        assert_eq!(SessionId::parse(&"aB".repeat(16)), Some(id));
        for text in ["", "AB", &"AB".repeat(17), &"XY".repeat(16)] {
            assert_eq!(SessionId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn no_two_ids_are_the_same() {
        assert_ne!(SessionId::random().unwrap(), SessionId::random().unwrap());
    }

    #[test]
    fn a_source_that_fails_gives_no_id_even_if_it_wrote_something() {
        let id = SessionId::from_source(|bytes| {
            bytes[0] = 1;
            Err("no randomness")
        });
        assert_eq!(id, Err("no randomness"));
    }
}
