//! The table of `bench --short`, as it is printed, and as it is kept: lines of CSV.

use crate::Outcome;
use std::fmt::Write as _;

const HEAD: &str = "scenario,bare server (us),labelrelay serve (us),ratio";

/// One scenario.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Name, without a comma.
    pub(super) scenario: String,
    /// Microseconds of processor time a delivery in the bare server.
    pub(super) bare: f64,
    /// The same in `labelrelay serve`.
    pub(super) ours: f64,
    pub(super) ratio: f64,
}

pub(super) struct Table(pub(super) Vec<Row>);

impl Table {
    /// Reads what [`text`](Self::text) wrote.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let mut lines = text.lines();
        if lines.next() != Some(HEAD) {
            return Err(format!("the kept table does not begin with `{HEAD}`").into());
        }
        let row = |line: &str| -> Outcome<Row> {
            let fields: Vec<&str> = line.split(',').collect();
            let [scenario, bare, ours, ratio] = fields[..] else {
                return Err(format!("a line of the kept table has not four fields: {line}").into());
            };
            Ok(Row {
                scenario: scenario.to_owned(),
                bare: bare.parse()?,
                ours: ours.parse()?,
                ratio: ratio.parse()?,
            })
        };
        Ok(Self(lines.map(row).collect::<Outcome<_>>()?))
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        for row in &self.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{},{:.1},{:.1},{:.3}",
                row.scenario, row.bare, row.ours, row.ratio
            );
        }
        text
    }

    pub(super) fn print(&self, kept: Option<&Self>) {
        println!("\nprocessor time a delivery, user and system, medians");
        println!(
            "{:<34}{:>10}{:>10}{:>10}{:>10}",
            "", "bare us", "serve us", "ratio", "kept"
        );
        for row in &self.0 {
            let before = kept.and_then(|kept| kept.ratio_of(&row.scenario));
            let before = before.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
            println!(
                "{:<34}{:>10.1}{:>10.1}{:>10.3}{before:>10}",
                row.scenario, row.bare, row.ours, row.ratio
            );
        }
    }

    /// Ratios that are more than `margin` times the kept ones, in words; a scenario that was never kept counts, too.
    pub(super) fn worse_than(&self, kept: &Self, margin: f64) -> Vec<String> {
        let worse = self.0.iter().filter_map(|row| {
            let Some(before) = kept.ratio_of(&row.scenario) else {
                return Some(format!("{}: the kept table has no such row", row.scenario));
            };
            (row.ratio > before * margin).then(|| {
                format!(
                    "{}: {:.2} times the bare server, {before:.2} is kept",
                    row.scenario, row.ratio
                )
            })
        });
        worse.collect()
    }

    fn ratio_of(&self, scenario: &str) -> Option<f64> {
        let row = self.0.iter().find(|row| row.scenario == scenario);
        row.map(|row| row.ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(ratio: f64) -> Table {
        Table(vec![Row {
            scenario: "1 KB".to_owned(),
            bare: 15.0,
            ours: 15.0 * ratio,
            ratio,
        }])
    }

    #[test]
    fn what_is_written_is_read() {
        let kept = Table::parse(&table(3.5).text()).unwrap();
        assert_eq!(kept.0, table(3.5).0);
        assert!(Table::parse("").is_err());
        assert!(Table::parse(&format!("{HEAD}\n1 KB,1,2\n")).is_err());
        assert!(Table::parse(&format!("{HEAD}\n1 KB,1,2,three\n")).is_err());
    }

    #[test]
    fn what_is_worse_by_more_than_the_margin_is_named() {
        let kept = table(3.0);
        assert!(table(3.2).worse_than(&kept, 1.1).is_empty());
        assert!(table(1.0).worse_than(&kept, 1.1).is_empty());
        let worse = table(3.4).worse_than(&kept, 1.1);
        assert!(matches!(&worse[..], [one] if one.starts_with("1 KB: 3.40 times")));
        let unknown = table(1.0).worse_than(&Table(Vec::new()), 1.1);
        assert!(matches!(&unknown[..], [one] if one.contains("no such row")));
    }
}
