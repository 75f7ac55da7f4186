//! Filters of events.

mod change;

use std::{fmt, str::FromStr};

pub(crate) use self::change::FilterChange;
use super::{Event, Guid};
use crate::{
    located_json::Expected,
    number::{parse_decimal_or_hex, parse_field},
};

/// One half of a [`Filter`]: its values, or its mask.
///
/// Shown as `priority,class,type,GUID` with decimal numbers. Parsed from the same form, with
/// numbers also after `0x`; fields that are missing at the end are 0, and `-` is a GUID of zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Priorities are 0 (highest) to 7. A mask may have more bits; a value with more never passes
    /// if they are masked.
    pub priority: u8,
    /// VSCP class.
    pub class: u16,
    /// VSCP type.
    pub kind: u16,
    /// GUID of the sender.
    pub guid: Guid,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            priority,
            class,
            kind,
            guid,
        } = self;
        write!(f, "{priority},{class},{kind},{guid}")
    }
}

impl FromStr for Pattern {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        parse_pattern(&split_fields(text)?)
    }
}

/// A filter. An event passes if it equals `value` in all bits that are set in `mask`; with the
/// default every event passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The values of events that pass.
    pub value: Pattern,
    /// The bits that are compared.
    pub mask: Pattern,
}

impl Filter {
    /// Parses the values and the mask that a client sends.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse_wire(filter: &str, mask: &str) -> Result<Self, FilterError> {
        Ok(Self {
            value: filter.parse()?,
            mask: mask.parse()?,
        })
    }

    /// Parses a filter of the configuration: `filter;mask`, both in eight fields with commas, or
    /// the values alone. These get a mask of all ones for the fields that are present (neither
    /// empty nor `-`), and the flag that is returned is true.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn parse_config(text: &str) -> Result<(Self, bool), FilterError> {
        if let Some((filter, mask)) = text.split_once(';') {
            return Ok((Self::parse_wire(filter, mask)?, false));
        }
        if let Some((comma, _)) = text.match_indices(',').nth(3)
            && text.matches(',').count() == 7
        {
            return Ok((Self::parse_wire(&text[..comma], &text[comma + 1..])?, false));
        }
        let fields = split_fields(text)?;
        let [priority, class, kind, guid] = fields.map(|field| !matches!(field, "" | "-"));
        let mask = Pattern {
            priority: if priority { u8::MAX } else { 0 },
            class: if class { u16::MAX } else { 0 },
            kind: if kind { u16::MAX } else { 0 },
            guid: if guid { Guid([0xFF; 16]) } else { Guid::ZERO },
        };
        let value = parse_pattern(&fields)?;
        Ok((Self { value, mask }, mask != Pattern::default()))
    }

    /// Returns true if an event with these values passes. `priority` is 0 to 7, not the head.
    pub fn passes(&self, priority: u8, class: u16, kind: u16, guid: &Guid) -> bool {
        let Self { value, mask } = self;
        let guids = |guid: &Guid| u128::from_ne_bytes(guid.0);
        (value.priority ^ priority) & mask.priority == 0
            && (value.class ^ class) & mask.class == 0
            && (value.kind ^ kind) & mask.kind == 0
            && (guids(&value.guid) ^ guids(guid)) & guids(&mask.guid) == 0
    }

    /// Returns true if events of the node with this GUID can pass.
    pub fn passes_guid(&self, guid: &Guid) -> bool {
        let Self { value, mask } = self;
        self.passes(value.priority, value.class, value.kind, guid)
            && mask.priority & value.priority & !7 == 0
    }

    /// Returns true if `event` passes.
    pub fn passes_event(&self, event: &Event) -> bool {
        self.passes(event.priority(), event.class, event.kind, &event.guid)
    }

    /// Returns true if every event passes.
    pub fn is_pass_all(&self) -> bool {
        self.mask == Pattern::default()
    }
}

/// A field of a filter that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: found {found:?}, expected {expected}")]
pub struct FilterError {
    /// The field that is wrong.
    pub field: &'static str,
    /// The text of the field, cut to a readable length.
    pub found: String,
    /// The values that the field may have.
    pub expected: &'static str,
}

impl FilterError {
    fn new(field: &'static str, found: &str, expected: &'static str) -> Self {
        Self {
            field,
            found: found.chars().take(60).collect(),
            expected,
        }
    }
}

impl Expected for FilterError {
    fn expected(&self) -> String {
        format!("{} to be {}", self.field, self.expected)
    }
}

