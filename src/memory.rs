//! Checks that there is memory before other code allocates it: an allocation that fails ends the
//! process, which belongs to the host.

/// The number of bytes up to which nothing is checked.
pub(crate) const SMALL: usize = 64 * 1024;

/// The memory that is needed to read and handle a text of a peer, as a multiple of its size.
const COPIES: usize = 4;

/// Returns true if there is memory to read and handle a text of `bytes` bytes from a peer.
pub(crate) fn is_there_for(bytes: usize) -> bool {
    bytes <= SMALL
        || Vec::<u8>::new()
            .try_reserve_exact(bytes.saturating_mul(COPIES))
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_memory_for_what_is_small_and_not_for_everything() {
        for (bytes, expected) in [
            (0, true),
            (SMALL, true),
            (SMALL + 1, true),
            (usize::MAX, false),
        ] {
            assert_eq!(is_there_for(bytes), expected, "{bytes}");
        }
    }
}
