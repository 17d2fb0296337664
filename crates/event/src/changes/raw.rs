use crate::json::Source;
use serde::Deserialize;
use std::fmt;

/// A value as the platform wrote it, byte for byte.
///
/// It borrows the message, or shares what was decoded of it; nothing is written anew. A number keeps its digits here, and
/// half of a surrogate pair its escape.
///
/// ```
/// use labelrelay_event::Event;
/// use labelrelay_event::changes::{Change, Record};
///
/// let queued = br#"{"specversion":"1.0","id":"1","source":"/ls","type":"io.labelstud.task.created","datasha256":"00","receivedtime":"2026-01-01T00:00:00Z","data":{"task": {"id": 7, "data": {"price": 1.50}}}}"#;
/// let changes = Event::parse(queued)?.changes()?;
/// let Change::Changed(task) = &changes[0] else {
///     panic!("a task that is there")
/// };
/// let Some(Record::Task(record)) = task.record.as_deref() else {
///     panic!("a task with data")
/// };
/// assert_eq!(record.data.get(), r#"{"price": 1.50}"#);
/// # Ok::<(), labelrelay_event::EventError>(())
/// ```
#[derive(Clone)]
pub struct Raw<'a> {
    source: Source<'a>,
    start: u32,
    end: u32,
}

impl<'a> Raw<'a> {
    pub(crate) fn new(source: Source<'a>, start: u32, end: u32) -> Self {
        Self { source, start, end }
    }

    /// The value's text: one JSON value.
    pub fn get(&self) -> &str {
        let text = self.source.as_str();
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The value as `T`. `serde_json` reads up to 127 levels, and no half of a surrogate pair.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn parse<'t, T: Deserialize<'t>>(&'t self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.get())
    }
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Raw<'_> {
    // A body holds tokens and personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({} bytes)", self.get().len())
    }
}