const PRIORITY: &str = "a number from 0 to 255";
const CLASS_OR_TYPE: &str = "a number from 0 to 65535";
const GUID: &str = "a GUID, or '-'";
const FIELDS: &str = "priority,class,type,GUID";

/// Splits a pattern into priority, class, type and GUID; missing fields are empty.
fn split_fields(text: &str) -> Result<[&str; 4], FilterError> {
    let mut fields = [""; 4];
    for (index, field) in text.split(',').enumerate() {
        match fields.get_mut(index) {
            Some(slot) => *slot = field.trim_ascii(),
            None => return Err(FilterError::new("filter", text, FIELDS)),
        }
    }
    Ok(fields)
}

fn parse_pattern([priority, class, kind, guid_text]: &[&str; 4]) -> Result<Pattern, FilterError> {
    Ok(Pattern {
        priority: parse_number("priority", priority, PRIORITY)?,
        class: parse_number("class", class, CLASS_OR_TYPE)?,
        kind: parse_number("type", kind, CLASS_OR_TYPE)?,
        guid: parse_guid("guid", guid_text)?,
    })
}

fn parse_number<T: TryFrom<u64> + Default>(
    field: &'static str,
    text: &str,
    expected: &'static str,
) -> Result<T, FilterError> {
    parse_field(text, parse_decimal_or_hex).ok_or_else(|| FilterError::new(field, text, expected))
}

