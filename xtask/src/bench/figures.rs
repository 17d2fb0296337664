//! The table of figures: each with its goal, and whether it was reached.

use super::samples::Samples;
use crate::Outcome;
use serde_json::json;

/// All figures of a run.
#[derive(Default)]
pub(super) struct Figures(Vec<Figure>);

struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    /// The most, or the least, that it may be; `None` for a figure that only explains the others.
    goal: Option<f64>,
    at_least: bool,
    /// The lowest and highest tenth, where it is the median of many.
    spread: Option<(f64, f64)>,
}

impl Figures {
    /// A figure that has a goal.
    pub(super) fn goal(
        &mut self,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        at_most: f64,
    ) {
        self.0.push(Figure {
            what: what.into(),
            value,
            unit,
            goal: Some(at_most),
            at_least: false,
            spread: None,
        });
    }

    /// A figure that has to reach something.
    pub(super) fn floor(
        &mut self,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        at_least: f64,
    ) {
        self.0.push(Figure {
            what: what.into(),
            value,
            unit,
            goal: Some(at_least),
            at_least: true,
            spread: None,
        });
    }

    /// A figure that explains others.
    pub(super) fn note(&mut self, what: impl Into<String>, value: f64, unit: &'static str) {
        self.0.push(Figure {
            what: what.into(),
            value,
            unit,
            goal: None,
            at_least: false,
            spread: None,
        });
    }

    /// The median of times, in milliseconds.
    pub(super) fn times(&mut self, what: impl Into<String>, samples: &Samples) {
        self.0.push(Figure {
            what: format!("{} (median of {})", what.into(), samples.count()),
            value: samples.median(),
            unit: "ms",
            goal: None,
            at_least: false,
            spread: Some(samples.tenths()),
        });
    }

    pub(super) fn print(&self) {
        println!("\n== measured (spread: the lowest and the highest tenth)");
        for figure in self.0.iter().filter(|figure| figure.goal.is_none()) {
            let spread = figure
                .spread
                .map(|(low, high)| format!("  {low:.3} to {high:.3}"));
            println!(
                "{:>10.3} {:<4} {}{}",
                figure.value,
                figure.unit,
                figure.what,
                spread.unwrap_or_default()
            );
        }
        println!("\n== to be reached");
        for figure in &self.0 {
            if let Some(goal) = figure.goal {
                let verdict = if figure.met() { "met   " } else { "MISSED" };
                let bound = if figure.at_least { "least" } else { "most" };
                println!(
                    "{verdict} {:>8.3} {:<4} at {bound} {goal} {}  {}",
                    figure.value, figure.unit, figure.unit, figure.what
                );
            }
        }
    }

    pub(super) fn json(&self) -> Outcome<String> {
        let figures: Vec<_> = self
            .0
            .iter()
            .map(|figure| {
                json!({
                    "what": figure.what,
                    "value": figure.value,
                    "unit": figure.unit,
                    "goal": figure.goal,
                    "met": figure.goal.map(|_| figure.met()),
                    "lowest_tenth": figure.spread.map(|(low, _)| low),
                    "highest_tenth": figure.spread.map(|(_, high)| high),
                })
            })
            .collect();
        Ok(serde_json::to_string_pretty(
            &json!({ "figures": figures }),
        )?)
    }
}

impl Figure {
    fn met(&self) -> bool {
        self.goal.is_some_and(|goal| {
            if self.at_least {
                self.value >= goal
            } else {
                self.value <= goal
            }
        })
    }
}
