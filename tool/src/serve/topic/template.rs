//! Templates of topics: text with `{{name}}` in it, as Mustache writes it.

use std::fmt::Write;

/// How a template is rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    /// Values that are inserted cannot change the levels of a topic, and levels at its end that
    /// only have names without a value are left out.
    #[default]
    Clean,
    /// As the daemon renders them: `{{name}}` is escaped for HTML, `{{{name}}}` is not.
    Daemon,
}

/// A template that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// At least one, with a `/` between two.
    levels: Vec<Vec<Part>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name { name: String, is_raw: bool },
}

/// Why a text is no template. Shown as what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// `{{` without an end.
    #[error("a name without its end, {0:?}")]
    Open(String),
    /// A block, a comment or another thing of Mustache that is no name.
    #[error("{0:?}, which is no name")]
    NoName(String),
}

impl Template {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut levels = vec![Vec::new()];
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            add_text(&mut levels, &rest[..start]);
            let (open, close) = match rest[start..].starts_with("{{{") {
                true => ("{{{", "}}}"),
                false => ("{{", "}}"),
            };
            let inside = &rest[start + open.len()..];
            let end = inside.find(close);
            let end = end.ok_or_else(|| TemplateError::Open(rest[start..].to_owned()))?;
            let name = inside[..end].trim();
            if name.starts_with(['#', '/', '^', '!', '>', '&', '=']) || name.is_empty() {
                let whole = &rest[start..start + open.len() + end + close.len()];
                return Err(TemplateError::NoName(whole.to_owned()));
            }
            let part = Part::Name {
                name: name.to_owned(),
                is_raw: open == "{{{",
            };
            if let Some(level) = levels.last_mut() {
                level.push(part);
            }
            rest = &inside[end + close.len()..];
        }
        add_text(&mut levels, rest);
        Ok(Self { levels })
    }

    /// Makes a template that is this text, whatever is in it.
    pub(crate) fn literal(text: &str) -> Self {
        let mut levels = vec![Vec::new()];
        add_text(&mut levels, text);
        Self { levels }
    }

    /// Returns the names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let parts = self.levels.iter().flatten();
        parts.filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Name { name, .. } => Some(&**name),
        })
    }

    /// Renders it. `append` writes the value of a name and returns true if it may contain levels of
    /// its own.
    pub(crate) fn render(
        &self,
        style: Style,
        out: &mut String,
        mut append: impl FnMut(&str, &mut String) -> bool,
    ) {
        let mut end = out.len();
        let mut value = String::new();
        for (index, level) in self.levels.iter().enumerate() {
            if index > 0 {
                out.push('/');
            }
            let start = out.len();
            for part in level {
                match part {
                    Part::Text(text) => out.push_str(text),
                    Part::Name { name, is_raw } => {
                        value.clear();
                        let may_have_levels = append(name, &mut value);
                        match style {
                            Style::Daemon if *is_raw => out.push_str(&value),
                            Style::Daemon => escape(&value, out),
                            Style::Clean => clean(&value, may_have_levels, out),
                        }
                    }
                }
            }
            let is_optional = !level.is_empty();
            if style == Style::Daemon || out.len() > start || !is_optional {
                end = out.len();
            }
        }
        out.truncate(end);
    }
}

fn add_text(levels: &mut Vec<Vec<Part>>, text: &str) {
    for (index, text) in text.split('/').enumerate() {
        if index > 0 {
            levels.push(Vec::new());
        }
        if let (Some(level), false) = (levels.last_mut(), text.is_empty()) {
            level.push(Part::Text(text.to_owned()));
        }
    }
}

/// Appends a value without what has a meaning in topics.
fn clean(value: &str, may_have_levels: bool, out: &mut String) {
    out.extend(value.chars().map(|character| match character {
        '+' | '#' | '\0' => '_',
        '/' if !may_have_levels => '_',
        character => character,
    }));
}

/// Appends a value as Mustache escapes it for HTML.
fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        // Writing to a string does not fail.
        let _ = match character {
            '&' => out.write_str("&amp;"),
            '<' => out.write_str("&lt;"),
            '>' => out.write_str("&gt;"),
            '"' => out.write_str("&quot;"),
            '\'' => out.write_str("&apos;"),
            character => out.write_char(character),
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rendered(style: Style, template: &str) -> String {
        let mut out = String::new();
        let template = Template::parse(template).unwrap();
        template.render(style, &mut out, |name, value| {
            value.push_str(match name {
                "a" => "1",
                "odd" => "x/+#&",
                "levels" => "x/y",
                _ => "",
            });
            name == "levels"
        });
        out
    }

    #[test]
    fn names_are_replaced_and_levels_stay_what_they_are() {
        for (template, clean, daemon) in [
            ("plain/topic", "plain/topic", "plain/topic"),
            ("t/{{a}}/{{ a }}x", "t/1/1x", "t/1/1x"),
            ("t/{{odd}}", "t/x___&", "t/x/+#&amp;"),
            ("t/{{{odd}}}", "t/x___&", "t/x/+#&"),
            ("{{levels}}/z", "x/y/z", "x/y/z"),
            ("t/{{a}}/{{no}}/{{none}}", "t/1", "t/1//"),
            ("t/{{no}}/{{a}}", "t//1", "t//1"),
            ("t/x{{no}}", "t/x", "t/x"),
            ("t/{{no}}/", "t//", "t//"),
            ("{{no}}", "", ""),
        ] {
            assert_eq!(rendered(Style::Clean, template), clean, "{template}");
            assert_eq!(rendered(Style::Daemon, template), daemon, "{template}");
        }
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (template, expected) in [
            ("a/{{b", "a name without its end, \"{{b\""),
            ("a/{{{b}}", "a name without its end, \"{{{b}}\""),
            ("{{#b}}x{{/b}}", "\"{{#b}}\", which is no name"),
            ("{{}}", "\"{{}}\", which is no name"),
        ] {
            let error = Template::parse(template).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_rendered_or_refused(text in "[{}a/#+ ]{0,20}|\\PC*") {
            if let Ok(template) = Template::parse(&text) {
                for style in [Style::Clean, Style::Daemon] {
                    template.render(style, &mut String::new(), |_, _| false);
                }
            }
        }

        #[test]
        fn text_without_names_stays(text in "[^{}]*") {
            prop_assert_eq!(rendered(Style::Clean, &text), &*text);
            prop_assert_eq!(rendered(Style::Daemon, &text), text);
        }
    }
}
