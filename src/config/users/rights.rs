//! The rights of a user.

use crate::{
    auth::Rights,
    located_json::{ConfigError, Node, Warnings, nearest},
};

/// Reads names or a number, in a string (separated by `/` or `,`) or in a list, and returns their
/// union. Fails at the first name that is no right.
pub(super) fn read(node: &Node<'_>, warnings: &mut Warnings) -> Result<Rights, ConfigError> {
    let elements = node.elements()?;
    elements.iter().try_fold(Rights::NONE, |rights, element| {
        Ok(rights.union(read_one(element, warnings)?))
    })
}

fn read_one(node: &Node<'_>, warnings: &mut Warnings) -> Result<Rights, ConfigError> {
    if !node.is_string() {
        let bits = node.integer(0..=u64::MAX, warnings);
        return bits
            .map(Rights::from_bits)
            .map_err(|_| node.error(expected()));
    }
    Rights::parse(&node.string()?).map_err(|word| {
        let names: Vec<_> = Rights::names().collect();
        let hint = nearest(word.0, &names).map(|name| format!("did you mean \"{name}\"?"));
        let error = node.error_found(word, expected());
        error.with_hint(hint.unwrap_or_default())
    })
}

fn expected() -> String {
    let names: Vec<_> = Rights::names().collect();
    format!("a number or names of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{
        auth::Rights,
        located_json::{Source, Warnings},
    };

    fn read(json: &str) -> Result<u64, String> {
        let source = Source::new("u.json", json);
        let rights = super::read(&source.root().unwrap(), &mut Warnings::default());
        rights.map(Rights::bits).map_err(|error| error.to_string())
    }

    #[test]
    fn names_numbers_and_lists_are_ored() {
        for (json, bits) in [
            ("\"admin\"", u64::MAX),
            ("\"user\"", 0x17007F),
            ("\"driver\"", 0x170000),
            ("\"web\"", 0x170004),
            ("\"rest\"", 0x170008),
            ("\"tcp\"", 0x170001),
            ("\"websockets\"", 0x170002),
            ("\"mqtt\"", 0x170020),
            ("\"udp\"", 0x170010),
            ("\"tcpip\"", 0x1),
            ("\"ws\"", 0x2),
            ("\"ws1\"", 0x2),
            ("\"ws2\"", 0x2),
            ("\"multicast\"", 0x40),
            ("\"send-events\"", 0x10000),
            ("\"l1ctrl-events\"", 0x20000),
            ("\"l2ctrl-events\"", 0x40000),
            ("\"hlo-events\"", 0x80000),
            ("\"receive-events\"", 0x100000),
            ("\"set-filter\"", 0x4000000),
            ("\"set-guid\"", 0x8000000),
            ("\"test\"", 0x10000000),
            ("\"interface\"", 0x20000000),
            ("\"restart\"", 0x40000000),
            ("\"shutdown\"", 0x80000000),
            ("\"Set-Filter / TEST,,ws1\"", 0x14000002),
            ("[\"user\", \"\"]", 0x17007F),
            ("[\"tcpip/ws\", 8, \"0x40\", \"16\"]", 0x5B),
            ("\"\"", 0),
            ("[]", 0),
            ("3", 3),
            ("18446744073709551615", u64::MAX),
            ("\"0xFFFFFFFFFFFFFFFF\"", u64::MAX),
        ] {
            assert_eq!(read(json), Ok(bits), "{json}");
        }
    }

    #[test]
    fn what_is_no_right_is_an_error_that_names_it() {
        for (json, found) in [
            ("\"user/bogus\"", "u.json:1: found \"bogus\", expected"),
            (
                "[\"user\",\n\"+1\"]",
                "u.json:2: [1]: found \"+1\", expected",
            ),
            ("-1", "u.json:1: found -1, expected"),
            ("true", "u.json:1: found true, expected"),
            ("{}", "u.json:1: found {}, expected"),
            ("[[1]]", "u.json:1: [0]: found [1], expected"),
            ("\"0x10000000000000000\"", "found \"0x10000000000000000\""),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(found), "{error}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_in_each_of_its_forms(bits: u64) {
            for json in [format!("{bits}"), format!("\"{bits}\""), format!("\"{bits:#x}\"")] {
                prop_assert_eq!(read(&json), Ok(bits));
            }
        }
    }
}
