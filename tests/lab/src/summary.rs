//! The summary: a row for each fault, with its deliveries and violations.

use crate::fault::{Fault, Faults};
use crate::plan::Plan;
use crate::record::{End, Record};
use crate::verdict::Verdict;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

/// Counts of all seeds.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    seeds: u64,
    processes: u64,
    bytes: u64,
    derived: usize,
    total: Row,
    calm: Row,
    rows: BTreeMap<Fault, Row>,
    slowest: Duration,
}

/// Deliveries that met one fault.
#[derive(Debug, Default, Clone)]
struct Row {
    deliveries: u64,
    acknowledged: u64,
    repeats: u64,
    unavailable: u64,
    turned_away: u64,
    unanswered: u64,
    violations: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, plan: &Plan, verdict: &Verdict) {
        self.seeds += 1;
        self.processes += u64::from(verdict.processes);
        self.derived += verdict.derived;
        let mut met: HashMap<u32, Faults> = HashMap::new();
        for record in &verdict.records {
            let faults = met.entry(record.number).or_default();
            *faults = faults.and(record.faults);
            self.bytes += record.body_bytes as u64;
            if record.status().is_some() && record.number < plan.deliveries {
                self.slowest = self.slowest.max(record.took);
            }
            self.each_row(record.faults, |row| row.add(record));
        }
        for violation in &verdict.violations {
            let faults = violation
                .number
                .and_then(|number| met.get(&number).copied());
            if let Some(faults) = faults {
                self.each_row(faults, |row| row.violations += 1);
            } else {
                self.total.violations += 1;
            }
        }
    }

    fn each_row(&mut self, faults: Faults, mut count: impl FnMut(&mut Row)) {
        count(&mut self.total);
        if faults.is_empty() {
            count(&mut self.calm);
        }
        for fault in Fault::ALL {
            if faults.contains(fault) {
                count(self.rows.entry(fault).or_default());
            }
        }
    }

    pub(crate) const fn seeds(&self) -> u64 {
        self.seeds
    }

    pub(crate) const fn violations(&self) -> u64 {
        self.total.violations
    }
}

impl Row {
    fn add(&mut self, record: &Record) {
        self.deliveries += 1;
        match &record.end {
            End::Answered(answer) => match answer.status {
                200 => {
                    self.acknowledged += 1;
                    self.repeats += u64::from(answer.outcome == "repeat");
                }
                503 => self.unavailable += 1,
                _ => self.turned_away += 1,
            },
            _ => self.unanswered += 1,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| under way when | deliveries | 200 | of these repeats | 503 | 4xx | no answer | broken |\n\
             |---|---|---|---|---|---|---|---|"
        )?;
        for fault in Fault::ALL {
            if let Some(row) = self.rows.get(&fault) {
                row.write(fault.name(), f)?;
            }
        }
        self.calm.write("none of these", f)?;
        self.total.write("**all**", f)?;
        write!(
            f,
            "\n{} seeds, {} processes, {} MB of bodies, {} derived events, slowest answer {} ms, {} broken",
            self.seeds,
            self.processes,
            self.bytes / 1_000_000,
            self.derived,
            self.slowest.as_millis(),
            self.violations()
        )
    }
}

impl Row {
    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            self.deliveries,
            self.acknowledged,
            self.repeats,
            self.unavailable,
            self.turned_away,
            self.unanswered,
            self.violations,
        ];
        write!(f, "| {name} |")?;
        for count in counts {
            write!(f, " {} |", thousands(count))?;
        }
        writeln!(f)
    }
}

/// 1234567 as `1,234,567`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
