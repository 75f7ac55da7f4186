//! Filters with their masks, of the configuration, of buses and of users.

use crate::{
    event::{Filter, filter::Pattern},
    located_json::{ConfigError, Finding, Node, Position, Warnings},
};

/// Reads a filter and its mask, of which either may be missing or blank. Returns them, and whether
/// a mask was given. Without a mask, `value` may hold both: `FILTER;MASK`. If it holds a filter
/// alone, that gets a mask of all ones on the fields that are given, with a warning: with a mask of
/// zeros everything would pass.
pub(crate) fn read(
    value: Option<&Node<'_>>,
    mask: Option<&Node<'_>>,
    warnings: &mut Warnings,
) -> Result<(Filter, bool), ConfigError> {
    let mask = mask.filter(|mask| !mask.is_blank());
    let pattern = |node: Option<&Node<'_>>| match node {
        Some(node) => node.parsed(|text| text.parse::<Pattern>()),
        None => Ok(Pattern::default()),
    };
    let Some(value) = value.filter(|_| mask.is_none()) else {
        let filter = Filter {
            value: pattern(value)?,
            mask: pattern(mask)?,
        };
        return Ok((filter, mask.is_some()));
    };
    let (filter, guessed) = value.parsed(Filter::parse_config)?;
    if guessed {
        warnings.at(value, GUESSED);
    }
    Ok((filter, !guessed && !filter.is_pass_all()))
}

/// Makes the warning of a filter that got a mask.
pub(super) fn guessed_mask(place: &str) -> Finding {
    Finding::new(Position::of_text(place), GUESSED)
}

const GUESSED: &str = "a filter without a mask, taken as a mask of all ones on the fields given";
