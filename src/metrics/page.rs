//! The text format of Prometheus
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::fmt::{self, Display, Write};

/// The start of the names of all metrics of the driver.
const PREFIX: &str = "websocksrv_";

/// The type of a family of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricKind {
    /// A number that only rises.
    Counter,
    /// A number that rises and falls.
    Gauge,
}

/// A page of metrics.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// Adds a family of the driver: a description, and behind it samples, each with its labels (an
    /// empty text for none) and its value.
    pub(crate) fn family<L: AsRef<str>, V: Display>(
        &mut self,
        name: &str,
        kind: MetricKind,
        help: &str,
        samples: impl IntoIterator<Item = (L, V)>,
    ) {
        // Writing to a string does not fail.
        let _ = self.write_family(format_args!("{PREFIX}{name}"), kind, help, samples);
    }

    /// Adds a single number under a name that all programs give it.
    pub(crate) fn common(&mut self, name: &str, kind: MetricKind, help: &str, value: impl Display) {
        let _ = self.write_family(format_args!("{name}"), kind, help, [("", value)]);
    }

    /// Returns the text of the page.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    fn write_family<L: AsRef<str>, V: Display>(
        &mut self,
        name: fmt::Arguments<'_>,
        kind: MetricKind,
        help: &str,
        samples: impl IntoIterator<Item = (L, V)>,
    ) -> fmt::Result {
        let Self(page) = self;
        let kind = match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        write!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n")?;
        for (labels, value) in samples {
            match labels.as_ref() {
                "" => writeln!(page, "{name} {value}")?,
                labels => writeln!(page, "{name}{{{labels}}} {value}")?,
            }
        }
        Ok(())
    }
}

/// Returns a label with its value in quotes.
pub(crate) fn label(name: &str, value: impl Display) -> String {
    let value = value.to_string();
    let value = value.replace('\\', r"\\").replace('"', "\\\"");
    format!("{name}=\"{}\"", value.replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_described_and_has_its_samples_behind_it() {
        let mut page = Page::default();
        let samples = [(r#"a="b""#, 1.5), ("", f64::from(7))];
        page.family("things", MetricKind::Gauge, "Things.", samples);
        page.common("process_things_total", MetricKind::Counter, "More.", 2);
        assert_eq!(
            page.into_string(),
            "# HELP websocksrv_things Things.\n\
             # TYPE websocksrv_things gauge\n\
             websocksrv_things{a=\"b\"} 1.5\n\
             websocksrv_things 7\n\
             # HELP process_things_total More.\n\
             # TYPE process_things_total counter\n\
             process_things_total 2\n"
        );
    }

    #[test]
    fn the_value_of_a_label_cannot_end_it() {
        assert_eq!(label("a", "b"), r#"a="b""#);
        assert_eq!(label("a", "\"}\\\n"), r#"a="\"}\\\n""#);
    }
}
