//! Which events to look at: one filter for every way of looking.

use super::event::{COLUMNS, Event, State, StoredEvent, add_reason, event};
use super::event_attributes::{ATTRIBUTES_BYTES, without_data};
use super::{QueueFile, columns};
use crate::queue_file_error::FileError;
use labelrelay_event::Attributes;
use rusqlite::{Row, named_params};

/// Which events to list. The default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only events whose id matches.
    pub id: Option<Pattern>,
    /// Only events whose type matches.
    pub event_type: Option<Pattern>,
    /// Only events whose source matches, with its `/`.
    pub source: Option<Pattern>,
    /// Only events whose subject matches.
    pub subject: Option<Pattern>,
    /// Only events whose attribute `project` matches.
    pub project: Option<Pattern>,
    /// Only events whose attribute `deliveryid` matches.
    pub delivery: Option<Pattern>,
    /// Only in one of these states; none stands for all.
    pub states: Vec<State>,
    /// Only what arrived after this number: following a queue is listing after the last number seen.
    pub after: Option<u64>,
    /// Only what was written at this time or later, milliseconds since 1970.
    pub from_ms: Option<i64>,
    /// Only what was written before this time.
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

    /// The value is this text, or goes on after it with `.` or `/`: `task` stands for `task/17`, and `task/1` does
    /// not. With a final `*`, `.` or `/`, the value begins with this text.
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

    fn new(text: &str, ending: Ending) -> Self {
        Self {
            text: text.to_owned(),
            ending,
        }
    }

    /// The text that every value has that matches.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Tells whether the value matches.
    pub fn matches(&self, value: &str) -> bool {
        value
            .strip_prefix(self.text.as_str())
            .is_some_and(|rest| match self.ending {
                _ if rest.is_empty() => true,
                Ending::None => false,
                Ending::AfterSeparator => rest.starts_with(['.', '/']),
                Ending::Any => true,
            })
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::is(text)
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self::is(&text)
    }
}

impl Filter {
    /// States as bits, for SQL; 0 stands for all.
    fn state_bits(&self) -> i64 {
        self.states.iter().fold(0, |bits, state| {
            bits | match state {
                State::Ready => 1,
                State::InFlight => 2,
                State::Acknowledged => 4,
                State::Dead => 8,
            }
        })
    }

    /// Tells whether an event passes that is in no queue, and so has neither a state nor a number. `received_ms` is when it
    /// was received, milliseconds since 1970.
    pub fn passes(&self, attributes: &Attributes, received_ms: i64) -> bool {
        self.from_ms.is_none_or(|from| received_ms >= from)
            && self.before_ms.is_none_or(|before| received_ms < before)
            && [
                (&self.id, Some(&attributes.id)),
                (&self.event_type, Some(&attributes.event_type)),
                (&self.source, Some(&attributes.source)),
                (&self.subject, attributes.subject.as_ref()),
                (&self.project, attributes.project.as_ref()),
                (&self.delivery, attributes.deliveryid.as_ref()),
            ]
            .into_iter()
            .all(|(pattern, value)| is_asked_for(pattern.as_ref(), value.map(String::as_str)))
    }

    /// Tells whether the filter asks for more than the file's columns tell.
    const fn needs_attributes(&self) -> bool {
        self.project.is_some() || self.delivery.is_some()
    }

    /// Checks the attributes that have no column, in the beginning of an envelope. Events of a newer, unreadable
    /// version do not pass.
    fn takes(&self, beginning: Vec<u8>) -> bool {
        let Ok(attributes) = serde_json::from_slice::<Attributes>(&without_data(beginning)) else {
            return false;
        };
        is_asked_for(self.project.as_ref(), attributes.project.as_deref())
            && is_asked_for(self.delivery.as_ref(), attributes.deliveryid.as_deref())
    }
}

fn is_asked_for(pattern: Option<&Pattern>, value: Option<&str>) -> bool {
    pattern.is_none_or(|pattern| value.is_some_and(|value| pattern.matches(value)))
}

/// SQL that matches a column with the pattern that is bound as `:name`, with `:name_ending` beside it; true without
/// one.
fn condition(column: &str, name: &str) -> String {
    format!(
        "(:{name} IS NULL OR {column} = :{name} OR :{name}_ending > 0
          AND substr({column}, 1, length(:{name})) = :{name}
          AND (:{name}_ending = 2 OR substr({column}, length(:{name}) + 1, 1) IN ('.', '/')))"
    )
}

fn text(pattern: Option<&Pattern>) -> Option<&str> {
    pattern.map(|pattern| pattern.text.as_str())
}

