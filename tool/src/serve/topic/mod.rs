//! Topics: templates that are rendered for each event, and filters of subscriptions.

mod filter;
mod template;
mod values;

pub(super) use self::{
    filter::{is_filter, is_topic, matches},
    template::{Style, Template},
    values::{NAMES, Names, Values},
};
