//! Topic filters of MQTT (version 3.1.1 section 4.7).

/// The largest number of bytes of a topic.
const MAX_BYTES: usize = 65_535;

/// Returns true if messages can be published to this topic.
pub(crate) fn is_topic(topic: &str) -> bool {
    !topic.is_empty() && topic.len() <= MAX_BYTES && !topic.contains(['+', '#', '\0'])
}

/// Returns true if this is a filter that can be subscribed to.
pub(crate) fn is_filter(filter: &str) -> bool {
    let is_level = |level: &str| !level.contains(['+', '#']) || level == "+";
    let levels =
        filter
            .strip_suffix('#')
            .map_or(Some(filter), |rest| match rest.strip_suffix('/') {
                None => rest.is_empty().then_some(""),
                levels => levels,
            });
    !filter.is_empty()
        && filter.len() <= MAX_BYTES
        && !filter.contains('\0')
        && levels.is_some_and(|levels| levels.split('/').all(is_level))
}

/// Returns true if a filter matches a topic. Of a shared subscription, `$share/NAME/FILTER`, the
/// filter in it is compared.
pub(crate) fn matches(filter: &str, topic: &str) -> bool {
    let filter = match filter.strip_prefix("$share/") {
        Some(shared) => shared.split_once('/').map_or("", |(_, filter)| filter),
        None => filter,
    };
    // A filter that starts with a wildcard does not match topics that start with `$`, which the
    // broker uses for itself (section 4.7.2).
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_have_the_topics_that_the_standard_gives_them() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/", false),
            ("a/b", "a", false),
            ("a/+", "a/b", true),
            ("a/+", "a/", true),
            ("a/+", "a/b/c", false),
            ("+/+", "/a", true),
            ("+", "/a", false),
            ("#", "a/b/c", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "b", false),
            ("vscp/+/10/6/#", "vscp/FF:00/10/6/1", true),
            ("vscp/+/10/6/#", "vscp/FF:00/10/7/1", false),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$share/hosts/a/+", "a/b", true),
            ("$share/hosts/a/+", "b/b", false),
            ("A", "a", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} {topic}");
        }
    }

    #[test]
    fn wildcards_stand_alone_in_their_level_and_the_last_one_at_the_end() {
        for filter in ["#", "+", "a", "/", "a/#", "+/a/#", "a//b", "a/+/b", " "] {
            assert!(is_filter(filter), "{filter}");
        }
        for filter in [
            "", "a#", "#/a", "a/#/b", "a+", "+a/b", "a/b+/#", "a\0", "##",
        ] {
            assert!(!is_filter(filter), "{filter}");
        }
        assert!(is_topic("a/b"));
        for topic in ["", "a/+", "#", "a\0b"] {
            assert!(!is_topic(topic), "{topic}");
        }
    }

    proptest! {
        #[test]
        fn a_topic_is_a_filter_that_has_itself(topic in "[a-c/$ ]{1,12}") {
            prop_assert!(is_topic(&topic) && is_filter(&topic));
            prop_assert!(topic.starts_with("$share/") || matches(&topic, &topic));
        }

        #[test]
        fn any_filter_is_compared(filter in "[a/+#$]{0,12}", topic in "[a/$]{0,12}") {
            let _ = (matches(&filter, &topic), is_filter(&filter));
        }
    }
}
