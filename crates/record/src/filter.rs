//! Which deliveries are meant.

use crate::entry::Entry;
use crate::sql::Statement;

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
    pub(crate) fn condition(&self, column: &str, statement: &mut Statement) -> String {
        let text = self.text.as_str();
        match self.ending {
            Ending::None => {
                let same = statement.bind(text);
                format!("{column} = {same}")
            }
            Ending::AfterSeparator => {
                let same = statement.bind(text);
                // `.`, `/` and `0` follow each other.
                let (from, to) = (
                    statement.bind(format!("{text}.")),
                    statement.bind(format!("{text}0")),
                );
                format!("({column} = {same} OR ({column} >= {from} AND {column} < {to}))")
            }
            Ending::Any => {
                let (from, to) = (statement.bind(text), statement.bind(end_of(text)));
                format!("({column} >= {from} AND {column} < {to})")
            }
        }
    }
}

/// Stands behind everything that begins with `text`.
fn end_of(text: &str) -> String {
    format!("{text}\u{10ffff}")
}

impl Filter {
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
    pub(crate) fn order(&self, statement: &mut Statement, limit: usize) {
        let order = if self.newest_first { "DESC" } else { "ASC" };
        let limit = statement.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        statement.push(&format!(" ORDER BY number {order} LIMIT {limit}"));
    }

    /// The conditions alone.
    pub(crate) fn add_to(&self, statement: &mut Statement) {
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
                let condition = pattern.condition(column, statement);
                statement.and(&condition);
            }
        }
        if self.refused {
            statement.and("status >= 400");
        }
        if let Some(from) = self.from_ms {
            let from = statement.bind(from);
            statement.and(&format!("arrived_ms >= {from}"));
            // It lets a list begin there, instead of with the oldest row. The sum keeps the database from looking for
            // that number from the oldest row on.
            statement.and(&format!(
                "number >= (SELECT coalesce(min(number + 0), {}) FROM deliveries WHERE arrived_ms >= {from})",
                i64::MAX
            ));
        }
        if let Some(before) = self.before_ms {
            let before = statement.bind(before);
            statement.and(&format!("arrived_ms < {before}"));
        }
        for (number, is) in [(self.after, ">"), (self.before, "<")] {
            if let Some(number) = number {
                let number = statement.bind(number);
                statement.and(&format!("number {is} {number}"));
            }
        }
    }
}
