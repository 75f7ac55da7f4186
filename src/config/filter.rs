//! Filters with their masks, in every place that has them.

use std::fmt;

use crate::{
    event::{Filter, filter::Pattern},
    json::{ConfigError, Node},
};

/// Reads a filter and its mask, of which either may be missing or blank. A filter alone would let
/// everything pass: it may have its mask behind it, or gets one on the fields that it gives. Whether
/// the mask is one that was given comes with it.
pub(crate) fn read(
    value: Option<&Node<'_>>,
    mask: Option<&Node<'_>>,
    warnings: &mut Vec<String>,
) -> Result<(Filter, bool), ConfigError> {
    let mask = match mask {
        Some(mask) if mask.string()?.trim().is_empty() => None,
        mask => mask,
    };
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
        let place = format!("{}: {}", value.place(), value.path());
        warnings.push(guessed_mask(place));
    }
    Ok((filter, !guessed && !filter.is_pass_all()))
}

/// The warning of a filter that got a mask.
pub(super) fn guessed_mask(place: impl fmt::Display) -> String {
    format!("{place}: a filter without a mask, taken as a mask of all ones on the fields given")
}