fn ending(pattern: Option<&Pattern>) -> i64 {
    pattern.map_or(0, |pattern| match pattern.ending {
        Ending::None => 0,
        Ending::AfterSeparator => 1,
        Ending::Any => 2,
    })
}

impl QueueFile {
    /// Events that pass `filter`, in order of arrival (or its reverse), `limit` at most.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Event>, FileError> {
        let mut events = Vec::new();
        if limit > 0 {
            self.each(filter, "NULL", |row| {
                events.push(event(row)?);
                Ok(events.len() < limit)
            })?;
        }
        if events.iter().any(|event| event.state == State::Dead) {
            self.read(|db| {
                let mut events = events.iter_mut();
                Ok(events.try_for_each(|event| add_reason(db, event))?)
            })?;
        }
        Ok(events)
    }

    /// The newest event with this id, envelope included. Reads through the file: ids have no index, for an
    /// index over random keys would halve the rate of sends.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, id: &str) -> Result<Option<StoredEvent>, FileError> {
        let filter = Filter {
            id: Some(Pattern::is(id)),
            newest_first: true,
            ..Filter::default()
        };
        match self.list(&filter, 1)?.first() {
            Some(event) => self.get(event.seq),
            None => Ok(None),
        }
    }

    /// Hands each row that passes `filter` to `take`, in order, until that says that it has enough. `more` is an
    /// expression that becomes the column after those of [`COLUMNS`].
    pub(super) fn each(
        &self,
        filter: &Filter,
        more: &str,
        mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
    ) -> Result<(), FileError> {
        let order = if filter.newest_first { "DESC" } else { "ASC" };
        let [id, event_type, source, subject] =
            ["id", "type", "source", "subject"].map(|name| condition(&format!("e.{name}"), name));
        let sql = format!(
            "SELECT {COLUMNS}, {more}, CASE WHEN :attributes THEN substr(e.envelope, 1, {ATTRIBUTES_BYTES}) END
             FROM events e LEFT JOIN {} d ON d.seq = e.seq
             WHERE e.seq >= :first AND (:states = 0 OR (:states >> standing) & 1)
               AND (:from IS NULL OR e.received_ms >= :from) AND (:before IS NULL OR e.received_ms < :before)
               AND {id} AND {event_type} AND {source} AND {subject}
             ORDER BY e.seq {order}",
            self.deliveries()
        );
        // Not `> after`: that would look for `after` first, where the file may be damaged.
        let first = filter.after.unwrap_or(0).saturating_add(1);
        self.read(|db| {
            let mut select = db.prepare_cached(&sql)?;
            let mut rows = select.query(named_params! {
                ":now": self.now_ms(),
                ":attributes": filter.needs_attributes(),
                ":first": i64::try_from(first).unwrap_or(i64::MAX),
                ":states": filter.state_bits(),
                ":from": filter.from_ms,
                ":before": filter.before_ms,
                ":id": text(filter.id.as_ref()),
                ":id_ending": ending(filter.id.as_ref()),
                ":type": text(filter.event_type.as_ref()),
                ":type_ending": ending(filter.event_type.as_ref()),
                ":source": text(filter.source.as_ref()),
                ":source_ending": ending(filter.source.as_ref()),
                ":subject": text(filter.subject.as_ref()),
                ":subject_ending": ending(filter.subject.as_ref()),
            })?;
            while let Some(row) = rows.next()? {
                if filter.needs_attributes() && !filter.takes(columns::bytes(row, 10)?) {
                    continue;
                }
                if !take(row)? {
                    break;
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_values() {
        for (pattern, value, matches) in [
            (Pattern::is("task/1"), "task/1", true),
            (Pattern::is("task/1"), "task/17", false),
            (Pattern::is("task/1*"), "task/17", true),
            (Pattern::within("task/1"), "task/1", true),
            (Pattern::within("task/1"), "task/17", false),
            (Pattern::within("task"), "task/17", true),
            (Pattern::within("task/"), "task/17", true),
            (
                Pattern::within("com.labelbox.label"),
                "com.labelbox.label.created",
                true,
            ),
            (
                Pattern::within("com.labelbox.lab"),
                "com.labelbox.label.created",
                false,
            ),
            (
                Pattern::within("com.labelbox.lab*"),
                "com.labelbox.label.created",
                true,
            ),
            (Pattern::begins("9f"), "9f86", true),
            (Pattern::begins("9f86"), "9f", false),
        ] {
            assert_eq!(pattern.matches(value), matches, "{pattern:?} {value}");
        }
    }
}
