//! Classes, types and units of events in words, from the lists in `data/`.

use std::{collections::HashMap, sync::LazyLock};

use super::measurement::quantity;

/// Returns the name of a class, `None` if it is not known.
pub fn class(class: u16) -> Option<&'static str> {
    CLASSES.get(&class).copied()
}

/// Returns the name of a type, `None` if it is not known.
pub fn kind(class: u16, kind: u16) -> Option<&'static str> {
    let (class, kind) = match quantity(class, kind) {
        Some(quantity) => (10 + (quantity >> 8), quantity & 0xFF),
        None if (512..1024).contains(&class) => (class - 512, kind),
        None => (class, kind),
    };
    TYPES.get(&(class, kind)).copied()
}

/// Returns the type of class 10 that has this name, in any case.
pub fn measurement(name: &str) -> Option<u16> {
    let mut types = TYPES.iter().filter(|((class, _), _)| *class == 10);
    let found = types.find(|(_, known)| known.eq_ignore_ascii_case(name));
    found.map(|((_, kind), _)| *kind)
}

/// Returns the symbol of a unit, or its name if it has none, by the type of class 10 and the unit's
/// code. Returns `None` if it is not known.
pub fn unit(kind: u16, code: u8) -> Option<&'static str> {
    UNITS.get(&(kind, code)).copied()
}

static CLASSES: LazyLock<HashMap<u16, &str>> = LazyLock::new(|| {
    rows(include_str!("../../data/classes.tsv"))
        .filter_map(|row| Some((number(&row, 0)?, *row.get(2)?)))
        .collect()
});

static TYPES: LazyLock<HashMap<(u16, u16), &str>> = LazyLock::new(|| {
    rows(include_str!("../../data/types.tsv"))
        .filter_map(|row| {
            let name = row.get(3)?.trim_end_matches('.');
            Some(((number(&row, 0)?, number(&row, 1)?), name))
        })
        .collect()
});

static UNITS: LazyLock<HashMap<(u16, u8), &str>> = LazyLock::new(|| {
    rows(include_str!("../../data/units.tsv"))
        .filter_map(|row| {
            let symbol = row.get(4).filter(|symbol| !symbol.is_empty());
            let name = symbol.or(row.get(3))?.trim();
            Some(((number(&row, 0)?, number(&row, 2)?), name))
        })
        .collect()
});

fn rows(list: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

fn number<T: std::str::FromStr>(row: &[&str], column: usize) -> Option<T> {
    row.get(column)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_types_and_units_have_names() {
        assert_eq!(class(10), Some("Measurement"));
        assert_eq!(class(9999), None);
        for (numbers, name) in [
            ((10, 6), Some("Temperature")),
            ((1060, 6), Some("Temperature")),
            ((70, 6), Some("Temperature")),
            ((522, 6), Some("Temperature")),
            ((20, 3), Some("On")),
            ((532, 3), Some("On")),
            ((9999, 3), None),
            ((14, 65535), None),
        ] {
            assert_eq!(kind(numbers.0, numbers.1), name, "{numbers:?}");
        }
        assert_eq!(measurement("temperature"), Some(6));
        assert_eq!(measurement("no such thing"), None);
        assert_eq!(unit(6, 1), Some("°C"));
        assert_eq!(unit(6, 9), None);
    }
}