fn parse_guid(field: &'static str, text: &str) -> Result<Guid, FilterError> {
    if text.is_empty() {
        return Ok(Guid::ZERO);
    }
    text.parse()
        .map_err(|_| FilterError::new(field, text, GUID))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::event::text;

    const COUNTED: &str = "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F";
    const ONES: &str = "FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF:FF";
    const ZEROS: &str = "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00";

    fn patterns() -> impl Strategy<Value = Pattern> {
        any::<(u8, u16, u16, [u8; 16])>().prop_map(|(priority, class, kind, guid)| Pattern {
            priority,
            class,
            kind,
            guid: Guid(guid),
        })
    }

    fn bytes(pattern: &Pattern) -> Vec<u8> {
        let Pattern {
            priority,
            class,
            kind,
            guid,
        } = pattern;
        let fields = [&[*priority][..], &class.to_be_bytes(), &kind.to_be_bytes()];
        [fields.concat(), guid.0.to_vec()].concat()
    }

    fn shown(filter: &Filter) -> String {
        format!("{};{}", filter.value, filter.mask)
    }

    #[test]
    fn the_vectors_pass_or_drop_as_they_say() {
        let mut count = 0;
        for line in include_str!("../../../tests/vectors/filters.tsv")
            .lines()
            .skip(1)
        {
            let [filter, mask, head, class, kind, guid, result] =
                line.split('\t').collect::<Vec<_>>().try_into().unwrap();
            let filter = Filter::parse_wire(filter, mask).unwrap();
            let event = text::parse(&format!("{head},{class},{kind},,,,{guid}")).unwrap();
            assert_eq!(filter.passes_event(&event), result == "pass", "{line}");
            count += 1;
        }
        assert!(count > 15);
    }

    #[test]
    fn missing_fields_of_patterns_are_0() {
        for (text, expected) in [
            ("", format!("0,0,0,{ZEROS}")),
            (" 3 ", format!("3,0,0,{ZEROS}")),
            ("0xff, 0xFFFF", format!("255,65535,0,{ZEROS}")),
            (",10,,", format!("0,10,0,{ZEROS}")),
            ("1,2,3,-", format!("1,2,3,{ZEROS}")),
            (
                "1,2,3, 0:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f",
                format!("1,2,3,{COUNTED}"),
            ),
            (
                "1,2,3,000102030405060708090a0b0c0d0e0f",
                format!("1,2,3,{COUNTED}"),
            ),
            (
                "1,2,3,{00010203-0405-0607-0809-0a0b0c0d0e0f}",
                format!("1,2,3,{COUNTED}"),
            ),
            ("0,0,0,::FF", format!("0,0,0,{ONES}")),
        ] {
            assert_eq!(
                text.parse::<Pattern>().unwrap().to_string(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn patterns_out_of_range_or_form_are_refused() {
        for (text, field) in [
            ("256", "priority"),
            ("-1", "priority"),
            ("-", "priority"),
            ("x", "priority"),
            ("0,65536", "class"),
            ("0,0b1", "class"),
            ("0,0,0x10000", "type"),
            ("0,0,1.0", "type"),
            ("0,0,0,FF:FF", "guid"),
            ("0,0,0,-,", "filter"),
            ("0;0", "priority"),
        ] {
            assert_eq!(text.parse::<Pattern>().unwrap_err().field, field, "{text}");
        }
        let error = "0,65536".parse::<Pattern>().unwrap_err().to_string();
        assert_eq!(
            error,
            r#"class: found "65536", expected a number from 0 to 65535"#
        );
    }

    #[test]
    fn the_configuration_has_filter_and_mask_or_a_mask_is_guessed() {
        for (text, expected, guessed) in [
            (
                "0,10,6,-;0,0xffff,0,-",
                format!("0,10,6,{ZEROS};0,65535,0,{ZEROS}"),
                false,
            ),
            ("3;7", format!("3,0,0,{ZEROS};7,0,0,{ZEROS}"), false),
            ("3;", format!("3,0,0,{ZEROS};0,0,0,{ZEROS}"), false),
            (
                "0,10,6,-,0,255,255,::FF",
                format!("0,10,6,{ZEROS};0,255,255,{ONES}"),
                false,
            ),
            (
                "1, 2, 3,, 4, 5, 6,",
                format!("1,2,3,{ZEROS};4,5,6,{ZEROS}"),
                false,
            ),
            ("3", format!("3,0,0,{ZEROS};255,0,0,{ZEROS}"), true),
            (",10", format!("0,10,0,{ZEROS};0,65535,0,{ZEROS}"), true),
            (
                "0,10,6,-",
                format!("0,10,6,{ZEROS};255,65535,65535,{ZEROS}"),
                true,
            ),
            (",,,::FF", format!("0,0,0,{ONES};0,0,0,{ONES}"), true),
            ("", format!("0,0,0,{ZEROS};0,0,0,{ZEROS}"), false),
            (" ", format!("0,0,0,{ZEROS};0,0,0,{ZEROS}"), false),
        ] {
            let (filter, mask_guessed) = Filter::parse_config(text).unwrap();
            assert_eq!(
                (shown(&filter), mask_guessed),
                (expected, guessed),
                "{text}"
            );
        }
        for text in [
            "all",
            "0,0,0,-,0",
            "0,0,0,-,0,0,0",
            "0,0,0,-,0,0,0,-,0",
            "0;0;0",
            "0,0,0,-;0,0,0,-,0",
            "0,70000,0,-,0,0,0,-",
        ] {
            assert!(Filter::parse_config(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_default_passes_all_and_says_so() {
        assert!(Filter::default().is_pass_all());
        assert!(Filter::default().passes(7, u16::MAX, u16::MAX, &Guid([0xFF; 16])));
        assert!(!Filter::parse_wire("", "0,0,0,::FF").unwrap().is_pass_all());
        assert!(!Filter::parse_wire("", "0,1").unwrap().is_pass_all());
        assert!(Filter::parse_wire("1,2,3", "").unwrap().is_pass_all());
    }

    proptest! {
        #[test]
        fn patterns_parse_as_they_are_shown(pattern in patterns(), mask in patterns()) {
            let (value, mask_text) = (pattern.to_string(), mask.to_string());
            prop_assert_eq!(value.parse(), Ok(pattern));
            let filter = Filter { value: pattern, mask };
            let with_comma = format!("{value},{mask_text}");
            prop_assert_eq!(Filter::parse_wire(&value, &mask_text), Ok(filter));
            prop_assert_eq!(Filter::parse_config(&shown(&filter)), Ok((filter, false)));
            prop_assert_eq!(Filter::parse_config(&with_comma), Ok((filter, false)));
        }

        #[test]
        fn an_event_passes_if_all_masked_bits_are_equal(
            value in patterns(),
            mask in patterns(),
            changed in vec(0..168_usize, 0..4),
        ) {
            let mut bits = bytes(&value);
            for bit in changed {
                bits[bit / 8] ^= 1 << (bit % 8);
            }
            let (values, masks) = (bytes(&value), bytes(&mask));
            let model = (0..168).all(|bit| {
                let bit_of = |bytes: &[u8]| bytes[bit / 8] >> (bit % 8) & 1;
                bit_of(&masks) == 0 || bit_of(&values) == bit_of(&bits)
            });
            let (fields, guid) = bits.split_at(5);
            let guid = Guid(guid.try_into().unwrap());
            let class = u16::from_be_bytes([fields[1], fields[2]]);
            let kind = u16::from_be_bytes([fields[3], fields[4]]);
            let passes = Filter { value, mask }.passes(fields[0], class, kind, &guid);
            prop_assert_eq!(passes, model);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "[0-9a-fx:;, -]{0,60}|\\PC*") {
            let _ = Filter::parse_config(&text);
        }
    }
}
