//! Which deliveries are meant.

use crate::entry::Entry;
use rusqlite::types::Value;
use std::fmt::Write as _;

/// Which deliveries are meant; the default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only events with this id.
    pub id: Option<Pattern>,
    /// Only events whose type matches.
    pub event_type: Option<Pattern>,
    /// Only for this source, by its name.
    pub source: Option<Pattern>,
    /// Only events about this.
    pub subject: Option<Pattern>,
    /// Only events of this project.
    pub project: Option<Pattern>,
    /// Only with this id of the platform.
    pub delivery: Option<Pattern>,
    /// Only from this address.
    pub client: Option<Pattern>,
    /// Only with this outcome, by its name.
    pub outcome: Option<Pattern>,
    /// Only what was refused or failed.
    pub refused: bool,
    /// Only what was recorded after the delivery with this number.
    pub after: Option<i64>,
    /// Only what was recorded before the delivery with this number.
    pub before: Option<i64>,
    /// Only what came at this time or later, milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Only what came before this time.
    pub before_ms: Option<i64>,
    /// The newest first.
    pub newest_first: bool,
}

/// Text that a value is held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    ending: Ending,
}

/// Ways in which a value may go on after the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    None,
    AfterSeparator,
    Any,
}

impl Pattern {
    /// The value is this text. With a final `*`, it begins with what stands before that.
    pub fn is(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(beginning) => Self::begins(beginning),
            None => Self::new(text, Ending::None),
        }
    }

    /// The value is this text, or goes on after it with `.` or `/`. With a final `*`, `.` or `/`, the value begins with
    /// this text.
    pub fn within(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(beginning) => Self::begins(beginning),
            None if text.ends_with(['.', '/']) => Self::begins(text),
            None => Self::new(text, Ending::AfterSeparator),
        }
    }

    /// The value begins with this text.
    pub fn begins(text: &str) -> Self {
        Self::new(text, Ending::Any)
    }

    /// The value is this text, whatever stands in it.
    pub fn exactly(text: &str) -> Self {
        Self::new(text, Ending::None)
    }

    fn new(text: &str, ending: Ending) -> Self {
        Self {
            text: text.to_owned(),
            ending,
        }
    }

    /// Tells whether a value matches: the same as the condition, without an index.
    pub(crate) fn matches(&self, value: Option<&str>) -> bool {
        let rest = value.and_then(|value| value.strip_prefix(self.text.as_str()));
        rest.is_some_and(|rest| match self.ending {
            Ending::None => rest.is_empty(),
            Ending::AfterSeparator => rest.is_empty() || rest.starts_with(['.', '/']),
            Ending::Any => true,
        })
    }

    /// A condition as ranges, which an index can answer.
    pub(crate) fn condition(&self, column: &str, values: &mut Vec<Value>) -> String {
        let mut bind = |text: String| {
            values.push(text.into());
            values.len()
        };
        let text = &self.text;
        match self.ending {
            Ending::None => {
                let same = bind(text.clone());
                format!("{column} = ?{same}")
            }
            Ending::AfterSeparator => {
                let same = bind(text.clone());
                // `.`, `/` and `0` follow each other.
                let (from, to) = (bind(format!("{text}.")), bind(format!("{text}0")));
                format!("({column} = ?{same} OR ({column} >= ?{from} AND {column} < ?{to}))")
            }
            Ending::Any => {
                let (from, to) = (bind(text.clone()), bind(end_of(text)));
                format!("({column} >= ?{from} AND {column} < ?{to})")
            }
        }
    }
}

/// Stands behind everything that begins with `text`.
pub(crate) fn end_of(text: &str) -> String {
    format!("{text}\u{10ffff}")
}

impl Filter {
    /// The clauses behind `FROM deliveries`, and the values for them.
    pub(crate) fn clauses(&self, limit: usize) -> (String, Vec<Value>) {
        let (mut sql, mut values) = self.conditions();
        self.push_order(&mut sql, &mut values, limit);
        (sql, values)
    }

    /// Tells whether a delivery passes that is not in the file yet.
    pub(crate) fn passes(&self, number: i64, entry: &Entry<'_>) -> bool {
        let matches = |pattern: &Option<Pattern>, value| {
            let pattern = pattern.as_ref();
            pattern.is_none_or(|pattern| pattern.matches(value))
        };
        matches(&self.id, entry.event_id)
            && matches(&self.event_type, entry.event_type)
            && matches(&self.source, entry.source)
            && matches(&self.subject, entry.subject)
            && matches(&self.project, entry.project)
            && matches(&self.delivery, entry.delivery_id)
            && matches(&self.client, entry.client)
            && matches(&self.outcome, Some(entry.outcome))
            && (!self.refused || entry.status >= 400)
            && self.from_ms.is_none_or(|from| entry.arrived_ms >= from)
            && self
                .before_ms
                .is_none_or(|before| entry.arrived_ms < before)
            && self.after.is_none_or(|after| number > after)
            && self.before.is_none_or(|before| number < before)
    }

    /// The order, and how many.
    pub(crate) fn push_order(&self, sql: &mut String, values: &mut Vec<Value>, limit: usize) {
        let order = if self.newest_first { "DESC" } else { "ASC" };
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        // Writing into memory does not fail.
        let _ = write!(sql, " ORDER BY number {order} LIMIT ?{}", values.len());
    }

    /// The conditions alone.
    pub(crate) fn conditions(&self) -> (String, Vec<Value>) {
        let mut sql = String::from(" WHERE 1");
        let mut values = Vec::new();
        let columns = [
            ("event_id", &self.id),
            ("event_type", &self.event_type),
            ("source", &self.source),
            ("subject", &self.subject),
            ("project", &self.project),
            ("delivery_id", &self.delivery),
            ("client", &self.client),
            ("outcome", &self.outcome),
        ];
        for (column, pattern) in columns {
            if let Some(pattern) = pattern {
                let condition = pattern.condition(column, &mut values);
                and(&mut sql, &condition);
            }
        }
        if self.refused {
            and(&mut sql, "status >= 400");
        }
        if let Some(from) = self.from_ms {
            values.push(from.into());
            let at = values.len();
            // The second one lets a list begin there, instead of with the oldest row. The plus keeps `SQLite` from
            // looking for that number from the oldest row on.
            and(&mut sql, &format!("arrived_ms >= ?{at}"));
            and(
                &mut sql,
                &format!(
                    "number >= (SELECT coalesce(min(+number), {}) FROM deliveries WHERE arrived_ms >= ?{at})",
                    i64::MAX
                ),
            );
        }
        if let Some(before) = self.before_ms {
            values.push(before.into());
            let at = values.len();
            and(&mut sql, &format!("arrived_ms < ?{at}"));
        }
        for (number, is) in [(self.after, ">"), (self.before, "<")] {
            if let Some(number) = number {
                and(&mut sql, &format!("number {is} {number}"));
            }
        }
        (sql, values)
    }
}

pub(crate) fn and(sql: &mut String, condition: &str) {
    sql.push_str(" AND ");
    sql.push_str(condition);
}
